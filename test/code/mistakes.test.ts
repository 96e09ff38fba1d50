/** What the assembler says about mistakes: every message, with its line, column and caret. */
import { describe, expect, it } from 'vitest';
import { AssemblyError, type AssemblyProblem, assemble } from '../../kernel-lib/code/assemble';

function problemsOf(text: string): readonly AssemblyProblem[] {
  try {
    assemble(text, { file: 'a.s' });
  } catch (error) {
    if (error instanceof AssemblyError) return error.problems;
    throw error;
  }
  return [];
}

/** `line:column message` of each problem. */
const messages = (text: string) =>
  problemsOf(text).map(({ line, column, message }) => `${line}:${column} ${message}`);

const LONG_BRANCH = `        beq a0, a1, far
        .space 5000
far:    nop`;

/** What is wrong, the text, and what is said. */
const MISTAKES: [string, string, string[]][] = [
  [
    'a misspelt instruction',
    'adi a0, a0, 1',
    ['1:1 There is no instruction called `adi`. Did you mean `addi`?'],
  ],
  [
    'exchanged letters',
    'start: mvr a0, a1',
    ['1:8 There is no instruction called `mvr`. Did you mean `mv`?'],
  ],
  [
    'capital letters',
    'ADDI a0, a0, 1',
    ['1:1 There is no instruction called `ADDI`. Write it in small letters: `addi`.'],
  ],
  ['nothing like an instruction', 'frobnicate a0', ['1:1 There is no instruction called `frobnicate`.']],
  [
    'a misspelt macro',
    '.macro frobnicate\nnop\n.endm\nfrobnicat',
    ['4:1 There is no instruction and no macro called `frobnicat`. Did you mean `frobnicate`?'],
  ],
  ['a misspelt register', 'addi a0, a9, 1', ['1:10 There is no register called `a9`. Did you mean `a0`?']],
  [
    'a number for a register',
    'sub a0, a1, 5',
    ['1:13 `5` is not a register. In `sub rd, rs1, rs2`, rs2 is a register, for example `a0`.'],
  ],
  [
    'a register for a number',
    'addi a0, a0, a1',
    ['1:14 `addi` needs a number here, and `a1` is a register. For a register there is `add`.'],
  ],
  [
    'a register in an expression',
    '.word 1 + a0',
    ['1:11 `a0` is a register; a number or a label should stand here.'],
  ],
  [
    'too few operands',
    'sub a0, a1',
    ['1:1 `sub` takes 3 operands, but here there are 2. It is written `sub rd, rs1, rs2`.'],
  ],
  [
    'too many operands',
    'sub a0, a1, a2, a3',
    ['1:17 `sub` takes 3 operands, but here there are 4. It is written `sub rd, rs1, rs2`.'],
  ],
  [
    'operands for none',
    'ecall a0',
    ['1:7 `ecall` takes no operands, but here there is 1. It is written `ecall`.'],
  ],
  ['no operands', 'mv', ['1:1 `mv` takes 2 operands, but here there is none. It is written `mv rd, rs`.']],
  [
    'an empty operand',
    'sub a0, , a1',
    ['1:1 An operand is empty here. `sub` is written `sub rd, rs1, rs2`.'],
  ],
  [
    'no address',
    'lw a0, a1',
    ['1:8 Here `lw` needs an address of the form `imm(rs1)`, for example `8(a0)`.'],
  ],
  [
    'a number too large',
    'addi a0, a0, 2048',
    [
      '1:14 2048 does not fit: `addi` takes -2048 to 2047 here. Put the number into a register with `li` and use `add`.',
    ],
  ],
  [
    'an offset too small',
    'lw a0, -2049(a1)',
    [
      '1:8 -2049 does not fit: `lw` takes -2048 to 2047 here. Put the address into a register with `li` or `la` first.',
    ],
  ],
  ['a shift too far', 'slli a0, a0, 32', ['1:14 32 does not fit: `slli` takes 0 to 31 here.']],
  [
    'an upper number too large',
    'lui a0, 0x100000',
    [
      '1:9 1048576 does not fit: `lui` takes 0 to 1048575 (0xfffff), the upper 20 bits. Use `%hi(…)`, or let `li` do it.',
    ],
  ],
  [
    'a number of more than 32 bits',
    'li a0, 0x100000000',
    ['1:8 4294967296 does not fit into a register: 32 bits hold -2147483648 to 4294967295.'],
  ],
  ['an unknown CSR', 'csrr a0, sstatsu', ['1:10 There is no CSR called `sstatsu`. Did you mean `sstatus`?']],
  ['an impossible CSR', 'csrr a0, 4096', ['1:10 There is no CSR number 4096: they go from 0 to 0xfff.']],
  [
    'a fence of nothing known',
    'fence rx, w',
    ['1:7 Here stands which accesses are ordered: letters of `iorw`, in this order, for example `rw`.'],
  ],
  [
    'a branch too far',
    LONG_BRANCH,
    [
      '1:21 This is 5004 bytes away, but `beq` only reaches -4096 to 4094. Branch around a jump: test the opposite, and put `j` to the far place behind it.',
    ],
  ],
  [
    'a jump too far',
    'j far\n.space 0x200000\nfar:',
    [
      '1:3 This is 2097156 bytes away, but `jal` only reaches -1048576 to 1048574. Use `call` or `tail`, which reach everything.',
    ],
  ],
  [
    'a jump to an odd address',
    'j . + 3',
    ['1:3 This is 3 bytes away, but `jal` can only go to even addresses.'],
  ],
  [
    'a duplicate label',
    'loop: nop\nnop\nloop: nop',
    ['3:1 `loop` is already defined on line 1. Give one of them another name.'],
  ],
  ['a label as .equ', 'x: nop\n.equ x, 5', ['2:6 `x` is already defined as a label on line 1.']],
  [
    'an undefined label',
    'strat: nop\nj start\nj start',
    ['2:3 `start` is not defined anywhere. Did you mean `strat`?'],
  ],
  [
    'an undefined local label',
    '1: j 2f\nj 3b',
    [
      '1:6 There is no label `2:` below this line. (`2b` means the last one above.)',
      '2:3 There is no label `3:` above this line. (`3f` means the next one below.)',
    ],
  ],
  [
    'a bad name for a label',
    '"x": nop',
    [
      '1:1 `"x"` is no name for a label. Names have letters, digits, `_`, `.` and `$`, and don\'t begin with a digit.',
    ],
  ],
  ['a misspelt directive', '.wrod 5', ['1:1 There is no directive called `.wrod`. Did you mean `.word`?']],
  ['a byte too large', '.byte 256', ['1:7 256 does not fit: `.byte` holds -128 to 255.']],
  [
    'an unknown escape',
    '.asciz "a\\q"',
    [
      '1:10 `\\q` is not an escape. There are \\n \\t \\r \\b \\f \\\\ \\" \\x41 (hexadecimal) and \\101 (octal).',
    ],
  ],
  ['an open string', '.asciz "abc', ['1:8 This string has no closing `"`.']],
  ['a word for a string', '.asciz abc', ['1:8 Here a string should stand, in double quotes.']],
  [
    'a string for a number',
    '.word "abc"',
    ["1:7 A string cannot stand here. For one character write it like this: `'a'`."],
  ],
  ['an open bracket', '.word (1 + 2', ['1:7 This `(` has no `)`.']],
  [
    'a missing operator',
    '.word 1 2',
    ["1:9 I don't understand `2` here. Is an operator or a comma missing before it?"],
  ],
  ['a missing number', '.word 1 +', ['1:9 The expression ends too early.']],
  ['an operator alone', '.word * 2', ['1:7 A number or a label should stand here, not `*`.']],
  ['division by zero', '.word 1 / (2 - 2)', ['1:9 This divides by zero.']],
  [
    'a bad number',
    '.word 0xzz',
    ['1:7 `0xzz` is not a number. Numbers are written like 42, 0x2a, 0b101010 or 052.'],
  ],
  [
    'a bad octal number',
    '.word 089',
    ['1:7 `089` starts with 0 and would be octal, which has no 8 and 9. Leave the 0 out.'],
  ],
  ['a strange letter', '.word ä', ['1:7 The character `ä` has no meaning here.']],
  [
    'an unknown relocation',
    'lui a0, %hy(x)',
    ['1:9 There is no `%hy`. There are %hi, %lo, %pcrel_hi, %pcrel_lo. Did you mean `%hi`?'],
  ],
  [
    '%pcrel_lo of something else',
    'x: addi a0, a0, %pcrel_lo(x)',
    [
      '1:17 `%pcrel_lo` needs the label of an `auipc` with `%pcrel_hi`: `1: auipc a0, %pcrel_hi(x)` and then `%pcrel_lo(1b)`.',
    ],
  ],
  ['.equ of itself', '.equ a, b\n.equ b, a\n.word a', ['2:6 `b` is defined by itself.']],
  ['.equ without a value', '.equ a', ['1:1 `.equ` is written `.equ name, value`.']],
  [
    'a huge .space',
    '.space 0x70000000',
    ['1:8 1879048192 bytes is not a size: it must be from 0 to 16777216.'],
  ],
  ['a negative .space', '.space -1', ['1:8 -1 bytes is not a size: it must be from 0 to 16777216.']],
  [
    'many huge .space',
    '.space 0x900000\n.space 0x900000',
    ['2:1 The program is too large: this makes it more than 16 MiB.'],
  ],
  [
    'a .space that settles too large',
    '.space x\n.space x\n.equ x, 0x900000\n',
    ['2:1 The program is too large: 18874368 bytes, and 16777216 is the limit.'],
  ],
  [
    'a .space without an end',
    '.space end\nend:',
    ['1:8 2151677952 bytes is not a size: it must be from 0 to 16777216.'],
  ],
  [
    'sizes that never settle',
    'a: .space 8 - (b - a)\nb:',
    ['1:4 The sizes here never settle: something is as long as a label says that moves when it grows.'],
  ],
  [
    'a huge .rept',
    '.rept 1000000000\nnop\n.endr',
    ['1:7 The number of repetitions is 1000000000; it must be from 0 to 200000.'],
  ],
  ['a .rept without an end', '.rept 3\nnop', ['1:1 This `.rept` has no `.endr`.']],
  [
    'a .rept of something below',
    '.rept n\nnop\n.endr\n.equ n, 3',
    [
      '1:7 The number of repetitions must be known here, but it needs `n`, which is not defined above this line.',
    ],
  ],
  ['a macro without an end', 'nop\n.macro m\nnop', ['2:1 This `.macro` has no `.endm`.']],
  ['an end without a macro', '.endm', ['1:1 There is no `.macro` for this `.endm`.']],
  [
    'a macro without a name',
    '.macro\n.endm',
    ['1:1 A macro needs a name: `.macro name argument, argument`.'],
  ],
  [
    'a macro twice',
    '.macro m\n.endm\n.macro m\n.endm',
    ['3:1 There already is a macro called `m`. `.purgem m` removes it.'],
  ],
  ['an argument twice', '.macro m x, x\n.endm', ['1:1 The macro has two arguments called `x`.']],
  ['too many arguments', '.macro m x\n.endm\nm 1, 2', ['3:1 The macro `m` takes 1 (x), but here are 2.']],
  [
    'a missing argument',
    '.macro m x:req\n.endm\nm',
    ['3:1 The macro `m` cannot do without the argument `x`.'],
  ],
  [
    'an unknown argument',
    '.macro m x\nli a0, \\y\n.endm\nm 1',
    [
      '2:8 A `\\` stands here; it has a meaning only in strings and, before the name of an argument, in macros.',
    ],
  ],
  ['an .if without an end', '.if 1\nnop', ['1:1 This condition has no `.endif`.']],
  ['an .endif without an .if', '.endif', ['1:1 There is no `.if` for this `.endif`.']],
  ['an .else without an .if', '.else', ['1:1 There is no `.if` for this `.else`.']],
  ['a comment without an end', 'nop\n  /* abc', ['2:3 This comment has no end: `*/` is missing.']],
  [
    'a nonsensical statement',
    '(a0)',
    ['1:1 A statement begins with a label, an instruction or a directive, not with `(`.'],
  ],
  ['setting the place', '. = 5', ['1:1 `.` cannot be set. `.org` and `.space` move it.']],
  ['data among zeros', '.bss\n.word 5', ['2:7 `.bss` holds only zeros. Put this into `.data` or `.text`.']],
  ['a bad alignment', '.balign 3', ['1:9 3 is not a power of two.']],
  [
    'a register that 16 bits cannot name',
    'c.lw t0, 0(a0)',
    ['1:6 `c.lw` can only name s0 to a5 (x8 to x15) here.'],
  ],
  [
    'another register than the only one',
    'c.lwsp a0, 8(a1)',
    ['1:14 `c.lwsp` works with `sp` only, not with `a1`.'],
  ],
  [
    'a register that means something else',
    'c.addi zero, 1',
    ['1:8 `c.addi` does not work with `zero` here.'],
  ],
  ['a number that means something else', 'c.addi16sp sp, 0', ['1:16 `c.addi16sp` does not take 0 here.']],
  ['no multiple of four', 'c.lw a0, 6(a0)', ['1:10 6 does not fit: `c.lw` takes multiples of 4 here.']],
  [
    'an upper number too large for 16 bits',
    'c.lui a0, 32',
    ['1:11 32 does not fit: `c.lui` takes 1 to 31 and 0xfffe0 to 0xfffff. Use `lui`.'],
  ],
  ['an offset where there is none', 'lr.w a0, 4(a1)', ['1:10 `lr.w` takes no offset: write `(a1)`.']],
  [
    'a register for an address',
    'amoadd.w a0, a1, a2',
    ['1:18 Here `amoadd.w` needs an address of the form `(rs1)`, for example `(a0)`.'],
  ],
  ['.popsection too often', '.popsection', ['1:1 There is no `.pushsection` for this `.popsection`.']],
  ['.error', '.if 1 ; .error "wrong machine" ; .endif', ['1:9 wrong machine']],
];

describe('mistakes', () => {
  it.each(MISTAKES)('%s', (_, text, expected) => {
    expect(messages(text)).toEqual(expected);
  });

  it('are all reported together, in the order of lines, with a caret under the place', () => {
    const text = 'start:  adi a0, a0, 1\n\tlw\ta0, 8(a9)  # comment\n        j nowhere';
    expect(() => assemble(text, { file: 'hello.s' })).toThrow(
      [
        'hello.s:1:9: There is no instruction called `adi`. Did you mean `addi`?',
        '   1 | start:  adi a0, a0, 1',
        '     |         ^~~',
        '',
        'hello.s:2:11: There is no register called `a9`. Did you mean `a0`?',
        '   2 | \tlw\ta0, 8(a9)  # comment',
        '     | \t  \t      ^~',
        '',
        'hello.s:3:11: `nowhere` is not defined anywhere.',
        '   3 |         j nowhere',
        '     |           ^~~~~~~',
      ].join('\n'),
    );
  });

  it('in a macro show where it was used', () => {
    const [{ excerpt, line, column }] = problemsOf(
      '.macro add5 register\n  addi \\register, 5\n.endm\nnop\nadd5 a0',
    );
    expect([line, column]).toEqual([2, 3]);
    expect(excerpt).toBe(
      ['   2 |   addi a0, 5', '     |   ^~~~~~~~~~', '     | in macro `add5`, used on line 5'].join('\n'),
    );
  });

  it('a macro that uses itself comes to an end', () => {
    expect(messages('.macro m\nm\n.endm\nm')).toEqual([
      '2:1 Macros are nested more than 100 deep here. Does one use itself without end?',
    ]);
    expect(messages('.macro m x\nm \\x\\x\\x\\x\n.endm\nm aaaaaaaaaa')).toEqual([
      '2:1 macro `m` makes a line of more than 10000 letters.',
    ]);
    expect(messages('.macro m\n.rept 100\nm\n.endr\n.endm\nm')[0]).toMatch(
      /nested more than 100 deep|make more than/,
    );
  });

  it('of a long line show the part around the place', () => {
    const [{ excerpt, column }] = problemsOf(`${'nop;'.repeat(500)} adi a0, a0, 1`);
    expect(column).toBe(2002);
    const [shown, caret] = excerpt.split('\n');
    expect(shown.slice(caret.indexOf('^'))).toMatch(/^adi/);
    expect(shown.length).toBeLessThan(200);
  });

  it('stop after fifty', () => {
    expect(problemsOf('x\n'.repeat(1000)).length).toBe(50);
  });

  it('of callers throw too', () => {
    expect(() => assemble('nop', { origin: 2 })).toThrow(RangeError);
    expect(() => assemble('nop\n.space 100', { origin: 0xfffffff0 })).toThrow('goes beyond the last address');
  });
});
