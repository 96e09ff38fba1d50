/**
 * Physical memory protection: which physical addresses S and U mode may touch, as M mode says.
 *
 * The registers are decoded into ranges whenever they change, so that a check is a short walk
 * over the entries that are on. Priv, Physical Memory Protection.
 */
import { csrNumber, PMP_ENTRIES } from '../isa/csrs';
import { Mode } from '../isa/registers';
import type { CsrFile } from './csr-file';

/** What an access does, as the bit that must be set in the PMP configuration. */
export enum Access {
  Read = 1,
  Write = 2,
  Execute = 4,
}

/** How an entry's address is meant: bits 4:3 of its configuration. */
enum Matching {
  Off = 0,
  TopOfRange = 1,
  FourBytes = 2,
  NaturallyAligned = 3,
}

const LOCKED = 0x80;
const PMPCFG0 = csrNumber('pmpcfg0');
const PMPADDR0 = csrNumber('pmpaddr0');
const PAGE_BYTES = 4096;

export class Pmp {
  /** The entries that are on, lowest number first: bytes `low` up to but without `high`. */
  private readonly low = new Float64Array(PMP_ENTRIES);
  private readonly high = new Float64Array(PMP_ENTRIES);
  private readonly configuration = new Uint8Array(PMP_ENTRIES);
  private active = 0;

  /** @param isPresent false for a hart without PMP: everything is allowed */
  constructor(private readonly isPresent: boolean) {}

  /**
   * Whether `count` bytes at physical address `pa` (unsigned, up to 34 bits) may be accessed in `mode`.
   * The lowest-numbered entry that touches any of the bytes decides, and must hold all of them.
   */
  allows(mode: Mode, access: Access, pa: number, count: number): boolean {
    for (let n = 0; n < this.active; n++) {
      if (pa + count <= this.low[n] || pa >= this.high[n]) continue;
      if (pa < this.low[n] || pa + count > this.high[n]) return false;
      if (mode === Mode.M && (this.configuration[n] & LOCKED) === 0) return true;
      return (this.configuration[n] & access) !== 0;
    }
    return mode === Mode.M || !this.isPresent;
  }

  /** Whether the same is allowed in all of the `bytes` that hold `pa`, a page or a line: no entry begins or ends inside. */
  isUniform(pa: number, bytes = PAGE_BYTES): boolean {
    const start = pa - (pa % bytes);
    const isInside = (bound: number) => bound > start && bound < start + bytes;
    for (let n = 0; n < this.active; n++) {
      if (isInside(this.low[n]) || isInside(this.high[n])) return false;
      if (this.low[n] <= start && this.high[n] >= start + bytes) return true;
    }
    return true;
  }

  /** Whether CSR `number` is one of those that the ranges come from. */
  isFrom(number: number): boolean {
    return number >= PMPCFG0 && number < PMPADDR0 + PMP_ENTRIES;
  }

  /** Takes over what the registers say now. */
  refresh({ values }: CsrFile): void {
    this.active = 0;
    for (let n = 0; n < PMP_ENTRIES; n++) {
      const configuration = (values[PMPCFG0 + (n >> 2)] >>> (8 * (n & 3))) & 0xff;
      const below = n === 0 ? 0 : values[PMPADDR0 + n - 1] >>> 0;
      const range = entryRange((configuration >> 3) & 3, below, values[PMPADDR0 + n] >>> 0);
      if (range === undefined || range.low >= range.high) continue;
      this.low[this.active] = range.low;
      this.high[this.active] = range.high;
      this.configuration[this.active++] = configuration;
    }
  }
}

/** The bytes that an entry is about, `low` up to but without `high`; undefined if it is off. */
function entryRange(
  matching: Matching,
  below: number,
  address: number,
): { low: number; high: number } | undefined {
  switch (matching) {
    case Matching.TopOfRange:
      return { low: below * 4, high: address * 4 };
    case Matching.FourBytes:
      return { low: address * 4, high: address * 4 + 4 };
    case Matching.NaturallyAligned: {
      // Trailing ones of the address say how large the range is: none 8 bytes, one 16, …
      if (address === 0xffffffff) return { low: 0, high: 2 ** 35 };
      const ones = 31 - Math.clz32(~address & -~address);
      const low = (address - (2 ** ones - 1)) * 4;
      return { low, high: low + 2 ** (ones + 3) };
    }
    default:
      return undefined;
  }
}

/** The value of a PMP address register for a naturally aligned range of `size` bytes (a power of two). */
export function pmpNaturallyAligned(base: number, size: number): number {
  return (base / 4 + (size / 8 - 1)) | 0;
}

/** A configuration byte: naturally aligned, with these accesses. */
export function pmpConfigurationByte(...accesses: Access[]): number {
  return accesses.reduce((byte, access) => byte | access, Matching.NaturallyAligned << 3);
}

/** A range of physical addresses and what may be done there. */
export interface PmpRange {
  base: number;
  size: number;
  accesses: readonly Access[];
}

/**
 * What to write into `pmpaddr0`, … and `pmpcfg0`, … so that S and U mode can touch these ranges only,
 * the first that holds an address being the one that counts. Each takes two entries, the rest are off.
 * @throws RangeError if there are too many
 */
export function pmpTopOfRanges(ranges: readonly PmpRange[]): {
  addresses: number[];
  configurations: number[];
} {
  if (2 * ranges.length > PMP_ENTRIES)
    throw new RangeError(
      `${ranges.length} ranges need ${2 * ranges.length} PMP entries; there are ${PMP_ENTRIES}.`,
    );
  const addresses = new Array<number>(PMP_ENTRIES).fill(0);
  const configurations = new Array<number>(PMP_ENTRIES / 4).fill(0);
  ranges.forEach(({ base, size, accesses }, n) => {
    addresses[2 * n] = base / 4;
    addresses[2 * n + 1] = (base + size) / 4;
    const byte = accesses.reduce((all, access) => all | access, Matching.TopOfRange << 3);
    configurations[n >> 1] |= byte << (8 * (2 * (n & 1) + 1));
  });
  return { addresses, configurations };
}
