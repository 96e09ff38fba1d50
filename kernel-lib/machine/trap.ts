/** A trap as a value: why, and what goes into `xtval`. Guests' faults are values, never exceptions. */
import type { Cause } from '../isa/causes';

export interface Trap {
  cause: Cause;
  /** The faulting address or the illegal instruction word; 0 where the manual has nothing. int32. */
  tval: number;
}

/** What stands in a hart's `cause` while nothing has trapped. */
export const NO_TRAP = -1;
