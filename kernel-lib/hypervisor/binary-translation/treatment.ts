/**
 * What the translator does with an instruction, read off the row's meaning.
 *
 * Nearly all instructions are innocuous and are copied as they are. What the meaning has of `pc`
 * becomes a constant, as the guest's addresses are known; jumps need other targets; and whatever
 * is left is sensitive, or may be: it never gets into the cache.
 */
import type { Instruction } from '../../code/decode';
import { OPERATORS } from '../../engine/reference';
import { csrNumber } from '../../isa/csrs';
import { type Action, type Expression, type Leaf, mentions } from '../../isa/meaning';

const SATP = csrNumber('satp');

/** An instruction of the guest, at its address (int32). `instruction` is undefined if the word is none. */
export interface GuestInstruction {
  pc: number;
  word: number;
  instruction: Instruction | undefined;
  /** Bytes in memory. */
  length: number;
}

export type Treatment =
  | { kind: 'identical' }
  /** rd gets a value that is known now. */
  | { kind: 'constant'; value: number }
  | { kind: 'branch'; target: number }
  | { kind: 'jump'; target: number }
  | { kind: 'indirect' }
  | { kind: 'sensitive' };

/** What is known of registers: x0, and whatever the block itself has set. */
export type KnownRegisters = ReadonlyMap<number, number>;

const NOTHING_KNOWN: KnownRegisters = new Map();

/** What is to be done with an instruction. */
export function treatmentOf(guest: GuestInstruction, known: KnownRegisters = NOTHING_KNOWN): Treatment {
  const { instruction } = guest;
  if (instruction === undefined) return { kind: 'sensitive' };
  const { meaning } = instruction.row;
  if (meaning.kind === 'branch') {
    const target = fold(meaning.target, guest, NOTHING_KNOWN);
    return target === undefined ? { kind: 'sensitive' } : { kind: 'branch', target };
  }
  const jump = partsOf(meaning).find((part) => part.kind === 'jump');
  if (jump !== undefined) {
    const target = fold(jump.target, guest, known);
    return target === undefined ? { kind: 'indirect' } : { kind: 'jump', target };
  }
  if (meaning.kind === 'setRd' && mentions(meaning.value, 'pc')) {
    const value = fold(meaning.value, guest, NOTHING_KNOWN);
    return value === undefined ? { kind: 'sensitive' } : { kind: 'constant', value };
  }
  return { kind: partsOf(meaning).every(isInnocuous) ? 'identical' : 'sensitive' };
}

/** The value that an innocuous instruction gives rd, if it can be told from what is known. */
export function knownResult(guest: GuestInstruction, known: KnownRegisters): number | undefined {
  const meaning = guest.instruction?.row.meaning;
  return meaning?.kind === 'setRd' ? fold(meaning.value, guest, known) : undefined;
}

/** A load, a store, or both, at rs1 + offset. */
export interface MemoryAccess {
  rs1: number;
  offset: number;
  bytes: number;
  /** A load's sign; undefined where nothing is simply loaded into rd. */
  isSigned?: boolean;
}

/** What an innocuous instruction does with memory. All such rows have their address in rs1, with an offset or without. */
export function memoryAccessOf({ instruction }: GuestInstruction): MemoryAccess | undefined {
  if (instruction === undefined) return undefined;
  const { rs1, imm } = instruction;
  for (const part of partsOf(instruction.row.meaning)) {
    if (part.kind === 'store') return { rs1, offset: imm, bytes: part.bytes };
    if (part.kind === 'setRd' && part.value.kind === 'load')
      return { rs1, offset: imm, bytes: part.value.bytes, isSigned: part.value.signed };
    if (part.kind === 'atomic' || part.kind === 'loadReserved' || part.kind === 'storeConditional')
      return { rs1, offset: 0, bytes: 4 };
  }
  return undefined;
}

/** The registers that an instruction reads or writes. */
export function registersOf({ instruction }: GuestInstruction): number[] {
  if (instruction === undefined) return [];
  const { fields, implied } = instruction.row.format;
  const named = fields.filter(({ kind }) => kind === 'register').map(({ operand }) => instruction[operand]);
  return [
    ...named,
    ...Object.entries(implied).flatMap(([name, number]) => (name.startsWith('r') ? [number] : [])),
  ];
}

/** Whether an instruction can be the last one of a block only: after it, execution goes on elsewhere or anew. */
export function endsBlock({ instruction }: GuestInstruction): boolean {
  if (instruction === undefined) return true;
  return partsOf(instruction.row.meaning).some(
    (part) => ENDING.has(part.kind) || (part.kind === 'csr' && writesSatp(instruction)),
  );
}

const ENDING: ReadonlySet<Action['kind']> = new Set([
  'branch',
  'jump',
  'raise',
  'returnFromTrap',
  'fenceInstructions',
  'fenceTranslations',
  'requireExtension',
] as const);

const INNOCUOUS: ReadonlySet<Action['kind']> = new Set([
  'setRd',
  'store',
  'fence',
  'loadReserved',
  'storeConditional',
  'atomic',
] as const);

const isInnocuous = (part: Action) => INNOCUOUS.has(part.kind);

/** Another satp is another address space: what follows is to be looked up in it. */
function writesSatp({ row, csr, rs1, imm }: Instruction): boolean {
  const access = partsOf(row.meaning).find((part) => part.kind === 'csr')?.access;
  return csr === SATP && (access === 'write' || rs1 !== 0 || imm !== 0);
}

/** The actions that a meaning is made of. */
export function partsOf(meaning: Action): readonly Action[] {
  return meaning.kind === 'seq' ? meaning.actions.flatMap(partsOf) : [meaning];
}

/** The value of an expression, or undefined where it depends on what isn't known. */
function fold(expression: Expression, guest: GuestInstruction, known: KnownRegisters): number | undefined {
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'leaf':
      return foldLeaf(expression.leaf, guest, known);
    case 'binary': {
      const left = fold(expression.left, guest, known);
      const right = fold(expression.right, guest, known);
      return left === undefined || right === undefined
        ? undefined
        : OPERATORS[expression.operator](left, right);
    }
    case 'load':
      return undefined;
  }
}

function foldLeaf(leaf: Leaf, guest: GuestInstruction, known: KnownRegisters): number | undefined {
  const { instruction } = guest;
  if (instruction === undefined) return undefined;
  const register = (number: number) => (number === 0 ? 0 : known.get(number));
  switch (leaf) {
    case 'pc':
      return guest.pc;
    case 'next':
      return (guest.pc + guest.length) | 0;
    case 'imm':
      return instruction.imm;
    case 'rs1':
      return register(instruction.rs1);
    case 'rs2':
      return register(instruction.rs2);
    case 'word':
    case 'old':
      return undefined;
  }
}
