/**
 * The interpreter: decoded code, run by one emitted `switch`; for code that isn't hot.
 *
 * `Interpreter` is what it keeps per machine. It does the easy instructions itself and lets the
 * reference engine carry out the rest, at exactly the same point: before that, the hart's pc,
 * instret and the clock are brought up to date. Interrupts are looked for wherever one can have
 * become pending: where time has come to the next timer event (the fuel ends there), and behind
 * every instruction that the reference engine carried out. So they are taken before the same
 * instruction as there. Read `interpreter-text.ts`, `decoded-code.ts` and `spaces.ts` first.
 */
import type { Clock } from '../machine/cost';
import type { Hart } from '../machine/hart';
import type { Engine, Machine, Stop } from '../machine/machine';
import { Access } from '../machine/pmp';
import { NO_TRAP } from '../machine/trap';
import { CodeLines, LINE_BYTES } from './code-lines';
import { DecodedCode } from './decoded-code';
import {
  HEAD_WORDS,
  type InterpreterState,
  Left,
  mayCompileStrings,
  type RamViews,
  type RunDecoded,
  runDecoded,
  STEP_WORDS,
} from './interpreter-text';
import { carryOut, reference, step, takeRaised, takeTrap } from './reference';
import { PAGE_BYTES, type Space, Spaces, type Tables } from './spaces';

/** The most instructions between two looks at the world outside. */
const MOST_FUEL = 1 << 22;

/** Turns of a machine's loop: what a budget counts. One turn is an instruction or a trap or a wait. */
export function runWith(machine: Machine, budget: number, go: (left: number) => number): Stop {
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
    } else left -= go(left);
  }
  if (machine.stopped === undefined && !machine.finished) {
    const message = `The budget of ${budget} instructions is used up; run again to go on.`;
    return { reason: 'budget', message };
  }
  return machine.stopped!;
}

export interface InterpreterOptions {
  /** How often a block may run before it leaves as hot; undefined: it never does. */
  heat?: number;
  /** One byte per line of RAM. */
  marks?: Uint8Array;
  /** Gives room for the tables of one more context. */
  tables?: () => Tables;
}

export class Interpreter implements InterpreterState {
  readonly x: Int32Array;
  readonly lines: Uint8Array;
  readonly views: RamViews;
  space: Space;
  at = 0;
  readonly codeLines: CodeLines;
  readonly spaces: Spaces;
  readonly decoded: DecodedCode;
  private readonly hart: Hart;
  private readonly clock: Clock;
  private readonly run: RunDecoded;
  /** When the interpreter was last entered: fuel, instret, cycles, and cycles per instruction. */
  private entry = { fuel: 0, instret: 0, cycles: 0, cost: 1 };
  /** Turns since then. */
  private turns = 0;
  /** Whether the emitted code came back the last time because the block at `at` is hot. */
  leftHot = false;

  /**
   * @param options where tables are kept, and how often a block may run before it leaves as hot
   * @throws EvalError where strings may not be compiled
   */
  constructor(
    readonly machine: Machine,
    options: InterpreterOptions = {},
  ) {
    const { heat, marks, tables } = options;
    this.run = runDecoded(heat !== undefined);
    this.hart = machine.hart;
    this.clock = machine.clock;
    this.x = machine.hart.x;
    const { ram } = machine;
    this.lines = marks ?? new Uint8Array(Math.ceil(ram.size / LINE_BYTES));
    this.codeLines = new CodeLines(this.lines);
    ram.watch((pa, count) => this.codeLines.written(pa - ram.base, count));
    this.views = viewsOf(ram.bytes);
    this.spaces = new Spaces(machine, tables);
    this.space = this.spaces.current();
    this.decoded = new DecodedCode(ram, this.codeLines, this.spaces, heat ?? 0);
  }

  get code(): Int32Array {
    return this.decoded.words;
  }

  get addresses(): Int32Array {
    return this.decoded.addresses;
  }

  /**
   * Executes from pc on, up to where an interrupt may have become pending: at least one turn.
   * @param left turns at most
   * @param isCold whether hot blocks are to run like others
   * @returns the turns taken; none if the block at pc is hot, whose head then is `at`
   */
  go(left: number, isCold = false): number {
    const { hart, clock, entry } = this;
    this.space = this.spaces.current();
    this.leftHot = false;
    entry.cycles = clock.cycles;
    const head = this.headAt(hart.pc);
    if (hart.cause !== NO_TRAP) {
      takeRaised(this.machine);
      return 1;
    }
    entry.instret = hart.instret;
    entry.cost = clock.paused ? 0 : clock.costs.instruction;
    entry.fuel = fuelUntil(this.machine, entry.cost, left);
    const walked = clock.cycles !== entry.cycles; // time has passed: this instruction, then look again
    if (head === 0 || walked || this.code[head] > entry.fuel) {
      step(this.machine);
      return 1;
    }
    const run = isCold ? runDecoded(false) : this.run;
    const why = run(this, head, entry.fuel);
    this.leftHot = why === Left.AtHead && this.decoded.isHot(this.at);
    if (why === Left.AtLink) this.completeLink(this.at);
    return this.turns;
  }

  leave(pc: number, fuel: number): void {
    const { hart, clock, entry } = this;
    const done = entry.fuel - fuel;
    hart.pc = pc;
    hart.instret = entry.instret + done;
    clock.cycles = entry.cycles + done * entry.cost;
    this.turns = done;
  }

  follow(link: number): number {
    const head = this.space.jump(this.code[link]);
    if (head !== 0) this.decoded.link(this.space, link, head);
    return head;
  }

  carryOut(i: number, block: number, fuel: number): void {
    const { code } = this;
    const before = (i - block - HEAD_WORDS) / STEP_WORDS;
    const left = fuel + code[block] - before;
    this.leave(this.addresses[i >> 1], left);
    if (left === 0) return; // the block doesn't count this instruction, and there is no fuel for it
    this.turns++;
    carryOut(this.machine, this.decoded.instructions[i >> 1]!);
  }

  access(i: number, block: number, fuel: number, va: number, isStore: boolean): boolean {
    const { hart, clock, entry, spaces, codeLines } = this;
    const changes = spaces.generation + codeLines.generation;
    this.carryOut(i, block, fuel);
    const hasRetired = hart.pc === this.addresses[(i + STEP_WORDS) >> 1];
    const onTime = clock.cycles === entry.cycles + this.turns * entry.cost;
    const isInside = (va & (PAGE_BYTES - 1)) <= PAGE_BYTES - 4;
    if (!hasRetired || !onTime || !isInside) return false;
    const access = isStore ? Access.Write : Access.Read;
    const offset = spaces.offsetOf(access, va);
    if (offset < 0) return false;
    this.space.admit(access, va, offset);
    return changes === spaces.generation + codeLines.generation;
  }

  /** The head of the block at `pc`, or 0: there is none, and a fault may have been raised. */
  private headAt(pc: number): number {
    const known = this.space.jump(pc);
    if (known !== 0) return known;
    const offset = this.spaces.offsetOf(Access.Execute, pc);
    return offset < 0 ? 0 : this.decoded.headAt(this.space, pc, offset);
  }

  /** The interpreter left at a link: from now on it leads somewhere, if the hart goes on there. */
  private completeLink(link: number): void {
    const pc = this.code[link];
    const { flat } = this.space;
    const offset = flat ? (pc >>> 0) - this.machine.ram.base : -1;
    if (offset < 0 || offset >= this.machine.ram.size) return;
    const head = this.decoded.headAt(this.space, pc, offset);
    if (head !== 0) this.decoded.link(this.space, link, head);
  }
}

/** Instructions until something outside may want attention, `left` at most; 0 where they can't be counted. */
export function fuelUntil(machine: Machine, cost: number, left: number): number {
  if (!Number.isInteger(cost)) return 0; // sums of fractions depend on the order
  const cycles = machine.nextEvent - machine.cycles;
  return Math.min(left, MOST_FUEL, cost === 0 ? left : Math.ceil(cycles / cost));
}

function viewsOf({ buffer, byteOffset, length }: Uint8Array): RamViews {
  return {
    ram8: new Uint8Array(buffer, byteOffset, length),
    ramS8: new Int8Array(buffer, byteOffset, length),
    ram16: new Uint16Array(buffer, byteOffset, length / 2),
    ramS16: new Int16Array(buffer, byteOffset, length / 2),
    ram32: new Int32Array(buffer, byteOffset, length / 4),
  };
}

const interpreters = new WeakMap<Machine, Interpreter>();

/** The interpreter, as a machine takes it. Where strings may not be compiled, it is the reference engine. */
export const interpreter: Engine = {
  name: 'interpreter',
  run(machine: Machine, budget: number): Stop {
    if (!mayCompileStrings()) return reference.run(machine, budget);
    let own = interpreters.get(machine);
    if (own === undefined) interpreters.set(machine, (own = new Interpreter(machine)));
    return runWith(machine, budget, (left) => own.go(left));
  },
};
