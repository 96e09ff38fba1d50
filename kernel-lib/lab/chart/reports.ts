/** Charts of what a hypervisor reports: why the guest left direct execution, and what that cost. */
import type { Report } from '../../hypervisor/vm';
import { Mode } from '../../isa/registers';
import { HOLDER_COLOURS } from '../look';
import { exitName } from '../show/machines';
import { draw } from './figure';

/** Who holds the hart, and in which colour. */
const HOLDERS = {
  'guest, user mode': HOLDER_COLOURS.user,
  'guest, kernel mode': HOLDER_COLOURS.kernel,
  hypervisor: HOLDER_COLOURS.hypervisor,
  'nobody: the guest waits': HOLDER_COLOURS.idle,
} as const;

/** Charts of a report. */
export const reportCharts = {
  /** Exits by cause, a bar each, the guest's kernel and its user mode told apart. */
  exits(report: Report): void {
    const rows = report.exits.map((exit) => ({
      cause: exitName(exit),
      guest: exit.mode === Mode.U ? 'guest, user mode' : 'guest, kernel mode',
      exits: exit.count,
    }));
    const most = rows[0];
    draw({
      title: `Why the guest left direct execution (${report.technique})`,
      description:
        most === undefined
          ? 'There were no exits.'
          : `${rows.length} kinds of exits; most often, ${most.exits} times: ${most.cause}, ${most.guest}.`,
      data: {
        caption: 'Exits by cause',
        columns: [{ title: 'cause' }, { title: 'who' }, { title: 'exits', numeric: true }],
        rows: rows.map(({ cause, guest, exits }) => [cause, guest, exits]),
      },
      options: (plot) => ({
        marginLeft: 240,
        x: { label: 'exits (count)', labelOffset: 40, grid: true },
        y: { label: null, domain: [...new Set(rows.map((row) => row.cause))] },
        color: holderColours(['guest, user mode', 'guest, kernel mode']),
        marks: [plot.barX(rows, { x: 'exits', y: 'cause', fill: 'guest' }), plot.ruleX([0])],
      }),
    });
  },

  /** Where the cycles went: one stacked bar per report. */
  cycles(...reports: Report[]): void {
    const rows = reports.flatMap(({ technique, cycles }) => [
      { technique, who: 'guest, user mode', cycles: cycles.guestUser },
      { technique, who: 'guest, kernel mode', cycles: cycles.guestKernel },
      { technique, who: 'hypervisor', cycles: cycles.hypervisor },
      { technique, who: 'nobody: the guest waits', cycles: cycles.idle },
    ]);
    const description = reports.map(({ technique, cycles }) => {
      const total = Object.values(cycles).reduce((sum, part) => sum + part, 0);
      const share = (100 * cycles.hypervisor) / Math.max(1, total);
      return `${technique}: the hypervisor takes ${share.toFixed(1)} % of ${total.toLocaleString('en-GB')} cycles`;
    });
    draw({
      title: 'Where the cycles go',
      description: `${description.join('; ')}.`,
      data: {
        caption: 'Cycles by who spent them',
        columns: [{ title: 'technique' }, { title: 'who' }, { title: 'cycles', numeric: true }],
        rows: rows.map(({ technique, who, cycles }) => [technique, who, cycles]),
      },
      options: (plot) => ({
        marginLeft: 130,
        height: 110 + 40 * reports.length,
        x: {
          label: 'cycles',
          labelOffset: 40,
          grid: true,
          tickFormat: 's',
          ...(rows.every((row) => row.cycles === 0) ? { domain: [0, 1] } : {}),
        },
        y: { label: null },
        color: holderColours(Object.keys(HOLDERS) as (keyof typeof HOLDERS)[]),
        marks: [
          plot.barX(rows, { x: 'cycles', y: 'technique', fill: 'who', order: Object.keys(HOLDERS) }),
          plot.ruleX([0]),
        ],
      }),
    });
  },

  /** Exits per thousand instructions, for the guest's kernel and its user mode. */
  exitRate(report: Report): void {
    const exitsIn = (isUser: boolean) =>
      report.exits
        .filter((exit) => (exit.mode === Mode.U) === isUser)
        .reduce((sum, exit) => sum + exit.count, 0);
    const rate = (exits: number, instructions: number) =>
      instructions === 0 ? 0 : (1000 * exits) / instructions;
    const rows = [
      { guest: 'guest, user mode', rate: rate(exitsIn(true), report.direct.user) },
      { guest: 'guest, kernel mode', rate: rate(exitsIn(false), report.direct.kernel + report.emulated) },
    ];
    draw({
      title: 'How often each half of the guest traps',
      description: rows
        .map((row) => `${row.guest}: ${row.rate.toFixed(1)} exits per 1,000 instructions`)
        .join('; '),
      data: {
        caption: 'Exits per 1,000 instructions',
        columns: [{ title: 'who' }, { title: 'exits per 1,000 instructions', numeric: true }],
        rows: rows.map((row) => [row.guest, row.rate.toFixed(2)]),
      },
      options: (plot) => ({
        marginLeft: 130,
        height: 140,
        x: { label: 'exits per 1,000 instructions', labelOffset: 40, grid: true },
        y: { label: null },
        color: { ...holderColours(['guest, user mode', 'guest, kernel mode']), legend: false },
        marks: [plot.barX(rows, { x: 'rate', y: 'guest', fill: 'guest' }), plot.ruleX([0])],
      }),
    });
  },
};

function holderColours(domain: (keyof typeof HOLDERS)[]) {
  return { domain, range: domain.map((who) => HOLDERS[who]), legend: true };
}
