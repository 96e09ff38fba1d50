/** Instructions to words, and the ranges that operands must keep to. */
import { type Field, fieldBits, type Operands, type Row } from '../isa/formats';
import { ISA } from '../isa/isa';

const byName = new Map(ISA.map((row) => [row.name, row]));

/** The row of the instruction called `name`, or undefined. */
export function rowByName(name: string): Row | undefined {
  return byName.get(name);
}

/**
 * The word of an instruction.
 * @throws RangeError if an operand does not fit: it would be encoded as a different one
 */
export function encode(row: Row, operands: Partial<Operands>): number {
  let word = row.match;
  for (const field of row.format.fields) {
    const value = operands[field.operand] ?? 0;
    const problem = rangeProblem(field, value);
    if (problem !== undefined) throw new RangeError(`${row.name}: ${problem}`);
    word |= fieldBits(field, value);
  }
  return word | 0;
}

/** Why `value` cannot be this operand, in words; undefined if it can. */
export function rangeProblem(field: Field, value: number): string | undefined {
  const { low, high } = fieldRange(field);
  const step = 2 ** field.zeros;
  if (field.kind === 'upper') {
    return value % step === 0 ? undefined : `the low ${field.zeros} bits of ${value} must be 0`;
  }
  if (value < low || value > high) return `${value} is not in the range ${low} to ${high}`;
  if (value % step !== 0) return `${value} is not a multiple of ${step}`;
  return undefined;
}

/** The least and the greatest value that fit into a field. */
export function fieldRange(field: Field): { low: number; high: number } {
  const isSigned = field.kind === 'signed' || field.kind === 'offset';
  const span = 2 ** field.width;
  const step = 2 ** field.zeros;
  return isSigned ? { low: -span / 2, high: span / 2 - step } : { low: 0, high: span - step };
}
