// Runs one conformance test: an ELF that reports through the host-target interface (HTIF), as the
// RISC-V test suites do. What it writes to the word called `tohost` is looked at every few
// thousand instructions: an exit code, or a call for something to be written.
import type { Binary } from '../../kernel-lib/code/program';
import { createMachine, type RunnableOptions } from '../../kernel-lib/engine/create';
import { Cause } from '../../kernel-lib/isa/causes';
import { Mode, registerNumber } from '../../kernel-lib/isa/registers';
import { type Machine, MiB } from '../../kernel-lib/machine/machine';

export interface Outcome {
  passed: boolean;
  /** Why not, if not; else empty. */
  detail: string;
  instructions: number;
  /** The words between `begin_signature` and `end_signature`, if there are such symbols. */
  signature: string[] | undefined;
}

const SLICE = 5_000;
const [A0, A7, GP] = ['a0', 'a7', 'gp'].map((name) => registerNumber(name) as number);
const EXIT_CALL = 93;
const WRITE_CALL = 64;

export interface RunOptions {
  engine: RunnableOptions['engine'] & {};
  /** Instructions until a test counts as hanging. */
  budget: number;
  ram?: number;
  accessedDirty?: 'hardware' | 'fault';
}

/** Runs a test until it reports, stops the machine, or uses up its budget. */
export function runTest(binary: Binary, options: RunOptions): Outcome {
  const { engine, budget, ram = 64 * MiB, accessedDirty = 'hardware' } = options;
  const machine = createMachine({ engine, ram, accessedDirty });
  machine.load(binary);
  const tohost = binary.symbols.get('tohost');
  if (tohost === undefined) reportByCall(machine);
  for (;;) {
    const { reason, message, code } = machine.run({ instructions: SLICE });
    const exit = tohost === undefined ? undefined : answer(machine, tohost, binary.symbols.get('fromhost'));
    const end = exit ?? (reason === 'finished' || reason === 'host' ? code : undefined);
    const { instret } = machine.hart;
    const done = { instructions: instret, signature: signatureOf(machine, binary) };
    if (end !== undefined)
      return { passed: end === 0, detail: end === 0 ? '' : `test ${end} failed`, ...done };
    const where = `at pc 0x${(machine.hart.pc >>> 0).toString(16)}, gp ${machine.hart.x[GP]}`;
    if (reason !== 'budget') return { passed: false, detail: `${message} (${where})`, ...done };
    if (instret >= budget || machine.traps >= budget)
      return { passed: false, detail: `no end after ${instret} instructions, ${where}`, ...done };
  }
}

/** Without `tohost`, a test ends with the call `exit`. Every other trap is the test's own. */
function reportByCall(machine: Machine): void {
  const { hart } = machine;
  machine.host = (trap) => {
    const isCall = trap.cause === Cause.EcallFromM || trap.cause === Cause.EcallFromU;
    if (isCall && hart.x[A7] === EXIT_CALL)
      machine.stopped = { reason: 'host', message: 'The test has ended.', code: hart.x[A0] };
    else hart.enterTrap(Mode.M, trap);
  };
}

/** Answers what was written to `tohost`, and gives the exit code if it was one. */
function answer({ ram, uart }: Machine, tohost: number, fromhost: number | undefined): number | undefined {
  const low = ram.read(4, tohost);
  const high = ram.read(4, tohost + 4);
  if (low === 0 && high === 0) return undefined;
  const device = high >>> 24;
  if (device === 0 && (low & 1) === 1) return low >>> 1;
  if (device === 1) uart.send(low);
  else systemCall(low >>> 0);
  ram.write(4, tohost, 0);
  ram.write(4, tohost + 4, 0);
  if (fromhost !== undefined) ram.write(4, fromhost, 1);
  return undefined;

  function systemCall(block: number): void {
    if (!ram.holds(block, 32) || ram.read(4, block) !== WRITE_CALL) return;
    const text = ram.read(4, block + 16) >>> 0;
    const count = ram.read(4, block + 24) >>> 0;
    if (ram.holds(text, count)) for (let n = 0; n < count; n++) uart.send(ram.read(1, text + n));
  }
}

function signatureOf({ ram }: Machine, { symbols }: Binary): string[] | undefined {
  const begin = symbols.get('begin_signature');
  const end = symbols.get('end_signature');
  if (begin === undefined || end === undefined || !ram.holds(begin, end - begin)) return undefined;
  const words: string[] = [];
  for (let pa = begin; pa < end; pa += 4) words.push((ram.read(4, pa) >>> 0).toString(16).padStart(8, '0'));
  return words;
}
