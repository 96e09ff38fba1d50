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
 * @throws Error naming the file, if it is not a notebook of format 4.5 or later
 */
export function readNotebook(file: string): Notebook {
  let notebook: Partial<Notebook>;
  try {
    notebook = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: not a notebook, because it is not JSON (${(error as Error).message}).`);
  }
  if (notebook.nbformat !== 4 || (notebook.nbformat_minor ?? 0) < 5 || !Array.isArray(notebook.cells)) {
    throw new Error(`${file}: not a notebook of format 4.5. Open it in JupyterLab and save it again.`);
  }
  return notebook as Notebook;
}

/** The notebook as text, written as Jupyter writes it. */
export function notebookText(notebook: Notebook): string {
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

export function writeNotebook(file: string, notebook: Notebook): void {
  writeFileSync(file, notebookText(notebook));
}
