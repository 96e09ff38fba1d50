// Machines in wild states: random code, registers, CSRs, page tables and devices. Whatever comes of
// it, a machine must bear it.
import { CSRS, createMachine, encode, ISA, type Machine, Mode } from 'kernel-lib';
import { fieldRange } from '../../kernel-lib/code/encode';
import type { EngineName } from '../../kernel-lib/engine/create';
import type { randomNumbers } from '../../kernel-lib/lab/random';

type Random = ReturnType<typeof randomNumbers>;

const RAM_BYTES = 2 ** 16;
const RAM = 0x8000_0000;
/** Where devices and the edges of things are. */
const PLACES = [
  0,
  0x0010_0000,
  0x0200_0000,
  0x0200_4000,
  0x0200_bff8,
  0x0c00_0000,
  0x0c00_1000,
  0x0c00_2000,
  0x0c20_0000,
  0x0c20_1004,
  0x1000_0000,
  0x1000_1000,
  0x1000_1040,
  0x1000_2030,
  0x1000_8000,
  RAM,
  RAM + RAM_BYTES - 2,
  0xffff_fffe,
];

/** A machine with a disk and a console, all of whose state is random. */
export function wildMachine(random: Random, engine: EngineName): Machine {
  const machine = createMachine({
    engine,
    ram: RAM_BYTES,
    disk: new Uint8Array(4096),
    virtioConsole: true,
    virtioVersion: random.pick([1, 2] as const),
    pmpEntries: random.pick([0, 16] as const),
    accessedDirty: random.pick(['hardware', 'fault'] as const),
    tlbEntries: random.pick([2, 4, 64]),
  });
  const { hart, ram } = machine;
  const code = Array.from({ length: 256 }, () =>
    random.below(3) === 0 ? random.word() : wildInstruction(random),
  );
  ram.copyIn(RAM, new Uint8Array(Int32Array.from(code).buffer));
  for (let at = 0x4000; at < RAM_BYTES; at += 4) ram.write(4, RAM + at, wildWord(random));
  for (const { number } of CSRS) if (random.below(2) === 0) hart.csrs.write(number, wildWord(random));
  for (let n = 1; n < 32; n++) hart.x[n] = wildWord(random);
  if (random.below(2) === 0) machine.openMemory();
  hart.mode = random.pick([Mode.M, Mode.S, Mode.U]);
  hart.pc = (RAM + 4 * random.below(64)) | 0;
  pokeDevices(machine, random, 40);
  return machine;
}

/** Accesses to devices by somebody who has not read the manual. */
export function pokeDevices({ bus, uart, virtioConsole }: Machine, random: Random, times: number): void {
  for (let n = 0; n < times; n++) {
    const device = random.pick(bus.devices);
    const pa = device.base + (random.below(2) === 0 ? 4 * random.below(64) : random.below(device.size));
    const width = random.pick([1, 2, 4, 4, 4] as const);
    if (device.name === 'finisher') bus.read(width, pa);
    else if (random.below(2) === 0) bus.read(width, pa);
    else bus.write(width, pa, wildWord(random));
  }
  uart.input('x');
  virtioConsole?.input('y');
}

/** A number that means something to somebody: small, an address, a page-table entry, or anything. */
function wildWord(random: Random): number {
  switch (random.below(5)) {
    case 0:
      return random.below(64);
    case 1:
      return (random.pick(PLACES) + 4 * random.below(8)) | 0;
    case 2:
      return (((RAM >>> 12) + random.below(16)) << 10) | random.below(256);
    case 3:
      return 0x8000_0000 | ((RAM >>> 12) + random.below(16)) | 0;
    default:
      return random.word();
  }
}

function wildInstruction(random: Random): number {
  for (;;) {
    const row = random.pick(ISA);
    const operands: Record<string, number> = {};
    for (const field of row.format.fields) {
      const { low, high } = fieldRange(field);
      const step = 2 ** field.zeros;
      const near = field.kind === 'offset' || field.kind === 'signed' ? Math.min(high, 64) : high;
      const value = low + step * random.below(Math.floor((near - low) / step) + 1);
      operands[field.operand] = field.kind === 'csr' ? random.pick(CSRS).number : value;
    }
    const isExcluded = Object.entries(row.excluded).some(([name, values]) => values.includes(operands[name]));
    if (!isExcluded) return encode(row, operands);
  }
}
