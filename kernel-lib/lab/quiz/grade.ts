/**
 * Judges answers: the one definition for notebook, page and terminal.
 *
 * A page has no library, so `render.ts` sends these functions along as text (`gradeSource`).
 * That only works while they are function declarations which mention nothing but one another,
 * their arguments and what every JavaScript has; a test runs the text on its own.
 */

/** What the grader must know of a question. */
export type AnswerKey =
  | { kind: 'single'; right: number }
  | { kind: 'several'; right: number[] }
  | { kind: 'number'; low: number; high: number }
  /** Folded as `fold` does it. */
  | { kind: 'text'; accepted: string[] }
  /** For each left item the index of its right item. */
  | { kind: 'match'; right: number[] }
  /** The indices of the items in the right order. */
  | { kind: 'order'; right: number[] };

/**
 * An answer: the text typed (`number`, `text`), the index of the option (`single`; -1 for none), the
 * indices of the options (`several`), for each place the index put there (`match`, `order`; -1 for none).
 */
export type Answer = string | number | number[];

export interface Grade {
  /** False where nothing was answered yet, or nothing that can be judged: `message` says what to do. */
  judged: boolean;
  correct: boolean;
  /** From 0 to 1. Several answers and places give part of the point. */
  score: number;
  /** In words, one sentence or two. */
  message: string;
  /** For each option or place whether it is right; undefined for what was not chosen. */
  marks: (boolean | undefined)[];
  /** The options whose feedback is to be read: those chosen, and once it is correct all. */
  feedback: number[] | 'all';
}

/** Judges an answer. Never throws: an answer of another kind of question is one that can't be judged. */
export function grade(key: AnswerKey, answer: Answer): Grade {
  if (key.kind === 'number' && typeof answer === 'string') return gradeNumber(key.low, key.high, answer);
  if (key.kind === 'text' && typeof answer === 'string') return gradeText(key.accepted, answer);
  if (key.kind === 'single' && typeof answer === 'number') return gradeSingle(key.right, answer);
  if (key.kind === 'several' && Array.isArray(answer)) return gradeSeveral(key.right, answer);
  if ((key.kind === 'match' || key.kind === 'order') && Array.isArray(answer))
    return gradePlaces(key.right, answer);
  return notJudged('Please answer first.');
}

function notJudged(message: string): Grade {
  return { judged: false, correct: false, score: 0, message, marks: [], feedback: [] };
}

function judged(score: number, message: string, marks: (boolean | undefined)[], chosen: number[]): Grade {
  const correct = score === 1;
  return {
    judged: true,
    correct,
    score,
    message: correct ? 'Right.' : message,
    marks,
    feedback: correct ? 'all' : chosen,
  };
}

function gradeSingle(right: number, chosen: number): Grade {
  if (chosen < 0) return notJudged('Please choose one of the answers.');
  const marks: (boolean | undefined)[] = [];
  marks[chosen] = chosen === right;
  return judged(chosen === right ? 1 : 0, 'Not right.', marks, [chosen]);
}

/** Each right option that is chosen counts for one, each wrong one against one. */
function gradeSeveral(right: number[], chosen: number[]): Grade {
  if (chosen.length === 0) return notJudged('Please choose at least one of the answers.');
  const marks: (boolean | undefined)[] = [];
  for (const option of chosen) marks[option] = right.includes(option);
  const hits = chosen.filter((option) => right.includes(option)).length;
  const misses = chosen.length - hits;
  const missing = right.length - hits;
  const parts: string[] = [];
  if (misses > 0) parts.push(`${misses} of your choices ${misses === 1 ? 'is' : 'are'} wrong`);
  if (missing > 0) parts.push(`${missing} right ${missing === 1 ? 'one is' : 'ones are'} missing`);
  const score = Math.max(0, (hits - misses) / right.length);
  return judged(score, `Not quite: ${parts.join(', and ')}.`, marks, chosen);
}

/** The share of places that hold what belongs there. */
function gradePlaces(right: number[], placed: number[]): Grade {
  if (placed.length !== right.length || placed.some((item) => item < 0))
    return notJudged('Please fill in every place.');
  const marks = right.map((item, place) => placed[place] === item);
  const hits = marks.filter((mark) => mark).length;
  return judged(hits / right.length, `Not quite: ${hits} of ${right.length} are in their place.`, marks, []);
}

function gradeNumber(low: number, high: number, typed: string): Grade {
  const value = readNumber(typed);
  if (value === undefined) {
    const message = 'Please give a number, such as 8, 2.5 or 0x1f.';
    return notJudged(typed.trim() === '' ? 'Please give a number.' : message);
  }
  // A decimal fraction is not exact in binary: the bounds are as wide as its last digit.
  const slack = 1e-12 * Math.max(Math.abs(low), Math.abs(high));
  const isRight = value >= low - slack && value <= high + slack;
  return judged(isRight ? 1 : 0, 'Not right.', [], []);
}

/** The number that is written (decimal or `0x`, at most 40 characters), or undefined. */
export function readNumber(typed: string): number | undefined {
  if (typed.length > 40) return undefined;
  const text = typed.trim().replace(/\u2212/g, '-');
  if (/^[+-]?0x[0-9a-f]+$/i.test(text)) {
    const magnitude = Number(text.replace(/^[+-]/, ''));
    return text.startsWith('-') ? -magnitude : magnitude;
  }
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function gradeText(accepted: string[], typed: string): Grade {
  const folded = fold(typed);
  if (folded === '') return notJudged('Please write an answer.');
  return judged(accepted.includes(folded) ? 1 : 0, 'Not right.', [], []);
}

/** The text with case and space folded, as answers are compared: `Translation  Cache` as `translation cache`. */
export function fold(text: string): string {
  return text.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();
}

/** The grader as JavaScript text that stands on its own. */
export function gradeSource(): string {
  const parts = [
    grade,
    notJudged,
    judged,
    gradeSingle,
    gradeSeveral,
    gradePlaces,
    gradeNumber,
    readNumber,
    gradeText,
    fold,
  ];
  return parts.map(String).join('\n');
}
