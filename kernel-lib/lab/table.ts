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

/** How the lab's own outputs look: JupyterLab's colours where there are any. */
export const STYLE = `<style>
.vmlab { color: var(--jp-content-font-color1, inherit); line-height: 1.45; }
.vmlab-row { display: flex; flex-wrap: wrap; gap: 0 2em; align-items: flex-start; }
.vmlab table.vmlab-table { border-collapse: collapse; margin: 0.4em 0 0.8em 0; font-size: 0.92em; }
.vmlab table.vmlab-table caption { text-align: left; white-space: nowrap; font-weight: 600; padding: 0.2em 0; color: inherit; caption-side: top; }
.vmlab table.vmlab-table th, .vmlab table.vmlab-table td { text-align: left; padding: 0.1em 0.7em 0.1em 0; border: 0; white-space: pre-wrap; color: inherit; background: none; }
.vmlab table.vmlab-table thead th { border-bottom: 1px solid var(--jp-border-color1, #a9b0b8); font-weight: 600; }
.vmlab table.vmlab-table .vmlab-number { text-align: right; font-variant-numeric: tabular-nums; }
.vmlab code, .vmlab pre, .vmlab td { font-family: var(--jp-code-font-family, monospace); }
.vmlab pre { white-space: pre-wrap; background: var(--jp-layout-color2, #eef0f3); color: inherit; padding: 0.5em 0.8em; }
.vmlab-verdict { border-left: 5px solid; padding: 0.1em 0.9em; max-width: 52em; }
.vmlab-verdict[data-result=right] { border-color: var(--jp-success-color1, #2e7d32); }
.vmlab-verdict[data-result=wrong] { border-color: var(--jp-error-color1, #c62828); }
.vmlab-verdict[data-result=open] { border-color: var(--jp-border-color1, #a9b0b8); }
.vmlab summary { cursor: pointer; }
figure.vmlab { margin: 0.4em 0; }
</style>`;
