/**
 * Physical memory protection: which physical addresses S and U mode may touch, as M mode says.
 * Priv, Physical Memory Protection.
 */
import { PMP_ENTRIES } from '../isa/csrs';
import { Mode } from '../isa/registers';
import { type CsrFile, PMP_LOCKED } from './csr-file';

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

/**
 * Whether `count` bytes at physical address `pa` may be accessed in `mode`.
 * The lowest-numbered entry that touches any of the bytes decides, and must hold all of them.
 */
export function pmpAllows(csrs: CsrFile, mode: Mode, access: Access, pa: number, count: number): boolean {
  for (let n = 0; n < PMP_ENTRIES; n++) {
    const configuration = csrs.pmpConfiguration(n);
    const range = entryRange(csrs, n, configuration);
    if (range === undefined || pa + count <= range.low || pa >= range.high) continue;
    if (pa < range.low || pa + count > range.high) return false;
    if (mode === Mode.M && (configuration & PMP_LOCKED) === 0) return true;
    return (configuration & access) !== 0;
  }
  return mode === Mode.M;
}

/** The bytes that entry `n` is about, `low` up to but without `high`; undefined if it is off. */
function entryRange(
  csrs: CsrFile,
  n: number,
  configuration: number,
): { low: number; high: number } | undefined {
  const address = csrs.pmpAddress(n);
  switch ((configuration >> 3) & 3) {
    case Matching.TopOfRange:
      return { low: n === 0 ? 0 : csrs.pmpAddress(n - 1) * 4, high: address * 4 };
    case Matching.FourBytes:
      return { low: address * 4, high: address * 4 + 4 };
    case Matching.NaturallyAligned: {
      // Trailing ones of the address say how large the range is: none 8 bytes, one 16, …
      const ones = 31 - Math.clz32(~address & -~address);
      const size = address === 0xffffffff ? 2 ** 35 : 2 ** (ones + 3);
      const low = address === 0xffffffff ? 0 : (address - (2 ** ones - 1)) * 4;
      return { low, high: low + size };
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
