/**
 * What can be wrong with a source text, in words for someone who writes their first program: where
 * (file, line, column, the line itself with a caret under the place), what, and what to do.
 */
import type { Place } from './source';

/** One mistake in a source text. */
export interface AssemblyProblem {
  file: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  /** One or two sentences. */
  message: string;
  /** The source line and, below it, a caret under the place. */
  excerpt: string;
}

/** The source text has mistakes; `problems` has all that were found, `message` shows them. */
export class AssemblyError extends Error {
  override readonly name = 'AssemblyError';

  constructor(readonly problems: readonly AssemblyProblem[]) {
    super(problems.map(showProblem).join('\n\n'));
  }
}

/** Thrown where a mistake is seen and caught where the next statement begins. */
export class Mistake extends Error {
  constructor(
    readonly place: Place,
    message: string,
  ) {
    super(message);
  }
}

/** Ends the work on a statement: something at `place` is wrong. */
export function fail(place: Place, message: string): never {
  throw new Mistake(place, message);
}

/** `file:3:5: message`, the line and the caret. */
function showProblem(problem: AssemblyProblem): string {
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}\n${problem.excerpt}`;
}

/** Letters of a line that a message shows. */
const SHOWN_WIDTH = 160;

/** The mistake with everything that a message needs. */
export function describeProblem({ place, message }: Mistake): AssemblyProblem {
  const { line, start, end } = place;
  const margin = String(line.number).padStart(4);
  const blank = ' '.repeat(margin.length);
  const { text, column } = window(line.text, start);
  // A tab stays a tab, so that the caret stands below the place however wide tabs are shown.
  const indent = text.slice(0, column).replaceAll(/[^\t]/g, ' ').padEnd(column);
  const width = Math.max(1, Math.min(column + end - start, text.length) - column);
  const excerpt = [`${margin} | ${text}`, `${blank} | ${indent}^${'~'.repeat(width - 1)}`];
  for (let from = line.from; from !== undefined && excerpt.length < 6; from = from.at.from)
    excerpt.push(`${blank} | in ${from.what}, used on line ${from.at.number}`);
  return { file: line.file, line: line.number, column: start + 1, message, excerpt: excerpt.join('\n') };
}

/** What is shown of a long line: the part around `start`, and the column that `start` has in it. */
function window(text: string, start: number): { text: string; column: number } {
  if (text.length <= SHOWN_WIDTH) return { text, column: start };
  const from = Math.max(0, start - SHOWN_WIDTH / 2);
  const mark = from > 0 ? '…' : '';
  const shown = text.slice(from, from + SHOWN_WIDTH);
  return {
    text: `${mark}${shown}${from + SHOWN_WIDTH < text.length ? '…' : ''}`,
    column: start - from + mark.length,
  };
}

/** Longer words are no misspelt names. */
const LONGEST_NAME = 40;

/** `` Did you mean `addi`?`` with a blank before it, or nothing if no candidate is near. */
export function didYouMean(written: string, candidates: Iterable<string>): string {
  const wanted = written.toLowerCase();
  if (wanted.length > LONGEST_NAME) return '';
  let best: string | undefined;
  let bestDistance = Math.min(2, Math.max(1, Math.floor(wanted.length / 2))) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === undefined ? '' : ` Did you mean \`${best}\`?`;
}

/**
 * How many letters must be added, removed, replaced or exchanged with their neighbour to get from
 * one word to the other; `limit` if it is that many or more.
 */
export function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1])
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    if (Math.min(...row) >= limit) return limit;
    [beforeLast, last] = [last, row];
  }
  return Math.min(limit, last[to.length]);
}
