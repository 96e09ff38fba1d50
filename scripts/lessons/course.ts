/**
 * The course as files: what belongs to a lesson, and which lessons there are. Everything that the
 * tools read of a project is named here, so that they work on another folder, too (in tests).
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A lesson's name, `03-trap-and-emulate`: what its files are called after. */
export const LESSON_NAME = /^\d\d-[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** The paths of a lesson's files, from the project's folder. */
export interface LessonFiles {
  name: string;
  /** The source of truth, with solutions. */
  instructor: string;
  learner: string;
  quiz: string;
}

export function filesOf(name: string): LessonFiles {
  return {
    name,
    instructor: `notebooks/instructor/${name}.ipynb`,
    learner: `notebooks/${name}.ipynb`,
    quiz: `quizzes/${name}.md`,
  };
}

/** The names of all lessons: of every notebook of either version, and of every quiz; sorted. */
export function lessonNames(project: string): string[] {
  const names = [
    ...namesIn(project, 'notebooks/instructor', '.ipynb'),
    ...namesIn(project, 'notebooks', '.ipynb'),
    ...namesIn(project, 'quizzes', '.md'),
  ];
  return [...new Set(names)].sort();
}

/** The files of a folder with this ending, without it, sorted. */
export function namesIn(project: string, folder: string, ending: string): string[] {
  const path = join(project, folder);
  const files = existsSync(path) ? readdirSync(path) : [];
  return files
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .sort();
}

/**
 * The lessons that a person means: numbers (`03`, `3`), names, or the beginning of one.
 * @returns their names; all of them where none is named
 * @throws Error naming those that there are, if one is unknown
 */
export function chosenLessons(project: string, wanted: string[]): string[] {
  const all = lessonNames(project);
  if (wanted.length === 0) return all;
  return wanted.flatMap((word) => {
    const beginning = /^\d$/.test(word) ? `0${word}` : word.replace(/\.(ipynb|md)$/, '').replace(/^.*\//, '');
    const found = all.filter((name) => name === beginning || name.startsWith(beginning));
    if (found.length === 0)
      throw new Error(`There is no lesson ${JSON.stringify(word)}. There are: ${all.join(', ') || 'none'}.`);
    return found;
  });
}
