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
  /** What the bits count from: three bits name the registers from 8 on, x8 to x15. */
  from: number;
  /** Other operands that these bits stand for as well: `c.addi` adds to the register that it writes. */
  same: readonly (keyof Operands)[];
}

export interface Format {
  name: string;
  /** Operands as assembly writes them: `rd, imm(rs1)`. Empty for an instruction without any. */
  syntax: string;
  fields: readonly Field[];
  /** Operands that have a fixed value: the base register of `c.lwsp`. What is not named is 0. */
  implied: Partial<Operands>;
}

/** Word bits -> what they hold, in the manual's notation: `imm[5|4:0]`, `rd'`; `rd=rs1` for both. */
type Layout = Record<string, string>;

function format(
  name: string,
  syntax: string,
  kind: FieldKind,
  layout: Layout,
  implied: Partial<Operands> = {},
): Format {
  const pieces: Partial<Record<string, Piece[]>> = {};
  for (const [place, content] of Object.entries(layout)) {
    const [operand, slices] = content.split(/[[\]]/);
    const [high, low] = place.split(':').map(Number);
    let top = high;
    for (const slice of (slices ?? `${high - low}:0`).split('|')) {
      const [from, to = from]: number[] = slice.split(':').map(Number);
      const width = from - to + 1;
      top -= width;
      (pieces[operand] ??= []).push({ low: top + 1, width, shift: to });
    }
  }
  const fields = Object.entries(pieces).map(([content, list = []]): Field => {
    const [operand, ...same] = content.replace("'", '').split('=') as (keyof Operands)[];
    const isNumber = operand === 'imm';
    return {
      operand,
      kind: isNumber ? kind : operand === 'csr' ? 'csr' : 'register',
      pieces: list,
      width: Math.max(...list.map((piece) => piece.shift + piece.width)),
      zeros: Math.min(...list.map((piece) => piece.shift)),
      from: content.includes("'") ? FIRST_COMPACT_REGISTER : 0,
      same,
    };
  });
  return { name, syntax, fields, implied };
}

/** Unpriv, "C" Extension, Compressed Instruction Formats: three bits name x8 to x15. */
const FIRST_COMPACT_REGISTER = 8;

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
  AMO   = format('AMO',   'rd, rs2, (rs1)',   'signed',   { ...RS2, ...RS1, ...RD }),
  LR    = format('LR',    'rd, (rs1)',        'signed',   { ...RS1, ...RD }),
  PAIR  = format('PAIR',  'rs1, rs2',         'signed',   { ...RS2, ...RS1 }),
  HSV   = format('HSV',   'rs2, (rs1)',       'signed',   { ...RS2, ...RS1 }),
  NONE  = format('NONE',  '',                 'signed',   {});

const SP = { rs1: 2 };
const RA = { rd: 1 };

/**
 * Formats of compressed instructions, named after what they are for: their operands are those of
 * the instruction that they stand for. Unpriv, "C" Extension, Compressed Instruction Formats.
 */
// biome-ignore format: a table
export const
  C_ADDI4SPN = format('C_ADDI4SPN', 'rd, sp, imm', 'unsigned', { '12:5': 'imm[5:4|9:6|2|3]', '4:2': "rd'" }, SP),
  C_LW       = format('C_LW',       'rd, imm(rs1)',  'unsigned', { '12:10': 'imm[5:3]', '9:7': "rs1'", '6:5': 'imm[2|6]', '4:2': "rd'" }),
  C_SW       = format('C_SW',       'rs2, imm(rs1)', 'unsigned', { '12:10': 'imm[5:3]', '9:7': "rs1'", '6:5': 'imm[2|6]', '4:2': "rs2'" }),
  C_LWSP     = format('C_LWSP',     'rd, imm(sp)',   'unsigned', { '12:12': 'imm[5]', '11:7': 'rd', '6:2': 'imm[4:2|7:6]' }, SP),
  C_SWSP     = format('C_SWSP',     'rs2, imm(sp)',  'unsigned', { '12:7': 'imm[5:2|7:6]', '6:2': 'rs2' }, SP),
  C_ADDI     = format('C_ADDI',     'rd, imm',       'signed',   { '12:12': 'imm[5]', '11:7': 'rd=rs1', '6:2': 'imm[4:0]' }),
  C_LI       = format('C_LI',       'rd, imm',       'signed',   { '12:12': 'imm[5]', '11:7': 'rd', '6:2': 'imm[4:0]' }),
  C_LUI      = format('C_LUI',      'rd, imm',       'upper',    { '12:12': 'imm[17]', '11:7': 'rd', '6:2': 'imm[16:12]' }),
  C_ADDI16SP = format('C_ADDI16SP', 'sp, imm',       'signed',   { '12:12': 'imm[9]', '6:2': 'imm[4|6|8:7|5]' }, { rd: 2, ...SP }),
  C_SHIFT    = format('C_SHIFT',    'rd, imm',       'unsigned', { '9:7': "rd'=rs1", '6:2': 'imm[4:0]' }),
  C_SLLI     = format('C_SLLI',     'rd, imm',       'unsigned', { '11:7': 'rd=rs1', '6:2': 'imm[4:0]' }),
  C_ANDI     = format('C_ANDI',     'rd, imm',       'signed',   { '12:12': 'imm[5]', '9:7': "rd'=rs1", '6:2': 'imm[4:0]' }),
  C_ARITH    = format('C_ARITH',    'rd, rs2',       'signed',   { '9:7': "rd'=rs1", '4:2': "rs2'" }),
  C_MV       = format('C_MV',       'rd, rs2',       'signed',   { '11:7': 'rd', '6:2': 'rs2' }),
  C_ADD      = format('C_ADD',      'rd, rs2',       'signed',   { '11:7': 'rd=rs1', '6:2': 'rs2' }),
  C_B        = format('C_B',        'rs1, imm',      'offset',   { '12:10': 'imm[8|4:3]', '9:7': "rs1'", '6:2': 'imm[7:6|2:1|5]' }),
  C_J        = format('C_J',        'imm',           'offset',   { '12:2': 'imm[11|4|9:8|10|6|7|3:1|5]' }),
  C_JAL      = format('C_JAL',      'imm',           'offset',   { '12:2': 'imm[11|4|9:8|10|6|7|3:1|5]' }, RA),
  C_JR       = format('C_JR',       'rs1',           'signed',   { '11:7': 'rs1' }),
  C_JALR     = format('C_JALR',     'rs1',           'signed',   { '11:7': 'rs1' }, RA);

/** Operands -> values that they may not have: with those, the word is another instruction or none. */
export type Excluded = Partial<Record<keyof Operands, readonly number[]>>;

/** One instruction: the one definition that everything about it is read off. */
export interface Row {
  name: string;
  format: Format;
  /** The word's fixed bits: a word is this instruction iff `(word & mask) === match`. Both int32. */
  mask: number;
  match: number;
  excluded: Excluded;
  /** Bytes that the instruction takes up in memory. */
  length: 2 | 4;
  meaning: Action;
  /** Where the manual says so. */
  source: string;
  /** Of a compressed instruction: the one that it stands for, whose operands and meaning it has. */
  base?: Row;
}

/**
 * Makes a row.
 * @param bitsAsPrinted the word from its highest bit down to 0, as the manual prints it: `0`, `1`,
 *   `x` for operand bits, `-` for bits that the hart ignores; blanks don't count
 * @throws if the bits are not 32 or 16, or the `x`s are not just the places of the format's operands
 */
export function row(
  name: string,
  rowFormat: Format,
  bitsAsPrinted: string,
  meaning: Action,
  source: string,
  excluded: Excluded = {},
): Row {
  const digits = bitsAsPrinted.replaceAll(' ', '');
  if (!/^[01x-]{32}$|^[01x-]{16}$/.test(digits)) {
    throw new Error(`Row ${name}: "${bitsAsPrinted}" is not 32 or 16 of 0, 1, x and -.`);
  }
  const where = (wanted: string) =>
    Number.parseInt(
      digits.replace(/./g, (d) => (wanted.includes(d) ? '1' : '0')),
      2,
    ) | 0;
  const operandBits = rowFormat.fields
    .flatMap((field) => field.pieces)
    .reduce((all, piece) => all | (maskOf(piece.width) << piece.low), 0);
  if (where('x') !== (operandBits | 0)) {
    throw new Error(`Row ${name}: its x bits are not the operands of format ${rowFormat.name}.`);
  }
  return {
    name,
    format: rowFormat,
    mask: where('01'),
    match: where('1'),
    excluded,
    length: digits.length === 32 ? 4 : 2,
    meaning,
    source,
  };
}

/** Reads one operand out of a word: register or CSR number, or the extended immediate. */
export function fieldValue(field: Field, word: number): number {
  let value = 0;
  for (const piece of field.pieces)
    value |= bits(word, piece.low + piece.width - 1, piece.low) << piece.shift;
  return isSignedField(field) ? signExtend(value, field.width) : value + field.from;
}

/** The word bits that hold `value` as this operand. Bits that the field has no place for are lost. */
export function fieldBits(field: Field, value: number): number {
  let word = 0;
  for (const piece of field.pieces)
    word |= (((value - field.from) >>> piece.shift) & maskOf(piece.width)) << piece.low;
  return word;
}

/** Whether the highest bit of the field is its sign. */
export function isSignedField({ kind }: Field): boolean {
  return kind === 'signed' || kind === 'offset' || kind === 'upper';
}
