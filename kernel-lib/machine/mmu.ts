/**
 * Address translation: from virtual to physical addresses, through the TLB, else by walking the
 * page table in memory; and the rights that the page and PMP give.
 *
 * A fault is a value: `translate` answers with a negative number that says which kind.
 * Read `page-table.ts`, `tlb.ts` and `pmp.ts` first. Priv, Virtual Address Translation Process.
 */
import { csrMask, csrNumber } from '../isa/csrs';
import type { Defect, WindowDefect } from '../isa/profiles';
import { Mode } from '../isa/registers';
import type { Bus } from './bus';
import type { Clock } from './cost';
import type { CsrFile } from './csr-file';
import { isLeaf, isValid, PAGE_BYTES, Pte, ppnOf, SUPERPAGE_BYTES, vpn } from './page-table';
import { Access, type Pmp } from './pmp';
import type { Tlb } from './tlb';

/** What `translate` answers in the place of an address. */
export const PAGE_FAULT = -1;
export const ACCESS_FAULT = -2;

const MSTATUS = csrNumber('mstatus');
const SATP = csrNumber('satp');
const MXR = csrMask('mstatus', 'MXR');
const SUM = csrMask('mstatus', 'SUM');
const ASID_SHIFT = 22;
const ASID_MASK = csrMask('satp', 'ASID') >>> ASID_SHIFT;
const PPN_MASK = csrMask('satp', 'PPN');
const PTE_BYTES = 4;
const PHYSICAL_SPACE = 2 ** 32;

/** Who sets the A and D bits of a page-table entry: the hart, or software after a page fault. */
export type AccessedDirty = 'hardware' | 'fault';

/** A page-table entry that ends a walk. */
export interface Leaf {
  /** Where it is: its physical address. */
  at: number;
  pte: number;
  /** Whether it is for 4 MiB. */
  isSuperpage: boolean;
}

export class Mmu {
  /** Where the last walk ended: the leaf, and its level. */
  private leaf = 0;
  private level = 0;
  /** Where U mode can't load or store at all: a defect of the profile. */
  private readonly window: WindowDefect | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly clock: Clock,
    private readonly csrs: CsrFile,
    private readonly pmp: Pmp,
    private readonly tlb: Tlb,
    private readonly accessedDirty: AccessedDirty,
    defects: readonly Defect[],
  ) {
    this.window = defects.find((defect) => defect.kind === 'window');
  }

  /** Whether S and U mode's addresses are virtual. */
  get isPaging(): boolean {
    return this.csrs.values[SATP] < 0; // MODE is the sign bit
  }

  /** The address space that is current. */
  get asid(): number {
    return (this.csrs.values[SATP] >>> ASID_SHIFT) & ASID_MASK;
  }

  /**
   * The physical address for an access of `mode` to `width` bytes at `va`, all in one page.
   * Fills the TLB and sets A and D on the way; a walk costs time.
   * @returns unsigned, below 2 ** 32; or PAGE_FAULT or ACCESS_FAULT
   */
  translate(va: number, access: Access, mode: Mode, width: number): number {
    if (this.window !== undefined && mode === Mode.U && isBarred(this.window, va, access))
      return ACCESS_FAULT;
    const pa = mode === Mode.M || !this.isPaging ? va >>> 0 : this.lookUp(va, access, mode);
    if (pa < 0) return pa;
    return pa < PHYSICAL_SPACE && this.pmp.allows(mode, access, pa, width) ? pa : ACCESS_FAULT;
  }

  /** What `translate` would answer if that took no walk; else PAGE_FAULT. Changes nothing. */
  translateKnown(va: number, access: Access, mode: Mode): number {
    if (mode === Mode.M || !this.isPaging) return this.translate(va, access, mode, 1);
    const index = this.tlb.find(access === Access.Execute, va, this.asid);
    const isClean = access === Access.Write && index >= 0 && (this.tlb.pte(index) & Pte.D) === 0;
    const isKnown = index >= 0 && !isClean && this.permits(this.tlb.pte(index), access, mode);
    return isKnown ? this.translate(va, access, mode, 1) : PAGE_FAULT;
  }

  /** Whether no address of `mode` is translated or barred. */
  isPhysical(mode: Mode): boolean {
    return (mode === Mode.M || !this.isPaging) && (this.window === undefined || mode !== Mode.U);
  }

  /** What `translate` would answer, for those who only look: nothing changes and nothing is charged. */
  peek(va: number, access: Access, mode: Mode): number {
    if (mode === Mode.M || !this.isPaging) return va >>> 0;
    const fault = this.walk(va);
    if (fault < 0) return fault;
    if (!this.permits(this.leaf, access, mode)) return PAGE_FAULT;
    return physical(this.leaf, this.level === 1, va);
  }

  /** The leaf that `va` leads to, whatever its rights; undefined where the walk faults. Changes nothing. */
  leafOf(va: number): Leaf | undefined {
    const at = this.isPaging ? this.walk(va) : PAGE_FAULT;
    return at < 0 ? undefined : { at, pte: this.leaf, isSuperpage: this.level === 1 };
  }

  /** Slow path of every access under paging: the TLB, and the page table if need be. */
  private lookUp(va: number, access: Access, mode: Mode): number {
    const { tlb } = this;
    const isFetch = access === Access.Execute;
    const index = tlb.find(isFetch, va, this.asid);
    if (index >= 0) {
      const pte = tlb.pte(index);
      const isClean = access === Access.Write && (pte & Pte.D) === 0;
      if (!isClean && this.permits(pte, access, mode)) {
        tlb.hits++;
        return physical(pte, tlb.isSuperpage(index), va);
      }
    }
    // Rights that are missing may have been granted since: look before faulting, as QEMU does.
    tlb.misses++;
    return this.walkAndFill(va, access, mode);
  }

  private walkAndFill(va: number, access: Access, mode: Mode): number {
    const at = this.walk(va);
    this.clock.cycles += (at < 0 ? 1 : 2 - this.level) * this.clock.costs.pageTableRead;
    if (at < 0) return at;
    if (!this.permits(this.leaf, access, mode)) return PAGE_FAULT;
    const wanted = Pte.A | (access === Access.Write ? Pte.D : 0);
    if ((this.leaf & wanted) !== wanted) {
      if (this.accessedDirty === 'fault') return PAGE_FAULT;
      if (!this.pmp.allows(Mode.S, Access.Write, at, PTE_BYTES)) return ACCESS_FAULT;
      this.leaf |= wanted;
      this.bus.ram.write(PTE_BYTES, at, this.leaf);
    }
    const isSuperpage = this.level === 1;
    this.tlb.fill(access === Access.Execute, va, this.asid, this.leaf, isSuperpage);
    return physical(this.leaf, isSuperpage, va);
  }

  /**
   * Follows the page table to the leaf for `va`, which it leaves in `leaf` and `level`.
   * @returns the physical address of the leaf, PAGE_FAULT or ACCESS_FAULT
   */
  private walk(va: number): number {
    const { ram } = this.bus;
    let table = (this.csrs.values[SATP] & PPN_MASK) * PAGE_BYTES;
    for (let level = 1; level >= 0; level--) {
      const at = table + vpn(va, level) * PTE_BYTES;
      const isReadable = ram.holds(at, PTE_BYTES) && this.pmp.allows(Mode.S, Access.Read, at, PTE_BYTES);
      if (!isReadable) return ACCESS_FAULT;
      const pte = ram.read(PTE_BYTES, at);
      if (!isValid(pte, level)) return PAGE_FAULT;
      if (isLeaf(pte)) {
        this.leaf = pte;
        this.level = level;
        return at;
      }
      table = ppnOf(pte) * PAGE_BYTES;
    }
    return PAGE_FAULT;
  }

  /** Whether a leaf's bits allow an access: R, W, X and U, with SUM and MXR. */
  private permits(pte: number, access: Access, mode: Mode): boolean {
    const status = this.csrs.values[MSTATUS];
    if (mode === Mode.U) {
      if ((pte & Pte.U) === 0) return false;
    } else if ((pte & Pte.U) !== 0 && (access === Access.Execute || (status & SUM) === 0)) return false;
    if (access === Access.Read) return (pte & (Pte.R | ((status & MXR) !== 0 ? Pte.X : 0))) !== 0;
    return (pte & (access === Access.Write ? Pte.W : Pte.X)) !== 0;
  }
}

function isBarred({ low, bytes }: WindowDefect, va: number, access: Access): boolean {
  return access !== Access.Execute && va >>> 0 >= low && (va >>> 0) - low < bytes;
}

function physical(pte: number, isSuperpage: boolean, va: number): number {
  const bytes = isSuperpage ? SUPERPAGE_BYTES : PAGE_BYTES;
  return ppnOf(pte) * PAGE_BYTES + (va & (bytes - 1));
}
