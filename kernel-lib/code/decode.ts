/**
 * Words to instructions. A word is looked up by its major opcode and then compared with the
 * rows that have it; what isn't any row is an illegal instruction.
 */
import { bits } from '../bits';
import { fieldValue, type Operands, type Row } from '../isa/formats';
import { ISA } from '../isa/isa';

/** An instruction: a row with its operands. Operands that the format doesn't have are 0. */
export interface Instruction extends Operands {
  row: Row;
  word: number;
  /** Bytes that it takes up in memory. */
  length: 2 | 4;
}

/** The bits that tell instructions apart first: the major opcode, or funct3 and quadrant of 16 bits. */
const isCompressed = (word: number) => (word & 3) !== 3;
const opcodeOf = (word: number) =>
  isCompressed(word) ? 128 + (bits(word, 15, 13) << 2) + (word & 3) : word & 0x7f;

const rowsByOpcode: Row[][] = Array.from({ length: 128 + 32 }, () => []);
/** The rows that exclude some operands. */
const withExclusions = new Set<Row>();
for (const row of ISA) {
  rowsByOpcode[opcodeOf(row.match)].push(row);
  if (Object.keys(row.excluded).length > 0) withExclusions.add(row);
}

/**
 * The instruction that a word encodes, or undefined if it encodes none. Of a compressed one only
 * the lower 16 bits count.
 */
export function decode(word: number): Instruction | undefined {
  const own = isCompressed(word) ? word & 0xffff : word | 0;
  for (const row of rowsByOpcode[opcodeOf(own)]) {
    if ((own & row.mask) !== row.match) continue;
    const instruction = withOperands(row, own);
    if (!withExclusions.has(row) || !isExcluded(instruction)) return instruction;
  }
  return undefined;
}

function withOperands(row: Row, word: number): Instruction {
  const { fields, implied } = row.format;
  const { rd = 0, rs1 = 0, rs2 = 0, imm = 0, csr = 0 } = implied;
  const instruction: Instruction = { row, word, length: row.length, rd, rs1, rs2, imm, csr };
  for (const field of fields) {
    const value = fieldValue(field, word);
    instruction[field.operand] = value;
    for (const other of field.same) instruction[other] = value;
  }
  return instruction;
}

function isExcluded(instruction: Instruction): boolean {
  for (const [operand, values] of Object.entries(instruction.row.excluded))
    if (values.includes(instruction[operand as keyof Operands])) return true;
  return false;
}
