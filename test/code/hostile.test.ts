/** Whatever the text or the bytes: a program, or the one error that says what is wrong. Never a hang. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AssemblyError, assemble } from '../../kernel-lib/code/assemble';
import { MNEMONICS } from '../../kernel-lib/code/assembly/instructions';
import { decode } from '../../kernel-lib/code/decode';
import { disassemble } from '../../kernel-lib/code/disassemble';
import { ElfError, readElf, toElf } from '../../kernel-lib/code/elf';
import { Random } from './random';

/** Assembles; returns whether it went well. Anything but an AssemblyError fails the test. */
function survives(text: string): boolean {
  try {
    assemble(text);
    return true;
  } catch (error) {
    if (!(error instanceof AssemblyError))
      throw new Error(`${String(error)} for ${JSON.stringify(text.slice(0, 2000))}`, { cause: error });
    expect(error.problems.length).toBeGreaterThan(0);
    expect(error.message).not.toBe('');
    return false;
  }
}

const guests = new URL('../../kernel-lib/guests/', import.meta.url);
const sources = readdirSync(guests)
  .filter((name) => name.endsWith('.s'))
  .map((name) => readFileSync(new URL(name, guests), 'utf8'));

const WORDS = [
  ...MNEMONICS,
  'a0',
  'sp',
  'x31',
  '(',
  ')',
  ',',
  ':',
  ';',
  '\n',
  '\n',
  '\n',
  '"',
  "'",
  '\\',
  '\\x',
  '\\@',
  '%hi',
  '%pcrel_lo',
  '-',
  '+',
  '*',
  '<<',
  '0',
  '1',
  '1b',
  '1f',
  '1:',
  '0x7fffffff',
  '99999999999999999999',
  '.',
  '.word',
  '.space',
  '.align',
  '.rept',
  '.endr',
  '.macro',
  'm',
  '.endm',
  '.if',
  '.else',
  '.endif',
  '.equ',
  'x',
  '=',
  '.section',
  '.bss',
  '.text',
  '.irp',
  '.irpc',
  '.fill',
  '.org',
  '.comm',
  '.ascii',
  '/*',
  '*/',
  '#',
  '//',
  'sstatus',
  'é',
  '\0',
  '\u{1f600}',
  '$',
  '@',
  '.exitm',
  '.purgem',
  '.popsection',
  '.pushsection',
  '.previous',
  '.ifdef',
  '.elseif',
  'x:',
  '.set',
  '.byte',
];

describe('hostile texts', () => {
  it('of random letters', () => {
    const random = new Random(11);
    for (let round = 0; round < 3000; round++) {
      const length = random.between(0, 200);
      survives(String.fromCharCode(...Array.from({ length }, () => random.between(1, 127))));
    }
  });

  it('of random words', () => {
    const random = new Random(12);
    let good = 0;
    for (let round = 0; round < 4000; round++) {
      const count = random.between(1, 40);
      if (survives(Array.from({ length: count }, () => random.pick(WORDS)).join(random.pick([' ', '', ' ']))))
        good++;
    }
    expect(good).toBeGreaterThan(0);
  });

  it('that were programs before they were damaged', () => {
    const random = new Random(13);
    for (let round = 0; round < 600; round++) {
      let text = random.pick(sources);
      for (let edit = random.between(1, 4); edit > 0; edit--) {
        const at = random.between(0, text.length);
        text = text.slice(0, at) + random.pick(WORDS) + text.slice(at + random.between(0, 8));
      }
      survives(text);
    }
  });

  const many = (count: number, text: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => text(index)).join('\n');

  it.each<[string, string]>([
    ['deep brackets', `.word ${'('.repeat(50_000)}`],
    ['deep signs', `.word ${'-'.repeat(50_000)}1`],
    ['a long sum', `.word ${'1+'.repeat(50_000)}1`],
    ['many labels on a line', 'a:'.repeat(50_000)],
    ['many local labels', '1:'.repeat(50_000)],
    ['a long string', `.ascii "${'a'.repeat(1_000_000)}"`],
    ['a long open string', `.ascii "${'\\'.repeat(1_000_000)}`],
    ['a long number', `.word ${'9'.repeat(1_000_000)}`],
    ['a long local label', `j ${'9'.repeat(1_000_000)}f`],
    ['a long name', `j ${'a'.repeat(1_000_000)}`],
    ['a long line of blanks', `nop${' '.repeat(1_000_000)}x`],
    ['many statements on a line', 'nop;'.repeat(20_000)],
    ['a text too long', ' '.repeat(5_000_000)],
    ['a chain of .equ', many(5000, (index) => `.equ a${index}, a${index + 1} + 1`)],
    [
      '.equ that doubles',
      `${many(60, (index) => `.equ a${index}, a${index + 1} + a${index + 1}`)}\na60: .word a0`,
    ],
    ['.set that grows', `${many(5000, () => '.set x, x + y')}\n.word x`],
    ['.set that doubles', `${many(100, () => '.set x, x + x + y')}\n.word x`],
    ['nested .rept', `${'.rept 100000\n'.repeat(20)}${'.endr\n'.repeat(20)}`],
    ['nested .rept with code', `${'.rept 1000\n'.repeat(5)}nop\n${'.endr\n'.repeat(5)}`],
    ['macros that call each other', '.macro a\nb\n.endm\n.macro b\na\na\n.endm\na'],
    ['a macro argument that grows', '.macro m x\nm "\\x\\x"\n.endm\nm ab'],
    ['a macro argument of many blanks', `.macro m x:vararg\n.endm\nm ${'a '.repeat(4000)}`],
    ['many late .space', `${many(500, () => '.space x')}\n.equ x, 0x900000`],
    ['many alignments', many(200, () => '.byte 1\n.align 20')],
    [
      'sizes that depend on each other',
      many(200, (index) => `.space (b${(index + 1) % 200} - b0) & 7\nb${index}:`),
    ],
    ['open blocks', '.macro m\n'.repeat(5000)],
    ['open conditions', '.if 1\n'.repeat(20_000)],
    ['huge shifts', '.word 1 << 0x7fffffffffffffff, -1 >> -1'],
    [
      'names of JavaScript',
      '.word constructor, __proto__, toString\n.constructor\ntoString a0\n__proto__: nop\n.equ hasOwnProperty, 5',
    ],
  ])('%s', (_, text) => {
    survives(text);
  });
});

describe('hostile bytes', () => {
  it('as instructions are decoded or not, and shown', () => {
    const random = new Random(14);
    for (let round = 0; round < 100_000; round++) {
      const word = random.word();
      const text = disassemble(word, random.word() >>> 0);
      expect(text.startsWith('.')).toBe(decode(word) === undefined);
    }
  });

  /** Reads; anything but an ElfError fails the test. */
  function reads(bytes: Uint8Array): boolean {
    try {
      readElf(bytes);
      return true;
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
      return false;
    }
  }

  it('as ELF files are read or refused', () => {
    const random = new Random(15);
    const good = toElf(assemble(sources[0]));
    expect(reads(good)).toBe(true);
    for (let round = 0; round < 3000; round++) {
      const bytes = good.slice(0, random.between(0, 3) === 0 ? random.between(0, good.length) : good.length);
      for (let edit = random.between(1, 6); edit > 0 && bytes.length > 0; edit--) {
        // The headers are where it matters.
        const end = random.between(0, 1) === 0 ? Math.min(200, bytes.length) : bytes.length;
        bytes[random.between(0, end - 1)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.between(0, 255)]);
      }
      reads(bytes);
    }
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from({ length: random.between(0, 300) }, () => random.between(0, 255));
      if (random.between(0, 1) === 0) bytes.set(good.subarray(0, Math.min(bytes.length, 52)));
      reads(bytes);
    }
  });
});
