/**
 * Decoded code: the blocks of a machine's RAM in the form that the interpreter runs.
 *
 * They are kept in the memory that emitted code sees (their layout is told in `interpreter-code.ts`);
 * beside it stand the address and the instruction of each place. A place is a byte of that memory. A
 * block is dropped when its code is written to: its entries in the look-up tables go, and the links
 * that lead to it are cut. What is free begins behind the last block; when all is full, all is forgotten.
 */
import type { Instruction } from '../code/decode';
import { readBlock, type Step } from './block-reader';
import type { CodeLines, Copy } from './code-lines';
import { CASE_GO_ON, caseOf, FALLEN, HEAD_BYTES, LAST_BYTES, STEP_BYTES, TAKEN } from './interpreter-code';
import { constantValue, isConstant, isPrivileged } from './shape';
import { PAGE_SHIFT, type Space, type Spaces } from './spaces';
import type { Storage } from './storage';

/** A decoded block. */
export interface DecodedBlock extends Copy {
  /** The place of its head. */
  head: number;
  pc: number;
  ramOffset: number;
  flat: boolean;
  /** How often it may run before it leaves as hot. */
  heat: number;
  /** Places of the links that lead here. */
  incoming: number[];
}

/** How far registers are apart, and where their fields are in an instruction's first word. */
const REGISTER_BYTES = 4;
const [RD_SHIFT, RS1_SHIFT, RS2_SHIFT] = [8, 16, 24];

export class DecodedCode {
  /** The memory, and the place of what is free in it. */
  private readonly words: Int32Array;
  private free: number;
  private readonly instructions: { pc: number; instruction: Instruction }[] = [];
  private readonly blocks = new Map<number, DecodedBlock>();
  private readonly byHead = new Map<number, DecodedBlock>();

  /** @param heat how often a block may run before it leaves as hot */
  constructor(
    private readonly storage: Storage,
    private readonly lines: CodeLines,
    private readonly spaces: Spaces,
    private readonly heat: number,
  ) {
    this.words = storage.words;
    this.free = storage.decodedAt;
  }

  /** How many instructions the block with this head counts. */
  count(head: number): number {
    return this.words[head >> 2];
  }

  /** The address that the link at a place names. */
  target(link: number): number {
    return this.words[link >> 2];
  }

  /** The instruction at a place, or whose link is there; and its address. */
  at(place: number): { pc: number; instruction: Instruction } {
    return this.instructions[this.indexOf(place)];
  }

  /** The head of the block at `pc`, which is at this offset into RAM; 0 if there is no instruction. */
  headAt(space: Space, pc: number, ramOffset: number): number {
    const key = keyOf(space.flat, pc, ramOffset);
    const block = this.blocks.get(key) ?? this.decode(space.flat, pc, ramOffset, key);
    if (block === undefined) return 0;
    space.rememberJump(pc, block.head);
    return block.head;
  }

  /** The block with this head. */
  blockAt(head: number): DecodedBlock | undefined {
    return this.byHead.get(head);
  }

  /** How often the block of this name has run, as far as that is counted. */
  runs(key: number): number {
    const block = this.blocks.get(key);
    return block === undefined ? 0 : block.heat - this.words[(block.head >> 2) + 1];
  }

  /** Whether the block with this head has run often enough to leave as hot. */
  isHot(head: number): boolean {
    return this.words[(head >> 2) + 1] < 0;
  }

  /** Lets a block run this often before it leaves as hot. */
  cool(block: DecodedBlock, heat: number): void {
    block.heat = heat;
    this.words[(block.head >> 2) + 1] = heat;
  }

  /**
   * Makes a link lead to a head from now on, if that is for good: in a flat space, or within a page.
   * Elsewhere the target's page must be looked up each time.
   */
  link(space: Space, link: number, head: number): void {
    const samePage = (this.target(link) ^ this.at(link).pc) >>> PAGE_SHIFT === 0;
    if (!space.flat && !samePage) return;
    this.words[(link >> 2) + 1] = head;
    this.byHead.get(head)?.incoming.push(link);
  }

  private decode(flat: boolean, pc: number, ramOffset: number, key: number): DecodedBlock | undefined {
    const { ram, decodedAt, decodedBytes } = this.storage;
    const { steps, end } = readBlock(ram, pc, ramOffset, { flat });
    if (steps.length === 0) return undefined;
    const bytes = HEAD_BYTES + STEP_BYTES * steps.length + LAST_BYTES;
    if (this.free + bytes > decodedAt + decodedBytes) this.clear();
    const head = this.free;
    this.free += bytes;
    this.words.fill(0, head >> 2, this.free >> 2);
    const last = steps[steps.length - 1];
    this.words[head >> 2] = isPrivileged(last.shape) ? steps.length - 1 : steps.length;
    this.words[(head >> 2) + 1] = this.heat;
    steps.forEach((step, n) => {
      this.place(step, head + HEAD_BYTES + STEP_BYTES * n);
    });
    this.placeLinks(last, this.free - LAST_BYTES, end);
    const block: DecodedBlock = {
      head,
      pc,
      ramOffset,
      flat,
      heat: this.heat,
      incoming: [],
      drop: () => this.drop(block, key),
    };
    this.blocks.set(key, block);
    this.byHead.set(head, block);
    this.lines.watch(ramOffset, ramOffset + end - pc, block);
    return block;
  }

  private place({ instruction, pc }: Step, at: number): void {
    const { row, rd, rs1, rs2 } = instruction;
    const { number, constant } = caseOf(row.meaning, rd);
    const field = (register: number, shift: number) => (REGISTER_BYTES * register) << shift;
    this.words[at >> 2] = number | field(rd, RD_SHIFT) | field(rs1, RS1_SHIFT) | field(rs2, RS2_SHIFT);
    this.words[(at >> 2) + 1] = constant === undefined ? 0 : constantValue(constant, instruction, pc);
    this.instructions[this.indexOf(at)] = { pc, instruction };
  }

  /** The links of the last instruction, behind which is `end`; or an instruction that only has the one to go on. */
  private placeLinks({ instruction, pc, shape }: Step, end: number, endPc: number): void {
    const jumps = shape.kind === 'jump' || shape.kind === 'branch';
    const goesOn = !jumps && !isPrivileged(shape);
    const at = goesOn ? end : end - STEP_BYTES;
    if (goesOn) this.words[at >> 2] = CASE_GO_ON;
    if (jumps && isConstant(shape.target))
      this.words[(at + TAKEN) >> 2] = constantValue(shape.target, instruction, pc);
    this.words[(at + FALLEN) >> 2] = endPc;
    for (const link of [at + TAKEN, at + FALLEN]) this.instructions[this.indexOf(link)] = { pc, instruction };
  }

  private indexOf(place: number): number {
    return (place - this.storage.decodedAt) / STEP_BYTES;
  }

  private drop(block: DecodedBlock, key: number): void {
    this.blocks.delete(key);
    this.byHead.delete(block.head);
    this.spaces.forgetJump(block.pc);
    const isOurs = (link: number) => this.words[(link >> 2) + 1] === block.head;
    for (const link of block.incoming) if (isOurs(link)) this.words[(link >> 2) + 1] = 0;
  }

  private clear(): void {
    this.lines.clear();
    this.instructions.length = 0;
    this.free = this.storage.decodedAt;
  }
}

/** A name for code at an address that is at this offset into RAM. Flat blocks have links across pages, so they are kept apart. */
export function keyOf(flat: boolean, pc: number, ramOffset: number): number {
  return ((ramOffset >>> PAGE_SHIFT) * 2 + (flat ? 1 : 0)) * 2 ** 32 + (pc >>> 0);
}
