/** The assembler against GNU as and ld: the same text, the same bytes. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type AssembleOptions, assemble } from '../../kernel-lib/code/assemble';
import { PSEUDOS } from '../../kernel-lib/code/assembly/pseudo';
import { disassemble } from '../../kernel-lib/code/disassemble';
import { encode } from '../../kernel-lib/code/encode';
import type { Operands, Row } from '../../kernel-lib/isa/formats';
import { ISA } from '../../kernel-lib/isa/isa';
import { ABI_NAMES } from '../../kernel-lib/isa/registers';
import { gnuAssemble, hasGnu, NEWER_CSRS } from './gnu';
import { Random, randomOperands } from './random';

/** Expects our bytes to be GNU's. */
function expectSame(text: string, options: AssembleOptions = {}): void {
  const ours = assemble(text, options);
  const shown = (bytes: Uint8Array) =>
    Buffer.from(bytes)
      .toString('hex')
      .replaceAll(/.{8}(?=.)/g, '$&\n');
  expect(ours.segments.map(({ bytes }) => shown(bytes))).toEqual(gnuAssemble(text, ours).map(shown));
}

describe.skipIf(!hasGnu)('assembler and GNU as', () => {
  it('agree on every row with random operands', () => {
    const random = new Random(4);
    const lines: string[] = [];
    for (const row of ISA) {
      if (row.length === 2) lines.push('.option rvc');
      for (let round = 0; round < 40; round++) {
        const text = rowText(row, randomOperands(random, row));
        if (!UNWRITABLE.test(text) && !NEWER_CSRS.test(text)) lines.push(text);
      }
      if (row.length === 2) lines.push('.option norvc');
    }
    expectSame(lines.join('\n'));
  });

  it('agree on every pseudo-instruction', () => {
    // GNU as wants pause's extension named, and writes other bits for `unimp` next to compressed code.
    const lines = PSEUDOS.filter(({ name }) => name !== 'pause').map(pseudoText);
    expectSame(['near: .equ five, 5', ...lines, '.data', 'thing: .word 1'].join('\n'));
  });

  it('agree on li', () => {
    const random = new Random(5);
    const edges = [
      0, 1, -1, 2047, 2048, -2048, -2049, 4096, 0x7ff, 0x800, 0xfff, 0x1000, 0x7fffffff, 0x80000000,
      -0x80000000, 0xffffffff, 0xfffff800, 0xfffff7ff, 0x7ffff800, 0x12345000,
    ];
    const values = [...edges, ...Array.from({ length: 200 }, () => random.word() >> random.between(0, 31))];
    expectSame(values.map((value) => `li a0, ${value}`).join('\n'));
  });

  it('agree on expressions', () => {
    const random = new Random(6);
    const lines = Array.from({ length: 500 }, () => `.8byte ${randomExpression(random, 4)}`);
    expectSame(['.equ three, 3', ...lines].join('\n'));
  });

  it.each(PROGRAMS)('agree on %s', (_, text) => expectSame(text));

  const guests = new URL('../../kernel-lib/guests/', import.meta.url);
  it.each(readdirSync(guests).filter((name) => name.endsWith('.s')))('agree on the guest %s', (name) => {
    expectSame(readFileSync(new URL(name, guests), 'utf8'));
  });
});

/** What GNU as before 2.41 cannot write: a fence without accesses, and hints (compressed shifts by 0). */
const UNWRITABLE = /^fence .*\b0\b|^c\.(slli|srli|srai) .* 0$/;

/** An instruction as text. Targets are relative: GNU as would make two instructions for an absolute one. */
function rowText(row: Row, operands: Partial<Operands>): string {
  const text = disassemble(encode(row, operands), 0, { aliases: false });
  const hasTarget = row.format.fields.some((field) => field.kind === 'offset');
  return hasTarget ? text.replace(/0x[0-9a-f]+$/, `. + ${operands.imm}`) : text;
}

/** A pseudo-instruction with plausible operands. */
function pseudoText({ name, slots }: (typeof PSEUDOS)[number], index: number): string {
  const register = (salt: number) => ABI_NAMES[5 + ((index * 7 + salt * 3) % 20)];
  const operand = (slot: string, salt: number) => {
    if (/^r[dst]$/.test(slot)) return register(salt);
    if (slot === 'csr') return 'sscratch';
    if (slot === 'target') return 'near';
    return slot === 'symbol' ? 'thing' : 'five + 4';
  };
  const written = slots.map((slot, salt) =>
    slot.form === 'memory'
      ? `${operand(slot.name ?? '', salt)}(${register(salt)})`
      : operand(slot.name ?? '', salt),
  );
  return `${name} ${written.join(', ')}`;
}

const BINARY = [
  '+',
  '-',
  '*',
  '&',
  '|',
  '^',
  '!',
  '<<',
  '>>',
  '==',
  '!=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  '&&',
  '||',
];

/** Division only by what isn't 0, shifts only by what a word has. */
function randomExpression(random: Random, depth: number): string {
  const kind = random.between(0, depth > 0 ? 6 : 1);
  if (kind <= 1)
    return random.pick(['0', '1', '7', '0x1f', '0b101', '017', "'a'", 'three', '1000', '2147483647']);
  const left = randomExpression(random, depth - 1);
  if (kind === 2) return `(${left})`;
  if (kind === 3) return `${random.pick(['-', '~'])}${left}`;
  const operator = random.pick([...BINARY, '/', '%']);
  if ('/%<<>>'.includes(operator) && !'<>'.includes(operator))
    return `${left} ${operator} ${random.between(1, 20)}`;
  return `${left} ${operator} ${randomExpression(random, depth - 1)}`;
}

/** What is compared, and the text. */
const PROGRAMS: [string, string][] = [
  [
    'labels and branches',
    `
start:  beq a0, a1, end; bne a0, a1, start
        jal end
        j   start
1:      addi a0, a0, -1
        bnez a0, 1b
        beqz a0, 1f
        j 1b
1:      nop; 2: j 2b; j 2f; 2:
        .word end - start, 1b - start, . - start, .
end:    call start; tail end; la a0, end; la a1, start + 8`,
  ],
  [
    'data',
    `
        .data
        .byte 1, -1, 255, 'a, '\\n', 'b'
        .half 1, -1, 0xffff
        .byte 3
        .word 0x12345678, -1, 0xffffffff, label, label + 4
        .dword 0x123456789abcdef0, -1
        .ascii "abc", "d\\n\\t\\\\\\"\\101\\x41"
        .asciz "one" ; .string "two", "three"
label:  .space 5 ; .skip 3, 7 ; .zero 2
        .fill 3, 2, 0x1234 ; .fill 2, 4, -1 ; .fill 4
        .ascii "a # b // c /* d */ ; e"`,
  ],
  [
    'alignment',
    `
        nop
        .byte 1, 2, 3 ; .align 3 ; nop
        .byte 1, 2, 3, 4, 5, 6, 7 ; .p2align 4 ; nop
        .byte 1, 2, 3 ; .balign 16 ; nop
        .half 1 ; .balign 8, 0xff
        .data
        .byte 1 ; .align 3 ; .word 1 ; .balign 32, 1 ; .word 2 ; .balign 64, 0, 3 ; .word 3`,
  ],
  [
    'sections',
    `
        .section .rodata
a:      .asciz "text"
        .text
        la a0, a ; la a1, b ; la a2, c
        .section .data, "aw", @progbits
b:      .word a, b, c
        .section .bss
c:      .space 100
        .previous
        .word 5
        .pushsection .text
        lw a0, b ; sw a0, c, t0
        .popsection
        .word 6`,
  ],
  [
    'relocations',
    `
        lui a0, %hi(label) ; addi a0, a0, %lo(label)
        lw a1, %lo(label)(a0) ; sw a1, %lo(label + 4)(a0)
1:      auipc a0, %pcrel_hi(label) ; addi a0, a0, %pcrel_lo(1b)
2:      auipc a0, %pcrel_hi(label+8) ; nop ; sw a1, %pcrel_lo(2b)(a0) ; lw a1, %pcrel_lo(2b)(a0)
        .equ CONSTANT, 0x12345fff
        lui a0, %hi(CONSTANT) ; addi a0, a0, %lo(CONSTANT)
        .data
        .space 0x900
label:  .word 1`,
  ],
  [
    '.equ and .set',
    `
        .equ A, 5 ; .set B, A * 2 ; C = B + 1 ; D = C << 2 | 1
        li a0, A ; addi a1, a1, B ; li a2, D
        .set A, 6 ; li a0, A
        .word A, B, C, D, E
        E = 77
        .set here, . ; .word here, here + 4
        .set size, last - first
first:  .word 1, 2
last:   .word size`,
  ],
  [
    'macros',
    `
        .macro push register, offset=0
        addi sp, sp, -4
        sw \\register, \\offset(sp)
        .endm
        .macro twice what:vararg
        \\what
        \\what
        .endm
        .macro unique
l\\@:   j l\\@
        .endm
        .macro outer x
        .macro inner\\x y
        li \\y, \\x
        .endm
        .endm
        .macro glue a, b
\\a\\()_\\b: .word \\a\\()_\\b
        .endm
        push a0 ; push a1, 8 ; push offset=4, register=a2
        twice addi a0, a0, 1
        unique ; unique
        outer 3 ; inner3 a0
        glue one, two ; glue three four`,
  ],
  [
    'repetition',
    `
        .rept 3
        .word 1
        .rept 2
        .byte 2
        .endr
        .endr
        .byte 1 ; .align 3
        .irp reg, a0, a1, s0
        addi \\reg, \\reg, 1
        .endr
        .irpc digit, 0123
        .byte \\digit
        .endr
        .set i, 0
        .rept 5
        .byte i
        .set i, i + 1
        .endr`,
  ],
  [
    'conditions',
    `
        .set X, 3
        .if X == 3 ; .word 1 ; .else ; .word 2 ; .endif
        .if X == 4 ; .word 1 ; .elseif X == 3 ; .word 3 ; .else ; .word 2 ; .endif
        .ifdef X ; .word 4 ; .endif
        .ifndef X ; .word 5 ; .else ; .word 6 ; .endif
        .if 0 ; .if 1 ; .word 7 ; .else ; .word 8 ; .endif ; garbage here ; .else ; .word 9 ; .endif
        .ifeq X - 3 ; .word 10 ; .endif
        .ifgt X ; .word 11 ; .endif
        .iflt X ; .word 12 ; .endif
        .macro opt x
        .ifb \\x ; .word 13 ; .else ; .word \\x ; .endif
        .ifc \\x, abc ; .word 14 ; .endif
        .endm
        opt ; opt 5
        .macro countdown n
        .word \\n
        .if \\n ; countdown (\\n - 1) ; .endif
        .endm
        countdown 3
        .if . - X2 == 4 ; .word 15 ; .endif
        X2:`.replace(
      '        .if . - X2 == 4 ; .word 15 ; .endif\n        X2:',
      'X2: .word 1\n        .if . - X2 == 4 ; .word 15 ; .endif',
    ),
  ],
  [
    'comments',
    `
        nop # one
        /* two
           lines */ nop /* x */ ; nop
        li a0, '#' ; li a1, ';' ; li a2, '"' # "
        .ascii "#;/*" # */
`,
  ],
  [
    'memory operands',
    `
        lw a0, (a1) ; lw a0, 4 + 4(a1) ; lw a0, -(4)(a1) ; sw a0, (4)(a1) ; lw a0, 0x7ff(sp)
        jalr a0, (a1) ; jalr (a1) ; jr 8(a0) ; lb t0, 'a'(t1)
        addi a0, a0, 0xffffffff
        fence rw, rw ; fence iorw, w ; fence r, rw ; fence.i
        csrrw a0, 0x300, a1 ; csrrwi zero, sie, 31 ; csrw satp, 5 ; csrr a0, time`,
  ],
];
