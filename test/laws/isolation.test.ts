// Isolation: a guest, whatever it is made of, neither reads nor writes a byte outside its VM, does
// not keep the hart beyond its slice, and never makes the host throw.
import {
  createMachine,
  encode,
  hex,
  ISA,
  type Loadable,
  type Machine,
  RAM_BASE,
  TECHNIQUES,
  type Vm,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { hartState } from '../../kernel-lib/lab/hart-state';
import { randomNumbers } from '../../kernel-lib/lab/random';
import { TECHNIQUE_NAMES } from '../hypervisor/equivalence';

const RUNS = Math.ceil(Number(process.env.VMLAB_RUNS ?? 300) / 10);
const MiB = 2 ** 20;
const MEMORY = { base: RAM_BASE + 4 * MiB, size: 8 * MiB };
const KERNEL = 0x8040_0000;
const BUDGET = 3_000;

type Random = ReturnType<typeof randomNumbers>;

/** A kernel that turns paging on over random tables in its own RAM, and runs random words. */
function randomGuest(random: Random): Loadable {
  const words = Array.from({ length: 256 }, () => randomWord(random));
  const tables = Array.from({ length: 2048 }, () => randomEntry(random));
  const li = (rd: number, value: number) => {
    const low = (value << 20) >> 20;
    return [word('lui', { rd, imm: (value - low) | 0 }), word('addi', { rd, rs1: rd, imm: low })];
  };
  const start = [
    ...li(5, KERNEL + 0x200),
    word('csrrw', { rd: 0, rs1: 5, csr: 0x105 }), // stvec
    ...li(5, 0xc0000),
    word('csrrs', { rd: 0, rs1: 5, csr: 0x100 }), // SUM and MXR
    ...li(6, random.word()),
    ...li(7, RAM_BASE + random.below(64 * MiB)),
    ...li(5, random.below(4) === 0 ? 0 : 0x80000000 | ((KERNEL + 0x1000) >>> 12)),
    word('csrrw', { rd: 0, rs1: 5, csr: 0x180 }), // satp
  ];
  const bytes = new Uint8Array(0x3000);
  bytes.set(new Uint8Array(Int32Array.from([...start, ...words]).buffer), 0);
  bytes.set(new Uint8Array(Int32Array.from(tables).buffer), 0x1000);
  // Its own code stays where it is, so that it goes on.
  new DataView(bytes.buffer).setInt32(0x1000 + 4 * 0x201, 0x201000cf, true);
  return { segments: [{ address: KERNEL, bytes }], entry: KERNEL };
}

const word = (name: string, operands: Record<string, number>) => {
  const row = ISA.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`No row ${name}`);
  return encode(row, operands);
};

/** Instructions that store, load, jump and touch CSRs, mixed with anything. */
function randomWord(random: Random): number {
  const [rd, rs1, rs2] = [random.below(32), random.below(32), random.below(32)];
  switch (random.below(6)) {
    case 0:
      return word('sw', { rs1, rs2, imm: random.below(4096) - 2048 });
    case 1:
      return word('lw', { rd, rs1, imm: random.below(4096) - 2048 });
    case 2:
      return word('csrrw', { rd, rs1, csr: random.pick([0x100, 0x141, 0x180, 0x140, 0x104]) });
    case 3:
      return word(random.pick(['sret', 'sfence.vma', 'ecall', 'wfi', 'fence.i']), { rs1: 0, rs2: 0 });
    case 4:
      return word('lui', { rd, imm: random.word() & ~0xfff });
    default:
      return random.word();
  }
}

/** Entries that lead anywhere: into the guest's RAM, behind it, to devices, to page tables of ours. */
const randomEntry = (random: Random) => {
  const flags = random.pick([0x01, 0x07, 0x0f, 0x17, 0x1f, 0xcf, 0xdf, 0xff]);
  const pa = random.pick([RAM_BASE, KERNEL, KERNEL + 0x1000, RAM_BASE + 12 * MiB, 0x1000_0000, 0]);
  const page = pa / 4096 + random.below(1024) * random.below(2);
  return (page << 10) | flags;
};

/** A machine whose RAM outside of the guest's part is full of `secret`, with the guest ready to run. */
function prepare(technique: (typeof TECHNIQUE_NAMES)[number], image: Loadable, secret: number) {
  const machine = createMachine({ ram: 16 * MiB });
  machine.ram.bytes.fill(secret);
  machine.ram.bytes.fill(0, MEMORY.base - RAM_BASE, MEMORY.base - RAM_BASE + MEMORY.size);
  const hypervisor = TECHNIQUES[technique](machine, { memory: MEMORY });
  hypervisor.boot(image);
  return { machine, hypervisor };
}

/** The RAM that is neither the guest's nor its hypervisor's. */
function others({ ram }: Machine, { frames }: Vm): Uint8Array[] {
  const part = (from: number, to: number) => ram.bytes.subarray(from - RAM_BASE, to - RAM_BASE);
  return [part(RAM_BASE, MEMORY.base), part(MEMORY.base + MEMORY.size, frames.base)];
}

describe.each(TECHNIQUE_NAMES)('%s', (technique) => {
  it(`${RUNS} random guests touch nothing outside their VM, and nothing outside touches them`, () => {
    const random = randomNumbers(23);
    for (let run = 0; run < RUNS; run++) {
      const image = randomGuest(random);
      const outcomes = [0x5a, 0xa5].map((secret) => {
        const { machine, hypervisor } = prepare(technique, image, secret);
        const { reason } = hypervisor.run({ instructions: BUDGET });
        for (const bytes of others(machine, hypervisor.vm)) {
          const at = bytes.findIndex((byte) => byte !== secret);
          expect(at, `guest ${run} wrote outside its VM, at offset ${hex(at)}`).toBe(-1);
        }
        const { hart, guest } = hypervisor.vm;
        return { reason, state: hartState(hart), cycles: machine.cycles, ram: Buffer.from(guest.ram.bytes) };
      });
      const [one, other] = outcomes;
      expect(one.ram.equals(other.ram), `guest ${run} read a secret into memory`).toBe(true);
      expect({ ...one, ram: 0 }, `guest ${run} read a secret`).toEqual({ ...other, ram: 0 });
    }
  });
});

describe.each(['user', 'ring1'] as const)('layout %s', (layout) => {
  it.each(['shadow', 'shadow-traced', 'trapped-access'] as const)(
    '%s: the hart comes back after a slice',
    (paging) => {
      const random = randomNumbers(29);
      const SLICE = 2_000;
      /** What an exit that begins within the slice may take: at worst, all tables are built anew. */
      const LAST_EXIT = 500_000;
      for (let run = 0; run < RUNS; run++) {
        const machine = createMachine({ ram: 16 * MiB });
        const hypervisor = TECHNIQUES['trap-and-emulate'](machine, { memory: MEMORY, layout, paging });
        hypervisor.boot(randomGuest(random));
        for (let slice = 0; slice < 5; slice++) {
          const end = machine.cycles + SLICE;
          const stop = hypervisor.vm.runSlice(end, 1_000_000);
          expect(machine.cycles).toBeLessThan(end + LAST_EXIT);
          if (stop !== undefined || hypervisor.vm.isWaiting) break;
        }
      }
    },
  );
});
