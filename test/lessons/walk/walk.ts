// A lesson walked through in JupyterLab as a new learner does, who makes mistakes on the way: all cells run as they
// come; every exercise wrong, its hints unfolded, then right; the kernel restarted in the middle; every question of
// the quiz wrong, then right; the page reloaded. Whatever isn't as it should be is noted, and the walk goes on.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PROGRESS_FILE, readResults } from '../../../kernel-lib/lab/progress/results';
import type { Quiz } from '../../../kernel-lib/lab/quiz/model';
import { readQuiz } from '../../../kernel-lib/lab/quiz/quiz';
import { filesOf } from '../../../scripts/lessons/course';
import { type Notebook, readNotebook } from '../../../scripts/lessons/notebook';
import { project } from '../../../scripts/places.mjs';
import {
  cellOf,
  chooseTheme,
  openNotebook,
  reloadNotebook,
  restartKernel,
  rewriteCell,
  runAllCells,
  runCell,
  saveNotebook,
} from '../../lab/browser';
import type { StartedLab } from '../../lab/start';
import { cellSeconds } from './kernel-times';
import { answerQuiz, scoreProblems, unfoldHints } from './quiz';
import { takeShots } from './shots';
import { isExercise, solved, throwing, withSlips } from './wrong';

/** A cell may take so long, in seconds, times the patience. */
const LONGEST_CELL = 2;
const WHOLE_LESSON_MS = 300_000;
const ONE_CELL_MS = 120_000;

export interface WalkOptions {
  /** The folder that JupyterLab was opened on. */
  folder: string;
  /** Where pictures go; without it none are taken. */
  shots?: string | undefined;
  /** How many times slower than usual this machine is just now. Default 1. */
  patience?: number;
}

export interface Walk {
  /** What isn't as it should be, each with its place. */
  problems: string[];
  /** What the learner was told about mistakes: to be read. */
  told: string[];
  exercises: number;
  questions: number;
  /** By cell id, the longest that it took, in seconds. */
  seconds: Map<string, number>;
}

/** A walk under way. */
interface Walker extends Walk {
  page: Page;
  notebook: Notebook;
  quiz: Quiz;
}

/** Walks through a lesson. `page` is one with nothing open. Where the walk can't go on is a problem like others. */
export async function walkLesson(
  page: Page,
  lab: StartedLab,
  name: string,
  options: WalkOptions,
): Promise<Walk> {
  const files = filesOf(name);
  copyFileSync(join(project, files.learner), join(options.folder, `${name}.ipynb`));
  const notebook = readNotebook(join(project, files.instructor));
  const seconds = cellSeconds(page);
  const walker: Walker = {
    ...{ page, notebook, quiz: readQuiz(name, project), seconds },
    ...{ problems: [], told: [], exercises: 0, questions: 0 },
  };
  try {
    await walkThrough(walker, lab, name, options);
  } catch (error) {
    walker.problems.push(`no further: ${(error as Error).message}`);
  }
  return walker;
}

async function walkThrough(
  walker: Walker,
  lab: StartedLab,
  name: string,
  options: WalkOptions,
): Promise<void> {
  const { page, notebook } = walker;
  const shoot = async (state: string) => {
    if (options.shots) await takeShots(page, notebook, join(options.shots, name, state));
  };
  await openNotebook(page, lab, `${name}.ipynb`);
  await runAllCells(page, WHOLE_LESSON_MS);
  await look(walker, 'as it comes', ['open']);
  await shoot('open-light');

  const last = await solveAllButLast(walker);
  walker.problems.push(...(await answerQuiz(page, walker.quiz)));
  walker.questions = walker.quiz.questions.length;
  await reload(walker, last);
  if (last !== undefined) await solve(walker, last);
  await runAllCells(page, WHOLE_LESSON_MS);
  await look(walker, 'all solved', ['right']);
  await shoot('solved-light');
  if (options.shots) await chooseTheme(page, 'Dark');
  await shoot('solved-dark');
  checkProgress(walker, join(options.folder, PROGRESS_FILE));
  checkTimes(walker, options.patience ?? 1);
}

/** Notes errors in outputs, and verdicts that are none of these. */
async function look(walker: Walker, when: string, results: string[]): Promise<void> {
  for (const [index, { id }] of walker.notebook.cells.entries()) {
    const cell = cellOf(walker.page, index);
    const errors = await cell.locator('.jp-OutputArea-output[data-mime-type*="stderr"]').allTextContents();
    for (const error of errors) walker.problems.push(`${id}, ${when}: ${error.slice(0, 300)}`);
    for (const verdict of await cell.locator('.vmlab-verdict[data-exercise]').all()) {
      const result = (await verdict.getAttribute('data-result')) ?? '';
      if (results.includes(result)) continue;
      walker.problems.push(`${id}, ${when}: ${await verdict.locator('p').nth(1).textContent()}`);
    }
  }
}

/** The indices of the cells in which something is to be solved. */
function exercisesOf({ notebook }: Walker): number[] {
  return notebook.cells.flatMap((cell, index) => (isExercise(cell) ? [index] : []));
}

/** All exercises wrong, then right, the kernel restarted half way; the last is left wrong: its index. */
async function solveAllButLast(walker: Walker): Promise<number | undefined> {
  const all = exercisesOf(walker);
  for (const [place, index] of all.entries()) {
    await err(walker, index);
    walker.exercises++;
    if (place === all.length - 1) return index;
    await solve(walker, index);
    if (place + 1 !== Math.floor(all.length / 2)) continue;
    await restartKernel(walker.page);
    await runAllCells(walker.page, WHOLE_LESSON_MS);
    await look(walker, 'after a restart in the middle', ['right', 'open', 'wrong']);
  }
  return undefined;
}

/** Makes the exercise in a cell wrong: a body that throws, then a slip, whose verdict is read and its hints unfolded. */
async function err(walker: Walker, index: number): Promise<void> {
  const cell = walker.notebook.cells[index]!;
  const threw = await tryOut(walker, index, throwing(cell));
  if (threw === undefined || threw.result === 'right')
    walker.problems.push(`${cell.id}: a function that throws passes`);
  const told = await firstSlip(walker, index);
  if (told === undefined) return;
  walker.told.push(`${cell.id}: ${told.message}`);
  if (told.message.length < 20)
    walker.problems.push(`${cell.id}: the verdict hardly says anything: ${told.message}`);
  const hints = await unfoldHints(cellOf(walker.page, told.check));
  if (hints === 0) walker.problems.push(`${cell.id}: no hint unfolds`);
}

interface Told {
  result: string;
  message: string;
  /** Index of the cell with the check. */
  check: number;
}

/** The verdict on the first slip that compiles and isn't right by chance. */
async function firstSlip(walker: Walker, index: number): Promise<Told | undefined> {
  for (const source of withSlips(walker.notebook.cells[index]!)) {
    const told = await tryOut(walker, index, source);
    if (told !== undefined && told.result !== 'right') return told;
  }
  return undefined;
}

/** Puts the solution in. */
async function solve(walker: Walker, index: number): Promise<void> {
  const cell = walker.notebook.cells[index]!;
  const told = await tryOut(walker, index, solved(cell));
  if (told?.result !== 'right') walker.problems.push(`${cell.id}, solved: ${told?.message ?? 'not checked'}`);
}

/** Runs a source in a cell, then the check behind it; undefined if the cell fails or nothing is checked. */
async function tryOut(walker: Walker, index: number, source: string): Promise<Told | undefined> {
  const { page, notebook } = walker;
  await rewriteCell(page, index, source);
  await runCell(page, index, ONE_CELL_MS);
  if ((await cellOf(page, index).locator('[data-mime-type*="stderr"]').count()) > 0) return undefined;
  const check = notebook.cells.findIndex((cell, at) => at >= index && /^check\(/m.test(cell.source.join('')));
  if (check < 0) return undefined;
  if (check !== index) await runCell(page, check, ONE_CELL_MS);
  const verdict = cellOf(page, check).locator('.vmlab-verdict[data-exercise]').first();
  await verdict.waitFor();
  const message = (await verdict.locator('p').nth(1).textContent()) ?? '';
  return { result: (await verdict.getAttribute('data-result')) ?? '', message, check };
}

/** Reloads the page: the quiz's answers, the verdicts and the hints that were unfolded must be there as before. */
async function reload(walker: Walker, last: number | undefined): Promise<void> {
  const { page } = walker;
  const count = () => page.locator('.vmlab-verdict[data-exercise]').count();
  const hints = () => page.locator('.vmlab-verdict[data-exercise] .vmlab-hint:not([hidden])').count();
  const before = [await count(), await hints()];
  await saveNotebook(page);
  await reloadNotebook(page);
  await page.locator('.vmlab-quiz .vmlab-score').waitFor();
  const after = [await count(), await hints()];
  if (before[0] !== after[0]) walker.problems.push(`reload: ${before[0]} verdicts before, ${after[0]} after`);
  if (last !== undefined && before[1] !== after[1])
    walker.problems.push(`reload: ${before[1]} hints in view before, ${after[1]} after`);
  walker.problems.push(...(await scoreProblems(page, walker.quiz)).map((text) => `reload: ${text}`));
}

/** Every exercise that the lesson checks must stand in the learner's progress as solved. */
function checkProgress(walker: Walker, file: string): void {
  const { done } = readResults(file);
  const text = walker.notebook.cells.map(({ source }) => source.join('')).join('\n');
  for (const [, id] of text.matchAll(/^check\('([^']+)'/gm))
    if (done.get(id!)?.best !== 'right') walker.problems.push(`progress: ${id} is not kept as solved`);
}

function checkTimes(walker: Walker, patience: number): void {
  for (const [cell, seconds] of walker.seconds)
    if (seconds > LONGEST_CELL * patience) walker.problems.push(`${cell}: took ${seconds.toFixed(1)} s`);
}
