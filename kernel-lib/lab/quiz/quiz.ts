/** `quiz('03-trap-and-emulate')`: the lesson's quiz, in the cell's output. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { displayHtml } from '../display';
import type { Quiz } from './model';
import { parseQuiz } from './parse';
import { renderQuiz } from './render';
import { quizText } from './text';

/**
 * Shows the quiz of the file `quizzes/<name>.md`.
 * @throws QuizError if the file has mistakes, with the line of each
 * @throws Error if there is no such file, naming those that there are
 */
export function quiz(name: string): void {
  const found = readQuiz(name);
  displayHtml(renderQuiz(found), quizText(found));
}

/**
 * Reads the quiz of the file `quizzes/<name>.md`, of the nearest `quizzes` folder at or above `from`.
 * @throws QuizError, Error as `quiz` does
 */
export function readQuiz(name: string, from = process.cwd()): Quiz {
  const folder = quizFolder(from);
  const names = quizNames(folder);
  if (!names.includes(name)) {
    const known = names.length > 0 ? `There are: ${names.join(', ')}.` : 'There is none yet.';
    throw new Error(`no quiz is called ${JSON.stringify(name)} in ${folder}. ${known}`);
  }
  return parseQuiz(readFileSync(join(folder, `${name}.md`), 'utf8'), `quizzes/${name}.md`);
}

/** The names of the quizzes in a folder, sorted. */
export function quizNames(folder: string): string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.md'));
  return files.map((file) => file.slice(0, -'.md'.length)).sort();
}

/**
 * The nearest folder `quizzes` at or above `from`: notebooks run in `notebooks/` or below it. For a notebook that was
 * copied elsewhere it is the project's.
 * @throws Error if there is none
 */
export function quizFolder(from = process.cwd()): string {
  for (const start of [from, __dirname]) {
    for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
      if (existsSync(join(folder, 'quizzes'))) return join(folder, 'quizzes');
    }
  }
  throw new Error(`no folder quizzes/ in ${from} or above it: start the notebook from the project's folder`);
}
