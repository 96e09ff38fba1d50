/** Random numbers that are the same in every run, and random operands of rows. */

import { fieldRange, operandProblem } from '../../kernel-lib/code/encode';
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

/** A value that this operand of the row can have; often one at an edge. */
export function randomOperand(random: Random, row: Row, field: Field): number {
  if (field.kind === 'csr') return random.pick(CSRS).number;
  const step = 2 ** field.zeros;
  const { low, high } = fieldRange(field);
  const edges = [low, high, 0, step, low + step, high - step];
  for (;;) {
    const value =
      random.between(0, 2) === 0 ? random.pick(edges) : low + step * random.between(0, (high - low) / step);
    if (operandProblem(row, field, value) === undefined) return value;
  }
}

/** Operands for every field of the row. */
export function randomOperands(random: Random, row: Row): Partial<Operands> {
  return Object.fromEntries(
    row.format.fields.map((field) => [field.operand, randomOperand(random, row, field)]),
  );
}
