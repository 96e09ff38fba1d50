// Binary translation with the reader's own choices: a translator of one's own, and each optimisation off.
// Whatever is chosen, the guest prints the same; what it costs goes the way that it should.
import {
  BinaryTranslator,
  type BinaryTranslatorOptions,
  type BlockTranslator,
  createMachine,
  guest,
  treatmentOf,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { EXPECTED } from '../guests/expected';

const NANO_OS = guest('nano-os', { FORKS: 1, WORK: 20 });

function translated(options: BinaryTranslatorOptions, image = NANO_OS, profile: 'riscv' | 'x86' = 'riscv') {
  const hypervisor = new BinaryTranslator(createMachine({ profile }), options);
  hypervisor.boot(image);
  const { reason, code } = hypervisor.run({ instructions: 5_000_000 });
  expect({ reason, code }).toEqual({ reason: 'finished', code: 0 });
  const { statistics } = hypervisor.translator;
  return { console: hypervisor.vm.console, cycles: hypervisor.vm.machine.cycles, statistics };
}

/** Copies what is innocuous, and calls for all that is sensitive. */
const simple: BlockTranslator = (block, write) => {
  for (const each of block) {
    const treatment = treatmentOf(each);
    if (treatment.kind === 'identical') write.copy(each);
    else if (treatment.kind === 'constant') write.constant(each, treatment.value);
    else if (treatment.kind === 'jump') write.jump(each, treatment.target);
    else if (treatment.kind === 'branch') write.branch(each, treatment.target);
    else if (treatment.kind === 'indirect') write.indirect(each);
    else write.callout(each);
  }
};

const usual = translated({});

describe('a translator of one’s own', () => {
  it('runs a whole operating system, on a machine whose sensitive instructions do not trap too', () => {
    expect(translated({ translate: simple }).console).toBe(usual.console);
    expect(translated({ translate: simple }, NANO_OS, 'x86').console).toBe(usual.console);
  });

  it('may call for everything', () => {
    const calling: BlockTranslator = (block, write) => {
      for (const each of block) write.callout(each);
    };
    const { console } = translated({ translate: calling }, guest('hello'));
    expect(console).toBe(EXPECTED.hello.console);
  });

  it('is told what makes no sense', () => {
    const wrong = (translate: BlockTranslator) => () => translated({ translate }, guest('hello'));
    expect(wrong(([first], write) => write.branch(first, 0))).toThrow(/write\.branch: .* has no condition/);
    expect(
      wrong(([first], write) => {
        write.jump(first, first.pc + 4);
        write.copy(first);
      }),
    ).toThrow(/block is over/);
    expect(wrong((_, write) => write.copy(undefined as never))).toThrow(/wants an instruction of the block/);
    expect(wrong(() => {})).toThrow(/has written nothing for the block at 0x80400000/);
  });
});

describe('without an optimisation', () => {
  it.each<[string, BinaryTranslatorOptions, 'exit' | 'emulate']>([
    ['chaining', { chaining: false }, 'exit'],
    ['emulation in the cache', { emulation: 'callout' }, 'emulate'],
  ])('%s, there are many more calls', (_, options, kind) => {
    const { console, statistics, cycles } = translated(options);
    expect(console).toBe(usual.console);
    expect(statistics.callouts[kind]).toBeGreaterThan(3 * usual.statistics.callouts[kind]);
    expect(cycles).toBeGreaterThan(usual.cycles);
  });

  it('merging: an instruction at a time', () => {
    const { console, statistics } = translated({ emulation: 'callout', merging: false });
    const merged = translated({ emulation: 'callout' });
    expect(console).toBe(usual.console);
    expect(statistics.callouts.emulate).toBeGreaterThan(merged.statistics.callouts.emulate);
  });

  it('adaptation: nobody is convicted; at once: more are', () => {
    const never = translated({ adaptation: { faultsToConvict: Number.POSITIVE_INFINITY } });
    const atOnce = translated({ adaptation: { faultsToConvict: 1 } });
    expect(never.console).toBe(usual.console);
    expect(atOnce.console).toBe(usual.console);
    expect(never.statistics.convictions).toBe(0);
    expect(atOnce.statistics.convictions).toBeGreaterThan(usual.statistics.convictions);
  });

  it('adaptation by numbers that are none is refused', () => {
    for (const faultsToConvict of [0, -1, Number.NaN])
      expect(() => translated({ adaptation: { faultsToConvict } })).toThrow(/faultsToConvict/);
  });
});
