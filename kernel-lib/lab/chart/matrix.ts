/**
 * A matrix of names by names: which class an instruction has on which profile. It is a table whose
 * cells say what they are in words, with a colour beside them.
 */
import type { Classification } from '../../hypervisor/classify';
import { displayHtml } from '../display';
import { PALETTE, STYLE } from '../look';
import { escapeHtml, tableText } from '../table';
import { checkRows, type NameAxis, namesIn } from './rows';

export interface MatrixOptions<R> {
  title: string;
  says?: string;
  rows: readonly R[];
  x: NameAxis<R>;
  y: NameAxis<R>;
  /** What stands in the cells. */
  value: NameAxis<R>;
  /** Values to stand out. */
  emphasise?: readonly string[];
}

/** One colour for all that is to stand out, the same in every matrix; others for the rest. */
const STANDS_OUT = PALETTE[2];
const PLAIN = PALETTE.filter((colour) => colour !== STANDS_OUT);

/**
 * The matrix. A cell without a row stays empty.
 * @throws Error if two rows are about the same cell, or a row lacks a field
 */
export function matrix<R extends object>(options: MatrixOptions<R>): void {
  const { title, rows, x, y, value, emphasise = [] } = options;
  checkRows(title, rows, { numbers: [], names: [x.of, y.of, value.of] });
  const columns = namesIn(rows, x.of);
  const names = namesIn(rows, y.of);
  const values = namesIn(rows, value.of);
  const cells = new Map<string, string>();
  for (const row of rows) {
    const key = JSON.stringify([row[y.of], row[x.of]].map(String));
    if (cells.has(key)) throw new Error(`chart "${title}": two rows are about ${key}.`);
    cells.set(key, String(row[value.of]));
  }
  const cellOf = (name: string, column: string) => cells.get(JSON.stringify([name, column])) ?? '';
  const description = options.says ?? countsOf(values, [...cells.values()]);
  const plain = values.filter((text) => !emphasise.includes(text));
  const colour = (text: string) =>
    emphasise.includes(text) ? STANDS_OUT : PLAIN[plain.indexOf(text) % PLAIN.length];
  const cellHtml = (text: string) => {
    if (text === '') return '<td></td>';
    const shown = emphasise.includes(text) ? `<strong>${escapeHtml(text)}</strong>` : escapeHtml(text);
    return `<td><span class="vmlab-cell" style="border-color: ${colour(text)}">${shown}</span></td>`;
  };
  const body = names.map((name) => {
    const own = columns.map((column) => cellHtml(cellOf(name, column)));
    return `<tr><th scope="row">${escapeHtml(name)}</th>${own.join('')}</tr>`;
  });
  const head = [y.title, ...columns].map((name) => `<th scope="col">${escapeHtml(name)}</th>`);
  const html =
    `${STYLE}<style>${MATRIX_STYLE}</style><figure class="vmlab vmlab-matrix">` +
    `<figcaption><strong>${escapeHtml(title)}</strong><br>${escapeHtml(description)}</figcaption>` +
    `<div tabindex="0" role="region" aria-label="${escapeHtml(title)}" data-lm-suppress-shortcuts="true">` +
    `<table class="vmlab-table"><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div></figure>`;
  const table = tableText({
    caption: title,
    columns: [y.title, ...columns].map((name) => ({ title: name })),
    rows: names.map((name) => [name, ...columns.map((column) => cellOf(name, column))]),
  });
  displayHtml(html, `${table}\n${description}`);
}

function countsOf(values: string[], cells: string[]): string {
  if (cells.length === 0) return 'There is nothing to show.';
  const told = values.map((value) => `${value}: ${cells.filter((cell) => cell === value).length}`);
  return `How many of each: ${told.join(', ')}.`;
}

/** Instructions by profile. Those are left out that are innocuous, or the same, on every profile, if `all` is not set. */
export function classes(classifications: readonly Classification[], options: { all?: boolean } = {}): void {
  const rows = classifications.flatMap(({ profile, findings }) =>
    findings.map((finding) => ({ instruction: finding.name, profile: profile.name, class: finding.class })),
  );
  const byName = new Map<string, Set<string>>();
  for (const { instruction, class: name } of rows)
    byName.set(instruction, (byName.get(instruction) ?? new Set()).add(name));
  const isShown = (name: string) => {
    const found = byName.get(name) ?? new Set();
    return options.all || found.has('critical') || found.size > 1;
  };
  matrix({
    title: 'What instructions are to a hypervisor, by profile',
    rows: rows.filter(({ instruction }) => isShown(instruction)),
    x: { of: 'profile', title: 'profile' },
    y: { of: 'instruction', title: 'instruction' },
    value: { of: 'class', title: 'class' },
    emphasise: ['critical'],
  });
}

const MATRIX_STYLE = `
.vmlab-matrix > div { max-height: 36em; overflow: auto; }
.vmlab-matrix .vmlab-cell { border-left: 0.8em solid; padding-left: 0.5em; }
.vmlab table.vmlab-table tbody th { font-weight: 400; font-family: var(--code); }
`;
