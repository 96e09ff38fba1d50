// Fast paths are kept per address space: who switches to and fro among processes doesn't begin anew each time.
import { Access, assemble, Cause, createMachine, type EngineName, Mode, type Trap } from 'kernel-lib';
import { describe, expect, it } from 'vitest';

const ROOT = 0x8000_2000;
const MAPPED = ((0x8000_0000 / 4096) << 10) | 0xcf; // 4 MiB where they are, for S mode to read, write, execute

/** A kernel that goes around `rounds` times: into each of two address spaces, over four pages there. */
const kernel = assemble(
  `
        li      s0, ${(0x8040_0000 | (ROOT / 4096)) >>> 0}
        li      s1, ${(0x8080_0000 | (ROOT / 4096)) >>> 0}
        li      s2, 0x80004000
        li      s4, 0x1000
loop:   csrw    satp, s0
        jal     touch
        csrw    satp, s1
        jal     touch
between: addi   s3, s3, -1
        bnez    s3, loop
        ebreak
touch:  mv      t0, s2
        li      t1, 4
1:      lw      t2, 0(t0)
        addi    t2, t2, 1
        sw      t2, 0(t0)
        add     t0, t0, s4
        addi    t1, t1, -1
        bnez    t1, 1b
        ret
`,
  { origin: 0x8000_0000 },
);

function running(engine: EngineName, rounds: number, between = 'addi s3, s3, -1') {
  const machine = createMachine({ engine });
  machine.load(kernel);
  machine.openMemory();
  const [{ bytes }] = assemble(between).segments;
  machine.ram.copyIn(kernel.labels.get('between')!, bytes);
  machine.ram.write(4, ROOT + 4 * (0x8000_0000 >>> 22), MAPPED);
  const { hart } = machine;
  hart.mode = Mode.S;
  hart.x[19] = rounds;
  return machine;
}

describe.each(['interpreter', 'translator'] as const)('the %s', (engine) => {
  it('asks the hart about a page once in each address space, however often it switches', () => {
    const count = (rounds: number) => {
      const machine = running(engine, rounds);
      machine.run({ instructions: 100_000 });
      return machine.hart.tlb.hits + machine.hart.tlb.misses;
    };
    const [few, many] = [count(100), count(1000)];
    expect(few).toBeGreaterThan(8);
    expect(many - few).toBeLessThan(900);
  });

  it('asks anew after sfence.vma', () => {
    const machine = running(engine, 100, 'sfence.vma');
    machine.run({ instructions: 6000 });
    const [misses, { instret }] = [machine.hart.tlb.misses, machine.hart];
    const truth = running('reference', 100, 'sfence.vma');
    truth.run({ instructions: 6000 });
    expect(misses).toBeGreaterThan(100);
    expect([misses, instret, machine.cycles]).toEqual([
      truth.hart.tlb.misses,
      truth.hart.instret,
      truth.cycles,
    ]);
  });

  it('makes room where there are more address spaces than it keeps', () => {
    const run = (name: EngineName) => {
      const machine = running(name, 100, 'addi s3, s3, -1');
      const { hart } = machine;
      for (let n = 0; n < 200; n++) {
        machine.run({ instructions: 101 });
        const asid = 3 + (n % 60);
        hart.x[8] = 0x8000_0000 | (asid << 22) | (ROOT / 4096);
        hart.x[19] = 100;
      }
      return [hart.pc, hart.instret, machine.cycles, hart.tlb.misses, machine.ram.read(4, 0x8000_4000)];
    };
    expect(run(engine)).toEqual(run('reference'));
  });

  it('has a fast path into a page of which only some lines may be touched, and none beside them', () => {
    const few = throughWindow(engine, 1000);
    const many = throughWindow(engine, 20_000);
    expect(few.state()).toEqual(throughWindow('reference', 1000).state());
    expect(few.trap).toEqual({ cause: Cause.LoadAccessFault, tval: (WINDOW + WINDOW_BYTES) | 0 });
    const asked = ({ hart: { tlb } }: typeof few) => tlb.hits + tlb.misses;
    expect(asked(many) - asked(few)).toBeLessThan(1000);
  });

  it('has no fast path to where nothing is, at whatever address', () => {
    expect(trapsWithoutMemory(engine)).toBe(trapsWithoutMemory('reference'));
  });
});

/** Loads and stores at each word of the first 8 KiB, where the board has nothing: how many of them trap. */
function trapsWithoutMemory(engine: EngineName): number {
  const code = assemble(
    `
        la      t0, count
        csrw    mtvec, t0
        li      t1, 0x2000
1:      addi    t1, t1, -4
        lw      t2, 0(t1)
        sw      t2, 0(t1)
        bnez    t1, 1b
        ebreak
        .align  2
count:  addi    a0, a0, 1
        csrr    t0, mepc
        addi    t0, t0, 4
        csrw    mepc, t0
        mret
`,
    { origin: 0x8000_0000 },
  );
  const machine = createMachine({ engine });
  machine.load(code);
  machine.run({ instructions: 40_000 });
  expect(machine.hart.x[10]).toBeGreaterThan((2 * 0x0fff) / 4);
  return machine.hart.x[10];
}

const WINDOW = 0xffff_fa00;
const WINDOW_BYTES = 128;

/** Counts in a window of two lines that is all that is open of its page, then reads behind it. */
function throughWindow(engine: EngineName, rounds: number) {
  const code = assemble(
    `
        li      t1, ${rounds}
1:      lw      t0, ${WINDOW - 2 ** 32}(x0)
        addi    t0, t0, 3
        sw      t0, ${WINDOW - 2 ** 32}(x0)
        sb      t1, ${WINDOW - 2 ** 32 + 127}(x0)
        addi    t1, t1, -1
        bnez    t1, 1b
        lw      t0, ${WINDOW - 2 ** 32 + WINDOW_BYTES}(x0)
`,
    { origin: 0x8000_0000 },
  );
  const machine = createMachine({ engine });
  machine.load(code);
  const windowAt = 0x8000_0000 + (WINDOW & 0x3f_ffff);
  const all = [Access.Read, Access.Write, Access.Execute];
  machine.openRanges([
    { base: 0x8000_0000, size: 0x4000, accesses: all },
    { base: windowAt, size: WINDOW_BYTES, accesses: [Access.Read, Access.Write] },
  ]);
  for (const va of [0x8000_0000, WINDOW]) machine.ram.write(4, ROOT + 4 * (va >>> 22), MAPPED);
  const { hart } = machine;
  hart.csrs.set('satp', 0x8000_0000 | (ROOT / 4096));
  hart.mode = Mode.S;
  let trap: Trap | undefined;
  machine.host = (taken) => {
    trap = taken;
    machine.stopped = { reason: 'host', message: 'It has read behind the window.' };
  };
  machine.run({ instructions: 1_000_000 });
  const state = () => [...hart.x, hart.pc, hart.instret, machine.cycles, machine.ram.read(4, windowAt)];
  return { hart, state, trap };
}
