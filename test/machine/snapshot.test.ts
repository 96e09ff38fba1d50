// Snapshots that are not whole, or of another machine, are refused and change nothing. (That good
// ones change nothing, either, is a law: test/laws/wild.test.ts.)
import { createMachine } from 'kernel-lib';
import { expect, it } from 'vitest';
import { SnapshotError } from '../../kernel-lib/machine/state';

const machine = createMachine({ ram: 2 ** 16 });
const snapshot = machine.snapshot();

it.each([
  ['nothing', new Uint8Array(), /no snapshot/],
  ['some text', Buffer.from('hello'), /no snapshot/],
  ['the beginning', snapshot.subarray(0, 1000), /damaged/],
  ['the mark', snapshot.subarray(0, 6), /damaged/],
  ['one with a bit turned', snapshot.map((byte, n) => (n === 500 ? byte ^ 1 : byte)), /checksum/],
  ['one with a byte more', Buffer.concat([snapshot, Buffer.of(0)]), /damaged/],
])('%s', (_, bytes, message) => {
  const before = machine.snapshot();
  expect(() => machine.restore(bytes)).toThrow(SnapshotError);
  expect(() => machine.restore(bytes)).toThrow(message);
  expect(Buffer.compare(machine.snapshot(), before)).toBe(0);
});

it.each([
  ['more RAM', createMachine({ ram: 2 ** 17 })],
  ['no PMP', createMachine({ ram: 2 ** 16, pmpEntries: 0 })],
  ['a disk', createMachine({ ram: 2 ** 16, disk: new Uint8Array(512) })],
  ['another TLB', createMachine({ ram: 2 ** 16, tlbEntries: 16 })],
])('one of a machine with %s', (_, other) => {
  expect(() => machine.restore(other.snapshot())).toThrow(/another machine/);
});

it('the same state gives the same bytes', () => {
  expect(Buffer.compare(createMachine({ ram: 2 ** 16 }).snapshot(), snapshot)).toBe(0);
});
