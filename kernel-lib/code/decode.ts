/**
 * Words to instructions. A word is looked up by its major opcode and then compared with the
 * rows that have it; what isn't any row is an illegal instruction.
 */
import { fieldValue, type Operands, type Row } from '../isa/formats';
import { ISA } from '../isa/isa';

/** An instruction: a row with its operands. Operands that the format doesn't have are 0. */
export interface Instruction extends Operands {
  row: Row;
  word: number;
  /** Bytes that it takes up in memory. */
  length: 2 | 4;
}

const rowsByOpcode: Row[][] = Array.from({ length: 128 }, () => []);
for (const row of ISA) rowsByOpcode[row.match & 0x7f].push(row);

/** The instruction that a word encodes, or undefined if it encodes none. */
export function decode(word: number): Instruction | undefined {
  const row = rowsByOpcode[word & 0x7f].find((candidate) => (word & candidate.mask) === candidate.match);
  if (row === undefined) return undefined;
  const instruction: Instruction = { row, word: word | 0, length: 4, rd: 0, rs1: 0, rs2: 0, imm: 0, csr: 0 };
  for (const field of row.format.fields) instruction[field.operand] = fieldValue(field, word);
  return instruction;
}
