// The TLB: what it keeps, what it forgets, and that whoever listens knows no more than it does.
import { csrMask, Mode } from 'kernel-lib';
import { expect, it } from 'vitest';
import { randomNumbers } from '../../kernel-lib/lab/random';
import { Pte } from '../../kernel-lib/machine/page-table';
import { Access } from '../../kernel-lib/machine/pmp';
import { Tlb } from '../../kernel-lib/machine/tlb';
import { PA, pagedHart, RW, VA } from './paged-hart';

const page = (n: number) => 0x1000 * n;

it('replaces entries in turn, in each bank by itself', () => {
  const tlb = new Tlb(2);
  for (const n of [1, 2, 3]) tlb.fill(false, page(n), 0, RW, false);
  tlb.fill(true, page(9), 0, RW, false);
  const known = (isFetch: boolean) => [1, 2, 3, 9].filter((n) => tlb.find(isFetch, page(n), 0) >= 0);
  expect(known(false)).toEqual([2, 3]);
  expect(known(true)).toEqual([9]);
  expect(tlb.contents().map(({ bank, va }) => `${bank} ${va}`)).toEqual([
    'fetch 36864',
    'data 12288',
    'data 8192',
  ]);
});

it('keeps address spaces apart, unless the page is global', () => {
  const tlb = new Tlb(4);
  tlb.fill(false, page(1), 5, RW, false);
  tlb.fill(false, page(2), 5, RW | Pte.G, false);
  expect([1, 2].map((n) => tlb.find(false, page(n), 6) >= 0)).toEqual([false, true]);
});

it.each([
  [undefined, undefined, []],
  [page(1), undefined, [2, 3]],
  [undefined, 5, [2, 3]],
  [page(1), 5, [2, 3]],
  [page(2), 5, [1, 2, 3]],
  [page(3), 6, [1, 2]],
])('flushed of %s in %s', (va, asid, left) => {
  const tlb = new Tlb(4);
  tlb.fill(false, page(1), 5, RW, false);
  tlb.fill(false, page(2), 5, RW | Pte.G, false);
  tlb.fill(false, page(3), 6, RW, false);
  tlb.flush(va, asid);
  const spaces = [0, 5, 5, 6];
  expect([1, 2, 3].filter((n) => tlb.find(false, page(n), spaces[n]) >= 0)).toEqual(left);
});

it('a superpage is found and forgotten by any address in it', () => {
  const tlb = new Tlb(4);
  let dropped = 0;
  tlb.listener = { dropPage: () => {}, dropAll: () => dropped++ };
  tlb.fill(false, 0x0040_0000, 0, RW, true);
  expect(tlb.find(false, 0x007f_f000, 0)).toBeGreaterThanOrEqual(0);
  tlb.flush(0x0050_0000);
  expect([tlb.find(false, 0x0040_0000, 0), dropped]).toEqual([-1, 1]);
});

// An engine's fast path: it keeps what it was told may be kept, and drops what it is told to drop.
// Whatever the guest does in between, what it still has must be in the TLB, with the same rights, as
// soon as the hart is again in the address space it was kept in, with the same SUM and MXR.
it('a listener that keeps translations never knows more than the TLB', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = randomNumbers(seed);
    const { hart, map } = pagedHart({ tlbEntries: 4 });
    const kept = new Map<string, { va: number; access: Access; pa: number; asid: number; rights: number }>();
    const drop = (asid: number | undefined, isMeant: (va: number) => boolean) => {
      for (const [key, one] of kept)
        if ((asid === undefined || one.asid === asid) && isMeant(one.va)) kept.delete(key);
    };
    hart.tlb.listener = {
      dropAll: (asid) => drop(asid, () => true),
      dropPage: (va, asid) => drop(asid, (kept) => kept === va >>> 0),
    };
    for (let step = 0; step < 150; step++) {
      const n = random.below(12);
      const va = VA + page(n);
      const access = random.pick([Access.Read, Access.Write, Access.Execute]);
      const asid = hart.asidOf(hart.mode)!;
      const rights = hart.csrs.get('sstatus') & RIGHTS;
      if (random.below(4) > 0) {
        const pa = hart.translate(va, access, 4);
        hart.takeRaised();
        if (pa >= 0 && hart.isWhole(pa))
          kept.set(`${va >>> 0} ${access} ${asid} ${rights}`, { va: va >>> 0, access, pa, asid, rights });
      } else change(random, hart, map, n, va);
      for (const one of kept.values()) {
        const isHere =
          one.asid === hart.asidOf(hart.mode) && one.rights === (hart.csrs.get('sstatus') & RIGHTS);
        if (!isHere) continue;
        const again = hart.tlb.misses;
        expect(hart.translate(one.va, one.access, 4)).toBe(one.pa);
        expect(hart.tlb.misses).toBe(again);
      }
    }
    expect(kept.size).toBeLessThanOrEqual(8 * 12);
  }
});

const RIGHTS = csrMask('sstatus', 'SUM') | csrMask('sstatus', 'MXR');

type Paged = ReturnType<typeof pagedHart>;

/** Something that may end translations. */
function change(
  random: ReturnType<typeof randomNumbers>,
  hart: Paged['hart'],
  map: Paged['map'],
  n: number,
  va: number,
) {
  const { csrs } = hart;
  switch (random.below(6)) {
    case 0: // software must fence after this, but need not have done so yet
      map(n, PA + page(random.below(4)), Pte.V | (random.word() & 0xfe));
      return;
    case 1:
      hart.fenceTranslations(random.below(2) ? va : undefined, random.below(2) ? random.below(3) : undefined);
      return;
    case 2:
      csrs.set('satp', (csrs.get('satp') & ~(3 << 22)) | (random.below(3) << 22));
      return;
    case 3:
      csrs.set('sstatus', random.word());
      return;
    case 4:
      csrs.set('pmpaddr1', random.word());
      csrs.set('pmpcfg0', random.below(2) ? 0x1f : 0x1f00 | (random.word() & 0x1f));
      return;
    default:
      hart.mode = Mode.S;
  }
}
