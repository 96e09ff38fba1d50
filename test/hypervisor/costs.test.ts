// Who wins at which price: the shapes that are published, found by running guests.
import {
  asm,
  COSTS,
  type ComparedRow,
  compare,
  costSweep,
  createMachine,
  guest,
  TECHNIQUES,
} from 'kernel-lib';
import { beforeAll, describe, expect, it } from 'vitest';
import { TECHNIQUE_NAMES } from './equivalence';

const FINISH = `
        li   t1, 0x100000
        li   t2, 0x5555
        sw   t2, 0(t1)`;

/** Long enough that what a technique does once, such as translating the loop, hardly counts. */
const compute = (rounds: number) => asm`
_start: li   t0, ${rounds}
1:      add  a0, a0, t0
        addi t0, t0, -1
        bnez t0, 1b
        ${FINISH}
`;

/** A thousand times `body`, in the kernel; user mode is at \`user\`, its calls come to \`handler\`. */
const loop = (body: string) => asm`
_start: la   t0, handler
        csrw stvec, t0
        li   s0, 1000
        li   s1, 0x10000000
1:      ${body}
2:      addi s0, s0, -1
        bnez s0, 1b
        ${FINISH}
        .align 2
handler: csrr t0, sepc
        addi t0, t0, 4
        csrw sepc, t0
        sret
`;

/** A thousand system calls of a process. */
const SYSCALLS = asm`
_start: la   t0, handler
        csrw stvec, t0
        la   t0, user
        csrw sepc, t0
        li   s0, 1000
        sret
user:   ecall
        addi s0, s0, -1
        bnez s0, user
        li   a7, 1
        ecall
        .align 2
handler: bnez a7, 1f
        csrr t0, sepc
        addi t0, t0, 4
        csrw sepc, t0
        sret
1:      ${FINISH}
`;

const rowOf = (rows: ComparedRow[], technique: string, costs?: string) => {
  const row = rows.find((one) => one.technique === technique && (costs === undefined || one.costs === costs));
  if (row === undefined) throw new Error(`No row for ${technique}`);
  return row;
};

describe('rows', () => {
  const rows = compare({ guests: { hello: guest('hello') }, costs: ['arm-est', 'p4-vt', 'core2-vt'] });

  it('are one per guest, price and technique, the bare machine among them', () => {
    expect(rows).toHaveLength(3 * (1 + TECHNIQUE_NAMES.length));
    expect(new Set(rows.map((row) => row.reason))).toEqual(new Set(['finished']));
  });

  it('add up', () => {
    for (const { cycles, guestUser, guestKernel, hypervisor, idle } of rows)
      expect(guestUser + guestKernel + hypervisor + idle).toBe(cycles);
  });

  it('complain about names that do not exist', () => {
    expect(() => compare({ guests: {}, techniques: ['magic' as 'full-emulation'] })).toThrow(
      'no technique "magic"',
    );
  });
});

describe('a compute loop', () => {
  const direct = TECHNIQUE_NAMES.filter((name) => name !== 'full-emulation');
  const costs = ['arm-est', 'p4-vt', 'core2-vt'] as const;
  const rows = compare({ guests: { compute: compute(1_000_000) }, techniques: direct, costs });

  it.each(direct)('%s: runs directly, within five percent of native', (name) => {
    for (const row of rows.filter(({ technique }) => technique === name)) {
      expect(row.slowdown).toBeLessThan(1.05);
      expect(row.direct).toBeGreaterThan(0.999);
    }
  });

  it('full emulation: tens of times slower', () => {
    const [, row] = compare({ guests: { compute: compute(10_000) }, techniques: ['full-emulation'] });
    expect(row.slowdown).toBeGreaterThan(20);
    expect(row.direct).toBe(0);
  });
});

describe('system calls', () => {
  const rows = compare({ guests: { syscalls: SYSCALLS }, costs: ['p4-vt', 'arm-est'] });
  const trapAndEmulate = (costs: string) => rowOf(rows, 'trap-and-emulate', costs).slowdown;

  it('cost a deprivileged kernel many times what they cost a kernel of its own', () => {
    expect(trapAndEmulate('p4-vt')).toBeGreaterThan(4);
    expect(trapAndEmulate('arm-est')).toBeGreaterThan(4);
  });
});

describe('a device register', () => {
  const rows = compare({ guests: { in: loop('lbu a0, 5(s1)') }, costs: ['p4-vt'] });

  it('is dear natively, and its emulation is not much dearer: traps and devices cost the like', () => {
    expect(rowOf(rows, 'native').cycles / 1000).toBeGreaterThan(COSTS['p4-vt'].deviceRegister);
    expect(rowOf(rows, 'trap-and-emulate').slowdown).toBeLessThan(1.5);
  });
});

describe('a kernel in ring 1', () => {
  const nanoOs = guest('nano-os', { FORKS: 2, WORK: 30 });
  const rows = compare({ guests: { nanoOs }, techniques: ['trap-and-emulate', 'trap-and-emulate, ring 1'] });

  it('exits several times less often than one in user mode', () => {
    const [user, ring1] = [rowOf(rows, 'trap-and-emulate'), rowOf(rows, 'trap-and-emulate, ring 1')];
    expect(user.exits / ring1.exits).toBeGreaterThan(3);
    expect(user.slowdown / ring1.slowdown).toBeGreaterThan(2);
  });
});

describe('three ways to page: traces, hidden faults and context switches', () => {
  const exits: Record<string, (reason: string) => number> = {};
  const names = ['trap-and-emulate', 'traced page tables', 'trapped page tables'] as const;

  beforeAll(() => {
    for (const name of names) {
      const hypervisor = TECHNIQUES[name](createMachine({ ram: 2 ** 25 }));
      hypervisor.boot(guest('nano-os', { FORKS: 2, WORK: 30 }));
      expect(hypervisor.run().code).toBe(0);
      const { exits: counts } = hypervisor.report();
      exits[name] = (reason) =>
        counts.filter((exit) => exit.reason === reason).reduce((sum, exit) => sum + exit.count, 0);
    }
  });

  it('the lazy one has no traces and most hidden faults', () => {
    expect(exits['trap-and-emulate']('trace')).toBe(0);
    expect(exits['trap-and-emulate']('hidden fault')).toBeGreaterThan(
      2 * exits['traced page tables']('hidden fault'),
    );
  });

  it('trapping each access has by far most traces', () => {
    expect(exits['traced page tables']('trace')).toBeGreaterThan(50);
    expect(exits['trapped page tables']('trace')).toBeGreaterThan(10 * exits['traced page tables']('trace'));
  });
});

describe('the price of a trap', () => {
  const prices = [10, 1000, 10_000];
  const costs = costSweep(
    'arm-est',
    prices.map((price) => ({ trapIn: price, trapOut: price, callIn: price })),
  );
  const techniques = ['full-emulation', 'trap-and-emulate'] as const;
  const rows = compare({ guests: { csr: loop('csrrw a0, sscratch, s0') }, techniques, costs });

  it('decides between trapping and interpreting', () => {
    const ratio = costs.map(({ name }) => {
      const [emulated, trapped] = techniques.map((technique) => rowOf(rows, technique, name).cycles);
      return trapped / emulated;
    });
    expect(ratio).toEqual([...ratio].sort((a, b) => a - b));
    expect(ratio[2] / ratio[0]).toBeGreaterThan(5);
  });
});
