/**
 * `check('exercise-id', solution)`: runs a learner's function against the reference machine and
 * says, in terms of the machine, whether it is right, or where it goes wrong first.
 *
 * An exercise is a test with hints. Its test returns the smallest failure it finds, or nothing.
 * The verdict is printed, not thrown, unless `strict` is set: a notebook goes on, a grader stops.
 */
import { displayHtml } from './display';
import { HINTS_FUNCTIONS, startHints } from './hints';
import { pageScript } from './in-page';
import { STYLE } from './look';
import { keepResult, type Result } from './progress/results';
import { escapeHtml, type Table, tableHtml, tableText } from './table';
import type { Recording } from './timeline/record';
import { timeline } from './timeline/timeline';

/** What is wrong with a solution, in the machine's terms. */
export interface Failure {
  /** In a sentence: what was tried, and what came of it. */
  message: string;
  /** Places that hold something else than they should. */
  table?: Table;
  /** The run in which it shows, and the step (from 1) where it does. */
  run?: Recording;
  at?: number;
  /** Nothing was done at all: the exercise is still to be solved. */
  untouched?: boolean;
}

export interface Exercise<Solution> {
  id: string;
  title: string;
  /** From a nudge to nearly the answer; each appears when the one before it was opened. */
  hints: readonly string[];
  /** What a right solution was compared on, for the verdict. A getter, where the cases must be made to count them. */
  readonly passed: string;
  test(solution: Solution): Failure | undefined;
}

export interface CheckOptions {
  /** Throw if the solution is not right. Also set by the environment variable VMLAB_STRICT=1. */
  strict?: boolean;
}

/** A check that failed under `strict`. */
export class CheckFailed extends Error {
  override name = 'CheckFailed';
}

/** Thrown from what a test hands to a solution: the test is over, with this failure. */
export class TestEnded extends Error {
  override name = 'TestEnded';

  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/**
 * What a solution gives in one case of a test. If it throws, the test is over.
 * @param where the case, in a sentence: the failure begins with it
 * @throws TestEnded
 */
export function inCase<T>(where: string, solve: () => T): T {
  try {
    return solve();
  } catch (error) {
    if (error instanceof TestEnded) throw error;
    throw new TestEnded({ message: `${where} ${thrown(error)}` });
  }
}

const exercises = new Map<string, Exercise<never>>();

/**
 * Makes exercises known to `check`.
 * @throws Error if another one has the same id
 */
export function defineExercises(...list: Exercise<never>[]): void {
  for (const exercise of list) {
    if (exercises.has(exercise.id))
      throw new Error(`There are two exercises ${JSON.stringify(exercise.id)}.`);
    exercises.set(exercise.id, exercise);
  }
}

/** All exercises, in the order in which they were defined: for the tools that look after lessons. */
export function definedExercises(): Exercise<never>[] {
  return [...exercises.values()];
}

/** The ids of all exercises. */
export function exerciseIds(): string[] {
  return [...exercises.keys()];
}

/**
 * Checks a solution and shows the verdict.
 * @param id the exercise: `'03-reflect'`
 * @param solution the learner's function
 * @throws Error if there is no such exercise; CheckFailed if the solution is wrong and `strict` is set
 */
export function check(id: string, solution: unknown, options: CheckOptions = {}): void {
  const exercise = exercises.get(id) as Exercise<unknown> | undefined;
  if (exercise === undefined) {
    throw new Error(`There is no exercise ${JSON.stringify(id)}. There are: ${exerciseIds().join(', ')}.`);
  }
  const failure = typeof solution === 'function' ? attempt(exercise, solution) : notAFunction(solution);
  const strict = options.strict ?? process.env.VMLAB_STRICT === '1';
  const result = failure === undefined ? 'right' : failure.untouched ? 'open' : 'wrong';
  if (!strict) keepResult(id, result);
  show(exercise, result, failure);
  if (strict && failure !== undefined) throw new CheckFailed(`${id}: ${failure.message}`);
}

function notAFunction(solution: unknown): Failure {
  return { message: `check() wants your function as its second argument, and got ${typeof solution}.` };
}

/** The test's outcome; a solution that throws is one that is wrong. */
function attempt(exercise: Exercise<unknown>, solution: unknown): Failure | undefined {
  try {
    return exercise.test(solution);
  } catch (error) {
    return error instanceof TestEnded ? error.failure : { message: thrown(error) };
  }
}

function thrown(error: unknown): string {
  const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `Your function threw an error: ${told}`;
}

function show(exercise: Exercise<unknown>, result: Result, failure: Failure | undefined): void {
  const verdict = { right: '✓ Right', wrong: '✗ Not yet', open: '○ To be solved' }[result];
  const message = failure?.message ?? exercise.passed;
  const table = failure?.table?.rows.length ? failure.table : undefined;
  const hints = failure === undefined ? [] : exercise.hints;
  const html =
    `${STYLE}<div class="vmlab vmlab-verdict" data-exercise="${exercise.id}" data-result="${result}" role="status">` +
    `<p><strong>${verdict}: ${escapeHtml(exercise.title)}</strong></p><p>${withCode(message)}</p>` +
    (table ? tableHtml(table) : '') +
    hintsHtml(exercise.id, hints) +
    '</div>';
  displayHtml(
    html,
    [`${verdict}: ${exercise.title}`, message, ...(table ? [tableText(table)] : [])].join('\n'),
  );
  if (failure?.run !== undefined) timeline(failure.run, failure.at === undefined ? {} : { at: failure.at });
}

/** Text with what stands between backquotes as code. */
function withCode(text: string): string {
  return escapeHtml(text).replace(/`([^`\n]+)`/g, '<code>$1</code>');
}

function hintsHtml(id: string, hints: readonly string[]): string {
  if (hints.length === 0) return '';
  const parts = hints.map(
    (hint, i) =>
      `<details class="vmlab-hint"><summary>Hint ${i + 1} of ${hints.length}</summary><p>${withCode(hint)}</p></details>`,
  );
  return parts.join('') + pageScript('vmlab-verdict', startHints, HINTS_FUNCTIONS, id);
}
