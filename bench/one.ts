/**
 * One run of one workload on one engine, in a process of its own: what comes out is one line of
 * JSON. Arguments: engine, workload, repetitions.
 */
import type { EngineName } from 'kernel-lib';
import { TranslatorEngine } from 'kernel-lib';
import { machineWith } from './workloads';

export interface Run {
  instructions: number;
  /** Milliseconds of this process, with what it compiles in the background; and by the clock. */
  cpu: number;
  wall: number;
  checksum: string;
  /** Milliseconds by the clock for the first 100 million instructions; null if there were fewer. */
  first: number | null;
  /** Milliseconds until a slice of the run was within 20 % of the best one's speed. */
  toPeak: number;
  /** Megabytes that the process has. */
  memory: number;
  translation?: { regions: number; instructions: number; bytes: number; milliseconds: number };
}

const SLICE = 10e6;

function run(engineName: EngineName, workload: string, repeat: number): Run {
  const engine = engineName === 'translator' ? new TranslatorEngine() : engineName;
  const machine = machineWith(workload, repeat, { engine });
  const before = process.cpuUsage();
  const start = performance.now();
  const slices: { end: number; speed: number }[] = [];
  let first: number | null = null;
  for (let reason = 'budget'; reason === 'budget'; ) {
    const began = performance.now();
    const result = machine.run({ instructions: SLICE });
    reason = result.reason;
    const now = performance.now();
    slices.push({ end: now - start, speed: result.instructions / (now - began) });
    if (first === null && machine.hart.instret >= 100e6) first = now - start;
  }
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  const best = Math.max(...slices.map(({ speed }) => speed));
  const translation = engine instanceof TranslatorEngine ? engine.of(machine)?.statistics : undefined;
  return {
    instructions: machine.hart.instret,
    cpu: (user + system) / 1000,
    wall,
    checksum: machine.console.trim(),
    first,
    toPeak: slices.find(({ speed }) => speed >= 0.8 * best)!.end,
    memory: process.memoryUsage().rss / 2 ** 20,
    ...(translation === undefined ? {} : { translation: { ...translation } }),
  };
}

const [engine, workload, repeat] = process.argv.slice(2);
console.log(JSON.stringify(run(engine as EngineName, workload, Number(repeat))));
