/**
 * How runs end: the reasons, and what is said of each.
 */
import { Cause } from '../isa/causes';

/** Why a run ended. */
export type StopReason =
  | 'finished' // the guest stopped the machine; `code` is what it said
  | 'budget' // all instructions of the budget are used up; run again to go on
  | 'idle' // the hart waits for an interrupt that nothing will raise
  | 'trap-loop' // the trap handler itself traps at its first instruction, for ever
  | 'host'; // the host handler stopped the run

export interface Stop {
  reason: StopReason;
  /** The reason in a sentence. */
  message: string;
  /** The guest's exit code, where it gave one. */
  code?: number;
}

/** Something that stops: a run ends with all that a Stop says, and how far it got. */
export interface RunResult extends Stop {
  /** Instructions retired in this run. */
  instructions: number;
}

/** The hart waits, and nothing will end that. */
export function idleForEver(): Stop {
  return {
    reason: 'idle',
    message: 'The hart waits for an interrupt (wfi), and nothing is left that could raise one.',
  };
}

/** The guest has stopped the machine. */
export function finishedWith(code: number): Stop {
  const message =
    code === 0 ? 'The guest stopped the machine.' : `The guest stopped the machine with code ${code}.`;
  return { reason: 'finished', message, code };
}

/** The handler at `pc` traps at its first instruction. */
export function trapLoop(pc: number, cause: Cause): Stop {
  const at = `0x${(pc >>> 0).toString(16).padStart(8, '0')}`;
  return {
    reason: 'trap-loop',
    message:
      `The trap handler at ${at} traps at its first instruction (${Cause[cause]}), so it will for ever. ` +
      'Has the guest set its trap vector before the first trap?',
  };
}
