/**
 * The small language in which an instruction's row says what the instruction does.
 *
 * An *expression* has an int32 value; an *action* changes the hart. Both are plain trees, so
 * that every client can walk them: the reference engine computes with them, the other engines
 * print them as code, the classifier and the binary translator look at which parts they use.
 *
 * Order: an action's expressions are evaluated before it changes anything, and `seq` performs
 * its actions one after the other until one of them traps. A row that both reads and writes a
 * register therefore samples first and commits last.
 */
import type { Cause } from './causes';
import type { Mode } from './registers';

/** Operators on two int32 values. Comparisons give 1 or 0; a `u` marks the unsigned ones. */
export type Operator =
  | 'add'
  | 'sub'
  | 'and'
  | 'or'
  | 'xor'
  | 'sll'
  | 'srl'
  | 'sra'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'ge'
  | 'ltu'
  | 'geu'
  | 'mul'
  | 'mulh'
  | 'mulhsu'
  | 'mulhu'
  | 'div'
  | 'divu'
  | 'rem'
  | 'remu'
  | 'min'
  | 'max'
  | 'minu'
  | 'maxu';

/** What an expression can name: operands of the instruction, and what is around them. */
export type Leaf =
  | 'rs1' // the value of register rs1
  | 'rs2' // the value of register rs2
  | 'imm' // the immediate, as its format extends it
  | 'pc' // the address of this instruction
  | 'next' // the address of the instruction after it (pc + 4, or pc + 2)
  | 'word' // the instruction itself, as stval shows it
  | 'old'; // inside `csr` and `atomic`: the value that was there before

export type Expression =
  | { kind: 'leaf'; leaf: Leaf }
  | { kind: 'constant'; value: number }
  | { kind: 'binary'; operator: Operator; left: Expression; right: Expression }
  | { kind: 'load'; bytes: 1 | 2 | 4; signed: boolean; address: Expression };

export type Action =
  | { kind: 'setRd'; value: Expression }
  | { kind: 'store'; bytes: 1 | 2 | 4; address: Expression; value: Expression }
  | { kind: 'jump'; target: Expression }
  | { kind: 'branch'; condition: Expression; target: Expression }
  | { kind: 'seq'; actions: readonly Action[] }
  | { kind: 'raise'; cause: Cause; tval: Expression }
  | { kind: 'environmentCall' }
  | { kind: 'requireMode'; mode: Mode }
  | { kind: 'csr'; value: Expression; access: CsrAccess }
  | { kind: 'returnFromTrap'; mode: Mode }
  | { kind: 'waitForInterrupt' }
  | { kind: 'fence' }
  | { kind: 'fenceInstructions' }
  | { kind: 'fenceTranslations' }
  | { kind: 'requireExtension'; letter: string }
  | { kind: 'loadReserved' }
  | { kind: 'storeConditional' }
  | { kind: 'atomic'; value: Expression };

/**
 * When a Zicsr instruction leaves out its read or its write:
 * `write` reads unless rd is x0 and always writes; `modify` always reads, and writes unless the
 * rs1 field (register or immediate) is 0.
 */
export type CsrAccess = 'write' | 'modify';

/** Whether a Zicsr instruction with these operands reads its CSR into a register or for nothing, and writes it. */
export function csrReadsAndWrites(
  access: CsrAccess,
  { rd, rs1, imm }: { rd: number; rs1: number; imm: number },
): { reads: boolean; writes: boolean } {
  const writes = access === 'write' || rs1 !== 0 || imm !== 0;
  return { reads: rd !== 0 || !writes, writes };
}

const leaf = (name: Leaf): Expression => ({ kind: 'leaf', leaf: name });
const binary =
  (operator: Operator) =>
  (left: Expression, right: Expression): Expression => ({ kind: 'binary', operator, left, right });

export const rs1 = leaf('rs1');
export const rs2 = leaf('rs2');
export const imm = leaf('imm');
export const pc = leaf('pc');
export const next = leaf('next');
export const word = leaf('word');
export const old = leaf('old');

export const constant = (value: number): Expression => ({ kind: 'constant', value });

export const add = binary('add');
export const sub = binary('sub');
export const and = binary('and');
export const or = binary('or');
export const xor = binary('xor');
export const sll = binary('sll');
export const srl = binary('srl');
export const sra = binary('sra');
export const eq = binary('eq');
export const ne = binary('ne');
export const lt = binary('lt');
export const ge = binary('ge');
export const ltu = binary('ltu');
export const geu = binary('geu');
export const mul = binary('mul');
export const mulh = binary('mulh');
export const mulhsu = binary('mulhsu');
export const mulhu = binary('mulhu');
export const div = binary('div');
export const divu = binary('divu');
export const rem = binary('rem');
export const remu = binary('remu');
export const min = binary('min');
export const max = binary('max');
export const minu = binary('minu');
export const maxu = binary('maxu');
export const not = (value: Expression): Expression => xor(value, constant(-1));

/** The value at an address, zero-extended where it is narrower than a word. May fault. */
export const load = (bytes: 1 | 2 | 4, address: Expression): Expression => ({
  kind: 'load',
  bytes,
  signed: false,
  address,
});

/** The value at an address, sign-extended. May fault. */
export const loadSigned = (bytes: 1 | 2 | 4, address: Expression): Expression => ({
  kind: 'load',
  bytes,
  signed: true,
  address,
});

/** Register rd, as a place to write to. (x0 swallows what is written.) */
export const rd = { set: (value: Expression): Action => ({ kind: 'setRd', value }) };

export const store = (bytes: 1 | 2 | 4, address: Expression, value: Expression): Action => ({
  kind: 'store',
  bytes,
  address,
  value,
});

/** Continues at `target`; traps there and then if the target is misaligned. */
export const jump = (target: Expression): Action => ({ kind: 'jump', target });

export const branch = (condition: Expression, target: Expression): Action => ({
  kind: 'branch',
  condition,
  target,
});

export const seq = (...actions: Action[]): Action => ({ kind: 'seq', actions });

/** Raises an exception with this `xtval`. */
export const raise = (cause: Cause, tval: Expression = constant(0)): Action => ({
  kind: 'raise',
  cause,
  tval,
});

/** Raises the environment call of the mode that the hart is in. */
export const environmentCall: Action = { kind: 'environmentCall' };

/** Illegal instruction, unless the hart is in this mode or a higher one. */
export const requireMode = (mode: Mode): Action => ({ kind: 'requireMode', mode });

/** rd = the CSR, the CSR = `value` (which may use `old`); illegal where the CSR may not be accessed. */
export const csr = (value: Expression, access: CsrAccess): Action => ({ kind: 'csr', value, access });

export const returnFromTrap = (mode: Mode): Action => ({ kind: 'returnFromTrap', mode });
export const waitForInterrupt: Action = { kind: 'waitForInterrupt' };
export const fence: Action = { kind: 'fence' };
export const fenceInstructions: Action = { kind: 'fenceInstructions' };

/** Forgets translations: of the address in rs1 and the address space in rs2, where they aren't x0. */
export const fenceTranslations: Action = { kind: 'fenceTranslations' };

/** Illegal instruction, unless `misa` has this letter. */
export const requireExtension = (letter: string): Action => ({ kind: 'requireExtension', letter });

/** rd = the word at rs1, and the hart reserves it. Traps if the address is misaligned. */
export const loadReserved: Action = { kind: 'loadReserved' };

/** The word at rs1 = rs2 and rd = 0 if it is still reserved, else rd = 1. Traps if misaligned. */
export const storeConditional: Action = { kind: 'storeConditional' };

/** rd = the word at rs1, the word = `value` (which may use `old`). Traps if misaligned. */
export const atomic = (value: Expression): Action => ({ kind: 'atomic', value });

/** Whether an expression uses `leaf`. */
export function mentions(expression: Expression, leaf: Leaf): boolean {
  switch (expression.kind) {
    case 'leaf':
      return expression.leaf === leaf;
    case 'binary':
      return mentions(expression.left, leaf) || mentions(expression.right, leaf);
    case 'load':
      return mentions(expression.address, leaf);
    case 'constant':
      return false;
  }
}
