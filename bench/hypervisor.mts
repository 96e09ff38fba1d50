/**
 * `npm run bench:hypervisor`: how fast VMs run, beside the bare machine in the same engine, in one run, in
 * turn: nano-os to its end. One thread does it all, so that CPU time is the wall clock's, less what others on
 * the machine take. Prints the machine, medians and ratios. Build first (`npm run build`).
 */
import { cpus } from 'node:os';
import {
  createMachine,
  ENGINES,
  type EngineName,
  Firmware,
  guest,
  TECHNIQUES,
  type TechniqueName,
} from 'kernel-lib';
import { commandLine, wholeNumber } from '../scripts/command-line';

const USAGE =
  'Usage: npm run bench:hypervisor -- [ROUNDS] [--forks N]      9 rounds of nano-os with 30 forks if left out';
const { values, positionals } = commandLine(
  { allowPositionals: true, options: { forks: { type: 'string', default: '30' } } },
  USAGE,
);
const ROUNDS = wholeNumber('ROUNDS', positionals[0] ?? '9', 1, USAGE);
/** What a round is: long enough that engines are warm for most of it. */
const IMAGE = guest('nano-os', { FORKS: wholeNumber('forks', values.forks, 1, USAGE) });
/** The share of the bare machine's speed that trap-and-emulate must reach. */
const WANTED = 1 / 3;
const engines = (Object.keys(ENGINES) as EngineName[]).filter((name) => name !== 'reference');
const techniques = (Object.keys(TECHNIQUES) as TechniqueName[]).filter((name) => name !== 'full-emulation');

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** Milliseconds of CPU time that something takes. */
function timed(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function bare(engine: EngineName): number {
  const machine = createMachine({ engine });
  new Firmware(machine).boot(IMAGE);
  return timed(() => machine.run());
}

function virtual(engine: EngineName, technique: TechniqueName): number {
  const hypervisor = TECHNIQUES[technique](createMachine({ engine }));
  hypervisor.boot(IMAGE);
  return timed(() => hypervisor.run());
}

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}, ${ROUNDS} rounds, medians`);
for (const engine of engines) {
  const times = new Map<string, number[]>(['bare', ...techniques].map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    times.get('bare')!.push(bare(engine));
    for (const technique of techniques) times.get(technique)!.push(virtual(engine, technique));
  }
  const native = median(times.get('bare')!);
  console.log(`\n${engine}: nano-os on the bare machine ${native.toFixed(0)} ms`);
  for (const technique of techniques) {
    const milliseconds = median(times.get(technique)!);
    const share = native / milliseconds;
    const verdict = technique.startsWith('trap-and-emulate') ? ` (wanted: ${WANTED.toFixed(2)})` : '';
    console.log(
      `  ${technique.padEnd(26)} ${milliseconds.toFixed(0).padStart(6)} ms  ${share.toFixed(2)}${verdict}`,
    );
  }
}
