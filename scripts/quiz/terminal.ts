/**
 * A quiz in a terminal: one question after the other, with hints, feedback and score, judged by the
 * same grader as in a notebook. It talks through `Talk` only, so that it works piped, and in tests.
 *
 * Whoever answers wrongly is asked again until it is right, shown or skipped. The end of the input
 * ends the quiz at any place, with the score so far.
 */
import { type Answer, type Grade, grade } from '../../kernel-lib/lab/quiz/grade';
import { type Question, type Quiz, solution } from '../../kernel-lib/lab/quiz/model';
import { answerKeys } from '../../kernel-lib/lab/quiz/render';
import { letter, questionText } from '../../kernel-lib/lab/quiz/text';

/** The two ends of a conversation. */
export interface Talk {
  say(text: string): void;
  /** The next line, without its end; undefined when there is none any more. */
  ask(prompt: string): Promise<string | undefined>;
  /** The terminal's columns; without, lines are as long as reads well. */
  readonly width?: number | undefined;
}

/** What is known of earlier answers, and where new ones are put. By question, as `answerKeys` has them. */
export interface Memory {
  points: ReadonlyMap<string, number>;
  keep(question: string, points: number): void;
}

const COMMANDS = 'hint (or ?), show (the answer), skip, quit';

/** Asks the questions that were not answered rightly before; all of them if `again`. */
export async function runQuiz(quiz: Quiz, ends: Talk, memory: Memory, again = false): Promise<void> {
  const talk: Talk = { ask: ends.ask, say: (text) => ends.say(wrapped(text, ends.width)) };
  const hashes = answerKeys(quiz).map(({ hash }) => hash);
  const points = new Map(again ? [] : hashes.flatMap((hash) => pointsOf(memory, hash)));
  const open = quiz.questions.map((_, n) => n).filter((n) => points.get(hashes[n]) !== 1);
  talk.say(
    `Quiz: ${quiz.title}. ${quiz.questions.length} questions. Besides an answer you can type: ${COMMANDS}.`,
  );
  if (open.length < quiz.questions.length)
    talk.say(
      `${quiz.questions.length - open.length} of them you have answered before; \`--again\` asks all.`,
    );
  for (const n of open) {
    const outcome = await askQuestion(quiz.questions[n], n + 1, talk);
    if (outcome.points !== undefined) {
      points.set(hashes[n], outcome.points);
      memory.keep(hashes[n], outcome.points);
    }
    if (outcome.isOver) break;
  }
  const sum = [...points.values()].reduce((total, value) => total + value, 0);
  talk.say(`\nScore: ${Math.round(sum * 10) / 10} of ${quiz.questions.length} (${points.size} answered)`);
}

function pointsOf(memory: Memory, hash: string): [string, number][] {
  const kept = memory.points.get(hash);
  return kept === undefined ? [] : [[hash, kept]];
}

/** What came of a question: points if it was answered, and whether the whole quiz is to end. */
interface Outcome {
  points?: number;
  isOver: boolean;
}

async function askQuestion(question: Question, number: number, talk: Talk): Promise<Outcome> {
  talk.say(`\n${questionText(question, number)}`);
  let points: number | undefined;
  let hints = 0;
  for (;;) {
    const line = await talk.ask(`${howTo(question)} > `);
    const word = line?.trim().toLowerCase();
    const earlier = points === undefined ? {} : { points };
    if (line === undefined || word === 'quit') return { ...earlier, isOver: true };
    if (word === 'skip') return { ...earlier, isOver: false };
    if (word === '?' || word === 'hint') talk.say(hintText(question, hints++));
    else if (word === 'show') {
      talk.say(`The answer: ${solution(question).text}\n${question.explanation.text}`.trimEnd());
      return { points: 0, isOver: false };
    } else {
      const result = judge(question, line);
      talk.say(verdictText(question, result));
      if (result.judged) points = result.score;
      if (result.correct) return { points: 1, isOver: false };
    }
  }
}

function howTo(question: Question): string {
  switch (question.kind) {
    case 'single':
      return 'a letter';
    case 'several':
      return 'letters, such as a c';
    case 'number':
      return 'a number';
    case 'text':
      return 'a word or two';
    case 'match':
      return `${question.lefts.length} letters, for 1, 2, …`;
    case 'order':
      return `${question.items.length} letters, in order`;
  }
}

/** The answer that a line gives to a question, judged. */
export function judge(question: Question, line: string): Grade {
  const answer = readAnswer(question, line);
  if (typeof answer !== 'object' || !('problem' in answer)) return grade(question, answer);
  return { judged: false, correct: false, score: 0, message: answer.problem, marks: [], feedback: [] };
}

function readAnswer(question: Question, line: string): Answer | { problem: string } {
  if (question.kind === 'number' || question.kind === 'text') return line;
  const names = optionsOf(question).map((_, n) => letter(n));
  const given =
    /^[a-z]+$/i.test(line.trim()) && names.length <= 26 ? [...line.trim()] : line.split(/[\s,;]+/);
  const chosen = given.filter(Boolean).map((name) => names.indexOf(name.toLowerCase()));
  const unknown = given.find((name) => name !== '' && !names.includes(name.toLowerCase()));
  if (unknown !== undefined)
    return { problem: `${JSON.stringify(unknown)} is none of the letters ${names[0]} to ${names.at(-1)}.` };
  if (question.kind === 'single')
    return chosen.length > 1 ? { problem: 'Only one of them is right: give one letter.' } : (chosen[0] ?? -1);
  const isTwice = new Set(chosen).size < chosen.length;
  if (isTwice && question.kind === 'order') return { problem: 'A letter stands there twice.' };
  return question.kind === 'several' ? [...new Set(chosen)] : chosen;
}

/** What a letter stands for. */
function optionsOf(question: Question) {
  if (question.kind === 'match') return question.rights;
  if (question.kind === 'order') return question.items;
  return question.kind === 'single' || question.kind === 'several' ? question.options : [];
}

function hintText(question: Question, stage: number): string {
  const { hints } = question;
  if (hints.length === 0) return 'There is no hint to this question.';
  if (stage >= hints.length) return 'There are no more hints; `show` shows the answer.';
  return `Hint ${stage + 1} of ${hints.length}: ${hints[stage].text}`;
}

function verdictText(question: Question, result: Grade): string {
  if (!result.judged) return result.message;
  const lines = [`${result.correct ? '✓' : '✗'} ${result.message}`];
  const options = question.kind === 'single' || question.kind === 'several' ? question.options : [];
  options.forEach((option, n) => {
    const mark = result.marks[n];
    const isRead = result.feedback === 'all' || result.feedback.includes(n);
    if (!isRead || (mark === undefined && option.feedback.text === '')) return;
    const sign = mark === undefined ? ' ' : mark ? '✓' : '✗';
    lines.push(`   ${sign} ${letter(n)}) ${option.feedback.text}`.trimEnd());
  });
  if (result.correct && question.explanation.text !== '') lines.push(question.explanation.text);
  return lines.join('\n');
}

/** The longest lines, and the shortest that there is sense in, in characters. */
const WIDEST = 88;
const NARROWEST = 24;

/** Lines no longer than the terminal's (one column is left free), each going on below where its words began. */
function wrapped(text: string, columns = WIDEST + 1): string {
  const width = Math.max(NARROWEST, Math.min(WIDEST, columns - 1));
  return text
    .split('\n')
    .map((line) => wrapLine(line, width))
    .join('\n');
}

function wrapLine(line: string, width: number): string {
  const indent = ' '.repeat(/^\s*(?:[✓✗]\s)?\s*(?:\w{1,2}[.)]\s)?/.exec(line)?.[0].length ?? 0);
  const done: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const cut = space > indent.length ? space : rest.indexOf(' ', width);
    if (cut < 0) break;
    done.push(rest.slice(0, cut));
    rest = indent + rest.slice(cut + 1);
  }
  return [...done, rest].join('\n');
}
