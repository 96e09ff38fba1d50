/**
 * `npm run lessons -- check [lesson …]`: everything that can be wrong with a lesson, each with file,
 * cell and line. First what can be read (schema, rules, quizzes, exercises, learner's versions and
 * what they give away); then, unless told not to, both versions are run: every exercise must be open
 * in the learner's and right in the instructor's, no cell may fail, and none may take long.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesOf, LESSON_NAME, type LessonFiles, namesIn } from './course';
import { type ExecutedCell, executeNotebook, jupyterPython } from './execute';
import { type Exercises, readExercises } from './exercise-rules';
import { type Notebook, notebookText, readBytes, readText } from './notebook';
import { callsOf, notebookProblems } from './notebook-rules';
import type { LessonProblem } from './problem';
import { quizProblems } from './quiz-rules';
import { learnersVersion } from './release';
import { leaksInNotebook, leaksInStrings, solutionLines } from './solutions';

/** Seconds that a cell, and a lesson, may take. */
export const CELL_SECONDS = 2;
export const LESSON_SECONDS = 60;

/** What can be read of the lessons, without running them. */
export function staticProblems(project: string, names: string[]): LessonProblem[] {
  const loaded = readExercises(project);
  const perLesson = names.flatMap((name) => lessonProblems(project, name, loaded));
  const files = names.flatMap((name) => [filesOf(name).instructor, filesOf(name).learner]);
  const ofExercises = loaded.problems.filter(({ file }) => concerns(loaded, file, names));
  return [...ofExercises, ...perLesson, ...schemaProblems(project, files)];
}

/** Whether a file of exercises belongs to one of these lessons, or may: one that can't be loaded tells nobody. */
function concerns({ fileOf }: Exercises, file: string, names: string[]): boolean {
  const ids = [...fileOf].filter(([, own]) => own === file).map(([id]) => id);
  return (
    ids.length === 0 ||
    ids.some((id) => !/^\d\d-/.test(id) || names.some((name) => name.startsWith(id.slice(0, 3))))
  );
}

function lessonProblems(project: string, name: string, loaded: Exercises): LessonProblem[] {
  const files = filesOf(name);
  const read = (file: string) =>
    existsSync(join(project, file)) ? readFileSync(join(project, file), 'utf8') : undefined;
  const unreadable = [files.instructor, files.learner, files.quiz].flatMap((file) =>
    readingProblem(project, file),
  );
  if (unreadable.length > 0) return unreadable;
  if (!LESSON_NAME.test(name))
    return [
      {
        file: files.instructor,
        message: 'lessons are called NN-name: two digits, then words in lower case with hyphens',
      },
    ];
  const [text, learners] = [read(files.instructor), read(files.learner)];
  if (text === undefined)
    return [
      {
        file: files.instructor,
        message: `is missing; there is ${[files.learner, files.quiz].filter((file) => read(file) !== undefined).join(' and ')}`,
      },
    ];
  const { notebook, problems } = notebookProblems(text, {
    project,
    name,
    file: files.instructor,
    exercises: [...loaded.fileOf.keys()],
    quizzes: namesIn(project, 'quizzes', '.md'),
  });
  if (read(files.quiz) !== undefined) problems.push(...quizProblems(project, files.quiz));
  if (notebook !== undefined) problems.push(...learnersProblems(files, notebook, learners));
  if (notebook !== undefined) problems.push(...leakProblems(project, files, notebook, loaded));
  return problems;
}

/** What keeps a file that is there from being read: a folder in its place, permissions, no text. */
function readingProblem(project: string, file: string): LessonProblem[] {
  const path = join(project, file);
  if (!existsSync(path)) return [];
  try {
    if (file.endsWith('.ipynb')) readText(path, file);
    else readBytes(path, file); // What is no text in it, its parser tells with the line.
    return [];
  } catch (error) {
    return [{ file, message: (error as Error).message.replace(`${file}: `, '') }];
  }
}

/** The learner's version is there, and the one that the instructor's gives. */
function learnersProblems(
  files: LessonFiles,
  notebook: Notebook,
  learners: string | undefined,
): LessonProblem[] {
  try {
    if (learners === notebookText(learnersVersion(notebook))) return [];
  } catch {
    return []; // The marks of a solution don't pair up, which is told already.
  }
  const what = learners === undefined ? 'is missing' : 'is not up to date';
  return [{ file: files.learner, message: `${what}: \`npm run lessons -- release\` makes it` }];
}

function leakProblems(
  project: string,
  files: LessonFiles,
  notebook: Notebook,
  loaded: Exercises,
): LessonProblem[] {
  const lines = solutionLines(notebook);
  const learners = asIs(project, files.learner);
  const inNotebook = learners === undefined ? [] : leaksInNotebook(lines, learners);
  const ids = notebook.cells.flatMap((cell) => callsOf(cell, 'check'));
  const sources = new Set(ids.flatMap((id) => loaded.fileOf.get(id) ?? []));
  const inWords = [...sources].flatMap((file) =>
    leaksInStrings(lines, file, readFileSync(join(project, file), 'utf8')).map((leak) => ({ file, ...leak })),
  );
  return [
    ...inNotebook.map(({ where, cell, text }) => ({
      file: files.learner,
      cell: where,
      message: `gives away a line of the solution in ${cell}: ${text}`,
    })),
    ...inWords.map(({ file, line, cell, text }) => ({
      file,
      line,
      message: `a text gives away a line of the solution in ${cell}: ${text}`,
    })),
  ];
}

/** A notebook as it is; undefined if it can't be read, which is told elsewhere. */
function asIs(project: string, file: string): Notebook | undefined {
  try {
    return JSON.parse(readFileSync(join(project, file), 'utf8')) as Notebook;
  } catch {
    return undefined;
  }
}

/** What nbformat's official schema says. Files that are no JSON, or none of ours, are told about elsewhere. */
function schemaProblems(project: string, files: string[]): LessonProblem[] {
  const readable = files.filter((file) => asIs(project, file)?.nbformat_minor !== undefined);
  if (readable.length === 0) return [];
  const script = fileURLToPath(new URL('validate_notebooks.py', import.meta.url));
  const { status, stdout, stderr } = spawnSync(jupyterPython(), [script, ...readable], {
    cwd: project,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`nbformat could not be asked: ${stderr}`);
  const said = JSON.parse(stdout) as { file: string; cell: number | null; message: string }[];
  return said.map(({ file, cell, message }) => {
    const id = cell === null ? undefined : (asIs(project, file)?.cells[cell]?.id ?? `${cell + 1}`);
    return {
      file,
      ...(id === undefined ? {} : { cell: String(id) }),
      message: `nbformat’s schema: ${message}`,
    };
  });
}

/** What a run of a lesson showed: its seconds, and what is wrong. */
export interface LessonRun {
  seconds: number;
  slowest: { cell: string; seconds: number };
  problems: LessonProblem[];
}

/**
 * Runs both versions of a lesson through the kernel.
 * @param patience times as long as usual may everything take, on a slow machine
 */
export async function runLesson(project: string, name: string, patience = 1): Promise<LessonRun> {
  const files = filesOf(name);
  const learners = await runVersion(project, files.learner, 'open', patience);
  const instructors = await runVersion(project, files.instructor, 'right', patience);
  const slower = learners.seconds > instructors.seconds ? learners : instructors;
  return { ...slower, problems: [...learners.problems, ...instructors.problems] };
}

async function runVersion(
  project: string,
  file: string,
  verdict: 'open' | 'right',
  patience: number,
): Promise<LessonRun> {
  const { notebook, cells } = await executeNotebook(join(project, file), 60 * patience);
  const idOf = (cell: ExecutedCell) => String((notebook.cells[cell.index] as { id?: string }).id);
  const problems = cells.flatMap((cell) =>
    cellProblems(cell, verdict, patience).map((message) => ({ file, cell: idOf(cell), message })),
  );
  const seconds = cells.reduce((sum, cell) => sum + cell.seconds, 0);
  if (seconds > LESSON_SECONDS * patience)
    problems.push({
      file,
      cell: 'all',
      message: `the lesson takes ${seconds.toFixed(0)} s: at most ${LESSON_SECONDS * patience}`,
    });
  const slowest = cells.reduce((a, b) => (b.seconds > a.seconds ? b : a));
  return { seconds, slowest: { cell: idOf(slowest), seconds: slowest.seconds }, problems };
}

/** What is wrong with a cell that was run: an error, a complaint, a verdict that is another one. */
function cellProblems(cell: ExecutedCell, wanted: 'open' | 'right', patience: number): string[] {
  const found: string[] = [];
  const error = cell.outputs.find((output) => output.output_type === 'error');
  if (cell.status !== 'ok') found.push(`fails: ${error?.evalue ?? cell.status}`);
  const complaint = cell.outputs.find((output) => output.name === 'stderr');
  if (complaint !== undefined) found.push(`writes to stderr: ${complaint.text?.split('\n')[0]}`);
  const html = cell.outputs.map((output) => output.data?.['text/html'] ?? '').join('');
  for (const [, id, result] of html.matchAll(
    /data-exercise="([^"]*)" data-result="(right|wrong|open)" role/g,
  )) {
    if (result === wanted) continue;
    found.push(
      wanted === 'open'
        ? `exercise ${id} is ${result} before anybody has solved it: it should be open`
        : `exercise ${id} is ${result} with the solution in place`,
    );
  }
  if (cell.seconds > CELL_SECONDS * patience)
    found.push(
      `takes ${cell.seconds.toFixed(1)} s: at most ${CELL_SECONDS * patience}; on a slow machine give --patience ${3 * patience}`,
    );
  return found;
}
