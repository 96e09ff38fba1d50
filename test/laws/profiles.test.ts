// A profile changes nothing but what it says: random programs run step by step as on riscv, until
// an instruction meets a defect that riscv refuses. And every engine has the same defects.
import {
  CSRS,
  type Defect,
  decode,
  defectsMet,
  ENGINES,
  type EngineName,
  encode,
  type Instruction,
  type Machine,
  Mode,
  PROFILES,
  type ProfileName,
  rowByName,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { differences, hartState } from '../../kernel-lib/lab/hart-state';
import { Random } from '../code/random';
import { programs, seeded } from './campaign';
import { prepare, type RandomProgram, randomProgram } from './engine-programs';

const RUNS = programs(60);
const STEPS = 300;
const NAMES = (Object.keys(PROFILES) as ProfileName[]).filter((name) => name !== 'riscv');
/** In the random programs RAM is where the window of mips is: loads and stores of U mode may differ. */
const ACCESS = /^(c\.)?[ls][bhw]|^(lr|sc|amo)/;

/** Registers that need not be the same: those that traps destroy. */
const lost = (name: ProfileName) =>
  PROFILES[name].defects.flatMap((defect: Defect) => (defect.kind === 'registers' ? defect.registers : []));

const NUMBERS = CSRS.map(({ number }) => number);

function isAlike(one: Machine, other: Machine, except: readonly number[]): boolean {
  const [a, b] = [one.hart, other.hart];
  const sameX = a.x.every((value, n) => value === b.x[n] || except.includes(n));
  const sameCsrs = NUMBERS.every((number) => a.csrs.values[number] === b.csrs.values[number]);
  return sameX && sameCsrs && a.pc === b.pc && a.mode === b.mode;
}

/** A random program, with more than its share of instructions that may meet defects of the profile. */
function tempted(seed: number, name: ProfileName): RandomProgram {
  const random = new Random(seed ^ 0xdef);
  const program = randomProgram(seed);
  const temptations = PROFILES[name].defects.flatMap((defect: Defect): number[] => {
    const operands = { csr: defect.kind === 'csr' ? defect.number : 0, rd: 5, rs1: 6 };
    if (defect.kind === 'instruction') return [encode(rowByName(defect.instruction)!, {})];
    if (defect.kind !== 'csr') return [];
    if (defect.access === 'read') return [encode(rowByName('csrrs')!, { ...operands, rs1: 0 })];
    return ['csrrw', 'csrrs', 'csrrc'].map((row) => encode(rowByName(row)!, { ...operands, rd: 0 }));
  });
  for (let n = 0; temptations.length > 0 && n + 1 < program.code.length; n += 2 * random.between(1, 16)) {
    const word = random.pick(temptations);
    program.code.set([word & 0xffff, word >>> 16], n);
  }
  return program;
}

/** Whether an instruction has something to do with a defect of the profile. */
function meets(name: ProfileName, instruction: Instruction, machine: Machine): boolean {
  const hasWindow = PROFILES[name].defects.some((defect: Defect) => defect.kind === 'window');
  const isAccess = ACCESS.test(instruction.row.name) && machine.hart.dataMode === Mode.U;
  return defectsMet(PROFILES[name], instruction).length > 0 || (hasWindow && isAccess);
}

describe.each(NAMES)('%s', (name) => {
  it(`runs ${RUNS} programs as riscv does, up to the first defect that they meet`, () => {
    let met = 0;
    let steps = 0;
    for (let seed = seeded(1); seed < seeded(1) + RUNS; seed++) {
      const program = tempted(seed, name);
      const sound = prepare(program, 'reference');
      const other = prepare(program, 'reference', { profile: name });
      const except = lost(name);
      let isMet = false;
      for (let step = 0; step < STEPS && !isMet; step++, steps++) {
        const word = sound.hart.peekInstruction();
        const instruction = word === undefined ? undefined : decode(word);
        const isSuspect = instruction !== undefined && meets(name, instruction, sound);
        const traps = sound.traps;
        const [a, b] = [sound, other].map((machine) => machine.run({ instructions: 1 }));
        // Fetched by what the TLB still holds of a mapping that has changed since: nobody can say what it was.
        const isUnseen = instruction === undefined && sound.traps === traps;
        isMet = isUnseen || (isSuspect && (sound.traps !== traps || except.length > 0));
        if (isMet) met += isUnseen ? 0 : 1;
        else if (!isAlike(sound, other, except) || a.message !== b.message)
          throw new Error(`Program ${seed}, step ${step}: ${instruction?.row.name} does something else.`);
        if (a.reason !== 'budget') break;
      }
      if (!isMet) expect(Buffer.compare(sound.ram.bytes, other.ram.bytes), `program ${seed}`).toBe(0);
    }
    expect(steps).toBeGreaterThan(10 * RUNS);
    expect(met).toBeGreaterThan(0);
  });

  it.each((Object.keys(ENGINES) as EngineName[]).filter((engine) => engine !== 'reference'))(
    'has its defects in the %s, too',
    (engine) => {
      for (let seed = seeded(1); seed < seeded(1) + RUNS; seed++) {
        const program = tempted(seed, name);
        const [truth, tested] = (['reference', engine] as const).map((one) => {
          const machine = prepare(program, one, { profile: name });
          machine.run({ instructions: STEPS });
          return machine;
        });
        expect(differences(hartState(truth.hart), hartState(tested.hart)), `program ${seed}`).toEqual([]);
        expect(Buffer.compare(truth.ram.bytes, tested.ram.bytes), `program ${seed}`).toBe(0);
      }
    },
  );
});
