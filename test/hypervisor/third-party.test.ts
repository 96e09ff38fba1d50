// Kernels that are not ours, unchanged, from outside of the project: they boot to their prompt and
// answer what is typed under each technique as on the bare machine.
//   VMLAB_KERNEL=kernel [VMLAB_DISK=disk.img] [VMLAB_INITRD=initrd] [VMLAB_APPEND='console=ttyS0'] \
//     [VMLAB_PROMPT='> '] [VMLAB_TYPE='ls|help'] npx vitest run test/hypervisor/third-party
// The kernel is an ELF file, or a flat image for 0x80400000.
import { readFileSync } from 'node:fs';
import {
  type BootOptions,
  createMachine,
  DEFAULT_ORIGIN,
  Firmware,
  loadable,
  type Machine,
  MiB,
  RAM_BASE,
  TECHNIQUES,
  type TechniqueName,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { TECHNIQUE_NAMES } from './equivalence';

const {
  VMLAB_KERNEL: KERNEL,
  VMLAB_DISK: DISK,
  VMLAB_INITRD: INITRD,
  VMLAB_APPEND: APPEND = '',
  VMLAB_PROMPT: PROMPT = '> ',
  VMLAB_TYPE: TYPE = '',
} = process.env;
const RAM = 64 * MiB;
const MOST = 400_000_000;
const STEP = 1_000_000;
const PATIENCE = { timeout: 600_000 };
/** Ports to a hypervisor's own calls are no unchanged kernels. */
const FAITHFUL = TECHNIQUE_NAMES.filter((name) => !name.startsWith('para'));

if (KERNEL === undefined)
  console.log('Skipped: kernels of others. Set VMLAB_KERNEL to the ELF file of one that boots in S mode.');

/** What a kernel prints until it has answered all that is typed at its prompt. */
function session(board: Machine, run: (instructions: number) => unknown): string {
  const lines = TYPE === '' ? [] : TYPE.split('|');
  for (let done = 0; done < MOST; done += STEP) {
    run(STEP);
    if (!board.console.endsWith(PROMPT)) continue;
    const line = lines.shift();
    if (line === undefined) return board.console;
    board.uart.input(`${line}\r`);
  }
  throw new Error(`No prompt after ${MOST} instructions. The console ends: ${board.console.slice(-200)}`);
}

describe.skipIf(KERNEL === undefined)('a kernel that is not ours', () => {
  const bytes = (file: string) => new Uint8Array(readFileSync(file));
  const image = () => loadable(bytes(KERNEL!), DEFAULT_ORIGIN);
  const disk = () => (DISK === undefined ? {} : { disk: bytes(DISK) });
  const boot: BootOptions = {
    bootArguments: APPEND,
    ...(INITRD === undefined ? {} : { initrd: bytes(INITRD) }),
  };

  const native = () => {
    const machine = createMachine({ ram: RAM, ...disk() });
    new Firmware(machine).boot(image(), boot);
    return session(machine, (instructions) => machine.run({ instructions }));
  };
  const virtual = (technique: TechniqueName) => {
    const memory = { base: RAM_BASE + 4 * MiB, size: RAM };
    const hypervisor = TECHNIQUES[technique](createMachine({ ram: 2 * RAM }), { memory, board: disk() });
    hypervisor.boot(image(), boot);
    return session(hypervisor.vm.guest, (instructions) => hypervisor.run({ instructions }));
  };

  it.each(FAITHFUL)('prints under "%s" what it prints on the bare machine', PATIENCE, (technique) => {
    expect(virtual(technique)).toBe(native());
  });
});
