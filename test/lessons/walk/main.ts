// `npm run lessons:walk -- [lesson …] [--shots DIR] [--patience N]`: walks through lessons in JupyterLab as a new
// learner does (walk.ts), and prints what the learner was told and what isn't as it should be.
import { resolve } from 'node:path';
import { commandLine, wholeNumber } from '../../../scripts/command-line';
import { chosenLessons } from '../../../scripts/lessons/course';
import { project } from '../../../scripts/places.mjs';
import { withPage } from '../../lab/browser';
import { withFolder } from '../../lab/notebook';
import { withLab } from '../../lab/start';
import { walkLesson } from './walk';

const USAGE = 'Usage: npm run lessons:walk -- [lesson …] [--shots DIR] [--patience N]';

const { values, positionals } = commandLine(
  {
    options: { shots: { type: 'string' }, patience: { type: 'string', default: '1' } },
    allowPositionals: true,
  },
  USAGE,
);

/** Walks through one lesson, with a JupyterLab of its own; how many problems there were. */
async function walk(name: string, patience: number): Promise<number> {
  const shots = values.shots === undefined ? undefined : resolve(values.shots);
  const { problems, told, exercises, questions, seconds } = await withFolder((folder) =>
    withLab({ folder }, (lab) =>
      withPage((page) => walkLesson(page, lab, name, { folder, shots, patience })),
    ),
  );
  const [slowest, longest] = [...seconds].sort((a, b) => b[1] - a[1])[0] ?? ['none', 0];
  console.log(
    `${name}: ${exercises} exercises, ${questions} questions; slowest cell: ${slowest}, ${longest.toFixed(1)} s`,
  );
  for (const line of told) console.log(`  told: ${line}`);
  for (const line of problems) console.log(`  PROBLEM: ${line}`);
  return problems.length;
}

async function main(): Promise<void> {
  const patience = wholeNumber('patience', values.patience, 1, USAGE);
  let count = 0;
  for (const name of chosenLessons(project, positionals)) {
    try {
      count += await walk(name, patience);
    } catch (error) {
      console.log(`${name}: no further: ${(error as Error).message}`);
      count++;
    }
  }
  console.log(count === 0 ? 'Nothing to complain about.' : `${count} problems.`);
  process.exitCode = count === 0 ? 0 : 1;
}

main();
