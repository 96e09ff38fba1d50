/** What the assembler gives besides the bytes that GNU as would: places, names, lines, the tag. */
import { describe, expect, it } from 'vitest';
import { asm, assemble } from '../../kernel-lib/code/assemble';
import { disassemble, listing } from '../../kernel-lib/code/disassemble';
import { bytesAt } from '../../kernel-lib/code/program';

/** The text of the words of a program's first segment. */
function textOf(program: ReturnType<typeof assemble>): string[] {
  const [{ bytes, address }] = program.segments;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: bytes.length / 4 }, (_, index) =>
    disassemble(view.getInt32(4 * index, true), address + 4 * index, { symbols: program.labels }),
  );
}

describe('a program', () => {
  it('has its sections one behind the other: code, constants, data, zeros', () => {
    const { segments } = assemble(`
      .bss
      .space 10
      .data
      .word 1
      .text
      nop
      .section .rodata.text
      .asciz "a"
      .balign 64
      .section .text.late, "ax"
      nop`);
    expect(segments.map(({ name, address, size }) => [name, address, size])).toEqual([
      ['.text', 0x80400000, 4],
      ['.text.late', 0x80400004, 4],
      ['.rodata.text', 0x80400040, 64],
      ['.data', 0x80400080, 4],
      ['.bss', 0x80400084, 10],
    ]);
    expect(segments.map(({ executable, writable }) => [executable, writable])).toEqual([
      [true, false],
      [true, false],
      [false, false],
      [false, true],
      [false, true],
    ]);
    expect(segments[4].bytes.length).toBe(0);
  });

  it('starts at _start, or where it begins', () => {
    expect(assemble('nop\n_start: nop').entry).toBe(0x80400004);
    expect(assemble('nop', { origin: 0x80000000 }).entry).toBe(0x80000000);
    expect(assemble('').segments).toEqual([]);
  });

  it('knows its names', () => {
    const program = assemble('.globl a\n.equ k, -1\na: nop\nb: .word _end - a, _etext');
    expect(Object.fromEntries(program.symbols)).toEqual({ k: 0xffffffff, a: 0x80400000, b: 0x80400004 });
    expect([...program.labels.keys()]).toEqual(['a', 'b']);
    expect([...program.globals]).toEqual(['a']);
    expect(bytesAt(program, 0x80400004, 8)).toEqual(new Uint8Array([12, 0, 0, 0, 12, 0, 0x40, 0x80]));
    expect(bytesAt(program, 0x80400008, 5)).toBeUndefined();
  });

  it('knows the lines of its addresses', () => {
    const { lines } = assemble('  nop\n  la a0, x # where\n.macro m r\n  li \\r, 1\n.endm\nx: m a1', {
      file: 'a.s',
    });
    expect([...lines]).toEqual([
      [0x80400000, { file: 'a.s', line: 1, text: '  nop', bytes: 4 }],
      [0x80400004, { file: 'a.s', line: 2, text: '  la a0, x # where', bytes: 4 }],
      [0x80400008, { file: 'a.s', line: 2, text: '  la a0, x # where', bytes: 4 }],
      [0x8040000c, { file: 'a.s', line: 4, text: '  li a1, 1', bytes: 4 }],
    ]);
  });

  it('is listed with addresses, words and lines', () => {
    expect(listing(assemble('start: la a0, text\n  beqz a0, start\n.rodata\ntext: .asciz "hi"'))).toBe(
      [
        'start:',
        '  0x80400000  00000517  auipc a0, 0x0                     # 1: start: la a0, text',
        '  0x80400004  00c50513  addi a0, a0, 12',
        '  0x80400008  fe050ce3  beqz a0, start                    # 2: beqz a0, start',
        'text:',
        '  0x8040000c  686900    hi.                               # 4: text: .asciz "hi"',
      ].join('\n'),
    );
  });

  it('may use names before they are defined, whatever size that makes', () => {
    const program = assemble(
      'li a0, late\nli a1, near\nli a2, end - start\nj end\n.equ late, 0x12345678\n.equ near, 5\nstart: nop\nend:',
    );
    expect(textOf(program)).toEqual([
      'lui a0, 0x12345',
      'addi a0, a0, 1656',
      'li a1, 5',
      'li a2, 4',
      'j end',
      'nop',
    ]);
  });

  it('reads li of a label', () => {
    expect(textOf(assemble('li a0, x\nx: nop'))).toEqual(['lui a0, 0x80400', 'addi a0, a0, 8', 'nop']);
  });
});

describe('asm', () => {
  it('puts numbers and texts in', () => {
    const program = asm`
      li a0, ${-5}
      ${'mv'} a1, ${'a0'}
      .equ N, ${0xffffffffn}`;
    expect(textOf(program)).toEqual(['li a0, -5', 'mv a1, a0']);
    expect(program.symbols.get('N')).toBe(0xffffffff);
  });

  it('leaves backslashes to the assembler', () => {
    const [{ bytes }] = asm`
      .macro text what
      .asciz "\what\n"
      .endm
      text hi`.segments;
    expect([...bytes]).toEqual([...new TextEncoder().encode('hi\n\0')]);
  });

  it('takes nothing but integers and texts', () => {
    expect(() => asm`li a0, ${0.5}`).toThrow(TypeError);
    expect(() => asm`li a0, ${{} as unknown as string}`).toThrow('neither an integer nor a text');
  });
});

describe('disassemble', () => {
  it('says what is no instruction', () => {
    expect(disassemble(-1)).toBe('.word 0xffffffff');
    expect(disassemble(0)).toBe('.half 0x0000');
  });

  it('writes without aliases what the machine has', () => {
    const ret = asm`ret`.segments[0].bytes;
    const word = new DataView(ret.buffer).getInt32(0, true);
    expect(disassemble(word)).toBe('ret');
    expect(disassemble(word, 0, { aliases: false })).toBe('jalr zero, 0(ra)');
  });
});

it('.org counts from the begin of its own section, whatever comes behind it', () => {
  const program = assemble('_start: la a0, x\n .org 0x20\n nop\n .data\n .byte 1\n .org 8\nx: .word 7');
  const [code, data] = program.segments;
  expect([code.bytes.length, data.bytes.length]).toEqual([0x24, 12]);
  expect(program.symbols.get('x')).toBe(data.address + 8);
});
