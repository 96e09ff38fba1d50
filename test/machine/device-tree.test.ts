// The device tree, read back by the compiler that everybody uses.
import { spawnSync } from 'node:child_process';
import { createMachine, type Machine } from 'kernel-lib';
import { describe, expect, it } from 'vitest';

const installed = spawnSync('dtc', ['--version']).status === 0;
if (!installed) console.log('skipped: device trees read by dtc, because dtc is not installed');

const image = { entry: 0x8000_0000, segments: [{ address: 0x8000_0000, bytes: new Uint8Array(64) }] };

/** The blob that a1 points to. */
function blobOf({ hart, ram }: Machine): Buffer {
  const at = (hart.x[11] >>> 0) - ram.base;
  const bytes = Buffer.from(ram.bytes.subarray(at));
  return bytes.subarray(0, bytes.readUInt32BE(4));
}

/** The blob as source, and what dtc has to say about it. */
function source(blob: Buffer): { text: string; complaints: string } {
  const { stdout, stderr } = spawnSync('dtc', ['-I', 'dtb', '-O', 'dts'], { input: blob, encoding: 'utf8' });
  return { text: stdout, complaints: stderr };
}

describe.skipIf(!installed)('dtc', () => {
  it('finds nothing wrong with it, and what is on the board', () => {
    const machine = createMachine({ ram: 2 ** 25 });
    machine.load(image, { bootArguments: 'console=ttyS0', initrd: new Uint8Array(5000) });
    const { text, complaints } = source(blobOf(machine));
    expect(complaints).toBe('');
    for (const expected of [
      'bootargs = "console=ttyS0";',
      'reg = <0x00 0x80000000 0x00 0x2000000>;',
      'timebase-frequency = <0x989680>;',
      'compatible = "ns16550a";',
      'mmu-type = "riscv,sv32";',
      'virtio_mmio@10008000',
      'interrupts-extended = <0x01 0x0b 0x01 0x09>;',
    ])
      expect(text).toContain(expected);
    const initrd = /linux,initrd-start = <0x(\w+)>;\s*linux,initrd-end = <0x(\w+)>/.exec(text);
    expect(Number(`0x${initrd?.[2]}`) - Number(`0x${initrd?.[1]}`)).toBe(5000);
  });
});

it('is high in RAM; there is none where there is no room', () => {
  const machine = createMachine();
  machine.load(image);
  expect(machine.hart.x[11] >>> 0).toBeGreaterThan(0x80f0_0000);
  const full = createMachine({ ram: 2 ** 12 });
  full.load(image);
  expect(full.hart.x[11]).toBe(0);
  expect(() => full.load(image, { initrd: new Uint8Array(5000) })).toThrow(/No room/);
});

it('firmware finds in a2 where it is to go on, as OpenSBI reads it; others find 0', () => {
  const machine = createMachine();
  machine.load(image, { nextStage: 0x8040_0000 });
  const at = machine.hart.x[12] >>> 0;
  const word = (n: number) => machine.ram.read(4, at + 4 * n);
  expect([0, 1, 2, 3, 4, 5].map((n) => word(n) >>> 0)).toEqual([0x4942534f, 2, 0x8040_0000, 1, 0, 0]);
  expect(at).not.toBe(machine.hart.x[11] >>> 0);
  machine.load(image);
  expect(machine.hart.x[12]).toBe(0);
  const full = createMachine({ ram: 2 ** 12 });
  expect(() => full.load(image, { nextStage: 0x8040_0000 })).toThrow(/No room for the address/);
});
