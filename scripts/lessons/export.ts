/** `npm run lessons -- export gift|qti|ilias [quiz …] --out DIR`: quizzes for learning platforms. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Quiz } from '../../kernel-lib/lab/quiz/model';
import { readQuiz } from '../../kernel-lib/lab/quiz/quiz';
import { giftOf } from './gift';
import { iliasOf } from './ilias';
import { manifestOf, qtiOf } from './qti';
import { zip } from './zip';

/** A format: the ending of its files, and what is in them. */
const WRITERS = {
  gift: { ending: 'gift', write: giftOf },
  qti: { ending: 'zip', write: packageOf },
  ilias: { ending: 'xml', write: iliasOf },
} as const;

export type Format = keyof typeof WRITERS;
export const FORMATS = Object.keys(WRITERS) as Format[];

/**
 * Writes a quiz: NAME.gift; NAME.zip, with its QTI and a manifest; or NAME.xml for ILIAS.
 * @returns the file
 * @throws QuizError, Error if there is no such quiz, it has mistakes, or the format has no place for something
 */
export function exportQuiz(project: string, name: string, format: Format, folder: string): string {
  const quiz = readQuiz(name, project);
  const { ending, write } = WRITERS[format];
  const content = write(quiz);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.${ending}`);
  writeFileSync(file, content);
  return file;
}

function packageOf(quiz: Quiz): Buffer {
  const file = `${quiz.name}.xml`;
  return zip(
    new Map([
      ['imsmanifest.xml', manifestOf(quiz, file)],
      [file, qtiOf(quiz)],
    ]),
  );
}
