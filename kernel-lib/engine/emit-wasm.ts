/**
 * Prints expressions of rows as WebAssembly: code that leaves the value on the stack.
 * Read `shape.ts` and `wasm.ts` first.
 */
import type { Expression, Leaf, Operator } from '../isa/meaning';
import { isConstant } from './shape';
import type { Code, Opcode } from './wasm';

/** How the parts of an expression get onto the stack that differ from instruction to instruction. */
export interface OperandPrinter {
  leaf(leaf: Leaf): void;
  /** A constant part of the expression, other than a plain number. */
  constant(expression: Expression): void;
}

/** Operators that WebAssembly has. */
const PLAIN: Partial<Record<Operator, Opcode>> = {
  add: 'i32.add',
  sub: 'i32.sub',
  and: 'i32.and',
  or: 'i32.or',
  xor: 'i32.xor',
  sll: 'i32.shl',
  srl: 'i32.shr_u',
  sra: 'i32.shr_s',
  eq: 'i32.eq',
  ne: 'i32.ne',
  lt: 'i32.lt_s',
  ge: 'i32.ge_s',
  ltu: 'i32.lt_u',
  geu: 'i32.ge_u',
  mul: 'i32.mul',
};

const LOADS = {
  1: { false: 'i32.load8_u', true: 'i32.load8_s' },
  2: { false: 'i32.load16_u', true: 'i32.load16_s' },
  4: { false: 'i32.load', true: 'i32.load' },
} as const;
const STORES = { 1: 'i32.store8', 2: 'i32.store16', 4: 'i32.store' } as const;

/** The instruction that loads what such a load loads, and the one for stores. */
export const loadOf = ({ bytes, signed }: { bytes: 1 | 2 | 4; signed: boolean }): Opcode =>
  LOADS[bytes][`${signed}`];
export const storeOf = ({ bytes }: { bytes: 1 | 2 | 4 }): Opcode => STORES[bytes];

/** How the sides of a product are extended whose upper half is wanted. */
const UPPER: Partial<Record<Operator, [Opcode, Opcode]>> = {
  mulh: ['i64.extend_i32_s', 'i64.extend_i32_s'],
  mulhsu: ['i64.extend_i32_s', 'i64.extend_i32_u'],
  mulhu: ['i64.extend_i32_u', 'i64.extend_i32_u'],
};

const DIVISION: Partial<Record<Operator, Opcode>> = {
  div: 'i32.div_s',
  divu: 'i32.div_u',
  rem: 'i32.rem_s',
  remu: 'i32.rem_u',
};

/** Which side is taken: the left one if this holds. */
const CHOICE: Partial<Record<Operator, Opcode>> = {
  min: 'i32.lt_s',
  max: 'i32.gt_s',
  minu: 'i32.lt_u',
  maxu: 'i32.gt_u',
};

/** Prints expressions into `code`. */
export class ExpressionPrinter {
  private readonly left: number;
  private readonly right: number;

  constructor(private readonly code: Code) {
    this.left = code.local('left');
    this.right = code.local('right');
  }

  /** Puts the value of an expression on the stack. @throws if it contains a load: those are their emitter's business */
  value(expression: Expression, operands: OperandPrinter): void {
    if (expression.kind === 'constant') this.code.constant(expression.value);
    else if (isConstant(expression)) operands.constant(expression);
    else if (expression.kind === 'leaf') operands.leaf(expression.leaf);
    else if (expression.kind === 'binary') {
      this.value(expression.left, operands);
      const upper = UPPER[expression.operator];
      if (upper !== undefined) this.code.op(upper[0]);
      this.value(expression.right, operands);
      this.apply(expression.operator);
    } else throw new Error('A load inside an expression is not printed here.');
  }

  /** The operator, on the two values on the stack. */
  private apply(operator: Operator): void {
    const { code } = this;
    const plain = PLAIN[operator];
    const upper = UPPER[operator];
    const division = DIVISION[operator];
    const choice = CHOICE[operator];
    if (plain !== undefined) code.op(plain);
    else if (upper !== undefined) {
      code.op(upper[1]);
      code.op('i64.mul');
      code.op('i64.const', 32);
      code.op('i64.shr_u');
      code.op('i32.wrap_i64');
    } else {
      code.set(this.right);
      code.set(this.left);
      if (division !== undefined) this.divide(division);
      else if (choice !== undefined) this.choose(choice);
    }
  }

  private choose(comparison: Opcode): void {
    const { code, left, right } = this;
    code.get(left);
    code.get(right);
    code.get(left);
    code.get(right);
    code.op(comparison);
    code.op('select');
  }

  /** Unpriv, Division Operations: nothing traps; by 0 gives all ones or the dividend. */
  private divide(division: Opcode): void {
    const { code, left, right } = this;
    const isQuotient = division === 'i32.div_s' || division === 'i32.div_u';
    const overflows = division === 'i32.div_s';
    code.get(right);
    if (overflows) {
      code.constant(1);
      code.op('i32.add');
      code.constant(1);
      code.op('i32.gt_u'); // neither 0 nor -1
    }
    code.ifValue();
    code.get(left);
    code.get(right);
    code.op(division);
    code.else();
    if (overflows) {
      code.constant(-1);
      code.constant(0);
      code.get(left);
      code.op('i32.sub'); // by -1: the negative, which wraps around
      code.get(right);
      code.op('i32.eqz');
      code.op('select');
    } else if (isQuotient) code.constant(-1);
    else code.get(left);
    code.end();
  }
}
