/**
 * All techniques, by name: a line each. Whoever adds one adds a file and a line here, and the laws
 * (test/laws, test/hypervisor) are tested for it, too.
 */
import type { Machine } from '../machine/machine';
import { BinaryTranslator } from './binary-translator';
import { FullEmulation } from './full-emulation';
import { Paravirtual } from './paravirtual/paravirtual';
import { TrapAndEmulate } from './trap-and-emulate';
import type { Hypervisor, VmOptions } from './vm';

/** Makes a hypervisor for one guest on a machine. */
export type Technique = (machine: Machine, options?: VmOptions) => Hypervisor;

// biome-ignore format: a table
const ROWS = {
  'full-emulation':          (machine, options) => new FullEmulation(machine, options),
  'trap-and-emulate':        (machine, options) => new TrapAndEmulate(machine, options),
  'trap-and-emulate, ring 1': (machine, options) => new TrapAndEmulate(machine, { ...options, layout: 'ring1' }),
  'traced page tables':      (machine, options) => new TrapAndEmulate(machine, { ...options, paging: 'shadow-traced' }),
  'trapped page tables':     (machine, options) => new TrapAndEmulate(machine, { ...options, paging: 'trapped-access' }),
  'para-virtualization':     (machine, options) => new Paravirtual(machine, options),
  'binary-translation':      (machine, options) => new BinaryTranslator(machine, options),
} as const satisfies Record<string, Technique>;

export type TechniqueName = keyof typeof ROWS;

export const TECHNIQUES: Readonly<Record<TechniqueName, Technique>> = ROWS;
