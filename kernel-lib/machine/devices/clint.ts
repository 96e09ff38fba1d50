/**
 * The core-local interruptor: mtime, mtimecmp and the software interrupt of hart 0.
 * Register map as on QEMU's `virt` board (SiFive CLINT): msip 0x0, mtimecmp 0x4000, mtime 0xbff8.
 */
import { csrMask } from '../../isa/csrs';
import type { Device } from '../bus';
import type { Clock } from '../cost';
import { Counter, distance } from '../counter';
import type { StateStream } from '../state';

/** Cycles of the hart for one tick of mtime: a hart of 100 MHz beside QEMU's timebase of 10 MHz. */
export const CYCLES_PER_TICK = 10;

const MSIP = 0x0;
const MTIMECMP = 0x4000;
const MTIME = 0xbff8;
const TIMER_LINE = csrMask('mip', 'MTIP');
const SOFTWARE_LINE = csrMask('mip', 'MSIP');

export class Clint implements Device {
  readonly name = 'clint';
  readonly base = 0x0200_0000;
  readonly size = 0x1_0000;
  /** The two words of mtimecmp: the tick at which the timer interrupt rises. All ones: never. */
  private compareLow = -1;
  private compareHigh = -1;
  private msip = 0;
  private readonly counter = new Counter();

  constructor(private readonly clock: Clock) {}

  /** The words of mtime. int32. */
  get timeLow(): number {
    return this.counter.low(this.ticks);
  }

  get timeHigh(): number {
    return this.counter.high(this.ticks);
  }

  /** mtime and mtimecmp as numbers, for showing; infinity for what no run will reach. */
  get mtime(): number {
    return toNumber(this.timeHigh, this.timeLow);
  }

  get mtimecmp(): number {
    return toNumber(this.compareHigh, this.compareLow);
  }

  /** The interrupt lines that are high, as bits of `mip`. */
  get lines(): number {
    const isDue = this.cyclesUntil(this.compareHigh, this.compareLow) === 0;
    return (isDue ? TIMER_LINE : 0) | (this.msip === 1 ? SOFTWARE_LINE : 0);
  }

  /** The cycle at which the timer line rises next (now, if it is high); infinity for never. */
  get nextEvent(): number {
    return this.clock.cycles + this.cyclesUntil(this.compareHigh, this.compareLow);
  }

  /** Cycles until mtime reaches `high:low`: 0 if it has; infinity if it never will. */
  cyclesUntil(high: number, low: number): number {
    const ticks = distance(high, low, this.timeHigh, this.timeLow);
    return ticks === 0 ? 0 : (this.ticks + ticks) * CYCLES_PER_TICK - this.clock.cycles;
  }

  /** Makes the timer line rise at this cycle, or never (infinity). */
  riseAt(cycle: number): void {
    const tick = Math.ceil(cycle / CYCLES_PER_TICK);
    if (Number.isFinite(cycle)) this.setTimer(this.counter.low(tick), this.counter.high(tick));
    else this.setTimer(-1, -1);
  }

  /** Sets mtimecmp from its two words. */
  setTimer(lowWord: number, highWord: number): void {
    this.compareLow = lowWord | 0;
    this.compareHigh = highWord | 0;
  }

  /** Registers of harts that aren't there read 0, as on QEMU. */
  read(width: 1 | 2 | 4, offset: number): number | undefined {
    if (width !== 4 || (offset & 3) !== 0) return undefined;
    switch (offset) {
      case MSIP:
        return this.msip;
      case MTIMECMP:
        return this.compareLow;
      case MTIMECMP + 4:
        return this.compareHigh;
      case MTIME:
        return this.timeLow;
      case MTIME + 4:
        return this.timeHigh;
      default:
        return 0;
    }
  }

  write(width: 1 | 2 | 4, offset: number, value: number): boolean {
    if (width !== 4 || (offset & 3) !== 0) return false;
    switch (offset) {
      case MSIP:
        this.msip = value & 1;
        return true;
      case MTIMECMP:
        this.compareLow = value;
        return true;
      case MTIMECMP + 4:
        this.compareHigh = value;
        return true;
      case MTIME:
        this.counter.set(this.ticks, this.timeHigh, value);
        return true;
      case MTIME + 4:
        this.counter.set(this.ticks, value, this.timeLow);
        return true;
      default:
        return true;
    }
  }

  exchange(stream: StateStream): void {
    this.compareLow = stream.number(this.compareLow);
    this.compareHigh = stream.number(this.compareHigh);
    this.msip = stream.number(this.msip);
    this.counter.exchange(stream);
  }

  /** Ticks since reset. */
  private get ticks(): number {
    return Math.floor(this.clock.cycles / CYCLES_PER_TICK);
  }
}

function toNumber(high: number, low: number): number {
  const count = (high >>> 0) * 2 ** 32 + (low >>> 0);
  return count < Number.MAX_SAFE_INTEGER ? count : Number.POSITIVE_INFINITY;
}
