/**
 * Learner's versions from instructor's versions: what stands between `// BEGIN SOLUTION` and
 * `// END SOLUTION` is replaced by a line that asks for it, and outputs are dropped.
 */
import type { Cell, Notebook } from './notebook';

const BEGIN = /^(\s*)\/\/ BEGIN SOLUTION\s*$/;
const END = /^\s*\/\/ END SOLUTION\s*$/;
const STUB = '// YOUR CODE HERE';

/**
 * The learner's version of an instructor's notebook.
 * @throws Error naming the cell, if the marks of a solution don't pair up
 */
export function learnersVersion(notebook: Notebook): Notebook {
  return { ...notebook, cells: notebook.cells.map(withoutSolution) };
}

function withoutSolution(cell: Cell): Cell {
  if (cell.cell_type !== 'code') return cell;
  const source: string[] = [];
  let inside = false;
  for (const line of cell.source) {
    const text = line.replace(/\n$/, '');
    const begin = BEGIN.exec(text);
    if (begin !== null) {
      if (inside) throw new Error(`Cell ${cell.id}: BEGIN SOLUTION within a solution. Close the first one.`);
      inside = true;
      source.push(`${begin[1]}${STUB}\n`);
    } else if (END.test(text)) {
      if (!inside) throw new Error(`Cell ${cell.id}: END SOLUTION without a BEGIN SOLUTION before it.`);
      inside = false;
    } else if (!inside) source.push(line);
  }
  if (inside) throw new Error(`Cell ${cell.id}: BEGIN SOLUTION has no END SOLUTION.`);
  return { ...cell, source, outputs: [], execution_count: null };
}
