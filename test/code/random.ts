/** Random numbers that are the same in every run, and random operands of rows. */

import { bits } from '../../kernel-lib/bits';
import { fieldRange } from '../../kernel-lib/code/encode';
import { CSRS } from '../../kernel-lib/isa/csrs';
import type { Field, Operands, Row } from '../../kernel-lib/isa/formats';

export class Random {
  constructor(private state: number) {}

  /** A word (mulberry32). */
  word(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return t ^ (t >>> 14);
  }

  /** An integer from `low` to `high`. */
  between(low: number, high: number): number {
    return low + ((this.word() >>> 0) % (high - low + 1));
  }

  pick<T>(list: ArrayLike<T>): T {
    return list[this.between(0, list.length - 1)];
  }
}

/** A value that the field can hold; often one at an edge. */
export function randomOperand(random: Random, field: Field): number {
  if (field.kind === 'csr') return random.pick(CSRS).number;
  const step = 2 ** field.zeros;
  const { low, high } = fieldRange(field);
  if (field.kind === 'upper') return Math.imul(random.between(0, 2 ** (field.width - field.zeros) - 1), step);
  const edges = [low, high, 0, step, low + step, high - step].filter(
    (value) => value >= low && value <= high,
  );
  return random.between(0, 2) === 0
    ? random.pick(edges)
    : low + step * random.between(0, (high - low) / step);
}

/** Operands for every field of the row. */
export function randomOperands(random: Random, row: Row): Partial<Operands> {
  return Object.fromEntries(row.format.fields.map((field) => [field.operand, randomOperand(random, field)]));
}

/** How many bytes an instruction of this row takes. */
export const rowBytes = (row: Row) => (bits(row.match, 1, 0) === 3 ? 4 : 2);
