// All engines agree, instruction for instruction: at random moments of a random program, every
// register, CSR, count, TLB entry and byte of memory is the same as in the reference engine.
import { disassemble, type Engine, type EngineName, hex, type Machine, TranslatorEngine } from 'kernel-lib';
import { it } from 'vitest';
import { Random } from '../code/random';
import { programs, seeded } from './campaign';
import { listing, prepare, type RandomProgram, randomProgram, shrink } from './engine-programs';

const RUNS = programs(150);
const TURNS = 1500;

/** Engines by name. One that translates what has run twice, and one that lets code get warm first. */
const ENGINES: [string, () => EngineName | Engine][] = [
  ['interpreter', () => 'interpreter'],
  ['translator', () => new TranslatorEngine({ heat: 1 })],
  ['translator at ease', () => new TranslatorEngine({ heat: 20 })],
];

/** What is to be equal, by name. */
function stateOf(machine: Machine): Record<string, string | number> {
  const { hart } = machine;
  const state: Record<string, string | number> = {
    pc: hart.pc,
    mode: hart.mode,
    instret: hart.instret,
    cycles: machine.cycles,
    waiting: Number(hart.waiting),
    reservation: hart.reservation,
    traps: machine.traps,
    misses: hart.tlb.misses,
    console: machine.console,
  };
  for (const [n, value] of hart.x.entries()) state[`x${n}`] = value;
  for (const [n, value] of hart.csrs.values.entries()) if (value !== 0) state[`csr ${hex(n, 3)}`] = value;
  state.tlb = hart.tlb.words.join(' ') + hart.tlb.nextVictim.join(' ');
  return state;
}

function differences(one: Machine, other: Machine): string[] {
  const [a, b] = [stateOf(one), stateOf(other)];
  const found = Object.keys({ ...a, ...b })
    .filter((key) => a[key] !== b[key])
    .map((key) => (key === 'tlb' ? key : `${key}: ${show(b[key])} instead of ${show(a[key])}`));
  const at = one.ram.bytes.findIndex((byte, n) => byte !== other.ram.bytes[n]);
  if (at >= 0) found.push(`memory at ${hex(one.ram.base + at)}`);
  return found;
}

const show = (value: string | number | undefined) => (typeof value === 'number' ? hex(value) : String(value));

/** The first difference between an engine and the reference, in words; undefined if there is none. */
function firstDifference(program: RandomProgram, engine: () => EngineName | Engine): string | undefined {
  const random = new Random(program.seed ^ 0xc4ec);
  const truth = prepare(program, 'reference');
  const tested = prepare(program, engine());
  for (let turns = 0; turns < TURNS; ) {
    const instructions = random.pick([1, 2, 7, 50, 300, 1000]);
    const from = `${hex(truth.hart.pc)} (${disassemble(truth.hart.peekInstruction() ?? 0)})`;
    const expected = truth.run({ instructions });
    const actual = tested.run({ instructions });
    const found = differences(truth, tested);
    if (expected.message !== actual.message)
      found.push(`stop: ${actual.message} instead of ${expected.message}`);
    if (found.length > 0)
      return `${instructions} instructions from ${from}, after ${turns}:\n  ${found.join('\n  ')}`;
    if (expected.reason !== 'budget') return undefined;
    turns += instructions;
    if (random.between(0, 9) === 0) {
      const pa = 0x8000_1000 + 4 * random.between(0, 100); // the world outside changes code
      for (const machine of [truth, tested]) machine.ram.write(4, pa, program.code[random.between(0, 0)] | 3);
    }
  }
  return undefined;
}

it.each(ENGINES)(
  `the %s agrees with the reference engine on ${RUNS} programs`,
  { timeout: 1000 * (60 + RUNS) },
  (_name, engine) => {
    const first = seeded(1);
    for (let seed = first; seed < first + RUNS; seed++) {
      const program = randomProgram(seed);
      if (firstDifference(program, engine) === undefined) continue;
      const small = shrink(program, (smaller) => firstDifference(smaller, engine) !== undefined);
      throw new Error(`Program ${seed}: after ${firstDifference(small, engine)}\n${listing(small)}`);
    }
  },
);
