/**
 * The platform-level interrupt controller: from the devices' lines to the hart's external
 * interrupts, for M mode (context 0) and S mode (context 1).
 *
 * A device that raises its line makes its source pending; the handler claims the pending source of
 * highest priority, and completes it when it has seen to the device. Until then the source is not
 * offered again. As on QEMU, a line that falls takes its request back, and one that just stays high
 * makes no new one until the device says again that it is: there are kernels that never acknowledge.
 * RISC-V Platform-Level Interrupt Controller Specification 1.0.0; memory map as on QEMU's `virt`.
 */
import { csrMask } from '../../isa/csrs';
import type { Device } from '../bus';
import type { StateStream } from '../state';

/** Sources are numbered from 1; 0 means none. */
export const PLIC_SOURCES = 96;
const CONTEXTS = 2;
const HIGHEST_PRIORITY = 7;
const WORDS = PLIC_SOURCES / 32;

const PRIORITY = 0x0;
const PENDING = 0x1000;
const ENABLE = 0x2000;
const ENABLE_STRIDE = 0x80;
const CONTEXT = 0x20_0000;
const CONTEXT_STRIDE = 0x1000;
const THRESHOLD = 0;
const CLAIM = 4;

/** The bit of `mip` for each context. */
const LINES = [csrMask('mip', 'MEIP'), csrMask('mip', 'SEIP')];

export class Plic implements Device {
  readonly name = 'plic';
  readonly base = 0x0c00_0000;
  readonly size = 0x60_0000;
  /** The contexts that have something to claim, as bits of `mip`. */
  lines = 0;
  /** Per source: 1 if it waits to be claimed; if it is being handled. */
  private readonly pending = new Uint8Array(PLIC_SOURCES);
  private readonly claimed = new Uint8Array(PLIC_SOURCES);
  private readonly priority = new Uint8Array(PLIC_SOURCES);
  private readonly threshold = new Uint8Array(CONTEXTS);
  private readonly enabled = new Uint32Array(CONTEXTS * WORDS);

  /** A device says whether its line is high. */
  setLine(source: number, isHigh: boolean): void {
    if ((this.pending[source] === 1) === isHigh) return;
    this.pending[source] = isHigh ? 1 : 0;
    this.update();
  }

  /** Reserved registers read 0, as on QEMU. */
  read(width: 1 | 2 | 4, offset: number): number | undefined {
    if (width !== 4 || (offset & 3) !== 0) return undefined;
    if (offset >= CONTEXT) return this.readContext(offset - CONTEXT);
    if (offset >= ENABLE) return this.enabled[enableIndex(offset)] ?? 0;
    if (offset >= PENDING) return this.pendingWord((offset - PENDING) / 4);
    return this.priority[offset / 4] ?? 0;
  }

  write(width: 1 | 2 | 4, offset: number, value: number): boolean {
    if (width !== 4 || (offset & 3) !== 0) return false;
    if (offset >= CONTEXT) this.writeContext(offset - CONTEXT, value);
    else if (offset >= ENABLE) {
      const index = enableIndex(offset);
      if (index < this.enabled.length) this.enabled[index] = index % WORDS === 0 ? value & ~1 : value;
    } else if (offset > PRIORITY && offset / 4 < PLIC_SOURCES)
      this.priority[offset / 4] = value & HIGHEST_PRIORITY;
    this.update();
    return true;
  }

  exchange(stream: StateStream): void {
    for (const part of [this.pending, this.claimed, this.priority, this.threshold, this.enabled])
      stream.array(part);
    this.update();
  }

  private readContext(offset: number): number {
    const context = Math.floor(offset / CONTEXT_STRIDE);
    if (context >= CONTEXTS) return 0;
    if (offset % CONTEXT_STRIDE === THRESHOLD) return this.threshold[context];
    return offset % CONTEXT_STRIDE === CLAIM ? this.claim(context) : 0;
  }

  private writeContext(offset: number, value: number): void {
    const context = Math.floor(offset / CONTEXT_STRIDE);
    if (context >= CONTEXTS) return;
    if (offset % CONTEXT_STRIDE === THRESHOLD) this.threshold[context] = value & HIGHEST_PRIORITY;
    else if (offset % CONTEXT_STRIDE === CLAIM && this.isEnabled(context, value >>> 0))
      this.claimed[value] = 0;
  }

  private claim(context: number): number {
    const source = this.best(context);
    if (source > 0) {
      this.pending[source] = 0;
      this.claimed[source] = 1;
      this.update();
    }
    return source;
  }

  /** The source that a claim gives: the pending one of highest priority, of these the lowest number. */
  private best(context: number): number {
    let best = 0;
    for (let source = 1; source < PLIC_SOURCES; source++) {
      if (this.pending[source] === 0 || this.claimed[source] === 1) continue;
      if (this.priority[source] > this.priority[best] && this.isEnabled(context, source)) best = source;
    }
    return best;
  }

  private isEnabled(context: number, source: number): boolean {
    if (source >= PLIC_SOURCES) return false;
    return ((this.enabled[context * WORDS + (source >> 5)] >>> (source & 31)) & 1) === 1;
  }

  private update(): void {
    this.lines = 0;
    if (!this.pending.includes(1)) return;
    for (let context = 0; context < CONTEXTS; context++)
      if (this.priority[this.best(context)] > this.threshold[context]) this.lines |= LINES[context];
  }

  private pendingWord(index: number): number {
    let word = 0;
    for (let bit = 0; bit < 32; bit++) word |= (this.pending[32 * index + bit] ?? 0) << bit;
    return word;
  }
}

/** The index into the enable words, or one that is out of range. */
function enableIndex(offset: number): number {
  const context = Math.floor((offset - ENABLE) / ENABLE_STRIDE);
  const word = ((offset - ENABLE) % ENABLE_STRIDE) / 4;
  return word < WORDS ? context * WORDS + word : Number.MAX_SAFE_INTEGER;
}
