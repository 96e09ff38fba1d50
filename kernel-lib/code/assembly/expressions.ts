/**
 * Expressions over numbers and labels, with GNU as's operators and its precedence (which is not
 * C's: `&` and `|` bind tighter than `+`). Values are 64 bits wide, as in GNU as.
 *
 * A label's value is an offset from a base that is not known before everything is laid out. Until
 * then the difference of two labels of one base is a number, and most else is not known *yet*:
 * `evaluate` gives undefined.
 */
import { registerNumber } from '../../isa/registers';
import { failIfBad, type Token } from './lexer';
import { didYouMean, fail } from './problems';
import type { Place } from './source';

/** What an offset counts from: a stretch of a section whose length is certain. */
export type Base = object;

/** A number, or an offset from a base. */
export interface Value {
  value: bigint;
  base?: Base | undefined;
}

/** A place in the program. */
export interface Label {
  /** As messages call it. */
  name: string;
  /** Undefined before it is placed. */
  where(): Value | undefined;
}

export type Expression =
  | { kind: 'number'; value: bigint }
  | { kind: 'label'; label: Label; at: Token }
  | { kind: 'name'; name: string; at: Token }
  | { kind: 'unary'; operator: string; operand: Expression; at: Token; size: number }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression; at: Token; size: number }
  | { kind: 'relocation'; name: string; operand: Expression; at: Token; size: number };

/** What names mean where an expression stands. */
export interface Scope {
  /** What a name stands for if that is known and won't change; undefined leaves it for later. */
  lookup(name: string): Expression | undefined;
  /** The label that `1b` or `1f` is. */
  local(reference: Token): Label;
  /** The label that `.` is. */
  here(): Label;
}

/** What is known when an expression is evaluated. */
export interface Knowledge {
  /** The value of a name; undefined if it isn't known yet. Fails if it never will be. */
  name(name: string, at: Token): Value | undefined;
  /** The address of the instruction that the expression belongs to. */
  pc?: bigint | undefined;
  /** The distance that the `%pcrel_hi` of the instruction at an address stands for. */
  pcrel?(address: bigint, at: Token): bigint | undefined;
}

/** `a + 1` is 3 large: itself and its parts. More than this is a mistake or an attack. */
const LARGEST = 1000;
const DEEPEST = 60;

const PRECEDENCE: Record<string, number> = Object.fromEntries(
  [
    ['||'],
    ['&&'],
    ['==', '!=', '<>', '<', '<=', '>', '>='],
    ['+', '-'],
    ['&', '|', '^', '!'],
    ['*', '/', '%', '<<', '>>'],
  ].flatMap((operators, level) => operators.map((operator) => [operator, level + 1])),
);

const RELOCATIONS = ['%hi', '%lo', '%pcrel_hi', '%pcrel_lo'];

/** Reads an expression that is all of `tokens`. `otherwise` is the place to show if there are none. */
export function parseExpression(tokens: readonly Token[], scope: Scope, otherwise: Place): Expression {
  failIfBad(tokens);
  if (tokens.length === 0) fail(otherwise, 'Here a number or a label is missing.');
  const parser = new Parser(tokens, scope);
  const expression = parser.binary(1, 0);
  if (parser.next !== undefined) {
    fail(
      parser.next,
      `I don't understand \`${parser.next.text}\` here. Is an operator or a comma missing before it?`,
    );
  }
  return expression;
}

class Parser {
  private position = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly scope: Scope,
  ) {}

  get next(): Token | undefined {
    return this.tokens[this.position];
  }

  /** An expression of operators that bind at least as tight as `level`. */
  binary(level: number, depth: number): Expression {
    let left = this.unary(depth);
    for (;;) {
      const at = this.next;
      const own = at?.kind === 'operator' ? PRECEDENCE[at.text] : undefined;
      if (at === undefined || own === undefined || own < level) return left;
      this.position++;
      const right = this.binary(own + 1, depth + 1);
      left = { kind: 'binary', operator: at.text, left, right, at, size: sizeOf(left, right, at) };
    }
  }

  private unary(depth: number): Expression {
    const at = this.next;
    if (at === undefined) return fail(this.tokens[this.tokens.length - 1], 'The expression ends too early.');
    if (depth > DEEPEST) fail(at, 'This expression is nested too deeply. Split it with `.equ`.');
    this.position++;
    if (at.kind !== 'operator') return this.primary(at);
    if (at.text === '(') return this.brackets(at, depth);
    if (at.text.startsWith('%') && at.text.length > 1) return this.relocation(at, depth);
    if (!['-', '+', '~', '!'].includes(at.text))
      fail(at, `A number or a label should stand here, not \`${at.text}\`.`);
    const operand = this.unary(depth + 1);
    return { kind: 'unary', operator: at.text, operand, at, size: sizeOf(operand, undefined, at) };
  }

  private brackets(open: Token, depth: number): Expression {
    const inside = this.binary(1, depth + 1);
    if (this.next === undefined) fail(open, 'This `(` has no `)`.');
    if (this.next.text !== ')')
      fail(
        this.next,
        `I don't understand \`${this.next.text}\` here. Is an operator or a \`)\` missing before it?`,
      );
    this.position++;
    return inside;
  }

  private relocation(at: Token, depth: number): Expression {
    if (!RELOCATIONS.includes(at.text))
      fail(
        at,
        `There is no \`${at.text}\`. There are ${RELOCATIONS.join(', ')}.${didYouMean(at.text, RELOCATIONS)}`,
      );
    const open = this.next;
    this.position++;
    const operand = this.brackets(open ?? at, depth + 1);
    return { kind: 'relocation', name: at.text, operand, at, size: sizeOf(operand, undefined, at) };
  }

  private primary(at: Token): Expression {
    if (at.kind === 'number' && at.value !== undefined) return { kind: 'number', value: at.value };
    if (at.kind === 'local') return { kind: 'label', label: this.scope.local(at), at };
    if (at.kind === 'string')
      fail(at, "A string cannot stand here. For one character write it like this: `'a'`.");
    if (at.text === '.') return { kind: 'label', label: this.scope.here(), at };
    if (registerNumber(at.text) !== undefined)
      fail(at, `\`${at.text}\` is a register; a number or a label should stand here.`);
    return this.scope.lookup(at.text) ?? { kind: 'name', name: at.text, at };
  }
}

function sizeOf(left: Expression, right: Expression | undefined, at: Token): number {
  const of = (part: Expression | undefined) => (part === undefined ? 0 : 'size' in part ? part.size : 1);
  const size = 1 + of(left) + of(right);
  if (size > LARGEST) fail(at, 'This expression has become too long. Are `.equ`s defined by themselves?');
  return size;
}

const wrap = (value: bigint) => BigInt.asIntN(64, value);
const truth = (condition: boolean) => (condition ? -1n : 0n);

/** The value of an expression; undefined if it isn't known yet. */
export function evaluate(expression: Expression, known: Knowledge): Value | undefined {
  switch (expression.kind) {
    case 'number':
      return { value: wrap(expression.value) };
    case 'label':
      return expression.label.where();
    case 'name':
      return known.name(expression.name, expression.at);
    case 'relocation':
      return relocate(expression, known);
    case 'unary': {
      const operand = evaluate(expression.operand, known);
      if (operand === undefined || expression.operator === '+') return operand;
      if (operand.base !== undefined) return undefined;
      return { value: unaryValue(expression.operator, operand.value) };
    }
    case 'binary': {
      const left = evaluate(expression.left, known);
      const right = evaluate(expression.right, known);
      if (left === undefined || right === undefined) return undefined;
      return binaryValue(expression, left, right);
    }
  }
}

function unaryValue(operator: string, value: bigint): bigint {
  if (operator === '-') return wrap(-value);
  return operator === '~' ? ~value : value === 0n ? 1n : 0n;
}

function binaryValue(
  { operator, at }: Extract<Expression, { kind: 'binary' }>,
  left: Value,
  right: Value,
): Value | undefined {
  if (operator === '+' && (left.base === undefined || right.base === undefined))
    return { value: wrap(left.value + right.value), base: left.base ?? right.base };
  if (operator === '-' && right.base === undefined)
    return { value: wrap(left.value - right.value), base: left.base };
  if (left.base !== right.base || (left.base !== undefined && !WITHIN_BASE.has(operator))) return undefined;
  if ((operator === '/' || operator === '%') && right.value === 0n) fail(at, 'This divides by zero.');
  return { value: wrap(OPERATIONS[operator](left.value, right.value)) };
}

/** Operators whose result doesn't depend on where the base is. */
const WITHIN_BASE = new Set(['-', '==', '!=', '<>', '<', '<=', '>', '>=']);

// Comparisons give -1 for true, as in GNU as; && and || give 1.
const OPERATIONS: Record<string, (left: bigint, right: bigint) => bigint> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '<<': (a, b) => (b < 0n || b > 63n ? 0n : a << b),
  '>>': (a, b) => (b < 0n || b > 63n ? 0n : BigInt.asUintN(64, a) >> b),
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '!': (a, b) => a | ~b,
  '==': (a, b) => truth(a === b),
  '!=': (a, b) => truth(a !== b),
  '<>': (a, b) => truth(a !== b),
  '<': (a, b) => truth(a < b),
  '<=': (a, b) => truth(a <= b),
  '>': (a, b) => truth(a > b),
  '>=': (a, b) => truth(a >= b),
  '&&': (a, b) => (a !== 0n && b !== 0n ? 1n : 0n),
  '||': (a, b) => (a !== 0n || b !== 0n ? 1n : 0n),
};

/** The upper 20 bits, so that adding the sign-extended lower 12 gives the value. */
const upper = (value: bigint) => ((value + 0x800n) >> 12n) & 0xfffffn;
const lower = (value: bigint) => BigInt.asIntN(12, value);

function relocate(
  { name, operand, at }: Extract<Expression, { kind: 'relocation' }>,
  known: Knowledge,
): Value | undefined {
  const inner = evaluate(operand, known);
  if (inner === undefined || inner.base !== undefined) return undefined;
  if (name === '%hi') return { value: upper(inner.value) };
  if (name === '%lo') return { value: lower(inner.value) };
  if (name === '%pcrel_hi')
    return known.pc === undefined ? undefined : { value: upper(inner.value - known.pc) };
  const distance = known.pcrel?.(inner.value, at);
  return distance === undefined ? undefined : { value: lower(distance) };
}

/** The expression of the `%pcrel_hi(…)` that an operand is, if it is one. */
export function pcrelOperand(expression: Expression): Expression | undefined {
  return expression.kind === 'relocation' && expression.name === '%pcrel_hi' ? expression.operand : undefined;
}
