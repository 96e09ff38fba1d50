/**
 * What callers give a machine, checked before it is used: cost tables, programs, options. TypeScript
 * checks most of it for those who write TypeScript; these checks are for values that come from
 * elsewhere, and for what types can't say. A mistake throws, with what was given and what would do.
 */
import { COSTS, type CostPreset, type CostTable } from './cost';

/** A value in a message: short, and with its type where that is the mistake. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === 'object' && value !== null
    ? `a ${value.constructor?.name ?? 'object'}`
    : String(value);
}

/**
 * One of a few values, for an option.
 * @throws RangeError if it is another
 */
export function oneOf<T>(option: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new RangeError(`${option}: ${shown(value)} is none of ${allowed.map(shown).join(', ')}.`);
}

/**
 * Options have names from a list.
 * @throws TypeError for another name
 */
export function knownOptions(of: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`${of} has no option "${unknown}". There are: ${[...known].sort().join(', ')}.`);
}

/**
 * Bytes, as files and buffers give them.
 * @throws TypeError for anything else
 */
export function bytesOf(what: string, value: Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`${what}: give its bytes as a Uint8Array, not ${shown(value)}.`);
}

/**
 * Instructions to run at most.
 * @throws RangeError if that is no number from 0 up
 */
export function checkBudget(budget: number): void {
  if (!(budget >= 0))
    throw new RangeError(`A budget of ${budget} instructions makes no sense. Give a number from 0 up.`);
}

/** The table with a preset's name, or one of the caller's own, in which every unit cost is a number from 0 up. */
export function costTable(costs: CostPreset | CostTable): CostTable {
  const table: CostTable | undefined = typeof costs === 'string' ? COSTS[costs] : costs;
  if (table === undefined)
    throw new Error(`There is no cost preset "${costs}". There are: ${Object.keys(COSTS).join(', ')}.`);
  for (const unit of Object.keys(COSTS['arm-est']) as (keyof CostTable)[]) {
    const cost: unknown = table[unit];
    if (unit === 'name' || unit === 'source') continue;
    if (typeof cost === 'number' && cost >= 0 && cost < Number.POSITIVE_INFINITY) continue;
    throw new RangeError(
      `The cost table ${shown(table.name)} says ${shown(cost)} for ${unit}: give cycles, from 0 up. ` +
        "A table of one's own is best begun with one that there is: { ...COSTS['arm-est'], memory: 200 }.",
    );
  }
  return table;
}

/**
 * A program in memory: bytes at physical addresses, and where it starts. Where `size` is more
 * than there are bytes, zeros follow.
 */
export interface Loadable {
  segments: readonly { address: number; bytes: Uint8Array; size?: number }[];
  entry: number;
}

/**
 * A program's form: addresses are whole numbers, bytes are bytes, and no two segments want the same place.
 * That it fits is for the memory to say.
 * @throws TypeError or RangeError with what is wrong
 */
export function checkProgram(program: Loadable): void {
  const segments: unknown = program?.segments;
  if (!Array.isArray(segments))
    throw new TypeError(
      `A program has segments and an entry, and this is ${shown(program)}. See loadable().`,
    );
  const { entry } = program;
  if (!Number.isInteger(entry) || entry % 2 !== 0)
    throw new RangeError(
      `The entry ${Number.isInteger(entry) ? `0x${entry.toString(16)}` : shown(entry)} is no address of an instruction: give an even number.`,
    );
  for (const { address, bytes, size } of program.segments) {
    bytesOf('A segment of a program', bytes);
    if (!Number.isInteger(address))
      throw new RangeError(`A segment's address is a whole number, and this is ${shown(address)}.`);
    if (size !== undefined && !(Number.isInteger(size) && size >= bytes.length))
      throw new RangeError(
        `A segment of ${bytes.length} bytes at 0x${address.toString(16)} can't be ${shown(size)} bytes long: zeros follow, nothing is cut.`,
      );
  }
  checkApart(program.segments);
}

/** @throws RangeError if two segments overlap: of a program that is damaged, or of two in the same place */
function checkApart(segments: Loadable['segments']): void {
  const ranges = segments
    .map(({ address, bytes, size = bytes.length }) => ({ from: address, to: address + size }))
    .filter(({ from, to }) => to > from)
    .sort((a, b) => a.from - b.from);
  const show = ({ from, to }: { from: number; to: number }) =>
    `0x${from.toString(16)} to 0x${(to - 1).toString(16)}`;
  ranges.slice(1).forEach((range, n) => {
    if (range.from < ranges[n].to)
      throw new RangeError(
        `Two parts of the program overlap in memory: ${show(ranges[n])} and ${show(range)}. ` +
          'Link them, or load them, at other addresses.',
      );
  });
}
