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
 * Reads the quiz of the file `quizzes/<name>.md`, of the `quizzes` folder that `quizFolder` finds.
 * @throws QuizError, Error as `quiz` does
 */
export function readQuiz(name: string, from?: string): Quiz {
  const folder = quizFolder(from);
  const names = quizNames(folder);
  if (!names.includes(name)) {
    const known = names.length > 0 ? `There are: ${names.join(', ')}.` : 'There is none yet.';
    throw new Error(`no quiz is called ${JSON.stringify(name)} in ${folder}. ${known}`);
  }
  return parseQuiz(textOf(join(folder, `${name}.md`)), `quizzes/${name}.md`);
}

/** @throws Error that names the file, if it is a folder, or not ours to read */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(
      `${file} can't be read (${(error as Error).message}). It should be a text file that you may read.`,
    );
  }
}

/** The names of the quizzes in a folder, sorted. */
export function quizNames(folder: string): string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.md'));
  return files.map((file) => file.slice(0, -'.md'.length)).sort();
}

/**
 * The nearest folder `quizzes` at or above `from`. By default that of the notebook, which runs in `notebooks/` or below
 * it, and for a notebook that was copied elsewhere the project's.
 * @throws Error if there is none
 */
export function quizFolder(from?: string): string {
  const starts = from === undefined ? [process.cwd(), __dirname] : [from];
  for (const start of starts) {
    for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
      if (existsSync(join(folder, 'quizzes'))) return join(folder, 'quizzes');
    }
  }
  throw new Error(
    `no folder quizzes/ in ${starts[0]} or above it: start the notebook from the project's folder`,
  );
}
