/**
 * RV32I: the base integer instructions. Unpriv, RV32I Base Integer Instruction Set.
 * Read `meaning.ts` (what the fifth column of a row is made of) and `formats.ts` first.
 */
import { Cause } from './causes';
import { B, FENCE, I, J, L, NONE, R, row, S, SHIFT, U } from './formats';
import {
  add,
  and,
  branch,
  constant,
  environmentCall,
  eq,
  fence,
  ge,
  geu,
  imm,
  jump,
  load,
  loadSigned,
  lt,
  ltu,
  ne,
  next,
  or,
  pc,
  raise,
  rd,
  rs1,
  rs2,
  seq,
  sll,
  sra,
  srl,
  store,
  sub,
  xor,
} from './meaning';

/** Columns: name, operands, bits as the manual prints them, meaning, source. */
// biome-ignore format: a table
export const RV32I = [
  row('lui',    U,     'xxxxxxx xxxxx xxxxx xxx xxxxx 0110111', rd.set(imm),                                  'Unpriv, Integer Register-Immediate'),
  row('auipc',  U,     'xxxxxxx xxxxx xxxxx xxx xxxxx 0010111', rd.set(add(pc, imm)),                         'Unpriv, Integer Register-Immediate'),

  row('addi',   I,     'xxxxxxx xxxxx xxxxx 000 xxxxx 0010011', rd.set(add(rs1, imm)),                        'Unpriv, Integer Register-Immediate'),
  row('slti',   I,     'xxxxxxx xxxxx xxxxx 010 xxxxx 0010011', rd.set(lt(rs1, imm)),                         'Unpriv, Integer Register-Immediate'),
  row('sltiu',  I,     'xxxxxxx xxxxx xxxxx 011 xxxxx 0010011', rd.set(ltu(rs1, imm)),                        'Unpriv, Integer Register-Immediate'),
  row('xori',   I,     'xxxxxxx xxxxx xxxxx 100 xxxxx 0010011', rd.set(xor(rs1, imm)),                        'Unpriv, Integer Register-Immediate'),
  row('ori',    I,     'xxxxxxx xxxxx xxxxx 110 xxxxx 0010011', rd.set(or(rs1, imm)),                         'Unpriv, Integer Register-Immediate'),
  row('andi',   I,     'xxxxxxx xxxxx xxxxx 111 xxxxx 0010011', rd.set(and(rs1, imm)),                        'Unpriv, Integer Register-Immediate'),
  row('slli',   SHIFT, '0000000 xxxxx xxxxx 001 xxxxx 0010011', rd.set(sll(rs1, imm)),                        'Unpriv, Integer Register-Immediate'),
  row('srli',   SHIFT, '0000000 xxxxx xxxxx 101 xxxxx 0010011', rd.set(srl(rs1, imm)),                        'Unpriv, Integer Register-Immediate'),
  row('srai',   SHIFT, '0100000 xxxxx xxxxx 101 xxxxx 0010011', rd.set(sra(rs1, imm)),                        'Unpriv, Integer Register-Immediate'),

  row('add',    R,     '0000000 xxxxx xxxxx 000 xxxxx 0110011', rd.set(add(rs1, rs2)),                        'Unpriv, Integer Register-Register'),
  row('sub',    R,     '0100000 xxxxx xxxxx 000 xxxxx 0110011', rd.set(sub(rs1, rs2)),                        'Unpriv, Integer Register-Register'),
  row('sll',    R,     '0000000 xxxxx xxxxx 001 xxxxx 0110011', rd.set(sll(rs1, rs2)),                        'Unpriv, Integer Register-Register'),
  row('slt',    R,     '0000000 xxxxx xxxxx 010 xxxxx 0110011', rd.set(lt(rs1, rs2)),                         'Unpriv, Integer Register-Register'),
  row('sltu',   R,     '0000000 xxxxx xxxxx 011 xxxxx 0110011', rd.set(ltu(rs1, rs2)),                        'Unpriv, Integer Register-Register'),
  row('xor',    R,     '0000000 xxxxx xxxxx 100 xxxxx 0110011', rd.set(xor(rs1, rs2)),                        'Unpriv, Integer Register-Register'),
  row('srl',    R,     '0000000 xxxxx xxxxx 101 xxxxx 0110011', rd.set(srl(rs1, rs2)),                        'Unpriv, Integer Register-Register'),
  row('sra',    R,     '0100000 xxxxx xxxxx 101 xxxxx 0110011', rd.set(sra(rs1, rs2)),                        'Unpriv, Integer Register-Register'),
  row('or',     R,     '0000000 xxxxx xxxxx 110 xxxxx 0110011', rd.set(or(rs1, rs2)),                         'Unpriv, Integer Register-Register'),
  row('and',    R,     '0000000 xxxxx xxxxx 111 xxxxx 0110011', rd.set(and(rs1, rs2)),                        'Unpriv, Integer Register-Register'),

  row('jal',    J,     'xxxxxxx xxxxx xxxxx xxx xxxxx 1101111', seq(jump(add(pc, imm)), rd.set(next)),        'Unpriv, Unconditional Jumps'),
  row('jalr',   L,     'xxxxxxx xxxxx xxxxx 000 xxxxx 1100111', seq(jump(and(add(rs1, imm), constant(-2))), rd.set(next)), 'Unpriv, Unconditional Jumps'),
  row('beq',    B,     'xxxxxxx xxxxx xxxxx 000 xxxxx 1100011', branch(eq(rs1, rs2), add(pc, imm)),           'Unpriv, Conditional Branches'),
  row('bne',    B,     'xxxxxxx xxxxx xxxxx 001 xxxxx 1100011', branch(ne(rs1, rs2), add(pc, imm)),           'Unpriv, Conditional Branches'),
  row('blt',    B,     'xxxxxxx xxxxx xxxxx 100 xxxxx 1100011', branch(lt(rs1, rs2), add(pc, imm)),           'Unpriv, Conditional Branches'),
  row('bge',    B,     'xxxxxxx xxxxx xxxxx 101 xxxxx 1100011', branch(ge(rs1, rs2), add(pc, imm)),           'Unpriv, Conditional Branches'),
  row('bltu',   B,     'xxxxxxx xxxxx xxxxx 110 xxxxx 1100011', branch(ltu(rs1, rs2), add(pc, imm)),          'Unpriv, Conditional Branches'),
  row('bgeu',   B,     'xxxxxxx xxxxx xxxxx 111 xxxxx 1100011', branch(geu(rs1, rs2), add(pc, imm)),          'Unpriv, Conditional Branches'),

  row('lb',     L,     'xxxxxxx xxxxx xxxxx 000 xxxxx 0000011', rd.set(loadSigned(1, add(rs1, imm))),         'Unpriv, Load and Store'),
  row('lh',     L,     'xxxxxxx xxxxx xxxxx 001 xxxxx 0000011', rd.set(loadSigned(2, add(rs1, imm))),         'Unpriv, Load and Store'),
  row('lw',     L,     'xxxxxxx xxxxx xxxxx 010 xxxxx 0000011', rd.set(load(4, add(rs1, imm))),               'Unpriv, Load and Store'),
  row('lbu',    L,     'xxxxxxx xxxxx xxxxx 100 xxxxx 0000011', rd.set(load(1, add(rs1, imm))),               'Unpriv, Load and Store'),
  row('lhu',    L,     'xxxxxxx xxxxx xxxxx 101 xxxxx 0000011', rd.set(load(2, add(rs1, imm))),               'Unpriv, Load and Store'),
  row('sb',     S,     'xxxxxxx xxxxx xxxxx 000 xxxxx 0100011', store(1, add(rs1, imm), rs2),                 'Unpriv, Load and Store'),
  row('sh',     S,     'xxxxxxx xxxxx xxxxx 001 xxxxx 0100011', store(2, add(rs1, imm), rs2),                 'Unpriv, Load and Store'),
  row('sw',     S,     'xxxxxxx xxxxx xxxxx 010 xxxxx 0100011', store(4, add(rs1, imm), rs2),                 'Unpriv, Load and Store'),

  row('fence',  FENCE, '----xxx xxxxx ----- 000 ----- 0001111', fence,                                        'Unpriv, Memory Ordering Instructions'),
  row('ecall',  NONE,  '0000000 00000 00000 000 00000 1110011', environmentCall,                              'Unpriv, Environment Call and Breakpoints'),
  row('ebreak', NONE,  '0000000 00001 00000 000 00000 1110011', raise(Cause.Breakpoint, pc),                  'Unpriv, Environment Call and Breakpoints'),
];
