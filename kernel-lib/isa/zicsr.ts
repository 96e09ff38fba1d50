/** Zicsr: reading and writing control and status registers; Zifencei. Unpriv, "Zicsr", "Zifencei". */
import { CSR, CSRI, NONE, row } from './formats';
import { and, csr, fenceInstructions, imm, not, old, or, rs1 } from './meaning';

// biome-ignore format: a table
export const ZICSR = [
  row('csrrw',   CSR,  'xxxxxxx xxxxx xxxxx 001 xxxxx 1110011', csr(rs1, 'write'),              'Unpriv, CSR Instructions'),
  row('csrrs',   CSR,  'xxxxxxx xxxxx xxxxx 010 xxxxx 1110011', csr(or(old, rs1), 'modify'),    'Unpriv, CSR Instructions'),
  row('csrrc',   CSR,  'xxxxxxx xxxxx xxxxx 011 xxxxx 1110011', csr(and(old, not(rs1)), 'modify'), 'Unpriv, CSR Instructions'),
  row('csrrwi',  CSRI, 'xxxxxxx xxxxx xxxxx 101 xxxxx 1110011', csr(imm, 'write'),              'Unpriv, CSR Instructions'),
  row('csrrsi',  CSRI, 'xxxxxxx xxxxx xxxxx 110 xxxxx 1110011', csr(or(old, imm), 'modify'),    'Unpriv, CSR Instructions'),
  row('csrrci',  CSRI, 'xxxxxxx xxxxx xxxxx 111 xxxxx 1110011', csr(and(old, not(imm)), 'modify'), 'Unpriv, CSR Instructions'),

  row('fence.i', NONE, '------- ----- ----- 001 ----- 0001111', fenceInstructions,              'Unpriv, "Zifencei" Extension for Instruction-Fetch Fence'),
];
