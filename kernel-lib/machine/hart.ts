/**
 * A hart: what it keeps (`hart-memory.ts`), and the rules by which it traps, returns and takes interrupts.
 *
 * There is no fetch loop here: an engine executes instructions *on* a hart. A hypervisor uses
 * the same class without an engine, as the state that a guest believes its hart to be in.
 * Read `trap.ts`, `csr-file.ts` and `hart-memory.ts` first.
 */
import { Cause, INTERRUPT, isInterrupt } from '../isa/causes';
import { csrMask, csrNumber } from '../isa/csrs';
import { LEFT_BY_TRAP, registersLostInTraps } from '../isa/profiles';
import { Mode } from '../isa/registers';
import { HartMemory, type HartOptions, MPP_SHIFT, type Surroundings } from './hart-memory';
import { SnapshotError, type StateStream } from './state';
import { NO_TRAP, type Trap } from './trap';

export type { HartOptions, Surroundings } from './hart-memory';

const MSTATUS = csrNumber('mstatus');
const MEDELEG = csrNumber('medeleg');
const MIDELEG = csrNumber('mideleg');
const MIE = csrNumber('mie');
const STATUS_MPRV = csrMask('mstatus', 'MPRV');
const STATUS_MPP = csrMask('mstatus', 'MPP');
const STATUS_SPP = csrMask('mstatus', 'SPP');
const STATUS_TSR = csrMask('mstatus', 'TSR');
const STATUS_TW = csrMask('mstatus', 'TW');

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

export class Hart extends HartMemory {
  /** Stopped by `wfi` until an interrupt is pending. */
  waiting = false;
  /** Told before the hart changes its mode by a trap that it takes or returns from, with the mode it was in. */
  modeEnds: ((mode: Mode) => void) | undefined;
  private readonly lostInTraps: readonly number[];

  /** @throws if an option makes no sense */
  constructor(board: Surroundings, options: HartOptions = {}) {
    super(board, options);
    this.lostInTraps = registersLostInTraps(this.profile);
  }

  /** The mode that a trap goes to: S if it is delegated and the hart is not in M, else M. */
  trapTarget(cause: Cause): Mode.S | Mode.M {
    const delegated = this.csrs.values[isInterrupt(cause) ? MIDELEG : MEDELEG];
    return this.mode !== Mode.M && (delegated >>> (cause & 31)) & 1 ? Mode.S : Mode.M;
  }

  /** Whether someone must hear of every trap, or more comes of it than of a trap on other machines. */
  get trapsAreSpecial(): boolean {
    return this.modeEnds !== undefined || this.lostInTraps.length > 0;
  }

  /** Destroys the registers that no trap of this profile leaves alone. */
  loseRegisters(): void {
    for (const register of this.lostInTraps) this.x[register] = LEFT_BY_TRAP;
  }

  /** Enters the trap handler of mode `target`. Priv, Privilege and Global Interrupt-Enable Stack. */
  enterTrap(target: Mode.S | Mode.M, { cause, tval }: Trap): void {
    const names = TRAP_CSRS[target];
    this.csrs.write(names.epc, this.pc);
    this.csrs.write(names.cause, cause);
    this.csrs.write(names.tval, tval);
    const status = this.csrs.values[MSTATUS];
    const wasEnabled = (status & names.enable) !== 0;
    const previousMode = target === Mode.M ? this.mode << MPP_SHIFT : this.mode === Mode.S ? STATUS_SPP : 0;
    const cleared = names.enable | names.previousEnable | (target === Mode.M ? STATUS_MPP : STATUS_SPP);
    this.csrs.modify(MSTATUS, previousMode | (wasEnabled ? names.previousEnable : 0), cleared);
    const tvec = this.csrs.read(names.tvec);
    const vectored = (tvec & 1) !== 0 && isInterrupt(cause);
    this.modeEnds?.(this.mode);
    this.pc = ((tvec & ~3) + (vectored ? 4 * (cause & 31) : 0)) | 0;
    this.mode = target;
    this.waiting = false;
    this.forgetReservation();
  }

  /**
   * What `mret` and `sret` do: restores mode and interrupt enable.
   * Raises illegal instruction for an `sret` that `mstatus.TSR` forbids.
   * @returns the address to continue at
   */
  returnFromTrap(from: Mode): number {
    const names = TRAP_CSRS[from === Mode.M ? Mode.M : Mode.S];
    const status = this.csrs.values[MSTATUS];
    if (from === Mode.S && this.mode === Mode.S && (status & STATUS_TSR) !== 0) {
      this.raise(Cause.IllegalInstruction, 0);
      return 0;
    }
    const previousField = from === Mode.M ? STATUS_MPP : STATUS_SPP;
    const wasEnabled = (status & names.previousEnable) !== 0;
    this.modeEnds?.(this.mode);
    this.forgetReservation();
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
    const timeout = (this.csrs.values[MSTATUS] & STATUS_TW) !== 0;
    if (this.mode === Mode.U || (this.mode === Mode.S && timeout)) this.raise(Cause.IllegalInstruction, 0);
    else this.waiting = true;
  }

  /** Whether an enabled interrupt is pending, taken or not: what ends a `wfi`. */
  get interruptPending(): boolean {
    return (this.csrs.pendingInterrupts & this.csrs.values[MIE]) !== 0;
  }

  /** The interrupt that must be taken now, or NO_TRAP. Priv, Machine Interrupt (mip and mie) Registers. */
  interruptToTake(): Cause | typeof NO_TRAP {
    const enabled = this.csrs.values[MIE];
    const pending = enabled === 0 ? 0 : this.csrs.pendingInterrupts & enabled;
    return pending === 0 ? NO_TRAP : this.firstTakable(pending);
  }

  /** Of pending and enabled interrupts the one that the hart takes in its present mode, or NO_TRAP. */
  private firstTakable(pending: number): Cause | typeof NO_TRAP {
    const status = this.csrs.values[MSTATUS];
    const delegated = this.csrs.values[MIDELEG];
    const enabledIn = (mode: Mode.M | Mode.S) =>
      this.mode < mode || (this.mode === mode && (status & TRAP_CSRS[mode].enable) !== 0);
    const takable =
      (enabledIn(Mode.M) ? pending & ~delegated : 0) || (enabledIn(Mode.S) ? pending & delegated : 0);
    return INTERRUPT_PRIORITY.find((cause) => (takable >>> (cause - INTERRUPT)) & 1) ?? NO_TRAP;
  }

  /** Saves or restores its state. */
  exchange(stream: StateStream): void {
    stream.array(this.x);
    this.pc = stream.number(this.pc);
    const mode = stream.number(this.mode);
    if (Mode[mode] === undefined)
      throw new SnapshotError(`The snapshot is damaged: there is no mode ${mode}.`);
    this.mode = mode;
    this.instret = stream.number(this.instret);
    this.waiting = stream.boolean(this.waiting);
    this.cause = stream.number(this.cause);
    this.tval = stream.number(this.tval);
    this.reservation = stream.number(this.reservation);
    this.csrs.exchange(stream);
    this.pmp.refresh(this.csrs);
    this.tlb.exchange(stream);
  }
}
