/**
 * `npm run quiz [lesson]`: a lesson's quiz in the terminal; `npm run quiz -- --pages DIR`: pages that
 * work from a file. Points are kept where `progress()` finds them, beside the notebooks; the variable
 * VMLAB_PROGRESS names another file, or `off`.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  keepPoints,
  PROGRESS_FILE,
  type QuizPoints,
  readResults,
} from '../../kernel-lib/lab/progress/results';
import type { Quiz } from '../../kernel-lib/lab/quiz/model';
import { quizNames, readQuiz } from '../../kernel-lib/lab/quiz/quiz';
import { answerKeys } from '../../kernel-lib/lab/quiz/render';
import { commandLine, outputFolder, usageError } from '../command-line';
import { notebooks, project } from '../places.mjs';
import { writePages } from './pages';
import { runQuiz, type Talk } from './terminal';

const USAGE = 'Usage: npm run quiz -- [lesson] [--again], or npm run quiz -- [lesson …] --pages DIR';

const { values, positionals } = commandLine(
  {
    options: { again: { type: 'boolean', default: false }, pages: { type: 'string' } },
    allowPositionals: true,
  },
  USAGE,
);

/** The quizzes that are meant; all if none is named. An unknown one ends the command. */
function chosen(): string[] {
  const names = quizNames(join(project, 'quizzes'));
  if (positionals.length === 0) return names;
  return positionals.map((word) => {
    const beginning = /^\d$/.test(word) ? `0${word}` : word;
    const name = names.find((one) => one === beginning) ?? names.find((one) => one.startsWith(beginning));
    return (
      name ?? usageError(`There is no quiz ${JSON.stringify(word)}. There are: ${names.join(', ')}.`, USAGE)
    );
  });
}

function fileOfPoints(): string | undefined {
  const named = process.env.VMLAB_PROGRESS;
  if (named === 'off') return undefined;
  return named === undefined || named === '' ? join(notebooks, PROGRESS_FILE) : named;
}

function list(quizzes: Quiz[], kept: QuizPoints): void {
  for (const quiz of quizzes) {
    const hashes = answerKeys(quiz).map(({ hash }) => hash);
    const points = hashes.flatMap((hash) => kept.get(quiz.name)?.get(hash) ?? []);
    const sum = Math.round(points.reduce((total, value) => total + value, 0) * 10) / 10;
    const score = points.length === 0 ? `${hashes.length} questions` : `${sum} of ${hashes.length}`;
    console.log(`${quiz.lesson}  ${quiz.title.padEnd(40)} ${score}`);
  }
  console.log('\nnpm run quiz 03 asks the questions of lesson 03.');
}

/** A conversation through stdin and stdout. Ctrl-C is the end of the input. */
function terminalTalk(): Talk & { close(): void } {
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: process.stdin.isTTY,
  });
  const waiting: string[] = [];
  let isOver = false;
  let wake = () => {};
  lines.on('line', (line) => {
    waiting.push(line);
    wake();
  });
  lines.on('close', () => {
    isOver = true;
    wake();
  });
  lines.on('SIGINT', () => lines.close());
  process.on('SIGINT', () => lines.close());
  return {
    get width() {
      return process.stdout.isTTY ? process.stdout.columns : undefined;
    },
    say: (text) => console.log(text),
    async ask(prompt) {
      lines.setPrompt(prompt);
      if (!isOver) lines.prompt();
      while (waiting.length === 0 && !isOver) await new Promise<void>((resolve) => (wake = resolve));
      const line = waiting.shift();
      if (line === undefined || !process.stdin.isTTY) process.stdout.write(`${line ?? ''}\n`);
      return line;
    },
    close: () => lines.close(),
  };
}

async function ask(quiz: Quiz): Promise<void> {
  const file = fileOfPoints();
  const talk = terminalTalk();
  const points = readResults(file).quizzes.get(quiz.name) ?? new Map<string, number>();
  const keep = (question: string, gained: number) => keepPoints(quiz.name, question, gained, file);
  await runQuiz(quiz, talk, { points, keep }, values.again);
  talk.close();
  const { problem } = readResults(file);
  if (problem !== '') console.log(problem);
}

async function main(): Promise<void> {
  if (values.pages !== undefined) outputFolder('pages', values.pages, USAGE);
  const names = chosen();
  if (values.pages === undefined && names.length > 1 && positionals.length > 0)
    usageError('One quiz at a time.', USAGE);
  const quizzes = names.map((name) => readQuiz(name, project));
  if (values.pages !== undefined)
    for (const page of writePages(quizzes, values.pages)) console.log(`made: ${page}`);
  else if (positionals.length === 0) list(quizzes, readResults(fileOfPoints()).quizzes);
  else await ask(quizzes[0]);
}

main().catch((error) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
