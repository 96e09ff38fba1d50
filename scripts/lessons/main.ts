/**
 * `npm run lessons -- COMMAND`: what instructors and authors do with lessons. Each command is a file
 * of its own; here are their names, their options, and what they print.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerHelp, commandLine, outputFolder, usageError, wholeNumber } from '../command-line';
import { project } from '../places.mjs';
import { buildLibrary } from '../setup.mjs';
import { runLesson, staticProblems } from './check';
import { chosenLessons, filesOf } from './course';
import { exportQuiz, FORMATS } from './export';
import { nbgraderLayout } from './nbgrader';
import { scaffold } from './new';
import { notebookText, readNotebook, writeNotebook } from './notebook';
import { problemText, sorted } from './problem';
import { learnersVersion } from './release';
import { strip } from './strip';

const USAGES = {
  new: 'npm run lessons -- new NN-name "Title"',
  check: 'npm run lessons -- check [lesson …] [--no-run] [--patience N]',
  release: 'npm run lessons -- release [lesson …] [--check] [--nbgrader DIR]',
  strip: 'npm run lessons -- strip [lesson …]',
  export: 'npm run lessons -- export gift|qti|ilias [quiz …] --out DIR',
} as const;

type Command = keyof typeof USAGES;

const [command, ...args] = process.argv.slice(2);

const COMMANDS: Record<Command, () => number | Promise<number>> = {
  new: make,
  check,
  release,
  strip: stripThem,
  export: exportThem,
};

const counted = (count: number, thing: string) => `${count} ${thing}${count === 1 ? '' : 's'}`;

function usage(name: Command): string {
  return `Usage: ${USAGES[name]}`;
}

function make(): number {
  const { positionals } = commandLine({ args, options: {}, allowPositionals: true }, usage('new'));
  const [name, title] = positionals;
  if (name === undefined || title === undefined || positionals.length > 2)
    usageError('A new lesson needs a name and, in quotes, a title.', usage('new'));
  for (const file of scaffold(project, name, title)) console.log(`made: ${file}`);
  console.log(`Now \`npm run lessons -- check ${name}\`, and write.`);
  return 0;
}

async function check(): Promise<number> {
  const { values, positionals } = commandLine(
    {
      args,
      options: { 'no-run': { type: 'boolean', default: false }, patience: { type: 'string', default: '1' } },
      allowPositionals: true,
    },
    usage('check'),
  );
  const patience = wholeNumber('patience', values.patience, 1, usage('check'));
  const names = chosenLessons(project, positionals);
  const problems = sorted(staticProblems(project, names));
  for (const problem of problems) console.log(problemText(problem));
  let count = problems.length;
  if (!values['no-run']) {
    await buildLibrary();
    for (const name of names) count += await checkRun(name, patience);
  }
  console.log(
    count === 0
      ? `${counted(names.length, 'lesson')}: nothing to complain about.`
      : `${counted(count, 'problem')}.`,
  );
  return count === 0 ? 0 : 1;
}

/** Runs a lesson, prints what is wrong, and returns how much. */
async function checkRun(name: string, patience: number): Promise<number> {
  const files = filesOf(name);
  // One that is missing, or no notebook, has been told.
  if (![files.learner, files.instructor].every((file) => isNotebook(join(project, file)))) return 0;
  try {
    const { seconds, slowest, problems } = await runLesson(project, name, patience);
    const all = sorted(problems);
    for (const problem of all) console.log(problemText(problem));
    console.log(
      `${name}: ${seconds.toFixed(1)} s; slowest cell: ${slowest.cell}, ${slowest.seconds.toFixed(1)} s`,
    );
    return all.length;
  } catch (error) {
    console.log(`${files.instructor}: can’t be run: ${(error as Error).message}`);
    return 1;
  }
}

function isNotebook(file: string): boolean {
  try {
    readNotebook(file);
    return true;
  } catch {
    return false;
  }
}

function release(): number {
  const { values, positionals } = commandLine(
    {
      args,
      options: { check: { type: 'boolean', default: false }, nbgrader: { type: 'string' } },
      allowPositionals: true,
    },
    usage('release'),
  );
  if (values.nbgrader !== undefined) outputFolder('nbgrader', values.nbgrader, usage('release'));
  const names = chosenLessons(project, positionals);
  const stale = names.filter((name) => isStale(name, values.check));
  for (const name of stale)
    console.log(`${values.check ? 'not up to date' : 'made'}: ${filesOf(name).learner}`);
  if (stale.length === 0) console.log('All learner’s notebooks are up to date.');
  if (values.nbgrader !== undefined) {
    const lessons = nbgraderLayout(project, names, values.nbgrader);
    console.log(`${counted(lessons.length, 'lesson')} for nbgrader: ${values.nbgrader}`);
  }
  return values.check && stale.length > 0 ? 1 : 0;
}

/** Whether a learner's notebook is another one than the instructor's gives; it is made unless `checkOnly`. */
function isStale(name: string, checkOnly: boolean): boolean {
  const { instructor, learner } = filesOf(name);
  if (!existsSync(join(project, instructor))) return false;
  const made = learnersVersion(readNotebook(join(project, instructor)));
  const file = join(project, learner);
  if (existsSync(file) && readFileSync(file, 'utf8') === notebookText(made)) return false;
  if (!checkOnly) writeNotebook(file, made);
  return true;
}

function stripThem(): number {
  const { positionals } = commandLine({ args, options: {}, allowPositionals: true }, usage('strip'));
  const changed = strip(project, chosenLessons(project, positionals));
  for (const file of changed) console.log(`stripped: ${file}`);
  if (changed.length === 0) console.log('No notebook has outputs.');
  return 0;
}

function exportThem(): number {
  const { values, positionals } = commandLine(
    { args, options: { out: { type: 'string' } }, allowPositionals: true },
    usage('export'),
  );
  const [wanted, ...lessons] = positionals;
  const format = FORMATS.find((name) => name === wanted);
  if (format === undefined)
    usageError(`Which format? ${FORMATS.join(', ')}: not ${JSON.stringify(wanted ?? '')}.`, usage('export'));
  if (values.out === undefined) usageError('Where to? Give a folder: --out DIR.', usage('export'));
  const folder = outputFolder('out', values.out, usage('export'));
  const names = chosenLessons(project, lessons).filter((name) =>
    existsSync(join(project, filesOf(name).quiz)),
  );
  for (const name of names) console.log(`made: ${exportQuiz(project, name, format, folder)}`);
  return 0;
}

async function main(): Promise<void> {
  const run = Object.hasOwn(COMMANDS, command ?? '') ? COMMANDS[command as Command] : undefined;
  if (run === undefined) {
    const usages = `Usage: ${Object.values(USAGES).join('\n       ')}`;
    answerHelp(process.argv.slice(2), usages);
    usageError(
      command === undefined ? 'Which command?' : `There is no command ${JSON.stringify(command)}.`,
      usages,
    );
  }
  try {
    process.exitCode = await run();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

main();
