/** RV32M: multiplication and division. Unpriv, "M" Extension for Integer Multiplication and Division. */
import { R, row } from './formats';
import { div, divu, mul, mulh, mulhsu, mulhu, rd, rem, remu, rs1, rs2 } from './meaning';

// biome-ignore format: a table
export const RV32M = [
  row('mul',    R, '0000001 xxxxx xxxxx 000 xxxxx 0110011', rd.set(mul(rs1, rs2)),    'Unpriv, Multiplication Operations'),
  row('mulh',   R, '0000001 xxxxx xxxxx 001 xxxxx 0110011', rd.set(mulh(rs1, rs2)),   'Unpriv, Multiplication Operations'),
  row('mulhsu', R, '0000001 xxxxx xxxxx 010 xxxxx 0110011', rd.set(mulhsu(rs1, rs2)), 'Unpriv, Multiplication Operations'),
  row('mulhu',  R, '0000001 xxxxx xxxxx 011 xxxxx 0110011', rd.set(mulhu(rs1, rs2)),  'Unpriv, Multiplication Operations'),
  row('div',    R, '0000001 xxxxx xxxxx 100 xxxxx 0110011', rd.set(div(rs1, rs2)),    'Unpriv, Division Operations'),
  row('divu',   R, '0000001 xxxxx xxxxx 101 xxxxx 0110011', rd.set(divu(rs1, rs2)),   'Unpriv, Division Operations'),
  row('rem',    R, '0000001 xxxxx xxxxx 110 xxxxx 0110011', rd.set(rem(rs1, rs2)),    'Unpriv, Division Operations'),
  row('remu',   R, '0000001 xxxxx xxxxx 111 xxxxx 0110011', rd.set(remu(rs1, rs2)),   'Unpriv, Division Operations'),
];
