/**
 * The exercises of lesson 10: sensitive instructions as code in the translation cache, runs of them
 * as one call, and a judge over stores that keep faulting.
 *
 * The first two put what the learner gives into a translation, and compare harts behind the block
 * (`translation/block-trial.ts`). The judge is compared case by case with the library's, first on
 * cases that teach, then on what happened when nano-os ran with traced page tables.
 */
import { hex } from '../../bits';
import { assemble } from '../../code/assemble';
import { disassemble } from '../../code/disassemble';
import { createMachine } from '../../engine/create';
import { guest } from '../../guests/guests';
import { Adaptation, type Verdicts } from '../../hypervisor/binary-translation/adaptation';
import { BORROWED, slotOf, windowOffset } from '../../hypervisor/binary-translation/layout';
import { type GuestInstruction, treatmentOf } from '../../hypervisor/binary-translation/treatment';
import type { BlockTranslator } from '../../hypervisor/binary-translation/writer';
import { BinaryTranslator } from '../../hypervisor/binary-translator';
import { ABI_NAMES } from '../../isa/registers';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { differences } from '../hart-state';
import { randomNumbers } from '../random';
import { assemblerSays } from './assembler-says';
import { placesTable } from './places-table';
import { inVm, type Outcome, onBareMachine, plainTranslator } from './translation/block-trial';
import { blockAt, type Case, trialOf } from './translation/blocks';

/** What is wrong behind a block, in words and as a table. */
function compareOutcomes(where: string, wanted: Outcome, found: Outcome): Failure | undefined {
  const wrong = differences(wanted.hart, found.hart);
  if (found.left && wrong.length === 0) return undefined;
  return {
    message: found.left ? where : `${where} The guest never gets behind it. ${found.message}`,
    table: placesTable(wrong, 'Behind it, on the virtual hart'),
  };
}

// --------------------------------------------------------------------------------- 10-in-cache

/** A sensitive instruction, taken apart, and where things are. Registers by name: `a0`. */
export interface CsrOperation {
  /** `csrr rd, csr`; `csrw csr, rs`; `csrrw rd, csr, rs`; `csrci sstatus, 2`. */
  kind: 'read' | 'write' | 'swap' | 'interrupts off';
  rd: string;
  rs: string;
  /** The CSR's word in the vCPU window, as an offset from x0; of sstatus, the byte that SIE has to itself. */
  word: number;
  /** A register that is neither rd nor rs, and the word where its value can be kept meanwhile. */
  spare: string;
  spareWord: number;
}

type InCache = (operation: CsrOperation) => string[] | undefined;

const MOST_LINES = 12;

function operationOf({ text }: Case): CsrOperation {
  const [name, ...operands] = text[0].split(/[\s,]+/);
  const kinds = { csrr: 'read', csrw: 'write', csrrw: 'swap', csrci: 'interrupts off' } as const;
  const kind = kinds[name as keyof typeof kinds];
  const [rd, csr, rs] =
    kind === 'read'
      ? [operands[0], operands[1], 'zero']
      : kind === 'swap'
        ? operands
        : ['zero', operands[0], operands[1]];
  const source = kind === 'interrupts off' ? 'zero' : rs;
  const spare = BORROWED.find((register) => ![rd, source].includes(ABI_NAMES[register]))!;
  return { kind, rd, rs: source, word: windowOffset(csr), spare: ABI_NAMES[spare], spareWord: slotOf(spare) };
}

/** The words of some lines of assembly, or what is wrong with them. */
function wordsOf(lines: readonly string[], message: string): number[] | Failure {
  try {
    const { segments } = assemble(`${lines.join('\n')}\n`, { file: 'yours.s' });
    const { bytes } = segments[0] ?? { bytes: new Uint8Array() };
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: Math.floor(bytes.length / 4) }, (_, n) => view.getInt32(4 * n, true));
  } catch (error) {
    return assemblerSays(message, error);
  }
}

function* operations(): Generator<Case> {
  const registers = { a0: 0x1234, a1: 0x5678, sp: 0x9abc, t0: 0x11, t1: 0x22 };
  for (const text of [
    'csrr a0, sscratch',
    'csrw sepc, a1',
    'csrci sstatus, 2',
    'csrrw a0, sscratch, a1',
    'csrrw sp, sscratch, sp',
    'csrrw t0, sscratch, t0',
    'csrr t0, stval',
  ])
    yield { text: [text, 'j far'], registers };
  const random = randomNumbers(19);
  const names = ['a0', 'a1', 'sp', 't0', 't1', 'ra'];
  for (let n = 0; n < 24; n++) {
    const [rd, rs] = [random.pick(names), random.pick(names)];
    const csr = random.pick(['sscratch', 'stval']);
    const text = random.pick([`csrr ${rd}, ${csr}`, `csrw ${csr}, ${rs}`, `csrrw ${rd}, ${csr}, ${rs}`]);
    yield {
      text: [text, 'j far'],
      registers: Object.fromEntries(names.map((name) => [name, random.word()])),
    };
  }
}

const isEmpty = (lines: unknown) => lines === undefined || (Array.isArray(lines) && lines.length === 0);

function judgeInCache(theCase: Case, solution: InCache): Failure | undefined {
  const operation = operationOf(theCase);
  const where = `The guest's kernel executes \`${theCase.text[0]}\``;
  const lines = inCase(`${where}.`, () => solution({ ...operation }));
  if (isEmpty(lines)) return { message: `${where}: your function writes no code for that.` };
  if (!Array.isArray(lines) || !lines.every((line) => typeof line === 'string') || lines.length > MOST_LINES)
    return {
      message: `${where}: your function must give a list of at most ${MOST_LINES} lines of assembly.`,
    };
  const words = wordsOf(lines, `${where}. The assembler doesn't take your code.`);
  if (!Array.isArray(words)) return words;
  const code = `${where}; your code: ${lines.map((line) => `\`${line.trim()}\``).join(', ')}.`;
  const calls = words.find((word) => /^(ecall|ebreak|csr|j|b)/.test(disassemble(word)));
  if (calls !== undefined)
    return {
      message: `${code} \`${disassemble(calls)}\` leaves the cache, or doesn't belong there: loads, stores and arithmetic will do.`,
    };
  const translator: BlockTranslator = ([first, ...rest], write) => {
    write.code(first, words);
    plainTranslator(rest, write);
  };
  const trial = trialOf(theCase);
  const found = inVm(trial, translator);
  if (found.faulted)
    return {
      message: `${code} It faults, and the hypervisor has to carry out the instruction after all: that is no place of yours.`,
    };
  return compareOutcomes(code, onBareMachine(trial), found);
}

const inCache: Exercise<InCache> = {
  id: '10-in-cache',
  title: 'sensitive instructions in the cache',
  get passed() {
    return `In ${[...operations()].length} cases your code leaves the virtual hart as the instruction leaves a real one, and calls nobody.`;
  },
  hints: [
    'Reading is a load, writing is a store: `lw rd, word(zero)`, `sw rs, word(zero)`. Turning interrupts off stores a byte that is zero.',
    'A swap has to read the old value before it is overwritten, and write the new one before rd is overwritten. If rd and rs are the same register, one more is needed in between.',
    'Swap by the spare register: keep it (`sw spare, spareWord(zero)`), load the old value into it, store rs, move the spare to rd, and load the spare back. With rd other than rs, a load into rd and a store of rs will do.',
  ],
  test(solution) {
    if ([...operations()].every((theCase) => isEmpty(solution(operationOf(theCase)))))
      return { untouched: true, message: 'Your function writes no code yet.' };
    for (const theCase of operations()) {
      const failure = judgeInCache(theCase, solution);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

// ------------------------------------------------------------------------------------ 10-merge

const BLOCKS: readonly Case[] = [
  ['csrr a0, sepc', 'csrr a1, scause', 'j far'],
  ['add a0, a0, a1', 'csrr a0, sepc', 'add a1, a1, a0', 'csrw sepc, a1', 'j far'],
  ['csrw sepc, s9', 'csrr a0, sscratch', 'csrw sscratch, a1', 'sret'],
  ['add a0, a0, a1', 'c.addi a0, 1', 'j far'],
  [
    'csrci sstatus, 2',
    'lw a0, 0(s10)',
    'lw a1, 4(s10)',
    'csrr a2, sscratch',
    'csrsi sstatus, 2',
    'sw a0, 4(s10)',
    'j far',
  ],
].map((text) => ({ text, registers: { a0: 1, a1: 2 } }));

type Runs = (
  block: readonly GuestInstruction[],
  isSensitive: (guest: GuestInstruction) => boolean,
) => GuestInstruction[][];

const isSensitive = (each: GuestInstruction) => treatmentOf(each).kind === 'sensitive';
const textOf = ({ pc, word }: GuestInstruction) => `\`${disassemble(word, pc)}\``;

function judgeRuns(theCase: Case, solution: Runs): Failure | undefined {
  const trial = trialOf(theCase);
  const block = blockAt(trial.program, trial.block);
  const where = `The block ${block.map(textOf).join(', ')}`;
  const runs = inCase(`${where}.`, () =>
    solution(
      block.map((each) => ({ ...each })),
      (each) => isSensitive(each),
    ),
  );
  if (!Array.isArray(runs) || runs.length === 0)
    return { untouched: true, message: `${where}: your function makes no runs.` };
  const flat = runs.flat();
  const isInstruction = (each: unknown): each is GuestInstruction =>
    typeof each === 'object' && each !== null && 'pc' in each;
  if (!runs.every(Array.isArray) || !flat.every(isInstruction))
    return { message: `${where}: your function must give a list of lists of the block's instructions.` };
  if (runs.some((run) => run.length === 0))
    return { message: `${where}: one of your runs has no instruction in it.` };
  const odd = block.findIndex(({ pc }, n) => flat[n]?.pc !== pc);
  if (odd >= 0 || flat.length !== block.length)
    return {
      message: `${where}: in your runs, ${odd < 0 ? 'something follows the last instruction' : `${textOf(block[odd])} is missing or out of order`}.`,
    };
  const mixed = runs.find((run) => run.length > 1 && !run.every(isSensitive));
  if (mixed !== undefined)
    return {
      message: `${where}: your run ${mixed.map(textOf).join(', ')} has an instruction in it that needs no privilege: it would be called for in vain.`,
    };
  const split = runs.findIndex((run, n) => n > 0 && isSensitive(run[0]) && runs[n - 1].every(isSensitive));
  if (split > 0)
    return {
      message: `${where}: ${textOf(runs[split][0])} follows a sensitive instruction, and has a call of its own.`,
    };
  const found = inVm(trial, (guests, write) => {
    for (const run of runs) {
      const [first, ...rest] = run.map(({ pc }) => guests.find((each) => each.pc === pc)!);
      if (isSensitive(first)) write.callout(first, ...rest);
      else plainTranslator([first], write);
    }
  });
  return compareOutcomes(where, onBareMachine(trial), found);
}

const merge: Exercise<Runs> = {
  id: '10-merge',
  title: 'merge runs of sensitive instructions',
  passed: 'Sensitive instructions that follow one another share a call, and the guest can’t tell.',
  hints: [
    'Go through the block once. Each instruction either joins the run before it or begins one of its own.',
    'It joins if it is sensitive, and so is the run before it. All others are alone in theirs.',
    'Look at `runs.at(-1)`, which is undefined at first. If its first instruction is sensitive, and the one at hand is too, push it onto that run; if not, push a new run of one onto runs.',
  ],
  test(solution) {
    for (const theCase of BLOCKS) {
      const failure = judgeRuns(theCase, solution);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

// ------------------------------------------------------------------------------------ 10-adapt

/** Something that a judge is told: a fault, or a call that was needed or not. */
interface Event {
  kind: 'fault' | 'needed call' | 'needless call';
  gpa: number;
}

type MakeJudge = (faultsToConvict: number, callsToAcquit: number) => Verdicts;

const AT = 0x8040_0100;
const times = (count: number, kind: Event['kind'], gpa = AT): Event[] =>
  Array.from({ length: count }, () => ({ kind, gpa }));

const STORIES: readonly { limits: [number, number]; events: Event[] }[] = [
  { limits: [2, 3], events: times(2, 'fault') },
  { limits: [2, 3], events: [...times(1, 'fault'), ...times(1, 'fault', AT + 4), ...times(1, 'fault')] },
  { limits: [2, 3], events: [...times(2, 'fault'), ...times(3, 'needless call')] },
  {
    limits: [2, 3],
    events: [
      ...times(2, 'fault'),
      ...times(2, 'needless call'),
      ...times(1, 'needed call'),
      ...times(3, 'needless call'),
    ],
  },
  {
    limits: [2, 3],
    events: [
      ...times(2, 'fault'),
      ...times(3, 'needless call'),
      ...times(2, 'fault'),
      ...times(3, 'needless call'),
    ],
  },
  { limits: [3, 2], events: [...times(2, 'fault'), ...times(3, 'needless call'), ...times(1, 'fault')] },
];

/** What a judge was told while nano-os ran with traced page tables. */
function recorded(): Event[] {
  const events: Event[] = [];
  const judge = new Adaptation();
  const hypervisor = new BinaryTranslator(createMachine(), {
    paging: 'shadow-traced',
    adaptation: {
      isGuilty: (gpa) => judge.isGuilty(gpa),
      forget: (gpa) => judge.forget(gpa),
      fault(gpa) {
        events.push({ kind: 'fault', gpa });
        return judge.fault(gpa);
      },
      call(gpa, wasNeeded) {
        events.push({ kind: wasNeeded ? 'needed call' : 'needless call', gpa });
        return judge.call(gpa, wasNeeded);
      },
    },
  });
  hypervisor.boot(guest('nano-os', { FORKS: 1, PAGES: 2, FRAMES: 40 }));
  hypervisor.run({ instructions: 400_000 });
  return events;
}

const limitsText = ([faults, calls]: readonly [number, number]) =>
  `With ${faults} fault${faults === 1 ? '' : 's'} to convict and ${calls} needless calls in a row to acquit`;

/** Whether a judge convicts nobody, whatever happens. */
function isIdle(make: MakeJudge): boolean {
  const judge = make(2, 3);
  return (
    typeof judge?.fault === 'function' && times(100, 'fault').every(({ gpa }) => judge.fault(gpa) === false)
  );
}

function judgeStory(
  limits: readonly [number, number],
  events: readonly Event[],
  make: MakeJudge,
): Failure | undefined {
  const wanted = new Adaptation({ faultsToConvict: limits[0], callsToAcquit: limits[1] });
  const found = make(...limits);
  const isJudge =
    typeof found === 'object' &&
    found !== null &&
    ['fault', 'call', 'isGuilty'].every((part) => typeof Reflect.get(found, part) === 'function');
  if (!isJudge)
    return {
      untouched: found === undefined,
      message: 'Your function must give a judge: { isGuilty, fault, call, forget }.',
    };
  for (const [n, { kind, gpa }] of events.entries()) {
    const tell = (judge: Verdicts) =>
      kind === 'fault' ? judge.fault(gpa) : judge.call(gpa, kind === 'needed call');
    const [right, isGuilty] = [tell(wanted), wanted.isGuilty(gpa)];
    const [said, guilty] = inCase(`${limitsText(limits)}: event ${n + 1}.`, () => [
      tell(found),
      found.isGuilty(gpa),
    ]);
    if (said === right && guilty === isGuilty) continue;
    const own = events
      .slice(0, n + 1)
      .filter((event) => event.gpa === gpa)
      .map((event) => event.kind);
    const told = own.length > 8 ? `… ${own.slice(-8).join(', ')}` : own.join(', ');
    const about = `${limitsText(limits)}: event ${n + 1}, the instruction at ${hex(gpa)}, of which you were told: ${told}.`;
    const change = kind === 'fault' ? 'guilty from now on' : 'innocent from now on';
    return {
      message:
        said !== right
          ? `${about} Is it ${change}? It should be ${right}; you say ${String(said)}.`
          : `${about} isGuilty should be ${isGuilty} now, and is ${String(guilty)}.`,
    };
  }
  return undefined;
}

const adapt: Exercise<MakeJudge> = {
  id: '10-adapt',
  title: 'innocent until proven guilty',
  passed:
    'Your judge says what the library’s says, in stories made up and in all that happened to the stores of nano-os.',
  hints: [
    'Two tables by address: how often an instruction has faulted, and, of those that are guilty, how many needless calls in a row there were. Who is in the second table is guilty.',
    'A fault counts up. When the count has reached `faultsToConvict`, and the instruction isn’t guilty already, it becomes so: return `true`. A needed call sets the row back to 0.',
    'At an acquittal delete the address from both tables: it has to fault as often as the first time to be convicted again. A call of one that isn’t guilty changes nothing: return `false`.',
  ],
  test(solution) {
    if (isIdle(solution))
      return {
        untouched: true,
        message: 'Your judge convicts nobody yet, however often an instruction faults.',
      };
    for (const { limits, events } of STORIES) {
      const failure = judgeStory(limits, events, solution);
      if (failure !== undefined) return failure;
    }
    const events = recorded();
    for (const limits of [
      [4, 32],
      [1, 4],
      [16, 8],
    ] as const) {
      const failure = judgeStory(limits, events, solution);
      if (failure !== undefined) return { ...failure, message: `nano-os. ${failure.message}` };
    }
    return undefined;
  },
};

defineExercises(inCache, merge, adapt);
