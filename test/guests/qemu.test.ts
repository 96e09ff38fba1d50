// The guests on QEMU's virt board: the same bytes, the same console output as on our machine.
// Our firmware in assembly (guests/firmware.s) boots them there: `-bios firmware.bin`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guest, type Program, toElf } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { EXPECTED } from './expected';

const QEMU = 'qemu-system-riscv32';
const installed = spawnSync(QEMU, ['--version']).status === 0;
if (!installed) console.log(`skipped: guests on QEMU, because ${QEMU} is not installed`);

/** The bytes of a program as one flat image from its lowest address on. */
function flat(program: Program): Uint8Array {
  const base = Math.min(...program.segments.map((segment) => segment.address));
  const end = Math.max(...program.segments.map((segment) => segment.address + segment.size));
  const image = new Uint8Array(end - base);
  for (const { address, bytes } of program.segments) image.set(bytes, address - base);
  return image;
}

function onQemu(program: Program, more: string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'vmlab-'));
  try {
    writeFileSync(join(folder, 'firmware.bin'), flat(guest('firmware')));
    writeFileSync(join(folder, 'guest.elf'), toElf(program));
    writeFileSync(join(folder, 'disk.img'), new Uint8Array(64 * 512));
    // To a file: from a pipe that is full QEMU's UART drops bytes.
    const options =
      '-machine virt -m 64M -display none -serial file:printed -monitor none -bios firmware.bin -kernel guest.elf';
    execFileSync(QEMU, [...options.split(' '), ...more], { cwd: folder, input: '', timeout: 600_000 });
    return readFileSync(join(folder, 'printed'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(!installed)('on QEMU', () => {
  it.each(Object.keys(EXPECTED))('%s prints what it prints on our machine', (name) => {
    expect(onQemu(guest(name))).toBe(EXPECTED[name].console);
  });

  const DISK = ['-drive', 'file=disk.img,if=none,format=raw,id=disk'];
  const DEVICE = ['-device', 'virtio-blk-device,drive=disk,bus=virtio-mmio-bus.0'];
  it.each([
    ['legacy', []],
    ['version 2', ['-global', 'virtio-mmio.force-legacy=false']],
  ])('nano-os finds a disk with the interface %s', (_, options) => {
    const console = onQemu(guest('nano-os'), [...options, ...DISK, ...DEVICE]);
    expect(console).toContain('paging is on, a disk\nprocess 1: .... sector sector done\n');
    expect(console).toContain('self-check passed');
  });
});
