/**
 * Snapshots: the state of a machine as bytes, and back.
 *
 * Each part of the machine has one method, `exchange(stream)`, that names its state once. With a
 * `StateWriter` for stream it saves, with a `StateReader` it restores: a writer gives back what it
 * is given, a reader what it finds. Equal states give equal bytes. A snapshot is sealed by a
 * checksum, so that damage is noticed before anything is restored.
 */
import { crc32 } from 'node:zlib';

/** The bytes are no snapshot, or none of this machine; the message says why. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

export type NumberArray = Uint8Array | Uint16Array | Int32Array | Uint32Array | Float64Array;

export interface StateStream {
  number(value: number): number;
  boolean(value: boolean): boolean;
  /** An array of fixed length: read into in place. */
  array(values: NumberArray): void;
  /** Bytes of any number. */
  bytes(values: Uint8Array): Uint8Array;
}

export class StateWriter implements StateStream {
  private buffer = new Uint8Array(2 ** 16);
  private length = 0;

  number(value: number): number {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.append(bytes);
    return value;
  }

  boolean(value: boolean): boolean {
    this.number(value ? 1 : 0);
    return value;
  }

  array(values: NumberArray): void {
    this.append(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  bytes(values: Uint8Array): Uint8Array {
    this.number(values.length);
    this.append(values);
    return values;
  }

  /** All that was written. */
  get written(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  private append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.buffer.length) {
      const larger = new Uint8Array(2 * (this.length + bytes.length));
      larger.set(this.buffer.subarray(0, this.length));
      this.buffer = larger;
    }
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }
}

export class StateReader implements StateStream {
  private at = 0;

  constructor(private readonly content: Uint8Array) {}

  number(): number {
    const { buffer, byteOffset } = this.take(8);
    return new DataView(buffer, byteOffset).getFloat64(0, true);
  }

  boolean(): boolean {
    return this.number() !== 0;
  }

  array(values: NumberArray): void {
    const bytes = this.take(values.byteLength);
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(bytes);
  }

  bytes(): Uint8Array {
    return this.take(this.number()).slice();
  }

  /** @throws SnapshotError if there is more than was read */
  end(): void {
    if (this.at !== this.content.length) throw new SnapshotError('The snapshot is longer than its state.');
  }

  private take(count: number): Uint8Array {
    if (!(count >= 0 && this.at + count <= this.content.length))
      throw new SnapshotError('The snapshot ends in the middle of the state.');
    const bytes = this.content.subarray(this.at, this.at + count);
    this.at += count;
    return bytes;
  }
}

/** `VMLAB` and the version of the format. */
const MAGIC = Uint8Array.from([...'VMLAB'].map((letter) => letter.charCodeAt(0)).concat(1));
const CHECKSUM_BYTES = 4;

/** The snapshot's bytes: mark, what kind of machine it is of, state, checksum. */
export function seal(kind: string, state: Uint8Array): Uint8Array {
  const writer = new StateWriter();
  writer.array(MAGIC);
  writer.bytes(Buffer.from(kind));
  writer.bytes(state);
  writer.array(Uint32Array.of(crc32(writer.written)));
  return writer.written;
}

/**
 * The state in a snapshot.
 * @throws SnapshotError if it is damaged or of another kind of machine
 */
export function unseal(kind: string, snapshot: Uint8Array): Uint8Array {
  const isMarked = MAGIC.every((byte, at) => snapshot[at] === byte);
  if (!isMarked) throw new SnapshotError('These bytes are no snapshot of a machine (of this version).');
  const body = snapshot.subarray(0, snapshot.length - CHECKSUM_BYTES);
  const checksum = Uint32Array.of(crc32(body));
  const isWhole = Buffer.from(checksum.buffer).equals(snapshot.subarray(body.length));
  if (!isWhole) throw new SnapshotError('The snapshot is damaged: its checksum is wrong.');
  const reader = new StateReader(body.subarray(MAGIC.length));
  const found = Buffer.from(reader.bytes()).toString();
  if (found !== kind)
    throw new SnapshotError(`The snapshot is of another machine: of ${found}, and this one is ${kind}.`);
  return reader.bytes();
}
