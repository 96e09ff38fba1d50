/**
 * 64-bit counts that software can set: mcycle, minstret, mtime.
 *
 * What really counts is a JavaScript number (exact up to 2 ** 53, which no run reaches). A
 * `Counter` keeps what software added to it, as two words, so that every 64-bit value is exact.
 */
import type { StateStream } from './state';

const TWO_TO_THE_32 = 2 ** 32;

/** The words of a count. Both int32. */
export const lowWord = (count: number): number => (count % TWO_TO_THE_32) | 0;
export const highWord = (count: number): number => (count / TWO_TO_THE_32) | 0;

export class Counter {
  /** Added to the real count, modulo 2 ** 64. int32. */
  offsetLow = 0;
  offsetHigh = 0;

  low(count: number): number {
    return (lowWord(count) + this.offsetLow) | 0;
  }

  high(count: number): number {
    const carry = (lowWord(count) >>> 0) + (this.offsetLow >>> 0) >= TWO_TO_THE_32 ? 1 : 0;
    return (highWord(count) + this.offsetHigh + carry) | 0;
  }

  /** Makes the counter show this value now, while the real count is `count`. */
  set(count: number, high: number, low: number): void {
    const borrow = low >>> 0 < lowWord(count) >>> 0 ? 1 : 0;
    this.offsetLow = (low - lowWord(count)) | 0;
    this.offsetHigh = (high - highWord(count) - borrow) | 0;
  }

  exchange(stream: StateStream): void {
    this.offsetLow = stream.number(this.offsetLow);
    this.offsetHigh = stream.number(this.offsetHigh);
  }
}

/**
 * How far the 64-bit unsigned value `high:low` is ahead of `fromHigh:fromLow`: 0 if it isn't,
 * infinity if no run will get there.
 */
export function distance(high: number, low: number, fromHigh: number, fromLow: number): number {
  const ahead = ((high >>> 0) - (fromHigh >>> 0)) * TWO_TO_THE_32 + ((low >>> 0) - (fromLow >>> 0));
  if (ahead <= 0) return 0;
  return ahead >= Number.MAX_SAFE_INTEGER / 1024 ? Number.POSITIVE_INFINITY : ahead;
}
