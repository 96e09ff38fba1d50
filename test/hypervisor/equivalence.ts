// What a guest leaves behind, and the comparison of two such things: the bare machine is the
// oracle for every technique.
import {
  createMachine,
  Firmware,
  type Hart,
  type Hypervisor,
  type Loadable,
  MiB,
  RAM_BASE,
  TECHNIQUES,
  type TechniqueName,
} from 'kernel-lib';
import { differences, hartState } from '../../kernel-lib/lab/hart-state';

export const BUDGET = 500_000;
const DEFAULT_RAM = 16 * MiB;

/** Every technique that runs guests as they are. */
export const TECHNIQUE_NAMES = Object.keys(TECHNIQUES) as TechniqueName[];

/** A guest that ran: how it ended, what it printed, what its hart holds. */
export interface Outcome {
  reason: string;
  code: number | undefined;
  console: string;
  hart: Hart;
  ram: Uint8Array;
  /** Whether it has set its timer: then what it does may depend on time, which is not the same. */
  usesTimer: boolean;
}

/** A guest that ran under a hypervisor. */
export interface VirtualOutcome extends Outcome {
  hypervisor: Hypervisor;
}

export function onBareMachine(image: Loadable, instructions = BUDGET, ram = DEFAULT_RAM): Outcome {
  const machine = createMachine({ ram });
  new Firmware(machine).boot(image);
  const { reason, code } = machine.run({ instructions });
  return {
    reason,
    code,
    console: machine.console,
    hart: machine.hart,
    ram: machine.ram.bytes,
    usesTimer: machine.clint.nextEvent < Infinity,
  };
}

/** Runs a guest in a VM whose RAM is not where the guest believes it to be. */
export function under(
  technique: TechniqueName,
  image: Loadable,
  instructions = BUDGET,
  ram = DEFAULT_RAM,
): VirtualOutcome {
  const machine = createMachine({ ram: 2 * ram });
  const hypervisor = TECHNIQUES[technique](machine, { memory: { base: RAM_BASE + ram / 2, size: ram } });
  hypervisor.boot(image);
  const { reason, code } = hypervisor.run({ instructions });
  const { vm } = hypervisor;
  return {
    reason,
    code,
    console: vm.console,
    hart: vm.hart,
    ram: vm.guest.ram.bytes,
    usesTimer: vm.guest.clint.nextEvent < Infinity,
    hypervisor,
  };
}

export const underTrapAndEmulate = (image: Loadable, instructions?: number, ram?: number) =>
  under('trap-and-emulate', image, instructions, ram);

/** What differs between two outcomes, in words; nothing if they are equal. */
export function unlike(bare: Outcome, other: Outcome): string[] {
  const wrong = differences(hartState(bare.hart), hartState(other.hart));
  return [
    ...(bare.reason === other.reason ? [] : [`ended with ${other.reason}, not ${bare.reason}`]),
    ...(bare.code === other.code ? [] : [`exit code ${other.code}, not ${bare.code}`]),
    ...(bare.console === other.console
      ? []
      : [`printed ${JSON.stringify(other.console)}, not ${JSON.stringify(bare.console)}`]),
    ...wrong.map(({ place, wanted, found }) => `${place} is ${found}, not ${wanted}`),
    ...memoryDifference(bare.ram, other.ram),
  ];
}

/** The first instruction after which the virtual hart is not what the bare machine's is, in words. */
export function firstStepThatDiffers(
  technique: TechniqueName,
  image: Loadable,
  instructions: number,
  ram: number,
): string {
  const bare = createMachine({ ram });
  new Firmware(bare).boot(image);
  const machine = createMachine({ ram: 2 * ram });
  const hypervisor = TECHNIQUES[technique](machine, { memory: { base: RAM_BASE + ram / 2, size: ram } });
  hypervisor.boot(image);
  const { hart } = hypervisor.vm;
  const stepTo = (count: () => number, run: () => { reason: string }, wanted: number) => {
    for (let turn = 0; turn < 100 && count() < wanted; turn++) if (run().reason !== 'budget') return;
  };
  for (let step = 1; step <= instructions; step++) {
    const pc = bare.hart.pc;
    stepTo(
      () => bare.hart.instret,
      () => bare.run({ instructions: 1 }),
      step,
    );
    stepTo(
      () => hart.instret,
      () => hypervisor.run({ instructions: 1 }),
      step,
    );
    const wrong = differences(hartState(bare.hart), hartState(hart));
    const where = `after instruction ${step}, at 0x${(pc >>> 0).toString(16)}`;
    const [first] = wrong;
    if (first !== undefined) return `${where}: ${first.place} is ${first.found}, not ${first.wanted}`;
    if (bare.stopped !== undefined) break;
  }
  return 'no step: only memory differs, or how it ended';
}

function memoryDifference(bare: Uint8Array, other: Uint8Array): string[] {
  if (Buffer.compare(bare, other) === 0) return [];
  const at = bare.findIndex((byte, n) => byte !== other[n]) & ~3;
  const word = (ram: Uint8Array) => new DataView(ram.buffer, ram.byteOffset).getUint32(at, true).toString(16);
  return [`memory at 0x${(RAM_BASE + at).toString(16)} is 0x${word(other)}, not 0x${word(bare)}`];
}
