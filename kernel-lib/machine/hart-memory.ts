/**
 * What a hart keeps, and how it reaches memory: registers, mode and CSRs; loads, stores, fetches and
 * reservations, all by way of its MMU.
 *
 * Faults are values: what goes wrong during an instruction is left in `cause` and `tval`, and whoever
 * executes the instruction looks there. The traps that come of it are in `hart.ts`. Read `csr-file.ts`
 * and `mmu.ts` first.
 */
import { Cause } from '../isa/causes';
import { csrMask, csrNumber } from '../isa/csrs';
import { type Profile, type ProfileName, profileOf } from '../isa/profiles';
import { Mode } from '../isa/registers';
import type { Bus } from './bus';
import type { Clock, Work } from './cost';
import { CsrFile, type LiveState } from './csr-file';
import { oneOf } from './given';
import type { Memory } from './memory';
import { ACCESS_FAULT, type AccessedDirty, type Leaf, Mmu } from './mmu';
import { PAGE_BYTES } from './page-table';
import { Access, Pmp } from './pmp';
import { Tlb } from './tlb';
import { NO_TRAP, type Trap } from './trap';

const MSTATUS = csrNumber('mstatus');
const STATUS_MPRV = csrMask('mstatus', 'MPRV');
const STATUS_MPP = csrMask('mstatus', 'MPP');
const STATUS_TVM = csrMask('mstatus', 'TVM');
const MISA = csrNumber('misa');
/** Where `mstatus.MPP` begins. */
export const MPP_SHIFT = 11;
const ASID_MASK = 0x1ff; // nine bits: Priv, Supervisor Address Translation and Protection (satp) Register

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

export class HartMemory implements LiveState {
  /** x0 to x31; x0 stays 0. */
  readonly x: Int32Array;
  /** The address of the next instruction. int32. */
  pc = 0;
  mode: Mode = Mode.M;
  readonly csrs: CsrFile;
  /** Instructions retired since reset. */
  instret = 0;
  /** Why the instruction at hand trapped, or NO_TRAP; with the value for `xtval`. */
  cause: Cause | typeof NO_TRAP = NO_TRAP;
  tval = 0;

  /** The physical address that `lr.w` has reserved, or -1. Entering a trap and returning from it end it, as on QEMU. */
  reservation = NOT_RESERVED;
  /** Told when software has the TLB emptied: who keeps translations for this hart must forget as much as its TLB. */
  fenced: ((va: number | undefined, asid: number | undefined) => void) | undefined;
  /** The defects that it has. */
  readonly profile: Profile;
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

  /** What every trap and every return from one does to a reservation. */
  forgetReservation(): void {
    this.reservation = NOT_RESERVED;
  }
}

/** Whether bytes lie in two pages. */
function crossesPage(width: number, va: number): boolean {
  return (va & (PAGE_BYTES - 1)) + width > PAGE_BYTES;
}
