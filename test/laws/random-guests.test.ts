// Random guests: whatever bytes a guest is made of, nothing throws, nothing hangs, and the
// hypervisor gives it the machine that it would have had to itself.
import {
  asm,
  createMachine,
  disassemble,
  encode,
  Firmware,
  hex,
  ISA,
  type Loadable,
  type TechniqueName,
} from 'kernel-lib';
import { expect, it } from 'vitest';
import type { Field } from '../../kernel-lib/isa/formats';
import { randomNumbers } from '../../kernel-lib/lab/random';
import {
  firstStepThatDiffers,
  onBareMachine,
  TECHNIQUE_NAMES,
  under,
  unlike,
} from '../hypervisor/equivalence';
import { programs, seeded } from './campaign';
import { shrink } from './shrink';

const KERNEL = 0x8040_0000;
const RUNS = programs(1000);
const BUDGET = 400;
const RAM = 2 ** 23;

const image = (words: number[]): Loadable => ({
  segments: [{ address: KERNEL, bytes: new Uint8Array(Int32Array.from(words).buffer) }],
  entry: KERNEL,
});

it(`${RUNS} guests of random bytes: each run ends with a reason`, () => {
  const random = randomNumbers(seeded(11));
  const reasons = new Map<string, number>();
  for (let run = 0; run < RUNS; run++) {
    const words = Array.from({ length: 64 }, () => random.word());
    const machine = createMachine({ ram: RAM });
    new Firmware(machine).boot(image(words));
    const { reason, message } = machine.run({ instructions: BUDGET });
    expect(message.length).toBeGreaterThan(10);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  expect([...reasons.values()].reduce((a, b) => a + b)).toBe(RUNS);
});

it(`${RUNS} guests of random instructions run in a VM as on the bare machine`, () => {
  const random = randomNumbers(seeded(13));
  let ended = 0;
  for (let run = 0; run < RUNS; run++) {
    const words = Array.from({ length: 64 }, () => randomInstruction(random));
    const program = withHandler(words);
    const bare = onBareMachine(program, BUDGET, RAM);
    // Guests that go on for ever are cut off at different places; what the timer does depends on time.
    if (bare.reason === 'budget' || bare.usesTimer) continue;
    ended++;
    const technique = TECHNIQUE_NAMES[ended % TECHNIQUE_NAMES.length];
    const wrong = unlike(bare, under(technique, program, 10 * BUDGET, RAM));
    if (wrong.length === 0) continue;
    const shortest = shrink(words, (fewer) => differs(technique, withHandler([...fewer])));
    const first = firstStepThatDiffers(technique, withHandler([...shortest]), BUDGET, RAM);
    throw new Error(
      `${technique}: ${wrong.join('; ')}\nin guest ${run}; ${first}\n${listing([...shortest])}`,
    );
  }
  expect(ended).toBeGreaterThan(RUNS / 4);
});

function differs(technique: TechniqueName, program: Loadable): boolean {
  const bare = onBareMachine(program, BUDGET, RAM);
  if (bare.reason === 'budget' || bare.usesTimer) return false;
  return unlike(bare, under(technique, program, 10 * BUDGET, RAM)).length > 0;
}

const listing = (words: number[]) =>
  words.map((word, n) => `${hex(KERNEL + 4 * n)}  ${disassemble(word, KERNEL + 4 * n)}`).join('\n');

/**
 * A kernel around random instructions: its trap handler skips what trapped, its registers point
 * into its own memory (code included), and behind the last instruction the machine stops.
 */
const withHandler = (words: number[]) => asm`
_start: la   t0, handler
        csrw stvec, t0
        la   a0, body
        la   s0, data
        addi s1, s0, 64
        la   ra, end
        li   t2, 0x10000000
        j    body
        .align 2
handler: csrr t6, sepc
        addi t6, t6, 4
        csrw sepc, t6
        sret
body:   ${words.map((word) => ((word & 3) === 3 ? `.word ${word >>> 0}` : `.half ${word}`)).join('\n')}
end:    li   t1, 0x100000
        li   t2, 0x5555
        sw   t2, 0(t1)
        .data
data:   .space 256
`;

/** Any instruction, biased towards operands that do something; never one that reads a clock. */
function randomInstruction(random: ReturnType<typeof randomNumbers>): number {
  const row = random.pick(ISA);
  for (;;) {
    const operands: Record<string, number> = {};
    for (const field of row.format.fields) operands[field.operand] = randomOperand(random, field);
    const isExcluded = row.format.fields.some(({ operand }) =>
      row.excluded[operand]?.includes(operands[operand]),
    );
    if (!isExcluded) return encode(row, operands);
  }
}

function randomOperand(random: ReturnType<typeof randomNumbers>, field: Field): number {
  if (field.kind === 'csr') return random.pick(QUIET_CSRS);
  const step = 2 ** field.zeros;
  const span = field.kind === 'offset' ? 64 : 2 ** Math.min(field.width, 31);
  const value = field.from + step * random.below(Math.max(1, span / step));
  if (field.kind === 'upper' && field.width === 32) return random.word() & -step;
  return field.kind === 'signed' || field.kind === 'upper' ? value - span / 2 : value;
}

/** sstatus, sie, stvec, sscratch, sepc, scause, stval, sip, and one that doesn't exist. */
const QUIET_CSRS = [0x100, 0x104, 0x105, 0x140, 0x141, 0x142, 0x143, 0x144, 0x5ff];
