/**
 * Decoded code: the blocks of a machine's RAM in the form that the interpreter runs.
 *
 * One growing array of words holds all blocks (their layout is told in `interpreter-text.ts`);
 * beside it stand the address and the instruction of each place. A block is dropped when its
 * code is written to: its entries in the look-up tables go, and the links that lead to it are cut.
 */
import type { Instruction } from '../code/decode';
import type { Memory } from '../machine/memory';
import { readBlock, type Step } from './block-reader';
import type { CodeLines, Copy } from './code-lines';
import {
  CASE_GO_ON,
  caseOf,
  FALLEN,
  HEAD_WORDS,
  LAST_WORDS,
  RD_SHIFT,
  RS1_SHIFT,
  RS2_SHIFT,
  STEP_WORDS,
  TAKEN,
} from './interpreter-text';
import { constantValue, isConstant, isPrivileged } from './shape';
import { PAGE_SHIFT, type Space, type Spaces } from './spaces';

/** A block in the array. */
export interface DecodedBlock extends Copy {
  head: number;
  pc: number;
  ramOffset: number;
  flat: boolean;
  /** How often it may run before it leaves as hot. */
  heat: number;
  /** Places of the links that lead here. */
  incoming: number[];
  dropped: boolean;
}

const FIRST_WORDS = 1 << 12;
/** When the array has grown to this, all is forgotten and decoded anew. */
const LAST_WORD = 1 << 22;

export class DecodedCode {
  words = new Int32Array(FIRST_WORDS);
  addresses = new Int32Array(FIRST_WORDS / 2);
  readonly instructions: (Instruction | undefined)[] = [];
  private readonly blocks = new Map<number, DecodedBlock>();
  private readonly byHead = new Map<number, DecodedBlock>();
  private used = HEAD_WORDS; // index 0 means "not known"

  /** @param heat how often a block may run before it leaves as hot */
  constructor(
    private readonly ram: Memory,
    private readonly lines: CodeLines,
    private readonly spaces: Spaces,
    private readonly heat: number,
  ) {}

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
    return block === undefined ? 0 : block.heat - this.words[block.head + 1];
  }

  /** Whether the block with this head has run often enough to leave as hot. */
  isHot(head: number): boolean {
    return this.words[head + 1] < 0;
  }

  /** Lets a block run this often before it leaves as hot. */
  cool(block: DecodedBlock, heat: number): void {
    block.heat = heat;
    this.words[block.head + 1] = heat;
  }

  /**
   * Makes the link at `place` lead to a head from now on, if that is for good: in a flat space,
   * or within a page. Elsewhere the target's page must be looked up each time.
   */
  link(space: Space, place: number, head: number): void {
    const samePage = (this.words[place] ^ this.addresses[place >> 1]) >>> PAGE_SHIFT === 0;
    if (!space.flat && !samePage) return;
    this.words[place + 1] = head;
    this.byHead.get(head)?.incoming.push(place);
  }

  private decode(flat: boolean, pc: number, ramOffset: number, key: number): DecodedBlock | undefined {
    if (this.used > LAST_WORD) this.clear();
    const { steps, end } = readBlock(this.ram, pc, ramOffset, { flat });
    if (steps.length === 0) return undefined;
    const head = this.used;
    const words = HEAD_WORDS + STEP_WORDS * steps.length + LAST_WORDS;
    this.reserve(words);
    this.words.fill(0, head, head + words);
    const last = steps[steps.length - 1];
    this.words[head] = isPrivileged(last.shape) ? steps.length - 1 : steps.length;
    this.words[head + 1] = this.heat;
    this.addresses[head >> 1] = pc;
    let at = head + HEAD_WORDS;
    for (const step of steps) at = this.place(step, at);
    this.placeLinks(last, at, end);
    const block: DecodedBlock = {
      head,
      pc,
      ramOffset,
      flat,
      heat: this.heat,
      incoming: [],
      dropped: false,
      drop: () => this.drop(block, key),
    };
    this.blocks.set(key, block);
    this.byHead.set(head, block);
    this.lines.watch(ramOffset, ramOffset + end - pc, block);
    return block;
  }

  private place({ instruction, pc }: Step, at: number): number {
    const { row, rd, rs1, rs2 } = instruction;
    const { number, constant } = caseOf(row.meaning, rd);
    this.words[at] = number | (rd << RD_SHIFT) | (rs1 << RS1_SHIFT) | (rs2 << RS2_SHIFT);
    this.words[at + 1] = constant === undefined ? 0 : constantValue(constant, instruction, pc);
    this.addresses[at >> 1] = pc;
    this.instructions[at >> 1] = instruction;
    return at + STEP_WORDS;
  }

  /** The links of the last instruction, at its place; or an instruction that only has the one to go on. */
  private placeLinks({ instruction, pc, shape }: Step, end: number, endPc: number): void {
    let at = end - STEP_WORDS;
    const jumps = shape.kind === 'jump' || shape.kind === 'branch';
    if (!jumps && !isPrivileged(shape)) {
      at = end;
      this.words[at] = CASE_GO_ON;
      this.addresses[at >> 1] = endPc;
    }
    if (jumps && isConstant(shape.target))
      this.words[at + TAKEN] = constantValue(shape.target, instruction, pc);
    this.words[at + FALLEN] = endPc;
    this.addresses[(at + TAKEN) >> 1] = pc;
    this.addresses[(at + FALLEN) >> 1] = pc;
    this.used = at + LAST_WORDS;
  }

  private reserve(words: number): void {
    if (this.used + words <= this.words.length) return;
    const { words: old, addresses } = this;
    this.words = new Int32Array(2 * old.length);
    this.words.set(old);
    this.addresses = new Int32Array(old.length);
    this.addresses.set(addresses);
  }

  private drop(block: DecodedBlock, key: number): void {
    block.dropped = true;
    this.blocks.delete(key);
    this.byHead.delete(block.head);
    this.spaces.forgetJump(block.pc);
    for (const place of block.incoming) if (this.words[place + 1] === block.head) this.words[place + 1] = 0;
  }

  private clear(): void {
    for (const block of this.blocks.values()) block.dropped = true;
    this.lines.clear();
    this.words.fill(0);
    this.used = HEAD_WORDS;
  }
}

/** A name for code at an address that is at this offset into RAM. Flat blocks have links across pages, so they are kept apart. */
export function keyOf(flat: boolean, pc: number, ramOffset: number): number {
  return ((ramOffset >>> PAGE_SHIFT) * 2 + (flat ? 1 : 0)) * 2 ** 32 + (pc >>> 0);
}
