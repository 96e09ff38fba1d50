/**
 * The interpreter: decoded code, run by one emitted loop in WebAssembly; for code that isn't hot.
 *
 * `Interpreter` is what it keeps per machine. It does the easy instructions itself and lets the
 * reference engine carry out the rest, at exactly the same point: before that, the hart's pc,
 * instret and the clock are brought up to date. Interrupts are looked for wherever one can have
 * become pending: where time has come to the next timer event (the fuel ends there), and behind
 * every instruction that the reference engine carried out. So they are taken before the same
 * instruction as there. Read `interpreter-code.ts`, `decoded-code.ts` and `spaces.ts` first.
 */
import type { Clock } from '../machine/cost';
import type { Hart } from '../machine/hart';
import type { Machine } from '../machine/machine';
import { Access } from '../machine/pmp';
import { NO_TRAP } from '../machine/trap';
import { CodeLines } from './code-lines';
import { DecodedCode } from './decoded-code';
import { HEAD_BYTES, interpreterBytes, Left, STEP_BYTES } from './interpreter-code';
import { carryOut, step, takeRaised } from './reference';
import { PAGE_BYTES, type Space, Spaces } from './spaces';
import { LEFT_AT, LEFT_BLOCK, LEFT_FUEL, SPACE, type Storage } from './storage';
import { StoredEngine } from './stored-engine';
import { WASM, type WasmFunction } from './wasm-api';

/**
 * The most instructions until the emitted code must leave: when V8 has optimised it meanwhile, that
 * is used from the next time on that it is entered.
 */
const MOST_FUEL = 1 << 18;

/** How often a block that is never hot may run before its count begins anew. */
const NEVER_HOT = 0x7fff_ffff;

/** The interpreter's module, compiled when first asked for. */
let compiled: object | undefined;

export class Interpreter {
  space: Space;
  /** The head of the block where the emitted code came back the last time, if it was at one. */
  at = 0;
  /** Whether it came back because that block is hot. */
  leftHot = false;
  readonly codeLines: CodeLines;
  readonly spaces: Spaces;
  readonly decoded: DecodedCode;
  private readonly hart: Hart;
  private readonly clock: Clock;
  private readonly control: Int32Array;
  private readonly run: WasmFunction;
  private readonly runCounting: WasmFunction;
  /** When the interpreter was last entered: fuel, instret, cycles, and cycles per instruction. */
  private entry = { fuel: 0, instret: 0, cycles: 0, cost: 1 };
  /** Turns since then. */
  private turns = 0;

  /** @param heat how often a block may run before it leaves as hot; undefined: it never does */
  constructor(
    readonly machine: Machine,
    storage: Storage,
    private readonly heat?: number,
  ) {
    this.hart = machine.hart;
    this.clock = machine.clock;
    this.control = storage.control;
    const { ram } = machine;
    this.codeLines = new CodeLines(storage.marks);
    ram.watch((pa, count) => this.codeLines.written(pa - ram.base, count));
    this.spaces = new Spaces(machine, () => storage.allocate());
    this.codeLines.pageGetsCode = (offset) => this.spaces.pageGotCode(offset);
    this.space = this.spaces.current();
    this.decoded = new DecodedCode(storage, this.codeLines, this.spaces, heat ?? NEVER_HOT);
    compiled ??= new WASM.Module(interpreterBytes());
    const host = {
      memory: storage.memory,
      access: (place: number, block: number, fuel: number, va: number, isStore: number) =>
        this.access(place, block, fuel, va, isStore !== 0) ? 1 : 0,
      follow: (link: number) => this.follow(link),
    };
    const { run, runCounting } = new WASM.Instance(compiled, { host }).exports;
    this.run = run;
    this.runCounting = runCounting;
  }

  /**
   * Executes from pc on, up to where an interrupt may have become pending: at least one turn.
   * @param left turns at most
   * @param isCold whether hot blocks are to run like others
   * @returns the turns taken; none if the block at pc is hot, whose head then is `at`
   */
  go(left: number, isCold = this.heat === undefined): number {
    const { hart, clock, entry, control } = this;
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
    entry.fuel = fuelUntil(this.machine, entry.cost, Math.min(left, MOST_FUEL));
    const walked = clock.cycles !== entry.cycles; // time has passed: this instruction, then look again
    if (head === 0 || walked || this.decoded.count(head) > entry.fuel) {
      step(this.machine);
      return 1;
    }
    control[SPACE / 4] = this.space.tables.at;
    const why: Left = isCold ? this.run(head, entry.fuel) : this.runCounting(head, entry.fuel);
    this.heedExit(why);
    return this.turns;
  }

  /** Brings the hart up to date after the emitted code has left. */
  private heedExit(why: Left): void {
    const { control, decoded } = this;
    const [at, fuel] = [control[LEFT_AT / 4], control[LEFT_FUEL / 4]];
    switch (why) {
      case Left.AtHead:
        this.at = at;
        this.leave(decoded.at(at + HEAD_BYTES).pc, fuel + decoded.count(at));
        this.leftHot = decoded.isHot(at);
        return;
      case Left.AtLink:
        this.leave(decoded.target(at), fuel);
        this.completeLink(at);
        return;
      case Left.AtAddress:
        this.leave(at, fuel);
        return;
      case Left.AtInstruction:
        this.carryOut(at, control[LEFT_BLOCK / 4], fuel);
        return;
      case Left.BehindAccess:
        return;
    }
  }

  /** The hart goes on at `pc`, and so much fuel is left. */
  private leave(pc: number, fuel: number): void {
    const { hart, clock, entry } = this;
    const done = entry.fuel - fuel;
    hart.pc = pc;
    hart.instret = entry.instret + done;
    clock.cycles = entry.cycles + done * entry.cost;
    this.turns = done;
  }

  /** The head of the block that a link leads to, or 0 if it isn't known yet. */
  private follow(link: number): number {
    const head = this.space.jump(this.decoded.target(link));
    if (head !== 0) this.decoded.link(this.space, link, head);
    return head;
  }

  /** Lets the reference engine carry out the instruction at a place. @param fuel less what the block counts */
  private carryOut(place: number, block: number, fuel: number): void {
    const { decoded } = this;
    const before = (place - block - HEAD_BYTES) / STEP_BYTES;
    const left = fuel + decoded.count(block) - before;
    const { pc, instruction } = decoded.at(place);
    this.leave(pc, left);
    if (left === 0) return; // the block doesn't count this instruction, and there is no fuel for it
    this.turns++;
    carryOut(this.machine, instruction);
  }

  /** Lets the hart do the access of the instruction at a place; false if the emitted code must leave. */
  private access(place: number, block: number, fuel: number, va: number, isStore: boolean): boolean {
    const { hart, clock, entry, spaces, codeLines, decoded } = this;
    const changes = spaces.generation + codeLines.generation;
    const { pc, instruction } = decoded.at(place);
    this.carryOut(place, block, fuel);
    const hasRetired = hart.pc === ((pc + instruction.length) | 0);
    const onTime = clock.cycles === entry.cycles + this.turns * entry.cost;
    const isInside = (va & (PAGE_BYTES - 1)) <= PAGE_BYTES - 4;
    if (!hasRetired || !onTime || !isInside) return false;
    const access = isStore ? Access.Write : Access.Read;
    const pa = hart.translate(va, access, 1);
    if (pa < 0 || !spaces.admit(this.space, access, va, pa, codeLines)) return false;
    return changes === spaces.generation + codeLines.generation;
  }

  /** The head of the block at `pc`, or 0: there is none, and a fault may have been raised. */
  private headAt(pc: number): number {
    const known = this.space.jump(pc);
    if (known !== 0) return known;
    const offset = this.spaces.codeAt(this.space, pc);
    return offset < 0 ? 0 : this.decoded.headAt(this.space, pc, offset);
  }

  /** The emitted code left at a link: from now on it leads somewhere, if the hart goes on there. */
  private completeLink(link: number): void {
    const { ram } = this.machine;
    const pc = this.decoded.target(link);
    const offset = this.space.flat ? (pc >>> 0) - ram.base : -1;
    if (offset < 0 || offset >= ram.size) return;
    const before = this.codeLines.generation;
    const head = this.decoded.headAt(this.space, pc, offset);
    const isStillThere = before === this.codeLines.generation;
    if (head !== 0 && isStillThere) this.decoded.link(this.space, link, head);
  }
}

/** Instructions until something outside may want attention, `left` at most; 0 where they can't be counted. */
export function fuelUntil(machine: Machine, cost: number, left: number): number {
  if (!Number.isInteger(cost)) return 0; // sums of fractions depend on the order
  const cycles = machine.nextEvent - machine.cycles;
  return cost === 0 ? left : Math.min(left, Math.ceil(cycles / cost));
}

/** The interpreter, as one machine takes it. */
export class InterpreterEngine extends StoredEngine<Interpreter> {
  readonly name = 'interpreter';

  protected make(machine: Machine, storage: Storage): Interpreter {
    return new Interpreter(machine, storage);
  }
}
