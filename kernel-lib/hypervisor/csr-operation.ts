/** What a CSR instruction does, whatever it is called: read off its row, for those who do it in another way. */
import type { Instruction } from '../code/decode';
import { type Csr, csrByNumber } from '../isa/csrs';
import { mentions } from '../isa/meaning';

export interface CsrOperation {
  csr: Csr;
  rd: number;
  change: 'none' | 'write' | 'set' | 'clear';
  /** Where the new value, or the bits, come from. */
  operand: { kind: 'register'; register: number } | { kind: 'constant'; value: number };
}

/** Undefined if it is no CSR instruction, or there is no such CSR. */
export function operationOf(instruction: Instruction | undefined): CsrOperation | undefined {
  const meaning = instruction?.row.meaning;
  if (instruction === undefined || meaning?.kind !== 'csr') return undefined;
  const csr = csrByNumber(instruction.csr);
  if (csr === undefined) return undefined;
  const { rd, rs1, imm } = instruction;
  const isConstant = mentions(meaning.value, 'imm');
  const changes = meaning.access === 'write' || (isConstant ? imm : rs1) !== 0;
  const operator = meaning.value.kind === 'binary' ? meaning.value.operator : 'write';
  const change = operator === 'or' ? 'set' : operator === 'and' ? 'clear' : 'write';
  const operand: CsrOperation['operand'] = isConstant
    ? { kind: 'constant', value: imm }
    : rs1 === 0
      ? { kind: 'constant', value: 0 }
      : { kind: 'register', register: rs1 };
  return { csr, rd, change: changes ? change : 'none', operand };
}
