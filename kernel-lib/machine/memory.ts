/**
 * Random-access memory: a range of physical addresses over an ArrayBuffer, little-endian.
 *
 * Addresses are physical and unsigned. Callers ask `holds` first; a read or write that isn't
 * wholly inside is a mistake of the caller.
 */
export class Memory {
  readonly bytes: Uint8Array;
  private readonly view: DataView;

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
  }

  /**
   * Copies bytes in.
   * @throws RangeError if they don't fit
   */
  copyIn(pa: number, source: Uint8Array): void {
    if (!this.holds(pa, source.length)) {
      const end = this.base + this.size;
      throw new RangeError(
        `${source.length} bytes at 0x${pa.toString(16)} do not fit into memory, which is ` +
          `0x${this.base.toString(16)} up to 0x${end.toString(16)}. Give the machine more RAM or move the program.`,
      );
    }
    this.bytes.set(source, pa - this.base);
  }
}
