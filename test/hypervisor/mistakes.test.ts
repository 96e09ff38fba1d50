// Callers' mistakes: each hypervisor says what is wrong and what would do, before anything runs.
import {
  BinaryTranslator,
  type BinaryTranslatorOptions,
  compare,
  costSweep,
  createMachine,
  guest,
  LoadTimePatcher,
  MiB,
  PreVirtual,
  previrtualize,
  RAM_BASE,
  SiteClass,
  TECHNIQUES,
  TrapAndEmulate,
  type VmOptions,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { TECHNIQUE_NAMES } from './equivalence';

/** A value of any type where another is wanted. */
const wrong = <T>(value: unknown) => value as T;
const large = { segments: [{ address: 0x8040_0000, bytes: new Uint8Array(14 * MiB) }], entry: 0x8040_0000 };

describe.each(TECHNIQUE_NAMES)('%s', (technique) => {
  const make = (ram = 16 * MiB) => TECHNIQUES[technique](createMachine({ ram }));

  it('has no room for a guest that is too large, or for any', () => {
    expect(() => make().boot(large)).toThrow(/do not fit into memory.*more RAM/);
    expect(() => make(64 * 1024).boot(guest('hello'))).toThrow(/RAM/);
  });

  it('wants a guest before it runs, and a budget that makes sense', () => {
    expect(() => make().run()).toThrow(/no guest in this VM yet\. Give boot\(\) a kernel/);
    for (const instructions of [-1, Number.NaN]) {
      const hypervisor = make();
      hypervisor.boot(guest('hello'));
      expect(() => hypervisor.run({ instructions })).toThrow(
        /budget of (-1|NaN) instructions makes no sense/,
      );
    }
  });

  it('says what is no program', () => {
    for (const image of [undefined, null, 'hello', 7, {}])
      expect(() => make().boot(wrong(image)), String(image)).toThrow(/program/);
  });
});

describe('options', () => {
  const machine = () => createMachine();

  it.each([
    ['memory of no bytes', { memory: { base: RAM_BASE, size: 0 } }, /whole pages/],
    ['memory of less than none', { memory: { base: RAM_BASE, size: -4096 } }, /whole pages/],
    ['memory that is no number', { memory: { base: RAM_BASE, size: Number.NaN } }, /whole pages/],
    ['memory that begins inside of a page', { memory: { base: RAM_BASE + 12, size: MiB } }, /whole pages/],
    ['memory outside of RAM', { memory: { base: RAM_BASE, size: 64 * MiB } }, /do not fit into memory/],
    [
      'a layout that is not there',
      { layout: wrong<'user'>('ring 7') },
      /layout: "ring 7" is none of "user", "ring1"/,
    ],
    [
      'a way of paging that is not there',
      { paging: wrong<'shadow'>('nested') },
      /paging: "nested" is none of "shadow"/,
    ],
  ] as [string, VmOptions, RegExp][])('%s', (_, options, message) => {
    expect(() => new TrapAndEmulate(machine(), options)).toThrow(message);
  });

  it('all of the RAM for the guest: nothing is left for tables', () => {
    const memory = { base: RAM_BASE, size: 16 * MiB };
    expect(() => new TrapAndEmulate(machine(), { memory }).boot(guest('hello'))).toThrow(
      /0 frames are too few/,
    );
  });

  it('of other techniques', () => {
    const translated = (options: unknown) => () =>
      new BinaryTranslator(machine(), wrong<BinaryTranslatorOptions>(options));
    expect(translated({ guard: 'sometimes' })).toThrow(/guard: "sometimes" is none of/);
    expect(translated({ emulation: 'nowhere' })).toThrow(/emulation: "nowhere" is none of/);
    expect(() => new BinaryTranslator(createMachine({ ram: 64 * 1024 }))).toThrow(
      /too few for a translation cache/,
    );
    expect(() => new LoadTimePatcher(machine(), { replacement: wrong('nop') })).toThrow(
      /replacement: "nop" is none of/,
    );
    expect(() => new LoadTimePatcher(machine(), { scan: wrong('twice') })).toThrow(
      /scan: "twice" is none of/,
    );
    expect(() => new PreVirtual(machine(), { wedge: wrong('xen') })).toThrow(
      /wedge: "xen" is none of "calling", "sharing"/,
    );
    for (const pad of [-1, 1.5, 1000])
      expect(() => previrtualize('csrr a0, sepc', { pads: { [SiteClass.Csr]: pad } })).toThrow(/A pad of/);
  });

  it('of sweeps', () => {
    expect(() => compare(wrong({}))).toThrow(/Give guests to compare/);
    expect(() => costSweep(wrong('cheap'), [{}])).toThrow(/no cost preset "cheap"/);
  });
});
