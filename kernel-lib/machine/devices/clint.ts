/**
 * The core-local interruptor: mtime, mtimecmp and the software interrupt of hart 0.
 * Register map as on QEMU's `virt` board (SiFive CLINT): msip 0x0, mtimecmp 0x4000, mtime 0xbff8.
 */
import { csrMask } from '../../isa/csrs';
import type { Device } from '../bus';
import type { Clock } from '../cost';

/** Cycles of the hart for one tick of mtime: a hart of 100 MHz beside QEMU's timebase of 10 MHz. */
export const CYCLES_PER_TICK = 10;

const MSIP = 0x0;
const MTIMECMP = 0x4000;
const MTIME = 0xbff8;
const TIMER_LINE = csrMask('mip', 'MTIP');
const SOFTWARE_LINE = csrMask('mip', 'MSIP');
const TWO_TO_THE_32 = 2 ** 32;

export class Clint implements Device {
  readonly name = 'clint';
  readonly base = 0x0200_0000;
  readonly size = 0x1_0000;
  /** The two words of mtimecmp: the tick at which the timer interrupt rises. All ones: never. */
  private compareLow = -1;
  private compareHigh = -1;
  private msip = 0;
  /** What a write to mtime added. In ticks. */
  private offset = 0;

  constructor(private readonly clock: Clock) {}

  get mtime(): number {
    return Math.floor(this.clock.cycles / CYCLES_PER_TICK) + this.offset;
  }

  get mtimecmp(): number {
    return halves(this.compareHigh, this.compareLow);
  }

  /** The interrupt lines that are high, as bits of `mip`. */
  get lines(): number {
    return (this.mtime >= this.mtimecmp ? TIMER_LINE : 0) | (this.msip === 1 ? SOFTWARE_LINE : 0);
  }

  /** The cycle at which the timer line rises next; infinity if it is not set. */
  get nextEvent(): number {
    return (this.mtimecmp - this.offset) * CYCLES_PER_TICK;
  }

  /** Makes the timer line rise at this cycle, or never (infinity). */
  riseAt(cycle: number): void {
    const tick = Math.ceil(cycle / CYCLES_PER_TICK) + this.offset;
    this.setTimer(low(tick), high(tick));
  }

  /** Sets mtimecmp from its two words. */
  setTimer(lowWord: number, highWord: number): void {
    this.compareLow = lowWord | 0;
    this.compareHigh = highWord | 0;
  }

  read(width: 1 | 2 | 4, offset: number): number | undefined {
    if (width !== 4) return undefined;
    switch (offset) {
      case MSIP:
        return this.msip;
      case MTIMECMP:
        return this.compareLow;
      case MTIMECMP + 4:
        return this.compareHigh;
      case MTIME:
        return low(this.mtime);
      case MTIME + 4:
        return high(this.mtime);
      default:
        return undefined;
    }
  }

  write(width: 1 | 2 | 4, offset: number, value: number): boolean {
    if (width !== 4) return false;
    const word = value >>> 0;
    switch (offset) {
      case MSIP:
        this.msip = word & 1;
        return true;
      case MTIMECMP:
        this.compareLow = value;
        return true;
      case MTIMECMP + 4:
        this.compareHigh = value;
        return true;
      case MTIME:
        this.offset += halves(high(this.mtime), word) - this.mtime;
        return true;
      case MTIME + 4:
        this.offset += halves(word, low(this.mtime)) - this.mtime;
        return true;
      default:
        return false;
    }
  }
}

/** The words of a 64-bit count; infinity, which stands for never, is all ones. */
function low(count: number): number {
  return Number.isFinite(count) ? (count % TWO_TO_THE_32) | 0 : -1;
}

function high(count: number): number {
  return Number.isFinite(count) ? (count / TWO_TO_THE_32) | 0 : -1;
}

/** A 64-bit count from its words; what no simulation will reach counts as never. */
function halves(highWord: number, lowWord: number): number {
  const count = (highWord >>> 0) * TWO_TO_THE_32 + (lowWord >>> 0);
  return count >= Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : count;
}
