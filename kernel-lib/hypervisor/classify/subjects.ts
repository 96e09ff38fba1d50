/**
 * What there is to classify, and which encodings of it are tried in which states.
 *
 * Instructions are rows; those that access CSRs are tried once for each CSR and each kind of
 * access, since it is the register that decides. Then the things that no single instruction
 * stands for: fetching, what traps do to the general registers, and windows of addresses.
 * Operands are chosen to hurt: pages of every kind, x0 and equal registers, all bits and none.
 */
import { encode, fieldRange, operandProblem } from '../../code/encode';
import { CSRS, type Csr, csrMask } from '../../isa/csrs';
import type { Field, Operands, Row } from '../../isa/formats';
import { ISA } from '../../isa/isa';
import type { Action, Expression } from '../../isa/meaning';
import { ABI_NAMES, Mode } from '../../isa/registers';
import { PAGES, type TrialState, type Tried } from './trial';

/** How an instruction accesses a CSR. `set` and `clear` are those of bits. */
export type CsrAccessKind = 'read' | 'write' | 'set' | 'clear';

export type Subject =
  | { kind: 'instruction'; row: Row }
  | { kind: 'csr'; csr: Csr; access: CsrAccessKind }
  | { kind: 'no csr' }
  | { kind: 'fetch' }
  | { kind: 'register'; register: number };

/** The subject in words, the same for every profile: `sret`, `read sstatus`, `s10 across a trap`. */
export function subjectName(subject: Subject): string {
  switch (subject.kind) {
    case 'instruction':
      return subject.row.name;
    case 'csr':
      return `${subject.access} ${subject.csr.name}`;
    case 'no csr':
      return 'CSR numbers without a register';
    case 'fetch':
      return 'fetch';
    case 'register':
      return `${ABI_NAMES[subject.register]} across a trap`;
  }
}

/** Registers that encodings use: eight and up, which compressed instructions can name, too. */
const RD = 9;
const RS1 = 10;
const RS2 = 11;
const SOURCES = { rs1: RS1, rs2: RS2 };

/** All subjects, on every profile: instructions, CSR accesses, the fetch, registers. */
export const SUBJECTS: readonly Subject[] = [
  ...ISA.filter((row) => row.meaning.kind !== 'csr').map((row): Subject => ({ kind: 'instruction', row })),
  { kind: 'fetch' },
  ...CSRS.filter((csr) => csr.feature !== 'H').flatMap((csr): Subject[] =>
    (['read', 'write', 'set', 'clear'] as const).map((access) => ({ kind: 'csr', csr, access })),
  ),
  { kind: 'no csr' },
  ...ABI_NAMES.slice(1).map((_, n): Subject => ({ kind: 'register', register: n + 1 })),
];

/** The words to try. */
export function encodings(subject: Subject): Tried[] {
  switch (subject.kind) {
    case 'fetch':
      return ['fetch'];
    case 'instruction':
      return encodingsOfRow(subject.row);
    case 'csr':
      return encodingsOfCsr(subject.access, subject.csr.number);
    case 'no csr':
      return VACANT_CSRS.flatMap((csr) => encodingsOfCsr('read', csr));
    case 'register':
      return [word('csrrs', { rd: subject.register === RD ? RS1 : RD, csr: PROBE_CSR, rs1: 0 })];
  }
}

/** What is read to provoke a trap: any register would do that U mode may not read, on any profile. */
const PROBE_CSR = CSRS.find(({ name }) => name === 'scause')!.number;

const CSR_NUMBERS = 4096;
const rowsByName = new Map(ISA.map((row) => [row.name, row]));

function word(name: string, operands: Partial<Operands>): number {
  return encode(rowsByName.get(name)!, operands);
}

const VACANT_CSRS = Array.from({ length: CSR_NUMBERS }, (_, number) => number).filter((number) =>
  CSRS.every((csr) => csr.number !== number || csr.feature === 'H'),
);

/**
 * Each kind of access alone, by register and by immediate. An instruction that does two of them
 * (`csrrw` with a result reads and writes) traps if one of the two does.
 */
function encodingsOfCsr(access: CsrAccessKind, csr: number): number[] {
  if (access === 'read') return [word('csrrs', { rd: RD, csr })];
  const name = { write: 'csrrw', set: 'csrrs', clear: 'csrrc' }[access];
  return [word(name, { csr, rs1: RS1 }), word(`${name}i`, { csr, imm: 2 })];
}

function encodingsOfRow(row: Row): number[] {
  const choices = row.format.fields.map((field) => ({ field, values: candidates(row, field) }));
  const longest = Math.max(1, ...choices.map(({ values }) => values.length));
  const words = Array.from({ length: longest }, (_, n) => {
    const operands: Partial<Operands> = {};
    for (const { field, values } of choices) operands[field.operand] = values[Math.min(n, values.length - 1)];
    return encode(row, operands);
  });
  return [...new Set(words)];
}

/** Operands to try, the plain one first: a few registers, or numbers at and near the ends of the range. */
function candidates(row: Row, field: Field): number[] {
  const isFree = (value: number) => operandProblem(row, field, value) === undefined;
  if (field.kind === 'register') {
    const own = { rd: RD, rs1: RS1, rs2: RS2, imm: 0, csr: 0 }[field.operand];
    return [own, own, own, RS1, 0].filter(isFree);
  }
  const { low, high } = fieldRange(field);
  const far = touchesMemory(row.meaning) ? [] : [low, high];
  const step = 2 ** field.zeros;
  return [...new Set([0, 4, 8, 16, step, ...far])].filter(isFree).slice(0, 5);
}

/** Whether an address is computed: then it must stay near what trials look at. */
function touchesMemory(meaning: Action): boolean {
  const hasLoad = (expression: Expression): boolean => expression.kind === 'load';
  if (meaning.kind === 'seq') return meaning.actions.some(touchesMemory);
  return meaning.kind === 'store' || (meaning.kind === 'setRd' && hasLoad(meaning.value));
}

/** CSRs the other way round from what they are otherwise: a trap came from S mode, nothing is enabled. */
const AFTER_TRAP = {
  mstatus: csrMask('mstatus', 'SUM') | csrMask('mstatus', 'SPP'),
  mie: 0,
  mip: 0,
  senvcfg: 1,
  stimecmph: -1,
};
const INT32_MIN = -0x8000_0000;

/** Values of the source registers that hurt: addresses on pages of every kind … */
const ADDRESSES: readonly (readonly [number, number])[] = [
  [PAGES.user, 7],
  [PAGES.supervisor, -1],
  [PAGES.readOnly, 1],
  [PAGES.executeOnly, 2],
  [PAGES.clean, 0],
  [PAGES.high, 3],
  [PAGES.nowhere, 5],
  [PAGES.user + 1, INT32_MIN],
];

/** … and numbers: what else there is, no bits, all of them, and those of interrupts. */
const NUMBERS: readonly (readonly [number, number])[] = [
  [0x0f0f_0f0f, 7],
  [0, 0],
  [-1, INT32_MIN],
  [2, -1],
];

/**
 * The states to try a subject in, for each of which there is one in the other mode, one that is moved, …
 * @param sources the numbers of the source registers, where the encoding is not one of `encodings`
 */
export function states(subject: Subject, sources: { rs1: number; rs2: number } = SOURCES): TrialState[] {
  const state = (rs1: number, rs2: number, csrs: TrialState['csrs'] = {}): TrialState => ({
    mode: Mode.S,
    x: { [sources.rs2]: rs2, [sources.rs1]: rs1, ...(usesStack(subject) ? { 2: rs1 } : {}), 0: 0 },
    csrs,
    isMoved: false,
  });
  const isCsr = subject.kind === 'csr';
  const counters = isCsr && subject.csr.guard === 'counter' ? {} : { scounteren: 0 };
  const afterTrap = state(isCsr ? -1 : PAGES.user, 7, { ...AFTER_TRAP, ...counters });
  if (subject.kind === 'no csr' || subject.kind === 'register') return [state(0, 0)];
  const values = isCsr ? NUMBERS : [...ADDRESSES, ...NUMBERS];
  const [first, ...others] = values.map(([rs1, rs2]) => state(rs1, rs2));
  return [first, afterTrap, ...others];
}

/** Whether an instruction has sp for its base by its format. */
function usesStack(subject: Subject): boolean {
  return subject.kind === 'instruction' && subject.row.format.implied.rs1 === 2;
}
