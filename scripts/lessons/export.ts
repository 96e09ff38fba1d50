/** `npm run lessons -- export gift|qti [quiz …] --out DIR`: quizzes for learning platforms. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readQuiz } from '../../kernel-lib/lab/quiz/quiz';
import { giftOf } from './gift';
import { manifestOf, qtiOf } from './qti';
import { zip } from './zip';

export const FORMATS = ['gift', 'qti'] as const;
export type Format = (typeof FORMATS)[number];

/**
 * Writes a quiz: NAME.gift; or NAME.xml (QTI), and NAME.zip with it and its manifest.
 * @returns the files
 * @throws QuizError, Error if there is no such quiz, or it has mistakes
 */
export function exportQuiz(project: string, name: string, format: Format, folder: string): string[] {
  const quiz = readQuiz(name, project);
  mkdirSync(folder, { recursive: true });
  const files = new Map<string, string | Buffer>();
  if (format === 'gift') files.set(`${name}.gift`, giftOf(quiz));
  else {
    const text = qtiOf(quiz);
    const manifest = manifestOf(quiz, `${name}.xml`);
    files.set(`${name}.xml`, text);
    files.set(
      `${name}.zip`,
      zip(
        new Map([
          ['imsmanifest.xml', manifest],
          [`${name}.xml`, text],
        ]),
      ),
    );
  }
  for (const [file, content] of files) writeFileSync(join(folder, file), content);
  return [...files.keys()].map((file) => join(folder, file));
}
