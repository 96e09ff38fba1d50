/**
 * "Innocent until proven guilty": every load and store is taken to be harmless and is copied. One
 * that keeps leaving the cache, because it goes to a page that is watched or to a device, is
 * convicted: it is translated again, as a call of the hypervisor, which is cheaper than the fault.
 * A call that turns out to be needless many times in a row is reversed. The two numbers differ so
 * that an instruction that does both in turn is not translated all the time.
 * Adams & Agesen 2006, section 3.3, Adaptive Binary Translation.
 */

/** When to change one's mind about an instruction. `Infinity`: never. */
export interface AdaptationOptions {
  /** Faults after which it is guilty: 4 if left out. */
  faultsToConvict?: number;
  /** Needless calls in a row after which it is innocent again: 32 if left out. */
  callsToAcquit?: number;
}

/** Who judges loads and stores. Instructions are known by guest-physical address. */
export interface Verdicts {
  /** Whether the instruction is to be translated as a call. */
  isGuilty(gpa: number): boolean;
  /** It has left the cache by a fault. @returns whether it is guilty from now on, and was not before */
  fault(gpa: number): boolean;
  /** It was guilty and has called. @returns whether it is innocent from now on */
  call(gpa: number, wasNeeded: boolean): boolean;
  /** What is there now is another instruction. */
  forget(gpa: number): void;
}

/** The verdicts by two numbers. */
export class Adaptation implements Verdicts {
  private readonly faults = new Map<number, number>();
  private readonly needless = new Map<number, number>();
  private readonly faultsToConvict: number;
  private readonly callsToAcquit: number;

  /** @throws RangeError if a number is less than 1, or none */
  constructor({ faultsToConvict = 4, callsToAcquit = 32 }: AdaptationOptions = {}) {
    for (const [name, value] of Object.entries({ faultsToConvict, callsToAcquit }))
      if (!(value >= 1))
        throw new RangeError(`adaptation: ${name} is ${value}. Give a number from 1 on; Infinity is never.`);
    this.faultsToConvict = faultsToConvict;
    this.callsToAcquit = callsToAcquit;
  }

  isGuilty(gpa: number): boolean {
    return this.needless.has(gpa);
  }

  fault(gpa: number): boolean {
    const count = (this.faults.get(gpa) ?? 0) + 1;
    this.faults.set(gpa, count);
    if (count < this.faultsToConvict || this.isGuilty(gpa)) return false;
    this.needless.set(gpa, 0);
    return true;
  }

  call(gpa: number, wasNeeded: boolean): boolean {
    const count = this.needless.get(gpa);
    if (count === undefined) return false;
    const inARow = wasNeeded ? 0 : count + 1;
    this.needless.set(gpa, inARow);
    if (inARow < this.callsToAcquit) return false;
    this.forget(gpa);
    return true;
  }

  forget(gpa: number): void {
    this.faults.delete(gpa);
    this.needless.delete(gpa);
  }
}
