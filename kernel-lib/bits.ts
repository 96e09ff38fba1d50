/**
 * Words and bits: the few operations on 32-bit values that everything else is written with.
 *
 * A machine word is a JavaScript number in the range of int32 (what `| 0` gives), unless a
 * name says otherwise: addresses that index memory are unsigned (`>>> 0`).
 * First file to read; it depends on nothing.
 */

/** Sign-extends the lowest `width` bits of `value` (1 to 32) to an int32. */
export function signExtend(value: number, width: number): number {
  return (value << (32 - width)) >> (32 - width);
}

/** Bits `high` down to `low` of `value`, as an unsigned number. `bits(0xabcd, 15, 8)` is `0xab`. */
export function bits(value: number, high: number, low: number): number {
  return (value >>> low) & maskOf(high - low + 1);
}

/** A mask of the lowest `width` bits (0 to 32), unsigned. */
export function maskOf(width: number): number {
  return width === 0 ? 0 : 0xffffffff >>> (32 - width);
}

/** The number as eight hexadecimal digits, `0x80000000`; fewer if `digits` says so. */
export function hex(value: number, digits = 8): string {
  return `0x${(value >>> 0).toString(16).padStart(digits, '0')}`;
}
