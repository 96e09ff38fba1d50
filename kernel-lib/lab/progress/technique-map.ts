/**
 * `techniqueMap()`: the techniques on one page. Whose guest needs changing, what traps, what is
 * fast, what is hard. A row fills in when its lesson is done, that is when all its exercises are
 * right; until then it says what is missing.
 */
import { displayHtml } from '../display';
import { STYLE } from '../look';
import { escapeHtml, tableText } from '../table';
import { isDone, type Lesson, readLessons } from './lessons';
import { type Results, readResults } from './results';

interface TechniqueRow {
  technique: string;
  lesson: string;
  /** Who changes the guest, if anybody. */
  guest: string;
  traps: string;
  fast: string;
  hard: string;
}

const ROWS: readonly TechniqueRow[] = [
  {
    technique: 'full emulation',
    lesson: '01',
    guest: 'as it is; any machine’s',
    traps: 'nothing: no guest instruction reaches the hart',
    fast: 'nothing: each instruction costs dozens',
    hard: 'nothing but the work; it is not a virtual machine, for it is not efficient',
  },
  {
    technique: 'trap-and-emulate',
    lesson: '03',
    guest: 'as it is',
    traps: 'each privileged instruction, each device register',
    fast: 'user code; kernel code that touches no privileged state',
    hard: 'needs a machine on which every sensitive instruction traps',
  },
  {
    technique: 'ring compression',
    lesson: '04',
    guest: 'as it is',
    traps: 'system calls too: they go through the hypervisor',
    fast: 'as above; “interrupts off” is only a flag',
    hard: 'keeping kernel and user apart in one real mode',
  },
  {
    technique: 'shadow page tables',
    lesson: '05',
    guest: 'as it is',
    traps: 'satp, sfence.vma, hidden faults; with traces, writes to page tables',
    fast: 'memory accesses, once they are in the shadow table',
    hard: 'when to bring it up to date: each answer is dear for some guest',
  },
  {
    technique: 'load-time patching',
    lesson: '08',
    guest: 'its binary, once, when it is loaded',
    traps: 'what was replaced by a trapping instruction; with jumps, nothing of it',
    fast: 'everything else, at its own address',
    hard: 'telling code from data; code that comes later, or that reads itself',
  },
  {
    technique: 'binary translation',
    lesson: '09',
    guest: 'its binary, block by block, unseen',
    traps: 'little: sensitive instructions have become callouts or code',
    fast: 'user code; straight kernel code; CSR accesses without an exit',
    hard: 'returns and indirect jumps, code that changes, precise exceptions',
  },
  {
    technique: 'adaptive translation',
    lesson: '10',
    guest: 'its binary, and again where it keeps faulting',
    traps: 'first faults only: then the store is translated anew',
    fast: 'what hardware would trap for: page-table updates, flags',
    hard: 'guessing right, and taking a guess back',
  },
  {
    technique: 'para-virtualization',
    lesson: '11',
    guest: 'its source, ported by hand, for one hypervisor',
    traps: 'hypercalls, few of them and batched',
    fast: 'status word, page-table batches, switches of address space',
    hard: 'the port, for each guest and hypervisor, and keeping it in step',
  },
  {
    technique: 'pre-virtualization',
    lesson: '12',
    guest: 'recompiled by a tool; the same binary everywhere',
    traps: 'on bare hardware nothing more than before; in a VM what the wedge asks for',
    fast: 'nearly as para-virtualization',
    hard: 'finding sensitive stores to memory; room for what replaces them',
  },
  {
    technique: 'hardware assistance',
    lesson: '13',
    guest: 'as it is',
    traps: 'what the hypervisor chose; devices; second-stage faults',
    fast: 'system calls, privileged registers, page tables of its own',
    hard: 'exits are dear, so where there are many, software may win',
  },
  {
    technique: 'hosted VMM',
    lesson: '15',
    guest: 'as it is',
    traps: 'as the technique inside; each I/O goes through the host as well',
    fast: 'computing; and one gets all the host’s drivers for nothing',
    hard: 'twice the switches for each I/O; the host knows nothing of guests',
  },
];

/** How much of the map to show. */
export interface TechniqueMapOptions {
  /** All rows filled in, whatever is done. */
  all?: boolean;
}

/** Shows the map of techniques, as far as the learner's lessons are done; with `{ all: true }` the whole of it. */
export function techniqueMap(options: TechniqueMapOptions = {}): void {
  const rows = filledRows(readLessons(), readResults(), options.all === true);
  displayHtml(mapHtml(rows), mapText(rows));
}

interface FilledRow extends TechniqueRow {
  /** The lesson's notebook; undefined where it isn't there. */
  file: string | undefined;
  /** What stands in place of the columns; empty for a row that is filled in. */
  missing: string;
}

/** The rows as a learner gets to see them. */
export function filledRows(lessons: Lesson[], { done }: Results, all = false): FilledRow[] {
  return ROWS.map((row) => {
    const lesson = lessons.find(({ number }) => number === row.lesson);
    const right = lesson?.exercises.filter((id) => done.get(id)?.best === 'right').length ?? 0;
    const isFilled = all || (lesson !== undefined && isDone(lesson, done));
    const missing =
      lesson === undefined
        ? `Comes with lesson ${row.lesson}.`
        : `Fills in with lesson ${row.lesson}: ${right} of its ${lesson.exercises.length} exercises are right.`;
    return { ...row, file: lesson?.file, missing: isFilled ? '' : missing };
  });
}

const TITLES = ['technique', 'whose guest is changed', 'what traps', 'what is fast', 'what is hard'];

const CAPTION = 'The map of techniques';

function summaryOf(rows: FilledRow[]): string {
  const filled = rows.filter(({ missing }) => missing === '').length;
  return `${filled} of ${rows.length} rows are filled in. A row fills in when all exercises of its lesson are right.`;
}

function mapHtml(rows: FilledRow[]): string {
  const body = rows.map((row) => {
    const number = row.file === undefined ? row.lesson : `<a href="${encodeURI(row.file)}">${row.lesson}</a>`;
    const head = `<th scope="row">${escapeHtml(row.technique)} <span class="vmlab-lesson">(${number})</span></th>`;
    const cells = [row.guest, row.traps, row.fast, row.hard].map((cell) => `<td>${escapeHtml(cell)}</td>`);
    const open = `<td colspan="4" class="vmlab-open">○ ${escapeHtml(row.missing)}</td>`;
    return `<tr>${head}${row.missing === '' ? cells.join('') : open}</tr>`;
  });
  const heads = TITLES.map((title) => `<th scope="col">${title}</th>`).join('');
  return (
    `${STYLE}<style>${MAP_STYLE}</style><div class="vmlab vmlab-map"><table class="vmlab-table">` +
    `<caption>${CAPTION}</caption><thead><tr>${heads}</tr></thead><tbody>${body.join('')}</tbody></table>` +
    `<p>${escapeHtml(summaryOf(rows))}</p></div>`
  );
}

function mapText(rows: FilledRow[]): string {
  const table = tableText({
    caption: CAPTION,
    columns: TITLES.map((title) => ({ title })),
    rows: rows.map((row) => {
      const cells =
        row.missing === '' ? [row.guest, row.traps, row.fast, row.hard] : [row.missing, '', '', ''];
      return [`${row.technique} (${row.lesson})`, ...cells];
    }),
  });
  return `${table}\n${summaryOf(rows)}`;
}

const MAP_STYLE = `
.vmlab-map table.vmlab-table :is(td, th) { font-family: inherit; padding: 0.35em 0.9em 0.35em 0; }
.vmlab-map table.vmlab-table tbody tr + tr > * { border-top: 1px solid var(--line); }
.vmlab-map table.vmlab-table tbody th { font-weight: 600; white-space: nowrap; }
.vmlab-map table.vmlab-table td { font-family: var(--jp-content-font-family, system-ui, sans-serif); }
.vmlab-map .vmlab-lesson { font-weight: 400; }
.vmlab-map .vmlab-open { color: var(--faint); font-style: italic; }
.vmlab-map a { color: inherit; text-decoration: underline; }
`;
