/** The texts that a new lesson begins with: a quiz with three questions, an exercise, and its test. */

export function quizSource(number: string, title: string): string {
  return `---
title: ${title.replace(/\s+/g, ' ')}
lesson: ${number}
---

### What does a machine of 32 bits leave in a register when a sum needs 33?

> How many bits has the register?

1. [ ] an error
   > Adding never traps. Whoever wants to know of the carry compares.
2. [x] the lower 32 bits of the sum
   > The rest is lost, without a trace.
3. [ ] the largest number there is
   > That would be saturating arithmetic, which other instructions have.

<!-- Unpriv, Integer Register-Register Operations -->

### How many bits has a register here?

= 32

<!-- Unpriv, Programmers’ Model for Base Integer ISA -->

### What is the number called that says where the next instruction is?

[[program counter]] [[pc]]

<!-- Unpriv, Programmers’ Model for Base Integer ISA -->
`;
}

export function exerciseSource(number: string): string {
  return `/**
 * The exercise of lesson ${number}: what \`add\` leaves in a register, compared with the machine. First
 * cases that teach, then random ones; the first that differs is told.
 */
import { hex } from '../../bits';
import { encode, rowByName } from '../../code/encode';
import { createMachine } from '../../engine/create';
import { RAM_BASE } from '../../machine/machine';
import { defineExercises, type Exercise, type Failure } from '../check';
import { randomNumbers } from '../random';

type Add = (a: number, b: number) => number | undefined;

const [A0, A1, A2] = [10, 11, 12];
const RANDOM_CASES = 200;

/** What the machine leaves in a0 when it adds two registers. */
function machineAdds(a: number, b: number): number {
  const row = rowByName('add');
  if (row === undefined) throw new Error('No row add');
  const machine = createMachine({ ram: 4096 });
  machine.ram.write(4, RAM_BASE, encode(row, { rd: A0, rs1: A1, rs2: A2 }));
  machine.hart.pc = RAM_BASE;
  machine.hart.x[A1] = a;
  machine.hart.x[A2] = b;
  machine.run({ instructions: 1 });
  return machine.hart.x[A0] >>> 0;
}

function* cases(): Generator<[number, number]> {
  yield [1, 2];
  yield [0xffff_ffff, 1];
  yield [0x8000_0000, 0x8000_0000];
  const random = randomNumbers(${Number(number)});
  for (let n = 0; n < RANDOM_CASES; n++) yield [random.word() >>> 0, random.word() >>> 0];
}

function testAdd(solution: Add): Failure | undefined {
  for (const [a, b] of cases()) {
    const [wanted, found] = [machineAdds(a, b), solution(a, b)];
    if (found === wanted) continue;
    const told = typeof found === 'number' ? hex(found) : String(found);
    const message = \`add of \${hex(a)} and \${hex(b)} leaves \${hex(wanted)} in the register; yours says \${told}.\`;
    return { message, untouched: found === undefined };
  }
  return undefined;
}

const add: Exercise<Add> = {
  id: '${number}-add',
  title: 'add as the machine does',
  passed: \`Compared with the machine on \${RANDOM_CASES + 3} pairs of registers.\`,
  hints: [
    'What becomes of the bit that a register has no room for?',
    'JavaScript’s numbers are larger than a register: the sum has to be cut to 32 bits.',
    'The operator >>> with 0 on its right makes an unsigned number of 32 bits of any number.',
  ],
  test: testAdd,
};

defineExercises(add);
`;
}

export function exerciseTestSource(number: string): string {
  return `// The exercise of lesson ${number}: a right answer passes, wrong ones are told with the case in which they fail.
import { check } from 'kernel-lib';
import { expect, it } from 'vitest';

const add = (solution: (a: number, b: number) => unknown) => () =>
  check('${number}-add', solution, { strict: true });

it('takes a right answer, however it is written', () => {
  expect(add((a, b) => Number((BigInt(a) + BigInt(b)) & 0xffff_ffffn))).not.toThrow();
});

it.each([
  ['too large', (a: number, b: number) => a + b, /0xffffffff and 0x00000001 leaves 0x00000000/],
  ['signed', (a: number, b: number) => (a + b) | 0, /leaves 0x[89a-f].*yours says/],
  ['nothing', () => undefined, /0x00000001 and 0x00000002 leaves 0x00000003.*undefined/],
])('refuses one that is %s', (_, solution, message) => {
  expect(add(solution)).toThrow(message);
});
`;
}
