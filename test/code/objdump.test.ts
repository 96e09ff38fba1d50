/** The disassembler against GNU objdump: every row with random operands, with and without aliases. */
import { describe, expect, it } from 'vitest';
import { PSEUDOS } from '../../kernel-lib/code/assembly/pseudo';
import { disassemble } from '../../kernel-lib/code/disassemble';
import { encode } from '../../kernel-lib/code/encode';
import type { Row } from '../../kernel-lib/isa/formats';
import { ISA } from '../../kernel-lib/isa/isa';
import { gnuDisassemble, hasGnu, NEWER_CSRS } from './gnu';
import { Random, randomOperand, randomOperands } from './random';

const ADDRESS = 0x80400000;
const ROUNDS = 40;

describe.skipIf(!hasGnu)('disassembler and objdump', () => {
  const words = ISA.flatMap((row) => wordsOf(row).map((word) => ({ row, word })));
  const addresses: number[] = [];
  words.reduce((address, { row }) => {
    addresses.push(address);
    return address + row.length;
  }, ADDRESS);

  it.each([true, false])('say the same, aliases: %s', (aliases) => {
    const theirs = gnuDisassemble(
      words.map(({ row, word }) => [word, row.length]),
      ADDRESS,
      aliases,
    );
    expect(theirs.length).toBe(words.length);
    const ours = words.map(({ word }, index) => disassemble(word, addresses[index], { aliases }));
    const hasTarget = (row: Row) => row.format.fields.some((field) => field.kind === 'offset');
    const shown = (text: string, index: number) => normal(text, hasTarget(words[index].row));
    const differing = ours.flatMap((text, index) =>
      UNNAMED.test(text) ||
      NEWER_CSRS.test(text) ||
      (aliases && words[index].row.length === 2) ||
      shown(text, index) === shown(theirs[index], index)
        ? []
        : [`${text} | ${theirs[index]}`],
    );
    expect(differing).toEqual([]);
  });
});

/** Random words of a row, and those that a pseudo-instruction may stand for. */
function wordsOf(row: Row): number[] {
  const random = new Random(3);
  const words = Array.from({ length: ROUNDS }, () => encode(row, randomOperands(random, row)));
  // Special registers and numbers make the aliases.
  const aliased = PSEUDOS.filter(({ steps }) => steps.length === 1 && steps[0].row === row);
  for (let round = 0; aliased.length > 0 && round < ROUNDS * 5; round++) {
    const operands = row.format.fields.map((field) => {
      const special =
        field.kind === 'register' ? [0, 1, 5] : field.kind === 'signed' ? [0, 1, -1, 255] : undefined;
      return [field.operand, special ? random.pick(special) : randomOperand(random, row, field)];
    });
    words.push(encode(row, Object.fromEntries(operands)));
  }
  return words;
}

/** Hints, for which objdump has names of its own. */
const UNNAMED = /^c\.(slli|srli|srai) .* 0$/;

/** Instructions with a number that objdump's aliases write like those with a register: `and a0,a0,1`. */
const SHORTENED = /^(add|and|or|xor|sll|srl|sra|csrr?[wsc])(?= .*,-?\d+$)/;

/** Without comments and blanks, numbers in decimal. objdump's targets are hexadecimal without 0x. */
function normal(text: string, hasTarget: boolean): string {
  const plain = text
    .replace(/\s*#.*$/, '')
    // What objdump before 2.41 says for the empty set.
    .replaceAll('unknown', '0')
    .replace('c.addi zero,0', 'c.nop')
    .replace(/\s*<.*>$/, '')
    .replace(/\s+/, ' ')
    .replaceAll(/,\s+/g, ',')
    .trim();
  const target = hasTarget
    ? plain.replace(/(?<=[ ,])(?:0x)?([0-9a-f]{5,8})$/, (_, digits) => `0x${digits}`)
    : plain;
  const decimal = target.replaceAll(/(?<=[ ,])0x[0-9a-f]+/g, (number) => String(Number(number)));
  return decimal.replace(SHORTENED, '$1i');
}
