/**
 * Registers that the guest's kernel can't have: on a machine where every trap destroys them, they
 * would be lost in traps that the guest knows nothing of. They are words of the vCPU window
 * instead, and instructions that name them work on borrowed registers.
 */
import { encode } from '../../code/encode';
import type { Emitter } from './emitter';
import { banishedWord, windowOffset } from './layout';
import { type GuestInstruction, registersOf } from './treatment';

/** Whether an instruction names one of the registers. */
export function namesAny(guest: GuestInstruction, banished: readonly number[]): boolean {
  return registersOf(guest).some((register) => banished.includes(register));
}

/** Emits an innocuous instruction with other registers in the place of those that are banished. */
export function emitWithout(emitter: Emitter, guest: GuestInstruction, banished: readonly number[]): void {
  const { instruction } = guest;
  if (instruction === undefined) throw new Error('Not an instruction: it has no registers to replace.');
  const named = registersOf(guest);
  const gone = banished.filter((register) => named.includes(register));
  const borrowed = emitter.borrow(gone.length, named);
  const word = (n: number) => windowOffset(banishedWord(banished.indexOf(gone[n])));
  gone.forEach((_, n) => {
    emitter.put('lw', { rd: borrowed[n], rs1: 0, imm: word(n) });
  });
  const instead = (register: number) => {
    const n = gone.indexOf(register);
    return n < 0 ? register : borrowed[n];
  };
  const { rd, rs1, rs2, imm } = instruction;
  const row = instruction.row.base ?? instruction.row;
  emitter.word(encode(row, { rd: instead(rd), rs1: instead(rs1), rs2: instead(rs2), imm }));
  if (gone.includes(rd)) emitter.put('sw', { rs2: instead(rd), rs1: 0, imm: word(gone.indexOf(rd)) });
  emitter.giveBack();
}
