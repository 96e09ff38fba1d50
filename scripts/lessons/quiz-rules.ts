/** What a quiz file must be, beyond what the parser asks for: its lesson, and rows that there are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
// The error's class from the parser that throws it: a module of the library imported by itself is a second one here.
import { parseQuiz, QuizError } from '../../kernel-lib/lab/quiz/parse';
import { rowsNamed } from '../coverage/coverage';
import { INVENTORY } from '../coverage/inventory';
import type { LessonProblem } from './problem';

/** @param file from the project's folder, `quizzes/03-trap-and-emulate.md` */
export function quizProblems(project: string, file: string): LessonProblem[] {
  try {
    const quiz = parseQuiz(readFileSync(join(project, file), 'utf8'), file);
    const known = new Set(INVENTORY.map(({ id }) => id));
    const number = quiz.name.slice(0, 2);
    const other = [
      { file, line: 1, message: `says lesson ${quiz.lesson}, and is called after lesson ${number}` },
    ];
    const rows = quiz.questions.flatMap(({ line, source }) =>
      rowsNamed(source)
        .filter((row) => !known.has(row))
        .map((row) => ({
          file,
          line,
          message: `names ${row}, which is no row of scripts/coverage/inventory.ts`,
        })),
    );
    return [...(quiz.lesson === number ? [] : other), ...rows];
  } catch (error) {
    if (error instanceof QuizError) return error.problems;
    return [{ file, message: (error as Error).message }];
  }
}
