/**
 * `npm run bench`: the engines on all workloads, beside whatever else is installed that runs them,
 * in turn, in one run. Prints medians of CPU time as millions of guest instructions per second,
 * ratios to QEMU, versions, and what translating costs; draws a chart. Then VMs beside the bare machine,
 * unless `--only` says what is wanted.
 *
 * Whoever prints another checksum than the others has not done the work: that ends the benchmark.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENGINES, type EngineName } from 'kernel-lib';
import { commandLine, usageError, wholeNumber } from '../scripts/command-line';
import { type Bar, chartSvg } from './chart';
import type { Run } from './one';
import { competitors } from './others';
import { instructionsOf, WORKLOADS } from './workloads';

const USAGE =
  'Usage: npm run bench -- [--rounds 3] [--only integer,vmsys] [--engine translator] [--json] [--chart FILE.svg]';

/** Instructions of a run, about, by how fast who executes them is. */
const LENGTH: Record<EngineName, number> = { reference: 1e6, interpreter: 2e8, translator: 1e9 };
const LENGTH_OF_OTHERS = 1e9;
/** The ratios to QEMU are averaged over the workloads without paging. */
const BASELINE = 'QEMU';

const { values: options } = commandLine(
  {
    options: {
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' },
      engine: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      chart: { type: 'string', default: 'bench.svg' },
    },
  },
  USAGE,
);

/** The names among those that there are; any other ends the benchmark. */
function chosen<Name extends string>(what: string, wanted: readonly string[], all: readonly Name[]): Name[] {
  for (const name of wanted)
    if (!(all as readonly string[]).includes(name))
      usageError(`There is no ${what} "${name}". There are: ${all.join(', ')}.`, USAGE);
  return all.filter((name) => wanted.includes(name));
}

const rounds = wholeNumber('rounds', options.rounds, 1, USAGE);
const names = WORKLOADS.map(({ name }) => name);
const wanted = chosen('workload', options.only?.split(',') ?? names, names);
const workloads = WORKLOADS.filter(({ name }) => wanted.includes(name));
const all = Object.keys(ENGINES) as EngineName[];
const engines = chosen('engine', options.engine?.flatMap((list) => list.split(',')) ?? all, all);
if (!existsSync(dirname(options.chart)))
  usageError(`There is no folder ${dirname(options.chart)} for the chart.`, USAGE);
const others = competitors();

interface Result extends Bar {
  runs: Run[];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const note = (text: string) => process.stderr.write(`${text}\n`);

function runOf(engine: EngineName, workload: string, repeat: number): Run {
  const program = fileURLToPath(new URL('one.ts', import.meta.url));
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', program, engine, workload, String(repeat)],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${engine} on ${workload} failed:\n${stderr}`);
  return JSON.parse(stdout);
}

/** Takes note of checksums. @throws if two that did the same work got different ones */
function agreement(workload: string): (who: string, repeat: number, checksum: string) => void {
  const known = new Map<number, { who: string; checksum: string }>();
  return (who, repeat, checksum) => {
    const first = known.get(repeat) ?? { who, checksum };
    known.set(repeat, first);
    if (first.checksum !== checksum)
      throw new Error(`${workload}: ${first.who} got ${first.checksum}, ${who} got ${checksum}.`);
  };
}

/** Who it is, and one run of a workload of so many instructions each. */
function measureAll(): Result[] {
  const results: Result[] = [];
  for (const { name, paged } of workloads) {
    const { each } = instructionsOf(name);
    const samples = new Map<string, number[]>();
    const runs = new Map<string, Run[]>();
    const add = (who: string, speed: number) => samples.set(who, [...(samples.get(who) ?? []), speed]);
    const agree = agreement(name);
    for (let round = 0; round < rounds; round++) {
      note(`${name}, round ${round + 1} of ${rounds}`);
      for (const engine of engines) {
        if (engine === 'reference' && round > 0) continue;
        const repeat = Math.max(1, Math.round(LENGTH[engine] / each));
        const run = runOf(engine, name, repeat);
        agree(engine, repeat, run.checksum);
        add(engine, run.instructions / run.cpu / 1000);
        runs.set(engine, [...(runs.get(engine) ?? []), run]);
      }
      for (const other of others.filter((candidate) => candidate.paged || !paged)) {
        const repeat = Math.max(1, Math.round(LENGTH_OF_OTHERS / each));
        const { cpu, checksum } = other.measure(name, repeat);
        agree(other.name, repeat + 1, checksum);
        add(other.name, (repeat * each) / cpu / 1000);
      }
    }
    for (const [who, speeds] of samples)
      results.push({ workload: name, who, speed: median(speeds), runs: runs.get(who) ?? [] });
  }
  return results;
}

function table(results: readonly Result[]): string {
  const who = [...new Set(results.map((result) => result.who))];
  const speed = (name: string, workload: string) =>
    results.find((result) => result.who === name && result.workload === workload)?.speed;
  const ratios = (name: string) =>
    workloads.flatMap(({ name: workload, paged }) => {
      const [own, base] = [speed(name, workload), speed(BASELINE, workload)];
      return paged || own === undefined || base === undefined ? [] : [own / base];
    });
  const mean = (numbers: readonly number[]) =>
    numbers.length === 0
      ? ''
      : Math.exp(numbers.reduce((sum, n) => sum + Math.log(n), 0) / numbers.length).toFixed(2);
  const cell = (name: string, workload: string) => {
    const [own, base] = [speed(name, workload), speed(BASELINE, workload)];
    if (own === undefined) return '';
    return base === undefined ? own.toFixed(0) : `${own.toFixed(0)} (${(own / base).toFixed(2)})`;
  };
  const rows = who.map((name) => [
    name,
    ...workloads.map((each) => cell(name, each.name)),
    mean(ratios(name)),
  ]);
  return aligned([['', ...workloads.map(({ name }) => name), 'mean ratio'], ...rows]);
}

function costs(results: readonly Result[]): string {
  const rows = results
    .filter(({ who }) => who === 'translator')
    .map(({ workload, runs }) => {
      const of = (pick: (run: Run) => number) => median(runs.map(pick));
      const translated = of((run) => run.translation?.instructions ?? 0);
      return [
        workload,
        of((run) => run.translation?.regions ?? 0).toFixed(0),
        translated.toFixed(0),
        of((run) => run.translation?.milliseconds ?? 0).toFixed(1),
        of((run) => (1000 * (run.translation?.milliseconds ?? 0)) / Math.max(1, translated)).toFixed(0),
        of((run) => run.first ?? Number.NaN).toFixed(0),
        of((run) => run.toPeak).toFixed(0),
        of((run) => run.memory).toFixed(0),
      ];
    });
  const head = [
    'translator',
    'regions',
    'instructions',
    'ms',
    'µs each',
    'first 100 M, ms',
    'to peak, ms',
    'memory, MB',
  ];
  return aligned([head, ...rows]);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row.map((text, n) => (n === 0 ? text.padEnd(widths[n]) : text.padStart(widths[n]))).join('  '),
    )
    .join('\n');
}

const versions = {
  machine: `${cpus()[0].model}, ${cpus().length} cores`,
  node: process.version,
  ...Object.fromEntries(others.map(({ name, version }) => [name, version])),
};
const results = measureAll();
writeFileSync(options.chart, chartSvg(results, 'Speed of simulators'));
if (options.json) {
  const withRatios = results.map((result) => {
    const base = results.find(({ who, workload }) => who === BASELINE && workload === result.workload);
    return { ...result, ratio: base === undefined ? null : result.speed / base.speed };
  });
  console.log(JSON.stringify({ versions, rounds, results: withRatios }, undefined, 2));
} else {
  console.log(
    Object.entries(versions)
      .map(([what, version]) => `${what}: ${version}`)
      .join('\n'),
  );
  console.log(`\nMillions of guest instructions per second of CPU time, medians of ${rounds} rounds`);
  console.log(`(in parentheses the ratio to ${BASELINE}; the mean is the geometric one, without paging)\n`);
  console.log(table(results));
  console.log(`\n${costs(results)}\n\nThe chart is in ${options.chart}.\n`);
  if (options.only === undefined) benchVms();
}

/** VMs beside the bare machine: a program of its own, `npm run bench:hypervisor`. */
function benchVms(): void {
  note('VMs');
  const program = fileURLToPath(new URL('hypervisor.mts', import.meta.url));
  const config = fileURLToPath(new URL('../tsconfig.base.json', import.meta.url));
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', program, String(rounds)], {
    stdio: 'inherit',
    env: { ...process.env, TSX_TSCONFIG_PATH: config },
  });
  if (status !== 0) throw new Error('The VMs could not be measured. Has `npm run build` been run?');
}
