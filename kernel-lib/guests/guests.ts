/**
 * The guests: programs in assembly, each with a header that says what it shows, assembled when
 * asked for. Kernels are placed at 0x80400000, where firmware expects them; `firmware` itself is
 * at the start of RAM.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assemble, DEFAULT_ORIGIN } from '../code/assemble';
import type { Program } from '../code/program';
import { RAM_BASE } from '../machine/machine';

/** The names of all guests. */
export function guestNames(): string[] {
  return readdirSync(__dirname)
    .filter((file) => file.endsWith('.s'))
    .map((file) => file.slice(0, -'.s'.length))
    .sort();
}

/**
 * The source text of a guest.
 * @throws if there is no guest of this name
 */
export function guestSource(name: string): string {
  if (!guestNames().includes(name)) {
    throw new Error(`There is no guest "${name}". There are: ${guestNames().join(', ')}.`);
  }
  return readFileSync(join(__dirname, `${name}.s`), 'utf8');
}

/**
 * A guest, assembled.
 * @throws if there is no guest of this name
 */
export function guest(name: string): Program {
  const origin = name === 'firmware' ? RAM_BASE : DEFAULT_ORIGIN;
  return assemble(guestSource(name), { file: `${name}.s`, origin });
}
