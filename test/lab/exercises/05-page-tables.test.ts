// The exercises of lesson 05: right solutions pass, and each that is wrong in one place is told where.
import {
  Access,
  accessOf,
  type FaultAnswer,
  type GuestMemory,
  type GuestPage,
  isLeaf,
  isValid,
  LazyShadow,
  makePte,
  PAGE_BYTES,
  type PagedVm,
  Pte,
  ppnOf,
  RAM_BASE,
  type TakenOver,
  type Trap,
  type VirtualRange,
  type Vm,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { verdict } from './verdict';

const { V, R, W, X, U, A, D } = Pte;
const PAGES_OF_RAM = RAM_BASE / PAGE_BYTES;
const SUPERPAGE = 2 ** 22;

/** Moves an entry by page numbers, not by addresses: another way than the lesson's. */
function shifted(pte: number, from: number, to: number, count: number, wrong?: string): number {
  if ((pte & V) === 0 && wrong !== 'invalid') return pte;
  const page = ppnOf(pte) - from;
  if (wrong !== 'bounds' && (page < 0 || page >= (wrong === 'end' ? count + 1 : count))) return 0;
  const flags = wrong === 'flags' ? pte & 0xff : pte & 0x3ff;
  return makePte(to + page, flags) >>> 0;
}

const toReal = (pte: number, { base, size }: GuestMemory, wrong?: string) =>
  shifted(pte, PAGES_OF_RAM, wrong === 'same' ? PAGES_OF_RAM : base / PAGE_BYTES, size / PAGE_BYTES, wrong);

const toGuest = (pte: number, { base, size }: GuestMemory, wrong?: string) =>
  shifted(
    pte,
    base / PAGE_BYTES,
    wrong === 'same' ? base / PAGE_BYTES : PAGES_OF_RAM,
    size / PAGE_BYTES,
    wrong,
  );

function whoseFault(vm: Vm, va: number, access: Access, wrong?: string): FaultAnswer {
  const gpa = vm.hart.peek(va, wrong === 'access' ? Access.Read : access);
  if (gpa === undefined && wrong !== 'guest') return 'guest';
  if (vm.gpaToPa(gpa ?? 0) < 0) return wrong === 'device' ? 'guest' : 'device';
  const isStore = access === Access.Write || wrong === 'reads';
  return isStore && vm.paging.isTraced(gpa ?? 0) && wrong !== 'trace' ? 'trace' : 'filled';
}

function fill(pte: number, access: Access, wrong?: string) {
  let guest = pte | (wrong === 'A' ? 0 : A);
  if (access === Access.Write && wrong !== 'D') guest |= D;
  if (wrong === 'always D') guest |= D;
  let shadow = (guest & (V | R | W | X | U)) | (wrong === 'present' ? 0 : A | D);
  if ((guest & D) === 0 && wrong !== 'clean') shadow &= ~W;
  if (wrong === 'early' && access !== Access.Write) shadow &= ~W;
  if (wrong === 'read-only') shadow |= W;
  return { guest, shadow: makePte(ppnOf(pte), shadow) };
}

function shadowed(wrong?: string) {
  return (vm: PagedVm) =>
    new (class extends LazyShadow {
      override fault(trap: Trap): FaultAnswer {
        if (!this.tables.isPaging) return super.fault(trap);
        const { hart } = this.vm.guest;
        const access = accessOf(trap.cause);
        const answer = whoseFault(this.vm as Vm, trap.tval, access, wrong);
        if (answer === 'guest' && wrong !== 'unraised') hart.translate(trap.tval, access, 1);
        const leaf = hart.leafOf(trap.tval);
        if (answer !== 'filled' || leaf === undefined) return answer;
        const filled = fill(leaf.pte, access, wrong);
        this.vm.guest.ram.write(4, leaf.at, filled.guest);
        const entry = wrong === 'wrong page' ? filled.shadow + (1 << 10) : filled.shadow;
        if (wrong !== 'unmapped') this.tables.map(this.tables.root(), trap.tval, entry, leaf.isSuperpage);
        return answer;
      }
      override fence(va: number | undefined, asid: number | undefined): void {
        if (wrong !== 'fence') super.fence(va, asid);
      }
    })(vm);
}

function eager(vm: Vm, root: number, wrong?: string): TakenOver {
  const tables = wrong === 'root' ? [] : [root];
  const pages: GuestPage[] = [];
  const size = (level: number) => (level === 1 ? SUPERPAGE : PAGE_BYTES);
  const walk = (table: number, level: number, from: number) => {
    for (let n = 0; n < (wrong === 'last' ? 1023 : 1024); n++) {
      const pte = vm.readGuest(4, table + 4 * n) ?? 0;
      if (!isValid(pte, wrong === 'level' ? 1 : level)) continue;
      const va = from + n * size(level);
      const below = ppnOf(pte) * PAGE_BYTES;
      if (isLeaf(pte)) pages.push({ va, pte, bytes: wrong === 'size' ? PAGE_BYTES : size(level) });
      else if (wrong === 'outside' || vm.readGuest(4, below) !== undefined) {
        tables.push(below);
        if (level === 1) walk(below, 0, va);
      }
    }
  };
  walk(root, 1, 0);
  return { tables, pages };
}

function changed(vm: Vm, root: number, gpa: number, wrong?: string): VirtualRange[] {
  const page = Math.floor(gpa / PAGE_BYTES);
  const n = wrong === 'bytes' ? gpa % PAGE_BYTES : (gpa % PAGE_BYTES) / 4;
  if (page === root / PAGE_BYTES)
    return [{ va: n * SUPERPAGE, bytes: wrong === 'size' ? PAGE_BYTES : SUPERPAGE }];
  const all = Array.from({ length: 1024 }, (_, i) => ({ i, pte: vm.readGuest(4, root + 4 * i) ?? 0 }));
  const leading = all.filter(({ pte }) => (pte & V) !== 0 && !isLeaf(pte) && ppnOf(pte) === page);
  const used = wrong === 'first' ? leading.slice(0, 1) : leading;
  return used.map(({ i }) => ({
    va: (wrong === 'base' ? 0 : i * SUPERPAGE) + n * PAGE_BYTES,
    bytes: PAGE_BYTES,
  }));
}

const right = {
  '05-to-real': toReal,
  '05-to-guest': toGuest,
  '05-whose-fault': whoseFault,
  '05-fill': fill,
  '05-eager': eager,
  '05-trace': changed,
};

describe('lesson 05', () => {
  it.each(Object.entries(right))('%s: a right solution passes, an unsolved one is open', (id, solution) => {
    expect(verdict(id, solution)).toMatch(/^✓ Right/);
    expect(verdict(id, () => undefined)).toMatch(/^○ To be solved[\s\S]*nothing yet/);
  });

  it.each([
    ['05-to-real', 'same', /page +0x80003000 +0x80083000 +0x80003000/],
    ['05-to-real', 'bounds', /leads out of the guest’s RAM/],
    ['05-to-real', 'end', /leads out of the guest’s RAM[\s\S]*page +0x80100000/],
    ['05-to-real', 'flags', /loses its flags/],
    ['05-to-real', 'invalid', /not valid[\s\S]*must stay/],
    ['05-to-guest', 'same', /page +0x80083000 +0x80003000 +0x80083000/],
    ['05-to-guest', 'bounds', /leads out of what is the guest’s/],
    ['05-to-guest', 'flags', /loses its flags/],
    ['05-whose-fault', 'access', /store[\s\S]*`'guest'`; your answer is `'filled'`/],
    ['05-whose-fault', 'guest', /no entry there[\s\S]*`'guest'`; your answer is `'device'`/],
    ['05-whose-fault', 'device', /page 0x10000000[\s\S]*`'device'`; your answer is `'guest'`/],
    ['05-whose-fault', 'trace', /we watch that page\. That is `'trace'`/],
    [
      '05-whose-fault',
      'reads',
      /\(load\)[\s\S]*we watch that page\. That is `'filled'`; your answer is `'trace'`/,
    ],
    ['05-fill', 'A', /would have set A/],
    ['05-fill', 'D', /would have set D[\s\S]*the guest’s own/],
    ['05-fill', 'always D', /would not have set D in the guest’s entry for a load/],
    ['05-fill', 'clean', /still clean: the first store goes by unseen/],
    ['05-fill', 'early', /lacks a right that the guest may have already/],
    ['05-fill', 'read-only', /lets the guest write while/],
    ['05-fill', 'present', /A and D must be set in the shadow/],
    ['05-eager', 'root', /table 0x80010000 +is a table +nothing/],
    ['05-eager', 'last', /page 0xfffff000 +4 KiB/],
    ['05-eager', 'level', /page 0x40000000 +4 KiB, entry 0x\w+ +nothing/],
    [
      '05-eager',
      'size',
      /page 0x80000000 +4 MiB, entry 0x\w+ +4096 bytes|page 0x80000000 +4 MiB, entry 0x\w+ +4 KiB/,
    ],
    ['05-eager', 'outside', /table 0x10000000 +not there +is a table/],
    ['05-trace', 'bytes', /entry 5 of a lower table/],
    ['05-trace', 'size', /an entry of the root[\s\S]*0x40000000, 4 MiB[\s\S]*0x40000000, 4 KiB/],
    ['05-trace', 'first', /two entries of the root/],
    ['05-trace', 'base', /0x40000000, 4 KiB. Your answer: 0x00000000/],
  ] as const)('%s: %s wrong is found and named', (id, wrong, message) => {
    const solution = right[id] as (...parts: unknown[]) => unknown;
    const text = verdict(id, (...parts: unknown[]) => solution(...parts, wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it.each(Object.keys(right))('%s: answers of the wrong kind get a verdict', (id) => {
    for (const answer of [
      null,
      Number.NaN,
      1e300,
      'text',
      [],
      {},
      Promise.resolve(1),
      { guest: 1 },
      [null],
      { tables: [null], pages: [null] },
    ])
      expect(verdict(id, () => answer)).toMatch(/^✗ Not yet[\s\S]{60,}/);
  });

  it('an argument that is changed misleads nobody', () => {
    const changing = (pte: number, memory: GuestMemory) => {
      const found = toReal(pte, memory);
      memory.size = 0;
      memory.base = 0;
      return found;
    };
    expect(verdict('05-to-real', changing)).toMatch(/^✓ Right/);
  });
});

describe('05-shadow', () => {
  it('runs a guest under a right one', () => {
    expect(verdict('05-shadow', shadowed())).toMatch(/^✓ Right/);
    expect(verdict('05-shadow', shadowed('unraised'))).toMatch(/^✓ Right/); // the trap itself says it all
  });

  it.each([
    ['read-only', /your shadow entry maps the page writable/],
    ['A', /the guest's own entry became[\s\S]*would have made it/],
    ['clean', /maps the page writable while the guest's own entry is clean/],
    ['wrong page', /your shadow leads to page 0x\w+; the guest's page is at 0x\w+/],
    ['unmapped', /would fault there for ever/],
    ['device', /page fault \d+ \(load at 0x1000\w+[\s\S]*your answer is `'guest'`; it should be `'device'`/],
    ['fence', /a process was not content[\s\S]*is every sfence\.vma obeyed/],
  ])('%s wrong is found at a fault of the run', (wrong, message) => {
    const text = verdict('05-shadow', shadowed(wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it('opens the timeline at the fault', () => {
    const text = verdict('05-shadow', shadowed('wrong page'));
    expect(text).toMatch(/nano-os under your shadow[\s\S]*hypervisor/);
  });

  it('is open while nothing is made, and says so if something else is', () => {
    expect(verdict('05-shadow', () => undefined)).toMatch(/^○ To be solved/);
    expect(verdict('05-shadow', () => ({ fault: 7 }))).toMatch(/^✗ Not yet[\s\S]*new MyShadow/);
    expect(
      verdict(
        '05-shadow',
        (vm: PagedVm) =>
          new (class extends LazyShadow {
            override fault() {
              return undefined as unknown as FaultAnswer;
            }
          })(vm),
      ),
    ).toMatch(/^○ To be solved/);
  });
});
