/**
 * Sweeps: the same guests under several techniques at several prices, as rows for tables and charts.
 *
 * Each row is one run. The bare machine is a technique like the others, called `native`; what the
 * others are slower by is measured against it. Nothing here knows a cost: cycles are what the runs
 * were charged.
 */
import { createMachine, type RunnableOptions } from '../engine/create';
import { Mode } from '../isa/registers';
import type { CostPreset, CostTable } from '../machine/cost';
import { costTable } from '../machine/given';
import { type Loadable, type Machine, MiB } from '../machine/machine';
import { Firmware } from '../machine/sbi';
import { TECHNIQUES, type Technique, type TechniqueName } from './techniques';
import type { Report } from './vm';

/** A technique of one's own, or one that needs another image of the guest. */
export interface ComparedTechnique {
  name: string;
  make: Technique;
  /** The guest as this technique wants it: a port, or a rewritten binary. The guest itself if left out. */
  image?: (guest: Loadable, name: string) => Loadable;
}

export interface CompareOptions {
  guests: Readonly<Record<string, Loadable>>;
  /** Names, or techniques of one's own; all that there are, if left out. */
  techniques?: readonly (TechniqueName | ComparedTechnique)[];
  /** Presets or tables; `arm-est` if left out. */
  costs?: readonly (CostPreset | CostTable)[];
  /** Bytes of the guest's RAM, a power of two; 16 MiB if left out. A hypervisor's machine has twice as much. */
  ram?: number;
  /** What the real machine is like otherwise. */
  machine?: Omit<RunnableOptions, 'costs' | 'ram'>;
  /** Most instructions and traps in one run; 100 million if left out. */
  instructions?: number;
}

/** One run. Cycles by who held the hart; together they are `cycles`. */
export interface ComparedRow {
  guest: string;
  /** `native`: the bare machine. */
  technique: string;
  costs: string;
  /** How the run ended. */
  reason: string;
  cycles: number;
  guestUser: number;
  guestKernel: number;
  hypervisor: number;
  idle: number;
  /** Instructions that the guest retired. */
  instructions: number;
  exits: number;
  /** The share of the guest's instructions that the real hart executed: 0 to 1. */
  direct: number;
  /** Cycles in which somebody worked, native = 1. */
  slowdown: number;
}

const DEFAULT_RAM = 16 * MiB;

/**
 * Runs each guest under each technique at each price.
 * @returns a row per run: by guest, then by price, `native` first
 * @throws if a technique or a preset has no such name
 */
export function compare(options: CompareOptions): ComparedRow[] {
  if (typeof options.guests !== 'object' || options.guests === null)
    throw new TypeError('Give guests to compare: { guests: { hello: guest("hello") } }.');
  const names = Object.keys(TECHNIQUES) as TechniqueName[];
  const techniques = (options.techniques ?? names).map(techniqueOf);
  const ram = options.ram ?? DEFAULT_RAM;
  const rows: ComparedRow[] = [];
  for (const [guest, image] of Object.entries(options.guests)) {
    for (const costs of options.costs ?? ['arm-est']) {
      const make = (ram: number) => createMachine({ ...options.machine, ram, costs });
      const native = runNative(guest, image, make(ram), options.instructions);
      rows.push(native);
      for (const technique of techniques) {
        const row = runVirtual(guest, image, technique, make(2 * ram), options.instructions);
        rows.push({ ...row, slowdown: busy(row) / Math.max(1, busy(native)) });
      }
    }
  }
  return rows;
}

/** Cost tables that are the same but for some units, in steps: what a sweep goes over. */
export function costSweep(preset: CostPreset, steps: readonly Partial<CostTable>[]): CostTable[] {
  const base = costTable(preset);
  return steps.map((step) => ({ ...base, name: JSON.stringify(step), ...step }));
}

const busy = ({ cycles, idle }: { cycles: number; idle: number }) => cycles - idle;

function techniqueOf(technique: TechniqueName | ComparedTechnique): ComparedTechnique {
  if (typeof technique !== 'string') return technique;
  const make: Technique | undefined = TECHNIQUES[technique];
  if (make === undefined)
    throw new Error(
      `There is no technique "${technique}". There are: ${Object.keys(TECHNIQUES).join(', ')}.`,
    );
  return { name: technique, make };
}

/** The guest's share of the machine's RAM. */
const guestRam = (machine: Machine) => ({ base: machine.ram.base, size: machine.ram.size / 2 });

function runNative(guest: string, image: Loadable, machine: Machine, instructions?: number): ComparedRow {
  const { hart } = machine;
  let userCycles = 0;
  let since = 0;
  hart.modeEnds = (mode) => {
    if (mode === Mode.U) userCycles += machine.cycles - since;
    since = machine.cycles;
  };
  new Firmware(machine).boot(image);
  const { reason } = machine.run(instructions === undefined ? {} : { instructions });
  hart.modeEnds(hart.mode);
  const { cycles, idleCycles: idle } = machine;
  return {
    guest,
    technique: 'native',
    costs: machine.clock.costs.name,
    reason,
    cycles,
    guestUser: userCycles,
    guestKernel: cycles - userCycles - idle,
    hypervisor: 0,
    idle,
    instructions: hart.instret,
    exits: 0,
    direct: 1,
    slowdown: 1,
  };
}

function runVirtual(
  guest: string,
  image: Loadable,
  { name, make, image: prepared }: ComparedTechnique,
  machine: Machine,
  instructions?: number,
): Omit<ComparedRow, 'slowdown'> {
  const hypervisor = make(machine, { memory: guestRam(machine) });
  hypervisor.boot(prepared?.(image, guest) ?? image);
  const { reason } = hypervisor.run(instructions === undefined ? {} : { instructions });
  const report = hypervisor.report();
  return {
    guest,
    technique: name,
    costs: machine.clock.costs.name,
    reason,
    ...report.cycles,
    cycles: Object.values(report.cycles).reduce((sum, part) => sum + part, 0),
    instructions: hypervisor.vm.hart.instret,
    exits: report.exits.reduce((sum, exit) => sum + exit.count, 0),
    direct: directShare(report),
  };
}

/** The share of a guest's instructions that the real hart executed: 0 to 1. */
export function directShare({ direct, emulated }: Report): number {
  const executed = direct.user + direct.kernel;
  return executed + emulated === 0 ? 0 : executed / (executed + emulated);
}
