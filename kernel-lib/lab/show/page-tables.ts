/**
 * Page tables as trees: the upper table's entries, and below each the pages of its lower table. Pages
 * that follow one another with the same flags, to places that follow one another, are one line.
 */
import { hex } from '../../bits';
import type { Hart } from '../../machine/hart';
import type { Memory } from '../../machine/memory';
import {
  flagsText,
  isLeaf,
  isValid,
  PAGE_BYTES,
  ppnOf,
  SUPERPAGE_BYTES,
  TABLE_ENTRIES,
} from '../../machine/page-table';
import type { TlbEntry } from '../../machine/tlb';
import { escapeHtml, type Piece, type Table } from '../table';

/** A run of pages, or the entry of a table. Addresses are unsigned; `pa` has up to 34 bits. */
export interface Mapping {
  va: number;
  pa: number;
  /** Of virtual addresses. */
  bytes: number;
  /** As `flagsText` writes them. */
  flags: string;
  kind: 'pages' | 'superpages' | 'table' | 'no table in RAM';
  /** What is below a table. */
  pages: Mapping[];
}

/** A part of the physical addresses with a name, to say where pages lead. */
export interface Region {
  name: string;
  base: number;
  size: number;
}

const WORD_BYTES = 4;

/** Reads the page table whose root is at physical address `root`. Entries that are not valid are left out. */
export function pageTableTree(ram: Memory, root: number): Mapping[] {
  return readTable(ram, root, 1, 0);
}

function readTable(ram: Memory, table: number, level: number, va: number): Mapping[] {
  const found: Mapping[] = [];
  const bytes = level === 1 ? SUPERPAGE_BYTES : PAGE_BYTES;
  if (!ram.holds(table, TABLE_ENTRIES * WORD_BYTES)) return found;
  for (let index = 0; index < TABLE_ENTRIES; index++) {
    const pte = ram.read(4, table + index * WORD_BYTES);
    if (!isValid(pte, level)) continue;
    const pa = ppnOf(pte) * PAGE_BYTES;
    const entry = { va: va + index * bytes, pa, bytes, flags: flagsText(pte) };
    if (isLeaf(pte)) add(found, { ...entry, kind: level === 1 ? 'superpages' : 'pages', pages: [] });
    else if (!ram.holds(pa, PAGE_BYTES)) found.push({ ...entry, kind: 'no table in RAM', pages: [] });
    else found.push({ ...entry, kind: 'table', pages: readTable(ram, pa, 0, entry.va) });
  }
  return found;
}

/** Adds pages to the run before them, if they continue it. */
function add(found: Mapping[], next: Mapping): void {
  const last = found.at(-1);
  const isContinued =
    last?.kind === next.kind &&
    last.flags === next.flags &&
    last.va + last.bytes === next.va &&
    last.pa + last.bytes === next.pa;
  if (isContinued) last.bytes += next.bytes;
  else found.push(next);
}

/** The page table that a hart follows, or a word that says why there is none. */
export function pageTablePiece(
  caption: string,
  satp: number,
  ram: Memory,
  regions: readonly Region[],
): Piece {
  if (satp >= 0) {
    const text = `${caption}: satp = ${hex(satp)}, so addresses are not translated.`;
    return { html: `<p>${escapeHtml(text)}</p>`, text };
  }
  const root = (satp & 0x3fffff) * PAGE_BYTES;
  const tree = pageTableTree(ram, root);
  const where = `${caption}: root at ${address(root)}, satp = ${hex(satp)}`;
  const isMissing = !ram.holds(root, PAGE_BYTES);
  const empty = isMissing ? 'The root is not in RAM.' : tree.length === 0 ? 'Nothing is mapped.' : '';
  const legend = 'Flags: dirty, accessed, global, user, execute, write, read, valid.';
  return {
    html: `<div class="vmlab-tree"><strong>${escapeHtml(where)}</strong><p>${empty === '' ? legend : empty}</p>${treeHtml(tree, regions)}</div>`,
    text: [where, ...(empty === '' ? treeText(tree, regions, '  ') : [`  ${empty}`])].join('\n'),
  };
}

function treeHtml(tree: readonly Mapping[], regions: readonly Region[]): string {
  const items = tree.map((mapping) => {
    const text = `<code>${escapeHtml(mappingText(mapping, regions))}</code>`;
    if (mapping.kind !== 'table') return `<li>${text}</li>`;
    // A table of a few lines stands open.
    const open = mapping.pages.length <= 16 ? ' open' : '';
    return `<li><details${open}><summary>${text}</summary>${treeHtml(mapping.pages, regions)}</details></li>`;
  });
  return `<ul>${items.join('')}</ul>`;
}

function treeText(tree: readonly Mapping[], regions: readonly Region[], indent: string): string[] {
  return tree.flatMap((mapping) => [
    indent + mappingText(mapping, regions),
    ...treeText(mapping.pages, regions, `${indent}    `),
  ]);
}

function mappingText(mapping: Mapping, regions: readonly Region[]): string {
  const { va, pa, bytes, flags, kind, pages } = mapping;
  const from = `${hex(va)}–${hex(va + bytes - 1)}`;
  if (kind === 'no table in RAM') return `${from}  table at ${address(pa)}: not in RAM`;
  if (kind === 'table') {
    const mapped = pages.reduce((sum, page) => sum + page.bytes, 0) / PAGE_BYTES;
    return `${from}  table at ${address(pa)}: ${mapped} of ${TABLE_ENTRIES} pages`;
  }
  const count = bytes / (kind === 'pages' ? PAGE_BYTES : SUPERPAGE_BYTES);
  const size = kind === 'pages' ? '4 KiB' : '4 MiB';
  const region = regions.find(({ base, size: length }) => pa >= base && pa < base + length);
  const named = region === undefined ? '' : `  ${region.name}`;
  return `${from} → ${address(pa)}  ${flags}  ${count} × ${size}${named}`;
}

/** A physical address: up to 34 bits. */
function address(pa: number): string {
  return `0x${pa.toString(16).padStart(8, '0')}`;
}

/** What a TLB holds, the first `most` entries of it. */
export function tlbTable({ tlb }: Hart, most: number): Table {
  const entries = tlb.contents();
  const left = entries.length > most ? `, the first ${most} of them here` : '';
  const space = ({ asid }: TlbEntry) => (asid === undefined ? 'all (global)' : asid);
  return {
    caption: `TLB: ${entries.length} of ${2 * tlb.entries} entries${left}; ${tlb.misses.toLocaleString('en-GB')} misses so far`,
    columns: [
      { title: 'for' },
      { title: 'virtual' },
      { title: 'physical' },
      { title: 'size' },
      { title: 'flags' },
      { title: 'address space' },
    ],
    rows: entries
      .slice(0, most)
      .map((entry) => [
        entry.bank,
        hex(entry.va),
        address(entry.pa),
        entry.bytes === PAGE_BYTES ? '4 KiB' : '4 MiB',
        flagsText(entry.flags),
        space(entry),
      ]),
  };
}
