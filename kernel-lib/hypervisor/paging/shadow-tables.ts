/**
 * Shadow page tables: Sv32 tables in the hypervisor's frames, which the real hart follows.
 *
 * The guest's `satp` names one of its address spaces. For each there is a shadow per view (see
 * `paging.ts`), with an ASID of its own, so that the guest's changes of mode flush nothing. A
 * guest that has paging off gets an identity map, made at once, of superpages. Where a guest has
 * no RAM, a page leads to an address that PMP bars: the access faults and is the device's.
 *
 * This file is the mechanism; what is filled when is in `shadow.ts` and the files after it.
 */
import { csrMask, csrNumber } from '../../isa/csrs';
import { CLEAR_FRAME, FLUSH_TLB } from '../../machine/cost';
import {
  isLeaf,
  makePte,
  PAGE_BYTES,
  Pte,
  ppnOf,
  SUPERPAGE_BYTES,
  TABLE_ENTRIES,
  vpn,
} from '../../machine/page-table';
import { type FixedPage, type PagedVm, View } from './paging';

const SATP = csrNumber('satp');
const MODE_SV32 = csrMask('satp', 'MODE');
const ASID_SHIFT = 22;
const ASID_MASK = csrMask('satp', 'ASID') >>> ASID_SHIFT;
const PTE_BYTES = 4;
const RIGHTS = Pte.R | Pte.W | Pte.X;
/** In every entry of ours: the hart need not write them, so it never writes into the tables. */
const PRESENT = Pte.V | Pte.A | Pte.D;
/** Where accesses end that are no RAM's: nothing is there, and PMP lets nobody in. */
const BARRED_PPN = 0;
/** With fewer frames, the tables that one instruction may need do not fit. */
const FEWEST_FRAMES = 16;

/** A root table of ours. */
export interface Root {
  readonly view: View;
  readonly pa: number;
  /** Physical addresses of its lower tables. */
  readonly tables: Set<number>;
  asid: number;
  /** Of the ASIDs, when `asid` was taken. */
  generation: number;
}

/** The shadows of one of the guest's address spaces. */
export interface Space {
  /** The guest's `satp`. */
  readonly satp: number;
  /** By view. */
  readonly roots: (Root | undefined)[];
}

/** What the guest may still do itself with a page that is watched: read and execute it, or nothing. */
export type Watch = 'readable' | 'hidden';

export class ShadowTables {
  private readonly spaces = new Map<number, Space>();
  /** Of a guest that has paging off. */
  private readonly bare: Space = { satp: 0, roots: [] };
  /** Guest-physical pages that are watched, by number: by whom, and how. */
  private readonly watched = new Map<number, Map<string, Watch>>();
  /** By virtual page number. */
  private readonly fixed = new Map<number, FixedPage>();
  private readonly words: Int32Array;
  /** Told of a root that is new and empty. */
  made: ((space: Space, root: Root) => void) | undefined;
  /** Told when all shadows of an address space are gone. */
  dropped: ((space: Space) => void) | undefined;

  /** @throws RangeError if the VM has too few frames */
  constructor(private readonly vm: PagedVm) {
    const { bytes } = vm.machine.ram;
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    if (vm.frames.available < FEWEST_FRAMES) {
      throw new RangeError(
        `${vm.frames.available} frames are too few for shadow page tables. ` +
          `Give the machine more RAM, or the VM less: at least ${FEWEST_FRAMES} pages must be left.`,
      );
    }
  }

  /** Whether the guest has paging on. */
  get isPaging(): boolean {
    return this.vm.guest.hart.csrs.values[SATP] < 0;
  }

  /** The shadows that there are of address spaces. */
  get all(): Iterable<Space> {
    return this.spaces.values();
  }

  /** The real `satp` for what the guest sees now. */
  activate(): number {
    const { asids } = this.vm;
    const root = this.root();
    if (root.generation !== asids.generation) {
      root.asid = asids.take();
      root.generation = asids.generation;
    }
    return MODE_SV32 | (root.asid << ASID_SHIFT) | (root.pa / PAGE_BYTES);
  }

  /** The root for what the guest sees now; a new one is empty, or the identity map. */
  root(): Root {
    const { view } = this.vm;
    const satp = this.vm.guest.hart.csrs.values[SATP];
    const known = (this.isPaging ? this.spaces.get(satp) : this.bare)?.roots[view];
    if (known !== undefined) return known;
    const root = this.newRoot();
    if (this.isPaging) {
      let space = this.spaces.get(satp);
      if (space === undefined) this.spaces.set(satp, (space = { satp, roots: [] }));
      space.roots[view] = root;
    } else {
      this.bare.roots[view] = root;
      this.mapIdentity(root);
    }
    for (const [page, { views }] of this.fixed) if (views.includes(view)) this.mapFixed(root, page);
    if (this.isPaging) this.made?.(this.spaces.get(satp)!, root);
    return root;
  }

  /** The shadows of the guest's present address space, if it has paging on and has been there. */
  get current(): Space | undefined {
    return this.spaces.get(this.vm.guest.hart.csrs.values[SATP]);
  }

  private newRoot(): Root {
    if (this.vm.frames.available === 0) this.dropAll();
    const pa = this.vm.frames.allocate();
    if (pa === undefined) throw new RangeError('The frames of a VM are all in use. Give it more of them.');
    this.vm.charge(CLEAR_FRAME);
    this.vm.charge(FLUSH_TLB);
    const { asids, view } = this.vm;
    return { view, pa, tables: new Set(), asid: asids.take(), generation: asids.generation };
  }

  /**
   * Puts a page of the guest's into a shadow, with the rights that its entry gives in the root's
   * view; those that the guest must ask for again are left out.
   * @param pte the guest's own entry
   * @returns false if there was no frame left for a table: then all shadows are gone, this one too
   */
  map(root: Root, va: number, pte: number, isSuperpage: boolean): boolean {
    const rights = rightsIn(root.view, pte);
    const gpa = ppnOf(pte) * PAGE_BYTES;
    if (isSuperpage && this.isWhole(va, gpa)) {
      this.unmapUpper(root, va);
      this.write(root.pa, vpn(va, 1), entry(this.frameOf(gpa), rights));
      return true;
    }
    return this.mapPage(root, va, isSuperpage ? gpa + vpn(va, 0) * PAGE_BYTES : gpa, rights);
  }

  private mapPage(root: Root, va: number, gpa: number, rights: number): boolean {
    if (this.fixed.has(va >>> 12)) return true; // reached by emulation
    const table = this.tableFor(root, va);
    if (table === undefined) {
      this.dropAll();
      return false;
    }
    const watch = this.watchOf(gpa);
    const allowed = watch === undefined ? rights : watch === 'readable' ? rights & ~Pte.W : 0;
    this.write(table, vpn(va, 0), entry(this.frameOf(gpa), allowed));
    return true;
  }

  /** Whether 4 MiB of guest-physical memory can be one superpage: all RAM or none, nothing special inside. */
  private isWhole(va: number, gpa: number): boolean {
    const { ram } = this.vm.guest;
    const end = gpa + SUPERPAGE_BYTES;
    if (gpa < ram.base + ram.size && end > ram.base) {
      const pa = this.vm.gpaToPa(gpa);
      if (pa < 0 || end > ram.base + ram.size || pa % SUPERPAGE_BYTES !== 0) return false;
    }
    for (const page of this.watched.keys()) if (page >>> 10 === gpa / SUPERPAGE_BYTES) return false;
    for (const page of this.fixed.keys()) if (page >>> 10 === vpn(va, 1)) return false;
    return true;
  }

  /** The frame behind a guest-physical page. */
  private frameOf(gpa: number): number {
    const pa = this.vm.gpaToPa(gpa);
    return pa < 0 ? BARRED_PPN : pa / PAGE_BYTES;
  }

  /** The lower table for an address, made if need be; undefined if there is no frame for it. */
  private tableFor(root: Root, va: number): number | undefined {
    const upper = this.read(root.pa, vpn(va, 1));
    if (isTable(upper)) return ppnOf(upper) * PAGE_BYTES;
    const table = this.vm.frames.allocate();
    if (table === undefined) return undefined;
    root.tables.add(table);
    this.vm.charge(CLEAR_FRAME);
    if (upper !== 0) {
      const step = ppnOf(upper) === BARRED_PPN ? 0 : 1;
      for (let n = 0; n < TABLE_ENTRIES; n++)
        this.write(table, n, makePte(ppnOf(upper) + n * step, upper & 0xff));
    }
    this.write(root.pa, vpn(va, 1), makePte(table / PAGE_BYTES, Pte.V));
    return table;
  }

  /** All of guest-physical memory at its own addresses. Needs frames only where RAM isn't in whole superpages. */
  private mapIdentity(root: Root): void {
    const { ram } = this.vm.guest;
    const flags = RIGHTS | PRESENT | (root.view === View.Both ? 0 : Pte.U);
    for (let index = 0; index < TABLE_ENTRIES; index++) {
      const gpa = index * SUPERPAGE_BYTES;
      if (this.isWhole(gpa, gpa)) {
        this.write(root.pa, index, makePte(this.frameOf(gpa), flags));
        continue;
      }
      const table = this.tableFor(root, gpa);
      if (table === undefined)
        throw new RangeError(
          `A VM with RAM of ${ram.size} bytes needs more frames: give its RAM a base of whole 4 MiB.`,
        );
      for (let n = 0; n < TABLE_ENTRIES; n++)
        this.mapPage(root, gpa + n * PAGE_BYTES, gpa + n * PAGE_BYTES, flags);
    }
  }

  /** One page of it, if it was taken away. */
  mapIdentityPage(gpa: number): void {
    const root = this.root();
    this.mapPage(root, gpa, gpa - (gpa % PAGE_BYTES), RIGHTS | (root.view === View.Both ? 0 : Pte.U));
  }

  // ------------------------------------------------------------------------------- taking away

  /** Forgets what the shadows say of a page, in the guest's address space `asid` or in all. */
  dropPage(va: number, asid?: number): void {
    for (const space of this.spaces.values()) {
      if (asid !== undefined && asidOf(space) !== asid) continue;
      for (const root of space.roots) if (root !== undefined) this.dropFrom(root, va);
    }
  }

  /** Forgets what one shadow says of a page. */
  dropFrom(root: Root, va: number): void {
    if (this.fixed.has(va >>> 12)) return;
    const upper = this.read(root.pa, vpn(va, 1));
    if (isTable(upper)) this.write(ppnOf(upper) * PAGE_BYTES, vpn(va, 0), 0);
    else this.write(root.pa, vpn(va, 1), 0);
    this.vm.charge(FLUSH_TLB);
    this.vm.machine.hart.tlb.flush(va, root.asid);
  }

  /** Forgets what one shadow says of the 4 MiB around an address. */
  dropUpper(root: Root, va: number): void {
    this.unmapUpper(root, va);
    for (const page of this.fixed.keys()) if (page >>> 10 === vpn(va, 1)) this.mapFixed(root, page);
    this.vm.charge(FLUSH_TLB);
    this.vm.machine.hart.tlb.flush(undefined, root.asid);
  }

  private unmapUpper(root: Root, va: number): void {
    const upper = this.read(root.pa, vpn(va, 1));
    if (isTable(upper)) {
      root.tables.delete(ppnOf(upper) * PAGE_BYTES);
      this.vm.frames.release(ppnOf(upper) * PAGE_BYTES);
    }
    this.write(root.pa, vpn(va, 1), 0);
  }

  /** Forgets the shadows of the guest's address space `asid`, or all. Whoever has their ASIDs next finds the TLB empty of them. */
  dropAll(asid?: number): void {
    for (const space of this.spaces.values()) {
      if (asid !== undefined && asidOf(space) !== asid) continue;
      this.dropSpace(space);
    }
  }

  /** Forgets the shadows of one address space. */
  dropSpace(space: Space): void {
    if (!this.spaces.delete(space.satp)) return;
    for (const root of space.roots) if (root !== undefined) this.release(root);
    space.roots.length = 0;
    this.dropped?.(space);
  }

  private release(root: Root): void {
    for (const table of root.tables) this.vm.frames.release(table);
    this.vm.frames.release(root.pa);
    this.vm.asids.giveBack(root.asid, root.generation);
  }

  // ------------------------------------------------------------------------------ what is special

  /** How a guest-physical page is watched, if it is. */
  watchOf(gpa: number): Watch | undefined {
    const watches = this.watched.get(Math.floor(gpa / PAGE_BYTES));
    if (watches === undefined) return undefined;
    for (const how of watches.values()) if (how === 'hidden') return how;
    return 'readable';
  }

  /** From now on the guest's stores to a page trap, and its loads, too, if it is `hidden`. */
  watch(gpa: number, who: string, how: Watch = 'readable'): void {
    const page = Math.floor(gpa / PAGE_BYTES);
    const before = this.watchOf(gpa);
    let watches = this.watched.get(page);
    if (watches === undefined) this.watched.set(page, (watches = new Map()));
    watches.set(who, how);
    const frame = this.frameOf(page * PAGE_BYTES);
    if (frame === BARRED_PPN || before === how || before === 'hidden') return;
    for (const space of [this.bare, ...this.spaces.values()])
      for (const root of space.roots) if (root !== undefined) this.restrict(root, frame, how);
    this.vm.charge(FLUSH_TLB);
    this.vm.machine.hart.tlb.flush();
  }

  /** One who watched a page no longer does. Once nobody does, the guest's next access brings its rights back. */
  unwatch(gpa: number, who: string): void {
    const page = Math.floor(gpa / PAGE_BYTES);
    const watches = this.watched.get(page);
    watches?.delete(who);
    if (watches?.size === 0) this.watched.delete(page);
  }

  /** Takes rights from every entry that leads to a frame. */
  private restrict(root: Root, frame: number, how: Watch): void {
    for (let index = 0; index < TABLE_ENTRIES; index++) {
      const upper = this.read(root.pa, index);
      if (upper === 0) continue;
      if (!isTable(upper) && (ppnOf(upper) === BARRED_PPN || ppnOf(upper) >>> 10 !== frame >>> 10)) continue;
      const table = this.tableFor(root, index * SUPERPAGE_BYTES);
      if (table === undefined) {
        this.write(root.pa, index, 0); // no room to split it: it will come back page by page
        continue;
      }
      for (let n = 0; n < TABLE_ENTRIES; n++) {
        const pte = this.read(table, n);
        if (ppnOf(pte) === frame) this.write(table, n, how === 'readable' ? entry(frame, pte & ~Pte.W) : 0);
      }
    }
  }

  /**
   * Shows the guest a page of the hypervisor's at a virtual address, in all its address spaces. What
   * the guest itself has there is reached by emulation.
   */
  fix(va: number, page: FixedPage): void {
    this.fixed.set(va >>> 12, page);
    for (const space of [this.bare, ...this.spaces.values()])
      for (const root of space.roots)
        if (root !== undefined && page.views.includes(root.view)) this.mapFixed(root, va >>> 12);
    this.vm.machine.hart.tlb.flush();
  }

  /** Whether the hypervisor has a page of its own at a virtual address. */
  isFixed(va: number): boolean {
    return this.fixed.has(va >>> 12);
  }

  private mapFixed(root: Root, page: number): void {
    const va = page * PAGE_BYTES;
    const { pa, rights } = this.fixed.get(page)!;
    const table = this.tableFor(root, va);
    if (table === undefined)
      throw new RangeError('No frame is left for a page of the hypervisor. Give the VM more.');
    this.write(table, vpn(va, 0), entry(pa / PAGE_BYTES, rights));
  }

  // ------------------------------------------------------------------------------------- words

  private read(table: number, index: number): number {
    return this.words[(table - this.vm.machine.ram.base) / PTE_BYTES + index];
  }

  private write(table: number, index: number, pte: number): void {
    this.words[(table - this.vm.machine.ram.base) / PTE_BYTES + index] = pte;
  }
}

const asidOf = ({ satp }: Space): number => (satp >>> ASID_SHIFT) & ASID_MASK;
const isTable = (upper: number): boolean => (upper & Pte.V) !== 0 && !isLeaf(upper);

/** An entry of ours: nothing at all where it would give no rights, for such an entry would lead to a table. */
function entry(ppn: number, rights: number): number {
  return (rights & RIGHTS) === 0 ? 0 : makePte(ppn, (rights & (RIGHTS | Pte.U)) | PRESENT);
}

/**
 * The rights that a view gives to a page of the guest's. Pages that the guest has not accessed yet
 * are left out, and until its first store a page is read-only: so the guest's A and D bits are set
 * when a hart would set them.
 */
function rightsIn(view: View, pte: number): number {
  const isUser = (pte & Pte.U) !== 0;
  const accessed = (pte & Pte.A) === 0 ? 0 : pte & RIGHTS;
  const rights = (pte & Pte.D) === 0 ? accessed & ~Pte.W : accessed;
  const readable = (rights & Pte.X) !== 0 ? rights | Pte.R : rights;
  switch (view) {
    case View.User:
      return isUser ? rights | Pte.U : 0;
    case View.Both:
      return rights | (pte & Pte.U);
    case View.Kernel:
      return isUser ? 0 : rights | Pte.U;
    case View.KernelSum:
      return (isUser ? rights & ~Pte.X : rights) | Pte.U;
    case View.KernelMxr:
      return isUser ? 0 : readable | Pte.U;
    case View.KernelSumMxr:
      return (isUser ? readable & ~Pte.X : readable) | Pte.U;
  }
}
