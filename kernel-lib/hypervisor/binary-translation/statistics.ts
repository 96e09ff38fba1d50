/** What the translator counts: for tables and charts. */
import type { CalloutKind } from './emitter';

/** Translations up to some moment. */
export interface Progress {
  /** Instructions that the guest has executed. */
  instructions: number;
  translations: number;
}

export class Statistics {
  /** Units translated, and the guest's instructions in them. */
  translations = 0;
  translatedInstructions = 0;
  /** Bytes of the guest's code, and of the code made from it. */
  sourceBytes = 0;
  codeBytes = 0;
  /** Times that the hypervisor looked for a block, and found it in the cache. */
  lookups = 0;
  hits = 0;
  /** Exits and predictions that have been chained to a block. */
  chained = 0;
  /** Calls of the hypervisor, by kind. */
  readonly callouts: Record<CalloutKind, number> = {
    emulate: 0,
    predict: 0,
    'look up': 0,
    enabled: 0,
    exit: 0,
    interrupt: 0,
  };
  /** Instructions convicted and acquitted: each has its block translated again. */
  convictions = 0;
  acquittals = 0;
  /** Blocks that went because the guest wrote to their code, or maps something else there. */
  invalidations = 0;
  remappings = 0;
  private readonly translatedAt: number[] = [];

  /** Notes a translation, when the guest had executed so many instructions. */
  translated(instructions: number): void {
    this.translations++;
    this.translatedAt.push(instructions);
  }

  /** Translations over time: how many in each stretch of `step` instructions of the guest. */
  overTime(step = 10_000): Progress[] {
    const last = this.translatedAt.at(-1) ?? 0;
    const stretches = Array.from({ length: Math.floor(last / step) + 1 }, (_, n) => ({
      instructions: (n + 1) * step,
      translations: 0,
    }));
    for (const at of this.translatedAt) stretches[Math.floor(at / step)].translations++;
    return stretches;
  }
}
