/**
 * A hart: registers, mode, CSRs, and the rules by which it traps, returns and takes interrupts.
 *
 * There is no fetch loop here: an engine executes instructions *on* a hart. A hypervisor uses
 * the same class without an engine, as the state that a guest believes its hart to be in.
 * Faults are values: what goes wrong during an instruction is left in `cause` and `tval`, and
 * whoever executes the instruction looks there. Read `trap.ts`, `csr-file.ts` and `pmp.ts` first.
 */
import { Cause, INTERRUPT, isInterrupt } from '../isa/causes';
import { csrMask, csrNumber } from '../isa/csrs';
import { Mode } from '../isa/registers';
import type { Bus } from './bus';
import { CsrFile, type LiveState } from './csr-file';
import { Access, pmpAllows } from './pmp';
import { NO_TRAP, type Trap } from './trap';

const MSTATUS = csrNumber('mstatus');
const MEDELEG = csrNumber('medeleg');
const MIDELEG = csrNumber('mideleg');
const MIE = csrNumber('mie');
const MIP = csrNumber('mip');
const STATUS_MPRV = csrMask('mstatus', 'MPRV');
const STATUS_MPP = csrMask('mstatus', 'MPP');
const STATUS_SPP = csrMask('mstatus', 'SPP');
const STATUS_TSR = csrMask('mstatus', 'TSR');
const STATUS_TW = csrMask('mstatus', 'TW');
const MPP_SHIFT = 11;

/** The names that a trap into a mode and the return from it go by. */
const TRAP_CSRS = {
  [Mode.M]: {
    tvec: csrNumber('mtvec'),
    epc: csrNumber('mepc'),
    cause: csrNumber('mcause'),
    tval: csrNumber('mtval'),
    enable: csrMask('mstatus', 'MIE'),
    previousEnable: csrMask('mstatus', 'MPIE'),
  },
  [Mode.S]: {
    tvec: csrNumber('stvec'),
    epc: csrNumber('sepc'),
    cause: csrNumber('scause'),
    tval: csrNumber('stval'),
    enable: csrMask('mstatus', 'SIE'),
    previousEnable: csrMask('mstatus', 'SPIE'),
  },
};

/** Pending interrupts are taken in this order. Priv, Machine Interrupt (mip and mie) Registers. */
const INTERRUPT_PRIORITY = [
  Cause.MachineExternalInterrupt,
  Cause.MachineSoftwareInterrupt,
  Cause.MachineTimerInterrupt,
  Cause.SupervisorExternalInterrupt,
  Cause.SupervisorSoftwareInterrupt,
  Cause.SupervisorTimerInterrupt,
];

/** What a hart needs to know of the board around it. */
export interface Surroundings {
  readonly bus: Bus;
  readonly cycles: number;
  readonly time: number;
  readonly interruptLines: number;
}

export class Hart implements LiveState {
  /** x0 to x31; x0 stays 0. */
  readonly x = new Int32Array(32);
  /** The address of the next instruction. int32. */
  pc = 0;
  mode: Mode = Mode.M;
  readonly csrs: CsrFile;
  /** Instructions retired since reset. */
  instret = 0;
  /** Stopped by `wfi` until an interrupt is pending. */
  waiting = false;
  /** Why the instruction at hand trapped, or NO_TRAP; with the value for `xtval`. */
  cause: Cause | typeof NO_TRAP = NO_TRAP;
  tval = 0;

  constructor(private readonly board: Surroundings) {
    this.csrs = new CsrFile(this);
  }

  get cycles(): number {
    return this.board.cycles;
  }

  get time(): number {
    return this.board.time;
  }

  get interruptLines(): number {
    return this.board.interruptLines;
  }

  /** Notes that the instruction at hand traps. The first reason stands. */
  raise(cause: Cause, tval: number): void {
    if (this.cause !== NO_TRAP) return;
    this.cause = cause;
    this.tval = tval | 0;
  }

  /** The trap that the instruction at hand raised, if it did; the hart forgets it. */
  takeRaised(): Trap | undefined {
    if (this.cause === NO_TRAP) return undefined;
    const trap = { cause: this.cause as Cause, tval: this.tval };
    this.cause = NO_TRAP;
    return trap;
  }

  /** The 1, 2 or 4 bytes at a virtual address, zero-extended. Raises a fault and gives 0 if it can't. */
  load(width: 1 | 2 | 4, va: number): number {
    const pa = va >>> 0;
    if (pmpAllows(this.csrs, this.dataMode, Access.Read, pa, width)) {
      const value = this.board.bus.read(width, pa);
      if (value !== undefined) return value;
    }
    this.raise(Cause.LoadAccessFault, va);
    return 0;
  }

  /** Stores the low 1, 2 or 4 bytes of `value`, or raises a fault. */
  store(width: 1 | 2 | 4, va: number, value: number): void {
    const pa = va >>> 0;
    const allowed = pmpAllows(this.csrs, this.dataMode, Access.Write, pa, width);
    if (!allowed || !this.board.bus.write(width, pa, value)) this.raise(Cause.StoreAccessFault, va);
  }

  /** The instruction word at pc. Raises a fault and gives 0 if there is none. Only RAM holds code. */
  fetch(): number {
    const pa = this.pc >>> 0;
    const { ram } = this.board.bus;
    if (ram.holds(pa, 4) && pmpAllows(this.csrs, this.mode, Access.Execute, pa, 4)) return ram.read(4, pa);
    this.raise(Cause.InstructionAccessFault, this.pc);
    return 0;
  }

  /** The instruction word at pc, for those who only look: undefined where there is none to fetch. */
  peekInstruction(): number | undefined {
    const { ram } = this.board.bus;
    const pa = this.pc >>> 0;
    return ram.holds(pa, 4) ? ram.read(4, pa) : undefined;
  }

  /** The mode whose rights loads and stores have: Priv, Memory Privilege in mstatus Register. */
  private get dataMode(): Mode {
    const status = this.csrs.read(MSTATUS);
    const modified = this.mode === Mode.M && (status & STATUS_MPRV) !== 0;
    return modified ? (status & STATUS_MPP) >>> MPP_SHIFT : this.mode;
  }

  /** The mode that a trap goes to: S if it is delegated and the hart is not in M, else M. */
  trapTarget(cause: Cause): Mode.S | Mode.M {
    const delegated = this.csrs.read(isInterrupt(cause) ? MIDELEG : MEDELEG);
    return this.mode !== Mode.M && (delegated >>> (cause & 31)) & 1 ? Mode.S : Mode.M;
  }

  /** Enters the trap handler of mode `target`. Priv, Privilege and Global Interrupt-Enable Stack. */
  enterTrap(target: Mode.S | Mode.M, { cause, tval }: Trap): void {
    const names = TRAP_CSRS[target];
    this.csrs.write(names.epc, this.pc);
    this.csrs.write(names.cause, cause);
    this.csrs.write(names.tval, tval);
    const status = this.csrs.read(MSTATUS);
    const wasEnabled = (status & names.enable) !== 0;
    const previousMode = target === Mode.M ? this.mode << MPP_SHIFT : this.mode === Mode.S ? STATUS_SPP : 0;
    const cleared = names.enable | names.previousEnable | (target === Mode.M ? STATUS_MPP : STATUS_SPP);
    this.csrs.modify(MSTATUS, previousMode | (wasEnabled ? names.previousEnable : 0), cleared);
    const tvec = this.csrs.read(names.tvec);
    const vectored = (tvec & 1) !== 0 && isInterrupt(cause);
    this.pc = ((tvec & ~3) + (vectored ? 4 * (cause & 31) : 0)) | 0;
    this.mode = target;
    this.waiting = false;
  }

  /**
   * What `mret` and `sret` do: restores mode and interrupt enable.
   * Raises illegal instruction for an `sret` that `mstatus.TSR` forbids.
   * @returns the address to continue at
   */
  returnFromTrap(from: Mode): number {
    const names = TRAP_CSRS[from === Mode.M ? Mode.M : Mode.S];
    const status = this.csrs.read(MSTATUS);
    if (from === Mode.S && this.mode === Mode.S && (status & STATUS_TSR) !== 0) {
      this.raise(Cause.IllegalInstruction, 0);
      return 0;
    }
    const previousField = from === Mode.M ? STATUS_MPP : STATUS_SPP;
    const wasEnabled = (status & names.previousEnable) !== 0;
    this.mode =
      from === Mode.M ? (status & STATUS_MPP) >>> MPP_SHIFT : (status & STATUS_SPP) !== 0 ? Mode.S : Mode.U;
    const loseMprv = this.mode === Mode.M ? 0 : STATUS_MPRV;
    this.csrs.modify(
      MSTATUS,
      names.previousEnable | (wasEnabled ? names.enable : 0),
      names.enable | previousField | loseMprv,
    );
    return this.csrs.read(names.epc);
  }

  /** What `wfi` does: waits, or raises illegal instruction where it may not. Priv, Wait for Interrupt. */
  waitForInterrupt(): void {
    const timeout = (this.csrs.read(MSTATUS) & STATUS_TW) !== 0;
    if (this.mode === Mode.U || (this.mode === Mode.S && timeout)) this.raise(Cause.IllegalInstruction, 0);
    else this.waiting = true;
  }

  /** Whether an enabled interrupt is pending, taken or not: what ends a `wfi`. */
  get interruptPending(): boolean {
    return (this.csrs.read(MIP) & this.csrs.read(MIE)) !== 0;
  }

  /** The interrupt that must be taken now, or NO_TRAP. Priv, Machine Interrupt (mip and mie) Registers. */
  interruptToTake(): Cause | typeof NO_TRAP {
    const pending = this.csrs.read(MIP) & this.csrs.read(MIE);
    if (pending === 0) return NO_TRAP;
    const status = this.csrs.read(MSTATUS);
    const delegated = this.csrs.read(MIDELEG);
    const enabledIn = (mode: Mode.M | Mode.S) =>
      this.mode < mode || (this.mode === mode && (status & TRAP_CSRS[mode].enable) !== 0);
    const takable =
      (enabledIn(Mode.M) ? pending & ~delegated : 0) || (enabledIn(Mode.S) ? pending & delegated : 0);
    return INTERRUPT_PRIORITY.find((cause) => (takable >>> (cause - INTERRUPT)) & 1) ?? NO_TRAP;
  }
}
