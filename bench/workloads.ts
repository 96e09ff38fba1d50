/**
 * The workloads: programs in `workloads/`, built to ELF files in `built/` (by `build.sh`), each of
 * which does its work as often as the word at its symbol `repeat` says, prints a checksum and
 * stops the machine.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Binary, createMachine, type Machine, readElf } from 'kernel-lib';

export interface Workload {
  name: string;
  title: string;
  /** Whether it runs under Sv32 with a kernel of its own; there is no native build of it then. */
  paged: boolean;
}

export const WORKLOADS: readonly Workload[] = [
  { name: 'integer', title: 'integer mix', paged: false },
  { name: 'strings', title: 'strings and calls', paged: false },
  { name: 'sieve', title: 'sieve', paged: false },
  { name: 'queens', title: 'queens', paged: false },
  { name: 'memory', title: 'CRC and memory', paged: false },
  { name: 'sort', title: 'sort with indirect calls', paged: false },
  { name: 'vmsys', title: 'system calls under Sv32', paged: true },
  { name: 'vmmem', title: 'memory under Sv32', paged: true },
];

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

export const sourceOf = (file: string) => `${FOLDER}workloads/${file}`;

/** The workload's ELF file with its `repeat` set, and that as a program. */
export function elfOf(name: string, repeat: number): { bytes: Uint8Array; binary: Binary } {
  const bytes = new Uint8Array(readFileSync(`${FOLDER}built/${name}.elf`));
  const view = new DataView(bytes.buffer);
  const address = readElf(bytes).symbols.get('repeat');
  const place = address === undefined ? undefined : placeInFile(view, address);
  if (place === undefined)
    throw new Error(`${name}.elf has no word called "repeat". Build it with bench/build.sh.`);
  view.setUint32(place, repeat, true);
  return { bytes, binary: readElf(bytes) };
}

/** Where in an ELF file the byte is that is loaded to `address`. System V ABI, Program Header. */
function placeInFile(file: DataView, address: number): number | undefined {
  const [headers, bytes, count] = [
    file.getUint32(28, true),
    file.getUint16(42, true),
    file.getUint16(44, true),
  ];
  for (let n = 0; n < count; n++) {
    const [, offset, , physical, size] = [0, 4, 8, 12, 16].map((at) =>
      file.getUint32(headers + n * bytes + at, true),
    );
    if (address >= physical && address < physical + size) return offset + address - physical;
  }
  return undefined;
}

/** A machine about to run the workload. */
export function machineWith(
  name: string,
  repeat: number,
  engine: Parameters<typeof createMachine>[0],
): Machine {
  const machine = createMachine(engine);
  machine.load(elfOf(name, repeat).binary);
  return machine;
}

/** Instructions of one repetition, and those around all of them; exact but for what timing changes. */
export function instructionsOf(name: string): { each: number; around: number } {
  const count = (repeat: number) => {
    const machine = machineWith(name, repeat, { engine: 'interpreter' });
    machine.run();
    return machine.hart.instret;
  };
  const [one, three] = [count(1), count(3)];
  const each = (three - one) / 2;
  return { each, around: one - each };
}
