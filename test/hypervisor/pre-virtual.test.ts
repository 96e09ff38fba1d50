// Pre-virtualization: one binary, made by a tool, on three machines: bare, under a hypervisor that is
// called, and under one that shares its guest's status word.
import {
  assemble,
  countsByLine,
  createMachine,
  Firmware,
  guest,
  guestSource,
  MiB,
  PreVirtual,
  type PreVirtualOptions,
  type Program,
  previrtualize,
  profile,
  RAM_BASE,
  SiteClass,
  TrapAndEmulate,
  USUAL_PADS,
  WEDGES,
  wedged,
  worthMarking,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { differences, hartState } from '../../kernel-lib/lab/hart-state';

const RAM = 16 * MiB;
const small = { FORKS: 2, WORK: 20, CALLS: 10 };
const wedges = Object.keys(WEDGES) as (keyof typeof WEDGES)[];

function onBare(image: Program) {
  const machine = createMachine({ ram: RAM });
  new Firmware(machine).boot(image);
  const end = machine.run({ instructions: 10_000_000 });
  return { machine, end };
}

function under(wedge: keyof typeof WEDGES, image: Program) {
  const hypervisor = new PreVirtual(createMachine({ ram: 2 * RAM }), {
    wedge,
    memory: { base: RAM_BASE, size: RAM },
  });
  hypervisor.boot(image);
  const end = hypervisor.run({ instructions: 10_000_000 });
  return { hypervisor, end };
}

describe.each([
  ['hello', {}],
  ['syscalls', {}],
  ['nano-os', small],
])('%s.previrt', (name, parameters) => {
  const image = guest(`${name}.previrt`, parameters);

  it('prints on the bare machine what the guest prints', () => {
    const { machine, end } = onBare(image);
    expect(machine.console).toBe(onBare(guest(name, parameters)).machine.console);
    expect(end).toMatchObject({ reason: 'finished', code: 0 });
  });

  it.each(wedges)('the same binary under the wedge "%s" leaves what the bare machine leaves', (wedge) => {
    const bare = onBare(image);
    const { hypervisor, end } = under(wedge, image);
    expect(end).toMatchObject({ reason: 'finished', code: 0 });
    expect(hypervisor.vm.console).toBe(bare.machine.console);
    expect(differences(hartState(bare.machine.hart), hartState(hypervisor.vm.hart))).toEqual([]);
  });
});

it('nano-os leaves direct execution less often the more its hypervisor shares', () => {
  const image = guest('nano-os.previrt', small);
  const trapped = new TrapAndEmulate(createMachine({ ram: RAM }));
  trapped.boot(image);
  trapped.run();
  const cycles = [trapped, ...wedges.map((wedge) => under(wedge, image).hypervisor)].map(
    (h) => h.report().cycles.hypervisor,
  );
  expect(cycles[0]).toBeGreaterThan(cycles[1]);
  expect(cycles[1]).toBeGreaterThan(cycles[2]);
});

describe('the pass', () => {
  it('marks each sensitive instruction and nothing else, in place', () => {
    const { source, marked } = previrtualize('start: csrr a0, sepc # why\n add a0, a0, a0\n sret\n', {
      pads: { [SiteClass.Csr]: 2 },
    });
    expect(marked).toEqual([
      { line: 1, class: SiteClass.Csr },
      { line: 3, class: SiteClass.Return },
    ]);
    expect(source.split('\n').length).toBe(4);
    expect(source).toMatch(
      /^start: \d+: csrr a0, sepc ; nop ; nop ; \d+: \.pushsection \.previrt .* # why\n add a0, a0, a0\n/,
    );
  });

  it('wants a line for each of them', () => {
    expect(() => previrtualize('nop ; sret', { file: 'x.s' })).toThrow(
      /x\.s:1: a sensitive instruction needs a line of its own/,
    );
  });

  it('learns from a run which loads and stores go to devices and page tables', () => {
    const source = guestSource('nano-os', small);
    const lines = profile(guest('nano-os', small), createMachine({ ram: RAM }));
    const texts = [...lines].map((line) => source.split('\n')[line - 1]);
    expect(texts.some((line) => /UART_LSR\(t0\)/.test(line))).toBe(true);
    expect(texts.some((line) => /# PT/.test(line))).toBe(true);
    const { marked } = previrtualize(source, { memoryLines: lines });
    expect(marked.filter((site) => site.class === SiteClass.Memory).length).toBe(lines.size);
    const annotated = assemble(previrtualize(source, { memoryLines: lines, pads: USUAL_PADS }).source, {
      origin: 0x8040_0000,
    });
    const [plain, better] = [guest('nano-os.previrt', small), annotated].map((image) =>
      under('sharing', image),
    );
    expect(better.end.code).toBe(0);
    expect(better.hypervisor.vm.console).toBe(plain.hypervisor.vm.console);
  });
});

describe('what a run tells', () => {
  const source = guestSource('nano-os', small);
  const traced = (memoryLines: ReadonlySet<number>) => {
    const image = assemble(previrtualize(source, { memoryLines, pads: USUAL_PADS }).source);
    const hypervisor = new PreVirtual(createMachine({ ram: RAM }), { tracedTables: true });
    hypervisor.boot(image);
    expect(hypervisor.run({ instructions: 10_000_000 }).code).toBe(0);
    const { cycles } = hypervisor.report();
    const [trapped, called] = [hypervisor.trapped, hypervisor.called].map((at) => countsByLine(image, at));
    return { trapped, called, cycles: cycles.hypervisor };
  };

  it('a mark is worth it where most executions go to a device or a table, and only there', () => {
    const plain = traced(new Set());
    const all = traced(new Set(plain.trapped.keys()));
    expect(all.trapped.size).toBe(0);
    expect(all.cycles).toBeGreaterThan(plain.cycles); // clearing a page is called for each word
    const worth = worthMarking(plain.trapped, all.called);
    expect(worth.size).toBeLessThan(plain.trapped.size);
    expect(traced(worth).cycles).toBeLessThan(plain.cycles);
  });

  it('a wedge of one’s own stands in place of ours', () => {
    const image = guest('nano-os.previrt', small);
    const run = (wedge: PreVirtualOptions['wedge'] & {}) => {
      const hypervisor = new PreVirtual(createMachine({ ram: RAM }), { wedge });
      hypervisor.boot(image);
      expect(hypervisor.run({ instructions: 10_000_000 }).code).toBe(0);
      return hypervisor.report();
    };
    expect(run(WEDGES.sharing).cycles).toEqual(run('sharing').cycles);
    expect(run(() => undefined).exits.length).toBeGreaterThan(0);
  });
});

describe('a wedge', () => {
  it('puts more in place the larger the pads', () => {
    const inPlace = (pad: number) => {
      const { source } = previrtualize(guestSource('nano-os'), { pads: { [SiteClass.Csr]: pad } });
      return wedged(assemble(source), WEDGES.sharing).sites.filter((site) => site.how === 'in place').length;
    };
    const counts = [0, 1, 2, 3, 4, 8].map(inPlace);
    expect(counts[0]).toBeGreaterThan(0); // a status bit is one store
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts[4]).toBeGreaterThan(counts[0]);
    expect(counts[5]).toBe(counts[4]);
  });

  it('refuses, if it is strict, a pad that is too small, and says which', () => {
    const { source } = previrtualize('csrrw sp, sscratch, sp', { pads: { [SiteClass.Csr]: 1 } });
    const image = assemble(source);
    expect(() => wedged(image, WEDGES.sharing, { strict: true })).toThrow(
      /csrrw at 0x80400000 takes 5 instructions in place, and its pad leaves room for 2/,
    );
    expect(wedged(image, WEDGES.sharing).sites[0].how).toBe('call');
    expect(wedged(image, WEDGES.calling, { strict: true }).sites[0].how).toBe('call');
  });

  it('refuses a guest that is not pre-virtualized, and records of nonsense', () => {
    expect(() => new PreVirtual(createMachine({ ram: RAM })).boot(guest('hello'))).toThrow(
      /not pre-virtualized: it has no section/,
    );
    const bad = (words: string) => assemble(`nop\n.section .previrt\n.word ${words}`);
    expect(() => wedged(bad('0x1000, 0x1004, 1'), WEDGES.calling)).toThrow(
      /0x1000 to 0x1004: there is no code/,
    );
    expect(() => wedged(bad('0x80400000, 0x80400000, 1'), WEDGES.calling)).toThrow(/there is no code/);
  });

  it('leaves the guest that it was given as it was', () => {
    const image = guest('hello.previrt');
    const before = image.segments.map((segment) => [...segment.bytes]);
    wedged(image, WEDGES.sharing);
    expect(image.segments.map((segment) => [...segment.bytes])).toEqual(before);
  });
});
