/**
 * A guest that is run from blocks in a cache: each instruction is executed as it was when its block
 * was made. What is in memory by then is compared, so that a block that is out of date is found at
 * the instruction where it does harm.
 */
import { hex } from '../../../bits';
import { disassemble } from '../../../code/disassemble';
import type { Program } from '../../../code/program';
import { createMachine } from '../../../engine/create';
import { carryOut } from '../../../engine/reference';
import { discover } from '../../../hypervisor/binary-translation/discover';
import type { GuestInstruction } from '../../../hypervisor/binary-translation/treatment';
import type { Machine } from '../../../machine/machine';
import { Firmware } from '../../../machine/sbi';
import { type Failure, inCase } from '../../check';
import { told } from '../told';

/** A basic block of a guest, by its address (int32). */
export interface GuestBlock {
  pc: number;
  instructions: readonly GuestInstruction[];
}

/** The blocks of a guest by their address. */
export type BlockCache = Map<number, GuestBlock>;

/** Gives the block at an address, from the cache or translated. */
export type FindBlock = (cache: BlockCache, pc: number, translate: (pc: number) => GuestBlock) => GuestBlock;

/** Takes blocks out that are no longer what is in memory. `read`: 2 or 4 bytes at an address. */
export type FenceBlocks = (cache: BlockCache, read: (address: number, bytes: 2 | 4) => number) => void;

const MOST_INSTRUCTIONS = 60_000;

/** A run from a cache, as far as it got. */
export class CachedRun {
  readonly machine: Machine;
  readonly cache: BlockCache = new Map();
  /** Blocks made, in order. */
  readonly translated: number[] = [];
  private readonly translatedNow = new Set<number>();
  executed = 0;

  constructor(
    program: Program,
    private readonly find: FindBlock,
    private readonly fence: FenceBlocks,
  ) {
    this.machine = createMachine();
    new Firmware(this.machine).boot(program);
  }

  /** Runs the guest to its end. @returns what went wrong first, if anything did */
  run(): Failure | undefined {
    const { machine } = this;
    while (machine.stopped === undefined && this.executed < MOST_INSTRUCTIONS) {
      const failure = this.runBlock();
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  private runBlock(): Failure | undefined {
    const { machine, cache } = this;
    const { hart } = machine;
    const { pc } = hart;
    let asked: number | undefined;
    const translate = (va: number) => {
      asked = va;
      return this.translate(va);
    };
    const block = inCase(`The guest is at ${hex(pc)}.`, () => this.find(cache, pc, translate));
    const failure = this.judgeFound(pc, asked, block);
    if (failure !== undefined) return failure;
    for (const guest of block.instructions) {
      if (hart.pc !== guest.pc || machine.stopped !== undefined) return undefined;
      if (this.read(guest.pc, guest.length === 2 ? 2 : 4) !== guest.word) return this.outOfDate(guest);
      this.executed++;
      if (guest.instruction === undefined || !carryOut(machine, guest.instruction)) return undefined;
      if (guest.instruction.row.meaning.kind === 'fenceInstructions') return this.fenced();
    }
    return undefined;
  }

  private judgeFound(
    pc: number,
    asked: number | undefined,
    block: GuestBlock | undefined,
  ): Failure | undefined {
    const where = `The guest is at ${hex(pc)}, after ${this.executed.toLocaleString('en-GB')} instructions.`;
    if (block === undefined || block === null)
      return { untouched: asked === undefined, message: `${where} Your function gives no block.` };
    if (!Number.isInteger(block.pc) || !Array.isArray(block.instructions))
      return { message: `${where} Your function gives ${told(block)}, which is no block.` };
    if (block.pc !== pc) return { message: `${where} Your function gives the block at ${hex(block.pc)}.` };
    if (asked === undefined) return undefined;
    if (asked !== pc)
      return {
        message: `${where} Your function translates ${hex(asked)}, where the guest may never come: translate on demand.`,
      };
    if (this.translatedNow.has(pc))
      return {
        message: `${where} The block there was translated before, and nothing has changed: your function translates it again.`,
      };
    this.translatedNow.add(pc);
    this.translated.push(pc);
    return undefined;
  }

  private translate(va: number): GuestBlock {
    return { pc: va, instructions: discover((at) => this.read(at, 2), va) };
  }

  private read(address: number, bytes: 2 | 4): number {
    return this.machine.ram.read(bytes, address >>> 0);
  }

  private outOfDate({ pc, word }: GuestInstruction): Failure {
    const now = this.read(pc, 4);
    return {
      message:
        `After ${this.executed.toLocaleString('en-GB')} instructions the guest is at ${hex(pc)}. In memory there is ` +
        `\`${disassemble(now, pc)}\`; the cache executes \`${disassemble(word, pc)}\`, which is out of date.`,
    };
  }

  /** The guest has executed `fence.i`. */
  private fenced(): Failure | undefined {
    const { cache } = this;
    const before = [...cache.values()];
    const isStale = ({ instructions }: GuestBlock) =>
      instructions.some(({ pc, word, length }) => this.read(pc, length === 2 ? 2 : 4) !== word);
    const stale = before.filter(isStale);
    let reads = 0;
    this.fence(cache, (address, bytes) => {
      reads++;
      return this.read(address, bytes);
    });
    const left = before.find((block) => cache.has(block.pc) && isStale(block));
    const lost = before.find((block) => !cache.has(block.pc) && !isStale(block));
    const when = `At the fence.i after ${this.executed.toLocaleString('en-GB')} instructions, ${stale.length} of ${before.length} blocks are out of date.`;
    if (left !== undefined)
      return {
        untouched: reads === 0 && cache.size === before.length,
        message: `${when} The one at ${hex(left.pc)} is, and is still in the cache.`,
      };
    if (lost !== undefined)
      return {
        message: `${when} The one at ${hex(lost.pc)} is as it was, but is no longer in the cache: it will be translated for nothing.`,
      };
    for (const { pc } of stale) this.translatedNow.delete(pc);
    return undefined;
  }
}
