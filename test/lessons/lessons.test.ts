// Every lesson, both versions, through the real kernel: the learner's runs to its end with its
// exercises unsolved and the checks saying so, the instructor's passes every check.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNotebook, writeNotebook } from '../../scripts/lessons/notebook';
import { learnersVersion } from '../../scripts/lessons/release';
import { project } from '../../scripts/places.mjs';
import { findChromium, NO_CHROMIUM } from '../lab/browser.js';
import { expectAccessible, withFigure } from '../lab/figure.js';
import { type ExecutedCell, type Execution, executeNotebook, withFolder } from '../lab/notebook.js';

const NOTEBOOKS = join(project, 'notebooks');
const lessons = readdirSync(NOTEBOOKS).filter((name) => name.endsWith('.ipynb'));

const html = (cell: ExecutedCell) => cell.outputs.map((output) => output.data?.['text/html'] ?? '').join('');
const verdicts = (execution: Execution) =>
  execution.cells.flatMap((cell) =>
    [...html(cell).matchAll(/data-result="(right|wrong|open)" role/g)].map((m) => m[1]),
  );

describe.each(lessons)('%s', (name) => {
  let learners: Execution;
  let instructors: Execution;

  beforeAll(async () => {
    learners = await executeNotebook(join(NOTEBOOKS, name));
    instructors = await executeNotebook(join(NOTEBOOKS, 'instructor', name));
  });

  it('runs from start to end without an error, in either version', () => {
    for (const { cells } of [learners, instructors]) {
      expect(cells.filter((cell) => cell.status !== 'ok').map((cell) => cell.source)).toEqual([]);
      const complaints = cells.flatMap((cell) => cell.outputs.filter((output) => output.name === 'stderr'));
      expect(complaints).toEqual([]);
    }
  });

  it('says what is unsolved, and passes what is solved', () => {
    const exercises = readNotebook(join(NOTEBOOKS, name)).cells.filter(
      (cell) => cell.metadata.nbgrader?.grade,
    );
    expect(exercises.length).toBeGreaterThan(0);
    expect(verdicts(learners)).toEqual(exercises.map(() => 'open'));
    expect(verdicts(instructors)).toEqual(exercises.map(() => 'right'));
  });

  it('shows figures, each with a text alternative', () => {
    const charts = instructors.cells.filter((cell) => html(cell).includes('<svg'));
    expect(charts.length).toBeGreaterThan(0);
    for (const cell of charts) {
      expect(html(cell)).toMatch(/<svg[^>]* aria-label="[^"]{10,}"/);
      expect(cell.outputs.some((output) => (output.data?.['text/plain'] ?? '').length > 50)).toBe(true);
    }
  });

  it('is accessible: axe finds nothing serious in the outputs of either version, in light or dark', {
    timeout: 600_000,
  }, async (context) => {
    if (!findChromium()) context.skip(NO_CHROMIUM);
    for (const { cells } of [learners, instructors])
      await withFigure(cells.map(html).filter(Boolean), (page) => expectAccessible(page));
  });

  it('contains no solution in the learner’s version, which is the one that the instructor’s gives', () => {
    const made = learnersVersion(readNotebook(join(NOTEBOOKS, 'instructor', name)));
    expect(readNotebook(join(NOTEBOOKS, name))).toEqual(made);
    expect(JSON.stringify(made)).not.toContain('SOLUTION');
  });

  it('is committed without outputs, with an id for each cell and short cells', () => {
    for (const file of [join(NOTEBOOKS, name), join(NOTEBOOKS, 'instructor', name)]) {
      const { cells } = readNotebook(file);
      expect(cells.filter((cell) => (cell.outputs ?? []).length > 0)).toEqual([]);
      expect(new Set(cells.map((cell) => cell.id)).size).toBe(cells.length);
      const words = (source: string[]) => source.join('').split(/\s+/).length;
      const long = cells.filter((cell) => cell.cell_type === 'markdown' && words(cell.source) > 110);
      expect(long.map((cell) => cell.id)).toEqual([]);
    }
  });
});

it('lesson 03 runs on plain tslab, too', async () => {
  await withFolder(async (folder) => {
    const name = '03-trap-and-emulate.ipynb';
    const notebook = readNotebook(join(NOTEBOOKS, 'instructor', name));
    notebook.metadata.kernelspec = {
      name: 'tslab',
      display_name: 'TypeScript (tslab)',
      language: 'typescript',
    };
    writeNotebook(join(folder, name), notebook);
    const { cells } = await executeNotebook(join(folder, name));
    expect(cells.filter((cell) => cell.status !== 'ok').map((cell) => cell.source)).toEqual([]);
    expect(cells.flatMap((cell) => cell.outputs.filter((output) => output.name === 'stderr'))).toEqual([]);
    expect(cells.filter((cell) => html(cell).includes('data-result="right"')).length).toBe(5);
  });
});

it('the release command agrees that all learner’s versions are up to date', () => {
  const run = spawnSync('npm', ['run', '-s', 'lessons', '--', 'release', '--check'], {
    cwd: project,
    encoding: 'utf8',
  });
  expect(run.stdout).toContain('up to date');
  expect(run.status).toBe(0);
});
