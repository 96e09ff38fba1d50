/** Laws of all rows: they don't overlap, and encoding, decoding, text are ways there and back. */
import { describe, expect, it } from 'vitest';
import { assemble } from '../../kernel-lib/code/assemble';
import { decode } from '../../kernel-lib/code/decode';
import { disassemble } from '../../kernel-lib/code/disassemble';
import { encode, operandProblem } from '../../kernel-lib/code/encode';
import { fieldValue, type Row } from '../../kernel-lib/isa/formats';
import { ISA } from '../../kernel-lib/isa/isa';
import { Random, randomOperands } from './random';

const ROUNDS = 50;

describe('rows', () => {
  it('do not overlap: no word of 32 bits is two instructions', () => {
    const long = ISA.filter((row) => row.length === 4);
    const pairs = long.flatMap((a, index) =>
      long
        .slice(index + 1)
        .filter((b) => ((a.match ^ b.match) & a.mask & b.mask) === 0)
        .map((b) => `${a.name} ${b.name}`),
    );
    expect(pairs).toEqual([]);
  });

  it('do not overlap: no word of 16 bits is two instructions', () => {
    const short = ISA.filter((row) => row.length === 2);
    const isIn = (row: Row, word: number) =>
      (word & row.mask) === row.match &&
      row.format.fields.every((field) => operandProblem(row, field, fieldValue(field, word)) === undefined);
    const pairs: string[] = [];
    for (let word = 0; word < 0x10000; word++) {
      const names = short.filter((row) => isIn(row, word)).map((row) => row.name);
      if (names.length > 1) pairs.push(`${word.toString(16)}: ${names.join(' ')}`);
      if ((word & 3) !== 3) expect(decode(word)?.row.name).toBe(names[0]);
    }
    expect(pairs).toEqual([]);
  });

  it.each(ISA.map((row) => [row.name, row] as const))('%s: encode, decode, encode', (_, row) => {
    const random = new Random(1);
    for (let round = 0; round < ROUNDS; round++) {
      const operands = randomOperands(random, row);
      const word = encode(row, operands);
      const back = decode(word);
      expect(back?.row.name).toBe(row.name);
      expect(back).toMatchObject(operands);
      expect(back && encode(back.row, back)).toBe(word);
    }
  });

  it.each(ISA.map((row) => [row.name, row] as const))('%s: text and back', (_, row) => {
    const random = new Random(2);
    const address = 0x80400000;
    for (let round = 0; round < ROUNDS; round++) {
      const word = encode(row, randomOperands(random, row));
      for (const aliases of [true, false]) {
        const text = disassemble(word, address, { aliases });
        const { bytes } = assemble(text, { origin: address }).segments[0];
        expect(`${text}: ${wordOf(bytes)}`).toBe(`${text}: ${word}`);
      }
    }
  });
});

/** The little-endian word in 2 or 4 bytes, as int32. */
function wordOf(bytes: Uint8Array): number {
  return bytes.reduce((word, byte, index) => word | (byte << (8 * index)), 0);
}
