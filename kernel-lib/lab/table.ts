/**
 * Tables: what the lab shows most. One model, written as HTML for the notebook and as text for
 * everyone else. The HTML carries classes and data attributes only, and no colours but the
 * theme's, so that it fits a page in light or dark.
 */

/** `differs`: it is not what stands beside it, and marked so. */
export type Cell = string | number | { text: string; differs: boolean };

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

/** A number with groups of three digits, other cells as they are; a dot before what differs. */
function cellText(cell: Cell): string {
  if (typeof cell === 'number') return cell.toLocaleString('en-GB');
  if (typeof cell === 'string') return cell;
  return cell.differs ? `● ${cell.text}` : cell.text;
}

/** Something to show, as HTML and as text. */
export interface Piece {
  html: string;
  text: string;
}

export function tablePiece(table: Table): Piece {
  return { html: tableHtml(table), text: tableText(table) };
}

/** Lines that fit on a screen; more scroll. */
const MOST_LINES = 30;

/** Text in columns under a caption. A long one scrolls, by keyboard too. */
export function textPiece(caption: string, text: string): Piece {
  const name = escapeHtml(caption);
  const isLong = text.split('\n').length > MOST_LINES;
  const scrolls = isLong
    ? ` class="vmlab-long" tabindex="0" role="region" aria-label="${name}" data-lm-suppress-shortcuts="true"`
    : '';
  return {
    html: `<div><strong>${name}</strong><pre${scrolls}>${escapeHtml(text)}</pre></div>`,
    text: `${caption}\n${text}`,
  };
}

/** The table as HTML. */
export function tableHtml({ caption, columns, rows }: Table): string {
  const classes = (column: Column, cell?: Cell) => {
    const isMarked = typeof cell === 'object' && cell.differs;
    const names = [...(column.numeric ? ['vmlab-number'] : []), ...(isMarked ? ['vmlab-differs'] : [])];
    return names.length > 0 ? ` class="${names.join(' ')}"` : '';
  };
  const head = columns.map((column) => `<th scope="col"${classes(column)}>${escapeHtml(column.title)}</th>`);
  const body = rows.map((row) => {
    const cells = row.map((cell, i) => `<td${classes(columns[i], cell)}>${escapeHtml(cellText(cell))}</td>`);
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
