/**
 * A hart: registers, mode, CSRs, and the rules by which it traps, returns and takes interrupts.
 *
 * There is no fetch loop here: an engine executes instructions *on* a hart. A hypervisor uses
 * the same class without an engine, as the state that a guest believes its hart to be in.
 * Faults are values: what goes wrong during an instruction is left in `cause` and `tval`, and
 * whoever executes the instruction looks there. Read `trap.ts`, `csr-file.ts` and `mmu.ts` first.
 */
import { Cause, INTERRUPT, isInterrupt } from '../isa/causes';
import { csrMask, csrNumber } from '../isa/csrs';
import {
  LEFT_BY_TRAP,
  type Profile,
  type ProfileName,
  profileOf,
  registersLostInTraps,
} from '../isa/profiles';
import { Mode } from '../isa/registers';
import type { Bus } from './bus';
import type { Clock, Work } from './cost';
import { CsrFile, type LiveState } from './csr-file';
import { oneOf } from './given';
import type { Memory } from './memory';
import { ACCESS_FAULT, type AccessedDirty, type Leaf, Mmu } from './mmu';
import { PAGE_BYTES } from './page-table';
import { Access, Pmp } from './pmp';
import { SnapshotError, type StateStream } from './state';
import { Tlb } from './tlb';
import { NO_TRAP, type Trap } from './trap';

const MSTATUS = csrNumber('mstatus');
const MEDELEG = csrNumber('medeleg');
const MIDELEG = csrNumber('mideleg');
const MIE = csrNumber('mie');
const STATUS_MPRV = csrMask('mstatus', 'MPRV');
const STATUS_MPP = csrMask('mstatus', 'MPP');
const STATUS_SPP = csrMask('mstatus', 'SPP');
const STATUS_TSR = csrMask('mstatus', 'TSR');
const STATUS_TW = csrMask('mstatus', 'TW');
const STATUS_TVM = csrMask('mstatus', 'TVM');
const MISA = csrNumber('misa');
const MPP_SHIFT = 11;
const ASID_MASK = 0x1ff; // nine bits: Priv, Supervisor Address Translation and Protection (satp) Register

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

/** Faults by what was tried: `Access` -> the page fault and the access fault. */
const PAGE_FAULTS = {
  [Access.Read]: Cause.LoadPageFault,
  [Access.Write]: Cause.StorePageFault,
  [Access.Execute]: Cause.InstructionPageFault,
};
const ACCESS_FAULTS = {
  [Access.Read]: Cause.LoadAccessFault,
  [Access.Write]: Cause.StoreAccessFault,
  [Access.Execute]: Cause.InstructionAccessFault,
};

/** What a hart needs to know of the board around it. */
export interface Surroundings {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly timeLow: number;
  readonly timeHigh: number;
  readonly interruptLines: number;
  /** What a load or store costs that goes to a device, beyond its instruction. */
  readonly deviceWork: Work;
}

/** How a hart is built. */
export interface HartOptions {
  /** Entries of physical memory protection: 16, or 0 for a hart that has none and allows all. 16 if left out. */
  pmpEntries?: 0 | 16;
  /** Who sets the A and D bits of page-table entries: `hardware` if left out, or `fault` for software. */
  accessedDirty?: AccessedDirty;
  /** Translations that each of the two banks of the TLB holds; 64 if left out. */
  tlbEntries?: number;
  /** Whose defects it has: a profile's name, or a table of one's own. `riscv`, without any, if left out. */
  profile?: ProfileName | Profile;
  /** Where x0 to x31 and the bits of the CSRs are kept: words of its own if left out. */
  storage?: { x: Int32Array; csrs: Int32Array };
}

const TLB_ENTRIES = 64;
const NOT_RESERVED = -1;

export class Hart implements LiveState {
  /** x0 to x31; x0 stays 0. */
  readonly x: Int32Array;
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

  /** The physical address that `lr.w` has reserved, or -1. Entering a trap and returning from it end it, as on QEMU. */
  reservation = NOT_RESERVED;
  /** Told before the hart changes its mode by a trap that it takes or returns from, with the mode it was in. */
  modeEnds: ((mode: Mode) => void) | undefined;
  /** Told when software has the TLB emptied: who keeps translations for this hart must forget as much as its TLB. */
  fenced: ((va: number | undefined, asid: number | undefined) => void) | undefined;
  /** The defects that it has. */
  readonly profile: Profile;
  private readonly lostInTraps: readonly number[];
  readonly tlb: Tlb;
  readonly pmp: Pmp;
  private readonly mmu: Mmu;

  /** @throws if an option makes no sense */
  constructor(
    private readonly board: Surroundings,
    options: HartOptions = {},
  ) {
    const { tlbEntries = TLB_ENTRIES } = options;
    const pmpEntries = oneOf('pmpEntries', options.pmpEntries ?? 16, [0, 16]);
    const accessedDirty = oneOf<AccessedDirty>('accessedDirty', options.accessedDirty ?? 'hardware', [
      'hardware',
      'fault',
    ]);
    this.profile = profileOf(options.profile ?? 'riscv');
    this.lostInTraps = registersLostInTraps(this.profile);
    this.x = options.storage?.x ?? new Int32Array(32);
    this.tlb = new Tlb(tlbEntries);
    this.pmp = new Pmp(pmpEntries > 0);
    const absent = new Set(pmpEntries > 0 ? (['H'] as const) : (['H', 'pmp'] as const));
    this.csrs = new CsrFile(this, absent, options.storage?.csrs);
    const { defects } = this.profile;
    this.mmu = new Mmu(board.bus, board.clock, this.csrs, this.pmp, this.tlb, accessedDirty, defects);
  }

  get cycles(): number {
    return this.board.clock.cycles;
  }

  get timeLow(): number {
    return this.board.timeLow;
  }

  get timeHigh(): number {
    return this.board.timeHigh;
  }

  get interruptLines(): number {
    return this.board.interruptLines;
  }

  /** Keeps what is worked out from CSRs in step with them. */
  csrChanged(number: number, before: number): void {
    if (this.csrs.values[number] === before || !this.pmp.isFrom(number)) return;
    this.pmp.refresh(this.csrs);
    this.tlb.listener?.dropAll(undefined);
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

  /**
   * The physical address of `width` bytes at a virtual address, all in one page, for an access of
   * the present mode: through the TLB, by way of a page-table walk, checked by PMP.
   * @returns unsigned; or -1, and a fault is raised
   */
  translate(va: number, access: Access, width: number): number {
    const mode = access === Access.Execute ? this.mode : this.dataMode;
    const pa = this.mmu.translate(va, access, mode, width);
    if (pa >= 0) return pa;
    this.raise(pa === ACCESS_FAULT ? ACCESS_FAULTS[access] : PAGE_FAULTS[access], va);
    return -1;
  }

  /**
   * Whether what `translate` has just answered, `pa`, holds for the whole page, or for so many `bytes`
   * of it, so that an engine may keep it until `tlb.listener` tells otherwise, for the same mode in the
   * same address space with the same SUM and MXR: it is RAM, and PMP makes no difference inside it.
   */
  isWhole(pa: number, bytes = PAGE_BYTES): boolean {
    return this.board.bus.ram.holds(pa - (pa % bytes), bytes) && this.pmp.isUniform(pa, bytes);
  }

  /** The 1, 2 or 4 bytes at a virtual address, zero-extended. Raises a fault and gives 0 if it can't. */
  load(width: 1 | 2 | 4, va: number): number {
    if (crossesPage(width, va)) return this.loadAcross(width, va);
    const pa = this.translate(va, Access.Read, width);
    if (pa < 0) return 0;
    if (!this.ram.holds(pa, width)) this.board.clock.charge(this.board.deviceWork);
    const value = this.board.bus.read(width, pa);
    if (value !== undefined) return value | 0;
    this.raise(Cause.LoadAccessFault, va);
    return 0;
  }

  /** Stores the low 1, 2 or 4 bytes of `value`, or raises a fault and stores nothing. */
  store(width: 1 | 2 | 4, va: number, value: number): void {
    if (crossesPage(width, va)) {
      this.storeAcross(width, va, value);
      return;
    }
    const pa = this.translate(va, Access.Write, width);
    if (pa < 0) return;
    if (!this.ram.holds(pa, width)) this.board.clock.charge(this.board.deviceWork);
    if (!this.board.bus.write(width, pa, value)) this.raise(Cause.StoreAccessFault, va);
  }

  /** A load from two pages: byte by byte, after both have been found accessible. */
  private loadAcross(width: number, va: number): number {
    const inFirst = PAGE_BYTES - (va & (PAGE_BYTES - 1));
    const first = this.translate(va, Access.Read, inFirst);
    const second = first < 0 ? -1 : this.translate(va + inFirst, Access.Read, width - inFirst);
    if (second < 0) return 0;
    let value = 0;
    for (let n = 0; n < width; n++) {
      const byte = this.board.bus.read(1, n < inFirst ? first + n : second + n - inFirst);
      if (byte === undefined) {
        this.raise(Cause.LoadAccessFault, n < inFirst ? va : va + inFirst);
        return 0;
      }
      value |= byte << (8 * n);
    }
    return value;
  }

  /** A store to two pages. Only RAM takes one: a device could refuse after the first half is written. */
  private storeAcross(width: number, va: number, value: number): void {
    const { ram } = this.board.bus;
    const inFirst = PAGE_BYTES - (va & (PAGE_BYTES - 1));
    const first = this.translate(va, Access.Write, inFirst);
    const second = first < 0 ? -1 : this.translate(va + inFirst, Access.Write, width - inFirst);
    if (second < 0) return;
    if (!ram.holds(first, inFirst)) this.raise(Cause.StoreAccessFault, va);
    else if (!ram.holds(second, width - inFirst)) this.raise(Cause.StoreAccessFault, va + inFirst);
    else {
      for (let n = 0; n < width; n++)
        ram.write(1, n < inFirst ? first + n : second + n - inFirst, value >>> (8 * n));
    }
  }

  /**
   * The instruction at pc: its 32 bits, or 16 if it is a compressed one. Raises a fault and gives 0
   * if there is none. Only RAM holds code.
   */
  fetch(): number {
    const low = this.fetchHalf(this.pc);
    if ((low & 3) !== 3 || this.cause !== NO_TRAP) return low;
    return low | (this.fetchHalf((this.pc + 2) | 0) << 16);
  }

  private fetchHalf(va: number): number {
    const pa = this.translate(va, Access.Execute, 2);
    if (pa < 0) return 0;
    if (this.board.bus.ram.holds(pa, 2)) return this.board.bus.ram.read(2, pa);
    this.raise(Cause.InstructionAccessFault, va);
    return 0;
  }

  /** The instruction at pc, for those who only look: undefined where there is none to fetch. */
  peekInstruction(): number | undefined {
    const pa = this.mmu.peek(this.pc, Access.Execute, this.mode);
    if (pa < 0 || !this.ram.holds(pa, 2)) return undefined;
    const low = this.ram.read(2, pa);
    if ((low & 3) !== 3) return low;
    if (!crossesPage(4, this.pc) && this.ram.holds(pa, 4)) return this.ram.read(4, pa);
    const high = this.peekHalf((this.pc + 2) | 0);
    return high === undefined ? undefined : low | (high << 16);
  }

  private peekHalf(va: number): number | undefined {
    const { ram } = this.board.bus;
    const pa = this.mmu.peek(va, Access.Execute, this.mode);
    return pa >= 0 && ram.holds(pa, 2) ? ram.read(2, pa) : undefined;
  }

  /** Where a virtual address leads in the present mode, for those who only look; undefined: to a fault. */
  peek(va: number, access = Access.Read): number | undefined {
    const pa = this.mmu.peek(va, access, access === Access.Execute ? this.mode : this.dataMode);
    return pa < 0 ? undefined : pa;
  }

  /**
   * The page-table entry that ends the walk for a virtual address, whatever its rights, for those who only
   * look; undefined where the walk faults, and while paging is off.
   */
  leafOf(va: number): Leaf | undefined {
    return this.mmu.leafOf(va);
  }

  /** The word at an aligned address, which is then reserved. What `lr.w` does. */
  loadReserved(va: number): number {
    if ((va & 3) !== 0) this.raise(Cause.LoadAddressMisaligned, va);
    const pa = this.cause === NO_TRAP ? this.translate(va, Access.Read, 4) : -1;
    if (pa < 0) return 0;
    const { ram } = this.board.bus;
    if (!ram.holds(pa, 4)) {
      this.raise(Cause.LoadAccessFault, va);
      return 0;
    }
    this.reservation = pa;
    return ram.read(4, pa);
  }

  /** What `sc.w` does: stores if the word is still reserved; the reservation is gone either way. */
  storeConditional(va: number, value: number): boolean {
    const pa = this.atomicAddress(va);
    if (pa < 0) return false;
    const isReserved = this.reservation === pa;
    this.reservation = NOT_RESERVED;
    if (isReserved) this.board.bus.ram.write(4, pa, value);
    return isReserved;
  }

  /**
   * The physical address of a word that will be read and written in one go, or -1 with a fault
   * raised: it must be aligned, writable and RAM. Priv, Atomicity PMAs.
   */
  atomicAddress(va: number): number {
    if ((va & 3) !== 0) {
      this.raise(Cause.StoreAddressMisaligned, va);
      return -1;
    }
    const pa = this.translate(va, Access.Write, 4);
    if (pa < 0 || this.board.bus.ram.holds(pa, 4)) return pa;
    this.raise(Cause.StoreAccessFault, va);
    return -1;
  }

  /** RAM, for what is done at an address that `atomicAddress` gave. */
  get ram(): Memory {
    return this.board.bus.ram;
  }

  /**
   * What `sfence.vma` does; undefined stands for x0. Raises illegal instruction if TVM forbids it.
   * Priv, Supervisor Memory-Management Fence Instruction.
   */
  fenceTranslations(va: number | undefined, asid: number | undefined): void {
    if (this.mode === Mode.S && (this.csrs.values[MSTATUS] & STATUS_TVM) !== 0)
      this.raise(Cause.IllegalInstruction, 0);
    else this.forgetTranslations(va, asid);
  }

  /** Empties the TLB, of what is said of the page at `va` and of the address space `asid`, or of all. */
  forgetTranslations(va?: number, asid?: number): void {
    const space = asid === undefined ? undefined : asid & ASID_MASK;
    this.tlb.flush(va, space);
    this.fenced?.(va, space);
  }

  /** Whether `misa` has this letter. */
  hasExtension(letter: string): boolean {
    return ((this.csrs.values[MISA] >>> (letter.charCodeAt(0) - 'A'.charCodeAt(0))) & 1) !== 0;
  }

  /**
   * Where `translate` would lead for an access within a page, as long as that changes nothing and takes
   * no time; else -1. For engines that keep translations.
   */
  translateKnown(va: number, access: Access): number {
    const mode = access === Access.Execute ? this.mode : this.dataMode;
    return this.mmu.translateKnown(va, access, mode);
  }

  /** Whether addresses are physical for accesses with the rights of `mode`, wherever they lead. */
  addressesArePhysical(mode: Mode): boolean {
    return this.mmu.isPhysical(mode);
  }

  /** The number of the address space that accesses with the rights of `mode` are looked up in; undefined: their addresses are physical. */
  asidOf(mode: Mode): number | undefined {
    return mode === Mode.M || !this.mmu.isPaging ? undefined : this.mmu.asid;
  }

  /** The mode whose rights loads and stores have: Priv, Memory Privilege in mstatus Register. */
  get dataMode(): Mode {
    const status = this.csrs.values[MSTATUS];
    const modified = this.mode === Mode.M && (status & STATUS_MPRV) !== 0;
    return modified ? (status & STATUS_MPP) >>> MPP_SHIFT : this.mode;
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

  /** What every trap and every return from one does to a reservation. */
  forgetReservation(): void {
    this.reservation = NOT_RESERVED;
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

/** Whether bytes lie in two pages. */
function crossesPage(width: number, va: number): boolean {
  return (va & (PAGE_BYTES - 1)) + width > PAGE_BYTES;
}
