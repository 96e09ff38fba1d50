/**
 * CSR instructions that the translator does itself: reading registers that are just bits in
 * memory, and writing those from which nothing is worked out. All others change what comes next
 * in ways that only the hart knows.
 */
import type { Instruction } from '../code/decode';
import { type Csr, csrByName, csrByNumber, csrLowestMode } from '../isa/csrs';
import { csrReadsAndWrites, type Expression } from '../isa/meaning';
import type { Step } from './block-reader';
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

/**
 * Prints such an access. In a mode that may not, control goes to `exit`; the site must be set.
 * @param print puts the value to be written on the stack, given the local variable with the old one
 * @returns the local variable with what the CSR held
 */
export function printCsr(
  code: Code,
  { instruction }: Step,
  shape: CsrShape,
  exit: Label,
  print: (value: Expression, old: number) => void,
): number {
  const row = csrByNumber(instruction.csr)!;
  const at = CSRS + 4 * storedIn(row).number;
  const { writes } = csrReadsAndWrites(shape.access, instruction);
  const before = code.local('before');
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
    print(shape.value, before);
    code.constant(row.writable);
    code.op('i32.and');
    code.constant(0);
    code.memory('i32.load', at);
    code.constant(~row.writable);
    code.op('i32.and');
    code.op('i32.or');
    code.memory('i32.store', at);
  }
  return before;
}

const storedIn = (row: Csr): Csr => (row.alias === undefined ? row : (csrByName(row.alias) ?? row));
