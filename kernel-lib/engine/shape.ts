/**
 * What an emitter needs to know of an instruction, read off its row's meaning.
 *
 * Engines that emit code treat a few shapes of meaning themselves: a register gets a value, a
 * word is loaded or stored, a jump, a branch; the translator also some of what touches CSRs.
 * Everything else (traps, fences of translations, atomics) is `other`: it is left to the
 * reference engine, one instruction at a time. So a new row works in all engines as soon as the reference engine knows its meaning.
 * Read `isa/meaning.ts` and `reference.ts` first.
 */
import type { Instruction } from '../code/decode';
import type { Action, CsrAccess, Expression, Operator } from '../isa/meaning';
import { Mode } from '../isa/registers';
import { OPERATORS } from './reference';

/** The shapes of meaning. */
export type Shape =
  | { kind: 'nothing' } // waits for memory that is always in order, or fences what is fetched anew
  | { kind: 'set'; value: Expression }
  | { kind: 'load'; bytes: 1 | 2 | 4; signed: boolean; address: Expression }
  | { kind: 'store'; bytes: 1 | 2 | 4; address: Expression; value: Expression }
  | { kind: 'jump'; target: Expression } // and rd becomes the address of the next instruction
  | { kind: 'branch'; condition: Expression; target: Expression }
  | { kind: 'csr'; value: Expression; access: CsrAccess } // rd = old, the register = value
  | { kind: 'environmentCall' }
  | { kind: 'supervisorReturn' }
  | { kind: 'other' };

const shapes = new Map<Action, Shape>();

/** The shape of a meaning. */
export function shapeOf(meaning: Action): Shape {
  let shape = shapes.get(meaning);
  if (shape === undefined) shapes.set(meaning, (shape = findShape(meaning)));
  return shape;
}

function findShape(meaning: Action): Shape {
  switch (meaning.kind) {
    case 'fence':
    case 'fenceInstructions':
      return { kind: 'nothing' };
    case 'setRd':
      if (meaning.value.kind === 'load' && isPure(meaning.value.address)) return meaning.value;
      return isPure(meaning.value) ? { kind: 'set', value: meaning.value } : { kind: 'other' };
    case 'store':
      return isPure(meaning.address) && isPure(meaning.value) ? meaning : { kind: 'other' };
    case 'branch':
      return isPure(meaning.condition) && isConstant(meaning.target) ? meaning : { kind: 'other' };
    case 'csr':
    case 'environmentCall':
      return meaning;
    case 'seq': {
      const [jump, link, ...more] = meaning.actions;
      if (jump?.kind === 'requireMode' && link?.kind === 'returnFromTrap' && link.mode === Mode.S)
        return { kind: 'supervisorReturn' };
      if (jump?.kind !== 'jump' || link?.kind !== 'setRd' || more.length > 0) return { kind: 'other' };
      const isNext = link.value.kind === 'leaf' && link.value.leaf === 'next';
      return isPure(jump.target) && isNext ? { kind: 'jump', target: jump.target } : { kind: 'other' };
    }
    default:
      return { kind: 'other' };
  }
}

/** Whether an expression can't fault and has nothing to do with memory. */
function isPure(expression: Expression): boolean {
  switch (expression.kind) {
    case 'binary':
      return isPure(expression.left) && isPure(expression.right);
    case 'leaf':
      return expression.leaf !== 'old';
    default:
      return expression.kind === 'constant';
  }
}

/** Whether an expression's value is known from the instruction and its address alone. */
export function isConstant(expression: Expression): boolean {
  switch (expression.kind) {
    case 'binary':
      return isConstant(expression.left) && isConstant(expression.right);
    case 'leaf':
      return !['rs1', 'rs2', 'old'].includes(expression.leaf);
    default:
      return expression.kind === 'constant';
  }
}

/** The value of a constant expression in an instruction at address `pc`. */
export function constantValue(expression: Expression, instruction: Instruction, pc: number): number {
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'binary': {
      const left = constantValue(expression.left, instruction, pc);
      return OPERATORS[expression.operator](left, constantValue(expression.right, instruction, pc));
    }
    case 'leaf':
      if (expression.leaf === 'imm') return instruction.imm;
      if (expression.leaf === 'pc') return pc | 0;
      if (expression.leaf === 'next') return (pc + instruction.length) | 0;
      if (expression.leaf === 'word') return instruction.word;
  }
  throw new Error(`A ${expression.kind} is not a constant: ask isConstant() first.`);
}

/** The largest constant parts of an expression that aren't plain numbers, left to right. */
export function constantsIn(expression: Expression): Expression[] {
  if (expression.kind === 'constant') return [];
  if (isConstant(expression)) return [expression];
  if (expression.kind === 'binary')
    return [...constantsIn(expression.left), ...constantsIn(expression.right)];
  return expression.kind === 'load' ? constantsIn(expression.address) : [];
}

/** Whether an expression reads this source register. */
export function reads(expression: Expression, source: 'rs1' | 'rs2'): boolean {
  switch (expression.kind) {
    case 'binary':
      return reads(expression.left, source) || reads(expression.right, source);
    case 'load':
      return reads(expression.address, source);
    default:
      return expression.kind === 'leaf' && expression.leaf === source;
  }
}

/** Whether an engine leaves an instruction of this shape to the reference engine, unless it takes pains. */
export function isPrivileged({ kind }: Shape): boolean {
  return kind === 'other' || kind === 'csr' || kind === 'environmentCall' || kind === 'supervisorReturn';
}

/** The expressions that an instruction of this shape evaluates. */
export function expressionsOf(shape: Shape): Expression[] {
  switch (shape.kind) {
    case 'set':
      return [shape.value];
    case 'load':
      return [shape.address];
    case 'store':
      return [shape.address, shape.value];
    case 'jump':
      return [shape.target];
    case 'branch':
      return [shape.condition, shape.target];
    case 'csr':
      return [shape.value];
    default:
      return [];
  }
}

/** Operators whose result is 1 or 0. */
export const COMPARISONS: ReadonlySet<Operator> = new Set(['eq', 'ne', 'lt', 'ge', 'ltu', 'geu']);

/** Bits of a jump's target that must be 0. Unpriv, Unconditional Jumps. */
export const TARGET_MISALIGNED = 1;
