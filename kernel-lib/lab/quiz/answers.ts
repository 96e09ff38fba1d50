/**
 * The six ways to write the answers of a question, each recognised by its form:
 *
 *   1. [x] option      numbered, with boxes       one of them is right
 *   - [x] option       bullets with boxes         several are right
 *   1. item            numbered, without boxes    to be put in this order
 *   = 1.41 +- 0.01     also `= 8`, `= 5 +- 5%`, `= [3, 8]`   a number
 *   [[a]] [[b]]        short text, any of these
 *   | left | right |   a table of two columns     to be matched
 */
import { type Block, inlineOf, insideOf, lineOf } from './blocks';
import { fold, readNumber } from './grade';
import type { Asked, Option, Prose, Question } from './model';
import type { ProblemList } from './problems';
import { blockProse, inlineProse, type Token } from './prose';

/** The answers of a question: all of it but what every question has. One type for each kind. */
export type Answers = {
  [Kind in Question['kind']]: Omit<Extract<Question, { kind: Kind }>, keyof Asked>;
}[Question['kind']];

/** What a question without answers is told. */
export const FORMS =
  'write them as a list with boxes ([ ] and [x]; numbered for one right answer, bullets for several), ' +
  'a numbered list without boxes (an order), `= 8` (a number), `[[word]]` (a text) or a table of two columns (pairs)';

const LONGEST_NUMBER = 80;

const NOTHING: Prose = { html: '', text: '' };

/** True for a block that holds answers and is no prose. */
export function holdsAnswers(block: Block): boolean {
  if (block.type === 'paragraph') return /^(=|\[\[)/.test(inlineOf(block)?.content ?? '');
  return ['ordered_list', 'bullet_list', 'table'].includes(block.type);
}

/** Reads a block that holds answers; undefined, and a problem written down, if they can't be used. */
export function readAnswers(block: Block, problems: ProblemList): Answers | undefined {
  if (block.type === 'table') return readMatching(block, problems);
  if (block.type === 'bullet_list' || block.type === 'ordered_list') return readList(block, problems);
  const content = inlineOf(block)?.content ?? '';
  return content.startsWith('=') ? readRange(content, block, problems) : readWords(content, block, problems);
}

interface Item extends Option {
  line: number;
  /** What stands in the box; undefined where there is none. */
  box: boolean | undefined;
}

function readList(block: Block, problems: ProblemList): Answers | undefined {
  const items = insideOf(block).map((item) => readItem(item, problems));
  const boxes = items.filter((item) => item.box !== undefined).length;
  complainAboutItems(items, problems);
  if (items.length < 2) {
    problems.add(block.line, 'one answer is no choice: give at least two');
    return undefined;
  }
  if (boxes === 0 && block.type === 'ordered_list') return readOrdering(block, items, problems);
  const unboxed = items.find((item) => item.box === undefined);
  if (unboxed) {
    problems.add(unboxed.line, 'this answer has no box: write [ ] before it, or [x] if it is right');
    return undefined;
  }
  return readBoxes(block, items, problems);
}

function readItem(item: Block, problems: ProblemList): Item {
  const parts = insideOf(item);
  for (const part of parts) {
    if (part.type.endsWith('_list') || part.type === 'heading' || part.type === 'table')
      problems.add(
        part.line,
        'a list, heading or table inside an answer: check how far the line is indented',
      );
  }
  const first = parts[0]?.type === 'paragraph' ? inlineOf(parts[0]) : undefined;
  const box = first ? takeBox(first, problems) : undefined;
  const feedback = parts.filter((part) => part.type === 'blockquote').flatMap((part) => insideOf(part));
  const further = parts.filter((part) => part !== parts[0] && part.type !== 'blockquote');
  const rest = blockProse(further.flatMap((part) => part.tokens));
  const text = first ? inlineProse(first) : NOTHING;
  return {
    line: item.line,
    box,
    html: text.html + rest.html,
    text: [text.text, rest.text].filter((part) => part !== '').join('\n'),
    feedback: blockProse(feedback.flatMap((part) => part.tokens)),
  };
}

/** Takes `[ ]` or `[x]` off the line and says which it was. */
function takeBox(inline: Token, problems: ProblemList): boolean | undefined {
  const start = inline.children?.[0];
  if (!/^\[.?\](?!\()/.test(inline.content)) return undefined;
  const box = start?.type === 'text' ? /^\[([ xX])\](\s+|$)/.exec(start.content) : null;
  if (!start || !box) {
    problems.add(lineOf(inline), 'write the box as [ ] or [x], and a space after it');
    return false;
  }
  start.content = start.content.slice(box[0].length);
  return box[1] !== ' ';
}

function complainAboutItems(items: Item[], problems: ProblemList): void {
  const seen = new Map<string, number>();
  for (const item of items) {
    const earlier = seen.get(fold(item.html));
    if (item.html === '') problems.add(item.line, 'this answer is empty: write it, or take the line out');
    else if (earlier !== undefined) problems.add(item.line, `the same answer stands in line ${earlier}`);
    seen.set(fold(item.html), item.line);
  }
}

function readBoxes(block: Block, items: Item[], problems: ProblemList): Answers | undefined {
  const right = items.flatMap((item, index) => (item.box ? [index] : []));
  if (right.length === 0) {
    problems.add(block.line, 'no answer is right: put an x into the box of the right one, [x]');
    return undefined;
  }
  const options = items.map(({ html, text, feedback }) => ({ html, text, feedback }));
  if (block.type === 'bullet_list') return { kind: 'several', right, options };
  if (right.length > 1) {
    problems.add(
      items[right[1]].line,
      'a second right answer in a single choice: take one x out, or use bullets (-) where several are right',
    );
    return undefined;
  }
  return { kind: 'single', right: right[0], options };
}

/** The items shuffled, the same way each time: sorted by their text, and turned if that is the right order. */
function readOrdering(block: Block, items: Item[], problems: ProblemList): Answers {
  const numbers = insideOf(block).map((item) => Number(item.tokens[0].info));
  const isCounted = numbers.every((number, place) => number === numbers[0] + place);
  if (!isCounted && !numbers.every((number) => number === numbers[0]))
    problems.add(block.line, 'the items stand in their right order: number them 1, 2, 3 from top to bottom');
  const withFeedback = items.find((item) => item.feedback.html !== '');
  if (withFeedback)
    problems.add(
      withFeedback.line,
      'feedback on one item of an order: write it below the list, without indent',
    );
  const shown = items.map((_, index) => index).sort((a, b) => compare(items[a].text, items[b].text));
  if (shown.every((item, place) => item === place)) shown.push(...shown.splice(0, 1));
  return {
    kind: 'order',
    items: shown.map((index) => ({ html: items[index].html, text: items[index].text })),
    right: items.map((_, index) => shown.indexOf(index)),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function readRange(content: string, block: Block, problems: ProblemList): Answers | undefined {
  const written = content.slice(1).trim();
  if (written.length > LONGEST_NUMBER) return noNumber(written, block, problems);
  const interval = /^\[([^,]*),([^,]*)\]$/.exec(written);
  const around = /^(.*?)(?:\s*(?:\+-|\+\/-|±)\s*(.*?)\s*(%?))?$/.exec(written);
  const [, left, right] = interval ?? [];
  const low = readNumber(left ?? around?.[1] ?? '');
  const high = interval ? readNumber(right) : readNumber(around?.[2] ?? '0');
  if (low === undefined || high === undefined || (interval ? low > high : high < 0)) {
    return noNumber(written, block, problems);
  }
  if (interval) return { kind: 'number', low, high, written: `${left.trim()} to ${right.trim()}` };
  const isShare = around?.[3] === '%';
  if (isShare && low === 0)
    problems.add(block.line, 'a share of 0 is 0: write how far from 0 the answer may be, = 0 +- 0.1');
  const width = isShare ? (Math.abs(low) * high) / 100 : high;
  return { kind: 'number', low: low - width, high: low + width, written };
}

function noNumber(written: string, block: Block, problems: ProblemList): undefined {
  const start = written.split('\n')[0].slice(0, 40);
  const forms = '= 8, = 1.41 +- 0.01, = 5 +- 5% or = [3, 8]';
  problems.add(block.line, `\`= ${start}\` is no number: write ${forms}, on a line of its own`);
}

function readWords(content: string, block: Block, problems: ProblemList): Answers | undefined {
  const written = [...content.matchAll(/\[\[([^[\]]*)\]\]/g)].map(([, word]) => word.trim());
  if (content.replace(/\[\[[^[\]]*\]\]/g, '').trim() !== '') {
    problems.add(block.line, 'text beside the accepted answers: only [[answer]] [[another]] may stand here');
    return undefined;
  }
  if (written.some((word) => word === '')) {
    problems.add(block.line, 'an accepted answer is empty: write it between the brackets, [[answer]]');
    return undefined;
  }
  return { kind: 'text', written, accepted: [...new Set(written.map(fold))] };
}

function readMatching(block: Block, problems: ProblemList): Answers | undefined {
  const [head, ...pairs] = rowsOf(block);
  if (head.cells.length !== 2) {
    problems.add(
      head.line,
      `a table of ${head.cells.length} ${head.cells.length === 1 ? 'column' : 'columns'}: pairs to match need two`,
    );
    return undefined;
  }
  complainAboutPairs(pairs, problems);
  if (pairs.length < 2) {
    problems.add(head.line, 'a table to match needs at least two pairs');
    return undefined;
  }
  const distinct = new Map(pairs.map(({ cells }) => [cells[1].html, cells[1]]));
  const rights = [...distinct.values()].sort((a, b) => compare(a.text, b.text));
  const placeOf = (pair: TableRow) => rights.findIndex((right) => right.html === pair.cells[1].html);
  if (pairs.every((pair, row) => placeOf(pair) === row)) rights.push(...rights.splice(0, 1));
  return {
    kind: 'match',
    headings: [head.cells[0], head.cells[1]],
    lefts: pairs.map(({ cells }) => cells[0]),
    rights,
    right: pairs.map(placeOf),
  };
}

interface TableRow {
  line: number;
  cells: Prose[];
}

function rowsOf(block: Block): TableRow[] {
  const rows: TableRow[] = [];
  for (const token of block.tokens) {
    if (token.type === 'tr_open') rows.push({ line: lineOf(token), cells: [] });
    if (token.type === 'inline') rows[rows.length - 1].cells.push(inlineProse(token));
  }
  return rows;
}

function complainAboutPairs(pairs: TableRow[], problems: ProblemList): void {
  const seen = new Map<string, number>();
  for (const { line, cells } of pairs) {
    const earlier = seen.get(cells[0].html);
    if (cells.some((cell) => cell.html === ''))
      problems.add(line, 'an empty cell: each row needs both halves');
    else if (earlier !== undefined)
      problems.add(line, `the left half also stands in line ${earlier}: it can have only one partner`);
    seen.set(cells[0].html, line);
  }
}
