/**
 * Thunks: code that a patched instruction jumps to, which does what the instruction would have done.
 *
 * A sensitive instruction has four bytes, and so has `jal x0`, which destroys no register: there is
 * always room for it. A thunk is the same code on the vCPU window that the binary translator would
 * put in line, or a call of the hypervisor, and a jump back. It has to be within 1 MiB of its site.
 */
import { encode } from '../../code/encode';
import { type Emitted, Emitter, rowCalled } from '../binary-translation/emitter';
import { canEmulate, emulateInCache } from '../binary-translation/in-cache';
import type { GuestInstruction } from '../binary-translation/treatment';
import type { Site } from './scan';

/** A thunk: where it begins, and its code with the offset map. */
export interface Thunk {
  site: Site;
  address: number;
  emitted: readonly Emitted[];
}

const WORD = 4;
/** How far `jal` reaches backwards. */
export const JUMP_REACH = 2 ** 20;

/**
 * Makes the thunks of sites, one behind the other.
 * @param address of the first
 */
export function makeThunks(sites: readonly Site[], address: number): Thunk[] {
  let next = address;
  return sites.map((site) => {
    const emitted = emitThunk(site, next);
    const thunk = { site, address: next, emitted };
    next += WORD * emitted.length;
    return thunk;
  });
}

function emitThunk({ address, instruction }: Site, at: number): readonly Emitted[] {
  const guest: GuestInstruction = {
    pc: address | 0,
    word: instruction.word,
    instruction,
    length: instruction.length,
  };
  const emitter = new Emitter();
  emitter.begin([guest], 'patched');
  if (canEmulate(guest)) emulateInCache(emitter, [guest], 0);
  else emitter.callout({ kind: 'emulate', guests: [guest] });
  emitter.giveBack();
  emitter.pass(guest.pc + guest.length);
  emitter.word(jump(at + emitter.size, address + guest.length));
  return emitter.emitted;
}

/** The word of a jump from one address to another. */
export function jump(from: number, to: number): number {
  return encode(rowCalled('jal'), { rd: 0, imm: to - from });
}
