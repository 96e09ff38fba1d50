// CSRs: what a write leaves, who may access which, and the counters.
import { asm, CSRS, createMachine, Mode } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { legalize } from '../../kernel-lib/isa/csrs';

describe('rows', () => {
  it('have different numbers and names', () => {
    expect(new Set(CSRS.map((row) => row.number)).size).toBe(CSRS.length);
    expect(new Set(CSRS.map((row) => row.name)).size).toBe(CSRS.length);
  });

  it('hold after reset what a write of it would leave', () => {
    for (const row of CSRS)
      expect([row.name, legalize(row, row.reset, row.reset)]).toEqual([row.name, row.reset]);
  });
});

it.each([
  ['mstatus', -1, 0x007e_19aa],
  ['sstatus', -1, 0x000c_0122],
  ['misa', 0, 0x4014_1105],
  ['mtvec', -1, -4],
  ['mtvec', 0x8000_0001 | 0, 0x8000_0001 | 0],
  ['mepc', -1, -2],
  ['satp', -1, -1],
  ['medeleg', -1, 0xb3ff],
  ['mideleg', -1, 0x222],
  ['mie', -1, 0xaaa],
  ['mip', -1, 0x222],
  ['sie', -1, 0],
  ['mcounteren', -1, 7],
  ['mcountinhibit', -1, 5],
  ['menvcfgh', -1, -0x8000_0000],
  ['mhpmcounter3', -1, 0],
  ['mhpmevent31', -1, 0],
  ['tselect', -1, 0],
])('%s, after %i was written, holds %i', (name, value, expected) => {
  const { csrs } = createMachine().hart;
  csrs.set(name, value);
  expect(csrs.get(name)).toBe(expected);
});

it('counters are the mode’s to read as mcounteren and scounteren say', () => {
  const { csrs } = createMachine().hart;
  const cycle = 0xc00;
  const readers = () => [Mode.U, Mode.S, Mode.M].filter((mode) => csrs.accessible(cycle, mode, false));
  expect(readers()).toEqual([Mode.M]);
  csrs.set('mcounteren', 1);
  expect(readers()).toEqual([Mode.S, Mode.M]);
  csrs.set('scounteren', 1);
  expect(readers()).toEqual([Mode.U, Mode.S, Mode.M]);
  expect(csrs.accessible(cycle, Mode.M, true)).toBe(false);
  expect([csrs.accessible(0xc03, Mode.S, false), csrs.accessible(0xc03, Mode.M, false)]).toEqual([
    false,
    true,
  ]);
});

it('what a machine comes without is no register', () => {
  const { csrs } = createMachine({ pmpEntries: 0 }).hart;
  expect([0x3a0, 0x3b0, 0x600, 0x7ff].map((number) => csrs.accessible(number, Mode.M, false))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

describe('counters', () => {
  it('count in 64 bits from where they are set', () => {
    const { hart, clock } = createMachine();
    hart.csrs.set('mcycleh', -1);
    hart.csrs.set('mcycle', -2);
    clock.cycles += 1;
    expect([hart.csrs.get('mcycleh'), hart.csrs.get('mcycle')]).toEqual([-1, -1]);
    clock.cycles += 1;
    expect([hart.csrs.get('cycleh'), hart.csrs.get('cycle')]).toEqual([0, 0]);
  });

  it('minstret shows after a write what was written', () => {
    const machine = createMachine();
    machine.load(asm`li   t0, 100
                     csrw minstret, t0
                     csrr a0, minstret
                     nop
                     csrr a1, minstret
                     csrwi mcountinhibit, 4
                     csrr a2, minstret
                     csrr a3, minstret
                     csrwi mcountinhibit, 0
                     csrr a4, minstret`);
    machine.run({ instructions: 10 });
    const [, a0, a1, a2, a3, a4] = machine.hart.x.subarray(9, 15);
    expect([a0, a1, a2, a3]).toEqual([100, 102, 103, 103]);
    expect(a4 - a3).toBeLessThanOrEqual(1);
  });
});
