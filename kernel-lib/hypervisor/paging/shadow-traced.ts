/**
 * Shadow page tables that are always up to date: the guest's own tables are *traced*, that is
 * write-protected, so that each store to one is an exit, and is taken over at once.
 *
 * A shadow is filled eagerly when the guest first uses an address space, and `sfence.vma` has
 * nothing to do. So there are few hidden faults, and changing the address space is cheap; what is
 * dear are the guest's stores to its tables. Adams & Agesen 2006, section 2.4: tracing, hidden
 * page faults and context switches are a three-way trade-off. Read `shadow.ts` first.
 */
import { csrMask } from '../../isa/csrs';
import { SYNC_ENTRY } from '../../machine/cost';
import {
  isLeaf,
  isValid,
  PAGE_BYTES,
  ppnOf,
  SUPERPAGE_BYTES,
  TABLE_ENTRIES,
  vpn,
} from '../../machine/page-table';
import type { Trap } from '../../machine/trap';
import type { FaultAnswer, PagedVm } from './paging';
import { LazyShadow } from './shadow';
import type { Root, Space, Watch } from './shadow-tables';

const PPN_MASK = csrMask('satp', 'PPN');
const PTE_BYTES = 4;
/** What a page is watched for. */
const US = 'page tables';
/** Entries that are taken over at once, at most: the rest comes when it is touched. */
const MOST_AT_ONCE = 4096;
/** A page that is this often a table is no honest one: its stores are too dear to follow. */
const MOST_USES = 16;
/**
 * Stores to the tables of an address space that the guest is not in, after which we give it up: it is
 * probably none any more, and its pages are being used for something else. (KVM calls it flooding.)
 */
const FLOOD = 16;

/** What a page of guest-physical memory is a table of: the root, or the lower table for 4 MiB at `index`. */
interface Use {
  space: Space;
  index: number | 'root';
}

/** What we know of an address space. */
interface Traced {
  root: number;
  /** Page numbers of the lower tables, by index. */
  lower: Map<number, number>;
  /** Stores to its tables since the guest was last in it. */
  stores: number;
}

export class TracedShadow extends LazyShadow {
  private readonly traced = new Map<Space, Traced>();
  /** By page number. */
  private readonly uses = new Map<number, Use[]>();
  /** Entries that may still be taken over at this time. */
  private left = MOST_AT_ONCE;

  constructor(
    vm: PagedVm,
    private readonly how: Watch = 'readable',
  ) {
    super(vm);
    this.tables.made = (space, root) => this.fill(space, root);
    this.tables.dropped = (space) => this.forget(space);
    vm.guest.ram.watch((gpa, count) => this.written(gpa, count));
  }

  override activate(): number {
    const satp = super.activate();
    const { current } = this.tables;
    const traced = current && this.traced.get(current);
    if (traced !== undefined) traced.stores = 0;
    return satp;
  }

  override fault(trap: Trap): FaultAnswer {
    const { current, isPaging } = this.tables;
    if (isPaging && current !== undefined) this.adopt(current, vpn(trap.tval, 1));
    return super.fault(trap);
  }

  /** The shadow knows already. */
  override fence(): void {}

  // ------------------------------------------------------------------------------ taking over

  /** Fills a new root with all that the guest's tables have. */
  private fill(space: Space, root: Root): void {
    if (!this.traced.has(space)) {
      const page = space.satp & PPN_MASK;
      this.traced.set(space, { root: page, lower: new Map(), stores: 0 });
      this.use(page, { space, index: 'root' });
    }
    this.left = MOST_AT_ONCE;
    for (let index = 0; index < TABLE_ENTRIES && this.left > 0; index++)
      if (!this.takeOver(space, root, index)) return;
  }

  /** Takes over all that the guest has in 4 MiB of an address space. False if the shadow is gone. */
  private takeOver(space: Space, root: Root, index: number): boolean {
    const traced = this.traced.get(space)!;
    const upper = this.entry(traced.root, index);
    if (!isValid(upper, 1)) return true;
    this.left--;
    this.vm.charge(SYNC_ENTRY);
    const va = index * SUPERPAGE_BYTES;
    if (isLeaf(upper)) return this.tables.map(root, va, upper, true);
    this.adopt(space, index);
    for (let n = 0; n < TABLE_ENTRIES && this.left > 0; n++) {
      const pte = this.entry(ppnOf(upper), n);
      if (!isValid(pte, 0)) continue;
      this.left--;
      this.vm.charge(SYNC_ENTRY);
      if (!this.tables.map(root, va + n * PAGE_BYTES, pte, false)) return false;
    }
    return true;
  }

  /** Traces the lower table for 4 MiB, if the guest has one there. */
  private adopt(space: Space, index: number): void {
    const traced = this.traced.get(space);
    if (traced === undefined || traced.lower.has(index)) return;
    const upper = this.entry(traced.root, index);
    if (!isValid(upper, 1) || isLeaf(upper)) return;
    traced.lower.set(index, ppnOf(upper));
    this.use(ppnOf(upper), { space, index });
  }

  private use(page: number, use: Use): void {
    const uses = this.uses.get(page);
    if (uses === undefined) this.uses.set(page, [use]);
    else uses.push(use);
    this.tables.watch(page * PAGE_BYTES, US, this.how);
  }

  private unuse(page: number, space: Space, index: number | 'root'): void {
    const left = (this.uses.get(page) ?? []).filter((use) => use.space !== space || use.index !== index);
    if (left.length > 0) this.uses.set(page, left);
    else {
      this.uses.delete(page);
      this.tables.unwatch(page * PAGE_BYTES, US);
    }
  }

  private forget(space: Space): void {
    const traced = this.traced.get(space);
    if (traced === undefined) return;
    this.traced.delete(space);
    this.unuse(traced.root, space, 'root');
    for (const [index, page] of traced.lower) this.unuse(page, space, index);
  }

  // ----------------------------------------------------------------------------- keeping step

  /** Guest-physical memory was written: by a store that trapped, by a device, by the guest's virtual MMU. */
  private written(gpa: number, count: number): void {
    if (this.uses.size === 0) return;
    for (let word = gpa - (gpa % PTE_BYTES); word < gpa + count; word += PTE_BYTES) {
      const uses = this.uses.get(Math.floor(word / PAGE_BYTES));
      if (uses === undefined) {
        word += PAGE_BYTES - PTE_BYTES - (word % PAGE_BYTES);
        continue;
      }
      if (uses.length > MOST_USES) for (const { space } of [...uses]) this.tables.dropSpace(space);
      else for (const use of [...uses]) this.changed(use, (word % PAGE_BYTES) / PTE_BYTES);
    }
  }

  /** Entry `n` of a table has another value, perhaps. */
  private changed({ space, index }: Use, n: number): void {
    const traced = this.traced.get(space);
    if (traced === undefined) return;
    if (space !== this.tables.current && ++traced.stores > FLOOD) {
      this.tables.dropSpace(space);
      return;
    }
    if (index === 'root') this.upperChanged(space, traced, n);
    else {
      const pte = this.entry(traced.lower.get(index)!, n);
      this.vm.charge(SYNC_ENTRY);
      this.refill(space, (root) => this.lowerChanged(root, index * SUPERPAGE_BYTES + n * PAGE_BYTES, pte));
    }
  }

  private upperChanged(space: Space, traced: Traced, n: number): void {
    const before = traced.lower.get(n);
    if (before !== undefined) {
      traced.lower.delete(n);
      this.unuse(before, space, n);
    }
    this.left = MOST_AT_ONCE;
    this.refill(space, (root) => {
      this.tables.dropUpper(root, n * SUPERPAGE_BYTES);
      return this.takeOver(space, root, n);
    });
  }

  private lowerChanged(root: Root, va: number, pte: number): boolean {
    this.tables.dropFrom(root, va);
    return !isValid(pte, 0) || this.tables.map(root, va, pte, false);
  }

  /** Brings all views of an address space up to date, as long as they are there. */
  private refill(space: Space, sync: (root: Root) => boolean): void {
    for (const root of [...space.roots]) if (root !== undefined && !sync(root)) return;
  }

  /** Entry `n` of a table of the guest's; an invalid one where the guest has no RAM. */
  private entry(page: number, n: number): number {
    const gpa = page * PAGE_BYTES + n * PTE_BYTES;
    const { ram } = this.vm.guest;
    return ram.holds(gpa, PTE_BYTES) ? ram.read(PTE_BYTES, gpa) : 0;
  }
}
