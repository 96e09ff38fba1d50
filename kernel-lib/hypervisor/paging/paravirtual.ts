/**
 * Page tables of a para-virtualized guest: the guest keeps its tables, *pinned*, and asks for each
 * change. A pinned table was checked entry by entry and can be read but not written; an update is
 * checked, written for the guest, and put into the shadow at once. So there is nothing to find out
 * later: no hidden faults after a change, no traces, and many changes fit into one call.
 * S1, Para-Virtualization; Barham et al. 2003, section 3.3.3. Read `shadow.ts` first.
 */
import { csrMask } from '../../isa/csrs';
import { VCPU_ACCESS } from '../../machine/cost';
import { isLeaf, isValid, PAGE_BYTES, Pte, ppnOf, TABLE_ENTRIES, vpn } from '../../machine/page-table';
import { LazyShadow } from './shadow';

const MODE_SV32 = csrMask('satp', 'MODE');
/** Who watches pinned tables. */
const PINNED = 'pinned';
const UPPER = 1;
const LOWER = 0;

export class ParavirtualPaging extends LazyShadow {
  /** Guest-physical pages that hold pinned tables -> their level, and how many pins hold them. */
  private readonly tablesPinned = new Map<number, { level: number; pins: number }>();

  /** Whether `satp` names an address space whose tables are pinned. */
  isSpace(satp: number): boolean {
    return this.tablesPinned.get(ppnOf(satp << 10))?.level === UPPER;
  }

  /** Checks the tables below a root and takes them from the guest; false if an entry must not be. */
  pin(root: number): boolean {
    if (!this.isTable(root, UPPER)) return false;
    const lower = this.lowerTables(root);
    if (lower === undefined) return false;
    for (const table of lower) this.take(table, LOWER);
    this.take(root, UPPER);
    return true;
  }

  /** Gives the tables below a root back; false if they were not pinned. */
  unpin(root: number): boolean {
    if (this.tablesPinned.get(root / PAGE_BYTES)?.level !== UPPER) return false;
    for (const table of this.lowerTables(root) ?? []) this.giveBack(table);
    this.giveBack(root);
    const satp = MODE_SV32 | (root / PAGE_BYTES);
    for (const space of [...this.tables.all]) if (space.satp === satp) this.tables.dropSpace(space);
    return true;
  }

  /**
   * Changes an entry of a pinned table.
   * @param where the entry's guest-physical address
   * @param va the page that it is for: what the shadows say of it is brought up to date
   * @returns false, and nothing is changed, if it is in no pinned table or must not be
   */
  update(where: number, pte: number, va: number): boolean {
    const table = this.tablesPinned.get(Math.floor(where / PAGE_BYTES));
    if (table === undefined || where % 4 !== 0 || !this.mayBe(pte, table.level)) return false;
    const { ram } = this.vm.guest;
    const before = ram.read(4, where);
    if (table.level === UPPER && isPointer(before)) this.giveBack(ppnOf(before) * PAGE_BYTES);
    if (table.level === UPPER && isPointer(pte)) this.take(ppnOf(pte) * PAGE_BYTES, LOWER);
    ram.write(4, where, pte);
    this.vm.charge(VCPU_ACCESS);
    for (const space of this.tables.all) {
      for (const root of space.roots) {
        if (root === undefined || !this.leadsTo(space.satp, va, where)) continue;
        this.tables.dropFrom(root, va);
        if (table.level === LOWER && isLeaf(pte)) this.tables.map(root, va, pte, false);
      }
    }
    return true;
  }

  /** Whether the entry at `where` is the one for `va` in the address space `satp`. */
  private leadsTo(satp: number, va: number, where: number): boolean {
    const root = ppnOf(satp << 10) * PAGE_BYTES;
    const upperAt = root + 4 * vpn(va, UPPER);
    if (upperAt === where) return true;
    const upper = this.vm.guest.ram.read(4, upperAt);
    return isPointer(upper) && ppnOf(upper) * PAGE_BYTES + 4 * vpn(va, LOWER) === where;
  }

  /** The lower tables of a root, all entries of which have been looked at; undefined if one must not be. */
  private lowerTables(root: number): number[] | undefined {
    const found: number[] = [];
    for (const pte of this.entries(root)) {
      if (!this.mayBe(pte, UPPER)) return undefined;
      if (!isPointer(pte)) continue;
      const table = ppnOf(pte) * PAGE_BYTES;
      for (const lower of this.entries(table)) if (!this.mayBe(lower, LOWER)) return undefined;
      found.push(table);
    }
    return found;
  }

  private *entries(table: number): Generator<number> {
    const { ram } = this.vm.guest;
    for (let n = 0; n < TABLE_ENTRIES; n++) {
      const pte = ram.read(4, table + 4 * n);
      if (pte !== 0) yield pte;
      this.vm.charge(VCPU_ACCESS);
    }
  }

  /** An entry is empty, leads to a page of the guest's RAM, or (in a root) to a table there. */
  private mayBe(pte: number, level: number): boolean {
    if ((pte & Pte.V) === 0) return true;
    if (!isValid(pte, level)) return false;
    const gpa = ppnOf(pte) * PAGE_BYTES;
    return isLeaf(pte) ? this.vm.gpaToPa(gpa) >= 0 : this.isTable(gpa, LOWER);
  }

  /** Whether a guest-physical page can be a table of this level. */
  private isTable(gpa: number, level: number): boolean {
    if (gpa % PAGE_BYTES !== 0 || this.vm.gpaToPa(gpa) < 0) return false;
    const known = this.tablesPinned.get(gpa / PAGE_BYTES);
    return known === undefined || known.level === level;
  }

  private take(table: number, level: number): void {
    const page = table / PAGE_BYTES;
    const known = this.tablesPinned.get(page);
    if (known !== undefined) known.pins++;
    else {
      this.tablesPinned.set(page, { level, pins: 1 });
      this.tables.watch(table, PINNED);
    }
  }

  private giveBack(table: number): void {
    const page = table / PAGE_BYTES;
    const known = this.tablesPinned.get(page);
    if (known === undefined || --known.pins > 0) return;
    this.tablesPinned.delete(page);
    this.tables.unwatch(table, PINNED);
  }
}

const isPointer = (pte: number): boolean => (pte & Pte.V) !== 0 && !isLeaf(pte);
