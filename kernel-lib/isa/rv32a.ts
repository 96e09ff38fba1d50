/**
 * RV32A: atomic memory operations. Unpriv, "A" Extension for Atomic Instructions.
 *
 * Each comes in four strengths of ordering, by the bits aq and rl: `amoadd.w`, `amoadd.w.aq`,
 * `amoadd.w.rl`, `amoadd.w.aqrl`. With one hart that keeps program order they mean the same.
 */
import { AMO, type Format, LR, type Row, row } from './formats';
import {
  type Action,
  add,
  and,
  atomic,
  loadReserved,
  max,
  maxu,
  min,
  minu,
  old,
  or,
  rs2,
  storeConditional,
  xor,
} from './meaning';

const ORDERINGS = { '': '00', '.aq': '10', '.rl': '01', '.aqrl': '11' };

/** The four rows of an instruction: `$` in its bits is the place of aq and rl. */
function ordered(name: string, format: Format, printed: string, meaning: Action, source: string): Row[] {
  return Object.entries(ORDERINGS).map(([suffix, bits]) =>
    row(name + suffix, format, printed.replace('$', bits), meaning, source),
  );
}

// biome-ignore format: a table
export const RV32A = [
  ...ordered('lr.w',      LR,  '00010 $ 00000 xxxxx 010 xxxxx 0101111', loadReserved,                'Unpriv, Load-Reserved/Store-Conditional Instructions'),
  ...ordered('sc.w',      AMO, '00011 $ xxxxx xxxxx 010 xxxxx 0101111', storeConditional,            'Unpriv, Load-Reserved/Store-Conditional Instructions'),
  ...ordered('amoswap.w', AMO, '00001 $ xxxxx xxxxx 010 xxxxx 0101111', atomic(rs2),                 'Unpriv, Atomic Memory Operations'),
  ...ordered('amoadd.w',  AMO, '00000 $ xxxxx xxxxx 010 xxxxx 0101111', atomic(add(old, rs2)),       'Unpriv, Atomic Memory Operations'),
  ...ordered('amoxor.w',  AMO, '00100 $ xxxxx xxxxx 010 xxxxx 0101111', atomic(xor(old, rs2)),       'Unpriv, Atomic Memory Operations'),
  ...ordered('amoand.w',  AMO, '01100 $ xxxxx xxxxx 010 xxxxx 0101111', atomic(and(old, rs2)),       'Unpriv, Atomic Memory Operations'),
  ...ordered('amoor.w',   AMO, '01000 $ xxxxx xxxxx 010 xxxxx 0101111', atomic(or(old, rs2)),        'Unpriv, Atomic Memory Operations'),
  ...ordered('amomin.w',  AMO, '10000 $ xxxxx xxxxx 010 xxxxx 0101111', atomic(min(old, rs2)),       'Unpriv, Atomic Memory Operations'),
  ...ordered('amomax.w',  AMO, '10100 $ xxxxx xxxxx 010 xxxxx 0101111', atomic(max(old, rs2)),       'Unpriv, Atomic Memory Operations'),
  ...ordered('amominu.w', AMO, '11000 $ xxxxx xxxxx 010 xxxxx 0101111', atomic(minu(old, rs2)),      'Unpriv, Atomic Memory Operations'),
  ...ordered('amomaxu.w', AMO, '11100 $ xxxxx xxxxx 010 xxxxx 0101111', atomic(maxu(old, rs2)),      'Unpriv, Atomic Memory Operations'),
];
