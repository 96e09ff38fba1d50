/**
 * A split virtqueue: three rings in the guest's memory through which driver and device exchange
 * buffers. Virtual I/O Device (VIRTIO) 1.2, Split Virtqueues.
 *
 * The driver puts chains of descriptors into the *available* ring, the device gives them back in
 * the *used* ring. All of it is the guest's memory, and may hold anything: what makes no sense
 * makes the device fail, nothing else.
 */
import type { Memory } from '../memory';
import type { StateStream } from '../state';

export const QUEUE_SIZE_MAX = 256;
const DESCRIPTOR_BYTES = 16;
const NEXT = 1; // the chain goes on
const WRITE = 2; // the device writes to this buffer, else it reads from it
const INDIRECT = 4;
const NO_INTERRUPT = 1; // in the available ring's flags
/** More than any driver asks for at once; it bounds the work that one notification can make. */
const BYTES_MAX = 2 ** 22;

/** A piece of guest memory; undefined: of none. */
interface Buffer {
  pa: number | undefined;
  bytes: number;
}

/**
 * One buffer of a chain may be where no RAM is, up to so many bytes: zeros are read there, and what is
 * written is gone. As on QEMU: there are drivers for RV32 that extend a pointer by its sign to 64 bits.
 */
const ELSEWHERE_BYTES_MAX = 4096;

/** A request: what the driver has written, and where it wants the answer. */
export interface Chain {
  head: number;
  readable: Uint8Array;
  writable: readonly Buffer[];
  /** Bytes that fit into the answer. */
  capacity: number;
}

export class Virtqueue {
  size = 0;
  ready = false;
  /** Physical addresses of the rings. Unsigned. */
  descriptors = 0;
  available = 0;
  used = 0;
  /** How many chains were taken from the available ring, modulo 2 ** 16. */
  private taken = 0;

  /** As after reset. */
  reset(): void {
    this.size = 0;
    this.ready = false;
    this.descriptors = this.available = this.used = 0;
    this.taken = 0;
  }

  /** Whether the driver has made something available that was not taken yet. */
  hasNext(ram: Memory): boolean {
    if (!this.isSound(ram)) return false;
    const waiting = (ram.read(2, this.available + 2) - this.taken) & 0xffff;
    return waiting > 0 && waiting <= this.size;
  }

  /** Takes the next chain; undefined if its descriptors make no sense. Ask `hasNext` first. */
  next(ram: Memory): Chain | undefined {
    const head = ram.read(2, this.available + 4 + 2 * (this.taken % this.size));
    this.taken = (this.taken + 1) & 0xffff;
    const readable: Buffer[] = [];
    const writable: Buffer[] = [];
    let index = head;
    let isElsewhere = false;
    for (let count = 0; count < this.size; count++) {
      if (index >= this.size) return undefined;
      const at = this.descriptors + DESCRIPTOR_BYTES * index;
      const buffer = bufferAt(ram, at);
      const flags = ram.read(2, at + 12);
      if ((flags & INDIRECT) !== 0) return undefined;
      if (buffer.pa === undefined && (isElsewhere || buffer.bytes > ELSEWHERE_BYTES_MAX)) return undefined;
      isElsewhere ||= buffer.pa === undefined;
      ((flags & WRITE) !== 0 ? writable : readable).push(buffer);
      if ((flags & NEXT) === 0) return chain(ram, head, readable, writable);
      index = ram.read(2, at + 14);
    }
    return undefined;
  }

  /**
   * Gives a chain back with an answer of so many bytes.
   * @returns whether the driver wants to be interrupted
   */
  giveBack(ram: Memory, { head, writable }: Chain, answer: Uint8Array): boolean {
    let done = 0;
    for (const { pa, bytes } of writable) {
      if (pa !== undefined) ram.copyIn(pa, answer.subarray(done, done + bytes));
      done = Math.min(done + bytes, answer.length);
    }
    const index = ram.read(2, this.used + 2);
    const entry = this.used + 4 + 8 * (index % this.size);
    ram.write(4, entry, head);
    ram.write(4, entry + 4, done);
    ram.write(2, this.used + 2, index + 1);
    return (ram.read(2, this.available) & NO_INTERRUPT) === 0;
  }

  exchange(stream: StateStream): void {
    this.size = stream.number(this.size);
    this.ready = stream.boolean(this.ready);
    this.descriptors = stream.number(this.descriptors);
    this.available = stream.number(this.available);
    this.used = stream.number(this.used);
    this.taken = stream.number(this.taken);
  }

  /** Whether the driver has set the queue up, with all of its rings in memory. */
  private isSound(ram: Memory): boolean {
    const { size } = this;
    if (!this.ready || size < 1 || size > QUEUE_SIZE_MAX) return false;
    const rings = [
      [this.descriptors, DESCRIPTOR_BYTES * size],
      [this.available, 6 + 2 * size],
      [this.used, 6 + 8 * size],
    ];
    return rings.every(([pa, bytes]) => ram.holds(pa, bytes));
  }
}

function chain(ram: Memory, head: number, readable: Buffer[], writable: Buffer[]): Chain | undefined {
  const total = (list: Buffer[]) => list.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total(readable) > BYTES_MAX || total(writable) > BYTES_MAX) return undefined;
  const read = new Uint8Array(total(readable));
  let at = 0;
  for (const { pa, bytes } of readable) {
    if (pa !== undefined) read.set(ram.bytes.subarray(pa - ram.base, pa - ram.base + bytes), at);
    at += bytes;
  }
  return { head, readable: read, writable, capacity: total(writable) };
}

/** The buffer that the descriptor at `at` is about. */
function bufferAt(ram: Memory, at: number): Buffer {
  const [pa, high, bytes] = [0, 4, 8].map((offset) => ram.read(4, at + offset) >>> 0);
  return { pa: high === 0 && ram.holds(pa, bytes) ? pa : undefined, bytes };
}
