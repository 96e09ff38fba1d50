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
  TrapAndEmulate,
} from 'kernel-lib';
import { differences, hartState } from '../../kernel-lib/lab/hart-state';

export const BUDGET = 500_000;
const DEFAULT_RAM = 16 * MiB;

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

export function onBareMachine(image: Loadable, instructions = BUDGET, ram?: number): Outcome {
  const machine = createMachine(ram === undefined ? {} : { ram });
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

export function underTrapAndEmulate(
  image: Loadable,
  instructions = BUDGET,
  ram?: number,
): Outcome & { hypervisor: Hypervisor } {
  const size = ram ?? DEFAULT_RAM;
  // The guest's RAM is not where the guest believes it to be.
  const machine = createMachine({ ram: 2 * size });
  const hypervisor = new TrapAndEmulate(machine, { memory: { base: RAM_BASE + size / 2, size } });
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
    ...(Buffer.compare(bare.ram, other.ram) === 0 ? [] : ['memory differs']),
  ];
}
