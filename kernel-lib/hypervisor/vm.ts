/**
 * A virtual machine: the board that a guest believes to run on, and the bookkeeping around it.
 *
 * `guest` is a `Machine` without an engine. Its hart is the *virtual hart*: its mode is the mode
 * that the guest believes to be in, its CSRs are the ones that the guest reads and writes. The
 * real hart executes the guest's instructions in U mode; each trap is an *exit* to us. A
 * technique says, by its `dispatch`, what is done about an exit; the rest is here: save and
 * restore, virtual interrupts, waiting, and counting what happened and who used the cycles.
 */
import { decode, type Instruction } from '../code/decode';
import { Cause } from '../isa/causes';
import { csrNumber } from '../isa/csrs';
import { Mode } from '../isa/registers';
import { DECODE, RESTORE_GUEST, SAVE_GUEST, VCPU_ACCESS, type Work } from '../machine/cost';
import type { Hart } from '../machine/hart';
import { type Loadable, Machine, type RunResult, type Stop } from '../machine/machine';
import { pmpNaturallyAligned } from '../machine/pmp';
import { Firmware } from '../machine/sbi';
import { NO_TRAP, type Trap } from '../machine/trap';

/** Answers an exit by changing the virtual machine; what it doesn't change stays as it was. */
export type ExitHandler = (vm: Vm, trap: Trap) => void;

/** How often the guest left direct execution, for one reason. */
export interface ExitCount {
  cause: Cause;
  /** The mode that the guest believed to be in. */
  mode: Mode;
  /** The instruction that trapped; `interrupt` where it was none's doing. */
  instruction: string;
  count: number;
}

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
  boot(image: Loadable): void;
  run(limits?: { instructions?: number }): RunResult;
  report(): Report;
}

export class Vm implements Hypervisor {
  readonly vm = this;
  /** The board that the guest believes in. */
  readonly guest: Machine;
  private readonly exits = new Map<string, ExitCount>();
  private readonly direct = { user: 0, kernel: 0 };
  private emulated = 0;
  private readonly cycles = { guestUser: 0, guestKernel: 0 };
  private entered = { cycles: 0, instret: 0 };
  private firstCycle = 0;

  /**
   * @param machine the real machine; the guest gets all of its RAM, and none of its devices
   * @param dispatch what is done about an exit
   */
  constructor(
    readonly machine: Machine,
    readonly technique: string,
    private readonly dispatch: ExitHandler,
  ) {
    this.guest = new Machine({ ram: machine.ram, clock: machine.clock });
  }

  /** The virtual hart. */
  get hart(): Hart {
    return this.guest.hart;
  }

  /** What the guest has printed. */
  get console(): string {
    return this.guest.console;
  }

  /** Loads a kernel; it will start in virtual S mode, with our firmware below it. */
  boot(image: Loadable): void {
    const { machine, guest } = this;
    new Firmware(guest).boot(image);
    const { ram, hart } = machine;
    machine.openMemory(pmpNaturallyAligned(ram.base, ram.size));
    for (const csr of ['medeleg', 'mideleg', 'mcounteren']) hart.csrs.set(csr, 0);
    machine.host = (trap) => this.exit(trap);
    this.firstCycle = machine.cycles;
    this.enter();
  }

  /** Runs the guest until it stops, or the budget of instructions and traps is used up. */
  run(limits: { instructions?: number } = {}): RunResult {
    const before = this.hart.instret;
    this.guest.stopped = undefined;
    const { reason, message, code } = this.machine.run(limits);
    this.leave();
    const stop: Stop = { reason, message, ...(code === undefined ? {} : { code }) };
    return { ...stop, instructions: this.hart.instret - before };
  }

  report(): Report {
    const { guestUser, guestKernel } = this.cycles;
    const idle = this.guest.idleCycles;
    const hypervisor = this.machine.cycles - this.firstCycle - guestUser - guestKernel - idle;
    return {
      technique: this.technique,
      direct: { ...this.direct },
      emulated: this.emulated,
      exits: [...this.exits.values()].sort((a, b) => b.count - a.count),
      cycles: { guestUser, guestKernel, hypervisor, idle },
    };
  }

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
   * Loads and decodes the instruction at the guest's pc; undefined if it isn't one. Charged: the
   * hypervisor must do in software what the hart had done already.
   */
  instruction(): Instruction | undefined {
    this.charge(DECODE);
    const word = this.hart.peekInstruction();
    return word === undefined ? undefined : decode(word);
  }

  /** Makes a trap the guest's own: its virtual hart takes it, as a real one would. */
  reflect(trap: Trap): void {
    this.guest.takeTrap(trap);
  }

  /** Counts an instruction that was carried out for the guest. */
  countEmulated(): void {
    this.emulated++;
  }

  /** A trap of the real hart: everything between leaving the guest and entering it again. */
  private exit(trap: Trap): void {
    this.leave();
    this.charge(SAVE_GUEST);
    this.count(trap);
    this.dispatch(this, trap);
    this.settle();
    if (this.guest.finished || this.guest.stopped !== undefined) this.machine.stopped = this.guest.stopped;
    this.charge(RESTORE_GUEST);
    this.charge({ trapOut: 1 });
    this.enter();
  }

  /** The virtual hart becomes what the real hart has made of it, and the guest's time is noted. */
  private leave(): void {
    const { machine, hart } = this;
    hart.x.set(machine.hart.x);
    hart.pc = machine.hart.pc;
    const instructions = machine.hart.instret - this.entered.instret;
    // The trap itself is the hypervisor's expense: what the guest used is its instructions.
    const cycles = instructions * machine.clock.costs.instruction;
    hart.instret += instructions;
    if (hart.mode === Mode.U) {
      this.direct.user += instructions;
      this.cycles.guestUser += cycles;
    } else {
      this.direct.kernel += instructions;
      this.cycles.guestKernel += cycles;
    }
    this.entered = { cycles: machine.cycles, instret: machine.hart.instret };
  }

  /** The real hart goes on where the virtual hart is; the real timer wakes us when the virtual one is due. */
  private enter(): void {
    const { machine, hart } = this;
    const real = machine.hart;
    real.x.set(hart.x);
    real.pc = hart.pc;
    real.mode = Mode.U;
    const due = this.guest.clint.nextEvent;
    const wanted = (hart.csrs.get('mie') & (1 << (Cause.MachineTimerInterrupt & 31))) !== 0;
    real.csrs.set('mie', -1);
    // It may have become due since `settle` looked: then the guest exits again at once.
    machine.clint.riseAt(wanted ? due : Number.POSITIVE_INFINITY);
    this.entered = { cycles: machine.cycles, instret: real.instret };
  }

  /** Waits if the guest waits, and delivers the virtual interrupts that the guest is ready to take. */
  private settle(): void {
    const { guest, hart } = this;
    for (;;) {
      const cause = hart.interruptToTake();
      if (cause !== NO_TRAP) guest.takeTrap({ cause, tval: 0 });
      else if (hart.waiting && guest.stopped === undefined) guest.idle();
      else return;
    }
  }

  private count({ cause }: Trap): void {
    const word = cause < Cause.SupervisorSoftwareInterrupt ? this.hart.peekInstruction() : undefined;
    const instruction = word === undefined ? 'interrupt' : (decode(word)?.row.name ?? 'not an instruction');
    const { mode } = this.hart;
    const key = `${cause} ${mode} ${instruction}`;
    const entry = this.exits.get(key) ?? { cause, mode, instruction, count: 0 };
    entry.count++;
    this.exits.set(key, entry);
  }
}
