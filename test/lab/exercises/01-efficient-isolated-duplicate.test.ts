// Lesson 01's exercises: right solutions pass, wrong ones are told where the machine goes wrong.
import {
  Cause,
  CSRS,
  decode,
  execute,
  type Hart,
  type Instruction,
  type Machine,
  type MachineState,
  Mode,
  NO_TRAP,
  RAM_BASE,
  type Slice,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { verdict } from './verdict';

function mine(hart: Hart, instruction: Instruction, wrong?: string): void {
  const { x } = hart;
  const { rd, rs1, rs2, imm, row } = instruction;
  let next = hart.pc + 4;
  const set = (value: number) => {
    if (hart.cause !== NO_TRAP && wrong !== 'fault') return;
    if (rd !== 0 || wrong === 'x0') x[rd] = value;
  };
  if (row.name === 'addi') set(x[rs1] + imm);
  if (row.name === 'add') set(wrong === 'sub' ? x[rs1] - x[rs2] : x[rs1] + x[rs2]);
  if (row.name === 'lw') set(hart.load(4, x[rs1] + (wrong === 'offset' ? 0 : imm)));
  if (row.name === 'sw') hart.store(4, (x[rs1] + imm) | 0, x[rs2]);
  if (row.name === 'bne' && x[rs1] !== x[rs2]) next = hart.pc + imm;
  if (row.name === 'jal') set(next);
  if (row.name === 'jal') next = wrong === 'absolute' ? imm : hart.pc + imm;
  if (hart.cause !== NO_TRAP && wrong !== 'pc at a fault') return;
  if (wrong !== 'pc') hart.pc = next;
  if (wrong !== 'instret') hart.instret++;
}

function step(board: Machine, wrong?: string): void {
  const { hart } = board;
  const interrupt = wrong === 'interrupts' ? NO_TRAP : hart.interruptToTake();
  if (interrupt !== NO_TRAP) {
    board.takeTrap({ cause: interrupt, tval: 0 });
    return;
  }
  if (hart.waiting && wrong !== 'waiting') {
    board.idle();
    return;
  }
  const word = hart.fetch();
  const instruction = decode(word);
  if (hart.cause === NO_TRAP && instruction !== undefined) execute(hart, instruction);
  else if (wrong === 'fetch' && hart.cause !== NO_TRAP) hart.cause = Cause.IllegalInstruction;
  else if (wrong !== 'illegal') hart.raise(Cause.IllegalInstruction, word);
  const trap = hart.takeRaised();
  if (trap && wrong !== 'traps') board.takeTrap(wrong === 'tval' ? { ...trap, tval: 0 } : trap);
}

function mapState(
  { mode, pc, x, memory }: MachineState,
  { base, size }: Slice,
  wrong?: string,
): MachineState {
  const real = new Map<number, number>();
  for (const [gpa, value] of memory) {
    const offset = gpa - RAM_BASE;
    const end = wrong === 'end' ? size + 4 : size;
    const isOwn = wrong === 'bounds' || (offset >= 0 && offset < end);
    if (isOwn) real.set(wrong === 'memory' ? gpa : base + offset, value);
  }
  if (wrong === 'given') (memory as Map<number, number>).clear();
  return {
    mode: wrong === 'mode' ? mode : Mode.U,
    pc: wrong === 'pc' ? pc - RAM_BASE + base : pc,
    x: wrong === 'x' ? [] : [...x],
    memory: wrong === 'given' ? memory : real,
  };
}

const TIMING = /^m?(cycle|time|instret)h?$/;

function equivalent(one: Machine, other: Machine, wrong?: string): boolean {
  const [a, b] = [one.hart, other.hart];
  if (wrong === 'yes') return true;
  if (wrong === 'console') return one.console === other.console;
  if (wrong === 'cycles' && one.cycles !== other.cycles) return false;
  const isCompared = ({ name }: { name: string }) =>
    (wrong !== 'pending' || !name.endsWith('ip')) &&
    (wrong === 'clocks' || (!TIMING.test(name) && (wrong !== 'some CSRs' || name !== 'sscratch')));
  return (
    a.pc === b.pc &&
    (a.mode === b.mode || wrong === 'mode') &&
    (wrong === 'registers' || a.x.every((value, n) => value === b.x[n])) &&
    CSRS.filter(isCompared).every(({ number }) => a.csrs.read(number) === b.csrs.read(number)) &&
    (wrong === 'memory' || Buffer.compare(one.ram.bytes, other.ram.bytes) === 0) &&
    (wrong === 'silent' || one.console === other.console)
  );
}

const right = {
  '01-execute': mine,
  '01-step': step,
  '01-map-state': mapState,
  '01-equivalent': equivalent,
};
type Any = (...given: unknown[]) => unknown;

describe.each(Object.entries(right) as [string, Any][])('%s', (id, solution) => {
  it('a right solution passes', () => {
    expect(verdict(id, (one: unknown, other: unknown) => solution(one, other))).toMatch(/^✓ Right/);
  });

  it('nothing written is an exercise to be solved', () => {
    expect(verdict(id, () => undefined)).toMatch(/^○ To be solved/);
  });

  it.each([
    ['NaN', () => Number.NaN],
    ['a Promise', async () => true],
    ['an array', () => [1, 2]],
    [
      'a throw',
      () => {
        throw new RangeError('far out');
      },
    ],
    ['odd parts', () => ({ mode: 7, pc: Number.NaN, x: [null], memory: new Map([['a', 1]]) })],
  ])('%s gets a verdict', (_, given) => {
    expect(verdict(id, given)).toMatch(/^(✗ Not yet|○ To be solved)/);
  });
});

it.each([
  ['01-execute', 'x0', /`addi zero, a1, 5`[\s\S]*zero +0x00000000 +0x0000000c/],
  ['01-execute', 'sub', /`add a0, a1, a2`/],
  ['01-execute', 'offset', /`lw a0, 4\(a1\)`/],
  [
    '01-execute',
    'fault',
    /`lw a0, 4\(a1\)` at pc 0x80000000, with a0 = 0x00000063, a1 = 0x40000000[\s\S]*a0 +0x00000063 +0x00000000/,
  ],
  ['01-execute', 'pc at a fault', /pc +0x80000000 +0x80000004/],
  ['01-execute', 'absolute', /pc +0x80000800 +0x00000800/],
  ['01-execute', 'pc', /pc +0x80000004 +0x80000000/],
  ['01-execute', 'instret', /instructions retired +0x00000001 +0x00000000/],
  ['01-step', 'traps', /"a breakpoint[\s\S]*step \d+ goes wrong[\s\S]*`ebreak`/],
  ['01-step', 'illegal', /`\.word 0xffffffff`|`\.half 0xffff`/],
  ['01-step', 'fetch', /out of reach[\s\S]*scause +0x00000001 +0x00000002/],
  ['01-step', 'tval', /stval/],
  ['01-step', 'waiting', /waits for its alarm[\s\S]*the hart waits for an interrupt/],
  ['01-step', 'interrupts', /waits for its alarm[\s\S]*an interrupt is to be taken/],
  ['01-map-state', 'given', /word at 0x80000000 +0x\w+ +nothing/],
  ['01-map-state', 'mode', /mode +real U +real S/],
  ['01-map-state', 'pc', /from 0x80800000 on[\s\S]*pc +0x80400000 +0x80c00000/],
  ['01-map-state', 'x', /sp +0x[\s\S]*nothing|a0 +0x[0-9a-f]+ +nothing/],
  ['01-map-state', 'memory', /word at 0x80800000/],
  ['01-map-state', 'bounds', /word at 0x80800000 +not the guest’s/],
  ['01-map-state', 'end', /word at 0x80800000 +not the guest’s/],
  ['01-equivalent', 'yes', /a0 has another value in one of them\. Equivalent: false; you say true/],
  ['01-equivalent', 'console', /a0 has another value/],
  [
    '01-equivalent',
    'cycles',
    /nothing is different but the time that it took\. Equivalent: true; you say false/,
  ],
  ['01-equivalent', 'clocks', /nothing is different but the time/],
  ['01-equivalent', 'registers', /a0 has another value/],
  ['01-equivalent', 'mode', /one is in S mode, the other in U mode/],
  ['01-equivalent', 'some CSRs', /the CSR sscratch has another value/],
  ['01-equivalent', 'pending', /a software interrupt is pending in one/],
  ['01-equivalent', 'memory', /the byte at 0x80400000/],
  ['01-equivalent', 'silent', /one has printed a line more/],
] as const)('%s: %s wrong is found and named', (id, wrong, message) => {
  const solution = right[id] as Any;
  const text = verdict(id, (one: unknown, other: unknown) => solution(one, other ?? wrong, wrong));
  expect(text).toMatch(/^✗ Not yet/);
  expect(text).toMatch(message);
});
