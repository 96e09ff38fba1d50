/**
 * The exercises of lesson 11 on the hypervisor's side: a hypercall, a call for five registers, and
 * taking over what the guest has written into the shared page.
 *
 * Calls are made by a guest, twice: to our hypervisor, and to the same one with the learner's answer
 * in place of ours. What comes back in a0, what was printed and what became of the virtual hart is compared.
 * The guest's side is in `para-virtual-guest.ts`.
 */

import { hex } from '../../bits';
import { assemble } from '../../code/assemble';
import { createMachine } from '../../engine/create';
import { abiSource, Hypercall, MOST_CONSOLE_BYTES, Shared } from '../../hypervisor/paravirtual/abi';
import { type OwnCall, Paravirtual } from '../../hypervisor/paravirtual/paravirtual';
import { SharedPage } from '../../hypervisor/paravirtual/shared-page';
import { Vm } from '../../hypervisor/vm';
import { csrMask } from '../../isa/csrs';
import { Mode, registerNumber } from '../../isa/registers';
import { MiB, RAM_BASE } from '../../machine/machine';
import { Memory } from '../../machine/memory';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { differences, type HartState, hartState } from '../hart-state';
import { randomNumbers } from '../random';
import { placesTable } from './places-table';
import { told } from './told';

const A0 = registerNumber('a0')!;
const S1 = registerNumber('s1')!;
const REFUSED = -1;
const DONE = 0;

// ------------------------------------------------------------------ a guest that only makes calls

/** Makes the call with the number in s1. */
const CALLER = assemble(`${abiSource()}
_start: li   a7, EXTENSION
        ecall
call:   sw   s1, V_CALL(zero)
        ecall
1:      j    1b
        .data
        .balign 4096
area:   .space 8192
`);
const CALL = CALLER.symbols.get('call')!;
const AREA = CALLER.symbols.get('area')!;
/** Instructions and traps that a call takes at most. */
const MOST_FOR_A_CALL = 16;

interface Answered {
  answer: number;
  printed: string;
  state: HartState;
}

/** A para-virtualized guest that can be made to ask for anything. */
class Caller {
  readonly hypervisor: Paravirtual;

  constructor(calls: Readonly<Record<number, OwnCall>> = {}) {
    this.hypervisor = new Paravirtual(createMachine({ ram: 8 * MiB }), { calls });
    this.hypervisor.boot(CALLER);
    this.hypervisor.run({ instructions: MOST_FOR_A_CALL });
  }

  /** One past the guest's RAM. */
  get end(): number {
    return RAM_BASE + this.hypervisor.vm.memory.size;
  }

  write(address: number, bytes: ArrayLike<number>): void {
    this.hypervisor.vm.guest.ram.copyIn(address, Uint8Array.from(bytes));
  }

  writeWord(address: number, value: number): void {
    this.hypervisor.vm.guest.ram.write(4, address, value);
  }

  ask(call: number, args: readonly number[]): Answered {
    const { vm } = this.hypervisor;
    const printed = vm.console.length;
    vm.hart.pc = CALL | 0;
    vm.hart.x[S1] = call;
    args.forEach((value, n) => {
      vm.hart.x[A0 + n] = value;
    });
    this.hypervisor.run({ instructions: MOST_FOR_A_CALL });
    return { answer: vm.hart.x[A0], printed: vm.console.slice(printed), state: hartState(vm.hart) };
  }
}

/** A learner's answer to a call, kept as it came. */
function watched(solution: OwnCall): { call: OwnCall; last: () => unknown } {
  let last: unknown;
  return {
    call(vm, args) {
      last = solution(vm, Object.freeze([...args]));
      return typeof last === 'number' ? last : undefined;
    },
    last: () => last,
  };
}

const isAnswer = (value: unknown) => value === DONE || value === REFUSED;

// --------------------------------------------------------------------------------- 11-console

interface Print {
  address: number;
  bytes: number;
  why: string;
}

function* prints(end: number): Generator<Print> {
  yield { address: AREA, bytes: 5, why: 'all of it is in the guest’s RAM' };
  yield { address: AREA + 7, bytes: 1, why: 'a single byte' };
  yield { address: AREA, bytes: 0, why: 'nothing to print, and nothing wrong with that' };
  yield { address: 0x1000, bytes: 4, why: 'the guest has no RAM there' };
  yield { address: end - 4, bytes: 4, why: 'the last bytes of the guest’s RAM' };
  yield { address: end - 4, bytes: 8, why: 'the text begins in the guest’s RAM and ends beyond it' };
  yield { address: AREA, bytes: -1, why: 'less than nothing' };
  yield { address: AREA, bytes: MOST_CONSOLE_BYTES, why: 'the most that may be asked for' };
  yield { address: AREA, bytes: MOST_CONSOLE_BYTES + 1, why: 'more than may be asked for at once' };
  const random = randomNumbers(11);
  for (let n = 0; n < 60; n++) {
    const address = random.pick([AREA, end - 32, RAM_BASE, 0x1000_0000, 0x9000_0000]) + random.below(48) - 16;
    const bytes = 1 + random.below(40);
    yield { address, bytes: random.below(8) === 0 ? -bytes : bytes, why: 'a random request' };
  }
}

const consoleCall: Exercise<OwnCall> = {
  id: '11-console',
  title: 'answer a hypercall',
  passed:
    'What the guest may print is printed, all at once; everything else is refused, and nothing of it printed.',
  hints: [
    'Two things can be wrong with a request: how much is asked for, and where it is. Find out about both before the first byte is printed.',
    `Refuse (-1) if the count is less than 0 or more than MOST_CONSOLE_BYTES. Registers hold signed numbers: an address such as 0x80401000 arrives negative. \`address >>> 0\` makes it unsigned.`,
    '`vm.readGuest(1, address)` is undefined where the guest has no RAM. Collect all bytes in an array, refuse if one of them is undefined, and only then send them with `vm.guest.uart.send(byte)`. Answer 0.',
  ],
  test(solution) {
    const mine = watched(solution);
    const [ours, yours] = [new Caller(), new Caller({ [Hypercall.Console]: mine.call })];
    const random = randomNumbers(5);
    for (const caller of [ours, yours]) {
      caller.write(AREA, new TextEncoder().encode('Hello, hypervisor.'));
      caller.write(caller.end - 4, [0x65, 0x6e, 0x64, 0x2e]);
    }
    const letters = Array.from({ length: MOST_CONSOLE_BYTES }, () => 97 + random.below(26));
    for (const caller of [ours, yours]) caller.write(AREA + 32, letters);
    for (const { address, bytes, why } of prints(ours.end)) {
      const wanted = ours.ask(Hypercall.Console, [address, bytes]);
      const asked = `The guest calls CONSOLE(${hex(address)}, ${bytes}): ${why}.`;
      const found = inCase(asked, () => yours.ask(Hypercall.Console, [address, bytes]));
      const failure = printFailure(asked, wanted, found, mine.last());
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

function printFailure(asked: string, wanted: Answered, found: Answered, given: unknown): Failure | undefined {
  if (given === undefined && found.printed === '')
    return { message: `Your function answers nothing yet. For one: ${lowerFirst(asked)}`, untouched: true };
  const should =
    wanted.answer === DONE ? `print ${short(wanted.printed)} and answer 0` : 'print nothing and answer -1';
  if (!isAnswer(given))
    return {
      message: `${asked} Answer a number, 0 if it is done and -1 if it is refused; your answer is ${told(given)}.`,
    };
  if (given === wanted.answer && found.printed === wanted.printed) return undefined;
  return { message: `${asked} You should ${should}; you print ${short(found.printed)} and answer ${given}.` };
}

const lowerFirst = (sentence: string) => sentence[0].toLowerCase() + sentence.slice(1);

const short = (text: string) =>
  text === '' ? 'nothing' : `${JSON.stringify(text.slice(0, 30))}${text.length > 30 ? '…' : ''}`;

// ---------------------------------------------------------------------------------- 11-switch

/** The call that the learner adds to the interface. */
const SWITCH = 100;
const FIVE = ['satp', 'sscratch', 'sepc', 'stvec', 'sie'] as const;
const WORD = 4;
/** A root table that shows the guest's kernel where it is. */
const ROOT = AREA;
const LIST = AREA + 0x1100;

function switchAll(vm: Vm, args: readonly number[]): number {
  const list = args[0] >>> 0;
  const words = FIVE.map((_, n) => vm.readGuest(4, list + WORD * n));
  if (list % WORD !== 0 || words.includes(undefined)) return REFUSED;
  FIVE.forEach((name, n) => {
    vm.setCsr(name, words[n]!);
  });
  return DONE;
}

interface SwitchCase {
  list: number;
  words: number[];
  why: string;
}

function* switches(end: number): Generator<SwitchCase> {
  const entry = RAM_BASE + 0x40_0200;
  yield { list: LIST, words: [0, 0x1234, entry, entry + 0x100, 0x20], why: 'five words in the guest’s RAM' };
  yield {
    list: LIST,
    words: [csrMask('satp', 'MODE') | (ROOT >>> 12), 1, 2, 4, 0],
    why: 'with another address space',
  };
  yield { list: 0x1000, words: [0, 7, 8, 12, 0], why: 'the guest has no RAM there' };
  yield { list: LIST + 2, words: [0, 7, 8, 12, 0], why: 'a list of words begins at a multiple of 4' };
  yield {
    list: end - 12,
    words: [0, 7, 8, 12, 0],
    why: 'the list begins in the guest’s RAM and ends beyond it',
  };
  yield { list: end - 20, words: [0, 7, 8, 12, 0], why: 'the last five words of the guest’s RAM' };
  const random = randomNumbers(23);
  for (let n = 0; n < 60; n++) {
    const words = [
      random.pick([0, csrMask('satp', 'MODE') | (ROOT >>> 12)]),
      random.word(),
      random.word(),
      random.word(),
      random.word(),
    ];
    yield { list: LIST + random.pick([0, 0, 4, 8, 1]), words, why: 'a random request' };
  }
}

const switchRegisters: Exercise<OwnCall> = {
  id: '11-switch',
  title: 'one call for five registers',
  passed: 'One exit, five registers; and where a request is refused, none of them changes.',
  hints: [
    'First read all five words, then write. What if the fourth of them cannot be read?',
    '`args[0]` is the address of the list; `>>> 0` makes it unsigned. `vm.readGuest(4, address)` is undefined where the guest has no RAM. A list that does not begin at a multiple of 4 is refused, too.',
    'Collect the five words in an array. If none is undefined, call `vm.setCsr(name, word)` for each of the five names in their order, and answer 0. Otherwise change nothing and answer -1.',
  ],
  test(solution) {
    const mine = watched(solution);
    const [ours, yours] = [new Caller({ [SWITCH]: switchAll }), new Caller({ [SWITCH]: mine.call })];
    for (const caller of [ours, yours]) caller.writeWord(ROOT + 0x804, (0x8040_0000 >>> 2) | 0xcf);
    for (const { list, words, why } of switches(ours.end)) {
      for (const caller of [ours, yours]) putWords(caller, list, words);
      const before = hartState(yours.hypervisor.vm.hart);
      const wanted = ours.ask(SWITCH, [list]);
      const asked = `The guest asks for ${FIVE.join(', ')} from the list at ${hex(list)}: ${why}.`;
      const found = inCase(asked, () => yours.ask(SWITCH, [list]));
      const given = mine.last();
      const isSame = FIVE.every((name) => found.state[name] === before[name]);
      if (given === undefined && isSame)
        return {
          message: `Your function changes nothing yet. For one: ${lowerFirst(asked)}`,
          untouched: true,
        };
      const wrong = differences(wanted.state, found.state).filter(({ place }) => place !== 'a0');
      if (wrong.length > 0) return { message: asked, table: placesTable(wrong) };
      if (given !== wanted.answer)
        return { message: `${asked} Your answer should be ${wanted.answer} and is ${told(given)}.` };
    }
    return undefined;
  },
};

/** As much of the words as there is room for in the guest's RAM. */
function putWords(caller: Caller, list: number, words: readonly number[]): void {
  words.forEach((word, n) => {
    const at = list + WORD * n;
    if (at >= RAM_BASE && at + WORD <= caller.end)
      for (let b = 0; b < WORD; b++) caller.write(at + b, [word >>> (8 * b)]);
  });
}

// ----------------------------------------------------------------------------- 11-synchronise

/** Takes over what the guest has written into the shared page. */
type Synchronise = (vm: Vm, word: (which: Shared) => number) => void;

const WRITTEN = [
  Shared.Epc,
  Shared.Cause,
  Shared.Tval,
  Shared.Tvec,
  Shared.Scratch,
  Shared.Status,
  Shared.Enabled,
];

interface PageCase {
  mode: Mode;
  status: number;
  words: Partial<Record<Shared, number>>;
}

function* pages(): Generator<PageCase> {
  const S = Mode.S;
  yield { mode: S, status: 0, words: { [Shared.Epc]: 0x8040_0200 } };
  yield {
    mode: S,
    status: 0,
    words: { [Shared.Scratch]: 0x1234, [Shared.Cause]: 8, [Shared.Tval]: 0x4000_0010 },
  };
  yield { mode: S, status: 0, words: { [Shared.Tvec]: 0x8040_0300 } };
  yield { mode: S, status: 0, words: { [Shared.Enabled]: 1 } };
  yield { mode: S, status: 0, words: { [Shared.Enabled]: 0x8041_0000 } };
  yield { mode: S, status: 0x2, words: { [Shared.Enabled]: 0 } };
  yield { mode: S, status: 0, words: { [Shared.Status]: 0x120 } };
  yield { mode: S, status: 0x120, words: { [Shared.Status]: 0x20 } };
  yield { mode: S, status: 0, words: { [Shared.Status]: -1 } };
  yield { mode: Mode.U, status: 0x2, words: { [Shared.Enabled]: 0 } };
  yield { mode: Mode.U, status: 0, words: { [Shared.Enabled]: 1 } };
  const random = randomNumbers(31);
  for (let n = 0; n < 150; n++) {
    const words: PageCase['words'] = {};
    for (const which of WRITTEN) words[which] = random.below(3) === 0 ? 0 : random.word();
    yield { mode: random.pick([Mode.S, Mode.S, Mode.U]), status: random.word() & 0xc_0122, words };
  }
}

const synchronise: Exercise<Synchronise> = {
  id: '11-synchronise',
  title: 'believe what the guest has written',
  passed: 'Whatever the guest has written since its last exit, the virtual hart now says the same.',
  hints: [
    'Five words are registers by another name: `Epc`, `Cause`, `Tval`, `Tvec` and `Scratch`. Two words are parts of `sstatus`.',
    '`Status` holds SPP and SPIE, in their places; nothing else in it counts. `Enabled` stands for SIE: any value but zero means 1. The bits of `sstatus` that are in no word stay as they are.',
    "`Enabled` is the kernel’s word: while the guest is in virtual user mode, SIE stays as it is. Take `vm.csr('sstatus')`, clear the bits that the page has, put those of the page in, and write it back once.",
  ],
  test(solution) {
    const page = new SharedPage({ isPorted: false });
    page.place(new Memory(0, 4096), 0);
    page.isUsed = true;
    const [ours, yours] = [someVm(), someVm()];
    for (const theCase of pages()) {
      for (const which of WRITTEN) page.setWord(which, theCase.words[which] ?? 0);
      for (const { hart } of [ours, yours]) {
        hart.mode = theCase.mode;
        hart.csrs.set('sstatus', theCase.status);
        for (const name of ['sepc', 'scause', 'stval', 'stvec', 'sscratch']) hart.csrs.set(name, 0);
      }
      const start = hartState(yours.hart);
      page.leave(ours.machine.hart, ours.hart);
      inCase(pageMessage(theCase, false), () => solution(yours, (which) => page.word(which)));
      const wrong = differences(hartState(ours.hart), hartState(yours.hart));
      if (wrong.length === 0) continue;
      const untouched = differences(start, hartState(yours.hart)).length === 0 && isIdle(solution);
      return { message: pageMessage(theCase, untouched), untouched, table: placesTable(wrong) };
    }
    return undefined;
  },
};

/** Whether a solution does nothing at all: a page full of news changes nothing. */
function isIdle(solution: Synchronise): boolean {
  const vm = someVm();
  vm.hart.mode = Mode.S;
  const before = hartState(vm.hart);
  solution(vm, (which) => 0x120 + 4 * which);
  return differences(before, hartState(vm.hart)).length === 0;
}

function someVm(): Vm {
  return new Vm(createMachine({ ram: 64 * 1024 }), 'exercise', () => {});
}

function pageMessage({ mode, status, words }: PageCase, untouched: boolean): string {
  const written = Object.entries(words).map(([which, value]) => `${Shared[Number(which)]} = ${hex(value)}`);
  const had = status === 0 ? '' : ` Its sstatus was ${hex(status)}.`;
  return `${untouched ? 'Your function changes nothing yet. For one: the' : 'The'} guest, in virtual ${Mode[mode]}, has an exit, and its page says ${written.join(', ')}.${had}`;
}

defineExercises(consoleCall, switchRegisters, synchronise);
