/**
 * Instruction formats: which bits of the word hold which operand, and how assembly writes them.
 *
 * A format lists its fields as the manual draws them. An immediate is cut into pieces:
 * `'31:25': 'imm[12|10:5]'` says that word bits 31 to 25 hold bits 12 and 10 to 5 of the
 * immediate. Encoder, decoder, assembler and disassembler all work from these lists.
 * Unpriv, Base Instruction Formats.
 */
import { bits, maskOf, signExtend } from '../bits';
import type { Action } from './meaning';

/** The operands that an instruction word can hold. Registers and CSRs by number. */
export interface Operands {
  rd: number;
  rs1: number;
  rs2: number;
  imm: number;
  csr: number;
}

/** How assembly writes an operand: register name, number, distance to a label, CSR name, fence set. */
export type FieldKind = 'register' | 'signed' | 'unsigned' | 'offset' | 'upper' | 'csr' | 'fence';

/** `width` bits of the word from bit `low` up hold the operand's bits from `shift` up. */
export interface Piece {
  low: number;
  width: number;
  shift: number;
}

export interface Field {
  operand: keyof Operands;
  kind: FieldKind;
  pieces: readonly Piece[];
  /** Bits of the operand's value, the implied zeros at its low end included. */
  width: number;
  /** How many low bits are implied to be zero: offsets are even. */
  zeros: number;
}

export interface Format {
  name: string;
  /** Operands as assembly writes them: `rd, imm(rs1)`. Empty for an instruction without any. */
  syntax: string;
  fields: readonly Field[];
}

/** Word bits -> what they hold, in the manual's notation. */
type Layout = Record<string, string>;

function format(name: string, syntax: string, kind: FieldKind, layout: Layout): Format {
  const pieces: Partial<Record<keyof Operands, Piece[]>> = {};
  for (const [place, content] of Object.entries(layout)) {
    const [operand, slices] = content.split(/[[\]]/) as [keyof Operands, string | undefined];
    const [high, low] = place.split(':').map(Number);
    let top = high;
    for (const slice of (slices ?? `${high - low}:0`).split('|')) {
      const [from, to = from]: number[] = slice.split(':').map(Number);
      const width = from - to + 1;
      top -= width;
      (pieces[operand] ??= []).push({ low: top + 1, width, shift: to });
    }
  }
  const fields = Object.entries(pieces).map(([operand, list]): Field => {
    const isNumber = operand === 'imm';
    return {
      operand: operand as keyof Operands,
      kind: isNumber ? kind : operand === 'csr' ? 'csr' : 'register',
      pieces: list,
      width: Math.max(...list.map((piece) => piece.shift + piece.width)),
      zeros: Math.min(...list.map((piece) => piece.shift)),
    };
  });
  return { name, syntax, fields };
}

const RD = { '11:7': 'rd' };
const RS1 = { '19:15': 'rs1' };
const RS2 = { '24:20': 'rs2' };
const IMM_I = { '31:20': 'imm[11:0]' };

// biome-ignore format: a table
export const
  R     = format('R',     'rd, rs1, rs2',     'signed',   { ...RS2, ...RS1, ...RD }),
  I     = format('I',     'rd, rs1, imm',     'signed',   { ...IMM_I, ...RS1, ...RD }),
  SHIFT = format('SHIFT', 'rd, rs1, imm',     'unsigned', { '24:20': 'imm[4:0]', ...RS1, ...RD }),
  L     = format('L',     'rd, imm(rs1)',     'signed',   { ...IMM_I, ...RS1, ...RD }),
  S     = format('S',     'rs2, imm(rs1)',    'signed',   { '31:25': 'imm[11:5]', ...RS2, ...RS1, '11:7': 'imm[4:0]' }),
  B     = format('B',     'rs1, rs2, imm',    'offset',   { '31:25': 'imm[12|10:5]', ...RS2, ...RS1, '11:7': 'imm[4:1|11]' }),
  U     = format('U',     'rd, imm',          'upper',    { '31:12': 'imm[31:12]', ...RD }),
  J     = format('J',     'rd, imm',          'offset',   { '31:12': 'imm[20|10:1|11|19:12]', ...RD }),
  CSR   = format('CSR',   'rd, csr, rs1',     'signed',   { '31:20': 'csr', ...RS1, ...RD }),
  CSRI  = format('CSRI',  'rd, csr, imm',     'unsigned', { '31:20': 'csr', '19:15': 'imm[4:0]', ...RD }),
  FENCE = format('FENCE', 'imm',              'fence',    { '27:20': 'imm[7:0]' }),
  NONE  = format('NONE',  '',                 'signed',   {});

/** One instruction: the one definition that everything about it is read off. */
export interface Row {
  name: string;
  format: Format;
  /** The word's fixed bits: a word is this instruction iff `(word & mask) === match`. Both int32. */
  mask: number;
  match: number;
  meaning: Action;
  /** Where the manual says so. */
  source: string;
}

/**
 * Makes a row.
 * @param bitsAsPrinted the word from bit 31 down to 0, as the manual prints it: `0`, `1`, `x` for
 *   operand bits, `-` for bits that the hart ignores; blanks don't count
 * @throws if the bits are not 32, or the `x`s are not just the places of the format's operands
 */
export function row(
  name: string,
  rowFormat: Format,
  bitsAsPrinted: string,
  meaning: Action,
  source: string,
): Row {
  const digits = bitsAsPrinted.replaceAll(' ', '');
  if (!/^[01x-]{32}$/.test(digits)) {
    throw new Error(`Row ${name}: "${bitsAsPrinted}" is not 32 of 0, 1, x and -.`);
  }
  const where = (wanted: string) =>
    Number.parseInt(
      digits.replace(/./g, (d) => (wanted.includes(d) ? '1' : '0')),
      2,
    ) | 0;
  const mask = where('01');
  const match = where('1');
  const operandBits = rowFormat.fields
    .flatMap((field) => field.pieces)
    .reduce((all, piece) => all | (maskOf(piece.width) << piece.low), 0);
  if (where('x') !== (operandBits | 0)) {
    throw new Error(`Row ${name}: its x bits are not the operands of format ${rowFormat.name}.`);
  }
  return { name, format: rowFormat, mask, match, meaning, source };
}

/** Reads one operand out of a word: register or CSR number, or the extended immediate. */
export function fieldValue(field: Field, word: number): number {
  let value = 0;
  for (const piece of field.pieces)
    value |= bits(word, piece.low + piece.width - 1, piece.low) << piece.shift;
  return field.kind === 'signed' || field.kind === 'offset' ? signExtend(value, field.width) : value;
}

/** The word bits that hold `value` as this operand. Bits that the field has no place for are lost. */
export function fieldBits(field: Field, value: number): number {
  let word = 0;
  for (const piece of field.pieces) word |= ((value >>> piece.shift) & maskOf(piece.width)) << piece.low;
  return word;
}
