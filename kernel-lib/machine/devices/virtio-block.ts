/** A disk over an array of bytes. VIRTIO 1.2, Block Device. */
import type { StateStream } from '../state';
import type { VirtioFunction } from './virtio-mmio';
import type { Chain } from './virtqueue';

export const SECTOR_BYTES = 512;
const HEADER_BYTES = 16;
const IDENTITY_BYTES = 20;
const FEATURE_FLUSH = 1 << 9;

enum Request {
  In = 0,
  Out = 1,
  Flush = 4,
  GetId = 8,
}

enum Status {
  Ok = 0,
  Error = 1,
  Unsupported = 2,
}

export class VirtioBlock implements VirtioFunction {
  readonly name = 'block';
  readonly deviceId = 2;
  readonly queues = 1;
  readonly features = FEATURE_FLUSH;
  readonly configuration = new Uint8Array(60);

  /**
   * @param content the disk; the guest's writes go into this very array
   * @throws RangeError if it is no whole number of sectors
   */
  constructor(readonly content: Uint8Array) {
    if (content.length === 0 || content.length % SECTOR_BYTES !== 0) {
      throw new RangeError(
        `A disk of ${content.length} bytes: the size must be a multiple of ${SECTOR_BYTES} bytes, the sector. Pad it with zeros.`,
      );
    }
    new DataView(this.configuration.buffer).setUint32(0, content.length / SECTOR_BYTES, true);
  }

  isReady(): boolean {
    return true;
  }

  /** A request is a header, then the data, and last a byte for the status, however they are cut up. */
  serve(_queue: number, { readable, capacity }: Chain): Uint8Array | undefined {
    if (readable.length < HEADER_BYTES || capacity < 1) return undefined;
    const header = new DataView(readable.buffer, readable.byteOffset);
    const answer = new Uint8Array(capacity);
    const data = answer.subarray(0, capacity - 1);
    const begin = header.getUint32(8, true) * SECTOR_BYTES;
    const isNear = header.getUint32(12, true) === 0;
    answer[capacity - 1] = isNear
      ? this.perform(header.getUint32(0, true), begin, readable.subarray(HEADER_BYTES), data)
      : Status.Error;
    return answer;
  }

  exchange(stream: StateStream): void {
    stream.array(this.content);
  }

  private perform(request: Request, begin: number, written: Uint8Array, answer: Uint8Array): Status {
    const isOnDisk = (bytes: number) => begin + bytes <= this.content.length && bytes % SECTOR_BYTES === 0;
    switch (request) {
      case Request.In:
        if (!isOnDisk(answer.length)) return Status.Error;
        answer.set(this.content.subarray(begin, begin + answer.length));
        return Status.Ok;
      case Request.Out:
        if (!isOnDisk(written.length)) return Status.Error;
        this.content.set(written, begin);
        return Status.Ok;
      case Request.Flush:
        return Status.Ok;
      case Request.GetId:
        answer.set(Buffer.from('vmlab').subarray(0, Math.min(IDENTITY_BYTES, answer.length)));
        return Status.Ok;
      default:
        return Status.Unsupported;
    }
  }
}
