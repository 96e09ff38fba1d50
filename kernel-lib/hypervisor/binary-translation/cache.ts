/**
 * The translation cache: translated blocks, chained to each other, in a ring of bounded size.
 *
 * Blocks are found by the guest's virtual address and the guest-physical one: one says what the
 * code computes from its pc, the other what the code is. A new block is placed where the exit
 * that led to it is, if that is the last thing in the cache: the block then falls through into it,
 * at no cost. When the ring is full, the oldest blocks make room. A block that goes is unchained
 * from all that lead to it. Read `translate.ts` first.
 */
import { encode } from '../../code/encode';
import { type Callout, type Emitted, rowCalled, splitConstant } from './emitter';
import {
  BORROWED,
  CACHE_END,
  CACHE_LIMIT_BYTES,
  slotOf,
  TABLE,
  TABLE_BYTES,
  TABLE_SLOT_BYTES,
} from './layout';
import { comparedBy, type Exit, longBranch, type Prediction, tableSlot } from './transfers';
import type { Translation } from './translate';

/** Where the cache's code lies: writes go to real memory. Addresses are those of the cache. */
export interface CodeMemory {
  write(width: 2 | 4, address: number, value: number): void;
}

/** A piece of the guest's code in one page, by virtual (int32) and guest-physical address. */
export interface SourcePart {
  va: number;
  gpa: number;
  bytes: number;
}

/** A translated unit in the cache. */
export interface Block {
  /** The guest's address of the unit. int32. */
  va: number;
  /** Where its code is: two parts, if an instruction reaches into the next page. */
  parts: readonly SourcePart[];
  translation: Translation;
  /** Where it begins in the cache: its entry. */
  begin: number;
  end: number;
  isAlive: boolean;
  /** What leads here: it is unchained when the block goes. */
  incoming: Set<Link>;
  links: Link[];
}

/** An exit or a prediction of a block, and where it leads now. */
export interface Link {
  from: Block;
  exit: Exit | Prediction;
  target: Block | undefined;
}

/** A call of the hypervisor, as found by its address. */
export interface CalloutSite {
  callout: Callout;
  block: Block | undefined;
  pc: number;
  borrowed: readonly number[];
}

const ECALL = encode(rowCalled('ecall'), {});
const NOP = encode(rowCalled('addi'), {});
const BRANCH_REACH = 4094;
const WORD = 4;
const [TARGET, SLOT] = BORROWED;
/** In a slot of the table: where it goes if the target is another one. */
const MISS_OFFSET = 6 * WORD;
const MISS: CalloutSite = { callout: { kind: 'look up' }, block: undefined, pc: 0, borrowed: [TARGET, SLOT] };

export class TranslationCache {
  /** All blocks that can be entered, by virtual address. */
  private readonly byVa = new Map<number, Block[]>();
  /** In the order of their making, those that are gone included until their place is used again. */
  private order: { block: Block; from: number }[] = [];
  /** Where the next block goes, counted on through all rounds of the ring. */
  private tail = 0;
  private readonly callouts = new Map<number, CalloutSite>();
  private readonly covered = new Map<number, CalloutSite>();
  private readonly owners: (Block | undefined)[];
  private readonly mirror: DataView;
  private readonly table = new Map<number, Block>();
  readonly base: number;
  evictions = 0;
  /** Told of each block that goes. */
  dropped: ((block: Block) => void) | undefined;

  /**
   * @param capacity bytes for blocks, the table not counted
   * @throws RangeError if it is more than a jump reaches, or too little to hold a few blocks
   */
  constructor(
    private readonly memory: CodeMemory,
    readonly capacity: number,
  ) {
    if (capacity < 4096 || capacity > CACHE_LIMIT_BYTES || capacity % 4096 !== 0)
      throw new RangeError(
        `A translation cache of ${capacity} bytes: give a multiple of 4096 up to ${CACHE_LIMIT_BYTES}.`,
      );
    this.base = CACHE_END - capacity;
    this.mirror = new DataView(new ArrayBuffer(capacity + TABLE_BYTES));
    this.owners = new Array(capacity / 2);
    for (let at = TABLE; at < TABLE + TABLE_BYTES; at += TABLE_SLOT_BYTES) this.write(4, at, ECALL);
  }

  /** Whether an address (unsigned) is in the cache or its table. */
  contains(address: number): boolean {
    return address >= this.base && address < TABLE + TABLE_BYTES;
  }

  /** The block for the guest's code at these addresses. */
  find(va: number, gpa: number): Block | undefined {
    return this.byVa.get(va)?.find((block) => block.parts[0].gpa === gpa);
  }

  /** All blocks that can be entered. */
  *blocks(): Generator<Block> {
    for (const list of this.byVa.values()) yield* list;
  }

  /** The block whose code is at an address of the cache, one that is no longer entered included. */
  blockAt(address: number): Block | undefined {
    return this.owners[(address - this.base) >> 1];
  }

  /** What the offset map says about an address inside of a block. */
  emittedAt(block: Block, address: number): Emitted | undefined {
    return block.translation.emitted.find((each) => block.begin + each.offset === address);
  }

  /** Where in a block the guest's instruction at `pc` begins with the guest's state whole. */
  startOf(block: Block, pc: number): number | undefined {
    const start = block.translation.emitted.find((each) => each.isStart && each.pc === pc);
    return start === undefined ? undefined : block.begin + start.offset;
  }

  /** The call that the `ecall` at an address is; undefined if there is none. */
  calloutAt(address: number): CalloutSite | undefined {
    if (address >= TABLE) return this.isMiss(address) ? MISS : undefined;
    return this.covered.get(address) ?? this.callouts.get(address);
  }

  /** Whether an address of the table is a call: the first one of an empty slot, and the last of a full one. */
  private isMiss(address: number): boolean {
    const offset = address % TABLE_SLOT_BYTES;
    return offset === (this.table.has(address - offset) ? MISS_OFFSET : 0);
  }

  /** Places a translation; `after` is the link that led to it, if there is one. */
  insert(translation: Translation, parts: readonly SourcePart[], after?: Link): Block {
    const { bytes } = translation;
    const { va } = parts[0];
    const from = this.isLast(after) ? this.tail - WORD : this.tail;
    const at = this.reserve(from, bytes);
    const begin = this.base + (at % this.capacity);
    const block: Block = {
      va,
      parts,
      translation,
      begin,
      end: begin + bytes,
      isAlive: true,
      incoming: new Set(),
      links: [],
    };
    block.links = [...translation.exits, ...(translation.prediction ? [translation.prediction] : [])].map(
      (exit) => ({ from: block, exit, target: undefined }),
    );
    this.order.push({ block, from: at });
    this.byVa.set(va, [...(this.byVa.get(va) ?? []), block]);
    this.owners.fill(block, (begin - this.base) >> 1, (block.end - this.base) >> 1);
    this.writeBlock(block);
    return block;
  }

  /** Chains: from now on the link leads to `target` without the hypervisor. */
  link(link: Link, target: Block): void {
    if (!link.from.isAlive || !target.isAlive || link.target === target) return;
    if (link.target !== undefined) this.unlink(link);
    link.target = target;
    target.incoming.add(link);
    if ('target' in link.exit) this.linkExit(link, link.exit, target);
    else this.linkPrediction(link.from, link.exit, target);
  }

  /** The table leads to `target` from now on, for indirect jumps to its address. */
  enterInTable(target: Block): void {
    const at = tableSlot(target.va);
    this.table.set(at, target);
    const [upper, lower] = splitConstant(target.va);
    const words = [
      encode(rowCalled('lui'), { rd: SLOT, imm: upper }),
      encode(rowCalled('addi'), { rd: SLOT, rs1: SLOT, imm: lower }),
      encode(rowCalled('bne'), { rs1: SLOT, rs2: TARGET, imm: MISS_OFFSET - 2 * WORD }),
      encode(rowCalled('lw'), { rd: TARGET, rs1: 0, imm: slotOf(TARGET) }),
      encode(rowCalled('lw'), { rd: SLOT, rs1: 0, imm: slotOf(SLOT) }),
      jumpWord(at + 5 * WORD, target.begin),
      ECALL,
    ];
    for (const [n, word] of words.entries()) this.write(4, at + n * WORD, word);
  }

  /** Takes a block out: nothing leads to it any more. Its place is used again when it is its turn. */
  drop(block: Block): void {
    if (!block.isAlive) return;
    block.isAlive = false;
    this.dropped?.(block);
    const others = (this.byVa.get(block.va) ?? []).filter((each) => each !== block);
    if (others.length > 0) this.byVa.set(block.va, others);
    else this.byVa.delete(block.va);
    // It may be in execution: what is left of it ends with a call.
    for (const link of block.links) {
      if (isFallThrough(link)) link.target?.incoming.delete(link);
      else this.unlink(link);
    }
    for (const link of [...block.incoming]) this.unlink(link);
    const slot = tableSlot(block.va);
    if (this.table.get(slot) !== block) return;
    this.table.delete(slot);
    this.write(4, slot, ECALL);
  }

  /**
   * Puts a call over the place where a block is left, whatever it is chained to, for as long as
   * `uncover` isn't called. A block that has no such place ends with a call in any case.
   */
  coverLeaving(block: Block): void {
    const { leaving } = block.translation;
    if (leaving === undefined) return;
    const address = block.begin + leaving.offset;
    const { target, guests } = leaving;
    const pc = guests[0]?.pc ?? target ?? block.va;
    if (this.covered.has(address)) return;
    this.covered.set(address, { callout: { kind: 'interrupt', target, guests }, block, pc, borrowed: [] });
    this.memory.write(4, address, ECALL);
  }

  /** Everything that `coverLeaving` has covered is as before. */
  uncover(): void {
    for (const address of this.covered.keys())
      this.memory.write(4, address, this.mirror.getInt32(address - this.base, true));
    this.covered.clear();
  }

  /** Whether a link's slot is the last thing in the cache, so that a block placed there is fallen into. */
  private isLast(link: Link | undefined): boolean {
    if (link === undefined || !link.from.isAlive || this.tail % this.capacity === 0) return false;
    const slotEnd = link.from.begin + link.exit.offset + WORD;
    // A block that is nothing but a slot is no place for another one: both would begin there.
    const isSlotOnly = link.exit.offset === 0;
    return 'target' in link.exit && !isSlotOnly && slotEnd === this.base + (this.tail % this.capacity);
  }

  /** Makes room for `bytes` from `from` on, or from the next round's begin. @returns where */
  private reserve(from: number, bytes: number): number {
    const left = this.capacity - (from % this.capacity);
    const at = bytes <= left ? from : this.tail - (this.tail % this.capacity) + this.capacity;
    while (this.order.length > 0 && at + bytes - this.order[0].from > this.capacity) {
      const { block } = this.order[0];
      this.order.shift();
      if (block.isAlive) this.evictions++;
      this.drop(block);
      this.forget(block);
    }
    this.tail = at + bytes;
    return at;
  }

  private writeBlock(block: Block): void {
    for (const { offset, word, length, pc, borrowed, callout } of block.translation.emitted) {
      const address = block.begin + offset;
      this.callouts.delete(address);
      this.write(length, address, word);
      if (callout === undefined) continue;
      this.callouts.set(address, { callout, block, pc, borrowed });
      this.write(4, address, ECALL);
    }
  }

  private linkExit(link: Link, exit: Exit, target: Block): void {
    const { from } = link;
    const slot = from.begin + exit.offset;
    if (!isFallThrough(link)) {
      this.callouts.delete(slot);
      this.write(4, slot, jumpWord(slot, target.begin));
    }
    if (exit.branch === undefined) return;
    const at = from.begin + exit.branch.offset;
    const distance = target.begin - at;
    if (distance > 0 || distance < -BRANCH_REACH) return;
    // A loop: the branch itself goes back.
    const { guest } = exit.branch;
    this.write(4, at, encode(longBranch(guest), { ...comparedBy(guest), imm: distance }));
    this.write(4, slot, NOP);
  }

  private linkPrediction(from: Block, prediction: Prediction, target: Block): void {
    const { guest, offset, scratch, constantOffset, slotOffset } = prediction;
    const predicted = (target.va - (guest.instruction?.imm ?? 0)) | 0;
    const [upper, lower] = splitConstant(predicted);
    const constantAt = from.begin + constantOffset;
    this.write(4, constantAt, encode(rowCalled('lui'), { rd: scratch, imm: upper }));
    this.write(4, constantAt + WORD, encode(rowCalled('addi'), { rd: scratch, rs1: scratch, imm: lower }));
    const slot = from.begin + slotOffset;
    this.write(4, slot, jumpWord(slot, target.begin));
    this.callouts.delete(from.begin + offset);
    this.write(4, from.begin + offset, this.wordOf(from, offset));
  }

  /** The block's place is free. Its last slot may be another block's begin by now. */
  private forget(block: Block): void {
    for (let at = block.begin; at < block.end; at += 2) {
      if (this.blockAt(at) === block) this.owners[(at - this.base) >> 1] = undefined;
      if (this.callouts.get(at)?.block === block) this.callouts.delete(at);
      if (this.covered.get(at)?.block === block) this.covered.delete(at);
    }
  }

  /** What the link was before it led anywhere. */
  private unlink(link: Link): void {
    const { from, exit, target } = link;
    link.target = undefined;
    target?.incoming.delete(link);
    const offsets =
      'target' in exit && exit.branch !== undefined ? [exit.branch.offset, exit.offset] : [exit.offset];
    for (const offset of offsets) this.restore(from, offset);
  }

  private restore(block: Block, offset: number): void {
    const emitted = block.translation.emitted.find((each) => each.offset === offset);
    if (emitted === undefined) return;
    const { callout, pc, borrowed, word } = emitted;
    const address = block.begin + offset;
    if (callout !== undefined) this.callouts.set(address, { callout, block, pc, borrowed });
    this.write(4, address, callout === undefined ? word : ECALL);
  }

  private wordOf(block: Block, offset: number): number {
    return block.translation.emitted.find((each) => each.offset === offset)?.word ?? ECALL;
  }

  /** Writes code; under a cover it comes into force when that is lifted. */
  private write(width: 2 | 4, address: number, value: number): void {
    const offset = address - this.base;
    if (width === 2) this.mirror.setInt16(offset, value, true);
    else this.mirror.setInt32(offset, value, true);
    if (!this.covered.has(address)) this.memory.write(width, address, value);
  }
}

/** Whether a link's target was placed where its slot is. A jump to itself leads there, too, but needs its slot. */
function isFallThrough({ from, exit, target }: Link): boolean {
  return target !== from && target?.begin === from.begin + exit.offset;
}

function jumpWord(from: number, to: number): number {
  return encode(rowCalled('jal'), { rd: 0, imm: to - from });
}
