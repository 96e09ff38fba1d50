/** What the assembler makes and the ELF reader finds: bytes at addresses, with names for people. */

/** A piece of memory to load: `bytes` at `address`; from there up to `size` bytes it is zero. */
export interface Segment {
  /** The section's name, `.text`; for a file that has no names, `segment 0`. */
  name: string;
  /** Unsigned. */
  address: number;
  bytes: Uint8Array;
  /** Bytes of memory: at least `bytes.length`, more where zeros follow (`.bss`). */
  size: number;
  writable: boolean;
  executable: boolean;
}

/** Something that can be loaded into a machine and started. */
export interface Binary {
  /** The address of the first instruction. Unsigned. */
  entry: number;
  segments: readonly Segment[];
  /** Names of addresses (labels) and, from the assembler, of numbers (`.equ`). Unsigned. */
  symbols: ReadonlyMap<string, number>;
}

/** Where in the source the bytes at an address come from. */
export interface ProgramLine {
  file: string;
  /** From 1. */
  line: number;
  /** The line; inside a macro, with the arguments put in. */
  text: string;
  /** How many bytes it made at this address. */
  bytes: number;
}

/** An assembled program. */
export interface Program extends Binary {
  file: string;
  /** Of `symbols`, those that are addresses. */
  labels: ReadonlyMap<string, number>;
  /** Names that `.globl` makes known to others. */
  globals: ReadonlySet<string>;
  /** Address of an instruction or datum -> its line, in the order of addresses in each segment. */
  lines: ReadonlyMap<number, ProgramLine>;
}

/** The bytes of a binary at an address: `count` of them, or undefined where it has none. */
export function bytesAt(binary: Binary, address: number, count: number): Uint8Array | undefined {
  const segment = binary.segments.find(
    (candidate) => address >= candidate.address && address + count <= candidate.address + candidate.size,
  );
  if (segment === undefined) return undefined;
  const bytes = new Uint8Array(count);
  const offset = address - segment.address;
  bytes.set(segment.bytes.subarray(offset, offset + count));
  return bytes;
}
