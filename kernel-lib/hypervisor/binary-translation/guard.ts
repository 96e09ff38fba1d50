/**
 * Guards of the vCPU window: translated code can reach it, so the guest's own loads and stores can.
 *
 * There is nothing in RISC-V that would let one in and not the other: no segment, no second set of
 * rights in one mode. What is left is to look at the address before the access, which costs six
 * instructions. So a guard is put only where there is evidence: where, at the time of translation,
 * the address is near zero (a null pointer with an offset may get to the window), or can't be told.
 * `always` guards every access whose address isn't a constant, and is what a faithful VM would
 * cost; `never` trusts the guest, as VMware did on 64-bit x86 until there were segment limits again.
 */
import type { Emitter } from './emitter';
import { WINDOW, WINDOW_BYTES } from './layout';
import type { GuestInstruction, MemoryAccess } from './treatment';

export type GuardPolicy = 'evidence' | 'always' | 'never';

/** Addresses as near to zero as this, on both sides, are suspicious. */
const NEAR_ZERO = 2 ** 16;
const WIDEST_ACCESS = 4;
const WINDOW_OFFSET = WINDOW - 2 ** 32;

/** Whether an access to a known address (int32) touches the window. */
export function hitsWindow(address: number, bytes: number): boolean {
  return address + bytes > WINDOW_OFFSET && address < WINDOW_OFFSET + WINDOW_BYTES;
}

/** Whether an access shall be guarded, given where it will go the first time. */
export function needsGuard(policy: GuardPolicy, { rs1 }: MemoryAccess, address: number | undefined): boolean {
  if (rs1 === 0 || policy === 'never') return false;
  return policy === 'always' || address === undefined || Math.abs(address) < NEAR_ZERO;
}

/** Emits the look before the access, and the call where it would hit. */
export function emitGuard(emitter: Emitter, guest: GuestInstruction, { rs1, offset }: MemoryAccess): void {
  const { rd, rs2 } = guest.instruction ?? { rd: 0, rs2: 0 };
  const [distance] = emitter.borrow(1, [rs1, rs2, rd]);
  const before = WIDEST_ACCESS - 1;
  emitter.put('addi', { rd: distance, rs1, imm: offset });
  emitter.put('addi', { rd: distance, rs1: distance, imm: before - WINDOW_OFFSET });
  emitter.put('sltiu', { rd: distance, rs1: distance, imm: WINDOW_BYTES + before });
  const elsewhere = emitter.branchAhead('beq', { rs1: distance, rs2: 0 });
  emitter.callout({ kind: 'emulate', guests: [guest] });
  emitter.land(elsewhere);
  emitter.giveBack();
  emitter.start(guest.pc);
}
