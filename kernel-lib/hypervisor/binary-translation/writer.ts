/**
 * A translator of one's own: a function that says, for each instruction of a block, what becomes of it.
 *
 * It writes with `BlockWriter`, a call per instruction; what a translation needs besides (the offset
 * map, slots to be chained, the way on behind the last instruction) is added here. Given to
 * `BinaryTranslator` as `translate`, it takes the place of ours. Read `translate.ts` first.
 */
import { hex } from '../../bits';
import { Emitter } from './emitter';
import { leave, runOn, type Translation } from './translate';
import type { GuestInstruction } from './treatment';

/** Translates a block by calling methods of `write`, in the order of the instructions. */
export type BlockTranslator = (block: readonly GuestInstruction[], write: BlockWriter) => void;

/** What a translator can make of an instruction of the guest. Addresses are the guest's. */
export class BlockWriter {
  private readonly emitter = new Emitter();
  private end: Partial<Translation> | undefined;

  /** The instruction as it is. */
  copy(guest: GuestInstruction): void {
    this.begin(guest, 'identical');
    this.emitter.copy(guest);
  }

  /** `rd = value`, whatever the instruction was: for results that are known now. */
  constant(guest: GuestInstruction, value: number): void {
    this.begin(guest, `the value is known, ${hex(value)}`);
    const { rd } = operandsOf(guest);
    if (rd !== 0) this.emitter.constant(rd, value | 0);
  }

  /** A call: the hypervisor executes the instruction on the virtual hart, and those behind it that are `merged`. */
  callout(guest: GuestInstruction, ...merged: readonly GuestInstruction[]): void {
    this.begin(guest, merged.length === 0 ? 'callout' : `callout, ${merged.length + 1} merged`, merged);
    this.emitter.callout({ kind: 'emulate', guests: [guest, ...merged] });
  }

  /** Instructions of one's own, as words, that do the same in the cache. They must not jump away. */
  code(guest: GuestInstruction, words: readonly number[]): void {
    this.begin(guest, 'in the cache');
    for (const word of words) this.emitter.word(word);
  }

  /** A jump to a known place; rd, if there is one, gets the guest's return address. */
  jump(guest: GuestInstruction, target: number): void {
    this.leave(guest, { kind: 'jump', target: target | 0 });
  }

  /** A branch: to `target` if the instruction's condition holds, else behind the instruction. */
  branch(guest: GuestInstruction, target: number): void {
    if (guest.instruction?.row.meaning.kind !== 'branch')
      throw new TypeError(`write.branch: ${nameOf(guest)} at ${hex(guest.pc)} has no condition.`);
    this.leave(guest, { kind: 'branch', target: target | 0 });
  }

  /** A jump to rs1 + imm: predicted, or looked up. */
  indirect(guest: GuestInstruction): void {
    this.leave(guest, { kind: 'indirect' });
  }

  /** Whether nothing has been written yet. */
  get isEmpty(): boolean {
    return this.emitter.pieces.length === 0;
  }

  /**
   * The translation of the block that has been written.
   * @throws Error if nothing has: the guest would skip all its code
   */
  finish(guests: readonly GuestInstruction[]): Translation {
    const { emitter } = this;
    if (this.isEmpty)
      throw new Error(`The translator has written nothing for the block at ${hex(guests[0].pc)}.`);
    const last = guests[guests.length - 1];
    const end = this.end ?? runOn(emitter, last);
    const { emitted, pieces, size } = emitter;
    return {
      guests,
      emitted,
      pieces,
      bytes: size,
      exits: [],
      prediction: undefined,
      leaving: undefined,
      ...end,
    };
  }

  private leave(guest: GuestInstruction, how: Parameters<typeof leave>[2]): void {
    this.assertOpen(guest);
    this.end = leave(this.emitter, guest, how);
  }

  private begin(guest: GuestInstruction, why: string, merged: readonly GuestInstruction[] = []): void {
    for (const each of [guest, ...merged]) this.assertOpen(each);
    this.emitter.begin([guest, ...merged], why);
  }

  private assertOpen(guest: GuestInstruction): void {
    operandsOf(guest);
    if (this.end !== undefined)
      throw new Error(
        `The block is over: nothing can follow its jump (${nameOf(guest)} at ${hex(guest.pc)}).`,
      );
  }
}

const nameOf = (guest: GuestInstruction) => guest.instruction?.row.name ?? 'no instruction';

function operandsOf(guest: GuestInstruction): { rd: number } {
  if (typeof guest !== 'object' || guest === null || !('pc' in guest))
    throw new TypeError('The writer wants an instruction of the block as its first argument.');
  return { rd: guest.instruction?.rd ?? 0 };
}

/** The translation that a translator of one's own makes of a unit. */
export function translateBy(translator: BlockTranslator, guests: readonly GuestInstruction[]): Translation {
  const writer = new BlockWriter();
  translator(guests, writer);
  return writer.finish(guests);
}
