// The firmware's answers, as a kernel gets them: SBI 2.0.
import { asm, createMachine, Firmware, type Machine } from 'kernel-lib';
import { describe, expect, it } from 'vitest';

const [IPI, RFENCE, HSM, SRST, DBCN, TIME, BASE] = [
  0x735049, 0x52464e43, 0x48534d, 0x53525354, 0x4442434e, 0x54494d45, 0x10,
];
const TEXT = 0x8000_2000;

/** Calls the firmware from S mode with these a0, a1, …; a7 is the extension, a6 the call. */
function call(
  extension: number,
  number: number,
  args: number[] = [],
  prepare: (machine: Machine) => void = () => {},
) {
  const machine = createMachine();
  new Firmware(machine).boot(asm`
        ${args.map((value, n) => `li a${n}, ${value}`).join('\n')}
        li a6, ${number}
        li a7, ${extension}
        ecall
1:      j 1b`);
  prepare(machine);
  machine.run({ instructions: 3 * args.length + 8 });
  const [a0, a1] = [machine.hart.x[10], machine.hart.x[11]];
  return { a0, a1, machine, pending: machine.hart.csrs.get('mip') };
}

describe('base', () => {
  it('tells its version and what it has', () => {
    expect(call(BASE, 0).a1).toBe(0x0200_0000);
    for (const extension of [BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN, 0, 1, 8])
      expect(call(BASE, 3, [extension])).toMatchObject({ a0: 0, a1: 1 });
    expect(call(BASE, 3, [0x50_4d55])).toMatchObject({ a0: 0, a1: 0 });
    expect(call(0x1234, 0).a0).toBe(-2);
  });
});

describe('interrupts between harts', () => {
  it.each([
    [1, 0, 0, 2],
    [0, 0, 0, 0],
    [0, -1, 0, 2],
    [2, 0, -3, 0],
    [1, 5, -3, 0],
  ])('mask %i from hart %i', (mask, base, a0, pending) => {
    expect(call(IPI, 0, [mask, base])).toMatchObject({ a0, pending });
  });

  it('by the legacy calls', () => {
    expect(call(4, 0, [0]).pending).toBe(2);
    expect(call(4, 0, [TEXT], ({ ram }) => ram.write(4, TEXT, 2)).pending).toBe(0);
    expect(call(3, 0, [], ({ hart }) => hart.csrs.set('mip', 2)).pending).toBe(0);
  });
});

it('fences the hart that asks', () => {
  const filled = (machine: Machine) => machine.hart.tlb.fill(false, 0x1000, 0, 0xff, false);
  const left = (number: number, args: number[]) =>
    call(RFENCE, number, args, filled).machine.hart.tlb.contents().length;
  expect([left(0, [1, 0]), left(1, [1, 0, 0, 0]), left(1, [0, 0, 0, 0]), left(2, [1, 0, 0, 0, 3])]).toEqual([
    1, 0, 1, 1,
  ]);
  expect(call(RFENCE, 3, [1, 0]).a0).toBe(-2);
});

it('knows the states of harts', () => {
  expect(call(HSM, 0, [0, TEXT, 0]).a0).toBe(-6);
  expect(call(HSM, 0, [1, TEXT, 0]).a0).toBe(-3);
  expect(call(HSM, 2, [0])).toMatchObject({ a0: 0, a1: 0 });
  expect(call(HSM, 3, [0]).machine.stopped?.reason).toBe('idle');
});

it('resets', () => {
  const end = (type: number, reason: number) => call(SRST, 0, [type, reason]).machine.stopped?.code;
  expect([end(0, 0), end(1, 0), end(0, 1)]).toEqual([0, 0, 1]);
  expect(call(SRST, 0, [7, 0]).a0).toBe(-3);
});

it('prints and reads', () => {
  const printed = call(DBCN, 0, [5, TEXT, 0], ({ ram }) => ram.copyIn(TEXT, Buffer.from('hello')));
  expect([printed.a0, printed.a1, printed.machine.console]).toEqual([0, 5, 'hello']);
  expect(call(DBCN, 0, [5, 0x1000, 0]).a0).toBe(-3);
  const read = call(DBCN, 1, [5, TEXT, 0], ({ uart }) => uart.input('hi'));
  expect([read.a1, read.machine.ram.read(2, TEXT)]).toEqual([2, 0x6968]);
  expect(call(1, 0, [65]).machine.console).toBe('A');
  expect(call(2, 0).a0).toBe(-1);
});
