/**
 * The first exercises of lesson 01: a machine in software.
 *
 * `01-execute` compares a learner's six instructions with the reference engine, in states that
 * teach and in random ones. `01-step` has whole guests interpreted, simple ones first, by the
 * learner's function and by ours side by side, and tells the step at which they part.
 */
import { hex } from '../../bits';
import { asm } from '../../code/assemble';
import { decode, type Instruction } from '../../code/decode';
import { disassemble } from '../../code/disassemble';
import { encode, rowByName } from '../../code/encode';
import type { Program } from '../../code/program';
import { createMachine } from '../../engine/create';
import { execute, step } from '../../engine/reference';
import { guest } from '../../guests/guests';
import { ABI_NAMES, Mode } from '../../isa/registers';
import type { Hart } from '../../machine/hart';
import { Machine, MiB, RAM_BASE } from '../../machine/machine';
import { Firmware } from '../../machine/sbi';
import { NO_TRAP } from '../../machine/trap';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { differences, type HartState, hartState } from '../hart-state';
import { randomNumbers } from '../random';
import { record } from '../timeline/record';
import { placesTable } from './places-table';

// ---------------------------------------------------------------------------------- 01-execute

/** An instruction, and what the registers that it uses hold before. */
interface Case {
  word: number;
  x: Record<number, number>;
}

const RANDOM_CASES = 200;
const RAM_BYTES = 4096;
const DATA = RAM_BASE + 0x100;
const NOWHERE = 0x4000_0000;
const NAMES = ['addi', 'add', 'lw', 'sw', 'bne', 'jal'] as const;
const word = (name: string, operands: Record<string, number>) => encode(rowByName(name)!, operands);

function* executeCases(): Generator<Case> {
  yield { word: word('addi', { rd: 10, rs1: 11, imm: 5 }), x: { 11: 7 } };
  yield { word: word('addi', { rd: 10, rs1: 10, imm: -1 }), x: { 10: 0 } };
  yield { word: word('addi', { rd: 0, rs1: 11, imm: 5 }), x: { 11: 7 } };
  yield { word: word('add', { rd: 10, rs1: 11, rs2: 12 }), x: { 11: 0x7fff_ffff, 12: 1 } };
  yield { word: word('lw', { rd: 10, rs1: 11, imm: 4 }), x: { 11: DATA } };
  yield { word: word('lw', { rd: 10, rs1: 11, imm: 4 }), x: { 10: 99, 11: NOWHERE } };
  yield { word: word('sw', { rs1: 11, rs2: 12, imm: -4 }), x: { 11: DATA, 12: 0x1234 } };
  yield { word: word('sw', { rs1: 11, rs2: 12, imm: 0 }), x: { 11: NOWHERE, 12: 1 } };
  yield { word: word('bne', { rs1: 11, rs2: 12, imm: -8 }), x: { 11: 1, 12: 2 } };
  yield { word: word('bne', { rs1: 11, rs2: 12, imm: 16 }), x: { 11: 3, 12: 3 } };
  yield { word: word('jal', { rd: 1, imm: 2048 }), x: {} };
  yield { word: word('jal', { rd: 0, imm: -4 }), x: {} };
  const random = randomNumbers(11);
  for (let n = 0; n < RANDOM_CASES; n++) {
    const name = random.pick(NAMES);
    const [rd, rs1, rs2] = [random.below(32), random.below(32), random.below(32)];
    const imm = name === 'jal' || name === 'bne' ? 2 * random.below(200) - 200 : random.below(512) - 256;
    const isAccess = name === 'lw' || name === 'sw';
    const x = { [rs2]: random.word(), [rs1]: isAccess ? DATA + 4 * random.below(32) : random.word() };
    const { fields } = rowByName(name)!.format;
    const given = Object.entries({ rd, rs1, rs2, imm }).filter(([operand]) =>
      fields.some((field) => field.operand === operand),
    );
    yield { word: word(name, Object.fromEntries(given)), x };
  }
}

function boardFor({ x }: Case): Machine {
  const board = new Machine({ ram: RAM_BYTES });
  board.openMemory();
  board.hart.mode = Mode.S;
  for (const [register, value] of Object.entries(x))
    if (register !== '0') board.hart.x[Number(register)] = value;
  for (let n = 0; n < 128; n++) board.ram.write(4, RAM_BASE + 4 * n, 0x0101_0101 * n);
  return board;
}

/** pc is kept as an int32; a sum that a learner has not wrapped is the same address. */
function wrapPc({ hart }: Machine): void {
  hart.pc |= 0;
}

/** All that an instruction can leave behind, with the trap that it has raised. */
function leftBy(board: Machine): HartState {
  const raised = board.hart.takeRaised();
  wrapPc(board);
  const words = Array.from({ length: 256 }, (_, n) => [
    `word at ${hex(RAM_BASE + 4 * n)}`,
    board.ram.read(4, RAM_BASE + 4 * n),
  ]);
  return {
    ...hartState(board.hart),
    'instructions retired': board.hart.instret,
    'trap raised': raised?.cause ?? NO_TRAP,
    ...Object.fromEntries(words),
  };
}

/** `\`addi a0, a1, 5\` at pc 0x80000000, with a1 = 0x00000007`. */
function caseText({ word, x }: Case): string {
  const given = Object.entries(x)
    .filter(([register]) => register !== '0')
    .map(([register, value]) => `${ABI_NAMES[Number(register)]} = ${hex(value)}`);
  return `\`${disassemble(word, RAM_BASE)}\` at pc ${hex(RAM_BASE)}, with ${given.join(', ') || 'all registers 0'}`;
}

const executeExercise: Exercise<(hart: Hart, instruction: Instruction) => void> = {
  id: '01-execute',
  title: 'execute six instructions in software',
  passed: `Your six instructions do what the machine's do, in ${12 + RANDOM_CASES} states.`,
  hints: [
    'Three things change after most instructions: a register or a word of memory, pc, and the count of retired instructions. Branches and jumps set pc to another address.',
    'x0 must stay 0. `hart.x` is an Int32Array: additions wrap by themselves. `instruction.imm` is signed, and for branches and jumps relative to pc.',
    '`hart.load(4, address)` and `hart.store(4, address, value)` may raise a trap: then `hart.cause` is no longer `NO_TRAP`, and nothing else may change: neither rd, nor pc, nor instret. Return at once.',
  ],
  test(solution) {
    let isOpen = true; // until a case is right
    for (const theCase of executeCases()) {
      const instruction = decode(theCase.word)!;
      const [wanted, found] = [boardFor(theCase), boardFor(theCase)];
      const start = leftBy(found);
      const where = caseText(theCase);
      execute(wanted.hart, instruction);
      inCase(`Executed: ${where}.`, () => solution(found.hart, { ...instruction }));
      const after = leftBy(found);
      const wrong = differences(leftBy(wanted), after);
      isOpen &&= wrong.length > 0;
      if (wrong.length === 0) continue;
      const untouched = isOpen && differences(start, after).length === 0;
      return {
        untouched,
        message: untouched ? `Your function changes nothing yet. For one: ${where}.` : `Executed: ${where}.`,
        table: placesTable(wrong.slice(0, 12), 'Afterwards'),
      };
    }
    return undefined;
  },
};

// ------------------------------------------------------------------------------------- 01-step

const FINISH = `
        li      t1, 0x100000
        li      t2, 0x5555
        sw      t2, 0(t1)`;

/** Guests to be interpreted, simple ones first. */
const STEPPED: readonly { name: string; what: string; image: () => Program; steps: number }[] = [
  {
    name: 'a loop',
    what: 'fetch, decode, execute',
    image: () => asm`
_start: li      t0, 3
1:      add     a0, a0, t0
        addi    t0, t0, -1
        bnez    t0, 1b
${FINISH}`,
    steps: 40,
  },
  {
    name: 'a breakpoint, a word that is no instruction, a jump to nowhere',
    what: 'what raises a trap is to be taken as one',
    image: () => asm`
_start: la      t0, trap
        csrw    stvec, t0
        ebreak
        .word   0xffffffff
        li      t0, 0x40000000
        jalr    t0
${FINISH}
        .align  2
trap:   csrr    t1, scause
        li      t2, 1                   # from nowhere: go back to the caller
        csrr    t1, sepc
        addi    t1, t1, 4
        csrr    t3, scause
        bne     t3, t2, 1f
        mv      t1, ra
1:      csrw    sepc, t1
        csrr    t3, sstatus
        sret`,
    steps: 100,
  },
  { name: 'hello', what: 'devices and CSRs', image: () => guest('hello'), steps: 400 },
  {
    name: 'a guest that waits for its alarm',
    what: 'wfi',
    image: () => asm`
_start: li      t0, 0x20                # the timer's interrupt ends the wait; taken it is not
        csrw    sie, t0
        rdtime  a0
        addi    a0, a0, 50
        li      a1, 0
        li      a6, 0                   # the firmware's set_timer
        li      a7, 0x54494d45
        ecall
        wfi
        rdtime  a2
${FINISH}`,
    steps: 60,
  },
  { name: 'syscalls', what: 'interrupts', image: () => guest('syscalls'), steps: 60_000 },
];

function bootedBoard(image: Program): Machine {
  const board = new Machine({ ram: 8 * MiB });
  new Firmware(board).boot(image);
  return board;
}

/** What an interpreter does for one step: an interrupt, a wait, or an instruction. */
function referenceStep(board: Machine): void {
  const interrupt = board.hart.interruptToTake();
  if (interrupt !== NO_TRAP) board.takeTrap({ cause: interrupt, tval: 0 });
  else if (board.hart.waiting) board.idle();
  else step(board);
}

/** A step takes one cycle, whatever it charges; a wait as long as it takes. */
function oneStep(board: Machine, how: (board: Machine) => void): void {
  board.clock.paused = true;
  how(board);
  wrapPc(board);
  board.clock.paused = false;
  board.clock.cycles++;
}

/** Whether the harts are alike in what changes most: a quick look before the thorough one. */
function seemAlike({ hart: a }: Machine, { hart: b }: Machine): boolean {
  if (a.pc !== b.pc || a.mode !== b.mode || a.cause !== b.cause || a.waiting !== b.waiting) return false;
  for (let n = 0; n < 32; n++) if (a.x[n] !== b.x[n]) return false;
  return true;
}

const THOROUGH_EVERY = 64;

/** Interprets a guest in both ways, until they part. */
function stepThrough(
  { name, what, image, steps }: (typeof STEPPED)[number],
  solution: (board: Machine) => void,
): Failure | undefined {
  const program = image();
  const [wanted, found] = [bootedBoard(program), bootedBoard(program)];
  for (let n = 0; n < steps && !wanted.finished; n++) {
    const { pc, instret } = wanted.hart;
    const interrupt = wanted.hart.interruptToTake();
    const isWaiting = wanted.hart.waiting;
    const peeked = wanted.hart.peekInstruction();
    const before = n === 0 ? hartState(found.hart) : undefined;
    oneStep(wanted, referenceStep);
    inCase(`The guest "${name}" (${what}), step ${(n + 1).toLocaleString('en-GB')}, at pc ${hex(pc)}.`, () =>
      oneStep(found, solution),
    );
    const isThorough = n < THOROUGH_EVERY || n % THOROUGH_EVERY === 0;
    if (seemAlike(wanted, found) && !isThorough) continue;
    const wrong = differences(hartState(wanted.hart), hartState(found.hart));
    if (wrong.length === 0) continue;
    const next = peeked === undefined ? 'out of reach' : `\`${disassemble(peeked, pc)}\``;
    const doing =
      interrupt !== NO_TRAP
        ? 'an interrupt is to be taken'
        : isWaiting
          ? 'the hart waits for an interrupt'
          : `the next instruction is ${next}`;
    const run = record(machineWith(program), { from: Math.max(0, instret - 5), steps: 30 });
    const at = run.steps.findIndex((one) => one.pc === pc) + 1;
    return {
      message: `The guest "${name}" (${what}): step ${(n + 1).toLocaleString('en-GB')} goes wrong. pc is ${hex(pc)}, and ${doing}.`,
      table: placesTable(wrong, 'After the step'),
      untouched: before !== undefined && differences(before, hartState(found.hart)).length === 0,
      ...(n > 0 && at > 0 ? { run, at } : {}),
    };
  }
  if (found.console === wanted.console) return undefined;
  return {
    message: `The guest "${name}" printed ${JSON.stringify(found.console)}; it should print ${JSON.stringify(wanted.console)}.`,
  };
}

function machineWith(program: Program): Machine {
  const machine = createMachine({ ram: 8 * MiB });
  new Firmware(machine).boot(program);
  return machine;
}

const stepExercise: Exercise<(board: Machine) => void> = {
  id: '01-step',
  title: 'a machine in software',
  passed: `Your interpreter runs ${STEPPED.length} guests as the machine does, step by step, with their traps and interrupts.`,
  hints: [
    'First the plain case: `hart.fetch()` gives the word at pc, `decode(word)` the instruction, `carryOut(hart, instruction)` does it. The first guest needs no more.',
    'Afterwards, `hart.takeRaised()` tells whether it has raised a trap; if so, `board.takeTrap(trap)` has the guest’s hart take it. Where `decode` gives undefined, raise one: `hart.raise(Cause.IllegalInstruction, word)`. If fetching has raised a trap already, that one stands; then there is nothing to execute.',
    'Before all that: `hart.interruptToTake()` is an interrupt’s cause, or `NO_TRAP`. If it is one, `board.takeTrap({ cause, tval: 0 })` is the whole step. Otherwise, if `hart.waiting`, `board.idle()` is.',
  ],
  test(solution) {
    for (const stepped of STEPPED) {
      const failure = stepThrough(stepped, solution);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

defineExercises(executeExercise, stepExercise);
