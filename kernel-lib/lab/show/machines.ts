/** Machines, harts, virtual machines, their reports and ends, as tables. */
import { hex } from '../../bits';
import { disassemble } from '../../code/disassemble';
import type { ExitCount } from '../../hypervisor/exits';
import type { SeveralReport } from '../../hypervisor/several';
import type { Report } from '../../hypervisor/vm';
import { causeName } from '../../isa/causes';
import { csrByName, csrFieldValues } from '../../isa/csrs';
import { ABI_NAMES, Mode } from '../../isa/registers';
import type { Hart } from '../../machine/hart';
import type { Machine, RunResult } from '../../machine/machine';
import type { Table } from '../table';

/** CSRs that `show` prints for a hart where they are not zero. */
export const SHOWN_CSRS = ['sstatus', 'sie', 'sip', 'stvec', 'sscratch', 'sepc', 'scause', 'stval', 'satp'];

export function hartTables(caption: string, hart: Hart): Table[] {
  const word = instructionAt(hart);
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

/** The instruction that a hart is at, as text; undefined where there is none to fetch. */
export function instructionAt(hart: Hart): string | undefined {
  const word = hart.peekInstruction();
  return word === undefined ? undefined : disassemble(word, hart.pc);
}

/** `S (supervisor)`: the mode's letter and name. */
export function modeName(mode: Mode): string {
  return `${Mode[mode]} (${{ [Mode.U]: 'user', [Mode.S]: 'supervisor', [Mode.M]: 'machine' }[mode]})`;
}

export function csrTable(hart: Hart, name: string): Table {
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

export function machineTable(machine: Machine): Table {
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

export function reportTables(report: Report): Table[] {
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

export function runTable({ reason, message, instructions }: RunResult): Table {
  return {
    caption: 'How the run ended',
    columns: [{ title: 'reason' }, { title: 'in words' }, { title: 'instructions', numeric: true }],
    rows: [[reason, message, instructions]],
  };
}

/** Several guests on one machine: who did how much. */
export function severalTables({ guests, switches, idle }: SeveralReport): Table[] {
  const numeric = true;
  const titles = ['instructions', 'exits', 'user cycles', 'kernel cycles', 'hypervisor cycles'];
  return [
    {
      caption: `Guests of one machine: ${switches.toLocaleString('en-GB')} switches, ${idle.toLocaleString('en-GB')} cycles in which all waited`,
      columns: [{ title: 'guest' }, ...titles.map((title) => ({ title, numeric }))],
      rows: guests.map(({ name, report: { direct, emulated, exits, cycles } }) => [
        name,
        direct.user + direct.kernel + emulated,
        exits.reduce((sum, exit) => sum + exit.count, 0),
        cycles.guestUser,
        cycles.guestKernel,
        cycles.hypervisor,
      ]),
    },
  ];
}
