/**
 * What a learner has done, in a file beside the notebooks: `.vmlab-progress.jsonl`.
 *
 * A line is added for each check of an exercise, and for each answer given to `npm run quiz`, in one
 * write, so that two kernels don't undo each other's; the last line of an exercise holds, and "right"
 * once is right for good. Lines that
 * can't be read are left alone. Where the file can't be written, this kernel remembers.
 *
 * Only notebooks leave a trace: a folder without one, a test or a grader (VMLAB_STRICT=1) does not.
 * The environment variable VMLAB_PROGRESS names another file, or `off`.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inNotebook } from '../display';

export const PROGRESS_FILE = '.vmlab-progress.jsonl';

/** How a check ended: the exercise was not begun, is not right yet, or is. */
export type Result = 'open' | 'wrong' | 'right';

/** What is known of an exercise. */
export interface Done {
  /** The best result so far. */
  best: Result;
  /** The result of the last check. */
  last: Result;
  /** Checks that found something to check. */
  tries: number;
}

/** Points by question, for each quiz: of what was answered outside the browser (`npm run quiz`). */
export type QuizPoints = Map<string, Map<string, number>>;

/** A line of the file: an exercise checked, or a question of a quiz answered. */
type Line = (
  | { exercise: string; result: Result }
  /** `question` changes with its words, as `answerKeys` has it; `points` from 0 to 1. */
  | { quiz: string; question: string; points: number }
) & {
  /** When, as in ISO 8601. */
  at: string;
};

const RESULTS: readonly Result[] = ['open', 'wrong', 'right'];

/** What could not be written, and why. */
const unwritten: Line[] = [];
let problem = '';

/** The file for notebooks of `folder`; undefined: nothing is to be kept. */
export function progressFile(folder = process.cwd()): string | undefined {
  const named = process.env.VMLAB_PROGRESS;
  if (named === 'off') return undefined;
  if (named !== undefined && named !== '') return named;
  const isStrict = process.env.VMLAB_STRICT === '1';
  return isStrict || !inNotebook() || !hasNotebooks(folder) ? undefined : join(folder, PROGRESS_FILE);
}

function hasNotebooks(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.endsWith('.ipynb'));
  } catch {
    return false;
  }
}

/** Keeps the result of a check. Never throws: where it can't be written, the kernel remembers it. */
export function keepResult(exercise: string, result: Result, file = progressFile()): void {
  keepLine({ exercise, result, at: new Date().toISOString() }, file);
}

/** Keeps the points for an answer to a question, in the same way. */
export function keepPoints(quiz: string, question: string, points: number, file = progressFile()): void {
  keepLine({ quiz, question, points, at: new Date().toISOString() }, file);
}

function keepLine(line: Line, file: string | undefined): void {
  if (file === undefined) return;
  try {
    // A line of its own even after one that was cut off.
    appendFileSync(file, `\n${JSON.stringify(line)}\n`);
    problem = '';
  } catch (error) {
    unwritten.push(line);
    problem = error instanceof Error ? error.message : String(error);
  }
}

/** What the file says. */
export interface Results {
  /** By exercise. */
  done: Map<string, Done>;
  /** The last answer to each question counts. */
  quizzes: QuizPoints;
  /** What is the matter with the file; empty if nothing is. */
  problem: string;
}

/** What has been done. */
export function readResults(file = progressFile()): Results {
  const done = new Map<string, Done>();
  const quizzes: QuizPoints = new Map();
  let damaged = 0;
  for (const text of textOf(file).split('\n')) {
    if (text.trim() === '') continue;
    const line = parseLine(text);
    if (line === undefined) damaged++;
    else add(done, quizzes, line);
  }
  for (const line of unwritten) add(done, quizzes, line);
  return { done, quizzes, problem: problemOf(file, damaged) };
}

function problemOf(file: string | undefined, damaged: number): string {
  if (problem !== '') return `Results are not kept, only remembered until the kernel stops: ${problem}`;
  if (damaged === 0) return '';
  const lines = damaged === 1 ? 'A line' : `${damaged} lines`;
  return `${lines} of ${file} can't be read; the others count.`;
}

/**
 * Forgets all results.
 * @throws Error if the file is there and can't be removed
 */
export function forgetResults(file = progressFile()): void {
  unwritten.length = 0;
  problem = '';
  if (file !== undefined) rmSync(file, { force: true });
}

function textOf(file: string | undefined): string {
  if (file === undefined || !existsSync(file)) return '';
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
    return '';
  }
}

function parseLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Record<string, unknown> | null;
    const isCheck = typeof line?.exercise === 'string' && RESULTS.some((result) => result === line.result);
    const isAnswer =
      typeof line?.quiz === 'string' && typeof line.question === 'string' && isPoints(line.points);
    return isCheck || isAnswer ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

function isPoints(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

function add(done: Map<string, Done>, quizzes: QuizPoints, line: Line): void {
  if ('quiz' in line) {
    const points = quizzes.get(line.quiz) ?? new Map<string, number>();
    quizzes.set(line.quiz, points.set(line.question, line.points));
    return;
  }
  const { exercise, result } = line;
  const { best = 'open', tries = 0 } = done.get(exercise) ?? {};
  const better = RESULTS.indexOf(result) > RESULTS.indexOf(best) ? result : best;
  done.set(exercise, { best: better, last: result, tries: tries + (result === 'open' ? 0 : 1) });
}
