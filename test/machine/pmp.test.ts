// Physical memory protection: which entry decides, what it allows, and what a lock keeps.
import { createMachine, Mode } from 'kernel-lib';
import { expect, it } from 'vitest';
import { Access, pmpNaturallyAligned } from '../../kernel-lib/machine/pmp';

const L = 0x80;
const TOR = 0x08;
const NA4 = 0x10;
const NAPOT = 0x18;
const [R, W, X] = [1, 2, 4];
const BASE = 0x8000_0000;

/** A hart with these entries, from number 0 on. */
function withEntries(...entries: [configuration: number, address: number][]) {
  const { hart } = createMachine({ ram: 2 ** 16 });
  entries.forEach(([, address], n) => {
    hart.csrs.set(`pmpaddr${n}`, address);
  });
  hart.csrs.set(
    'pmpcfg0',
    entries.reduce((word, [byte], n) => word | (byte << (8 * n)), 0),
  );
  return hart;
}

it('allows M all, and S and U nothing, where no entry is on', () => {
  const { pmp } = withEntries();
  expect(pmp.allows(Mode.M, Access.Write, BASE, 4)).toBe(true);
  expect(pmp.allows(Mode.S, Access.Read, BASE, 4)).toBe(false);
  expect(createMachine({ pmpEntries: 0 }).hart.pmp.allows(Mode.U, Access.Write, BASE, 4)).toBe(true);
});

it.each([
  ['4 bytes', NA4 | R, BASE / 4, BASE, BASE + 4],
  ['8 bytes', NAPOT | R, pmpNaturallyAligned(BASE, 8), BASE, BASE + 8],
  ['4 KiB', NAPOT | R, pmpNaturallyAligned(BASE, 4096), BASE, BASE + 4096],
  ['up to an address', TOR | R, (BASE + 12) / 4, 0, BASE + 12],
  ['everything', NAPOT | R, -1, 0, 2 ** 35],
])('an entry for %s begins and ends where it should', (_, configuration, address, low, high) => {
  const { pmp } = withEntries([configuration, address]);
  const reads = (pa: number, count: number) => pmp.allows(Mode.S, Access.Read, pa, count);
  expect([reads(low, 4), reads(high - 4, 4)]).toEqual([true, true]);
  expect(reads(high, 4)).toBe(false);
  if (low > 0) expect([reads(low - 4, 4), reads(low - 2, 4)]).toEqual([false, false]);
  expect(pmp.allows(Mode.S, Access.Write, low, 4)).toBe(false);
});

it('the lowest entry that touches any byte decides', () => {
  const { pmp } = withEntries([NA4, BASE / 4], [NAPOT | R | W | X, -1]);
  expect(pmp.allows(Mode.S, Access.Read, BASE, 4)).toBe(false);
  expect(pmp.allows(Mode.S, Access.Read, BASE + 2, 4)).toBe(false);
  expect(pmp.allows(Mode.S, Access.Read, BASE + 4, 4)).toBe(true);
  expect([pmp.isUniform(BASE + 8), pmp.isUniform(BASE + 4096)]).toEqual([false, true]);
});

it('a locked entry binds M mode, and neither it nor what it stands on can be written', () => {
  const hart = withEntries([0, BASE / 4], [L | TOR | R, BASE / 4 + 1]);
  expect(hart.pmp.allows(Mode.M, Access.Read, BASE, 4)).toBe(true);
  expect(hart.pmp.allows(Mode.M, Access.Write, BASE, 4)).toBe(false);
  hart.csrs.set('pmpaddr0', 0);
  hart.csrs.set('pmpaddr1', 0);
  hart.csrs.set('pmpcfg0', 0x0707_0000 | (NAPOT << 16) | 0x1f);
  expect(hart.csrs.get('pmpaddr0') >>> 0).toBe(BASE / 4);
  expect(hart.csrs.get('pmpaddr1') >>> 0).toBe(BASE / 4 + 1);
  expect(hart.csrs.get('pmpcfg0') >>> 0).toBe(0x071f_891f);
});

it('writable but not readable is reserved: it stays as it was', () => {
  const hart = withEntries([NA4 | R, BASE / 4]);
  hart.csrs.set('pmpcfg0', NA4 | W);
  expect(hart.csrs.get('pmpcfg0')).toBe(NA4 | R);
});
