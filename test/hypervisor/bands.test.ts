// Shapes: what published measurements say of the techniques holds here, by running guests. Only
// ratios are asserted, in bands (briefing: Cost model), and of what one round of a loop costs: what is
// done once, such as translating it, is subtracted. Those of hardware assistance are elsewhere.
// AA: Adams & Agesen 2006. AV: ARMvisor, Linux Symposium 2012. VH: Varanasi & Heiser 2011.
import {
  asm,
  assemble,
  BinaryTranslator,
  type ComparedTechnique,
  type CostPreset,
  compare,
  costSweep,
  createMachine,
  DEFAULT_ORIGIN,
  EXTENSION,
  guest,
  type Hypervisor,
  type Loadable,
  LoadTimePatcher,
  type Machine,
  MiB,
  PreVirtual,
  previrtualize,
  SHARED_VA,
  Shared,
  TECHNIQUES,
  type Technique,
  TrapAndEmulate,
  USUAL_PADS,
  type VmOptions,
  type WEDGES,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { TECHNIQUE_NAMES } from './equivalence';
import { paged } from './paged-guest';

const FINISH = `
        li   t1, 0x100000
        li   t2, 0x5555
        sw   t2, 0(t1)`;

/** A guest that does `body` so many times in its kernel. */
const loop = (rounds: number, body: string, more = '', before = '') =>
  asm`${loopSource(rounds, body, more, before)}`;

const loopSource = (rounds: number, body: string, more = '', before = '') => `
_start: ${before}
        la   t0, handler
        csrw stvec, t0
        li   s0, ${rounds}
        li   s1, 0x10000000
1:      ${body}
        addi s0, s0, -1
        bnez s0, 1b
        ${FINISH}
        ${more}
        .align 2
handler: csrr t0, sepc
        addi t0, t0, 4
        csrw sepc, t0
        sret`;

/** System calls of a process. */
const systemCalls = (rounds: number) => asm`
_start: la   t0, handler
        csrw stvec, t0
        la   t0, user
        csrw sepc, t0
        li   s0, ${rounds}
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
1:      ${FINISH}`;

/** Stores into a page table in use, of an entry that stays what it was. */
const tableStores = (rounds: number) =>
  paged(`
        lw   t0, 4(s1)
        li   s4, ${rounds}
1:      sw   t0, 4(s1)
        addi s4, s4, -1
        bnez s4, 1b`);

const FEW = 500;
const MANY = 1500;
type Maker = (machine: Machine, options?: VmOptions) => Hypervisor;

/** What a round of a guest costs, once all is warm; in cycles. */
function perRound(make: Maker | 'native', image: (rounds: number) => Loadable, costs: CostPreset = 'p4-vt') {
  const cycles = (rounds: number) => {
    const techniques = make === 'native' ? [] : [{ name: 'it', make }];
    const row = compare({ guests: { it: image(rounds) }, techniques, costs: [costs] }).at(-1)!;
    expect(row.reason).toBe('finished');
    return row.cycles - row.idle;
  };
  return (cycles(MANY) - cycles(FEW)) / (MANY - FEW);
}

/** A pre-virtualized guest's hypervisor. */
const underWedge =
  (wedge: keyof typeof WEDGES): Technique =>
  (machine, { memory } = {}) =>
    new PreVirtual(machine, { ...(memory && { memory }), wedge });

const { 'trap-and-emulate': trapping, 'binary-translation': translating } = TECHNIQUES;

function within(value: number, low: number, high: number) {
  expect(value).toBeGreaterThan(low);
  expect(value).toBeLessThan(high);
}

describe('the status word', () => {
  const toggle = (rounds: number) => loop(rounds, 'csrci sstatus, 2\n csrsi sstatus, 2');
  const call = (rounds: number) => loop(rounds, 'csrw sie, zero');

  it('is changed in the cache for a small part of what a call or a trap costs: AA, rdtsc 216, 1254, 2030', () => {
    const inCache = perRound(translating, toggle) / 2;
    const callout = perRound(translating, call);
    const trap = perRound(trapping, toggle) / 2;
    expect(trap / inCache).toBeGreaterThan(2030 / 216);
    expect(callout / inCache).toBeGreaterThan(1254 / 216);
    expect(trap / callout).toBeGreaterThan(2030 / 1254);
  });

  it('costs a para-virtualized guest a store', () => {
    const enabled = (SHARED_VA + Shared.Enabled) | 0;
    const ported = (rounds: number) =>
      loop(rounds, `sw zero, ${enabled}(zero)\n sw s0, ${enabled}(zero)`, '', `li a7, ${EXTENSION}\n ecall`);
    within(perRound(TECHNIQUES['para-virtualization'], ported), 2, 5); // two stores, and the loop
  });

  it('in place, in a pad, costs a pre-virtualized guest as much', () => {
    const source = (rounds: number) => loopSource(rounds, 'csrci sstatus, 2\n csrsi sstatus, 2');
    const prepared = (rounds: number) =>
      assemble(previrtualize(source(rounds), { pads: USUAL_PADS }).source, { origin: DEFAULT_ORIGIN });
    const [sharing, calling] = (['sharing', 'calling'] as const).map((wedge) =>
      perRound(underWedge(wedge), prepared),
    );
    within(sharing, 2, 30);
    const trap = perRound(trapping, prepared);
    expect(trap / sharing).toBeGreaterThan(50);
    expect(trap / calling).toBeGreaterThan(1.6);
    const native = perRound('native', prepared) - perRound('native', toggle);
    within(native, 0, 10); // no-ops cost noise
  });
});

describe('binary translation', () => {
  it('makes a system call dear: AA, 2308 cycles instead of 242', () => {
    within(perRound(translating, systemCalls) / perRound('native', systemCalls), 4, 2 * (2308 / 242));
    // … and less dear than trapping, where traps are dear.
    expect(perRound(trapping, systemCalls)).toBeGreaterThan(2 * perRound(translating, systemCalls));
  });

  it('taxes calls and returns: AA, 51 cycles instead of 11', () => {
    const calls = (rounds: number) => loop(rounds, 'call f', 'f: ret');
    const idle = (rounds: number) => loop(rounds, '');
    const cost = (make: Maker | 'native') => perRound(make, calls) - perRound(make, idle);
    within(cost(translating) / cost('native'), 2, 8);
    expect(cost(trapping) / cost('native')).toBeLessThan(1.1);
  });

  it('beats the bare machine where a device is dear: AA, in: 216 cycles instead of 3209', () => {
    const input = (rounds: number) => loop(rounds, 'lbu a0, 5(s1)');
    expect(perRound('native', input) / perRound(translating, input)).toBeGreaterThan(4);
    within(perRound(trapping, input) / perRound('native', input), 0.5, 1.5);
  });

  it('makes calls of stores that are traced: AA, ptemod, 391 cycles instead of thousands', () => {
    const traced = { paging: 'shadow-traced' } as const;
    const never = { adaptation: { faultsToConvict: 1_000_000 } };
    const adaptive = perRound(
      (machine, options) => new BinaryTranslator(machine, { ...options, ...traced }),
      tableStores,
    );
    const faulting = perRound(
      (machine, options) => new BinaryTranslator(machine, { ...options, ...traced, ...never }),
      tableStores,
    );
    const trap = perRound(
      (machine, options) => new TrapAndEmulate(machine, { ...options, ...traced }),
      tableStores,
    );
    expect(faulting / adaptive).toBeGreaterThan(2);
    expect(trap / adaptive).toBeGreaterThan(2);
  });
});

describe('a process’s birth', () => {
  /** Exits that one more fork makes. */
  function exitsPerFork(make: Maker, name: string): number {
    const exits = (forks: number) => {
      const hypervisor = make(createMachine({ ram: 32 * MiB }));
      hypervisor.boot(guest(name, { FORKS: forks, WORK: 20 }));
      expect(hypervisor.run().code).toBe(0);
      return hypervisor.report().exits.reduce((sum, { count }) => sum + count, 0);
    };
    return (exits(10) - exits(2)) / 8;
  }

  it('takes a para-virtualized guest a third of the exits: AV, 7,471 instead of 20,602', () => {
    const ratio =
      exitsPerFork(trapping, 'nano-os') / exitsPerFork(TECHNIQUES['para-virtualization'], 'nano-os.para');
    expect(ratio).toBeGreaterThan(20_602 / 7_471);
  });
});

/** Each technique that runs code directly, with the image that it wants. */
const DIRECT: ComparedTechnique[] = [
  ...TECHNIQUE_NAMES.filter((name) => name !== 'full-emulation').map((name) => ({
    name,
    make: TECHNIQUES[name],
  })),
  ...(['trap', 'jump'] as const).map((replacement) => ({
    name: `load-time patching, ${replacement}`,
    make: (machine: Machine, options?: VmOptions) =>
      new LoadTimePatcher(machine, { ...options, replacement }),
  })),
  ...(['calling', 'sharing'] as const).map((wedge) => ({
    name: `pre-virtualization, ${wedge}`,
    make: underWedge(wedge),
    image: () => COMPUTE,
  })),
];
/** The same binary for all: it is pre-virtualized. */
const COMPUTE = assemble(
  previrtualize(`
_start: csrw sscratch, zero
        li   t0, 1000000
1:      add  a0, a0, t0
        addi t0, t0, -1
        bnez t0, 1b
        ${FINISH}`).source,
  { origin: DEFAULT_ORIGIN },
);

describe('a compute loop', () => {
  const rows = compare({
    guests: { compute: COMPUTE },
    techniques: DIRECT,
    costs: ['arm-est', 'p4-vt', 'core2-vt'],
  });

  it.each(DIRECT.map(({ name }) => name))('%s: within 5 % of native, over 99.9 % directly', (name) => {
    const own = rows.filter(({ technique }) => technique === name);
    expect(own).toHaveLength(3);
    for (const { slowdown, direct, reason } of own) {
      expect(reason).toBe('finished');
      expect(slowdown).toBeLessThan(1.05);
      expect(direct).toBeGreaterThan(0.999);
    }
  });
});

describe('the price of a trap', () => {
  const prices = [5, 50, 200, 1000, 5000];
  const costs = costSweep(
    'arm-est',
    prices.map((price) => ({ trapIn: price, trapOut: price, callIn: price / 5 })),
  );
  const parameters = { FORKS: 1, WORK: 20 };
  const ported = { name: 'ported', make: TECHNIQUES['para-virtualization'] };
  const rows = compare({
    guests: { it: guest('nano-os', parameters) },
    techniques: [
      'trap-and-emulate',
      'trap-and-emulate, ring 1',
      'binary-translation',
      { ...ported, image: () => guest('nano-os.para', parameters) },
    ],
    costs,
    ram: 32 * MiB,
  });
  const line = (name: string) =>
    rows.filter(({ technique }) => technique === name).map(({ cycles, idle }) => cycles - idle);

  it('decides between trapping and translating: the lines cross, once', () => {
    const translated = line('binary-translation');
    const ratio = line('trap-and-emulate').map((cycles, n) => cycles / translated[n]);
    expect(ratio).toEqual([...ratio].sort((a, b) => a - b));
    expect(ratio[0]).toBeLessThan(1); // cheap traps: translating costs more than it saves
    expect(ratio.at(-1)).toBeGreaterThan(2);
  });

  it('weighs the heavier the more a technique traps', () => {
    const steepness = (name: string) => line(name).at(-1)! - line(name)[0];
    const steep = ['trap-and-emulate', 'binary-translation', 'trap-and-emulate, ring 1', 'ported'].map(
      steepness,
    );
    expect(steep).toEqual([...steep].sort((a, b) => b - a));
    expect(steep[0]).toBeGreaterThan(2 * steep[1]);
  });
});
