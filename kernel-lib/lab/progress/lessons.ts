/** The lessons of a folder as `progress` and `map` need them: title, exercises and quizzes, read off the notebooks. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Done } from './results';

export interface Lesson {
  /** `03`; empty if the file's name begins with none. */
  number: string;
  /** The notebook's file name. */
  file: string;
  title: string;
  exercises: string[];
  quizzes: string[];
}

/** The lessons of a folder, sorted by file name. A notebook that can't be read is left out. */
export function readLessons(folder = process.cwd()): Lesson[] {
  const names = listed(folder).filter((name) => name.endsWith('.ipynb'));
  return names.sort().flatMap((file) => {
    try {
      return [lessonOf(file, JSON.parse(readFileSync(join(folder, file), 'utf8')))];
    } catch {
      return [];
    }
  });
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

interface Cell {
  cell_type?: string;
  source?: string | string[];
}

function lessonOf(file: string, notebook: { cells?: Cell[] }): Lesson {
  const sources = (kind: string) =>
    (notebook.cells ?? [])
      .filter((cell) => cell.cell_type === kind)
      .map(({ source = '' }) => (typeof source === 'string' ? source : source.join('')))
      .join('\n');
  const code = sources('code');
  const called = (name: string) => [
    ...new Set(
      [...code.matchAll(new RegExp(`\\b${name}\\(\\s*['"]([\\w-]+)['"]`, 'g'))].map((match) => match[1]),
    ),
  ];
  return {
    number: /^\d+/.exec(file)?.[0] ?? '',
    file,
    title: /^# (.+)$/m.exec(sources('markdown'))?.[1]?.trim() ?? file.replace(/\.ipynb$/, ''),
    exercises: called('check'),
    quizzes: called('quiz'),
  };
}

/** Whether all exercises of a lesson, of which there are some, are right. */
export function isDone({ exercises }: Lesson, done: ReadonlyMap<string, Done>): boolean {
  return exercises.length > 0 && exercises.every((id) => done.get(id)?.best === 'right');
}
