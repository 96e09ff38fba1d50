/**
 * What the files of exercises must be: each can be loaded, stands in the library's index, and defines
 * exercises with an id of their lesson, three hints in stages, and a test that survives any function.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeModules } from '../places.mjs';
import { namesIn } from './course';
import type { LoadedExercise, LoadedFile } from './load-exercises.cts';
import type { LessonProblem } from './problem';

const FOLDER = 'kernel-lib/lab/exercises';
const INDEX = 'kernel-lib/index.ts';
const HINTS = 3;
/** Far more than all files together need. */
const MILLISECONDS = 300_000;

export interface Exercises {
  /** The file that defines an exercise, by id. */
  fileOf: Map<string, string>;
  problems: LessonProblem[];
}

/** Loads all files of exercises of a project, and says what is wrong with them. */
export function readExercises(project: string): Exercises {
  const files = namesIn(project, FOLDER, '.ts').map((name) => `${FOLDER}/${name}.ts`);
  const loaded = loadFiles(project, files);
  const index = readFileSync(join(project, INDEX), 'utf8');
  const fileOf = new Map<string, string>();
  const problems: LessonProblem[] = [];
  for (const { file, exercises, error } of loaded) {
    const source = readFileSync(join(project, file), 'utf8');
    const name = file.slice(FOLDER.length + 1, -'.ts'.length);
    const isLoaded = index.includes(`'./lab/exercises/${name}'`);
    if (error !== undefined) problems.push({ file, ...placeOf(error, name) });
    // What other files of exercises share defines none, and isn't loaded by itself.
    else if (exercises.length === 0 && isLoaded)
      problems.push({ file, message: 'defines no exercise: call defineExercises(…)' });
    if (!isLoaded && source.includes('defineExercises('))
      problems.push({
        file,
        message: `is not loaded: add \`import './lab/exercises/${name}';\` to ${INDEX}`,
      });
    for (const exercise of exercises) {
      fileOf.set(exercise.id, file);
      problems.push(...exerciseProblems(exercise, file, source));
    }
  }
  return { fileOf, problems };
}

function loadFiles(project: string, files: string[]): LoadedFile[] {
  if (files.length === 0) return [];
  const script = fileURLToPath(new URL('load-exercises.cts', import.meta.url));
  const paths = ['kernel-lib/lab/check.ts', ...files].map((file) => join(project, file));
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new Error(`${missing} is missing.`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    // Node takes a .cts as its main file only by way of `require`.
    [
      '--require',
      join(nodeModules, 'tsx/dist/cjs/index.cjs'),
      '-e',
      'require(process.argv[1])',
      script,
      ...paths,
    ],
    { cwd: project, encoding: 'utf8', timeout: MILLISECONDS, maxBuffer: 1 << 26 },
  );
  const last = stdout.trim().split('\n').at(-1) ?? '[]';
  if (status !== 0) {
    const file = files.find((_, n) => paths[n + 1] === last) ?? FOLDER;
    const what =
      status === null
        ? 'its exercises, or their tests on a function that does nothing, never end'
        : `loading it, or testing a function that does nothing, ended the whole process (with ${status})`;
    throw new Error(`${file}: ${what}. The other files were not looked at.\n${stderr}`.trim());
  }
  return (JSON.parse(last) as LoadedFile[]).map((loaded, n) => ({ ...loaded, file: files[n] }));
}

/** What a file that can't be loaded says, with its line: a syntax error's own, or the file's on the stack. */
function placeOf({ message, stack }: { message: string; stack: string }, name: string) {
  const [, line, said] = new RegExp(`${name}\\.ts:(\\d+):\\d+: (?:ERROR: )?(.*)`).exec(message) ?? [];
  const place = line ?? new RegExp(`${name}\\.ts:(\\d+)`).exec(stack)?.[1];
  const what = `can’t be loaded: ${said ?? message.split('\n')[0]}`;
  return place === undefined ? { message: what } : { line: Number(place), message: what };
}

function exerciseProblems(exercise: LoadedExercise, file: string, source: string): LessonProblem[] {
  const { id, title, hints, passed, verdict, threw } = exercise;
  const line = source.split('\n').findIndex((text) => new RegExp(`['"\`]${id}['"\`]`).test(text)) + 1;
  const rules: [boolean, string][] = [
    [!/^\d\d-[a-z0-9]+(-[a-z0-9]+)*$/.test(id), 'its id begins with the lesson, such as 03-reflect'],
    [title.trim() === '', 'it has no title'],
    [passed.trim() === '', 'it has no `passed`: what a right solution was compared on'],
    [hints.length < HINTS, `it has ${hints.length} hints: write ${HINTS}, from a nudge to nearly the answer`],
    [hints.some((hint) => String(hint).trim() === ''), 'a hint is empty'],
    [new Set(hints).size !== hints.length, 'two hints are the same'],
    [verdict === null, 'a function that does nothing passes its test'],
    [threw !== undefined, `its test throws on a function that does nothing: ${threw}`],
    [threw === undefined && verdict?.trim() === '', 'its test fails without a message'],
  ];
  return rules
    .filter(([isBroken]) => isBroken)
    .map(([, what]) => ({ file, ...(line > 0 ? { line } : {}), message: `exercise ${id}: ${what}` }));
}
