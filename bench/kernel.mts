/**
 * `npm run bench:kernel`: our kernel beside tslab, in one run, in turn: from the kernel's start to the first result,
 * the import of the library and of Observable Plot; and how soon our kernel is free after an interrupt. Build first (`npm run build`); needs the Python of the kernel's tests.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { commandLine, wholeNumber } from '../scripts/command-line';
import { project } from '../scripts/places.mjs';
import { writeKernelSpec } from '../scripts/setup.mjs';
import { jupyterEnvironment, preparePython, pythonProgram, scratch } from '../test/kernel/python';

const USAGE = 'Usage: npm run bench:kernel -- [ROUNDS]      7 rounds if left out';
const ROUNDS = wholeNumber(
  'ROUNDS',
  commandLine({ allowPositionals: true }, USAGE).positionals[0] ?? '7',
  1,
  USAGE,
);

interface Measured {
  start: number;
  imports: number;
  complete: number;
  /** The slowest of several loops; 0 where it isn't measured. */
  interrupt: number;
}

/** One start of a kernel, its first result and its imports, in seconds. */
function measure(name: string, folder: string): Measured {
  const env = { ...jupyterEnvironment(folder), JUPYTER_PATH: join(project, '.jupyter', 'share') };
  const args = [join(project, 'bench/kernel.py'), name, join(project, 'notebooks')];
  const { stdout, stderr } = spawnSync(pythonProgram('python'), args, { env, encoding: 'utf8' });
  const line = stdout.split('\n').find((each) => each.startsWith('{'));
  if (!line) throw new Error(`${name}: ${stderr}`);
  return JSON.parse(line) as Measured;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

const problem = await preparePython();
if (problem) throw new Error(problem);
writeKernelSpec();
const { folder, remove } = scratch();
const results: Record<string, Measured[]> = { vmlab: [], tslab: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, measured] of Object.entries(results)) measured.push(measure(name, folder));
}
remove();

console.log(
  `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, medians of ${ROUNDS} rounds, in s`,
);
const columns: [keyof Measured, string][] = [
  ['start', 'start to first result'],
  ['imports', 'import kernel-lib and Plot'],
  ['complete', 'completion on kernel-lib, warm'],
];
for (const [column, title] of columns) {
  const [ours, theirs] = ['vmlab', 'tslab'].map((name) => median(results[name]!.map((each) => each[column])));
  const ratio = (ours! / theirs!).toFixed(2);
  console.log(`${title.padEnd(32)} vmlab ${ours!.toFixed(2)}   tslab ${theirs!.toFixed(2)}   ratio ${ratio}`);
}
const interrupted = median(results.vmlab!.map(({ interrupt }) => interrupt));
console.log(`${'interrupt, the slowest loop'.padEnd(32)} vmlab ${interrupted.toFixed(2)}`);
