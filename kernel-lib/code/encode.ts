/** Instructions to words, and the ranges that operands must keep to. */
import { type Field, fieldBits, isSignedField, type Operands, type Row } from '../isa/formats';
import { ISA } from '../isa/isa';

const byName = new Map(ISA.map((row) => [row.name, row]));

/** The row of the instruction called `name`, or undefined. */
export function rowByName(name: string): Row | undefined {
  return byName.get(name);
}

/**
 * The word of an instruction. An operand that is left out is 0, or what the format implies.
 * @throws RangeError if an operand does not fit: it would be encoded as a different one
 */
export function encode(row: Row, operands: Partial<Operands>): number {
  let word = row.match;
  for (const field of row.format.fields) {
    const value = operands[field.operand] ?? field.from;
    const problem = operandProblem(row, field, value);
    if (problem !== undefined) throw new RangeError(`${row.name}: ${problem}`);
    for (const other of field.same) mustBe(row, operands, other, value);
    word |= fieldBits(field, value);
  }
  for (const [operand, value] of Object.entries(row.format.implied))
    mustBe(row, operands, operand as keyof Operands, value);
  return word | 0;
}

function mustBe(row: Row, operands: Partial<Operands>, operand: keyof Operands, value: number): void {
  const given = operands[operand] ?? value;
  if (given !== value)
    throw new RangeError(`${row.name}: ${operand} can only be ${value} here, not ${given}`);
}

/** Why `value` cannot be this operand of this instruction, in words; undefined if it can. */
export function operandProblem(row: Row, field: Field, value: number): string | undefined {
  const isExcluded = row.excluded[field.operand]?.includes(value) ?? false;
  return isExcluded ? `${field.operand} may not be ${value}` : rangeProblem(field, value);
}

/** Why `value` does not fit into a field, in words; undefined if it does. */
export function rangeProblem(field: Field, value: number): string | undefined {
  const { low, high } = fieldRange(field);
  const step = 2 ** field.zeros;
  if (field.kind === 'upper' && field.width === 32) {
    return value % step === 0 ? undefined : `the low ${field.zeros} bits of ${value} must be 0`;
  }
  if (value < low || value > high) return `${value} is not in the range ${low} to ${high}`;
  if (value % step !== 0) return `${value} is not a multiple of ${step}`;
  return undefined;
}

/** The least and the greatest value that fit into a field. */
export function fieldRange(field: Field): { low: number; high: number } {
  const span = 2 ** field.width;
  const step = 2 ** field.zeros;
  if (isSignedField(field)) return { low: -span / 2, high: span / 2 - step };
  return { low: field.from, high: field.from + span - step };
}
