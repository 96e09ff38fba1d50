/**
 * The exercises of lesson 08: finding sensitive instructions, putting breakpoints in their places,
 * answering those, and jumping to code that does the work instead.
 *
 * Scans are compared with the library's on programs with data and compressed instructions; the
 * answer to breakpoints exit by exit on running guests (`patching/patched-run.ts`); a detour is
 * executed on a hart.
 */
import { hex } from '../../bits';
import { assemble, DEFAULT_ORIGIN } from '../../code/assemble';
import { decode } from '../../code/decode';
import { disassemble } from '../../code/disassemble';
import { encode, rowByName } from '../../code/encode';
import { createMachine } from '../../engine/create';
import { execute, step } from '../../engine/reference';
import { guest } from '../../guests/guests';
import { type Site, scan } from '../../hypervisor/load-time-patching/scan';
import { reflect } from '../../hypervisor/trap-and-emulate';
import type { ProfileName } from '../../isa/profiles';
import { ABI_NAMES, Mode, registerNumber } from '../../isa/registers';
import { type Loadable, MiB, RAM_BASE } from '../../machine/machine';
import { defineExercises, type Exercise, type Failure, inCase, TestEnded } from '../check';
import { differences } from '../hart-state';
import { randomNumbers } from '../random';
import {
  type BreakpointHandler,
  inUserMode,
  type PatchedInstructions,
  runPatched,
} from './patching/patched-run';
import { scanned } from './patching/scans';
import { placesTable } from './places-table';
import { told } from './told';

// ------------------------------------------------------------------------------------- 08-scan

/** Reads 2 or 4 bytes of a program. */
export type ReadProgram = (address: number, bytes: 2 | 4) => number;

type Scan = (begin: number, end: number, read: ReadProgram) => number[];

const MOST_READS = 100_000;

const endless = (where: string) =>
  `${where}, your scan has read ${MOST_READS.toLocaleString('en-GB')} times, and is still at it: does it go on?`;

/** Where a scan reads beyond the program, as the end of a sentence. */
function readOutside(at: number, count: number, begin: number, end: number): string {
  if (!Number.isInteger(at)) return `your scan reads at ${told(at)}, which is no address.`;
  const left = end - at;
  const why =
    left > 0 && left < count
      ? `there ${left === 1 ? 'is 1 byte' : `are ${left} bytes`} left of it`
      : `the program goes from ${hex(begin)} to ${hex(end)}`;
  return `your scan reads ${count} bytes at ${hex(at)}, and ${why}.`;
}

function judgeScan(name: string, image: Loadable, solution: Scan): Failure | undefined {
  for (const { bytes, address } of image.segments) {
    const part = { ...image, segments: [{ bytes, address }] };
    const wanted = scan(part).map((site) => site.address);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const end = address + bytes.length;
    const where = `In ${name}`;
    let reads = 0;
    const read: ReadProgram = (at, count) => {
      if (++reads > MOST_READS) throw new TestEnded({ message: endless(where) });
      if (!(at >= address && at + count <= end))
        throw new TestEnded({ message: `${where}, ${readOutside(at, count, address, end)}` });
      return count === 2 ? view.getUint16(at - address, true) : view.getInt32(at - address, true);
    };
    const found = inCase(`${where}:`, () => solution(address, end, read));
    if (!Array.isArray(found))
      return { untouched: found === undefined, message: 'Your function gives no list of addresses.' };
    const textAt = (at: number) => disassemble(view.getInt32(at - address, true), at);
    const missed = wanted.find((at) => !found.includes(at));
    if (missed !== undefined)
      return {
        untouched: found.length === 0 && reads === 0,
        message: `${where}, your scan misses \`${textAt(missed)}\` at ${hex(missed)}.`,
      };
    const wrong = found.find((at) => !wanted.includes(at));
    if (wrong !== undefined) {
      const isInside = wrong >= address && wrong + 4 <= end;
      const what = isInside ? ` (there is \`${textAt(wrong)}\`, if one begins to read there)` : '';
      return {
        message: `${where}, your scan finds something at ${hex(Number(wrong) || 0)}${what}, where the library's finds nothing.`,
      };
    }
    if (new Set(found).size < found.length)
      return { message: `${where}, your scan finds the same place twice.` };
  }
  return undefined;
}

const scanExercise: Exercise<Scan> = {
  id: '08-scan',
  title: 'scan a program',
  get passed() {
    return `Your scan finds what the library's finds, in ${[...scanned()].length} programs: compressed instructions, data between the code, and what is left over at the end.`;
  },
  hints: [
    'Go through the program as the hart would: read four bytes, decode them, note the address if the instruction is sensitive, go on behind it.',
    'How far to go on? By the instruction’s length, 2 or 4. Where `decode` gives undefined there is none: go on by 2, because one may begin at every second byte.',
    '`while (at + 4 <= end)`: a sensitive instruction has four bytes, so what is shorter at the end can’t be one, and reading on would leave the program.',
  ],
  test(solution) {
    for (const { name, program } of scanned()) {
      const failure = judgeScan(name, program, solution);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

// ------------------------------------------------------------------------------------ 08-patch

type Patch = (sites: readonly Site[], write: (address: number, word: number) => void) => PatchedInstructions;

function judgePatch(name: string, solution: Patch): Failure | undefined {
  const sites = scan(guest(name));
  const words = new Map<number, number>();
  const table = inCase(`${name}:`, () =>
    solution(
      sites.map((site) => ({ ...site })),
      (address, word) => words.set(address >>> 0, word | 0),
    ),
  );
  const isTable = table instanceof Map;
  if (words.size === 0 && (!isTable || table.size === 0))
    return { untouched: true, message: `${name} has ${sites.length} sites: your function patches none.` };
  for (const { address, instruction } of sites) {
    const text = `\`${disassemble(instruction.word, address)}\` at ${hex(address)}`;
    const word = words.get(address);
    if (word === undefined) return { message: `${name}: ${text} is as it was.` };
    const isBreakpoint = ['ebreak', 'c.ebreak'].includes(decode(word)?.row.name ?? '');
    if (!isBreakpoint)
      return { message: `${name}: in the place of ${text} there is now ${inUserMode(word)}.` };
    const kept = isTable ? table.get(address) : undefined;
    if (kept?.word !== instruction.word)
      return {
        message: `${name}: ${text} is overwritten, and your table ${kept === undefined ? 'has nothing' : 'has something else'} for this address: nobody knows any more what to do there.`,
      };
  }
  const stray = [...words.keys()].find((address) => !sites.some((site) => site.address === address));
  if (stray === undefined) return undefined;
  return {
    message: `${name}: your function writes to ${hex(stray)}, which is no site: it destroys what is there.`,
  };
}

const patch: Exercise<Patch> = {
  id: '08-patch',
  title: 'patch with trapping instructions',
  passed:
    'In four guests every site is a breakpoint now, nothing else has changed, and your table knows what was there.',
  hints: [
    'Two things for each site: something in its place that traps on every machine, and a note of what was there.',
    'Which instruction exists to be put in the place of others, and traps in every mode? Debuggers use it.',
    '`write(site.address, encode(rowByName("ebreak")!, {}))`, and `table.set(site.address, site.instruction)`.',
  ],
  test(solution) {
    for (const name of ['hello', 'syscalls', 'rtos', 'nano-os']) {
      const failure = judgePatch(name, solution);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

// ----------------------------------------------------------------------------------- 08-answer

/** A guest with breakpoints of its own, in its kernel. */
const ownBreakpoint = () =>
  assemble(
    `_start: la    t0, handler
        csrw  stvec, t0
        li    a0, 5
        ebreak
        csrr  a1, scause
        li    t0, 0x100000
        li    t1, 0x5555
        sw    t1, 0(t0)
        .balign 4
handler: csrr t0, sepc
        addi  t0, t0, 4
        csrw  sepc, t0
        sret
`,
    { file: 'breakpoint.s', origin: DEFAULT_ORIGIN },
  );

const ANSWERED: readonly [name: string, image: () => Loadable, profile: ProfileName][] = [
  ['a guest with a breakpoint of its own', ownBreakpoint, 'riscv'],
  ['popf, on the profile x86', () => guest('defects/popf'), 'x86'],
  ['syscalls', () => guest('syscalls'), 'riscv'],
];

const rightAnswer: BreakpointHandler = (vm, trap, patched) => {
  const original = patched.get(vm.hart.pc >>> 0);
  if (original === undefined) return reflect(vm, trap);
  execute(vm.hart, original);
  const own = vm.hart.takeRaised();
  if (own !== undefined) reflect(vm, own);
};

function judgeAnswer(
  name: string,
  image: Loadable,
  profile: ProfileName,
  solution: BreakpointHandler,
): Failure | undefined {
  const reference = runPatched(image, profile, rightAnswer, () => false);
  let failure: Failure | undefined;
  const tried: BreakpointHandler = (vm, trap, patched) =>
    inCase(`${name}: at the breakpoint at ${hex(vm.hart.pc)}.`, () => solution(vm, trap, patched));
  runPatched(image, profile, tried, ({ at, before, after }, n) => {
    const wanted = reference.answers[n];
    const wrong = wanted === undefined ? [] : differences(wanted.after, after);
    if (wanted !== undefined && wrong.length === 0) return false;
    const untouched = differences(before, after).length === 0;
    failure = {
      untouched: untouched && n === 0,
      message:
        wanted === undefined
          ? `${name}: the guest should have stopped before ${at}.`
          : `${name}: at ${at}, ${untouched ? 'your function does nothing' : 'the virtual hart goes astray'}.`,
      table: placesTable(wrong),
    };
    return true;
  });
  return failure;
}

const answer: Exercise<BreakpointHandler> = {
  id: '08-answer',
  title: 'answer the breakpoint',
  passed:
    'Three patched guests run, and after every breakpoint their harts are what they would be with the instruction in place.',
  hints: [
    'Two kinds of breakpoints come here: yours, and the guest’s own. How do you tell them apart?',
    '`patched.get(vm.hart.pc >>> 0)` is the instruction that was there, or undefined: then the trap is the guest’s own, so `reflect(vm, trap)`.',
    '`execute(vm.hart, original)` does it on the virtual hart, whose mode decides whether it may. If it may not, `vm.hart.takeRaised()` is the trap that it has raised: reflect that one.',
  ],
  test(solution) {
    for (const [name, image, profile] of ANSWERED) {
      const failure = judgeAnswer(name, image(), profile, solution);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

// ----------------------------------------------------------------------------------- 08-detour

/** What a site and the thunk beside it are made of. */
export interface Detour {
  /** The word in the site's place. */
  patch: number;
  /** The thunk's words, in order. */
  thunk: number[];
}

type MakeDetour = (site: number, thunk: number, work: readonly number[]) => Detour | undefined;

const REACH = 2 ** 20;
const word = (name: string, operands: Record<string, number>) => encode(rowByName(name)!, operands);
const A0 = registerNumber('a0')!;
const SP = registerNumber('sp')!;
const WORK = [
  [word('addi', { rd: A0, rs1: A0, imm: 1 })],
  [word('lw', { rd: A0, rs1: SP, imm: 0 }), word('sw', { rs1: SP, rs2: A0, imm: 4 })],
  [],
  [
    word('xori', { rd: A0, rs1: A0, imm: -1 }),
    word('slli', { rd: A0, rs1: A0, imm: 3 }),
    word('sw', { rs1: SP, rs2: A0, imm: 0 }),
  ],
];

function* detours(): Generator<[site: number, thunk: number, work: readonly number[]]> {
  const middle = RAM_BASE + 2 * MiB;
  yield [middle, middle - 0x100, WORK[0]];
  yield [middle, middle + 0x2000, WORK[1]];
  yield [middle, middle - REACH + 4, WORK[0]];
  yield [middle, middle - REACH, WORK[0]];
  yield [middle, middle - REACH - 4, WORK[0]];
  yield [middle, middle + REACH - 4, WORK[0]];
  yield [middle, middle + REACH - 4, WORK[3]];
  yield [middle, middle + REACH, WORK[3]];
  const random = randomNumbers(17);
  for (let n = 0; n < 60; n++) {
    const distance = 4 * (random.below(REACH / 2) - REACH / 4) || 64;
    yield [middle, middle + (Math.abs(distance) < 64 ? 64 : distance), random.pick(WORK)];
  }
}

/** A hart that begins at an address of a RAM with some words in it. */
function hartAt(pc: number, words: readonly [address: number, word: number][]) {
  const machine = createMachine({ ram: 4 * MiB });
  const { hart, ram } = machine;
  hart.mode = Mode.M;
  for (let n = 1; n < 32; n++) hart.x[n] = 0x1111 * n;
  hart.x[SP] = RAM_BASE;
  for (const [address, value] of words) ram.write(4, address, value);
  hart.pc = pc | 0;
  return machine;
}

/** Whether a hart gets from a site through its thunk, and how far it gets back. `null` where there is no way. */
function isPossible(site: number, thunk: number, length: number): boolean {
  const there = thunk - site;
  const back = site + 4 - (thunk + 4 * length);
  return [there, back].every((distance) => distance >= -REACH && distance < REACH);
}

function judgeDetour(
  site: number,
  thunk: number,
  work: readonly number[],
  solution: MakeDetour,
): Failure | undefined {
  const doing =
    work.length === 0 ? 'nothing' : work.map((each) => `\`${disassemble(each, thunk)}\``).join(', ');
  const where = `Site ${hex(site)}, thunk ${hex(thunk)}, which is to do ${doing}`;
  const made = inCase(`${where}.`, () => solution(site, thunk, [...work]));
  const possible = isPossible(site, thunk, work.length);
  if (made === undefined && !possible) return undefined;
  if (made === undefined) return { message: `${where}: your function makes no detour.` };
  if (!possible)
    return {
      message: `${where}: no jump reaches that far, there and back. Give undefined: this site must be a trap.`,
    };
  if (made === null || !Array.isArray(made.thunk) || ![made.patch, ...made.thunk].every(Number.isInteger))
    return { message: `${where}: your function must give { patch, thunk }, a word and a list of words.` };
  const wanted = hartAt(
    thunk,
    work.map((each, n) => [thunk + 4 * n, each]),
  );
  for (const _ of work) step(wanted);
  const found = hartAt(site, [
    [site, made.patch],
    ...made.thunk.slice(0, 32).map((each, n): [number, number] => [thunk + 4 * n, each]),
  ]);
  for (let n = 0; n < work.length + 2; n++) step(found);
  const code = `\`${disassemble(made.patch, site)}\`; ${made.thunk.map((each, n) => `\`${disassemble(each, thunk + 4 * n)}\``).join(', ')}`;
  if (found.hart.pc !== ((site + 4) | 0))
    return {
      message: `${where}. With ${code} the hart is at ${hex(found.hart.pc)} at the end, and should be back at ${hex(site + 4)}.`,
    };
  const wrong = ABI_NAMES.findIndex((_, n) => found.hart.x[n] !== wanted.hart.x[n]);
  if (wrong >= 0)
    return {
      message: `${where}. With ${code}, ${ABI_NAMES[wrong]} is ${hex(found.hart.x[wrong])} at the end, and should be ${hex(wanted.hart.x[wrong])}.`,
    };
  const memory = [0, 4].find(
    (offset) => found.ram.read(4, RAM_BASE + offset) !== wanted.ram.read(4, RAM_BASE + offset),
  );
  return memory === undefined
    ? undefined
    : { message: `${where}. With ${code}, the word at sp + ${memory} is not what the work makes of it.` };
}

const detour: Exercise<MakeDetour> = {
  id: '08-detour',
  title: 'a jump to a thunk',
  get passed() {
    return `The hart goes there and back in ${[...detours()].length} places, the work done once and no other register touched; where it can't, you say so.`;
  },
  hints: [
    'Two jumps: from the site to the thunk’s first word, and from behind the work to the instruction after the site.',
    'The second jump stands at thunk + 4 × work.length and goes to site + 4. Both must write no register, so their rd is 0.',
    '`const jump = (from: number, to: number) => encode(rowByName("jal")!, { rd: 0, imm: to - from })`. If either distance is less than −2²⁰, or 2²⁰ or more, return undefined.',
  ],
  test(solution) {
    for (const [n, [site, thunk, work]] of [...detours()].entries()) {
      const failure = judgeDetour(site, thunk, work, solution);
      if (failure !== undefined)
        return { ...failure, untouched: n === 0 && solution(site, thunk, work) === undefined };
    }
    return undefined;
  },
};

defineExercises(scanExercise, patch, answer, detour);
