// The layout for nbgrader, with nbgrader itself: its own release version is ours cell for cell, and it grades
// what students handed in. It is the nbgrader of the Python that the kernel's tests have.
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { nbgraderLayout } from '../../scripts/lessons/nbgrader';
import { readNotebook, writeNotebook } from '../../scripts/lessons/notebook';
import { project } from '../../scripts/places.mjs';
import { preparePython, runPython, scratch } from '../kernel/python';

const LESSON = '03-trap-and-emulate';
const MINUTES = 60_000;

let problem = '';
beforeAll(async () => {
  problem = await preparePython();
}, 10 * MINUTES);

/** Runs nbgrader in a folder. */
function nbgrader(folder: string, ...args: string[]) {
  return runPython('nbgrader', args, folder, { timeout: 5 * MINUTES });
}

test('nbgrader releases and grades the lessons', { timeout: 15 * MINUTES }, (context) => {
  if (problem !== '') context.skip(problem);
  const { folder, remove } = scratch();
  try {
    nbgraderLayout(project, [LESSON], folder);
    const file = (kind: string) => join(folder, kind, LESSON, `${LESSON}.ipynb`);
    const sources = (path: string) => readNotebook(path).cells.map(({ id, source }) => [id, source.join('')]);
    const ours = sources(file('release'));
    const made = nbgrader(folder, 'generate_assignment', LESSON, '--create', '--force');
    expect(made.status, made.stderr).toBe(0);
    expect(sources(file('release'))).toEqual(ours);
    for (const student of ['ada', 'bob']) mkdirSync(join(folder, 'submitted', student), { recursive: true });
    cpSync(join(folder, 'source', LESSON), join(folder, 'submitted/ada', LESSON), { recursive: true });
    cpSync(join(folder, 'release', LESSON), join(folder, 'submitted/bob', LESSON), { recursive: true });
    const solved = readNotebook(file('source')).cells;
    const handedIn = readNotebook(file('release'));
    handedIn.cells.forEach((cell, n) => {
      cell.source = solved[n].source;
    });
    writeNotebook(join(folder, 'submitted/ada', LESSON, `${LESSON}.ipynb`), handedIn);
    const graded = nbgrader(folder, 'autograde', LESSON);
    expect(graded.status, graded.stderr).toBe(0);
    const exported = nbgrader(folder, 'export');
    expect(exported.status, exported.stderr).toBe(0);
    const [titles, ...rows] = readFileSync(join(folder, 'grades.csv'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.trim().split(','));
    const [student, score, most] = ['student_id', 'score', 'max_score'].map((title) => titles.indexOf(title));
    expect(rows.map((row) => [row[student], row[score], row[most]])).toEqual([
      ['ada', '12.0', '12.0'],
      ['bob', '0.0', '12.0'],
    ]);
  } finally {
    remove();
  }
});
