// Isolation: a guest, whatever it is made of, neither reads nor writes a byte outside its VM, does
// not keep the hart beyond its slice, and never makes the host throw.
import { createHash } from 'node:crypto';
import {
  Asids,
  createMachine,
  Frames,
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
import { programs, seeded } from './campaign';
import { program, type Random, randomSteps } from './paging-guests';

const RUNS = Math.ceil(programs(300) / 10);
const MiB = 2 ** 20;
const MEMORY = { base: RAM_BASE + 4 * MiB, size: 8 * MiB };
/** The hypervisor's, behind it; the rest of RAM is somebody else's. */
const TABLES = { base: MEMORY.base + MEMORY.size, size: MiB };
const BUDGET = 3_000;

/** A guest that does as it likes with its page tables. */
const randomGuest = (random: Random) => program(randomSteps(random));

/** A machine whose RAM outside of the guest's part is full of `secret`, with the guest ready to run. */
function prepare(technique: (typeof TECHNIQUE_NAMES)[number], image: Loadable, secret: number) {
  const machine = createMachine({ ram: 32 * MiB });
  machine.ram.bytes.fill(secret);
  machine.ram.bytes.fill(0, MEMORY.base - RAM_BASE, MEMORY.base - RAM_BASE + MEMORY.size);
  const frames = new Frames(machine.ram, TABLES.base, TABLES.size);
  const hypervisor = TECHNIQUES[technique](machine, { memory: MEMORY, frames });
  hypervisor.boot(image);
  return { machine, hypervisor };
}

/** The RAM that is neither the guest's nor its hypervisor's. */
function others({ ram }: Machine): Uint8Array[] {
  const part = (from: number, to: number) => ram.bytes.subarray(from - RAM_BASE, to - RAM_BASE);
  return [part(RAM_BASE, MEMORY.base), part(TABLES.base + TABLES.size, ram.base + ram.size)];
}

describe.each(TECHNIQUE_NAMES)('%s', (technique) => {
  it(`${RUNS} random guests touch nothing outside their VM, and nothing outside touches them`, () => {
    const random = randomNumbers(seeded(23));
    for (let run = 0; run < RUNS; run++) {
      const image = randomGuest(random);
      const outcomes = [0x5a, 0xa5].map((secret) => {
        const { machine, hypervisor } = prepare(technique, image, secret);
        const { reason } = hypervisor.run({ instructions: BUDGET });
        for (const bytes of others(machine)) {
          const isAsBefore = Buffer.alloc(bytes.length, secret).equals(bytes);
          expect(isAsBefore, `guest ${run} wrote outside its VM`).toBe(true);
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

/** Full emulation has no slices: it is given so many instructions. */
const SLICED = TECHNIQUE_NAMES.filter((name) => name !== 'full-emulation');

describe.each(SLICED)('%s', (technique) => {
  it('the hart comes back after a slice', () => {
    const random = randomNumbers(seeded(29));
    const SLICE = 2_000;
    /** What an exit that begins within the slice may take: at worst, all tables are built anew. */
    const LAST_EXIT = 500_000;
    for (let run = 0; run < RUNS; run++) {
      const machine = createMachine({ ram: 16 * MiB });
      const { vm } = TECHNIQUES[technique](machine, { memory: MEMORY });
      vm.boot(randomGuest(random));
      for (let slice = 0; slice < 5; slice++) {
        const end = machine.cycles + SLICE;
        const stop = vm.runSlice(end, 1_000_000);
        expect(machine.cycles).toBeLessThan(end + LAST_EXIT);
        if (stop !== undefined || vm.isWaiting) break;
      }
    }
  });
});

describe('two VMs side by side, each by a technique of its own', () => {
  const pairs = SLICED.flatMap((one) => SLICED.map((other) => [one, other] as const));
  it.each(pairs)('%s beside %s: each has exactly its own results', (...techniques) => {
    const random = randomNumbers(seeded(37));
    const images = [randomGuest(random), randomGuest(random)];
    const alone = images.map((image, n) => {
      const hypervisor = TECHNIQUES[techniques[n]](createMachine({ ram: 64 * MiB }), { memory: placeOf(n) });
      hypervisor.boot(image);
      expect(hypervisor.run({ instructions: 10 * BUDGET }).reason).not.toBe('budget');
      return resultOf(hypervisor.vm);
    });
    const machine = createMachine({ ram: 64 * MiB });
    const asids = new Asids(machine.hart.tlb);
    const together = images.map((image, n) => {
      const memory = placeOf(n);
      const frames = new Frames(machine.ram, memory.base + memory.size, 4 * MiB);
      const hypervisor = TECHNIQUES[techniques[n]](machine, { memory, frames, asids });
      hypervisor.vm.load(image);
      return hypervisor.vm;
    });
    const ended = together.map(() => false);
    for (let turn = 0; turn < 10_000 && ended.includes(false); turn++) {
      const n = turn % 2;
      if (ended[n]) continue;
      together[n].takeOver();
      ended[n] = together[n].runSlice(machine.cycles + 1_000, 1_000_000) !== undefined;
    }
    expect(together.map(resultOf)).toEqual(alone);
  });
});

/** The part of the first and of the second VM: frames are behind each. */
const placeOf = (n: number) => ({ base: RAM_BASE + (8 + 16 * n) * MiB, size: 8 * MiB });

/** What a guest has left. */
const resultOf = ({ guest, hart }: Vm) => ({
  console: guest.console,
  end: guest.stopped?.reason,
  state: hartState(hart),
  ram: createHash('sha256').update(guest.ram.bytes).digest('hex'),
});
