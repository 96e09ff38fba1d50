/** The integer registers with their ABI names, and the privilege modes. */

/** Privilege modes, with the manual's encoding. Priv, Privilege Levels. */
export enum Mode {
  U = 0,
  S = 1,
  M = 3,
}

/** ABI names of x0 to x31, in order. Unpriv, RISC-V Assembly Programmer's Handbook. */
// biome-ignore format: a table
export const ABI_NAMES = [
  'zero', 'ra', 'sp',  'gp',  'tp', 't0', 't1', 't2',
  's0',   's1', 'a0',  'a1',  'a2', 'a3', 'a4', 'a5',
  'a6',   'a7', 's2',  's3',  's4', 's5', 's6', 's7',
  's8',   's9', 's10', 's11', 't3', 't4', 't5', 't6',
] as const;

const numbers = new Map<string, number>([['fp', 8]]);
ABI_NAMES.forEach((name, number) => {
  numbers.set(name, number);
  numbers.set(`x${number}`, number);
});

/** The number of the register called `name` (`a0`, `x10`, `fp`), or undefined if there is none. */
export function registerNumber(name: string): number | undefined {
  return numbers.get(name);
}
