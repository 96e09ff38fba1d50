/** Laws of all rows: they don't overlap, and encoding, decoding, text are ways there and back. */
import { describe, expect, it } from 'vitest';
import { assemble } from '../../kernel-lib/code/assemble';
import { decode } from '../../kernel-lib/code/decode';
import { disassemble } from '../../kernel-lib/code/disassemble';
import { encode } from '../../kernel-lib/code/encode';
import { ISA } from '../../kernel-lib/isa/isa';
import { Random, randomOperands, rowBytes } from './random';

const ROUNDS = 50;

describe('rows', () => {
  it('do not overlap: no word is two instructions, unless a row says more bits than the other', () => {
    const pairs: string[] = [];
    ISA.forEach((a, index) => {
      for (const b of ISA.slice(index + 1)) {
        const common = a.mask & b.mask;
        const meet = (a.match & common) === (b.match & common) && rowBytes(a) === rowBytes(b);
        if (meet) pairs.push(`${a.name} ${b.name}`);
      }
    });
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
