/**
 * The exercises of lesson 05 on single entries: translating one between the guest and the machine, whose a
 * page fault is, and what a fill does to the guest's entry and to the shadow's. Those on whole tables are
 * in `shadow-page-tables.ts`.
 *
 * The oracles are the machine and the library's own shadow: a hart that sets A and D in a table in memory,
 * and `LazyShadow` on a guest in the same state.
 */
import { hex } from '../../bits';
import type { FaultAnswer } from '../../hypervisor/paging/paging';
import type { Vm } from '../../hypervisor/vm';
import { Cause } from '../../isa/causes';
import { Mode } from '../../isa/registers';
import { RAM_BASE } from '../../machine/machine';
import { flagsText, makePte, PAGE_BYTES, Pte, ppnOf } from '../../machine/page-table';
import { Access } from '../../machine/pmp';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { randomNumbers } from '../random';
import {
  ACCESS_NAMES,
  DEVICE,
  entryText,
  isWord,
  type Mapping,
  MEMORY,
  pageOf,
  randomFlags,
  TabledGuest,
} from './tabled-guest';
import { told, toldText } from './told';

const RANDOM_CASES = 150;
const FLAG_BITS = 0x3ff;
const { V, R, W, X, U, A, D } = Pte;

/** Where a guest's memory is in the machine's. */
export interface GuestMemory {
  base: number;
  size: number;
}

// ----------------------------------------------------------------------- 05-to-real, 05-to-guest

type Translation = (pte: number, memory: GuestMemory) => number | undefined;

/** What an entry becomes when the page that it leads to moves; nothing, where there is no such page. */
function moved(pte: number, from: GuestMemory, to: number): number {
  if ((pte & V) === 0) return pte;
  const offset = ppnOf(pte) * PAGE_BYTES - from.base;
  if (offset < 0 || offset >= from.size) return 0;
  return makePte((to + offset) / PAGE_BYTES, pte & FLAG_BITS);
}

/** Entries of all kinds that a table of the owner of `own` may hold. */
function* entries(own: GuestMemory, seed: number): Generator<number> {
  const page = own.base / PAGE_BYTES;
  yield makePte(page + 3, V | R | W | U | A | D);
  yield makePte(page, V | R | X | A);
  yield makePte(page + 7, V);
  yield makePte(page + 5, V | R | 0x300);
  yield 0;
  yield makePte(0x12345, W | 0x100);
  yield makePte(page + own.size / PAGE_BYTES - 1, V | R | A);
  yield makePte(page + own.size / PAGE_BYTES, V | R | W | A | D);
  yield makePte(page - 1, V | R | W | A | D);
  yield makePte(DEVICE / PAGE_BYTES, V | R | W | A | D);
  yield makePte(0x280000, V | R | W | A | D);
  const random = randomNumbers(seed);
  for (let n = 0; n < RANDOM_CASES; n++) {
    const inside = page + random.below(own.size / PAGE_BYTES);
    yield makePte(random.below(4) === 0 ? random.below(2 ** 22) : inside, random.below(1024));
  }
}

function translate(
  solution: Translation,
  seed: number,
  way: { own: (m: GuestMemory) => GuestMemory; right: Translation; whose: string; other: string },
): Failure | undefined {
  let isOpen = true; // until an entry is right
  for (const memory of [MEMORY, { base: 0x8200_0000, size: 0x0080_0000 }]) {
    for (const pte of entries(way.own(memory), seed)) {
      const wanted = way.right(pte, memory)!;
      const place = `The guest's RAM is the real RAM from ${hex(memory.base)} to ${hex(memory.base + memory.size - 1)}.`;
      const where = `${place} ${way.whose} ${entryText(pte)}.`;
      const found: unknown = inCase(where, () => solution(pte, { ...memory }));
      const isRight = isWord(found) && found >>> 0 === wanted >>> 0;
      isOpen &&= !isRight;
      if (isRight) continue;
      return {
        untouched: isOpen && found === undefined,
        message: `${where} It ${faultOf(pte, wanted, found, way.other)}`,
        table: {
          caption: 'The entry',
          columns: [{ title: 'part' }, { title: 'given' }, { title: 'should become' }, { title: 'is' }],
          rows: partsOf(pte, wanted, found),
        },
      };
    }
  }
  return undefined;
}

function faultOf(pte: number, wanted: number, found: unknown, other: string): string {
  if (found === undefined) return 'is to be translated, and your function returns nothing yet.';
  if (!isWord(found)) return `must become a word of 32 bits; your function returned ${told(found)}.`;
  if ((pte & V) === 0) return 'is not valid: it leads nowhere, and must stay as it is.';
  if (wanted === 0) return `leads out of ${other}: it must become 0, an entry that lets nobody in.`;
  if (ppnOf(found) !== ppnOf(wanted)) return 'is made to lead to the wrong page.';
  return 'loses its flags: only the page number may change.';
}

function partsOf(pte: number, wanted: number, found: unknown): string[][] {
  const parts: [string, (word: number) => string][] = [
    ['page', (word) => hex((ppnOf(word) * PAGE_BYTES) | 0)],
    [
      'flags (with bits 9:8)',
      (word) => `${((word >>> 8) & 3).toString(2).padStart(2, '0')} ${flagsText(word)}`,
    ],
  ];
  return parts.map(([name, text]) => [
    name,
    text(pte),
    text(wanted),
    isWord(found) ? text(found) : told(found),
  ]);
}

const GUESTS_VIEW = ({ size }: GuestMemory): GuestMemory => ({ base: RAM_BASE, size });

const toReal: Exercise<Translation> = {
  id: '05-to-real',
  title: 'a guest’s entry, as the machine needs it',
  passed: `Your entries lead where the guest’s do, and never out of its memory: ${2 * (RANDOM_CASES + 11)} entries.`,
  hints: [
    'An entry is a page number (bits 31:10) and flags (bits 9:0). Which of the two means something else to the guest than to the machine?',
    'The guest’s RAM begins at `RAM_BASE`, its pages lie in the real RAM from `memory.base` on: what is the distance from the beginning, in bytes? If it is negative, or not less than `memory.size`, the guest has no such page.',
    '`ppnOf(pte) * PAGE_BYTES` is the guest-physical address, `makePte(page number, flags)` puts an entry together, and `pte & 0x3ff` are its flags. An entry without V stays as it is.',
  ],
  test: (solution) =>
    translate(solution, 51, {
      own: GUESTS_VIEW,
      right: (pte, memory) => moved(pte, GUESTS_VIEW(memory), memory.base),
      whose: 'The guest stores',
      other: 'the guest’s RAM',
    }),
};

const toGuest: Exercise<Translation> = {
  id: '05-to-guest',
  title: 'the machine’s entry, as the guest must see it',
  passed: `The guest reads what it has stored, and no real address ever: ${2 * (RANDOM_CASES + 11)} entries.`,
  hints: [
    'The same as before, the other way round: now the page number is a real one.',
    'The distance is counted from `memory.base`, and added to `RAM_BASE`.',
    'Take your first function, and exchange `RAM_BASE` and `memory.base`. What is not the guest’s becomes 0 here, too: the guest must not learn where others are.',
  ],
  test: (solution) =>
    translate(solution, 52, {
      own: (memory) => memory,
      right: (pte, memory) => moved(pte, memory, RAM_BASE),
      whose: 'In the real table stands',
      other: 'what is the guest’s',
    }),
};

// ------------------------------------------------------------------------------ 05-whose-fault

interface FaultCase {
  /** What the guest has at the address; undefined: nothing. */
  mapping: Mapping | undefined;
  va: number;
  access: Access;
  mode: Mode;
  status: number;
  isTraced: boolean;
}

const SUM = 1 << 18;
const MXR = 1 << 19;
const VA = 0x4000_3000;
const TRACED_PAGE = 9;
const FAULT_CAUSES: Readonly<Record<Access, Cause>> = {
  [Access.Read]: Cause.LoadPageFault,
  [Access.Write]: Cause.StorePageFault,
  [Access.Execute]: Cause.InstructionPageFault,
};

function* faultCases(): Generator<FaultCase> {
  const page = (flags: number, number = 1): Mapping => ({ va: VA, pte: pageOf(number, flags) });
  const usual = { va: VA + 0x24, access: Access.Read, mode: Mode.U, status: 0, isTraced: false };
  const data = V | R | W | U | A | D;
  yield { ...usual, mapping: page(data) };
  yield { ...usual, mapping: undefined };
  yield { ...usual, mapping: page(V | R | U | A), access: Access.Write };
  yield { ...usual, mapping: page(V | R | W | U), access: Access.Write };
  yield { ...usual, mapping: page(V | R | W | A | D) };
  yield { ...usual, mapping: page(data), mode: Mode.S };
  yield { ...usual, mapping: page(data), mode: Mode.S, status: SUM };
  yield { ...usual, mapping: { va: VA, pte: makePte(DEVICE / PAGE_BYTES, data) } };
  yield { ...usual, mapping: page(data, TRACED_PAGE), isTraced: true, access: Access.Write };
  yield { ...usual, mapping: page(data, TRACED_PAGE), isTraced: true };
  yield { ...usual, mapping: page(V | R | U | A, TRACED_PAGE), isTraced: true, access: Access.Write };
  yield {
    ...usual,
    mapping: { va: 0x8000_0000, pte: makePte(RAM_BASE / PAGE_BYTES, data), isSuperpage: true },
    va: 0x8004_5678,
  };
  yield {
    ...usual,
    mapping: { va: 0x8000_0000, pte: makePte(RAM_BASE / PAGE_BYTES + 1, data), isSuperpage: true },
    va: 0x8004_5678,
  };
  const random = randomNumbers(53);
  for (let n = 0; n < RANDOM_CASES; n++) {
    const isDevice = random.below(6) === 0;
    const isTraced = random.below(3) === 0;
    const flags = randomFlags(random) & (random.below(10) === 0 ? ~V : ~0);
    const pte = isDevice
      ? makePte(DEVICE / PAGE_BYTES, flags)
      : pageOf(isTraced ? TRACED_PAGE : n % 8, flags);
    const access = random.pick([Access.Read, Access.Write, ...(isDevice ? [] : [Access.Execute])]);
    const mode = random.pick([Mode.U, Mode.S]);
    const status = random.pick([0, SUM, MXR, SUM | MXR]);
    yield { mapping: { va: VA, pte }, va: VA + 4 * random.below(1024), access, mode, status, isTraced };
  }
}

function guestIn({ mapping, mode, status, isTraced }: FaultCase): Vm {
  const { vm } = new TabledGuest(mapping === undefined ? [] : [mapping]);
  vm.hart.mode = mode;
  vm.hart.csrs.set('sstatus', status);
  if (isTraced) vm.paging.trace(ppnOf(pageOf(TRACED_PAGE, 0)) * PAGE_BYTES, 'exercise');
  return vm;
}

function faultText({ mapping, va, access, mode, status, isTraced }: FaultCase): string {
  const own = mapping === undefined ? 'has no entry there' : `has the entry ${entryText(mapping.pte)} there`;
  const level = mapping?.isSuperpage ? ' in its root table (4 MiB)' : '';
  const bits = [...((status & SUM) !== 0 ? ['SUM'] : []), ...((status & MXR) !== 0 ? ['MXR'] : [])];
  const set = bits.length === 0 ? '' : ` with ${bits.join(' and ')} set`;
  const watched = isTraced ? ', and we watch that page' : '';
  return `The guest, in virtual ${Mode[mode]}${set}, faults at ${hex(va)} (${ACCESS_NAMES[access]}). It ${own}${level}${watched}.`;
}

type WhoseFault = (vm: Vm, va: number, access: Access) => FaultAnswer | undefined;

const whoseFault: Exercise<WhoseFault> = {
  id: '05-whose-fault',
  title: 'whose page fault is it?',
  passed: `Hidden faults, the guest’s own, devices and traces: told apart in ${RANDOM_CASES + 13} states.`,
  hints: [
    'First of all: would a bare machine have faulted? The guest’s own tables know, and the virtual hart reads them: `vm.hart.peek(va, access)`.',
    '`peek` gives undefined if the guest’s tables don’t allow the access, else the guest-physical address. Is there RAM of the guest’s at that address? `vm.gpaToPa(gpa)` is negative if there isn’t.',
    'A page that we watch (`vm.paging.isTraced(gpa)`) can be read and executed like any other: only a store to it is a trace. Ask in the order guest, device, trace; what is left is ours to fill.',
  ],
  test(solution) {
    let isOpen = true; // until an answer is right
    for (const theCase of faultCases()) {
      const { va, access } = theCase;
      const wanted = guestIn(theCase).paging.fault({ cause: FAULT_CAUSES[access], tval: va });
      const where = faultText(theCase);
      const found: unknown = inCase(where, () => solution(guestIn(theCase), va, access));
      isOpen &&= found !== wanted;
      if (found === wanted) continue;
      const is = found === undefined ? 'nothing yet' : toldText(found);
      return {
        untouched: isOpen && found === undefined,
        message: `${where} That is ${toldText(wanted)}; your answer is ${is}.`,
      };
    }
    return undefined;
  },
};

// ------------------------------------------------------------------------------------- 05-fill

/** What a fill leaves: the guest's own entry, and the one of the shadow. */
export interface Filled {
  guest: number;
  shadow: number;
}

type Fill = (pte: number, access: Access) => Filled | undefined;

/** What a hart makes of its own entry when it accesses the page: asked of one. */
function afterAccess(pte: number, access: Access): number {
  const guest = new TabledGuest([{ va: VA, pte }]);
  const { hart } = guest.vm;
  hart.mode = (pte & U) !== 0 ? Mode.U : Mode.S;
  hart.translate(VA, access, 1);
  return guest.vm.readGuest(4, guest.entryAt({ va: VA, pte }))!;
}

function* fillCases(): Generator<[pte: number, access: Access]> {
  yield [pageOf(1, V | R | W | U | A | D), Access.Read];
  yield [pageOf(1, V | R | W | U), Access.Read];
  yield [pageOf(1, V | R | W | U | A), Access.Write];
  yield [pageOf(1, V | R | W | U), Access.Write];
  yield [pageOf(2, V | R | U | A | D), Access.Read];
  yield [pageOf(3, V | R | X), Access.Execute];
  yield [pageOf(4, V | R | W | A | D | 0x300), Access.Write];
  const random = randomNumbers(54);
  const needed = { [Access.Read]: R, [Access.Write]: W, [Access.Execute]: X };
  for (let n = 0; n < RANDOM_CASES; n++) {
    const pte = pageOf(random.below(100), randomFlags(random));
    const access = random.pick([Access.Read, Access.Write, Access.Execute]);
    if ((pte & needed[access]) !== 0) yield [pte, access];
  }
}

/** What may stand in a shadow, beside the page: no G, and none of the guest's own bits 9:8. */
const SHADOWED = V | R | W | X | U | A | D;

function shadowOf(guest: number): number {
  const rights = (guest & D) === 0 ? guest & ~W : guest;
  return makePte(ppnOf(guest), (rights & SHADOWED) | V | A | D);
}

function fillFault(wanted: Filled, found: Filled, access: Access): string {
  const changed = (wanted.guest ^ found.guest) & (A | D);
  if (ppnOf(found.guest) !== ppnOf(wanted.guest) || ((wanted.guest ^ found.guest) & ~(A | D)) !== 0)
    return 'In the guest’s own entry nothing but A and D may change.';
  if (changed !== 0) {
    const bit = (changed & A) !== 0 ? 'A' : 'D';
    const should = (wanted.guest & (changed & A ? A : D)) !== 0;
    return should
      ? `A hart would have set ${bit} in the guest’s entry, and the guest’s kernel relies on it.`
      : `A hart would not have set ${bit} in the guest’s entry for a ${ACCESS_NAMES[access]}.`;
  }
  if (ppnOf(found.shadow) !== ppnOf(wanted.shadow))
    return 'The shadow’s entry must name the guest’s page: the tables translate it.';
  if ((found.shadow & ~wanted.shadow & W) !== 0)
    return (wanted.guest & W) === 0
      ? 'Your shadow entry maps the page writable; the guest’s own entry is read-only.'
      : 'Your shadow entry lets the guest write while its own entry is still clean: the first store goes by unseen, and D is never set.';
  if ((wanted.shadow & ~found.shadow & (A | D)) !== 0)
    return 'A and D must be set in the shadow’s entry, or the real hart wants to write into our table.';
  if ((found.shadow & ~wanted.shadow & (R | X)) !== 0)
    return 'Your shadow entry gives a right that the guest’s own does not give.';
  if ((wanted.shadow & ~found.shadow & (R | W | X)) !== 0)
    return 'Your shadow entry lacks a right that the guest may have already: it would fault again without need.';
  return 'U must be as the guest has it, V must be set.';
}

function filledOf(answer: unknown): Filled | undefined {
  const { guest, shadow } = (answer ?? {}) as Partial<Filled>;
  return isWord(guest) && isWord(shadow) ? { guest, shadow } : undefined;
}

const fill: Exercise<Fill> = {
  id: '05-fill',
  title: 'fill a shadow, with A and D',
  passed:
    'The guest’s A and D bits are what a hart would have made of them, and no store to a clean page goes by unseen.',
  hints: [
    'What does a hart do to a page-table entry by itself? It sets A when the page is accessed, and D when it is stored to. You are the hart now, for the guest’s entry.',
    'The guest’s entry takes A, and with a store D. The shadow has R, X and U as the guest has them. W is the trick: if it is there too early, nobody tells you about the first store.',
    'In the shadow leave W out unless the guest’s entry, as it is now, has D. V, A and D are always set there: the real hart must never want to write into your table. Leave out bits 9:8 and G: they are the guest’s own affair.',
  ],
  test(solution) {
    let isOpen = true; // until an answer is right
    for (const [pte, access] of fillCases()) {
      const guest = afterAccess(pte, access);
      const wanted: Filled = { guest, shadow: shadowOf(guest) };
      const where = `The guest’s entry is ${entryText(pte)}, and the hidden fault was a ${ACCESS_NAMES[access]}.`;
      const answer: unknown = inCase(where, () => solution(pte, access));
      const found = filledOf(answer);
      if (found === undefined) {
        const none = 'Your function returns nothing yet.';
        const other = `Your function should return { guest, shadow }, two words; it returned ${told(answer)}.`;
        return {
          untouched: isOpen && answer === undefined,
          message: `${where} ${answer === undefined ? none : other}`,
        };
      }
      const isRight =
        found.guest >>> 0 === wanted.guest >>> 0 && ((found.shadow ^ wanted.shadow) & ~0x320) === 0;
      isOpen = false;
      if (isRight) continue;
      return {
        message: `${where} ${fillFault(wanted, found, access)}`,
        table: {
          caption: 'Afterwards',
          columns: [{ title: 'entry' }, { title: 'should be' }, { title: 'is' }],
          rows: [
            ['the guest’s own', entryText(wanted.guest), entryText(found.guest)],
            ['in the shadow', entryText(wanted.shadow), entryText(found.shadow)],
          ],
        },
      };
    }
    return undefined;
  },
};

defineExercises(toReal, toGuest, whoseFault, fill);
