/**
 * The interpreter's text: one `switch` with a case for each meaning of a row, printed at load time.
 *
 * It runs *decoded code*, an array of words that `decoded-code.ts` fills. A block there is a head
 * (how many instructions it counts, how hot it is) and then two words per instruction: the case
 * with the registers, and the constant that the meaning needs (immediate, target, …). Where a
 * block may go on elsewhere it has links: an address and the index of the block found there.
 * All counting is done at heads: `fuel` says how many instructions may still be executed.
 * Read `shape.ts` and `emit-js.ts` first.
 */

import { ISA } from '../isa/isa';
import type { Action, Expression } from '../isa/meaning';
import { LINE_SHIFT } from './code-lines';
import { ARITHMETIC, jsCondition, jsOf, type Names } from './emit-js';
import {
  constantsIn,
  expressionsOf,
  isConstant,
  isPrivileged,
  type Shape,
  shapeOf,
  TARGET_MISALIGNED,
} from './shape';
import { JUMP_ENTRIES, PAGE_ENTRIES, PAGE_SHIFT } from './spaces';

/** Words of a block's head, of an instruction, and where a final instruction's links are. */
export const HEAD_WORDS = 2;
export const STEP_WORDS = 2;
export const TAKEN = 2; // address, index
export const FALLEN = 4; // address, index
export const LAST_WORDS = 6;

/** Places of the fields in an instruction's first word; the lowest eight bits are its case. */
export const RD_SHIFT = 8;
export const RS1_SHIFT = 13;
export const RS2_SHIFT = 18;

/** Cases that no row has: carry out by the reference engine; do nothing; go on at the fallen link. */
export const CASE_OTHER = 0;
export const CASE_NOTHING = 1;
export const CASE_GO_ON = 2;

/** Why the interpreter came back, as its value; the hart is exactly between two instructions. */
export enum Left {
  /** At the head of block `s.at`, which counts more instructions than there is fuel. */
  AtHead,
  /** At an address that `s.at`, a link, should lead to: its index is not known yet. */
  AtLink,
  /** Somewhere else. */
  Anywhere,
}

/** A case: an instruction's shape, and what its second word holds. */
export interface Case {
  number: number;
  shape: Shape;
  constant: Expression | undefined;
}

/** What the text of a case calls its operands. */
const NAMES: Names = {
  leaf: (leaf) => `x[w >> ${leaf === 'rs1' ? RS1_SHIFT : RS2_SHIFT} & 31]`,
  constant: () => 'code[i + 1]',
};
const RD = `x[w >> ${RD_SHIFT} & 31]`;

const OTHER: Case = { number: CASE_OTHER, shape: { kind: 'other' }, constant: undefined };
const NOTHING: Case = { number: CASE_NOTHING, shape: { kind: 'nothing' }, constant: undefined };

/** The case for an instruction with this meaning and this rd. */
export function caseOf(meaning: Action, rd: number): Case {
  const known = casesByMeaning.get(meaning);
  if (known === undefined) return OTHER;
  return rd === 0 ? known.intoZero : known.plain;
}

/** x0 stays 0: instructions that would write it have cases of their own. */
function caseIntoZero(shape: Shape, plain: Case): Case {
  if (shape.kind === 'set') return NOTHING;
  if (shape.kind === 'load') return OTHER; // it may still fault
  return shape.kind === 'jump' ? newCase(shape, true) : plain;
}

/** The case for a shape; rows with the same text share one. */
function newCase(shape: Shape, intoZero: boolean): Case {
  if (isPrivileged(shape)) return OTHER;
  if (shape.kind === 'nothing') return NOTHING;
  const hasTarget = shape.kind === 'branch' || shape.kind === 'jump';
  // A target that is known is the address in a link.
  const computed = expressionsOf(shape).filter((e) => !(hasTarget && e === shape.target && isConstant(e)));
  const constants = computed.flatMap(constantsIn);
  if (constants.length > 1) return OTHER;
  const text = textOf(shape, intoZero);
  if (!texts.includes(text)) texts.push(text);
  return { number: CASE_GO_ON + 1 + texts.indexOf(text), shape, constant: constants[0] };
}

function textOf(shape: Shape, intoZero: boolean): string {
  switch (shape.kind) {
    case 'set':
      return `${RD} = ${jsOf(shape.value, NAMES)};`;
    case 'load':
      return `a = ${jsOf(shape.address, NAMES)}; ${loadText(shape.bytes, shape.signed)}`;
    case 'store':
      return `a = ${jsOf(shape.address, NAMES)}; ${storeText(shape.bytes, jsOf(shape.value, NAMES))}`;
    case 'branch':
      return `i = ${jsCondition(shape.condition, NAMES)} ? i + ${TAKEN} : i + ${FALLEN}; ${FOLLOW}`;
    case 'jump': {
      const link = intoZero ? '' : `${RD} = code[i + ${FALLEN}]; `;
      if (isConstant(shape.target)) return `${link}i += ${TAKEN}; ${FOLLOW}`;
      return `a = ${jsOf(shape.target, NAMES)}; ${MISALIGNED}${link}${FIND}`;
    }
    default:
      throw new Error(`A meaning of shape ${shape.kind} has no text.`);
  }
}

/** The views of RAM by width; signed views for signed loads. */
const VIEWS = { 1: ['ram8', 'ramS8', 0], 2: ['ram16', 'ramS16', 1], 4: ['ram32', 'ram32', 2] } as const;

const ENTRY = `e = a >>> ${PAGE_SHIFT - 1} & ${2 * (PAGE_ENTRIES - 1)};`;
const isAdmitted = (table: string, bytes: number) =>
  `${table}[e] === (a & ${-(1 << PAGE_SHIFT) | (bytes - 1)})`;

/** Fast path: the page is in the table. Slow path: the hart loads. */
function loadText(bytes: 1 | 2 | 4, signed: boolean): string {
  const [plain, signedView, shift] = VIEWS[bytes];
  const place = `${signed ? signedView : plain}[a + read[e + 1] >> ${shift}]`;
  return `${ENTRY} if (${isAdmitted('read', bytes)}) ${RD} = ${place}; else if (!s.access(i, b, fuel, a, false)) return ${Left.Anywhere};`;
}

/** Fast path: the page is in the table, and no code is near. Slow path: the hart stores. */
function storeText(bytes: 1 | 2 | 4, value: string): string {
  const [view, , shift] = VIEWS[bytes];
  const clear = `lines[(e = a + write[e + 1] | 0) >> ${LINE_SHIFT}] === 0`;
  return `${ENTRY} if (${isAdmitted('write', bytes)} && ${clear}) ${view}[e >> ${shift}] = ${value}; else if (!s.access(i, b, fuel, a, true)) return ${Left.Anywhere};`;
}

/** Goes on at the link at `i`, which may not be known yet. */
const FOLLOW = `e = code[i + 1]; if (e === 0 && (e = s.follow(i)) === 0) { s.at = i; s.leave(code[i], fuel); return ${Left.AtLink}; } i = e; continue block;`;

/** Goes on at address `a`, if it is known what is there. */
const FIND = `e = a & ${2 * (JUMP_ENTRIES - 1)}; if (jumps[e] !== a) { s.leave(a, fuel); return ${Left.Anywhere}; } i = jumps[e + 1]; continue block;`;

/** A jump to a misaligned address traps: the reference engine's business. */
const MISALIGNED = `if ((a & ${TARGET_MISALIGNED}) !== 0) { s.carryOut(i, b, fuel); return ${Left.Anywhere}; } `;

/** A block that has run often enough leaves at its head, too; its count says so. */
const HEAT = `if ((code[i + 1] = code[i + 1] - 1 | 0) < 0) { s.at = i; s.leave(s.addresses[i >> 1], fuel + code[i] | 0); return ${Left.AtHead}; }`;

/** RAM by width and sign. */
export interface RamViews {
  readonly ram8: Uint8Array;
  readonly ramS8: Int8Array;
  readonly ram16: Uint16Array;
  readonly ramS16: Int16Array;
  readonly ram32: Int32Array;
}

/** What the text asks of whoever runs it: state, and the slow paths. */
export interface InterpreterState {
  readonly code: Int32Array;
  /** Address of the instruction or block at index `i`, at `i >> 1`. */
  readonly addresses: Int32Array;
  readonly x: Int32Array;
  readonly lines: Uint8Array;
  readonly views: RamViews;
  readonly space: { readonly read: Int32Array; readonly write: Int32Array; readonly jumps: Int32Array };
  /** Where it left, as its return value says. */
  at: number;
  /** Brings the hart up to date: it goes on at `pc`, and so much fuel is left. */
  leave(pc: number, fuel: number): void;
  /** Lets the hart do the access of the instruction at `i`; false if the interpreter must return. */
  access(i: number, b: number, fuel: number, va: number, isStore: boolean): boolean;
  /** The index of the block that the link at `i` leads to, or 0 where there is none yet. */
  follow(i: number): number;
  /** Lets the reference engine carry out the instruction at `i`. */
  carryOut(i: number, b: number, fuel: number): void;
}

const texts: string[] = [];
const casesByMeaning = new Map<Action, { plain: Case; intoZero: Case }>();
for (const { meaning } of ISA) {
  if (casesByMeaning.has(meaning)) continue;
  const shape = shapeOf(meaning);
  const plain = newCase(shape, false);
  casesByMeaning.set(meaning, { plain, intoZero: caseIntoZero(shape, plain) });
}

/** Executes decoded code from the block at `i` on, as long as there is fuel. */
export type RunDecoded = (s: InterpreterState, i: number, fuel: number) => Left;

/**
 * The text of the interpreter: the body of a function of `s`, `i`, `fuel`.
 * @param counting whether each block counts down how hot it is, and leaves when it is
 */
export function interpreterText(counting: boolean): string {
  const cases = texts.map((text, n) => `      case ${CASE_GO_ON + 1 + n}: ${text} break;`);
  return `${ARITHMETIC}
const { code, x, lines } = s, { read, write, jumps } = s.space;
const { ram8, ramS8, ram16, ramS16, ram32 } = s.views;
let b = 0, w = 0, a = 0, e = 0;
block: for (;;) {
  b = i;
  fuel = fuel - code[i] | 0;
  if (fuel < 0) { s.at = i; s.leave(s.addresses[i >> 1], fuel + code[i] | 0); return ${Left.AtHead}; }
  ${counting ? HEAT : ''}
  i += ${HEAD_WORDS};
  for (;;) {
    w = code[i];
    switch (w & 255) {
      case ${CASE_OTHER}: s.carryOut(i, b, fuel); return ${Left.Anywhere};
      case ${CASE_NOTHING}: break;
      case ${CASE_GO_ON}: i += ${FALLEN}; ${FOLLOW}
${cases.join('\n')}
    }
    i += ${STEP_WORDS};
  }
}`;
}

const compiled = new Map<boolean, RunDecoded>();

/**
 * The interpreter, compiled when first asked for.
 * @throws EvalError where strings may not be compiled
 */
export function runDecoded(counting: boolean): RunDecoded {
  let run = compiled.get(counting);
  if (run === undefined) {
    run = new Function('s', 'i', 'fuel', interpreterText(counting)) as RunDecoded;
    compiled.set(counting, run);
  }
  return run;
}

/** Whether text can be made into functions here: some content policies forbid it. */
export function mayCompileStrings(): boolean {
  try {
    runDecoded(false);
    return true;
  } catch (error) {
    if (error instanceof EvalError) return false;
    throw error;
  }
}
