/**
 * Block discovery: the unit of translation is what the guest executes one after the other, up to a
 * change of control flow, twelve instructions, or the end of the page. Nothing is known about what
 * comes after: it may be data. Adams & Agesen 2006, section 3.1.
 */
import { decode } from '../../code/decode';
import { PAGE_BYTES } from '../../machine/page-table';
import { endsBlock, type GuestInstruction } from './treatment';

/** Instructions of a unit at most. */
export const UNIT_LIMIT = 12;

/** What the translator reads: the 16 bits at a virtual address; undefined where a fetch would fault. */
export type ReadCode = (va: number) => number | undefined;

/**
 * The unit that begins at `va`: at least one instruction. Only the first one may reach into the
 * next page: to fetch from there may fault, and sets an accessed bit.
 * @throws if there is no instruction at `va`: whoever asks has fetched it
 */
export function discover(read: ReadCode, va: number): GuestInstruction[] {
  const unit: GuestInstruction[] = [];
  for (let pc = va; unit.length < UNIT_LIMIT; ) {
    if (unit.length > 0 && leavesPage(read, va, pc)) break;
    const guest = readInstruction(read, pc);
    if (guest === undefined) break;
    unit.push(guest);
    if (endsBlock(guest)) break;
    pc = (pc + guest.length) | 0;
  }
  if (unit.length === 0) throw new Error('There is no instruction where the translator was sent.');
  return unit;
}

/** The instruction at `pc`; undefined where a fetch would fault. */
export function readInstruction(read: ReadCode, pc: number): GuestInstruction | undefined {
  const low = read(pc);
  if (low === undefined) return undefined;
  if ((low & 3) !== 3) return { pc, word: low, instruction: decode(low), length: 2 };
  const high = read((pc + 2) | 0);
  if (high === undefined) return undefined;
  const word = low | (high << 16);
  return { pc, word, instruction: decode(word), length: 4 };
}

/** Whether the instruction at `pc` has a byte in another page than `va`. */
function leavesPage(read: ReadCode, va: number, pc: number): boolean {
  if (((pc ^ va) & -PAGE_BYTES) !== 0) return true;
  const left = PAGE_BYTES - (pc & (PAGE_BYTES - 1));
  return left < 4 && ((read(pc) ?? 3) & 3) === 3;
}
