/**
 * A guest with page tables, to try a learner's functions on: a virtual machine of 1 MiB in which nothing
 * runs, whose tables are made from a list of what they are to map.
 */

import { hex } from '../../bits';
import { createMachine } from '../../engine/create';
import { Vm } from '../../hypervisor/vm';
import { csrMask } from '../../isa/csrs';
import { Mode } from '../../isa/registers';
import { MiB, RAM_BASE } from '../../machine/machine';
import { flagsText, makePte, PAGE_BYTES, Pte, ppnOf, vpn } from '../../machine/page-table';
import { Access } from '../../machine/pmp';
import type { randomNumbers } from '../random';

/** What one entry of the guest's maps. */
export interface Mapping {
  va: number;
  /** The leaf. */
  pte: number;
  /** Whether it is an entry of the upper table, for 4 MiB. */
  isSuperpage?: boolean;
}

/** Where the guest's root table is, and behind it its lower tables. Guest-physical. */
export const ROOT = RAM_BASE + 0x10000;
/** Where the pages begin that its entries lead to. */
export const PAGES = RAM_BASE + 0x40000;
/** The guest's RAM, and where it is in the real RAM. */
export const MEMORY = { base: RAM_BASE + MiB / 2, size: MiB };
/** A device's registers on the guest's board. */
export const DEVICE = 0x1000_0000;
const SUPERPAGE_LEVEL = 1;

export class TabledGuest {
  readonly vm = new Vm(createMachine({ ram: 2 * MiB }), 'exercise', () => {}, { memory: MEMORY });
  /** Guest-physical address of the lower table at each index of the root. */
  readonly lower = new Map<number, number>();

  constructor(mappings: readonly Mapping[]) {
    const { guest, hart } = this.vm;
    guest.openMemory();
    hart.csrs.set('satp', csrMask('satp', 'MODE') | (ROOT / PAGE_BYTES));
    hart.mode = Mode.U;
    for (const mapping of mappings) this.map(mapping);
  }

  /** Where the guest's entry for a mapping is: guest-physical. */
  entryAt({ va, isSuperpage }: Mapping): number {
    const index = vpn(va, SUPERPAGE_LEVEL);
    if (isSuperpage) return ROOT + 4 * index;
    let table = this.lower.get(index);
    if (table === undefined) {
      table = ROOT + (1 + this.lower.size) * PAGE_BYTES;
      this.lower.set(index, table);
      this.vm.writeGuest(4, ROOT + 4 * index, makePte(table / PAGE_BYTES, Pte.V));
    }
    return table + 4 * vpn(va, 0);
  }

  private map(mapping: Mapping): void {
    this.vm.writeGuest(4, this.entryAt(mapping), mapping.pte);
  }
}

/** An entry that leads to the guest's page `page`, counted from `PAGES`. */
export const pageOf = (page: number, flags: number): number => makePte(PAGES / PAGE_BYTES + page, flags);

/** A leaf's flags at random: valid, of no reserved kind. */
export function randomFlags(random: ReturnType<typeof randomNumbers>): number {
  const rights = random.pick([Pte.R, Pte.R | Pte.W, Pte.X, Pte.R | Pte.X, Pte.R | Pte.W | Pte.X]);
  return Pte.V | rights | (random.below(8) << 4) | (random.below(2) === 0 ? 0 : Pte.D);
}

/** `0x2000c4d7 (page 0x80031000, da-uxwrv)`. */
export function entryText(pte: number): string {
  return `${hex(pte)} (page ${hex((ppnOf(pte) * PAGE_BYTES) | 0)}, ${flagsText(pte)})`;
}

/** What an access is called. */
export const ACCESS_NAMES: Readonly<Record<Access, string>> = {
  [Access.Read]: 'load',
  [Access.Write]: 'store',
  [Access.Execute]: 'fetch',
};

/** Whether an answer is a word that can stand in a page table. */
export function isWord(answer: unknown): answer is number {
  return Number.isInteger(answer) && Number(answer) >= -(2 ** 31) && Number(answer) < 2 ** 32;
}
