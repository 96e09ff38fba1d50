// `npm run bench`: every engine gets the same checksums, what it prints has what was asked for, and a
// command line that makes no sense is told what there is.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENGINES, type EngineName } from 'kernel-lib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { machineWith, WORKLOADS } from '../../bench/workloads';
import { project } from '../../scripts/places.mjs';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmlab-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bench(...args: string[]) {
  const command = ['--import', 'tsx', join('bench', 'main.ts'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: project, encoding: 'utf8' });
  return { status, stdout, stderr };
}

it.each([
  [['--rounds', 'x'], '--rounds wants a whole number from 1 up, and got "x".'],
  [['--rounds', '0'], '--rounds wants a whole number from 1 up, and got "0".'],
  [
    ['--only', 'nonsense'],
    `There is no workload "nonsense". There are: ${WORKLOADS.map(({ name }) => name).join(', ')}.`,
  ],
  [['--engine', 'nonsense'], `There is no engine "nonsense". There are: ${Object.keys(ENGINES).join(', ')}.`],
  [['--nonsense'], "Unknown option '--nonsense'."],
])('%s: two lines, exit code 2', (args, problem) => {
  const { status, stdout, stderr } = bench(...args);
  const [first, usage, ...more] = stderr.trimEnd().split('\n');
  expect({ status, stdout, first, more }).toEqual({ status: 2, stdout: '', first: problem, more: [] });
  expect(usage).toMatch(/^Usage: npm run bench -- \[--rounds/);
});

it('measures one workload on one engine, as JSON, with a chart', { timeout: 300_000 }, () => {
  const chart = join(folder, 'chart.svg');
  const { status, stdout } = bench(
    '--rounds',
    '1',
    '--only',
    'vmsys',
    '--engine',
    'interpreter',
    '--json',
    '--chart',
    chart,
  );
  expect(status).toBe(0);
  const { versions, results } = JSON.parse(stdout);
  expect(versions.node).toBe(process.version);
  const own = results.find(({ who }: { who: string }) => who === 'interpreter');
  expect(own.workload).toBe('vmsys');
  expect(own.speed).toBeGreaterThan(1);
  expect(own.runs[0].instructions).toBeGreaterThan(1e8);
  expect(readFileSync(chart, 'utf8')).toMatch(/^<svg.*<title>Speed of simulators/s);
});

it.each(WORKLOADS.map(({ name }) => name))('%s: all engines agree, to the cycle', (workload) => {
  const run = (engine: EngineName) => {
    const machine = machineWith(workload, 1, { engine });
    const { reason } = machine.run({ instructions: 400_000 });
    return [reason, machine.console, machine.hart.instret, machine.cycles, machine.hart.tlb.misses];
  };
  const truth = run('reference');
  expect(run('interpreter')).toEqual(truth);
  expect(run('translator')).toEqual(truth);
});
