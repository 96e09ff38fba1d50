// Sv32: rights, A and D, superpages, physical addresses, accesses across pages. (Random programs are
// compared with QEMU in test/laws; here are the rules one by one.)
import { Cause, Mode } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { makePte, Pte } from '../../kernel-lib/machine/page-table';
import { Access } from '../../kernel-lib/machine/pmp';
import { PA, pagedHart, RAM, ROOT, RW, TABLE, VA } from './paged-hart';

const fault = (hart: ReturnType<typeof pagedHart>['hart']) => hart.takeRaised()?.cause;

describe('rights', () => {
  const U = Pte.U;
  it.each([
    // flags, mode, set in mstatus: may it be read, written, executed
    [Pte.R, Mode.S, 0, 'r--'],
    [Pte.R | Pte.W, Mode.S, 0, 'rw-'],
    [Pte.X, Mode.S, 0, '--x'],
    [Pte.X, Mode.S, 1 << 19, 'r-x'],
    [Pte.R | Pte.W | Pte.X, Mode.U, 0, '---'],
    [Pte.R | Pte.W | Pte.X | U, Mode.U, 0, 'rwx'],
    [Pte.R | Pte.W | Pte.X | U, Mode.S, 0, '---'],
    [Pte.R | Pte.W | Pte.X | U, Mode.S, 1 << 18, 'rw-'],
    [Pte.W, Mode.S, 0, '---'],
    [0, Mode.S, 0, '---'],
  ])('%i in mode %i with %i', (flags, mode, status, expected) => {
    const { hart, map } = pagedHart();
    map(0, PA, flags | Pte.V);
    hart.csrs.set('mstatus', status);
    hart.mode = mode;
    const may = [Access.Read, Access.Write, Access.Execute].map((access) => {
      const pa = hart.translate(VA + 8, access, 2);
      if (pa < 0) expect([12, 13, 15]).toContain(fault(hart));
      else expect(pa).toBe(PA + 8);
      return pa >= 0;
    });
    expect(may.map((allowed, n) => (allowed ? 'rwx'[n] : '-')).join('')).toBe(expected);
  });

  it('are those of MPP for loads and stores under MPRV, and never for fetches', () => {
    const { hart, map } = pagedHart();
    map(0, PA, RW);
    hart.mode = Mode.M;
    hart.csrs.set('mstatus', (1 << 17) | (Mode.S << 11));
    expect(hart.translate(VA, Access.Read, 4)).toBe(PA);
    expect(hart.translate(VA, Access.Execute, 4)).toBe(VA);
    hart.csrs.set('mstatus', (1 << 17) | (Mode.U << 11));
    expect(hart.translate(VA, Access.Read, 4)).toBe(-1);
    expect(fault(hart)).toBe(Cause.LoadPageFault);
  });
});

describe('the leaf of an address, for those who only look', () => {
  it('is found whatever its rights, in the table, and A stays as it is', () => {
    const { hart, map, entry } = pagedHart();
    map(3, PA, Pte.V | Pte.R);
    const pte = entry(3);
    expect(hart.leafOf(VA + 0x3abc)).toEqual({ at: TABLE + 12, pte, isSuperpage: false });
    expect(entry(3)).toBe(pte);
    expect(hart.tlb.misses).toBe(0);
  });

  it('may be a superpage, and is none where the walk faults or paging is off', () => {
    const { hart, ram } = pagedHart();
    ram.write(4, ROOT, makePte(RAM / 4096, RW));
    expect(hart.leafOf(0x1234)).toMatchObject({ at: ROOT, isSuperpage: true });
    expect(hart.leafOf(VA)).toBeUndefined();
    hart.csrs.set('satp', 0);
    expect(hart.leafOf(0x1234)).toBeUndefined();
  });
});

describe('A and D', () => {
  it('are set by the hart: A by a load, D by a store, in the table', () => {
    const { hart, map, entry } = pagedHart();
    map(0, PA, Pte.V | Pte.R | Pte.W);
    hart.load(4, VA);
    expect(entry(0) & 0xff).toBe(Pte.V | Pte.R | Pte.W | Pte.A);
    hart.store(4, VA, 1);
    expect(entry(0) & 0xff).toBe(RW);
  });

  it('are left to software if so asked', () => {
    const { hart, map, entry } = pagedHart({ accessedDirty: 'fault' });
    map(0, PA, Pte.V | Pte.R | Pte.W | Pte.A);
    expect(hart.load(4, VA)).toBe(0);
    expect(fault(hart)).toBeUndefined();
    hart.store(4, VA, 1);
    expect(fault(hart)).toBe(Cause.StorePageFault);
    expect(entry(0) & 0xff).toBe(Pte.V | Pte.R | Pte.W | Pte.A);
  });
});

describe('where the walk leads', () => {
  it('a superpage maps 4 MiB, and is a fault if it does not begin at a multiple of them', () => {
    const { hart, ram } = pagedHart();
    ram.write(4, ROOT + 4 * (VA >>> 22), makePte(RAM / 4096, RW));
    expect(hart.translate(VA + 0x12345, Access.Read, 1)).toBe(RAM + 0x12345);
    ram.write(4, ROOT + 4 * (VA >>> 22), makePte(RAM / 4096 + 1, RW));
    hart.fenceTranslations(undefined, undefined);
    expect(hart.translate(VA + 0x12345, Access.Read, 1)).toBe(-1);
    expect(fault(hart)).toBe(Cause.LoadPageFault);
  });

  it('beyond 32 bits, or with a table where no RAM is, it is an access fault', () => {
    const { hart, ram, map } = pagedHart();
    map(0, 2 ** 33, RW);
    expect(hart.translate(VA, Access.Write, 4)).toBe(-1);
    expect(fault(hart)).toBe(Cause.StoreAccessFault);
    ram.write(4, ROOT + 4 * (VA >>> 22), makePte(2, Pte.V));
    hart.translate(VA, Access.Execute, 4);
    expect(fault(hart)).toBe(Cause.InstructionAccessFault);
  });

  it('where PMP forbids the table it is an access fault of the access that was made', () => {
    const { hart, map } = pagedHart();
    map(0, PA, RW);
    hart.csrs.set('pmpaddr0', TABLE / 4);
    hart.csrs.set('pmpaddr1', -1);
    hart.csrs.set('pmpcfg0', 0x1f10);
    hart.load(4, VA);
    expect(fault(hart)).toBe(Cause.LoadAccessFault);
  });

  it('an entry that points on with A, D or U, or at the lower level, is a page fault', () => {
    const { hart, ram, map } = pagedHart();
    for (const flag of [Pte.A, Pte.D, Pte.U]) {
      ram.write(4, ROOT + 4 * (VA >>> 22), makePte(TABLE / 4096, Pte.V | flag));
      hart.load(4, VA);
      expect(fault(hart)).toBe(Cause.LoadPageFault);
    }
    ram.write(4, ROOT + 4 * (VA >>> 22), makePte(TABLE / 4096, Pte.V));
    map(0, PA, Pte.V);
    hart.load(4, VA);
    expect(fault(hart)).toBe(Cause.LoadPageFault);
  });
});

describe('accesses across pages', () => {
  it('reach both, wherever they lie', () => {
    const { hart, ram, map } = pagedHart();
    map(0, PA, RW);
    map(1, PA + 0x8000, RW);
    hart.store(4, VA + 4094, 0x1234_5678);
    expect(ram.read(2, PA + 4094)).toBe(0x5678);
    expect(ram.read(2, PA + 0x8000)).toBe(0x1234);
    expect(hart.load(4, VA + 4094)).toBe(0x1234_5678);
    expect(hart.load(2, VA + 4095)).toBe(0x3456);
  });

  it('store nothing if the second page faults, and tell its address', () => {
    const { hart, ram, map } = pagedHart();
    map(0, PA, RW);
    hart.store(4, VA + 4093, -1);
    expect(hart.takeRaised()).toEqual({ cause: Cause.StorePageFault, tval: VA + 4096 });
    expect(ram.read(4, PA + 4092)).toBe(0);
    hart.load(4, VA + 4095);
    expect(hart.takeRaised()).toEqual({ cause: Cause.LoadPageFault, tval: VA + 4096 });
  });

  it('fetch an instruction from two', () => {
    const { hart, ram, map } = pagedHart();
    map(0, PA, RW | Pte.X);
    ram.write(2, PA + 4094, 0x0013);
    hart.pc = VA + 4094;
    hart.fetch();
    expect(hart.takeRaised()).toEqual({ cause: Cause.InstructionPageFault, tval: VA + 4096 });
    map(1, PA + 0x8000, RW | Pte.X);
    expect(hart.fetch()).toBe(0x13);
  });
});

it('who only looks changes nothing', () => {
  const { hart, map, entry, machine } = pagedHart();
  map(0, PA, Pte.V | Pte.R);
  const before = machine.snapshot();
  expect(hart.peek(VA + 4)).toBe(PA + 4);
  expect(hart.peek(VA + 4, Access.Write)).toBeUndefined();
  expect(entry(0)).toBe(makePte(PA / 4096, Pte.V | Pte.R));
  expect(Buffer.compare(machine.snapshot(), before)).toBe(0);
});

it('a walk costs what reading page-table entries costs, a hit nothing', () => {
  const { hart, map, machine } = pagedHart();
  const { pageTableRead } = machine.clock.costs;
  map(0, PA, RW);
  hart.load(4, VA);
  expect(machine.cycles).toBe(2 * pageTableRead);
  hart.load(4, VA);
  expect([machine.cycles, hart.tlb.misses, hart.tlb.hits]).toEqual([2 * pageTableRead, 1, 1]);
});
