/**
 * A virtual machine: the board that a guest believes to run on, and the bookkeeping around it.
 *
 * `guest` is a `Machine` without an engine. Its hart is the *virtual hart*: its mode is the mode
 * that the guest believes to be in, its CSRs are the ones that the guest reads and writes. Its RAM
 * is a slice of the real RAM, which the real hart reaches through shadow tables (`paging/`). The
 * real hart executes the guest's instructions in a mode of less rights (`layouts.ts`); each trap is
 * an *exit* to us. A technique says, by its `dispatch`, what is done about an exit; the rest is
 * here: save and restore, virtual interrupts, waiting, and counting what happened and who used
 * the cycles.
 */
import { decode, type Instruction } from '../code/decode';
import { Cause, INTERRUPT, isCall } from '../isa/causes';
import { csrMask, csrNumber } from '../isa/csrs';
import { Mode } from '../isa/registers';
import {
  cyclesOf,
  DECODE,
  EMULATE,
  RESTORE_GUEST,
  SAVE_GUEST,
  SWITCH_TABLES,
  sumOf,
  VCPU_ACCESS,
  type Work,
} from '../machine/cost';
import { oneOf } from '../machine/given';
import type { Hart } from '../machine/hart';
import {
  type BootOptions,
  type Loadable,
  Machine,
  type MachineOptions,
  MiB,
  RAM_BASE,
  type RunResult,
  type Stop,
} from '../machine/machine';
import { PAGE_BYTES } from '../machine/page-table';
import { Access, type PmpRange } from '../machine/pmp';
import { Firmware } from '../machine/sbi';
import { NO_TRAP, type Trap } from '../machine/trap';
import { type ExitCount, ExitCounts, type ExitReason } from './exits';
import { Asids, Frames } from './frames';
import { LAYOUTS, type LayoutName, type RingLayout } from './layouts';
import type { GuestPaging, PagedVm, View } from './paging/paging';
import { PAGING, type PagingName } from './paging/ways';
import { QuickCsrs } from './quick-csr';

/** Answers an exit by changing the virtual machine; what it doesn't change stays as it was. */
export type ExitHandler = (vm: Vm, trap: Trap) => void;

export interface Report {
  technique: string;
  /** Instructions of the guest that the real hart executed, by the guest's mode. */
  direct: { user: number; kernel: number };
  /** Instructions of the guest that the hypervisor carried out in its stead. */
  emulated: number;
  exits: ExitCount[];
  /** Cycles by who held the hart. `idle`: the guest waited. */
  cycles: { guestUser: number; guestKernel: number; hypervisor: number; idle: number };
}

/** The face that all techniques share. */
export interface Hypervisor {
  readonly vm: Vm;
  boot(image: Loadable, options?: BootOptions): void;
  run(limits?: { instructions?: number }): RunResult;
  report(): Report;
}

export interface VmOptions {
  /**
   * The guest's part of the real RAM: whole pages; best at a multiple of 4 MiB. If left out, it is
   * all but the top quarter, of which 4 MiB at most are kept for the hypervisor's tables.
   */
  memory?: { base: number; size: number };
  /** Where the hypervisor's tables for this VM are; if left out, the top of RAM, above the guest's part. */
  frames?: Frames;
  /** The hart's address-space numbers, if other VMs take some of them, too. */
  asids?: Asids;
  /** In which real modes the guest runs: `user` if left out. */
  layout?: LayoutName | RingLayout;
  /** How its page tables are virtualized: `shadow` if left out. */
  paging?: PagingName | ((vm: PagedVm) => GuestPaging);
  /**
   * For guests that unmask interrupts without an exit: after how many cycles one that was pending and
   * masked is offered again.
   */
  offerAgain?: number;
  /** What an exit costs before and after it is answered, where that is not what saving all costs. */
  workOf?: (trap: Trap) => { save: Work; restore: Work } | undefined;
  /** Whether illegal instructions are emulated, and no more: then those that trap most have a fast path. */
  isPlain?: boolean;
  /** What is on the guest's board besides what is always there. */
  board?: Pick<MachineOptions, 'disk' | 'virtioConsole' | 'virtioVersion'>;
}

const SATP = csrNumber('satp');
const MIE = csrNumber('mie');
const STIMECMP = csrNumber('stimecmp');
const STIMECMPH = csrNumber('stimecmph');
const MACHINE_TIMER = csrMask('mie', 'MTIE');
const SUPERVISOR_TIMER = csrMask('mie', 'STIE');
const ALL_ACCESSES = [Access.Read, Access.Write, Access.Execute];
const MOST_FOR_TABLES = 4 * MiB;
/** No address of an instruction. */
const NOWHERE = 1;
const LAYOUT_NAMES = Object.keys(LAYOUTS) as LayoutName[];
const PAGING_NAMES = Object.keys(PAGING) as PagingName[];
const MOST_DECODED = 1 << 16;

/** A guest that traps again and again at one place gets nowhere, and uses up its budget all the same. */
function budgetUsedUp(instructions: number, exits: number): string {
  const [ran, left] = [instructions, exits].map((count) => count.toLocaleString('en-GB'));
  return `The budget is used up, by ${ran} instructions and ${left} exits; run again to go on.`;
}

export class Vm implements Hypervisor, PagedVm {
  readonly vm = this;
  /** The board that the guest believes in. */
  readonly guest: Machine;
  readonly frames: Frames;
  readonly asids: Asids;
  /** Where the guest's RAM is in the real RAM. */
  readonly memory: { readonly base: number; readonly size: number };
  private readonly layout: RingLayout;
  private readonly makePaging: (vm: PagedVm) => GuestPaging;
  private readonly workOf: VmOptions['workOf'];
  private readonly offerAgain: number;
  private ownPaging: GuestPaging | undefined;
  /** Other memory that the guest may touch, where the shadow tables lead there. */
  private readonly exposed: PmpRange[] = [];
  private readonly exits = new ExitCounts();
  private readonly quick: QuickCsrs | undefined;
  /** What an exit costs on its fast path: the same as on the slow one. */
  private readonly quickCycles: number;
  private readonly decoded = new Map<number, Instruction>();
  /** The instruction of the present exit, and where it is. */
  private readonly noted: { pc: number; instruction: Instruction | undefined } = {
    pc: NOWHERE,
    instruction: undefined,
  };
  private reason: ExitReason | undefined;
  private readonly direct = { user: 0, kernel: 0 };
  private emulated = 0;
  private readonly cycles = { guestUser: 0, guestKernel: 0, hypervisor: 0 };
  /** When the real hart last went from us to the guest, or back. */
  private readonly since = { cycles: 0, instret: 0, idle: 0 };
  private sliceEnd = Number.POSITIVE_INFINITY;
  /** When the real timer was set to rise, and whether the guest had an interrupt pending then. */
  private dueAt = 0;
  private isPending = false;
  /** What to do when the guest waits: let time pass, or leave the hart to others. */
  private yields = false;

  /**
   * @param machine the real machine, of which the guest gets a part of the RAM, and none of the devices
   * @param dispatch what is done about an exit
   * @throws RangeError if the guest's part is not in RAM
   */
  constructor(
    readonly machine: Machine,
    readonly technique: string,
    private readonly dispatch: ExitHandler,
    options: VmOptions = {},
  ) {
    const { ram } = machine;
    this.memory = options.memory ?? { base: ram.base, size: ram.size - roomForTables(ram.size) };
    const { base, size } = this.memory;
    if (base % PAGE_BYTES !== 0 || size % PAGE_BYTES !== 0 || size <= 0)
      throw new RangeError(
        `A VM's memory is made of whole pages: 0x${base.toString(16)}, ${size} bytes are none.`,
      );
    const end = ram.base + ram.size;
    const top = Math.max(base + size, end - roomForTables(ram.size));
    this.frames = options.frames ?? new Frames(ram, top, end - top);
    this.asids = options.asids ?? new Asids(machine.hart.tlb);
    const { layout = 'user', paging = 'shadow' } = options;
    this.layout = typeof layout === 'string' ? LAYOUTS[oneOf('layout', layout, LAYOUT_NAMES)] : layout;
    this.makePaging = typeof paging === 'string' ? PAGING[oneOf('paging', paging, PAGING_NAMES)] : paging;
    this.workOf = options.workOf;
    this.quickCycles = cyclesOf(QUICK_EXIT, machine.clock.costs);
    this.quick = options.isPlain && this.layout === LAYOUTS.user ? new QuickCsrs(this.exits) : undefined;
    this.offerAgain = options.offerAgain ?? Number.POSITIVE_INFINITY;
    this.guest = new Machine({
      ...options.board,
      ram: ram.slice(base, size, RAM_BASE),
      clock: machine.clock,
      profile: machine.hart.profile,
    });
    this.hart.fenced = (va, asid) => this.paging.fence(va, asid);
  }

  /** The virtual hart. */
  get hart(): Hart {
    return this.guest.hart;
  }

  /** The mode that the guest believes to be in, between exits, too. */
  get mode(): Mode {
    return this.layout.mode?.(this.machine.hart) ?? this.hart.mode;
  }

  /** What the guest has printed. */
  get console(): string {
    return this.guest.console;
  }

  /** What of the guest's pages it may see now. */
  get view(): View {
    return this.layout.view(this.hart);
  }

  /** How the guest's page tables are virtualized. */
  get paging(): GuestPaging {
    this.ownPaging ??= this.makePaging(this);
    return this.ownPaging;
  }

  /** Loads a kernel; it will start in virtual S mode, with our firmware below it. */
  boot(image: Loadable, options?: BootOptions): void {
    this.load(image, options);
    this.occupy();
    this.enter();
  }

  /** Loads a kernel into the guest's board, and nothing else. */
  load(image: Loadable, options?: BootOptions): void {
    new Firmware(this.guest).boot(image, options);
    this.begin();
  }

  /** @throws Error if no kernel has been loaded: kernels begin in S mode, and M mode is the hypervisor's */
  requireGuest(): void {
    if (this.hart.mode === Mode.M) throw new Error('There is no guest in this VM yet. Give boot() a kernel.');
  }

  /** Makes the real machine this VM's: its memory can be touched and no other, its exits come to us. */
  occupy(): void {
    const { machine } = this;
    this.openMemory();
    machine.host = (trap) => {
      if (!this.exitQuickly(trap)) this.exit(trap);
    };
    machine.hart.modeEnds = (mode) => this.account(mode, 0);
    this.layout.begin(machine.hart);
  }

  /** From now on the guest can touch its memory and what is exposed to it, and no other. */
  openMemory(): void {
    const { machine, memory, frames } = this;
    // The hart walks the tables with the guest's rights: it must be able to read them.
    machine.openRanges([
      ...this.exposed,
      { ...memory, accesses: ALL_ACCESSES },
      { base: frames.base, size: frames.size, accesses: [Access.Read] },
    ]);
  }

  /** Takes the real machine over from another VM. */
  takeOver(): void {
    this.charge(this.layout.switchWork);
    this.occupy();
  }

  /** Lets the guest touch memory outside of its own, by pages that `paging` shows to it. */
  expose(range: PmpRange): void {
    this.exposed.push(range);
  }

  /**
   * Runs the guest until it stops, or the budget of instructions and traps is used up.
   * @throws Error if there is no guest in it
   */
  run(limits: { instructions?: number } = {}): RunResult {
    this.requireGuest();
    const before = this.hart.instret;
    const exitsBefore = this.exits.total;
    this.guest.stopped = undefined;
    this.begin();
    this.settle();
    this.enter();
    if (this.guest.stopped !== undefined) return { ...(this.guest.stopped as Stop), instructions: 0 };
    const { reason, message, code } = this.machine.run(limits);
    this.layout.rest?.();
    this.leave(0);
    const instructions = this.hart.instret - before;
    if (reason === 'budget')
      return { reason, message: budgetUsedUp(instructions, this.exits.total - exitsBefore), instructions };
    return { reason, message, ...(code === undefined ? {} : { code }), instructions };
  }

  /**
   * Runs the guest for a slice of time, as one of several: it also stops when the slice is over, or
   * when it waits.
   * @param end the cycle at which the slice is over
   * @returns how it stopped; undefined if it did not: its slice was over, it waits, or the budget was used up
   */
  runSlice(end: number, instructions: number): Stop | undefined {
    this.sliceEnd = end;
    this.yields = true;
    const { reason } = this.run({ instructions });
    this.sliceEnd = Number.POSITIVE_INFINITY;
    this.yields = false;
    return reason === 'budget' || this.guest.stopped === undefined ? undefined : this.guest.stopped;
  }

  /** Whether the guest waits for an interrupt. */
  get isWaiting(): boolean {
    return this.hart.waiting && !this.hart.interruptPending;
  }

  /** The cycle at which an interrupt will end the guest's wait, as far as that is known; infinity if it isn't. */
  get wakesAt(): number {
    return this.nextInterrupt();
  }

  report(): Report {
    return {
      technique: this.technique,
      direct: { ...this.direct },
      emulated: this.emulated,
      exits: this.exits.list(),
      cycles: { ...this.cycles, idle: this.guest.idleCycles },
    };
  }

  // ----------------------------------------------------------- what techniques build upon

  /** Lets the time pass that a handler's work takes. */
  charge(work: Work): void {
    this.machine.clock.charge(work);
  }

  /**
   * Reads a CSR of the virtual hart, by name or number. It is kept in memory: charged as one access.
   * @throws if there is no such register
   */
  csr(register: string | number): number {
    this.charge(VCPU_ACCESS);
    return this.hart.csrs.read(typeof register === 'string' ? csrNumber(register) : register);
  }

  /** Writes a CSR of the virtual hart: legal values of writable fields get in. Charged like `csr`. */
  setCsr(register: string | number, value: number): void {
    this.charge(VCPU_ACCESS);
    this.hart.csrs.write(typeof register === 'string' ? csrNumber(register) : register, value);
  }

  /**
   * Loads and decodes the instruction at the guest's pc, which its own page tables lead to;
   * undefined if it isn't one. Charged: the hypervisor must do in software what the hart had done already.
   */
  instruction(): Instruction | undefined {
    this.charge(DECODE);
    return this.noted.pc === this.hart.pc ? this.noted.instruction : this.peekInstruction();
  }

  /** Makes a trap the guest's own: its virtual hart takes it, as a real one would. */
  reflect(trap: Trap): void {
    this.guest.takeTrap(trap);
  }

  /** Counts an instruction that was carried out for the guest. */
  countEmulated(): void {
    this.emulated++;
  }

  /** What the present exit was about, as far as that was noted. */
  get exitReason(): ExitReason | undefined {
    return this.reason;
  }

  /** Notes what the present exit was about. */
  because(reason: ExitReason): void {
    this.reason = reason;
  }

  /** The physical address of a guest-physical one, or -1 where the guest has no RAM. */
  gpaToPa(gpa: number): number {
    const offset = gpa - RAM_BASE;
    return offset >= 0 && offset < this.memory.size ? this.memory.base + offset : -1;
  }

  /** The 1, 2 or 4 bytes at a guest-physical address; undefined where the guest has no RAM. */
  readGuest(width: 1 | 2 | 4, gpa: number): number | undefined {
    return this.guest.ram.holds(gpa, width) ? this.guest.ram.read(width, gpa) : undefined;
  }

  /** Writes guest-physical memory; false where the guest has no RAM. */
  writeGuest(width: 1 | 2 | 4, gpa: number, value: number): boolean {
    if (!this.guest.ram.holds(gpa, width)) return false;
    this.guest.ram.write(width, gpa, value);
    return true;
  }

  // ----------------------------------------------------------------------- leaving and entering

  /** A trap of the real hart: everything between leaving the guest and entering it again. */
  private exit(trap: Trap): void {
    const { machine, hart } = this;
    const { callIn, trapIn } = machine.clock.costs;
    this.leave(isCall(trap.cause) ? callIn : trapIn);
    const work = this.workOf?.(trap);
    this.charge(work?.save ?? SAVE_GUEST);
    const { mode } = hart;
    const name = this.noteInstruction(trap);
    this.reason = undefined;
    this.dispatch(this, trap);
    this.exits.of(trap.cause, mode, name, this.reason).count++;
    this.noted.pc = NOWHERE;
    this.settle();
    if (this.guest.finished || this.guest.stopped !== undefined) machine.stopped = this.guest.stopped;
    else if (this.yields && (hart.waiting || machine.cycles >= this.sliceEnd)) machine.stopped = SLICE_OVER;
    this.charge(work?.restore ?? RESTORE_GUEST);
    this.charge(TRAP_OUT);
    this.enter();
  }

  /**
   * Fast path of `exit`, as long as no interrupt is near: the guest goes on behind the instruction.
   * @returns false, and nothing has changed, if the exit takes the slow path
   */
  private exitQuickly({ cause, tval }: Trap): boolean {
    const { quick, hart, since } = this;
    if (quick === undefined || cause !== Cause.IllegalInstruction || hart.mode !== Mode.S) return false;
    const { hart: real, clock } = this.machine;
    const work = this.quickCycles;
    if (this.isPending || clock.paused || clock.cycles + work >= this.dueAt) return false;
    const access = quick.find(tval);
    if (access === undefined || !quick.carryOut(access, hart, real)) return false;
    this.account(Mode.S, clock.costs.trapIn);
    real.pc = (real.pc + access.length) | 0;
    hart.instret++;
    this.emulated++;
    access.exits.count++;
    clock.cycles += work;
    this.cycles.hypervisor += work;
    since.cycles = clock.cycles;
    return true;
  }

  /**
   * The virtual hart becomes what the real hart has made of it, and the guest's time is noted.
   * @param trapCycles what the way out has cost, which is the hypervisor's expense
   */
  private leave(trapCycles: number): void {
    const { machine, hart } = this;
    const real = machine.hart;
    hart.x.set(real.x);
    hart.pc = real.pc;
    hart.reservation = moved(real.reservation, this.memory.base, RAM_BASE);
    this.layout.leave(real, hart);
    this.account(hart.mode, trapCycles);
  }

  /** Notes what the guest has used of the real hart since the last time, in a mode that ends here. */
  private account(mode: Mode, trapCycles: number): void {
    const { machine, since, cycles } = this;
    const instructions = machine.hart.instret - since.instret;
    const used = machine.cycles - since.cycles - trapCycles;
    this.hart.instret += instructions;
    if (mode === Mode.U) {
      this.direct.user += instructions;
      cycles.guestUser += used;
    } else {
      this.direct.kernel += instructions;
      cycles.guestKernel += used;
    }
    cycles.hypervisor += trapCycles;
    this.begin();
  }

  /** From now on the time is somebody else's. */
  private begin(): void {
    const { machine, since } = this;
    since.cycles = machine.cycles;
    since.instret = machine.hart.instret;
    since.idle = this.guest.idleCycles;
  }

  /** The real hart goes on where the virtual hart is; the real timer wakes us when the virtual one is due. */
  private enter(): void {
    const { machine, hart } = this;
    const real = machine.hart;
    real.x.set(hart.x);
    real.pc = hart.pc;
    real.reservation = moved(hart.reservation, RAM_BASE, this.memory.base);
    this.layout.enter(real, hart);
    const satp = this.paging.activate();
    if (real.csrs.values[SATP] !== satp) {
      real.csrs.write(SATP, satp);
      this.charge(SWITCH_TABLES);
    }
    this.isPending = hart.interruptPending;
    this.dueAt = this.nextInterrupt();
    machine.clint.riseAt(this.dueAt);
    this.cycles.hypervisor += machine.cycles - this.since.cycles - (this.guest.idleCycles - this.since.idle);
    this.begin();
  }

  /**
   * The cycle at which the guest must be interrupted. It may have become due since `settle` looked:
   * then the guest exits again at once. What is pending but masked needs no exit: unmasking is one.
   */
  private nextInterrupt(): number {
    const { guest, hart } = this;
    const now = this.machine.cycles;
    const { csrs } = hart;
    const enabled = csrs.values[MIE];
    let next = this.sliceEnd;
    if (hart.interruptPending) {
      if (this.interruptToTake() !== NO_TRAP) return now;
      next = Math.min(next, now + this.offerAgain);
    }
    if ((enabled & MACHINE_TIMER) !== 0) next = Math.min(next, guest.clint.nextEvent);
    if ((enabled & SUPERVISOR_TIMER) !== 0 && csrs.hasSupervisorTimer) {
      const ahead = guest.clint.cyclesUntil(csrs.values[STIMECMPH], csrs.values[STIMECMP]);
      if (ahead > 0) next = Math.min(next, now + ahead);
    }
    return next;
  }

  /** Waits if the guest waits, and delivers the virtual interrupts that the guest is ready to take. */
  private settle(): void {
    const { guest, hart } = this;
    for (;;) {
      const cause = this.interruptToTake();
      if (cause !== NO_TRAP) guest.takeTrap({ cause, tval: 0 });
      else if (!hart.waiting || guest.stopped !== undefined) return;
      else if (this.yields && !hart.interruptPending) return;
      else guest.idle();
    }
  }

  /**
   * Remembers the instruction that an exit is about, and tells its name. Of an illegal one the hart has
   * told the word; it may no longer be where the guest's tables lead now.
   */
  private noteInstruction({ cause, tval }: Trap): string {
    const { noted } = this;
    noted.pc = this.hart.pc;
    if (cause >= INTERRUPT) {
      noted.pc = NOWHERE;
      return 'interrupt';
    }
    noted.instruction = cause === Cause.IllegalInstruction ? this.decode(tval) : this.peekInstruction();
    return noted.instruction?.row.name ?? 'not an instruction';
  }

  /** The interrupt that the guest must take where it is now, or NO_TRAP. */
  private interruptToTake(): Cause | typeof NO_TRAP {
    const cause = this.hart.interruptToTake();
    return cause !== NO_TRAP && this.layout.defers?.(cause) ? NO_TRAP : cause;
  }

  /** The instruction at the guest's pc, for those who only look. */
  private peekInstruction(): Instruction | undefined {
    const word = this.hart.peekInstruction();
    return word === undefined ? undefined : this.decode(word);
  }

  private decode(word: number): Instruction | undefined {
    const known = this.decoded.get(word);
    if (known !== undefined) return known;
    if (this.decoded.size >= MOST_DECODED) this.decoded.clear();
    const instruction = decode(word);
    if (instruction !== undefined) this.decoded.set(word, instruction);
    return instruction;
  }
}

const SLICE_OVER: Stop = { reason: 'host', message: 'Another VM has the hart.' };
const TRAP_OUT: Work = { trapOut: 1 };
const QUICK_EXIT = [SAVE_GUEST, DECODE, EMULATE, RESTORE_GUEST, TRAP_OUT].reduce(sumOf);

/** How much of the RAM is kept for tables. */
function roomForTables(size: number): number {
  const quarter = Math.min(size / 4, MOST_FOR_TABLES);
  return quarter - (quarter % PAGE_BYTES);
}

/** An address in one range as the same place in another; -1 stays. */
function moved(address: number, from: number, to: number): number {
  return address < 0 ? address : address - from + to;
}
