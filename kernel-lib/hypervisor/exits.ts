/**
 * How often a guest left direct execution, and for what: a counter per cause, mode of the guest,
 * instruction and reason. Whoever counts the same kind of exit often keeps its counter.
 */
import { type Cause, INTERRUPT } from '../isa/causes';
import type { Mode } from '../isa/registers';

/** What an exit was about, where its cause alone does not say. */
export type ExitReason = 'hidden fault' | 'device' | 'trace' | 'callout' | 'translation';

/** How often the guest left direct execution, for one reason. */
export interface ExitCount {
  cause: Cause;
  /** The mode that the guest believed to be in. */
  mode: Mode;
  /** The instruction that trapped; `interrupt` where it was none's doing, `any` where `reason` says it all. */
  instruction: string;
  reason?: ExitReason;
  count: number;
}

const REASONS: readonly (ExitReason | undefined)[] = [
  undefined,
  'hidden fault',
  'device',
  'trace',
  'callout',
  'translation',
];

export class ExitCounts {
  /** By instruction, then by cause, mode and reason. */
  private readonly counts = new Map<string, Map<number, ExitCount>>();

  /** The counter for one kind of exit. */
  of(cause: Cause, mode: Mode, instruction: string, reason?: ExitReason): ExitCount {
    const name = reason === undefined ? instruction : 'any';
    let counts = this.counts.get(name);
    if (counts === undefined) this.counts.set(name, (counts = new Map()));
    const kind = (cause & 31) | (cause >= INTERRUPT ? 32 : 0);
    const key = (kind * 4 + mode) * REASONS.length + REASONS.indexOf(reason);
    let entry = counts.get(key);
    if (entry === undefined) {
      entry = { cause, mode, instruction: name, ...(reason === undefined ? {} : { reason }), count: 0 };
      counts.set(key, entry);
    }
    return entry;
  }

  /** Exits of every kind. */
  get total(): number {
    let sum = 0;
    for (const counts of this.counts.values()) for (const { count } of counts.values()) sum += count;
    return sum;
  }

  /** Copies of all counters, the highest first; those that never counted are left out. */
  list(): ExitCount[] {
    const all = [...this.counts.values()].flatMap((counts) => [...counts.values()]);
    return all
      .filter(({ count }) => count > 0)
      .map((exit) => ({ ...exit }))
      .sort((a, b) => b.count - a.count);
  }
}
