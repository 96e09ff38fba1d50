/**
 * The exercises of lesson 05 on a shadow that is always up to date: what it takes over of a guest's address
 * space and watches, and what a store to a watched table changes. Read `page-tables.ts` first.
 */
import { hex } from '../../bits';
import type { Vm } from '../../hypervisor/vm';
import { RAM_BASE } from '../../machine/machine';
import { makePte, PAGE_BYTES, Pte, ppnOf, SUPERPAGE_BYTES } from '../../machine/page-table';
import { defineExercises, type Exercise, inCase } from '../check';
import { randomNumbers } from '../random';
import { entryText, type Mapping, pageOf, ROOT, randomFlags, TabledGuest } from './tabled-guest';
import { told } from './told';

const { V, R, W, X, U, A, D } = Pte;

// ------------------------------------------------------------------------------------ 05-eager

/** What one leaf of the guest's maps. */
export interface GuestPage {
  va: number;
  pte: number;
  /** 4 KiB or 4 MiB. */
  bytes: number;
}

/** All that is in the tables below a root. Addresses of tables are guest-physical. */
export interface TakenOver {
  tables: number[];
  pages: GuestPage[];
}

type Eager = (vm: Vm, root: number) => TakenOver | undefined;

const DATA = V | R | W | U | A | D;
const page = (va: number, number: number, flags: number = DATA): Mapping => ({
  va,
  pte: pageOf(number, flags),
});
const superpage = (va: number, flags: number, ppn = RAM_BASE / PAGE_BYTES): Mapping => ({
  va,
  pte: makePte(ppn, flags),
  isSuperpage: true,
});

function* tableCases(): Generator<Mapping[]> {
  yield [page(0x4000_0000, 1)];
  yield [page(0x4000_0000, 1), page(0x4000_5000, 2, V | X | A)];
  yield [page(0x4000_0000, 1), superpage(0x8000_0000, DATA & ~U)];
  yield [page(0x4000_0000, 1), page(0x403f_f000, 2), page(0xffff_f000, 3)];
  yield [page(0x4000_0000, 1), page(0x4000_1000, 2, 0), page(0x4000_2000, 3, V | W)];
  yield [page(0x4000_0000, 1), page(0x4000_1000, 2, V)];
  yield [page(0x4000_0000, 1), superpage(0x8000_0000, DATA, RAM_BASE / PAGE_BYTES + 1)];
  yield [page(0x4000_0000, 1), superpage(0x5000_0000, V, 0x10000)];
  const random = randomNumbers(55);
  for (let n = 0; n < 40; n++) {
    const used = new Set<number>();
    const mappings: Mapping[] = [];
    for (let k = 0; k < 12; k++) {
      const index = random.pick([0, 1, 256, 511, 512, 1023]);
      const va = index * SUPERPAGE_BYTES + random.below(1024) * PAGE_BYTES;
      const flags = randomFlags(random) & (random.below(5) === 0 ? ~V : ~0);
      if (used.has(va)) continue;
      used.add(va);
      mappings.push(page(va, random.below(50), flags));
    }
    mappings.push(superpage(random.pick([300, 700]) * SUPERPAGE_BYTES, randomFlags(random)));
    yield mappings;
  }
}

const normal = (address: number) => hex(address | 0);

/** What is in the tables: which mappings are of any use, the guest's own hart says. */
function contentsOf(tabled: TabledGuest, mappings: readonly Mapping[]): Map<string, string> {
  const found = new Map([[`table ${normal(ROOT)}`, 'is a table']]);
  for (const table of tabled.lower.values()) found.set(`table ${normal(table)}`, 'is a table');
  for (const { va } of mappings) {
    const leaf = tabled.vm.hart.leafOf(va | 0);
    if (leaf === undefined) continue;
    found.set(`page ${normal(va)}`, `${leaf.isSuperpage ? '4 MiB' : '4 KiB'}, entry ${hex(leaf.pte)}`);
  }
  return found;
}

/** The same of a learner's answer; undefined if it is no such thing. */
function contentsIn(answer: unknown): Map<string, string> | undefined {
  const { tables, pages } = (answer ?? {}) as Partial<TakenOver>;
  if (!Array.isArray(tables) || !Array.isArray(pages)) return undefined;
  const found = new Map<string, string>();
  for (const table of tables) found.set(`table ${normal(Number(table))}`, 'is a table');
  for (const { va, pte, bytes } of pages.map((one) => Object(one) as Partial<GuestPage>)) {
    const size = bytes === PAGE_BYTES ? '4 KiB' : bytes === SUPERPAGE_BYTES ? '4 MiB' : `${bytes} bytes`;
    found.set(`page ${normal(Number(va))}`, `${size}, entry ${hex(Number(pte) | 0)}`);
  }
  return found;
}

function guestText(mappings: readonly Mapping[]): string {
  const entries = mappings.map(
    ({ va, pte, isSuperpage }) => `${hex(va | 0)}: ${entryText(pte)}${isSuperpage ? ' in the root' : ''}`,
  );
  return `A guest with the root table at ${hex(ROOT | 0)} has these entries: ${entries.join('; ')}.`;
}

const eager: Exercise<Eager> = {
  id: '05-eager',
  title: 'take a whole address space over',
  passed: 'Every page and every table of the guest’s is found, and no other, in 48 address spaces.',
  hints: [
    'A root has 1024 entries, one for each 4 MiB. Each is nothing, a leaf (a superpage), or leads to a table with another 1024.',
    '`isValid(pte, level)` and `isLeaf(pte)` tell them apart: level 1 for the root, 0 below. `vm.readGuest(4, gpa)` reads an entry, and gives undefined where the guest has no RAM: such a table does not count.',
    'Entry i of the root is for the address i * 4 MiB, entry j of the table below it for 4 KiB * j more. The root itself is a table, too.',
  ],
  test(solution) {
    for (const mappings of tableCases()) {
      const tabled = new TabledGuest(mappings);
      const wanted = contentsOf(tabled, mappings);
      const where = guestText(mappings);
      const answer: unknown = inCase(where, () => solution(tabled.vm, ROOT));
      const found = contentsIn(answer);
      if (found === undefined) {
        const kind =
          answer === undefined
            ? 'Your function returns nothing yet. It'
            : `Your function returned ${told(answer)}; it`;
        return {
          untouched: answer === undefined,
          message: `${kind} should return { tables, pages }, two lists.`,
        };
      }
      if (found.size === 0) {
        const message = `Your function finds nothing yet, and there is at least the root table at ${hex(ROOT | 0)}.`;
        return { untouched: true, message };
      }
      const places = [...new Set([...wanted.keys(), ...found.keys()])].sort();
      const wrong = places.filter((place) => wanted.get(place) !== found.get(place));
      if (wrong.length === 0) continue;
      return {
        message: where,
        table: {
          caption: 'What is in its tables',
          columns: [{ title: 'place' }, { title: 'should be' }, { title: 'you found' }],
          rows: wrong.map((place) => [
            place,
            wanted.get(place) ?? 'not there',
            found.get(place) ?? 'nothing',
          ]),
        },
      };
    }
    return undefined;
  },
};

// ------------------------------------------------------------------------------------ 05-trace

/** A part of the guest's virtual addresses. */
export interface VirtualRange {
  va: number;
  bytes: number;
}

type Changed = (vm: Vm, root: number, gpa: number) => VirtualRange[] | undefined;

/** What an entry of a table is for: for the root by its place, below by all the root's entries that lead there. */
function rangesOf({ lower }: TabledGuest, gpa: number): VirtualRange[] {
  const n = (gpa % PAGE_BYTES) / 4;
  const table = gpa - (gpa % PAGE_BYTES);
  if (table === ROOT) return [{ va: n * SUPERPAGE_BYTES, bytes: SUPERPAGE_BYTES }];
  return [...lower]
    .filter(([, at]) => at === table)
    .map(([index]) => ({ va: index * SUPERPAGE_BYTES + n * PAGE_BYTES, bytes: PAGE_BYTES }));
}

function* storeCases(): Generator<[TabledGuest, gpa: number, what: string]> {
  const simple = () => new TabledGuest([page(0x4000_0000, 1), page(0xc000_0000, 2)]);
  const table = ROOT + PAGE_BYTES;
  yield [simple(), table, 'the first entry of a lower table'];
  yield [simple(), table + 4 * 5, 'entry 5 of a lower table'];
  yield [simple(), ROOT + 4 * 256, 'an entry of the root'];
  yield [simple(), table + PAGE_BYTES + 4092, 'the last entry of another lower table'];
  yield [simple(), ppnOf(pageOf(1, 0)) * PAGE_BYTES, 'a page of data'];
  const shared = simple();
  shared.vm.writeGuest(4, ROOT + 4 * 900, makePte(table / PAGE_BYTES, V));
  shared.lower.set(900, table);
  yield [shared, table + 4 * 7, 'a table that two entries of the root lead to'];
  const random = randomNumbers(56);
  for (let n = 0; n < 60; n++) {
    const mappings = Array.from({ length: 5 }, (_, k) => page(random.below(2 ** 20) * PAGE_BYTES, k));
    const tabled = new TabledGuest(mappings);
    const at = random.pick([ROOT, ROOT, ...tabled.lower.values()]);
    yield [
      tabled,
      at + 4 * random.below(1024),
      at === ROOT ? 'an entry of the root' : 'an entry of a lower table',
    ];
  }
}

const rangesText = (ranges: readonly Partial<VirtualRange>[]) =>
  ranges.length === 0
    ? 'none'
    : ranges
        .map(
          ({ va, bytes }) =>
            `${hex(Number(va) | 0)}, ${bytes === SUPERPAGE_BYTES ? '4 MiB' : bytes === PAGE_BYTES ? '4 KiB' : `${bytes} bytes`}`,
        )
        .sort()
        .join('; ');

const trace: Exercise<Changed> = {
  id: '05-trace',
  title: 'what a store to a page table changes',
  passed: 'You know which of the guest’s addresses each of its entries is for, in 66 stores.',
  hints: [
    'Which table is the word in? The page of its address says it: the root, one of the lower tables, or none of them.',
    'An entry of the root is for 4 MiB at its number times 4 MiB. A lower table does not know where it is mapped: the root does. Look for the entries there that lead to it.',
    'For each index i of the root: read the entry, skip what is no pointer (not valid, or a leaf), and compare `ppnOf(entry) * 4096` with the page of the store. There can be more than one.',
  ],
  test(solution) {
    let isOpen = true; // until an answer is right
    for (const [tabled, gpa, what] of storeCases()) {
      const wanted = rangesText(rangesOf(tabled, gpa));
      const lower = [...tabled.lower].map(([index, at]) => `entry ${index} → ${hex(at | 0)}`);
      const where = `The root is at ${hex(ROOT | 0)} (${lower.join(', ')}), and the guest stores to ${hex(gpa | 0)}, ${what}.`;
      const answer: unknown = inCase(where, () => solution(tabled.vm, ROOT, gpa));
      const ranges = Array.isArray(answer)
        ? answer.map((one) => Object(one) as Partial<VirtualRange>)
        : undefined;
      const isRight = ranges !== undefined && rangesText(ranges) === wanted;
      isOpen &&= !isRight;
      if (isRight) continue;
      const found =
        answer === undefined
          ? 'nothing yet'
          : ranges === undefined
            ? `${told(answer)}, and should be a list`
            : rangesText(ranges);
      return {
        untouched: isOpen && answer === undefined,
        message: `${where} The addresses that this is about: ${wanted}. Your answer: ${found}.`,
      };
    }
    return undefined;
  },
};

defineExercises(eager, trace);
