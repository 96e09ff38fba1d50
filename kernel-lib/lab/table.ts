/**
 * Tables: what the lab shows most. One model, written as HTML for the notebook and as text for
 * everyone else. The HTML carries classes and data attributes only, and no colours but the
 * theme's, so that it fits a page in light or dark.
 */

export type Cell = string | number;

export interface Column {
  title: string;
  /** Numbers stand right, and so that their digits can be compared. */
  numeric?: boolean;
}

export interface Table {
  caption: string;
  columns: Column[];
  rows: Cell[][];
}

/** `&`, `<`, `>` and `"` as entities. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A number with thin groups of three digits, other cells as they are. */
function cellText(cell: Cell): string {
  return typeof cell === 'number' ? cell.toLocaleString('en-GB') : cell;
}

/** The table as HTML. */
export function tableHtml({ caption, columns, rows }: Table): string {
  const align = (column: Column) => (column.numeric ? ' class="vmlab-number"' : '');
  const head = columns.map((column) => `<th scope="col"${align(column)}>${escapeHtml(column.title)}</th>`);
  const body = rows.map((row) => {
    const cells = row.map((cell, i) => `<td${align(columns[i])}>${escapeHtml(cellText(cell))}</td>`);
    return `<tr>${cells.join('')}</tr>`;
  });
  return (
    `<table class="vmlab-table"><caption>${escapeHtml(caption)}</caption>` +
    `<thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table>`
  );
}

/** The table as text, its columns aligned. */
export function tableText({ caption, columns, rows }: Table): string {
  const lines = [columns.map((column) => column.title), ...rows.map((row) => row.map(cellText))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  const aligned = lines.map((line) =>
    line
      .map((cell, i) => (columns[i].numeric ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd(),
  );
  return [caption, ...aligned.map((line) => `  ${line}`)].join('\n');
}
