/**
 * `show(x)`: anything of a machine in the cell's output, as tables, trees and text.
 *
 * `show` itself chooses by what it is given; what needs to be told more has a name of its own:
 * `show.memory`, `show.pageTable`, `show.side`, … Registers that are zero are left out, CSRs are taken
 * apart into their fields, what differs is marked.
 */
import type { Program } from '../../code/program';
import type { PortReport } from '../../guests/port';
import type { Classification, SideBySide, Witness } from '../../hypervisor/classify';
import type { SeveralReport } from '../../hypervisor/several';
import type { Hypervisor, Report } from '../../hypervisor/vm';
import { Hart } from '../../machine/hart';
import { Machine, type RunResult } from '../../machine/machine';
import type { Memory } from '../../machine/memory';
import { displayHtml } from '../display';
import { STYLE } from '../look';
import { type Piece, type Table, tablePiece } from '../table';
import { classificationTables } from './classification';
import { blocksPiece, listingPiece, portPiece, type TranslatedInstruction } from './code';
import { csrTable, hartTables, machineTable, reportTables, runTable, severalTables } from './machines';
import { memoryPiece } from './memory';
import { pageTablePiece, type Region, tlbTable } from './page-tables';
import { type State, sideTable, witnessTable } from './side';

/** What `show` can show without being told more. */
export type Showable =
  | Machine
  | Hart
  | Hypervisor
  | Report
  | SeveralReport
  | RunResult
  | Program
  | Classification
  | Witness
  | SideBySide
  | PortReport
  | readonly TranslatedInstruction[]
  | Table;

function showThing(thing: Showable): void {
  display(piecesOf(thing));
}

function csr(hart: Hart, ...names: string[]): void {
  display(names.map((name) => tablePiece(csrTable(hart, name))));
}

/** Shows a CSR of a hart, field by field: `showCsr(machine.hart, 'sstatus')`. The same as `show.csr`. */
export const showCsr = csr;

function side(states: Readonly<Record<string, State>>, caption = 'Side by side'): void {
  display([tablePiece(sideTable(caption, states))]);
}

function memory(of: Machine | Memory | Hart, address: number, bytes = 128): void {
  display([memoryPiece(of, address, bytes)]);
}

function pageTable(of: Machine | Hart | Hypervisor, options: { names?: readonly Region[] } = {}): void {
  const names = options.names ?? [];
  if (of instanceof Hart) {
    display([pageTablePiece('Page table', of.csrs.get('satp'), of.ram, names)]);
  } else if (of instanceof Machine) {
    const regions = [...names, ...regionsOf(of)];
    display([pageTablePiece('Page table', of.hart.csrs.get('satp'), of.ram, regions)]);
  } else {
    const { guest, machine } = of.vm;
    const own = [...names, ...regionsOf(guest)];
    const real = [...names, ...regionsOf(machine)];
    display([
      pageTablePiece("The guest's own", guest.hart.csrs.get('satp'), guest.ram, own),
      pageTablePiece('What the real hart follows', machine.hart.csrs.get('satp'), machine.ram, real),
    ]);
  }
}

function regionsOf({ ram, bus }: Machine): Region[] {
  return [{ name: 'RAM', base: ram.base, size: ram.size }, ...bus.devices];
}

function tlb(of: Machine | Hart, options: { most?: number } = {}): void {
  display([tablePiece(tlbTable(of instanceof Machine ? of.hart : of, options.most ?? 32))]);
}

const BLOCK_CAPTION = 'A block and its translation';

function blocks(block: readonly TranslatedInstruction[], caption = BLOCK_CAPTION): void {
  display([blocksPiece(caption, block)]);
}

/**
 * Shows a machine, a hart, a virtual machine, a report, how a run ended, a program's listing, a
 * classification, a witness, a port, a block beside its translation, or a table of one's own.
 */
export const show = Object.assign(showThing, {
  /** CSRs of a hart, field by field: `show.csr(machine.hart, 'sstatus')`. */
  csr,
  /** States side by side, differences marked: `show.side({ bare: machine, guest: vm.hart })`. */
  side,
  /** Bytes of memory. Addresses are physical; for a hart, virtual ones as it sees them. */
  memory,
  /** The page table that is in use, as a tree; of a hypervisor, the guest's own and the real one. */
  pageTable,
  /** The translations that a hart remembers, the first 32 if `most` is left out. */
  tlb,
  /** A block of the guest beside its translation. */
  blocks,
});

function display(pieces: Piece[]): void {
  const html = `${STYLE}${SHOW_STYLE}<div class="vmlab vmlab-row">${pieces.map((piece) => piece.html).join('')}</div>`;
  displayHtml(html, pieces.map((piece) => piece.text).join('\n\n'));
}

const isBlock = (thing: Showable): thing is readonly TranslatedInstruction[] => Array.isArray(thing);

function piecesOf(thing: Showable): Piece[] {
  if (isBlock(thing)) return [blocksPiece(BLOCK_CAPTION, thing)];
  if (thing instanceof Machine)
    return [...hartTables('Hart', thing.hart), machineTable(thing)].map(tablePiece);
  if (thing instanceof Hart) return hartTables('Hart', thing).map(tablePiece);
  if ('vm' in thing) {
    const { hart, machine } = thing.vm;
    const states = { 'what the guest believes': hart, 'what is': machine.hart };
    return [tablePiece(sideTable('Two harts, one guest', states))];
  }
  if ('guests' in thing) return severalTables(thing).map(tablePiece);
  if ('exits' in thing) return reportTables(thing).map(tablePiece);
  if ('segments' in thing) return [listingPiece(thing)];
  if ('findings' in thing) return classificationTables(thing).map(tablePiece);
  if ('sides' in thing) return [tablePiece(witnessTable(thing))];
  if ('hunks' in thing) return [portPiece(thing)];
  if ('rows' in thing) return [tablePiece(thing)];
  return [tablePiece(runTable(thing))];
}

const SHOW_STYLE = `<style>
.vmlab-tree ul { list-style: none; margin: 0; padding-left: 1.2em; }
.vmlab-tree { margin-bottom: 0.8em; }
.vmlab-tree p { margin: 0.2em 0; color: var(--faint); }
.vmlab-tree code { white-space: pre-wrap; background: none; color: inherit; }
.vmlab-tree > ul { padding-left: 0; }
.vmlab.vmlab-row > div { max-width: 100%; }
.vmlab .vmlab-table td.vmlab-unwrapped { white-space: pre; }
.vmlab.vmlab-row pre { overflow-x: auto; white-space: pre; margin: 0.3em 0 0.8em; }
.vmlab.vmlab-row pre.vmlab-long { max-height: 32em; overflow-y: auto; }
</style>`;
