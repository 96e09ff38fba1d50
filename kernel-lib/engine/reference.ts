/**
 * The reference engine: executes an instruction by walking its row's meaning. Slow and obvious;
 * what the other engines are compared with, and what hypervisors emulate instructions with.
 *
 * `evaluate` computes expressions, `perform` carries out actions, `execute` does one instruction,
 * and `run` repeats: take an interrupt, or wait, or execute. Read `isa/meaning.ts` first.
 */
import { decode, type Instruction } from '../code/decode';
import { Cause, isCall } from '../isa/causes';
import { csrNumber } from '../isa/csrs';
import { type Action, csrReadsAndWrites, type Expression, type Leaf, type Operator } from '../isa/meaning';
import { type CsrRights, insteadOfTrap, rightsByDefect } from '../isa/profiles';
import type { Hart } from '../machine/hart';
import type { Engine, Machine, Stop } from '../machine/machine';
import { NO_TRAP, type Trap } from '../machine/trap';

/** One instruction being executed. */
interface Execution {
  hart: Hart;
  instruction: Instruction;
  /** Where the hart goes on, as far as is known. */
  next: number;
  /** The value of `old` in the meaning at hand. */
  old: number;
}

const INT32_MIN = -0x8000_0000;

/** The operators on int32 values. Division by zero and overflow as in Unpriv, Division Operations. */
export const OPERATORS: Record<Operator, (a: number, b: number) => number> = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  sll: (a, b) => a << b,
  srl: (a, b) => (a >>> b) | 0,
  sra: (a, b) => a >> b,
  eq: (a, b) => (a === b ? 1 : 0),
  ne: (a, b) => (a !== b ? 1 : 0),
  lt: (a, b) => (a < b ? 1 : 0),
  ge: (a, b) => (a >= b ? 1 : 0),
  ltu: (a, b) => (a >>> 0 < b >>> 0 ? 1 : 0),
  geu: (a, b) => (a >>> 0 >= b >>> 0 ? 1 : 0),
  mul: (a, b) => Math.imul(a, b),
  mulh: (a, b) => Number((BigInt(a) * BigInt(b)) >> 32n) | 0,
  mulhsu: (a, b) => Number((BigInt(a) * BigInt(b >>> 0)) >> 32n) | 0,
  mulhu: (a, b) => Number((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n) | 0,
  div: (a, b) => (b === 0 ? -1 : a === INT32_MIN && b === -1 ? a : (a / b) | 0),
  divu: (a, b) => (b === 0 ? -1 : ((a >>> 0) / (b >>> 0)) | 0),
  rem: (a, b) => (b === 0 ? a : a === INT32_MIN && b === -1 ? 0 : (a % b) | 0),
  remu: (a, b) => (b === 0 ? a : ((a >>> 0) % (b >>> 0)) | 0),
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  minu: (a, b) => (a >>> 0 < b >>> 0 ? a : b),
  maxu: (a, b) => (a >>> 0 > b >>> 0 ? a : b),
};

function leafValue(leaf: Leaf, { hart, instruction, old }: Execution): number {
  switch (leaf) {
    case 'rs1':
      return hart.x[instruction.rs1];
    case 'rs2':
      return hart.x[instruction.rs2];
    case 'imm':
      return instruction.imm;
    case 'pc':
      return hart.pc;
    case 'next':
      return (hart.pc + instruction.length) | 0;
    case 'word':
      return instruction.word;
    case 'old':
      return old;
  }
}

function evaluate(expression: Expression, execution: Execution): number {
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'leaf':
      return leafValue(expression.leaf, execution);
    case 'binary': {
      const left = evaluate(expression.left, execution);
      return OPERATORS[expression.operator](left, evaluate(expression.right, execution));
    }
    case 'load': {
      const value = execution.hart.load(expression.bytes, evaluate(expression.address, execution));
      const shift = 32 - 8 * expression.bytes;
      return expression.signed ? (value << shift) >> shift : value;
    }
  }
}

function perform(action: Action, execution: Execution): void {
  const { hart, instruction } = execution;
  switch (action.kind) {
    case 'setRd':
      setRd(execution, evaluate(action.value, execution));
      return;
    case 'store': {
      const address = evaluate(action.address, execution);
      hart.store(action.bytes, address, evaluate(action.value, execution));
      return;
    }
    case 'branch':
      if (evaluate(action.condition, execution) !== 0) jumpTo(evaluate(action.target, execution), execution);
      return;
    case 'jump':
      jumpTo(evaluate(action.target, execution), execution);
      return;
    case 'seq':
      for (const part of action.actions) {
        perform(part, execution);
        if (hart.cause !== NO_TRAP) return;
      }
      return;
    case 'raise':
      hart.raise(action.cause, evaluate(action.tval, execution));
      return;
    case 'environmentCall':
      hart.raise(Cause.EcallFromU + hart.mode, 0);
      return;
    case 'requireMode':
      if (hart.mode < action.mode) raiseIllegal(execution);
      return;
    case 'csr':
      accessCsr(action, execution);
      return;
    case 'returnFromTrap':
      execution.next = hart.returnFromTrap(action.mode);
      return;
    case 'waitForInterrupt':
      hart.waitForInterrupt();
      return;
    case 'requireExtension':
      if (!hart.hasExtension(action.letter)) raiseIllegal(execution);
      return;
    case 'loadReserved':
      setRd(execution, hart.loadReserved(hart.x[instruction.rs1]));
      return;
    case 'storeConditional':
      setRd(execution, hart.storeConditional(hart.x[instruction.rs1], hart.x[instruction.rs2]) ? 0 : 1);
      return;
    case 'atomic':
      performAtomic(action.value, execution);
      return;
    case 'fenceTranslations':
      hart.fenceTranslations(
        instruction.rs1 === 0 ? undefined : hart.x[instruction.rs1],
        instruction.rs2 === 0 ? undefined : hart.x[instruction.rs2],
      );
      return;
    case 'fence': // One hart, and memory in program order: nothing to wait for.
    case 'fenceInstructions': // Instructions are fetched anew each time.
      return;
  }
}

function setRd({ hart, instruction }: Execution, value: number): void {
  if (hart.cause === NO_TRAP && instruction.rd !== 0) hart.x[instruction.rd] = value;
}

function performAtomic(value: Expression, execution: Execution): void {
  const { hart, instruction } = execution;
  const pa = hart.atomicAddress(hart.x[instruction.rs1]);
  if (pa < 0) return;
  execution.old = hart.ram.read(4, pa);
  hart.ram.write(4, pa, evaluate(value, execution));
  setRd(execution, execution.old);
}

function raiseIllegal({ hart, instruction }: Execution): void {
  hart.raise(Cause.IllegalInstruction, instruction.word);
}

/** Unpriv, Unconditional Jumps: a misaligned target traps at the jump, with the target in xtval. */
function jumpTo(target: number, execution: Execution): void {
  if ((target & 1) !== 0) execution.hart.raise(Cause.InstructionAddressMisaligned, target);
  execution.next = target;
}

function accessCsr(action: Extract<Action, { kind: 'csr' }>, execution: Execution): void {
  const { hart, instruction } = execution;
  const { csr, rd } = instruction;
  const wanted = csrReadsAndWrites(action.access, instruction);
  const isAllowed = hart.csrs.accessible(csr, hart.mode, wanted.writes);
  const rights = isAllowed ? ALL_BITS : rightsByDefect(hart.profile, csr, wanted);
  if (rights === undefined) {
    raiseIllegal(execution);
    return;
  }
  const before = hart.csrs.read(csr);
  execution.old = hart.csrs.readToModify(csr);
  if (wanted.writes && rights.write !== 0) {
    const value = evaluate(action.value, execution);
    hart.csrs.write(csr, (before & ~rights.write) | (value & rights.write));
  }
  if (rd !== 0 && rights.read !== 0) hart.x[rd] = before & rights.read;
}

const ALL_BITS: CsrRights = { read: -1, write: -1 };
const SEPC = csrNumber('sepc');

/** A refused instruction, on a machine whose profile has it do something else than trap. */
function doInstead(execution: Execution): void {
  const { hart, instruction } = execution;
  const instead = insteadOfTrap(hart.profile, instruction.row.name);
  if (instead === undefined) return;
  hart.takeRaised();
  if (instead === 'jump') execution.next = hart.csrs.read(SEPC);
}

/**
 * Executes one instruction on a hart, wherever the instruction came from. If it traps, the hart's
 * state is as before it, and `hart.takeRaised()` tells the trap; otherwise it has retired.
 */
export function execute(hart: Hart, instruction: Instruction): void {
  const execution: Execution = { hart, instruction, next: (hart.pc + instruction.length) | 0, old: 0 };
  perform(instruction.row.meaning, execution);
  if (hart.cause === Cause.IllegalInstruction) doInstead(execution);
  if (hart.cause !== NO_TRAP) {
    if (hart.cause === Cause.IllegalInstruction) hart.tval = instruction.word;
    return;
  }
  hart.pc = execution.next;
  hart.instret++;
}

/** Fetches, decodes and executes the instruction at pc, or takes the trap that comes of it. */
export function step(machine: Machine): void {
  const { hart } = machine;
  const word = hart.fetch();
  const instruction = hart.cause === NO_TRAP ? decode(word) : undefined;
  if (instruction !== undefined) carryOut(machine, instruction);
  else {
    hart.raise(Cause.IllegalInstruction, word); // stands only if the fetch has raised nothing
    takeRaised(machine);
  }
}

/**
 * Executes an instruction that was fetched at pc, with all that comes of it: its cost, or its trap.
 * @returns whether it has retired
 */
export function carryOut(machine: Machine, instruction: Instruction): boolean {
  execute(machine.hart, instruction);
  if (machine.hart.cause !== NO_TRAP) {
    takeRaised(machine);
    return false;
  }
  machine.clock.charge(returnsFromTrap(instruction) ? RETURN : PLAIN);
  return true;
}

/** Takes the trap that the instruction at pc has raised. */
export function takeRaised(machine: Machine): void {
  const trap = machine.hart.takeRaised();
  if (trap !== undefined) takeTrap(machine, trap);
}

/** Takes a trap at pc, with what it costs. */
export function takeTrap(machine: Machine, trap: Trap): void {
  machine.clock.charge(isCall(trap.cause) ? CALL : TRAP);
  machine.takeTrap(trap);
}

const TRAP = { trapIn: 1 };
const CALL = { callIn: 1 };
const PLAIN = { instruction: 1 };
const RETURN = { instruction: 1, trapOut: 1 };

function returnsFromTrap({ row: { meaning } }: Instruction): boolean {
  return meaning.kind === 'seq' && meaning.actions.some((action) => action.kind === 'returnFromTrap');
}

/** The reference engine, as a machine takes it. */
export const reference: Engine = {
  name: 'reference',
  run(machine: Machine, budget: number): Stop {
    const { hart } = machine;
    machine.stopped = undefined;
    for (let left = budget; left > 0; left--) {
      if (machine.stopped !== undefined || machine.finished) break;
      const interrupt = hart.interruptToTake();
      if (interrupt !== NO_TRAP) takeTrap(machine, { cause: interrupt, tval: 0 });
      else if (hart.waiting) machine.idle();
      else step(machine);
    }
    if (machine.stopped === undefined && !machine.finished) {
      const message = `The budget of ${budget} instructions is used up; run again to go on.`;
      return { reason: 'budget', message };
    }
    return machine.stopped!;
  },
};
