/**
 * Shadow page tables, filled lazily: a shadow begins empty, and each page comes in when the guest
 * first touches it, by a *hidden fault*. The guest's own tables are free to change at any time:
 * like a TLB, a shadow need not know before the guest's `sfence.vma`, which empties it.
 * S1, Address Translation: Shadow Page Table. Read `shadow-tables.ts` first.
 */
import { Cause } from '../../isa/causes';
import { csrMask, csrNumber } from '../../isa/csrs';
import { FILL_SHADOW } from '../../machine/cost';
import { Access } from '../../machine/pmp';
import type { Trap } from '../../machine/trap';
import type { FaultAnswer, FixedPage, GuestPaging, PagedVm } from './paging';
import { ShadowTables } from './shadow-tables';

const SATP = csrNumber('satp');
const ASID_SHIFT = 22;
const ASID_MASK = csrMask('satp', 'ASID') >>> ASID_SHIFT;

export class LazyShadow implements GuestPaging {
  readonly tables: ShadowTables;

  constructor(protected readonly vm: PagedVm) {
    this.tables = new ShadowTables(vm);
  }

  activate(): number {
    return this.tables.activate();
  }

  /** The virtual hart's own MMU says whose fault it is, and sets A and D on the way. */
  fault({ cause, tval }: Trap): FaultAnswer {
    const { hart } = this.vm.guest;
    if (this.tables.isFixed(tval)) return 'device';
    if (!this.tables.isPaging) return this.faultWithoutPaging(tval >>> 0);
    this.vm.charge(FILL_SHADOW);
    hart.tlb.flush(tval, undefined); // it may remember what the guest has changed since
    const access = accessOf(cause);
    const gpa = hart.translate(tval, access, 1);
    if (gpa < 0) return 'guest';
    const watch = this.tables.watchOf(gpa);
    if (watch === 'hidden' || (watch === 'readable' && access === Access.Write)) return 'trace';
    const asid = (hart.csrs.values[SATP] >>> ASID_SHIFT) & ASID_MASK;
    const index = hart.tlb.find(access === Access.Execute, tval, asid);
    this.tables.map(this.tables.root(), tval, hart.tlb.pte(index), hart.tlb.isSuperpage(index));
    const isRam = this.vm.gpaToPa(gpa) >= 0;
    return isRam || access === Access.Execute ? 'filled' : 'device';
  }

  /** The guest has paging off: all is mapped, but for pages that are watched or no longer are. */
  private faultWithoutPaging(gpa: number): FaultAnswer {
    if (this.tables.watchOf(gpa) !== undefined) return 'trace';
    this.tables.mapIdentityPage(gpa);
    return 'filled';
  }

  fence(va: number | undefined, asid: number | undefined): void {
    if (va === undefined) this.tables.dropAll(asid);
    else this.tables.dropPage(va, asid);
  }

  trace(gpa: number, who: string): void {
    this.tables.watch(gpa, who);
  }

  untrace(gpa: number, who: string): void {
    this.tables.unwatch(gpa, who);
  }

  isTraced(gpa: number): boolean {
    return this.tables.watchOf(gpa) !== undefined;
  }

  fix(va: number, page: FixedPage): void {
    this.tables.fix(va, page);
  }
}

/** What was tried when a page fault came. */
export function accessOf(cause: Cause): Access {
  if (cause === Cause.InstructionPageFault) return Access.Execute;
  return cause === Cause.StorePageFault ? Access.Write : Access.Read;
}
