// Wrong versions of an exercise, made from its solution: what a learner might plausibly write on the way.
import type { Cell } from '../../../scripts/lessons/notebook';

const SOLUTION = /^(\s*)\/\/ BEGIN SOLUTION\n([\s\S]*?)^\s*\/\/ END SOLUTION\n?/gm;

/** Slips, each where it first fits: a comparison turned round, a sign, a bit operation, the wrong bound, a constant. */
const SLIPS: [RegExp, string][] = [
  [/ === /, ' !== '],
  [/ !== /, ' === '],
  [/ \+ /, ' - '],
  [/ & /, ' | '],
  [/ < /, ' >= '],
  [/ > /, ' <= '],
  [/ >= /, ' < '],
  [/\bMath\.min\b/, 'Math.max'],
  [/ = (\w+\.includes)/, ' = !$1'],
  [/\btrue\b/, 'false'],
  [/\bfalse\b/, 'true'],
  [/\b4\b/, '8'],
  [/\b1\b/, '2'],
  [/\b0\b/, '1'],
];

/** True for a cell in which something is to be solved. */
export function isExercise(cell: Cell): boolean {
  return cell.cell_type === 'code' && cell.source.some((line) => line.includes('// BEGIN SOLUTION'));
}

/** The instructor's cell with something else where its solutions stand. */
function withSolutions(cell: Cell, other: (solution: string, indent: string) => string): string {
  return cell.source.join('').replace(SOLUTION, (_, indent, solution) => other(solution, indent));
}

/** The cell solved, without the marks. */
export function solved(cell: Cell): string {
  return withSolutions(cell, (solution) => solution);
}

/** The cell with a body that throws. */
export function throwing(cell: Cell): string {
  return withSolutions(cell, (_, indent) => `${indent}throw new Error('not written yet');\n`);
}

/** The solution with one slip each. One or the other may still be right, or be refused by the compiler. */
export function withSlips(cell: Cell): string[] {
  return SLIPS.flatMap(([pattern, replacement]) => {
    let isDone = false;
    const source = withSolutions(cell, (solution) => {
      const changed = isDone ? solution : solution.replace(pattern, replacement);
      isDone ||= changed !== solution;
      return changed;
    });
    return isDone ? [source] : [];
  });
}
