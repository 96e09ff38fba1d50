/**
 * `show(x)`: anything of a machine as tables in the cell's output.
 *
 * Each kind of thing has a function that makes its tables; `tablesOf` chooses. Registers that are
 * zero are left out, CSRs are taken apart into their fields.
 */
import { hex } from '../bits';
import { disassemble } from '../code/disassemble';
import type { Classification, Witness } from '../hypervisor/classify';
import type { ExitCount, Hypervisor, Report } from '../hypervisor/vm';
import { causeName } from '../isa/causes';
import { csrByName, csrFieldValues } from '../isa/csrs';
import { ABI_NAMES, Mode } from '../isa/registers';
import { Hart } from '../machine/hart';
import { Machine, type RunResult } from '../machine/machine';
import { classificationTables, witnessTable } from './classification';
import { displayHtml } from './display';
import { STYLE } from './look';
import { type Table, tableHtml, tableText } from './table';

/** What `show` can show. */
export type Showable = Machine | Hart | Hypervisor | Report | RunResult | Classification | Witness;

/** Shows a machine, a hart, a virtual machine, its report, how a run ended, a classification or a witness. */
export function show(thing: Showable): void {
  display(tablesOf(thing));
}

/** Shows a CSR of a hart, field by field: `showCsr(machine.hart, 'sstatus')`. */
export function showCsr(hart: Hart, ...names: string[]): void {
  display(names.map((name) => csrTable(hart, name)));
}

function display(tables: Table[]): void {
  const html = `${STYLE}<div class="vmlab vmlab-row">${tables.map(tableHtml).join('')}</div>`;
  displayHtml(html, tables.map(tableText).join('\n\n'));
}

/** The tables that describe a thing. */
export function tablesOf(thing: Showable): Table[] {
  if (thing instanceof Machine) return [...hartTables('Hart', thing.hart), machineTable(thing)];
  if (thing instanceof Hart) return hartTables('Hart', thing);
  if ('vm' in thing) {
    const { vm } = thing;
    return [...hartTables('What the guest believes', vm.hart), ...hartTables('What is', vm.machine.hart)];
  }
  if ('findings' in thing) return classificationTables(thing);
  if ('sides' in thing) return [witnessTable(thing)];
  if ('exits' in thing) return reportTables(thing);
  return [runTable(thing)];
}

/** CSRs that `show` prints for a hart where they are not zero. */
const SHOWN_CSRS = ['sstatus', 'sie', 'sip', 'stvec', 'sscratch', 'sepc', 'scause', 'stval', 'satp'];

function hartTables(caption: string, hart: Hart): Table[] {
  const word = decodeAt(hart);
  const state: Table = {
    caption,
    columns: [{ title: 'state' }, { title: 'value' }],
    rows: [
      ['mode', modeName(hart.mode)],
      ['pc', hex(hart.pc)],
      ...(word === undefined ? [] : [['instruction', word]]),
      ['instret', hart.instret],
      ...SHOWN_CSRS.map((name) => [name, hart.csrs.get(name)] as const)
        .filter(([, value]) => value !== 0)
        .map(([name, value]) => [name, hex(value)]),
    ],
  };
  const registers: Table = {
    caption: 'Registers (those that are not 0)',
    columns: [{ title: 'register' }, { title: 'hexadecimal' }, { title: 'decimal', numeric: true }],
    rows: [...hart.x].flatMap((value, n) =>
      value === 0 ? [] : [[`${ABI_NAMES[n]} (x${n})`, hex(value), value]],
    ),
  };
  return registers.rows.length === 0 ? [state] : [state, registers];
}

function decodeAt(hart: Hart): string | undefined {
  const word = hart.peekInstruction();
  return word === undefined ? undefined : disassemble(word, hart.pc);
}

/** `S (supervisor)`: the mode's letter and name. */
export function modeName(mode: Mode): string {
  return `${Mode[mode]} (${{ [Mode.U]: 'user', [Mode.S]: 'supervisor', [Mode.M]: 'machine' }[mode]})`;
}

function csrTable(hart: Hart, name: string): Table {
  const row = csrByName(name);
  if (row === undefined) throw new Error(`There is no CSR called "${name}". \`CSRS\` lists them all.`);
  const value = hart.csrs.get(name);
  const fields = csrFieldValues(row, value);
  return {
    caption: `${name} = ${hex(value)}`,
    columns: [{ title: 'field' }, { title: 'bits' }, { title: 'value', numeric: true }],
    rows: row.fields.map((field) => [
      field.name,
      field.high === field.low ? `${field.low}` : `${field.high}:${field.low}`,
      field.high - field.low > 4 ? hex(fields[field.name], 1) : fields[field.name],
    ]),
  };
}

function machineTable(machine: Machine): Table {
  const { ram } = machine;
  return {
    caption: 'Machine',
    columns: [{ title: 'what' }, { title: 'value' }],
    rows: [
      ['RAM', `${ram.size / 2 ** 20} MiB at ${hex(ram.base)}`],
      ['cycles', machine.cycles],
      ['traps taken', machine.traps],
      ['unit costs', machine.clock.costs.name],
      ['console', JSON.stringify(machine.console.slice(-60))],
    ],
  };
}

/** An exit's reason in words: `illegal instruction (csrrw)`, `load page fault (hidden fault)`. */
export function exitName({ cause, instruction, reason }: ExitCount): string {
  if (reason !== undefined) return `${causeName(cause)} (${reason})`;
  return instruction === 'interrupt' ? causeName(cause) : `${causeName(cause)} (${instruction})`;
}

function reportTables(report: Report): Table[] {
  const { direct, emulated, cycles, exits } = report;
  const total = direct.user + direct.kernel + emulated;
  const spent = Object.values(cycles).reduce((sum, part) => sum + part, 0);
  const share = (part: number, whole: number) =>
    whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
  const numeric = true;
  return [
    {
      caption: `Instructions of the guest (${report.technique})`,
      columns: [{ title: 'executed' }, { title: 'instructions', numeric }, { title: 'share', numeric }],
      rows: [
        ['directly, user mode', direct.user, share(direct.user, total)],
        ['directly, kernel mode', direct.kernel, share(direct.kernel, total)],
        ['emulated', emulated, share(emulated, total)],
      ],
    },
    {
      caption: 'Cycles, by who spent them',
      columns: [{ title: 'who' }, { title: 'cycles', numeric }, { title: 'share', numeric }],
      rows: [
        ['guest, user mode', cycles.guestUser, share(cycles.guestUser, spent)],
        ['guest, kernel mode', cycles.guestKernel, share(cycles.guestKernel, spent)],
        ['hypervisor', cycles.hypervisor, share(cycles.hypervisor, spent)],
        ['nobody: the guest waits', cycles.idle, share(cycles.idle, spent)],
      ],
    },
    {
      caption: 'Exits, by cause',
      columns: [{ title: 'cause' }, { title: 'guest was in' }, { title: 'exits', numeric }],
      rows: exits.map((exit) => [exitName(exit), `virtual ${Mode[exit.mode]}`, exit.count]),
    },
  ];
}

function runTable({ reason, message, instructions }: RunResult): Table {
  return {
    caption: 'How the run ended',
    columns: [{ title: 'reason' }, { title: 'in words' }, { title: 'instructions', numeric: true }],
    rows: [[reason, message, instructions]],
  };
}
