/**
 * Sv32 page tables as data: what the bits of an entry mean, and where in a table an address leads.
 *
 * Two levels of tables with 1024 entries of 4 bytes. An entry of the upper level points to a
 * table, or is itself the leaf for a superpage of 4 MiB. Physical addresses have 34 bits.
 * Priv, Sv32: Page-Based 32-bit Virtual-Memory Systems.
 */
import { bits } from '../bits';

export const PAGE_BYTES = 4096;
export const SUPERPAGE_BYTES = 2 ** 22;
export const TABLE_ENTRIES = 1024;

/** The bits of a page-table entry (PTE). */
export enum Pte {
  V = 0x01,
  R = 0x02,
  W = 0x04,
  X = 0x08,
  U = 0x10,
  G = 0x20,
  A = 0x40,
  D = 0x80,
}

/** The index into the table of `level` (1: upper, 0: lower) for a virtual address. */
export function vpn(va: number, level: number): number {
  return level === 1 ? bits(va, 31, 22) : bits(va, 21, 12);
}

/** The physical page number in an entry: 22 bits. */
export function ppnOf(pte: number): number {
  return pte >>> 10;
}

/** An entry that leads to physical page `ppn`. */
export function makePte(ppn: number, flags: number): number {
  return (ppn << 10) | flags;
}

/** Whether an entry ends the walk: it can be read or executed. */
export function isLeaf(pte: number): boolean {
  return (pte & (Pte.R | Pte.X)) !== 0;
}

/** Whether an entry leads anywhere: valid, and of no reserved kind. */
export function isValid(pte: number, level: number): boolean {
  if ((pte & Pte.V) === 0 || (pte & (Pte.R | Pte.W)) === Pte.W) return false;
  if (isLeaf(pte)) return level === 0 || (ppnOf(pte) & (TABLE_ENTRIES - 1)) === 0;
  return level > 0 && (pte & (Pte.A | Pte.D | Pte.U)) === 0;
}

/** The flags as text, in the usual order: `daguxwrv`. */
export function flagsText(pte: number): string {
  return [...'daguxwrv']
    .map((letter) => ((pte & Pte[letter.toUpperCase() as keyof typeof Pte]) !== 0 ? letter : '-'))
    .join('');
}
