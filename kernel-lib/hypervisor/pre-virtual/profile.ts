/**
 * Profile feedback: which loads and stores of a guest must be marked, because they go to a device or
 * to a page that the hypervisor watches. No look at the instruction can tell; a run can.
 *
 * The guest runs under trap-and-emulate with watched page tables, and each source line that trapped
 * so is noted. LeVasseur et al. find the sensitive memory operations of Linux in this way.
 */
import type { Program } from '../../code/program';
import { Cause } from '../../isa/causes';
import type { Machine } from '../../machine/machine';
import { dispatch, TrapAndEmulate } from '../trap-and-emulate';

/** A device's register: PMP lets nobody in. */
const ACCESS_FAULTS = new Set([Cause.LoadAccessFault, Cause.StoreAccessFault]);
/** A run that is longer has shown what it does. */
const MOST_INSTRUCTIONS = 20_000_000;

/**
 * Source lines (from 1) of the loads and stores that leave direct execution.
 * @param machine a machine of its own for the run
 * @throws RangeError if the program does not fit into it
 */
export function profile(program: Program, machine: Machine): ReadonlySet<number> {
  const lines = new Set<number>();
  const hypervisor = new TrapAndEmulate(machine, {
    paging: 'shadow-traced',
    dispatch(vm, trap) {
      const at = vm.hart.pc >>> 0;
      dispatch(vm, trap);
      const line = program.lines.get(at)?.line;
      if (line !== undefined && (ACCESS_FAULTS.has(trap.cause) || vm.exitReason === 'trace')) lines.add(line);
    },
  });
  hypervisor.boot(program);
  hypervisor.run({ instructions: MOST_INSTRUCTIONS });
  return lines;
}

/** Counts by address as counts by source line (from 1): addresses of no line are left out. */
export function countsByLine(
  program: Program,
  counts: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  const lines = new Map<number, number>();
  for (const [address, count] of counts) {
    const line = program.lines.get(address)?.line;
    if (line !== undefined) lines.set(line, (lines.get(line) ?? 0) + count);
  }
  return lines;
}

/**
 * The lines that are worth a mark: a mark makes a call of each execution, which must be needed at least
 * every other time.
 * @param trapped how often each line trapped in a run without marks
 * @param called how often it was called in the same run with all of them marked
 */
export function worthMarking(
  trapped: ReadonlyMap<number, number>,
  called: ReadonlyMap<number, number>,
): ReadonlySet<number> {
  return new Set([...trapped.keys()].filter((line) => 2 * trapped.get(line)! >= (called.get(line) ?? 0)));
}
