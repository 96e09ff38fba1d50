/**
 * RV32C: compressed instructions. Unpriv, "C" Extension for Compressed Instructions.
 *
 * Each stands for one instruction of RV32I with some operands restricted: a row names it, and its
 * format says which bits are which of *its* operands. Engines see the meaning of the long form
 * and a length of 2. What the manual reserves is excluded, and is an illegal instruction.
 */
import {
  C_ADD,
  C_ADDI,
  C_ADDI4SPN,
  C_ADDI16SP,
  C_ANDI,
  C_ARITH,
  C_B,
  C_J,
  C_JAL,
  C_JALR,
  C_JR,
  C_LI,
  C_LUI,
  C_LW,
  C_LWSP,
  C_MV,
  C_SHIFT,
  C_SLLI,
  C_SW,
  C_SWSP,
  type Excluded,
  type Format,
  NONE,
  type Row,
  row,
} from './formats';
import { RV32I } from './rv32i';

function compressed(
  name: string,
  format: Format,
  printed: string,
  baseName: string,
  source: string,
  excluded: Excluded = {},
): Row {
  const base = RV32I.find((candidate) => candidate.name === baseName);
  if (base === undefined) throw new Error(`Row ${name}: there is no base instruction "${baseName}".`);
  return { ...row(name, format, printed, base.meaning, source, excluded), base };
}

/** Columns: name, operands, bits as the manual prints them, the instruction that it stands for, source, exclusions. */
// biome-ignore format: a table
export const RV32C = [
  compressed('c.addi4spn', C_ADDI4SPN, '000 xxxxxxxx xxx 00',     'addi',   'Unpriv, Integer Register-Immediate Operations (C)', { imm: [0] }),
  compressed('c.lw',       C_LW,       '010 xxx xxx xx xxx 00',   'lw',     'Unpriv, Register-Based Loads and Stores'),
  compressed('c.sw',       C_SW,       '110 xxx xxx xx xxx 00',   'sw',     'Unpriv, Register-Based Loads and Stores'),

  compressed('c.nop',      NONE,       '000 - 00000 ----- 01',    'addi',   'Unpriv, NOP Instruction'),
  compressed('c.addi',     C_ADDI,     '000 x xxxxx xxxxx 01',    'addi',   'Unpriv, Integer Register-Immediate Operations (C)', { rd: [0] }),
  compressed('c.jal',      C_JAL,      '001 xxxxxxxxxxx 01',      'jal',    'Unpriv, Control Transfer Instructions (C)'),
  compressed('c.li',       C_LI,       '010 x xxxxx xxxxx 01',    'addi',   'Unpriv, Integer Constant-Generation Instructions'),
  compressed('c.addi16sp', C_ADDI16SP, '011 x 00010 xxxxx 01',    'addi',   'Unpriv, Integer Register-Immediate Operations (C)', { imm: [0] }),
  compressed('c.lui',      C_LUI,      '011 x xxxxx xxxxx 01',    'lui',    'Unpriv, Integer Constant-Generation Instructions',  { rd: [2], imm: [0] }),
  compressed('c.srli',     C_SHIFT,    '100 0 00 xxx xxxxx 01',   'srli',   'Unpriv, Integer Register-Immediate Operations (C)'),
  compressed('c.srai',     C_SHIFT,    '100 0 01 xxx xxxxx 01',   'srai',   'Unpriv, Integer Register-Immediate Operations (C)'),
  compressed('c.andi',     C_ANDI,     '100 x 10 xxx xxxxx 01',   'andi',   'Unpriv, Integer Register-Immediate Operations (C)'),
  compressed('c.sub',      C_ARITH,    '100 0 11 xxx 00 xxx 01',  'sub',    'Unpriv, Integer Register-Register Operations (C)'),
  compressed('c.xor',      C_ARITH,    '100 0 11 xxx 01 xxx 01',  'xor',    'Unpriv, Integer Register-Register Operations (C)'),
  compressed('c.or',       C_ARITH,    '100 0 11 xxx 10 xxx 01',  'or',     'Unpriv, Integer Register-Register Operations (C)'),
  compressed('c.and',      C_ARITH,    '100 0 11 xxx 11 xxx 01',  'and',    'Unpriv, Integer Register-Register Operations (C)'),
  compressed('c.j',        C_J,        '101 xxxxxxxxxxx 01',      'jal',    'Unpriv, Control Transfer Instructions (C)'),
  compressed('c.beqz',     C_B,        '110 xxx xxx xxxxx 01',    'beq',    'Unpriv, Control Transfer Instructions (C)'),
  compressed('c.bnez',     C_B,        '111 xxx xxx xxxxx 01',    'bne',    'Unpriv, Control Transfer Instructions (C)'),

  compressed('c.slli',     C_SLLI,     '000 0 xxxxx xxxxx 10',    'slli',   'Unpriv, Integer Register-Immediate Operations (C)'),
  compressed('c.lwsp',     C_LWSP,     '010 x xxxxx xxxxx 10',    'lw',     'Unpriv, Stack-Pointer-Based Loads and Stores', { rd: [0] }),
  compressed('c.jr',       C_JR,       '100 0 xxxxx 00000 10',    'jalr',   'Unpriv, Control Transfer Instructions (C)', { rs1: [0] }),
  compressed('c.mv',       C_MV,       '100 0 xxxxx xxxxx 10',    'add',    'Unpriv, Integer Register-Register Operations (C)', { rs2: [0] }),
  compressed('c.ebreak',   NONE,       '100 1 00000 00000 10',    'ebreak', 'Unpriv, Breakpoint Instruction'),
  compressed('c.jalr',     C_JALR,     '100 1 xxxxx 00000 10',    'jalr',   'Unpriv, Control Transfer Instructions (C)', { rs1: [0] }),
  compressed('c.add',      C_ADD,      '100 1 xxxxx xxxxx 10',    'add',    'Unpriv, Integer Register-Register Operations (C)', { rs2: [0] }),
  compressed('c.swsp',     C_SWSP,     '110 xxxxxx xxxxx 10',     'sw',     'Unpriv, Stack-Pointer-Based Loads and Stores'),
];
