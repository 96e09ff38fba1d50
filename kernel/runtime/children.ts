/**
 * Programs that a cell starts with `stdio: 'inherit'`: what they print would go to the log of Jupyter's server. It goes
 * to the cell instead, as it comes; from those that the cell waits for (`execSync` and its kin) once they have ended.
 */
import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import type { Readable } from 'node:stream';
import { currentCell, runLate } from './attribution';

type Name = 'stdout' | 'stderr';
type Options = { stdio?: unknown; maxBuffer?: number };
/** Which of the kernel's outputs a program's output 1 and 2 would have been. */
type Inherited = Partial<Record<1 | 2, Name>>;

/** `stdio` with pipes for the outputs that are inherited; undefined if there are none. */
function withPipes(stdio: unknown): { stdio: unknown[]; inherited: Inherited } | undefined {
  const wanted: unknown[] = Array.isArray(stdio) ? [...stdio] : [stdio, stdio, stdio];
  const inherited: Inherited = {};
  for (const output of [1, 2] as const) {
    const way = wanted[output];
    const own: Name = output === 1 ? 'stdout' : 'stderr';
    if (way === 'inherit') inherited[output] = own;
    else if (way === 1 || way === process.stdout) inherited[output] = 'stdout';
    else if (way === 2 || way === process.stderr) inherited[output] = 'stderr';
    if (inherited[output]) wanted[output] = 'pipe';
  }
  return inherited[1] || inherited[2] ? { stdio: wanted, inherited } : undefined;
}

type Spawning = { stdio: (Readable | null)[]; stdout: unknown; stderr: unknown };

/** Programs that run beside the cell: each piece is shown when it comes. */
function showThoseBeside(): void {
  const prototype = childProcess.ChildProcess.prototype as unknown as {
    spawn(this: Spawning, options: Options): unknown;
  };
  const { spawn } = prototype;
  prototype.spawn = function (options) {
    const piped = withPipes(options.stdio);
    if (!piped) return spawn.call(this, options);
    const result = spawn.call(this, { ...options, stdio: piped.stdio });
    const cell = currentCell();
    for (const output of [1, 2] as const) {
      const name = piped.inherited[output];
      const stream = this.stdio?.[output];
      if (!name || !stream) continue;
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => runLate(cell, () => void process[name].write(text)));
      this.stdio[output] = null;
      this[output === 1 ? 'stdout' : 'stderr'] = null;
    }
    return result;
  };
}

/** What `spawnSync` answers, and what `execSync` throws. */
type Ended = { stdout?: unknown; stderr?: unknown; output?: unknown[] | null };

/** Shows one output of a program that has ended, and takes it out of the answer, where it would not have been. */
function showEnded(ended: Ended, output: 1 | 2, name: Name | undefined): void {
  if (!name) return;
  const key = output === 1 ? 'stdout' : 'stderr';
  print(name, ended[key]);
  ended[key] = null;
  if (ended.output) ended.output[output] = null;
}

function print(name: Name, text: unknown): void {
  if (typeof text === 'string' || text instanceof Uint8Array) process[name].write(text);
}

type Wait = (...values: unknown[]) => unknown;

/** The arguments of `execSync` and its kin without the options, and the options, which are the last. */
function split(values: unknown[]): [rest: unknown[], options: Options] {
  const last = values.at(-1);
  const isGiven = typeof last === 'object' && last !== null && !Array.isArray(last);
  return isGiven ? [values.slice(0, -1), last as Options] : [values, {}];
}

/** `spawnSync`, showing what is inherited. */
function showingSpawn(spawnSync: Wait): Wait {
  return (...values) => {
    const [rest, options] = split(values);
    const piped = withPipes(options.stdio);
    if (!piped) return spawnSync(...values);
    const { stdio, inherited } = piped;
    const ended = spawnSync(...rest, { ...options, stdio, maxBuffer: MOST }) as Ended;
    for (const output of [1, 2] as const) showEnded(ended, output, inherited[output]);
    return ended;
  };
}

/** `execSync` or `execFileSync`, showing what is inherited. Without `stdio` it prints the program's errors itself. */
function showingExec(exec: Wait): Wait {
  return (...values) => {
    const [rest, options] = split(values);
    const piped = withPipes(options.stdio);
    if (!piped) return exec(...values);
    const { stdio, inherited } = piped;
    const given = { ...options, stdio: inherited[2] ? undefined : stdio, maxBuffer: MOST };
    try {
      const text = exec(...rest, given);
      if (!inherited[1]) return text;
      print(inherited[1], text);
      return null;
    } catch (error) {
      showEnded(error as Ended, 1, inherited[1]);
      throw error;
    }
  };
}

/** A program whose output is inherited may print as much as it likes. */
const MOST = Number.POSITIVE_INFINITY;

/** From now on cells see what programs print that inherit the kernel's outputs. */
export function showChildren(): void {
  showThoseBeside();
  const module = childProcess as unknown as Record<string, Wait>;
  module.spawnSync = showingSpawn(module.spawnSync!);
  for (const name of ['execSync', 'execFileSync']) module[name] = showingExec(module[name]!);
  syncBuiltinESMExports();
}
