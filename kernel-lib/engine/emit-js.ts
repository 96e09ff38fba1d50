/**
 * Prints expressions of rows as JavaScript text.
 *
 * Values are int32 in JavaScript numbers, as everywhere; where an operator needs more than one
 * line of JavaScript it is a function of `ARITHMETIC`, which emitted code finds in scope.
 * Read `shape.ts` first.
 */
import type { Expression, Leaf, Operator } from '../isa/meaning';
import { isConstant } from './shape';

/** What the emitted text calls the leaves and the constant parts of an expression. */
export interface Names {
  leaf(leaf: Leaf): string;
  constant(expression: Expression): string;
}

/** Operators as JavaScript text, given the texts of both sides. */
const TEXT: Record<Operator, (a: string, b: string) => string> = {
  add: (a, b) => `(${a} + ${b} | 0)`,
  sub: (a, b) => `(${a} - ${b} | 0)`,
  and: (a, b) => `(${a} & ${b})`,
  or: (a, b) => `(${a} | ${b})`,
  xor: (a, b) => `(${a} ^ ${b})`,
  sll: (a, b) => `(${a} << ${b})`,
  srl: (a, b) => `(${a} >>> ${b} | 0)`,
  sra: (a, b) => `(${a} >> ${b})`,
  eq: (a, b) => `(${a} === ${b} ? 1 : 0)`,
  ne: (a, b) => `(${a} !== ${b} ? 1 : 0)`,
  lt: (a, b) => `(${a} < ${b} ? 1 : 0)`,
  ge: (a, b) => `(${a} >= ${b} ? 1 : 0)`,
  ltu: (a, b) => `(${a} >>> 0 < ${b} >>> 0 ? 1 : 0)`,
  geu: (a, b) => `(${a} >>> 0 >= ${b} >>> 0 ? 1 : 0)`,
  mul: (a, b) => `Math.imul(${a}, ${b})`,
  mulh: (a, b) => `mulh(${a}, ${b})`,
  mulhsu: (a, b) => `mulhsu(${a}, ${b})`,
  mulhu: (a, b) => `mulhu(${a}, ${b})`,
  div: (a, b) => `div(${a}, ${b})`,
  divu: (a, b) => `divu(${a}, ${b})`,
  rem: (a, b) => `rem(${a}, ${b})`,
  remu: (a, b) => `remu(${a}, ${b})`,
  min: (a, b) => `Math.min(${a}, ${b})`,
  max: (a, b) => `Math.max(${a}, ${b})`,
  minu: (a, b) => `(Math.min(${a} >>> 0, ${b} >>> 0) | 0)`,
  maxu: (a, b) => `(Math.max(${a} >>> 0, ${b} >>> 0) | 0)`,
};

/** Functions that emitted text calls. Unpriv, Multiplication Operations and Division Operations. */
export const ARITHMETIC = `
const mulhu = (a, b) => {
  const low = (a & 0xffff) * (b & 0xffff) >>> 16;
  const middle = (a >>> 16) * (b & 0xffff) + (a & 0xffff) * (b >>> 16) + low;
  return (a >>> 16) * (b >>> 16) + Math.floor(middle / 0x10000) | 0;
};
const mulhsu = (a, b) => mulhu(a, b) - (a < 0 ? b : 0) | 0;
const mulh = (a, b) => mulhsu(a, b) - (b < 0 ? a : 0) | 0;
const div = (a, b) => b === 0 ? -1 : a / b | 0;
const divu = (a, b) => b === 0 ? -1 : (a >>> 0) / (b >>> 0) | 0;
const rem = (a, b) => b === 0 ? a : a % b | 0;
const remu = (a, b) => b === 0 ? a : (a >>> 0) % (b >>> 0) | 0;
`;

/** The expression as JavaScript. @throws if it contains a load: those are their emitter's business */
export function jsOf(expression: Expression, names: Names): string {
  if (expression.kind === 'constant') return String(expression.value);
  if (isConstant(expression)) return names.constant(expression);
  switch (expression.kind) {
    case 'leaf':
      return names.leaf(expression.leaf);
    case 'binary':
      return TEXT[expression.operator](jsOf(expression.left, names), jsOf(expression.right, names));
    default:
      throw new Error('A load inside an expression is not printed here.');
  }
}

/** The condition of a branch as JavaScript that is true or false, without making it 1 or 0 first. */
export function jsCondition(expression: Expression, names: Names): string {
  const text = jsOf(expression, names);
  return text.endsWith(' ? 1 : 0)') ? text.slice(1, -' ? 1 : 0)'.length) : `${text} !== 0`;
}
