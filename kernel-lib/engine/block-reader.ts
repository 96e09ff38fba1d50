/**
 * Basic blocks of guest code, read from RAM: instructions one after the other, up to and with
 * the first that may go elsewhere.
 *
 * Where addresses are virtual, a block never leaves its page: the next one may be mapped elsewhere.
 */
import { decode, type Instruction } from '../code/decode';
import type { Memory } from '../machine/memory';
import { isPrivileged, type Shape, shapeOf } from './shape';
import { PAGE_BYTES } from './spaces';

/** An instruction of a block. */
export interface Step {
  instruction: Instruction;
  /** Its virtual address. int32. */
  pc: number;
  shape: Shape;
}

export interface Block {
  steps: Step[];
  /** The virtual address behind the last instruction. int32. */
  end: number;
}

/** Instructions in a block, at most. */
const LIMIT = 64;

/** Whether control goes on behind an instruction of this shape without a question. */
const goesOn = (shape: Shape) => shape.kind !== 'jump' && shape.kind !== 'branch' && !isPrivileged(shape);

export interface ReadOptions {
  /** Whether the next page in RAM is the next page of the code, too. */
  flat: boolean;
  /** Instructions at most; 64 if left out. */
  limit?: number;
}

/**
 * The block at virtual address `pc`, which is at this offset into RAM. It has no instructions if
 * the first one is illegal or does not end in the same page (or in RAM).
 */
export function readBlock(
  ram: Memory,
  pc: number,
  ramOffset: number,
  { flat, limit = LIMIT }: ReadOptions,
): Block {
  const steps: Step[] = [];
  const end = flat ? ram.size : ramOffset - (ramOffset % PAGE_BYTES) + PAGE_BYTES;
  let at = ramOffset;
  while (steps.length < limit && at + 2 <= end) {
    const isLastHalf = at + 4 > end;
    const word = ram.read(isLastHalf ? 2 : 4, ram.base + at);
    const instruction = decode(word);
    if (instruction === undefined || at + instruction.length > end) break;
    const shape = shapeOf(instruction.row.meaning);
    steps.push({ instruction, pc: (pc + at - ramOffset) | 0, shape });
    at += instruction.length;
    if (!goesOn(shape)) break;
  }
  return { steps, end: (pc + at - ramOffset) | 0 };
}
