/**
 * What a hypervisor keeps of the real machine for itself: page frames to build tables in, and
 * numbers of address spaces (ASIDs) to tell its tables apart in the TLB.
 *
 * A VM has frames of its own, so that no guest can use up another's; the numbers are the hart's,
 * so VMs on one machine share them.
 */
import { csrMask } from '../isa/csrs';
import type { Memory } from '../machine/memory';
import { PAGE_BYTES } from '../machine/page-table';
import type { Tlb } from '../machine/tlb';

const ASID_SHIFT = 22;
const LAST_ASID = csrMask('satp', 'ASID') >>> ASID_SHIFT;

/** Frames of real RAM, given out one at a time. */
export class Frames {
  /** Bytes. */
  readonly size: number;
  private readonly free: number[] = [];

  /**
   * @param base physical address of the first frame, a multiple of 4 KiB
   * @param size in bytes; what is beyond the last whole frame stays unused
   * @throws RangeError if they are not in RAM
   */
  constructor(
    private readonly ram: Memory,
    readonly base: number,
    size: number,
  ) {
    this.size = size - (size % PAGE_BYTES);
    if (base % PAGE_BYTES !== 0 || !ram.holds(base, this.size))
      throw new RangeError(
        `Frames at 0x${base.toString(16)}, ${size} bytes: give whole pages inside of RAM.`,
      );
    for (let pa = base + this.size - PAGE_BYTES; pa >= base; pa -= PAGE_BYTES) this.free.push(pa);
  }

  /** How many frames are left. */
  get available(): number {
    return this.free.length;
  }

  /** The physical address of a frame full of zeros; undefined if none is left. */
  allocate(): number | undefined {
    const pa = this.free.pop();
    if (pa !== undefined) {
      const offset = pa - this.ram.base;
      this.ram.bytes.fill(0, offset, offset + PAGE_BYTES);
      this.ram.changed(pa, PAGE_BYTES);
    }
    return pa;
  }

  /**
   * Frames one behind the other. @returns the physical address of the first
   * @throws RangeError if the next ones are not: ask before others have taken some and given them back
   */
  allocateInARow(count: number): number {
    const all = Array.from({ length: count }, () => this.allocate() ?? Number.NaN);
    if (all.some((pa, n) => pa !== all[0] + n * PAGE_BYTES))
      throw new RangeError(`There are no ${count} frames in a row left. Give the VM more of them.`);
    return all[0];
  }

  /** Takes a frame back. */
  release(pa: number): void {
    this.free.push(pa);
  }
}

/** The hart's address-space numbers. None is given out twice without the TLB forgetting it in between. */
export class Asids {
  /** Counts the times that the numbers began anew: a number from before is no longer its owner's. */
  generation = 0;
  private last = 0;
  /** Those that nobody uses any more. */
  private readonly returned: number[] = [];

  constructor(private readonly tlb: Tlb) {}

  /** A number that the TLB knows nothing of: the one that was given back last, if there is one. */
  take(): number {
    const again = this.returned.pop();
    if (again !== undefined) {
      this.tlb.flush(undefined, again);
      return again;
    }
    if (this.last === LAST_ASID) {
      this.last = 0;
      this.generation++;
      this.tlb.flush();
    }
    return ++this.last;
  }

  /** Takes a number back that was taken in a generation. */
  giveBack(asid: number, generation: number): void {
    if (generation === this.generation) this.returned.push(asid);
  }
}
