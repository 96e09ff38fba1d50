/**
 * The guests: programs in assembly, each with a header that says what it shows, assembled when
 * asked for. Kernels are placed at 0x80400000, where firmware expects them; `firmware` itself is
 * at the start of RAM.
 *
 * A guest may have parameters, to make it do more of this and less of that: the `.equ` lines of the
 * block that begins with the comment `# Parameters`. They are set by name when it is assembled.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assemble, DEFAULT_ORIGIN } from '../code/assemble';
import type { Program } from '../code/program';
import { previrtualize, USUAL_PADS } from '../hypervisor/pre-virtual/pass';
import { RAM_BASE } from '../machine/machine';

/** Values for a guest's parameters, by name: integers of 32 bits, signed or unsigned. */
export type GuestParameters = Readonly<Record<string, number>>;

/** The names of all guests: `hello`; those in folders with theirs: `defects/popf`. */
export function guestNames(): string[] {
  return readdirSync(__dirname, { encoding: 'utf8', recursive: true })
    .filter((file) => file.endsWith('.s'))
    .map((file) => file.slice(0, -'.s'.length).replaceAll('\\', '/'))
    .sort();
}

/**
 * The source text of a guest, with its parameters set. Lines stay where they are.
 * @throws if there is no guest of this name, it has no such parameter, or a value is not an integer of 32 bits
 */
export function guestSource(name: string, parameters: GuestParameters = {}): string {
  if (!guestNames().includes(name)) {
    throw new Error(`There is no guest "${name}". There are: ${guestNames().join(', ')}.`);
  }
  let source = readFileSync(join(__dirname, `${name}.s`), 'utf8');
  const known = parametersIn(source);
  for (const [parameter, value] of Object.entries(parameters)) {
    if (!Object.hasOwn(known, parameter)) throw noSuchParameter(name, parameter, Object.keys(known));
    if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 32)
      throw new RangeError(`${name}: ${parameter} is set to ${value}. Give an integer of 32 bits.`);
    source = source.replace(lineOf(parameter), (_, before) => `${before}${value}`);
  }
  return source;
}

/**
 * The parameters of a guest, with the values that they have if nothing is said.
 * @throws if there is no guest of this name
 */
export function guestParameters(name: string): GuestParameters {
  return parametersIn(guestSource(name));
}

/** Behind a guest's name: the guest as the pre-virtualization pass makes it. */
const PRE_VIRTUAL = '.previrt';

/**
 * A guest, assembled: `guest('nano-os', { FORKS: 20 })`. With `.previrt` behind its name, it is
 * pre-virtualized first, with the usual pads.
 * @throws as `guestSource` does
 */
export function guest(name: string, parameters: GuestParameters = {}): Program {
  if (name.endsWith(PRE_VIRTUAL)) {
    const original = name.slice(0, -PRE_VIRTUAL.length);
    const { source } = previrtualize(guestSource(original, parameters), {
      file: `${original}.s`,
      pads: USUAL_PADS,
    });
    return assemble(source, { file: `${name}.s`, origin: DEFAULT_ORIGIN });
  }
  const origin = name === 'firmware' ? RAM_BASE : DEFAULT_ORIGIN;
  return assemble(guestSource(name, parameters), { file: `${name}.s`, origin });
}

/** From the comment to the first empty line. */
const PARAMETER_BLOCK = /^# Parameters.*\n(?:.*\S.*\n)*/m;
const PARAMETER_LINE = /^\s*\.equ\s+(\w+)\s*,\s*([^\s#]+)/gm;

function parametersIn(source: string): GuestParameters {
  const [block = ''] = PARAMETER_BLOCK.exec(source) ?? [];
  return Object.fromEntries(
    [...block.matchAll(PARAMETER_LINE)].map(([, name, value]) => [name, Number(value)]),
  );
}

/** The definition of a parameter, up to its value. */
function lineOf(parameter: string): RegExp {
  return new RegExp(String.raw`^(\s*\.equ\s+${parameter}\s*,\s*)[^\s#]+`, 'm');
}

function noSuchParameter(name: string, parameter: string, known: readonly string[]): Error {
  const rest = known.length === 0 ? 'It has none.' : `There are: ${known.join(', ')}.`;
  return new Error(`The guest "${name}" has no parameter "${parameter}". ${rest}`);
}
