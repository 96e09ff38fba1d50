// The layout for nbgrader, with nbgrader itself: its own release version is ours cell for cell, and it grades
// what students handed in. Needs nbgrader on the PATH, or in the variable NBGRADER (pip install nbgrader).
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { nbgraderLayout } from '../../scripts/lessons/nbgrader';
import { readNotebook, writeNotebook } from '../../scripts/lessons/notebook';
import { project } from '../../scripts/places.mjs';

const NBGRADER = process.env.NBGRADER || 'nbgrader';
const LESSON = '03-trap-and-emulate';

/** Runs nbgrader in a folder; it wants its own programs (alembic) on the PATH. */
function nbgrader(folder: string, ...args: string[]) {
  const path = [dirname(NBGRADER), process.env.PATH].join(delimiter);
  return spawnSync(NBGRADER, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, PATH: path } });
}

test('nbgrader releases and grades the lessons', { timeout: 600_000 }, (context) => {
  if (nbgrader(project, '--version').status !== 0)
    context.skip('nbgrader is not installed (pip install nbgrader)');
  const folder = mkdtempSync(join(tmpdir(), 'vmlab-nbgrader-'));
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
    nbgrader(folder, 'export');
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
    rmSync(folder, { recursive: true, force: true });
  }
});
