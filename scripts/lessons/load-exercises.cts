/**
 * Loads files of exercises and prints what they define, as JSON: in a process of its own, lest a
 * file that can't be loaded, or a test that never ends, takes the tool with it. CommonJS, as the
 * library is, so that there is one registry of exercises.
 *
 * Usage: tsx load-exercises.cts FILE…   (the first is kernel-lib/lab/check.ts)
 */
import type { Exercise } from '../../kernel-lib/lab/check';

/** What became of a file. */
export interface LoadedFile {
  file: string;
  exercises: LoadedExercise[];
  /** Why it could not be loaded, and where. */
  error?: { message: string; stack: string };
}

export interface LoadedExercise {
  id: string;
  title: string;
  passed: string;
  hints: string[];
  /** What the test makes of a function that does nothing: its message; null if that passes. */
  verdict: string | null;
  /** What the test threw, if it did. */
  threw?: string;
}

const [checkFile, ...files] = process.argv.slice(2);
const { definedExercises }: typeof import('../../kernel-lib/lab/check') = require(checkFile);

function load(file: string): LoadedFile {
  // Whoever never comes back, or ends the process, is known by its name.
  console.log(file);
  const before = definedExercises().length;
  try {
    require(file);
    return { file, exercises: definedExercises().slice(before).map(describe) };
  } catch (error) {
    const { message = String(error), stack = '' } = error as Partial<Error>;
    return { file, exercises: [], error: { message, stack } };
  }
}

function describe(exercise: Exercise<never>): LoadedExercise {
  const { id, title = '', passed = '', hints = [] } = exercise as Partial<Exercise<unknown>>;
  const told = { id: String(id), title, passed, hints: [...hints] };
  try {
    const failure = (exercise as Exercise<unknown>).test(() => undefined);
    return { ...told, verdict: failure === undefined ? null : failure.message };
  } catch (error) {
    return { ...told, verdict: '', threw: String((error as Error)?.message ?? error) };
  }
}

console.log(JSON.stringify(files.map(load)));
