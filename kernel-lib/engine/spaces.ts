/**
 * Fast paths from virtual addresses to RAM: for each context in which the hart can run (mode,
 * address space, and what loads and stores may do), small tables of pages that were reached lately.
 * They outlast a switch to another context, as the TLB's entries do, until `sfence.vma`, a change of
 * PMP, or another page in the TLB's entry ends them.
 *
 * A table entry is a tag and a distance: where `va`, with the bits that must be 0 in an aligned
 * access kept in, equals the tag, the byte is at `va + distance` in the memory that emitted code
 * sees. Pages of which PMP opens only a part have their lines in tables of their own. What the tables
 * let through is a subset of what the hart itself would let through without changing anything;
 * everything else takes the slow path, which is the hart. Read `machine/hart.ts` first.
 */
import { csrMask, csrNumber } from '../isa/csrs';
import type { Mode } from '../isa/registers';
import type { Machine } from '../machine/machine';
import { Access } from '../machine/pmp';
import type { TlbListener } from '../machine/tlb';
import { type CodeLines, LINE_BYTES, LINE_SHIFT } from './code-lines';

/** Entries of a table of pages, and log2 of the bytes in a page. */
export const PAGE_ENTRIES = 256;
export const PAGE_SHIFT = 12;
export const PAGE_BYTES = 1 << PAGE_SHIFT;
/** Entries of a table of lines: by bits 11 to 6 of the address. */
export const LINE_ENTRIES = PAGE_BYTES / LINE_BYTES;
export const RECENT_ENTRIES = 2 * 32;
/** Entries of a table of jump targets. */
export const JUMP_ENTRIES = 1024;

/** Contexts whose fast paths are kept; the one that was left the longest ago makes room. */
export const MOST_SPACES = 32;

const MSTATUS = csrNumber('mstatus');
/** What loads and stores may do besides what their mode may. */
const RIGHTS = csrMask('mstatus', 'SUM') | csrMask('mstatus', 'MXR');

/** Tags that no address equals: this bit is 0 in tags of pages and of lines, and addresses of code are even. */
const NO_PAGE = LINE_BYTES / 2;
const NO_TARGET = 1;

/** Entries of the table of pages of code. */
const CODE_ENTRIES = 32;
/** With more entries filled, forgetting them one by one takes longer than emptying the table. */
const MOST_ONE_BY_ONE = 64;

/** Where the tables of a context are kept. */
export interface Tables {
  /**
   * Pages to read and to write: tag and distance per entry; by bits 19 to 12 of the address. In
   * `write` are pages without any code; those that an engine has a copy of some code from are in
   * `mixed`, where each store must look at the mark of its line.
   */
  read: Int32Array;
  write: Int32Array;
  mixed: Int32Array;
  /** Lines to read and to write, of pages of which not all is open; `writeLines`: of pages without any code. */
  readLines: Int32Array;
  writeLines: Int32Array;
  /** Copies of entries of `read` and `write`, which translated code makes: one for loads and one for stores off each register. */
  recent: Int32Array;
  /** Translated code: address and number per entry; by bits 10 to 1 of the address. */
  slots: Int32Array;
  /** Decoded code: address and place per entry, like `slots`. */
  jumps: Int32Array;
  /** Where the tables begin in the memory that emitted code sees, and where RAM does. */
  at: number;
  ramAt: number;
}

/** The fast paths of one context. */
export class Space {
  /** Whether the hart lets all of RAM be read, written and executed at its physical addresses. */
  flat = false;
  /** Whether `flat` must be worked out anew. */
  isStale = true;
  /** Pages of code: address and offset into RAM per entry; by bits 16 to 12 of the address. */
  private readonly code = new Int32Array(2 * CODE_ENTRIES).fill(NO_PAGE);
  /** Pages of code that `jumps` and `slots` lead into, and the entries that were filled there. */
  private readonly codePages = new Set<number>();
  private readonly targets: number[] = [];
  /** Entries that were filled in the tables of pages. */
  private readonly pages: number[] = [];
  private hasLines = false;
  private isEmpty = false;

  constructor(
    readonly mode: Mode,
    readonly dataMode: Mode,
    /** Undefined: its addresses are physical. */
    readonly asid: number | undefined,
    readonly tables: Tables,
  ) {
    const { read, write, mixed, readLines, writeLines, recent, slots, jumps } = tables;
    for (const table of [read, write, mixed, readLines, writeLines, recent]) table.fill(NO_PAGE);
    for (const table of [slots, jumps]) table.fill(NO_TARGET);
  }

  /** Lets accesses to a page through. @param hasCode whether any of its lines is marked */
  admit(access: Access.Read | Access.Write, va: number, ramOffset: number, hasCode: boolean): void {
    const { read, write, mixed, ramAt } = this.tables;
    const table = access === Access.Read ? read : hasCode ? mixed : write;
    const entry = 2 * ((va >>> PAGE_SHIFT) % PAGE_ENTRIES);
    table[entry] = va & -PAGE_BYTES;
    table[entry + 1] = ramAt + ramOffset - va;
    if (this.pages.length < MOST_ONE_BY_ONE) this.pages.push(entry);
    this.isEmpty = false;
  }

  /** Lets accesses to a line through. In pages that have code, stores take the slow path. */
  admitLine(access: Access.Read | Access.Write, va: number, ramOffset: number, hasCode: boolean): void {
    if (access === Access.Write && hasCode) return;
    const { readLines, writeLines, ramAt } = this.tables;
    const table = access === Access.Read ? readLines : writeLines;
    const entry = 2 * ((va >>> LINE_SHIFT) % LINE_ENTRIES);
    table[entry] = va & -LINE_BYTES;
    table[entry + 1] = ramAt + ramOffset - va;
    this.hasLines = true;
    this.isEmpty = false;
  }

  /** The offset into RAM of the code at an address; -1 if its page is not known. */
  codeAt(va: number): number {
    const entry = 2 * ((va >>> PAGE_SHIFT) % CODE_ENTRIES);
    return this.code[entry] === (va & -PAGE_BYTES) ? this.code[entry + 1] + (va & (PAGE_BYTES - 1)) : -1;
  }

  /** Remembers where the code at an address is, and so all of its page. */
  admitCode(va: number, ramOffset: number): void {
    const entry = 2 * ((va >>> PAGE_SHIFT) % CODE_ENTRIES);
    this.code[entry] = va & -PAGE_BYTES;
    this.code[entry + 1] = ramOffset - (va & (PAGE_BYTES - 1));
    this.isEmpty = false;
  }

  /** The decoded block at an address, or 0. */
  jump(va: number): number {
    return found(this.tables.jumps, va);
  }

  /** The translation at an address, or 0. */
  slot(va: number): number {
    return found(this.tables.slots, va);
  }

  rememberJump(va: number, head: number): void {
    this.put(this.tables.jumps, va, head);
  }

  rememberSlot(va: number, slot: number): void {
    this.put(this.tables.slots, va, slot);
  }

  forgetJump(va: number): void {
    if (this.jump(va) !== 0) this.tables.jumps[entryOf(va)] = NO_TARGET;
  }

  forgetSlot(va: number): void {
    if (this.slot(va) !== 0) this.tables.slots[entryOf(va)] = NO_TARGET;
  }

  forget(): void {
    if (this.isEmpty) return;
    this.isEmpty = true;
    const { pages, tables } = this;
    if (pages.length < MOST_ONE_BY_ONE) for (const entry of pages) this.forgetEntry(entry);
    else for (const table of [tables.read, tables.write, tables.mixed]) table.fill(NO_PAGE);
    pages.length = 0;
    this.forgetLines();
    tables.recent.fill(NO_PAGE);
    this.code.fill(NO_PAGE);
    this.forgetJumps();
  }

  forgetPage(va: number): void {
    if (this.isEmpty) return;
    this.forgetEntry(2 * ((va >>> PAGE_SHIFT) % PAGE_ENTRIES));
    this.forgetLines();
    this.tables.recent.fill(NO_PAGE);
    const entry = 2 * ((va >>> PAGE_SHIFT) % CODE_ENTRIES);
    if (this.code[entry] === (va & -PAGE_BYTES)) this.code[entry] = NO_PAGE;
    if (this.codePages.has(va >>> PAGE_SHIFT)) this.forgetJumps();
  }

  private forgetEntry(entry: number): void {
    const { read, write, mixed } = this.tables;
    read[entry] = write[entry] = mixed[entry] = NO_PAGE;
  }

  private forgetLines(): void {
    if (!this.hasLines) return;
    this.hasLines = false;
    this.tables.readLines.fill(NO_PAGE);
    this.tables.writeLines.fill(NO_PAGE);
  }

  /** From now on stores to a page of RAM must look at the marks of its lines. */
  forgetStores(ramOffset: number): void {
    const { write, ramAt } = this.tables;
    if (this.isEmpty) return;
    this.tables.recent.fill(NO_PAGE);
    if (this.hasLines) this.tables.writeLines.fill(NO_PAGE);
    for (let entry = 0; entry < write.length; entry += 2)
      if (((write[entry] + write[entry + 1]) | 0) === ramAt + ramOffset) write[entry] = NO_PAGE;
  }

  private put(table: Int32Array, va: number, what: number): void {
    const entry = entryOf(va);
    table[entry] = va;
    table[entry + 1] = what;
    if (this.targets.length < MOST_ONE_BY_ONE) this.targets.push(entry);
    this.codePages.add(va >>> PAGE_SHIFT);
    this.isEmpty = false;
  }

  private forgetJumps(): void {
    const { targets } = this;
    const { jumps, slots } = this.tables;
    if (targets.length < MOST_ONE_BY_ONE)
      for (const entry of targets) jumps[entry] = slots[entry] = NO_TARGET;
    else for (const table of [jumps, slots]) table.fill(NO_TARGET);
    targets.length = 0;
    this.codePages.clear();
  }
}

const entryOf = (va: number) => 2 * ((va >>> 1) % JUMP_ENTRIES);

function found(table: Int32Array, va: number): number {
  const entry = entryOf(va);
  return table[entry] === va ? table[entry + 1] : 0;
}

/** The contexts of a machine's hart: what the TLB's listener keeps. */
export class Spaces implements TlbListener {
  /** Counts the times that something was forgotten. */
  generation = 0;
  /** By name; the one that was entered last is the last. */
  private readonly known = new Map<number, Space>();
  private lastKey = -1;
  private last: Space | undefined;

  /** @param allocate gives room for the tables of one more context; it is asked MOST_SPACES times at most */
  constructor(
    private readonly machine: Machine,
    private readonly allocate: () => Tables,
  ) {
    machine.hart.tlb.listener = this;
  }

  /** The context that the hart is in now. */
  current(): Space {
    const { mode, dataMode } = this.machine.hart;
    const key = this.keyOf(mode, dataMode);
    if (key !== this.lastKey || this.last === undefined) this.last = this.enter(key, mode, dataMode);
    this.lastKey = key;
    if (this.last.isStale) {
      this.last.flat = this.isFlat(this.last);
      this.last.isStale = false;
    }
    return this.last;
  }

  /** The context of a mode in the present address space, if the hart has been in it and its loads and stores had the mode's own rights. */
  of(mode: Mode): Space | undefined {
    return this.known.get(this.keyOf(mode, mode));
  }

  /**
   * The offset into RAM of the code at `va`, if the hart lets instructions be fetched there and all
   * around it in its page; else -1, and a fault may have been raised.
   */
  codeAt(space: Space, va: number): number {
    const known = space.codeAt(va);
    if (known >= 0) return known;
    const { ram, hart } = this.machine;
    const pa = hart.translate(va, Access.Execute, 1);
    if (pa < 0 || !hart.isWhole(pa)) return -1;
    space.admitCode(va, pa - ram.base);
    return pa - ram.base;
  }

  /**
   * Lets accesses through to the page of `va`, or only to its line if PMP makes a difference inside the
   * page. @param pa where the hart says that such an access leads @returns false if it is not RAM all around
   */
  admit(space: Space, access: Access.Read | Access.Write, va: number, pa: number, code: CodeLines): boolean {
    const { ram, hart } = this.machine;
    const isWhole = hart.isWhole(pa);
    if (!isWhole && !hart.isWhole(pa, LINE_BYTES)) return false;
    const offset = pa - ram.base;
    const hasCode = code.hasCode(offset);
    if (isWhole) space.admit(access, va, offset, hasCode);
    else space.admitLine(access, va, offset, hasCode);
    return true;
  }

  dropPage(va: number, asid: number | undefined): void {
    this.generation++;
    for (const space of this.known.values())
      if (asid === undefined || space.asid === asid) space.forgetPage(va);
  }

  dropAll(asid: number | undefined): void {
    this.generation++;
    for (const space of this.known.values()) {
      if (asid !== undefined && space.asid !== asid) continue;
      space.forget();
      space.isStale = true;
    }
  }

  /** A page of RAM, at this offset, has code from now on. */
  pageGotCode(ramOffset: number): void {
    this.generation++;
    for (const space of this.known.values()) space.forgetStores(ramOffset);
  }

  /** Forgets what is decoded at an address, in all contexts. */
  forgetJump(va: number): void {
    for (const space of this.known.values()) space.forgetJump(va);
  }

  /** Forgets what is translated at an address, in all contexts. */
  forgetSlot(va: number): void {
    for (const space of this.known.values()) space.forgetSlot(va);
  }

  /** The name of a context: all that what its tables let through depends on. */
  private keyOf(mode: Mode, dataMode: Mode): number {
    const { hart } = this.machine;
    const asid = hart.asidOf(dataMode);
    const modes = mode | (dataMode << 2);
    return asid === undefined ? modes : (hart.csrs.values[MSTATUS] & RIGHTS) | ((asid + 1) << 4) | modes;
  }

  private enter(key: number, mode: Mode, dataMode: Mode): Space {
    const space = this.known.get(key) ?? this.open(mode, dataMode);
    this.known.delete(key);
    this.known.set(key, space);
    return space;
  }

  private open(mode: Mode, dataMode: Mode): Space {
    let tables: Tables | undefined;
    if (this.known.size === MOST_SPACES) {
      const [oldest, space] = this.known.entries().next().value!;
      this.known.delete(oldest);
      tables = space.tables;
    }
    return new Space(mode, dataMode, this.machine.hart.asidOf(dataMode), tables ?? this.allocate());
  }

  private isFlat({ mode, dataMode }: Space): boolean {
    const { ram, hart } = this.machine;
    const isOpen = (as: Mode, access: Access) =>
      hart.addressesArePhysical(as) && hart.pmp.allows(as, access, ram.base, ram.size);
    return isOpen(mode, Access.Execute) && isOpen(dataMode, Access.Read) && isOpen(dataMode, Access.Write);
  }
}
