// Fast paths are kept per address space: who switches to and fro among processes doesn't begin anew each time.
import { assemble, createMachine, type EngineName, Mode } from 'kernel-lib';
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
});
