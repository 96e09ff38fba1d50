/**
 * What engines with emitted code have in common: the machine's state lies in one WebAssembly memory,
 * where that code can reach it, and the machine runs in turns until something stops it.
 *
 * `prepare` gives a board its memory before the machine is made; what an engine keeps about a machine
 * is made when it first runs. Read `storage.ts` and `reference.ts` first.
 */
import {
  type Engine,
  type Machine,
  type MachineOptions,
  RAM_BASE,
  ramSize,
  type Stop,
} from '../machine/machine';
import { Memory } from '../machine/memory';
import { NO_TRAP } from '../machine/trap';
import { reference, takeTrap } from './reference';
import { Storage } from './storage';

/** What runs a machine: from pc on for so many turns at most. @returns the turns taken */
interface Runner {
  readonly machine: Machine;
  go(left: number): number;
}

/** An engine for one machine. Machines that it wasn't asked to prepare have the reference engine run them. */
export abstract class StoredEngine<Own extends Runner> implements Engine {
  abstract readonly name: string;
  private storage: Storage | undefined;
  private own: Own | undefined;

  /** What the engine keeps about a machine. */
  protected abstract make(machine: Machine, storage: Storage): Own;

  /** The options for a board on which emitted code can run, unless it is to have a RAM of somebody else's. */
  prepare<Options extends Pick<MachineOptions, 'ram' | 'storage'>>(board: Options): Options {
    if (board.ram instanceof Memory) return board;
    this.storage = new Storage(RAM_BASE, ramSize(board.ram));
    return { ...board, ram: this.storage.ram, storage: this.storage.hart };
  }

  run(machine: Machine, budget: number): Stop {
    const own = this.of(machine);
    return own === undefined ? reference.run(machine, budget) : runInTurns(own, budget);
  }

  /** What this engine keeps about its machine; undefined if it didn't prepare that one. */
  of(machine: Machine): Own | undefined {
    if (this.own?.machine === machine) return this.own;
    const { storage } = this;
    if (storage?.ram !== machine.ram || storage.hart.x !== machine.hart.x) return undefined;
    return (this.own = this.make(machine, storage));
  }
}

/** Turns of a machine's loop: what a budget counts. One turn is an instruction or a trap or a wait. */
function runInTurns(runner: Runner, budget: number): Stop {
  const { machine } = runner;
  const { hart } = machine;
  machine.stopped = undefined;
  for (let left = budget; left > 0; ) {
    if (machine.stopped !== undefined || machine.finished) break;
    const interrupt = hart.interruptToTake();
    if (interrupt !== NO_TRAP) {
      takeTrap(machine, { cause: interrupt, tval: 0 });
      left--;
    } else if (hart.waiting) {
      machine.idle();
      left--;
    } else left -= runner.go(left);
  }
  if (machine.stopped === undefined && !machine.finished) {
    const message = `The budget of ${budget} instructions is used up; run again to go on.`;
    return { reason: 'budget', message };
  }
  return machine.stopped!;
}
