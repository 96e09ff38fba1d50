/**
 * The translation look-aside buffer: translations that the hart remembers.
 *
 * Two banks, for fetching and for data, each fully associative and replaced in turn (FIFO), so
 * that what is in them depends on the misses alone: a fast path that skips the TLB for pages it
 * already knows changes nothing. An entry is tagged with the address space, unless it is global.
 * Whoever keeps translations of his own listens to `listener`: it hears of all that must go.
 * Priv, Supervisor Memory-Management Fence Instruction.
 */
import { Pte } from './page-table';
import { SnapshotError, type StateStream } from './state';

/** Told when translations that were given may no longer be used: of one address space, or of all if `asid` is undefined. */
export interface TlbListener {
  /** Those of the page at this virtual address. */
  dropPage(va: number, asid: number | undefined): void;
  /** Those of all pages. Of all address spaces: what is physical, too, for PMP may have changed. */
  dropAll(asid: number | undefined): void;
}

/** An entry, for showing. */
export interface TlbEntry {
  bank: 'fetch' | 'data';
  va: number;
  pa: number;
  bytes: number;
  /** Undefined: of all address spaces. */
  asid: number | undefined;
  /** The bits of the page-table entry. */
  flags: number;
}

/** Words per entry: virtual page with its mask, address space, page-table entry. */
const WORDS = 3;
const EMPTY = 0;
const SUPERPAGE = 1;
const FILLED = 2;
const SUPERPAGE_MASK = 0xffc00000 | 0;
const PAGE_MASK = 0xfffff000 | 0;

export class Tlb {
  listener: TlbListener | undefined;
  /** Look-ups that found nothing, since reset: each has cost a walk through the page table. */
  misses = 0;
  /** Look-ups that found something. Engines' fast paths look up less often, so this differs among them. */
  hits = 0;
  /** Per bank `entries` of: page | FILLED | SUPERPAGE, address space, page-table entry. */
  readonly words: Int32Array;
  /** Per bank, the entry to be replaced next. */
  readonly nextVictim = new Int32Array(2);

  /**
   * @param entries of each bank
   * @throws if there are none
   */
  constructor(readonly entries: number) {
    if (!Number.isInteger(entries) || entries < 2 || entries > 4096)
      throw new RangeError(`A TLB of ${entries} entries per bank: give a number from 2 to 4096.`);
    this.words = new Int32Array(2 * entries * WORDS);
  }

  /** Where the translation of `va` is: an index for `pte` and `isSuperpage`, or -1. */
  find(isFetch: boolean, va: number, asid: number): number {
    const { words } = this;
    const page = pageTag(va);
    const superpage = superpageTag(va);
    const begin = isFetch ? 0 : this.entries * WORDS;
    const end = begin + this.entries * WORDS;
    for (let at = begin; at < end; at += WORDS) {
      const tag = words[at];
      if (tag !== page && tag !== superpage) continue;
      if (words[at + 1] === asid || (words[at + 2] & Pte.G) !== 0) return at;
    }
    return -1;
  }

  /** The page-table entry at an index that `find` gave. */
  pte(index: number): number {
    return this.words[index + 2];
  }

  isSuperpage(index: number): boolean {
    return (this.words[index] & SUPERPAGE) !== 0;
  }

  /** Remembers a translation, in the place of the same page's or of the oldest one. */
  fill(isFetch: boolean, va: number, asid: number, pte: number, isSuperpage: boolean): void {
    let at = this.find(isFetch, va, asid);
    if (at < 0) {
      const bank = isFetch ? 0 : 1;
      at = (bank * this.entries + this.nextVictim[bank]) * WORDS;
      this.nextVictim[bank] = (this.nextVictim[bank] + 1) % this.entries;
    }
    this.empty(at);
    this.words[at] = isSuperpage ? superpageTag(va) : pageTag(va);
    this.words[at + 1] = asid;
    this.words[at + 2] = pte;
  }

  /**
   * Forgets translations.
   * @param va of the page at this address only; undefined: of all
   * @param asid of this address space only, global ones excepted; undefined: of all
   */
  flush(va?: number, asid?: number): void {
    const { words } = this;
    const page = va === undefined ? EMPTY : pageTag(va);
    const superpage = va === undefined ? EMPTY : superpageTag(va);
    let isWide = va === undefined;
    for (let at = 0; at < words.length; at += WORDS) {
      const tag = words[at];
      if (tag === EMPTY || (va !== undefined && tag !== page && tag !== superpage)) continue;
      if (asid !== undefined && (words[at + 1] !== asid || (words[at + 2] & Pte.G) !== 0)) continue;
      words[at] = EMPTY;
      isWide ||= (tag & SUPERPAGE) !== 0;
    }
    if (isWide) this.listener?.dropAll(asid);
    else this.listener?.dropPage(va ?? 0, asid);
  }

  /** The entries, for showing. Physical addresses are unsigned and have up to 34 bits. */
  contents(): TlbEntry[] {
    const shown: TlbEntry[] = [];
    for (let at = 0; at < this.words.length; at += WORDS) {
      const [tag, asid, pte] = this.words.subarray(at, at + WORDS);
      if ((tag & FILLED) === 0) continue;
      shown.push({
        bank: at < this.entries * WORDS ? 'fetch' : 'data',
        va: (tag & PAGE_MASK) >>> 0,
        pa: (pte >>> 10) * 4096,
        bytes: (tag & SUPERPAGE) !== 0 ? 2 ** 22 : 4096,
        asid: (pte & Pte.G) !== 0 ? undefined : asid,
        flags: pte & 0xff,
      });
    }
    return shown;
  }

  exchange(stream: StateStream): void {
    stream.array(this.words);
    stream.array(this.nextVictim);
    this.misses = stream.number(this.misses);
    if (this.nextVictim.some((victim) => victim < 0 || victim >= this.entries))
      throw new SnapshotError('The snapshot is damaged: no such TLB entry.');
    this.listener?.dropAll(undefined);
  }

  private empty(at: number): void {
    const tag = this.words[at];
    if ((tag & FILLED) === 0) return;
    const asid = (this.words[at + 2] & Pte.G) !== 0 ? undefined : this.words[at + 1];
    this.words[at] = EMPTY;
    if ((tag & SUPERPAGE) !== 0) this.listener?.dropAll(asid);
    else this.listener?.dropPage(tag & PAGE_MASK, asid);
  }
}

/** The first word of an entry for the page, or for the 4 MiB, at an address. */
const pageTag = (va: number): number => (va & PAGE_MASK) | FILLED;
const superpageTag = (va: number): number => (va & SUPERPAGE_MASK) | FILLED | SUPERPAGE;
