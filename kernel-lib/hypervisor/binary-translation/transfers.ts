/**
 * Jumps and branches in translated code.
 *
 * An *exit* is a slot of four bytes: an `ecall` that says where the guest goes on, until the cache
 * knows a block for that and puts a jump there (chaining). A branch is `not taken: skip; slot for
 * taken; slot for not taken`. An indirect jump compares its target with a prediction, which is the
 * target that it had first; if it is another, it looks it up in the table of code at `TABLE`.
 * A link register gets the guest's return address, so that guests see no address of the cache.
 */
import type { Row } from '../../isa/formats';
import { ISA } from '../../isa/isa';
import type { Operator } from '../../isa/meaning';
import type { Emitter } from './emitter';
import { BORROWED, slotOf, TABLE, TABLE_SLOT_BYTES, TABLE_SLOTS } from './layout';
import type { GuestInstruction } from './treatment';

/** A place where a block ends and goes on at a known address of the guest. */
export interface Exit {
  /** Of the slot, from the block's begin. */
  offset: number;
  target: number;
  /** The branch that skips this slot: if the target is near, it can go there itself. */
  branch?: { offset: number; guest: GuestInstruction };
}

/** The parts of an indirect jump that are filled in when its first target is known. */
export interface Prediction {
  guest: GuestInstruction;
  /** Of the first instruction, from the block's begin: an `ecall` until there is a prediction. */
  offset: number;
  /** The register that the prediction is compared in. */
  scratch: number;
  /** Of the `lui` and `addi` that make the predicted value of rs1. */
  constantOffset: number;
  /** Of the jump to the predicted block. */
  slotOffset: number;
}

/** A slot that leads to `target`. */
export function emitExit(emitter: Emitter, target: number): Exit {
  const offset = emitter.size;
  emitter.callout({ kind: 'exit', target });
  return { offset, target };
}

export function emitJump(emitter: Emitter, guest: GuestInstruction, target: number): Exit {
  const rd = guest.instruction?.rd ?? 0;
  const why = rd === 0 ? 'jump: goes to a block' : 'call: the link is the return address in the guest';
  emitter.begin([guest], why);
  if (rd !== 0) emitter.constant(rd, nextOf(guest));
  emitter.pass(target);
  return emitExit(emitter, target);
}

export function emitBranch(emitter: Emitter, guest: GuestInstruction, target: number): Exit[] {
  emitter.begin([guest], 'branch: both ways lead to blocks');
  const offset = emitter.size;
  emitter.put(inverseOf(guest).name, { ...comparedBy(guest), imm: 8 });
  emitter.pass(target);
  const taken = { ...emitExit(emitter, target), branch: { offset, guest } };
  emitter.pass(nextOf(guest));
  return [taken, emitExit(emitter, nextOf(guest))];
}

const nextOf = (guest: GuestInstruction) => (guest.pc + guest.length) | 0;

/** The registers that a branch compares. */
export function comparedBy({ instruction }: GuestInstruction): { rs1: number; rs2: number } {
  return { rs1: instruction?.rs1 ?? 0, rs2: instruction?.rs2 ?? 0 };
}

const OPPOSITE: Partial<Record<Operator, Operator>> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'ge',
  ge: 'lt',
  ltu: 'geu',
  geu: 'ltu',
};

/** The long form of a branch: a compressed one does not reach far enough. */
export const longBranch = ({ instruction }: GuestInstruction): Row => branchRow(operatorOf(instruction?.row));

/** The branch that is taken when this one is not. */
function inverseOf({ instruction }: GuestInstruction): Row {
  const operator = operatorOf(instruction?.row);
  return branchRow(operator && OPPOSITE[operator]);
}

function operatorOf(row: Row | undefined): Operator | undefined {
  const condition = row?.meaning.kind === 'branch' ? row.meaning.condition : undefined;
  return condition?.kind === 'binary' ? condition.operator : undefined;
}

function branchRow(operator: Operator | undefined): Row {
  const row = ISA.find(
    (each) => each.length === 4 && operatorOf(each) === operator && operator !== undefined,
  );
  if (row === undefined) throw new Error(`There is no branch that compares with "${operator}".`);
  return row;
}

/** In the table, the target is in the first register and the slot's address in the second. */
const [TARGET, SLOT] = BORROWED;
const SLOT_BITS = Math.log2(TABLE_SLOT_BYTES);
/** The bits of an even address that choose the slot. */
const SLOT_MASK = 2 * (TABLE_SLOTS - 1);
const TABLE_BIAS = (TABLE - 2 ** 32) >> (SLOT_BITS - 1);

/** The address of the table's slot for a target. What the code that `emitLookUp` emits computes. */
export function tableSlot(target: number): number {
  return TABLE + ((target & SLOT_MASK) << (SLOT_BITS - 1));
}

export function emitIndirect(emitter: Emitter, guest: GuestInstruction): Prediction {
  const { rd, rs1 } = guest.instruction ?? { rd: 0, rs1: 0 };
  emitter.begin([guest], 'indirect jump: compares with its prediction, else looks up the table');
  const offset = emitter.size;
  const scratch = BORROWED.slice(0, 2).find((each) => each !== rs1 && each !== rd) ?? BORROWED[2];
  const first = emitter.save(scratch);
  emitter.emitted[first].callout = { kind: 'predict', guests: [guest] };
  const constantOffset = emitter.size;
  emitter.wideConstant(scratch, 0);
  const other = emitter.branchAhead('bne', { rs1: scratch, rs2: rs1 });
  if (rd !== 0) emitter.constant(rd, nextOf(guest));
  emitter.put('lw', { rd: scratch, rs1: 0, imm: slotOf(scratch) });
  const slotOffset = emitter.size;
  emitter.put('jal', { rd: 0, imm: 0 });
  emitter.land(other);
  emitLookUp(emitter, guest, scratch);
  return { guest, offset, scratch, constantOffset, slotOffset };
}

/** Jumps to the table's slot for the target, which is then in `TARGET`. */
function emitLookUp(emitter: Emitter, guest: GuestInstruction, scratch: number): void {
  const { rd, rs1, imm } = guest.instruction ?? { rd: 0, rs1: 0, imm: 0 };
  if (scratch !== TARGET && scratch !== SLOT) emitter.giveBack([scratch]);
  for (const register of [TARGET, SLOT]) if (register !== scratch) emitter.save(register);
  emitter.put('addi', { rd: TARGET, rs1, imm });
  emitter.put('andi', { rd: TARGET, rs1: TARGET, imm: -2 });
  if (rd === TARGET || rd === SLOT) {
    emitter.constant(SLOT, nextOf(guest));
    emitter.put('sw', { rs2: SLOT, rs1: 0, imm: slotOf(rd) });
  } else if (rd !== 0) emitter.constant(rd, nextOf(guest));
  emitter.put('andi', { rd: SLOT, rs1: TARGET, imm: SLOT_MASK });
  emitter.put('addi', { rd: SLOT, rs1: SLOT, imm: TABLE_BIAS });
  emitter.put('slli', { rd: SLOT, rs1: SLOT, imm: SLOT_BITS - 1 });
  emitter.put('jalr', { rd: 0, rs1: SLOT, imm: 0 });
  emitter.abandon();
}
