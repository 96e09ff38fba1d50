/**
 * Notebooks as files: nbformat 4.5 JSON, as far as the lessons' tools need it.
 */
import { readFileSync, writeFileSync } from 'node:fs';

export interface Cell {
  cell_type: 'code' | 'markdown' | 'raw';
  id: string;
  metadata: Record<string, unknown> & { nbgrader?: { solution: boolean; grade: boolean; grade_id: string } };
  source: string[];
  outputs?: unknown[];
  execution_count?: number | null;
}

export interface Notebook {
  cells: Cell[];
  metadata: Record<string, unknown>;
  nbformat: number;
  nbformat_minor: number;
}

/**
 * Reads a notebook.
 * @throws Error naming the file, if it can't be read, or is not a notebook of format 4.5 or later
 */
export function readNotebook(file: string): Notebook {
  return parseNotebook(readText(file), file);
}

/**
 * Reads a file.
 * @param name for messages
 * @throws Error with the name, if it is a folder, or not ours to read
 */
export function readBytes(file: string, name = file): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = (error as Error).message.replace(/,[^,]*$/, '');
    throw new Error(`${name}: can’t be read (${reason}). It should be a text file that you may read.`);
  }
}

/**
 * Reads a file as text.
 * @throws Error as `readBytes` does, or if it is no UTF-8
 */
export function readText(file: string, name = file): string {
  const bytes = readBytes(file, name);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error(`${name}: not readable as text: save it as UTF-8.`);
  }
}

/**
 * The notebook that a text holds. A source that is one string becomes a list of lines.
 * @param file its name, for messages
 * @throws Error naming the file, if it is not a notebook of format 4.5 or later
 */
export function parseNotebook(text: string, file: string): Notebook {
  let notebook: Partial<Notebook> | null;
  if (text.startsWith('\uFEFF'))
    throw new Error(
      `${file}: begins with a byte order mark, at which Jupyter stops: save it as UTF-8 without.`,
    );
  try {
    notebook = JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message.replace(/, "[\s\S]*is not valid JSON$/, '');
    throw new Error(`${file}: not a notebook, because it is not JSON (${reason}).`);
  }
  const cells = notebook?.cells;
  if (notebook?.nbformat !== 4 || (notebook.nbformat_minor ?? 0) < 5 || !Array.isArray(cells)) {
    throw new Error(`${file}: not a notebook of format 4.5. Open it in JupyterLab and save it again.`);
  }
  if (!isRecord(notebook.metadata))
    throw new Error(`${file}: the notebook has no metadata. Open it in JupyterLab and save it again.`);
  const broken = cells.findIndex((cell) => !isCell(cell));
  if (broken >= 0)
    throw new Error(
      `${file}: cell ${broken + 1} has no type, source or metadata, or they are of another kind. Write the cell anew.`,
    );
  return {
    ...(notebook as Notebook),
    cells: cells.map((cell) => ({ ...cell, source: linesOf(cell.source) })),
  };
}

function isCell(cell: unknown): boolean {
  const { cell_type, source, metadata } = (cell ?? {}) as Record<string, unknown>;
  const isText =
    typeof source === 'string' || (Array.isArray(source) && source.every((line) => typeof line === 'string'));
  const isOurs = isRecord(metadata) && (metadata.nbgrader === undefined || isRecord(metadata.nbgrader));
  return ['code', 'markdown', 'raw'].includes(cell_type as string) && isText && isOurs;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Lines as a notebook has them: each but the last with its line end. */
export function linesOf(source: string | string[]): string[] {
  const text = typeof source === 'string' ? source : source.join('');
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** The notebook as text, written as Jupyter writes it. */
export function notebookText(notebook: Notebook): string {
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

export function writeNotebook(file: string, notebook: Notebook): void {
  writeFileSync(file, notebookText(notebook));
}

/** The notebook as it is committed: no outputs, no counts, nothing that a front end left in passing. */
export function withoutOutputs(notebook: Notebook): Notebook {
  const { widgets: _, ...metadata } = notebook.metadata;
  return {
    ...notebook,
    metadata,
    cells: notebook.cells.map((cell) =>
      cell.cell_type === 'code' ? { ...cell, outputs: [], execution_count: null } : cell,
    ),
  };
}
