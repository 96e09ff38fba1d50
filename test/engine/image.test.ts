// Files to programs: what kind of file it is, and what is said of wrong ones.
import { asm, createMachine, ElfError, loadable, RAM_BASE, toElf, together } from 'kernel-lib';
import { expect, it } from 'vitest';

const program = asm`li a0, 1
                    li a1, 2`;

it('an ELF file goes where it says, anything else where we say', () => {
  expect(loadable(toElf(program)).entry).toBe(program.entry);
  expect(loadable(Uint8Array.of(1, 2), 0x8020_0000)).toEqual({
    entry: 0x8020_0000,
    segments: [{ address: 0x8020_0000, bytes: Uint8Array.of(1, 2) }],
  });
});

it('firmware and a kernel are loaded together, and the firmware starts', () => {
  const firmware = loadable(Uint8Array.of(0x13, 0, 0, 0));
  const both = together(firmware, program);
  const machine = createMachine();
  machine.load(both);
  expect([machine.hart.pc >>> 0, machine.ram.read(1, RAM_BASE)]).toEqual([RAM_BASE, 0x13]);
  expect(machine.ram.read(4, program.entry)).not.toBe(0);
});

it('what is no program is refused', () => {
  expect(() => loadable(new Uint8Array())).toThrow(/empty/);
  expect(() => loadable(toElf(program).subarray(0, 60))).toThrow(ElfError);
  expect(() => createMachine().load(loadable(Uint8Array.of(1), 0x1000))).toThrow(/do not fit into memory/);
});
