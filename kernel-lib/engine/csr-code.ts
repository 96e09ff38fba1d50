/**
 * CSR instructions that the translator does itself: reading registers that are just bits in
 * memory, and writing those from which nothing is worked out. All others change what comes next
 * in ways that only the hart knows.
 */
import type { Instruction } from '../code/decode';
import { type Csr, csrByName, csrByNumber, csrLowestMode } from '../isa/csrs';
import { csrReadsAndWrites } from '../isa/meaning';
import type { Step } from './block-reader';
import type { ExpressionPrinter } from './emit-wasm';
import type { Shape } from './shape';
import { CSRS, MODE } from './storage';
import type { Code, Label } from './wasm';

type CsrShape = Extract<Shape, { kind: 'csr' }>;

/** Whether an access to a CSR is to bits in memory, for all who are in a mode that may. */
export function isSimpleCsr(instruction: Instruction, { access }: CsrShape): boolean {
  const row = csrByNumber(instruction.csr);
  if (row === undefined || row.live || row.guard || row.feature || row.shownBy) return false;
  return !csrReadsAndWrites(access, instruction).writes || row.passive === true;
}

/** Prints such an access. In a mode that may not, control goes to `exit`; the site must be set. */
export function printCsr(
  code: Code,
  expressions: ExpressionPrinter,
  step: Step,
  shape: CsrShape,
  exit: Label,
): void {
  const { instruction } = step;
  const row = csrByNumber(instruction.csr)!;
  const at = CSRS + 4 * storedIn(row).number;
  const { writes } = csrReadsAndWrites(shape.access, instruction);
  const before = code.local();
  code.constant(0);
  code.memory('i32.load', MODE);
  code.constant(csrLowestMode(row.number));
  code.op('i32.lt_s');
  code.branchIf(exit);
  code.constant(0);
  code.memory('i32.load', at);
  code.constant(row.readable);
  code.op('i32.and');
  code.set(before);
  if (writes) {
    code.constant(0); // where: the store's own offset says it
    expressions.value(shape.value, step, before);
    code.constant(row.writable);
    code.op('i32.and');
    code.constant(0);
    code.memory('i32.load', at);
    code.constant(~row.writable);
    code.op('i32.and');
    code.op('i32.or');
    code.memory('i32.store', at);
  }
  expressions.assign(instruction.rd, before);
}

const storedIn = (row: Csr): Csr => (row.alias === undefined ? row : (csrByName(row.alias) ?? row));
