// What callers give wrongly to a machine: each gets an error that says what was given and what would do.
import { asm, COSTS, createMachine, type Device, type Loadable, RAM_BASE } from 'kernel-lib';
import { expect, it } from 'vitest';

const program = (change: object): Loadable => ({ ...asm`nop`, ...change }) as Loadable;
const segment = (change: object) =>
  program({ segments: [{ address: RAM_BASE, bytes: new Uint8Array(8), ...change }] });
const device = (base: number): Device => ({
  name: 'lamp',
  base,
  size: 16,
  read: () => 0,
  write: () => true,
  exchange: () => {},
});
const make = (options: object) => () => createMachine(options);
const load = (image: unknown) => () => createMachine().load(image as Loadable);

it.each<[string, () => unknown, RegExp]>([
  ['RAM of no size', make({ ram: 0 }), /power of two from 4 KiB to 1 GiB/],
  ['an option that there is not', make({ rom: 4096 }), /no option "rom"\. There are: accessedDirty, clock/],
  ['a third virtio', make({ virtioVersion: 3 }), /virtioVersion: 3 is none of 1, 2/],
  ['five PMP entries', make({ pmpEntries: 5 }), /pmpEntries: 5 is none of 0, 16/],
  [
    'A and D by magic',
    make({ accessedDirty: 'magic' }),
    /accessedDirty: "magic" is none of "hardware", "fault"/,
  ],
  ['a TLB without entries', make({ tlbEntries: 0 }), /from 2 to 4096/],
  ['an engine by a wrong name', make({ engine: 'steam' }), /no engine "steam". There are: reference/],
  ['a profile by a wrong name', make({ profile: 'z80' }), /no profile "z80"/],
  ['costs by a wrong name', make({ costs: 'free' }), /no cost preset "free". There are: arm-est/],
  ['a cost table with a hole', make({ costs: { name: 'mine' } }), /"mine" says undefined for instruction/],
  ['a cost below zero', make({ costs: { ...COSTS['arm-est'], l1: -1 } }), /says -1 for l1: give cycles/],
  ['a disk by its name', make({ disk: 'disk.img' }), /Uint8Array, not "disk.img"/],
  ['a disk with half a sector', make({ disk: new Uint8Array(700) }), /multiple of 512/],
  ['no program', load(undefined), /segments and an entry, and this is undefined/],
  ['a program by its name', load('kernel.elf'), /and this is "kernel.elf"/],
  ['an odd entry', load(program({ entry: RAM_BASE + 1 })), /no address of an instruction/],
  ['an entry that is none', load(program({ entry: Number.NaN })), /NaN is no address/],
  ['a segment below RAM', load(segment({ address: 0x1000 })), /at 0x1000 do not fit into memory/],
  ['a segment over the end of RAM', load(segment({ address: 0x80ff_fffc })), /do not fit into memory/],
  ['a segment between bytes', load(segment({ address: RAM_BASE + 0.5 })), /whole number/],
  ['a segment cut short', load(segment({ size: 4 })), /8 bytes at 0x80000000 can't be 4 bytes long/],
  [
    'two segments in one place',
    load(
      program({
        segments: [
          { address: RAM_BASE + 16, bytes: new Uint8Array(8) },
          { address: RAM_BASE, bytes: new Uint8Array(1), size: 17 },
        ],
      }),
    ),
    /overlap in memory: 0x80000000 to 0x80000010 and 0x80000010 to 0x80000017/,
  ],
  ['a segment of text', load(segment({ bytes: 'nop' })), /Uint8Array, not "nop"/],
  ['a budget below zero', () => createMachine().run({ instructions: -1 }), /from 0 up/],
  ['a snapshot that is none', () => createMachine().restore('x' as never), /A snapshot: .* not "x"/],
  ['a CSR by a wrong name', () => createMachine().hart.csrs.set('sstate', 1), /no CSR called "sstate"/],
  [
    'a device over RAM',
    () => createMachine().bus.attach(device(RAM_BASE - 8)),
    /lamp at 0x7ffffff8 overlaps RAM/,
  ],
  ['a device over another', () => createMachine().bus.attach(device(0x1000_0080)), /overlaps uart/],
])('%s', (_, act, message) => {
  expect(act).toThrow(message);
});

it('a device between the others is attached, and answers', () => {
  const machine = createMachine();
  machine.bus.attach(device(0x1100_0000));
  expect(machine.bus.read(4, 0x1100_0004)).toBe(0);
});
