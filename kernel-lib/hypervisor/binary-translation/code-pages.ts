/**
 * Which pages of the guest the blocks in the cache come from: by virtual page, because the guest may
 * map other memory there, and by guest-physical page, because it may write to the code.
 */
import { PAGE_BYTES } from '../../machine/page-table';
import type { Block } from './cache';

const pageOf = (address: number): number => Math.floor(address / PAGE_BYTES);

export class CodePages {
  private readonly byVa = new Map<number, { gpa: number; blocks: Set<Block> }>();
  private readonly byGpa = new Map<number, Set<Block>>();

  /** Notes where a block comes from. @returns the guest-physical pages that had no blocks before */
  add(block: Block): number[] {
    const fresh: number[] = [];
    for (const { va, gpa } of block.parts) {
      const page = pageOf(va >>> 0);
      const mapped = this.byVa.get(page);
      if (mapped === undefined) this.byVa.set(page, { gpa: pageOf(gpa), blocks: new Set([block]) });
      else mapped.blocks.add(block);
      const blocks = this.byGpa.get(pageOf(gpa));
      if (blocks === undefined) {
        this.byGpa.set(pageOf(gpa), new Set([block]));
        fresh.push(pageOf(gpa) * PAGE_BYTES);
      } else blocks.add(block);
    }
    return fresh;
  }

  /** Forgets a block. @returns the guest-physical pages that have none now */
  remove(block: Block): number[] {
    const empty: number[] = [];
    for (const { va, gpa } of block.parts) {
      const mapped = this.byVa.get(pageOf(va >>> 0));
      mapped?.blocks.delete(block);
      if (mapped?.blocks.size === 0) this.byVa.delete(pageOf(va >>> 0));
      const blocks = this.byGpa.get(pageOf(gpa));
      blocks?.delete(block);
      if (blocks?.size !== 0) continue;
      this.byGpa.delete(pageOf(gpa));
      empty.push(pageOf(gpa) * PAGE_BYTES);
    }
    return empty;
  }

  /** How many virtual pages there are. */
  get size(): number {
    return this.byVa.size;
  }

  /** Whether blocks come from the guest-physical page at `gpa`. */
  has(gpa: number): boolean {
    return this.byGpa.has(pageOf(gpa));
  }

  /** The blocks made from any of `bytes` bytes of guest-physical memory. */
  madeFrom(gpa: number, bytes: number): Block[] {
    const found = new Set<Block>();
    for (let page = pageOf(gpa); page <= pageOf(gpa + bytes - 1); page++)
      for (const block of this.byGpa.get(page) ?? [])
        if (block.parts.some((part) => part.gpa < gpa + bytes && part.gpa + part.bytes > gpa))
          found.add(block);
    return [...found];
  }

  /**
   * The blocks in pages that no longer lead where they did.
   * @param lookUp where the guest's address leads now; undefined: to a fault
   * @param va only of the page there
   */
  misplaced(lookUp: (va: number) => number | undefined, va?: number): Block[] {
    const pages = va === undefined ? [...this.byVa.keys()] : [pageOf(va >>> 0)];
    return pages.flatMap((page) => {
      const mapped = this.byVa.get(page);
      if (mapped === undefined) return [];
      const gpa = lookUp((page * PAGE_BYTES) | 0);
      return gpa !== undefined && pageOf(gpa) === mapped.gpa ? [] : [...mapped.blocks];
    });
  }
}
