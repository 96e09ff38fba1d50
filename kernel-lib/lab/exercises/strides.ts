/** Runs of guests under a learner's code, in strides: so that what led to a failure can be recorded. */
import type { Hypervisor } from '../../hypervisor/vm';
import type { RunResult } from '../../machine/machine';
import type { Failure } from '../check';
import { record } from '../timeline/record';

/** Instructions and traps between two looks at whether a run has gone wrong: as many can be in its timeline. */
const STRIDE = 2000;

/**
 * Runs a guest until it ends, has gone wrong, or has used up `most` instructions and traps.
 * @returns how it ended, and after how many instructions and traps the last stride began
 */
export function runInStrides(
  hypervisor: Hypervisor,
  most: number,
  hasFailed: () => boolean,
): { end: RunResult; last: number } {
  for (let last = 0; ; last += STRIDE) {
    const end = hypervisor.run({ instructions: STRIDE });
    if (hasFailed() || end.reason !== 'budget' || last + STRIDE >= most) return { end, last };
  }
}

/** The same run of another `hypervisor` again, from where the last stride began to where it goes wrong. */
export function recordStride(
  hypervisor: Hypervisor,
  last: number,
  title: string,
  hasFailed: () => boolean,
): Pick<Failure, 'run' | 'at'> {
  const run = record(hypervisor, { from: last, steps: 2 * STRIDE, title });
  return hasFailed() ? { run, at: run.steps.length } : {};
}
