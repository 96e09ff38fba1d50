/**
 * `timeline(run)`: a recorded run to step through, forward and back, in the cell's output.
 *
 * The output is HTML with its script and its data, and needs nothing else. Where scripts are stripped
 * (a notebook that was only opened), a table of steps around the one to open at stands there, and the
 * first traps; as text, the same. Read `record.ts`, `encode.ts` and `page.ts` first.
 */
import { hex } from '../../bits';
import { displayHtml } from '../display';
import { pageScript } from '../in-page';
import { HOLDER_COLOURS, STYLE } from '../look';
import { escapeHtml, type Table, tableHtml, tableText } from '../table';
import { packRun } from './encode';
import { startTimeline, TIMELINE_FUNCTIONS } from './page';
import type { Recording, Step } from './record';

export interface TimelineOptions {
  /** The step to open at, from 1 as they are shown; the first, if left out. */
  at?: number;
}

/** Steps in the table where scripts are stripped, and traps. */
const STATIC_STEPS = 12;
const STATIC_TRAPS = 12;

/**
 * Shows a recorded run as a figure to step through.
 * @throws Error if it is no recording: `record(machine)` makes one
 */
export function timeline(run: Recording, options: TimelineOptions = {}): void {
  displayHtml(timelineHtml(run, options), timelineText(run, options));
}

/** The timeline as a piece of HTML that needs nothing else. */
export function timelineHtml(run: Recording, options: TimelineOptions = {}): string {
  checkRun(run);
  const at = (options.at ?? 1) - 1;
  const colours = [
    HOLDER_COLOURS.user,
    HOLDER_COLOURS.kernel,
    HOLDER_COLOURS.hypervisor,
    HOLDER_COLOURS.idle,
  ];
  const script = pageScript('vmlab-timeline', startTimeline, TIMELINE_FUNCTIONS, {
    run: packRun(run),
    at,
    colours: run.holders.map((_, n) => colours[n % colours.length]),
  });
  return (
    `${STYLE}<style>${TIMELINE_STYLE}</style>` +
    `<div class="vmlab vmlab-timeline" role="group" aria-label="Timeline: ${escapeHtml(run.title)}">` +
    `<p class="vmlab-title"><strong>${escapeHtml(run.title)}</strong></p>` +
    `<p class="vmlab-asleep">Run this cell to step through the run.</p>` +
    `<div class="vmlab-static">${staticTables(run, at).map(tableHtml).join('')}</div>${script}</div>`
  );
}

/** The timeline as text. */
export function timelineText(run: Recording, options: TimelineOptions = {}): string {
  checkRun(run);
  const tables = staticTables(run, (options.at ?? 1) - 1).map(tableText);
  return [run.title, ...tables, run.ending].join('\n\n');
}

function checkRun(run: Recording): void {
  if (Array.isArray(run?.steps) && Array.isArray(run.places)) return;
  throw new Error('timeline() shows a recorded run: timeline(record(machine)), or record(hypervisor).');
}

function staticTables(run: Recording, at: number): Table[] {
  const numbered = run.steps.map((step, index) => ({ step, index }));
  const first = Math.max(0, Math.min(at - STATIC_STEPS / 2, run.steps.length - STATIC_STEPS));
  const traps = numbered.filter(({ step }) => step.trap !== '');
  const total = run.steps.length.toLocaleString('en-GB');
  const some = numbered.slice(first, first + STATIC_STEPS);
  const steps = stepsTable(run, `Steps ${first + 1} to ${first + some.length} of ${total}`, some);
  if (traps.length === 0) return [steps];
  const told =
    traps.length > STATIC_TRAPS ? `The first ${STATIC_TRAPS} of ${traps.length} traps` : 'The traps';
  return [steps, stepsTable(run, told, traps.slice(0, STATIC_TRAPS))];
}

function stepsTable(run: Recording, caption: string, steps: { step: Step; index: number }[]): Table {
  const titles = ['step', 'who', 'real', 'virtual', 'pc', 'instruction', 'changes', 'cycles'];
  return {
    caption,
    columns: titles.map((title) => ({ title, numeric: title === 'step' || title === 'cycles' })),
    rows: steps.map(({ step, index }) => [
      index + 1,
      run.holders[step.holder],
      step.real,
      step.virtual,
      hex(step.pc),
      step.text + (step.trap === '' ? '' : `  ⚡ ${step.trap}`),
      step.changes.map(([place, value]) => `${run.places[place]} = ${hex(value)}`).join(', '),
      step.cycles,
    ]),
  };
}

const TIMELINE_STYLE = `
.vmlab-timeline { max-width: 72em; }
.vmlab-timeline p { margin: 0.3em 0; }
.vmlab-timeline .vmlab-bar { display: flex; flex-wrap: wrap; gap: 0.3em 0.6em; align-items: center; margin: 0.3em 0; }
.vmlab-timeline .vmlab-bar .vmlab-button { margin: 0; }
.vmlab-timeline .vmlab-bar label { display: inline-flex; gap: 0.35em; align-items: center; }
.vmlab-timeline .vmlab-where { font-variant-numeric: tabular-nums; margin-left: auto; }
.vmlab-timeline .vmlab-swatch { width: 0.8em; height: 0.8em; border: 1px solid var(--line); display: inline-block; }
.vmlab-timeline .vmlab-strip { position: relative; cursor: pointer; }
.vmlab-timeline canvas { width: 100%; height: auto; display: block; background: var(--shade); }
.vmlab-timeline .vmlab-cursor { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -1px; background: var(--ink); pointer-events: none; }
.vmlab-timeline .vmlab-slider { width: 100%; margin: 0.2em 0; box-sizing: border-box; }
.vmlab-timeline .vmlab-wide { overflow-x: auto; }
.vmlab-timeline table.vmlab-steps { border-collapse: collapse; width: 100%; font-size: 0.9em; font-family: var(--code); table-layout: fixed; min-width: 58em; margin: 0; }
.vmlab-timeline .vmlab-real { width: 2.7em; }
.vmlab-timeline .vmlab-virtual { width: 4.3em; }
.vmlab-timeline .vmlab-step { width: 3em; }
.vmlab-timeline .vmlab-cycles { width: 4em; }
.vmlab-timeline .vmlab-who { width: 7.3em; }
.vmlab-timeline .vmlab-pc { width: 6.1em; }
.vmlab-timeline .vmlab-changes { width: 26%; }
.vmlab-timeline table.vmlab-steps :is(th, td) { text-align: left; padding: 0.1em 0.35em; border: 0; white-space: pre; overflow: hidden; text-overflow: ellipsis; color: inherit; background: none; height: 1.5em; }
.vmlab-timeline table.vmlab-steps thead tr { border-bottom: 1px solid var(--line); background: none; }
.vmlab-timeline table.vmlab-steps tbody tr { border-left: 6px solid transparent; background: none; cursor: pointer; }
.vmlab-timeline table.vmlab-steps tbody tr:hover { background: var(--shade); }
.vmlab-timeline table.vmlab-steps tbody tr[aria-current] { background: var(--shade); outline: 2px solid var(--strong); outline-offset: -2px; font-weight: 600; }
.vmlab-timeline table.vmlab-steps :is(th, td):is(:first-child, :last-child) { text-align: right; font-variant-numeric: tabular-nums; }
.vmlab-timeline .vmlab-told { min-height: 3em; }
.vmlab-timeline .vmlab-registers { display: grid; grid-template-columns: repeat(auto-fill, minmax(17em, 1fr)); gap: 0 1.5em; font-family: var(--code); font-size: 0.9em; }
.vmlab-timeline .vmlab-registers div { display: flex; justify-content: space-between; }
.vmlab-timeline .vmlab-changed { background: var(--shade); font-weight: 700; }
.vmlab-timeline .vmlab-ending { color: var(--faint); }
`;
