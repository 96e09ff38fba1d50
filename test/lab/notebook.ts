// Notebooks in tests: writing a small one, and executing it through the real kernel.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Execution, executeNotebook, withFolder } from '../../scripts/lessons/execute';

export {
  type ExecutedCell,
  type Execution,
  executeNotebook,
  jupyterPython,
  type Output,
  withFolder,
} from '../../scripts/lessons/execute';

/** The text of a notebook with these code cells, for the project's kernel. */
export function notebookText(sources: readonly string[]): string {
  const cells = sources.map((source, index) => ({
    cell_type: 'code',
    id: `cell-${index}`,
    metadata: {},
    execution_count: null,
    outputs: [],
    source,
  }));
  const kernelspec = { name: 'vmlab', display_name: 'TypeScript (vmlab)', language: 'typescript' };
  const metadata = { kernelspec, language_info: { name: 'typescript', file_extension: '.ts' } };
  return JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }, null, 1);
}

/** Writes a notebook of these code cells and executes it. */
export function executeCells(sources: readonly string[]): Promise<Execution> {
  return withFolder((folder) => {
    const path = join(folder, 'cells.ipynb');
    writeFileSync(path, notebookText(sources));
    return executeNotebook(path);
  });
}
