/**
 * Random-access memory: a range of physical addresses over an ArrayBuffer, little-endian.
 *
 * Addresses are physical and unsigned. Callers ask `holds` first; a read or write that isn't
 * wholly inside is a mistake of the caller. Engines that keep decoded code watch the memory: they
 * hear of every write that goes through these methods. (Who changes `bytes` directly must tell
 * them, with `changed`.)
 */

import type { StateStream } from './state';

/** Told after `count` bytes from `pa` on have been written. */
export type MemoryWatcher = (pa: number, count: number) => void;

export class Memory {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly watchers: MemoryWatcher[] = [];

  /**
   * @param base the first address
   * @param size in bytes
   * @param storage where the bytes are kept: new zeros, or a part of another memory
   */
  constructor(
    readonly base: number,
    readonly size: number,
    storage: Uint8Array = new Uint8Array(size),
  ) {
    this.bytes = storage;
    this.view = new DataView(storage.buffer, storage.byteOffset, size);
  }

  /** From now on `watcher` hears of all writes. */
  watch(watcher: MemoryWatcher): void {
    this.watchers.push(watcher);
  }

  /** Tells the watchers that `count` bytes from `pa` on are no longer what they were. */
  changed(pa: number, count: number): void {
    for (const watcher of this.watchers) watcher(pa, count);
  }

  /**
   * A part of this memory as a memory of its own, at other addresses: the RAM of a virtual machine.
   * Writes to it are writes to this one.
   * @param pa where the part begins in this memory
   * @param base the first address of the part as its user sees it
   * @throws RangeError if the part is not wholly inside
   */
  slice(pa: number, size: number, base: number): Memory {
    if (!this.holds(pa, size)) throw new RangeError(this.misfit(pa, size));
    const offset = pa - this.base;
    const part = new Memory(base, size, this.bytes.subarray(offset, offset + size));
    part.watch((at, count) => this.changed(at - base + pa, count));
    return part;
  }

  /** Whether all of `count` bytes from `pa` on are in this memory. */
  holds(pa: number, count: number): boolean {
    return pa >= this.base && pa - this.base + count <= this.size;
  }

  /** The 1, 2 or 4 bytes at `pa`, zero-extended (a word comes as int32). Any alignment. */
  read(width: 1 | 2 | 4, pa: number): number {
    const offset = pa - this.base;
    if (width === 4) return this.view.getInt32(offset, true);
    return width === 2 ? this.view.getUint16(offset, true) : this.view.getUint8(offset);
  }

  write(width: 1 | 2 | 4, pa: number, value: number): void {
    const offset = pa - this.base;
    if (width === 4) this.view.setInt32(offset, value, true);
    else if (width === 2) this.view.setInt16(offset, value, true);
    else this.view.setInt8(offset, value);
    if (this.watchers.length > 0) this.changed(pa, width);
  }

  /**
   * Copies bytes in.
   * @throws RangeError if they don't fit
   */
  copyIn(pa: number, source: Uint8Array): void {
    if (!this.holds(pa, source.length)) throw new RangeError(this.misfit(pa, source.length));
    this.bytes.set(source, pa - this.base);
    this.changed(pa, source.length);
  }

  /** Saves or restores the pages that hold anything but zeros; the others become zero. */
  exchange(stream: StateStream): void {
    const pages = Math.ceil(this.size / PAGE_BYTES);
    const page = (n: number) => this.bytes.subarray(n * PAGE_BYTES, (n + 1) * PAGE_BYTES);
    const isFilled = Uint8Array.from({ length: pages }, (_, n) => (isZero(page(n)) ? 0 : 1));
    stream.array(isFilled);
    for (let n = 0; n < pages; n++) {
      if (isFilled[n] === 1) stream.array(page(n));
      else page(n).fill(0);
    }
    this.changed(this.base, this.size);
  }

  private misfit(pa: number, count: number): string {
    const end = this.base + this.size;
    return (
      `${count} bytes at 0x${pa.toString(16)} do not fit into memory, which is ` +
      `0x${this.base.toString(16)} up to 0x${end.toString(16)}. Give the machine more RAM or move the program.`
    );
  }
}

const PAGE_BYTES = 4096;
const ZEROS = new Uint8Array(PAGE_BYTES);

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0;
}
