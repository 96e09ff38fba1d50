/**
 * The exercises of lesson 12 on the tool's side: the pass that pads and records, and the feedback
 * that tells which loads and stores are worth a mark.
 *
 * The learner's pass is applied to each line of our guests; what comes out is assembled, its records
 * are read, and it is run on the bare machine beside the original. The wedges' side is in `wedges.ts`.
 */
import { hex } from '../../bits';
import { assemble } from '../../code/assemble';
import { decode, type Instruction } from '../../code/decode';
import type { Program } from '../../code/program';
import { createMachine } from '../../engine/create';
import { guestSource } from '../../guests/guests';
import {
  classOf,
  previrtualize,
  RECORDS,
  SiteClass,
  USUAL_PADS,
  wordAt,
} from '../../hypervisor/pre-virtual/pass';
import { PreVirtual } from '../../hypervisor/pre-virtual/pre-virtual';
import { countsByLine, worthMarking } from '../../hypervisor/pre-virtual/profile';
import { MiB } from '../../machine/machine';
import { Firmware } from '../../machine/sbi';
import { defineExercises, type Exercise, type Failure, inCase, TestEnded } from '../check';
import { assemblerSays } from './assembler-says';
import { told } from './told';

const WORD = 4;
const RECORD = 3 * WORD;
const NOP = 0x13;
const RAM = 16 * MiB;

// -------------------------------------------------------------------------------------- 12-pass

/** A line of a guest's source, taken apart. */
export interface SourceLine {
  /** `1:` and the like, with the blanks around; empty if there is none. */
  labels: string;
  /** `csrw stvec, t0`; empty if the line is a comment only. */
  statement: string;
  /** From the `#` on; empty if there is none. */
  comment: string;
  /** What the statement is assembled to, if it makes an instruction; of several, the first that matters. */
  instruction: Instruction | undefined;
}

type Pass = (line: SourceLine, pad: number) => string;

/** What the pass has to come to terms with, smallest first. */
const SNIPPETS: readonly [name: string, source: string][] = [
  ['one instruction', '_start: csrw stvec, t0\n'],
  ['nothing sensitive', '_start: li t0, 3\n1: addi t0, t0, -1\n bnez t0, 1b\n'],
  ['a comment behind it', '_start: csrr a0, sepc # why\n sret\n'],
  [
    'a loop around it',
    '_start: li t0, 3\n1: csrci sstatus, 2\n addi t0, t0, -1\n bnez t0, 1b\n csrsi sstatus, 2\n',
  ],
  ['other kinds', '_start: sfence.vma\n wfi\n rdtime a0\n ecall\n'],
];
const SMALL = { FORKS: 1, WORK: 2, CALLS: 1, SECTIONS: 1 };
const GUESTS: readonly [name: string, source: () => string][] = [
  ['hello', () => guestSource('hello')],
  ['syscalls', () => guestSource('syscalls')],
  ['nano-os', () => guestSource('nano-os', SMALL)],
];

const pass: Exercise<Pass> = {
  id: '12-pass',
  title: 'pad and record',
  passed:
    'Every sensitive instruction of three kernels is marked and nothing else is, and on the bare machine they do what they did.',
  hints: [
    'Which instructions does a hypervisor want to hear of? Their names tell: all that begin with `csr`, and three more. What is not among them stays as it is.',
    'Still one line: labels, then a label of yours, the statement, `pad` times `; nop`, another label of yours, and the record, put into its section by `.pushsection .previrt` and `.popsection`. The comment comes last.',
    'Labels of yours may be numbers that the guest doesn’t use, 88881 and 88882 for one. The record is `.word 88881b, 88882b, kind`. Without semicolons between them, the parts are not separate statements.',
  ],
  test(solution) {
    const snippets = SNIPPETS.map(([name, source]) => originalOf(name, source));
    if (snippets.every((original) => isUnchanged(solution, original)))
      return { message: 'Your pass marks nothing yet.', untouched: true };
    for (const original of snippets) {
      const failure = passFailure(solution, original, 2) ?? passFailure(solution, original, 0);
      if (failure !== undefined) return failure;
    }
    for (const [name, source] of GUESTS) {
      const failure = passFailure(solution, originalOf(name, source()), 3);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

/** Labels, the statement, the comment. */
const LINE = /^((?:\s*[\w.$]+:)*\s*)([^#]*?)(\s*(?:#.*)?)$/;

/** A guest as it is: what the pass is applied to, and compared with. */
interface Original {
  name: string;
  source: string;
  program: Program;
  lines: SourceLine[];
  /** What our own pass marks: line and class. */
  marked: ReadonlyMap<number, SiteClass>;
}

function originalOf(name: string, source: string): Original {
  const program = assemble(source, { file: 'guest.s' });
  const marked = new Map(previrtualize(source).marked.map(({ line, class: kind }) => [line, kind]));
  return { name, source, program, lines: linesOf(source, program), marked };
}

function linesOf(source: string, program: Program): SourceLine[] {
  const instructions = new Map<number, Instruction>();
  for (const [address, { line, bytes }] of program.lines) {
    if (!isCode(program, address)) continue;
    for (let at = address; at + WORD <= address + bytes; at += WORD) {
      const instruction = decode(wordAt(program, at));
      if (instruction === undefined) continue;
      if (classOf(instruction.word) !== undefined || !instructions.has(line))
        instructions.set(line, instruction);
    }
  }
  return source.split('\n').map((text, n) => {
    const [, labels = '', statement = '', comment = ''] = LINE.exec(text) ?? [];
    return { labels, statement, comment, instruction: instructions.get(n + 1) };
  });
}

const isCode = ({ segments }: Program, at: number) =>
  segments.some(({ executable, address, size }) => executable && at >= address && at < address + size);

const joined = ({ labels, statement, comment }: SourceLine) => labels + statement + comment;

function isUnchanged(solution: Pass, { lines }: Original): boolean {
  return lines.every((line) => {
    const made: unknown = solution({ ...line }, 2);
    return made === undefined || made === joined(line) || made === '';
  });
}

/** A line, by number, and what stands there. */
function lineText(n: number, line: SourceLine): string {
  const text = joined(line).trim();
  return `line ${n + 1}, ${text === '' ? 'which is empty' : `\`${text}\``}`;
}

function passFailure(solution: Pass, original: Original, pad: number): Failure | undefined {
  const where = `In "${original.name}", with a pad of ${pad}:`;
  const made: string[] = [];
  for (const [n, line] of original.lines.entries()) {
    const text: unknown = inCase(`${where} ${lineText(n, line)}.`, () => solution({ ...line }, pad));
    if (typeof text !== 'string')
      return {
        message: `${where} give the line as text, marked or as it was; for \`${joined(line).trim()}\` you gave ${told(text)}.`,
      };
    if (text.includes('\n'))
      return {
        message: `${where} \`${joined(line).trim()}\` becomes several lines. Keep it one, with semicolons: else the numbers of all lines behind it change.`,
      };
    made.push(text);
  }
  let program: Program;
  try {
    program = assemble(made.join('\n'), { file: 'marked.s' });
  } catch (error) {
    return assemblerSays(`${where} what you make of it does not assemble.`, error);
  }
  return (
    recordFailure(where, original, program, pad) ??
    branchFailure(where, original, program) ??
    runFailure(where, original, program)
  );
}

/** Records that lack, are too many, or say something else than they should. */
function recordFailure(
  where: string,
  { source, marked: wanted }: Original,
  program: Program,
  pad: number,
): Failure | undefined {
  const text = (line: number) => `line ${line}, \`${source.split('\n')[line - 1].trim()}\``;
  const found = new Set<number>();
  for (const [begin, end, kind] of recordsOf(program)) {
    const line = program.lines.get(begin)?.line;
    if (line === undefined)
      return { message: `${where} a record begins at ${hex(begin)}, where no instruction does.` };
    const should = wanted.get(line);
    if (should === undefined)
      return {
        message: `${where} ${text(line)}, has a record. A hypervisor does not care about it: leave it alone.`,
      };
    if (kind !== should)
      return {
        message: `${where} the record of ${text(line)}, says class ${SiteClass[kind] ?? kind}; it is ${SiteClass[should]} (${should}).`,
      };
    if (end !== begin + WORD * (1 + pad))
      return {
        message: `${where} the record of ${text(line)}, goes from ${hex(begin)} to ${hex(end)}: it should be the instruction and ${pad} no-ops, ${WORD * (1 + pad)} bytes.`,
      };
    for (let at = begin + WORD; at < end; at += WORD)
      if (wordAt(program, at) !== NOP)
        return { message: `${where} the pad of ${text(line)}, holds something else than no-ops.` };
    found.add(line);
  }
  const missed = [...wanted.keys()].find((line) => !found.has(line));
  if (missed === undefined) return undefined;
  return {
    message: `${where} ${text(missed)}, has no record: no wedge will find it, and it traps each time.`,
  };
}

function recordsOf(program: Program): [begin: number, end: number, kind: number][] {
  const bytes = program.segments.find(({ name }) => name === RECORDS)?.bytes ?? new Uint8Array();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const records: [number, number, number][] = [];
  for (let at = 0; at + RECORD <= bytes.length; at += RECORD)
    records.push([
      view.getUint32(at, true),
      view.getUint32(at + WORD, true),
      view.getUint32(at + 2 * WORD, true),
    ]);
  return records;
}

/** Branches and jumps that go to another line than they did. */
function branchFailure(where: string, original: Original, program: Program): Failure | undefined {
  const { source } = original;
  const [before, after] = [original.program, program].map(targetsOf);
  for (const [line, target] of before) {
    const now = after.get(line);
    if (now === target) continue;
    const text = source.split('\n')[line - 1].trim();
    return {
      message: `${where} line ${line}, \`${text}\`, went to line ${target} and now goes to line ${now ?? '(none)'}. Is a label of yours in its way? Take numbers that no guest uses.`,
    };
  }
  return undefined;
}

/** Lines of branches and jumps -> the line that they go to. */
function targetsOf(program: Program): Map<number, number> {
  const targets = new Map<number, number>();
  for (const [address, { line }] of program.lines) {
    const instruction = decode(wordAt(program, address));
    if (instruction === undefined || !['B', 'J'].includes(instruction.row.format.name)) continue;
    const target = program.lines.get((address + instruction.imm) >>> 0)?.line;
    if (target !== undefined) targets.set(line, target);
  }
  return targets;
}

/** A marked kernel that does something else than the original on the bare machine. */
function runFailure(where: string, original: Original, program: Program): Failure | undefined {
  if (!original.source.includes('FINISHER')) return undefined;
  const [before, after] = [original.program, program].map((image) => {
    const machine = createMachine({ ram: RAM });
    new Firmware(machine).boot(image);
    machine.run({ instructions: 3_000_000 });
    return machine.console;
  });
  if (after === before) return undefined;
  return {
    message: `${where} on the bare machine the marked guest prints ${JSON.stringify(after)}; the original prints ${JSON.stringify(before)}.`,
  };
}

// ---------------------------------------------------------------------------------- 12-feedback

/** What a run has told: counts by source line. */
export interface ProfiledRun {
  /** How often a load or store that is not marked has trapped, because of where it went. */
  trapped: ReadonlyMap<number, number>;
  /** How often a marked instruction was a call. */
  called: ReadonlyMap<number, number>;
}

/** Runs the guest under the hypervisor, with these lines marked. */
export type ProfileRun = (marked: ReadonlySet<number>) => ProfiledRun;

const MOST_RUNS = 20;
const PROFILED: readonly [name: string, source: () => string][] = [
  ['hello', () => guestSource('hello')],
  ['nano-os', () => guestSource('nano-os', { FORKS: 1, WORK: 2, CALLS: 2 })],
];

function profileRun(source: string): ProfileRun {
  let runs = 0;
  return (marked) => {
    if (++runs > MOST_RUNS)
      throw new TestEnded({
        message: `Your function has let the guest run ${MOST_RUNS} times: does its loop come to an end?`,
      });
    const made = previrtualize(source, { memoryLines: new Set(marked), pads: USUAL_PADS });
    const program = assemble(made.source);
    const hypervisor = new PreVirtual(createMachine({ ram: RAM }), { tracedTables: true });
    hypervisor.boot(program);
    hypervisor.run({ instructions: 3_000_000 });
    return {
      trapped: countsByLine(program, hypervisor.trapped),
      called: countsByLine(program, hypervisor.called),
    };
  };
}

const feedback: Exercise<(run: ProfileRun) => Iterable<number>> = {
  id: '12-feedback',
  title: 'learn from a run what to mark',
  passed: 'All lines that are worth a mark have one, and those that would be called in vain have none.',
  hints: [
    'A first run with nothing marked, `run(new Set())`, tells which lines trap. Are all of them worth a mark? Run again, with all of them marked, and look at how often each was called.',
    'A mark makes a call of each execution of the line, wherever it goes. Compare, line by line, how often it trapped in the first run with how often it was called in the second.',
    'Keep a line if `2 * trapped >= called`. `[...first.trapped]` is a list of pairs [line, count]; `second.called.get(line)` is undefined for a line that was never called.',
  ],
  test(solution) {
    for (const [name, source] of PROFILED) {
      const text = source();
      const given: unknown = solution(profileRun(text));
      const failure = setFailure(name, text, given);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

function setFailure(name: string, source: string, given: unknown): Failure | undefined {
  if (given === undefined) return { message: 'Your function gives nothing yet.', untouched: true };
  const isIterable = typeof given === 'object' && given !== null && Symbol.iterator in given;
  if (!isIterable) return { message: `Give a set of line numbers; you gave ${told(given)}.` };
  const found = new Set(given as Iterable<unknown>);
  const run = profileRun(source);
  const { trapped } = run(new Set());
  const { called } = run(new Set(trapped.keys()));
  const worth = worthMarking(trapped, called);
  const text = (line: number) => `Line ${line} of ${name}, \`${source.split('\n')[line - 1]?.trim()}\``;
  for (const [line, count] of trapped) {
    const calls = called.get(line) ?? 0;
    const isWorth = worth.has(line);
    const times = (n: number) => `${n.toLocaleString('en-GB')} time${n === 1 ? '' : 's'}`;
    if (isWorth && !found.has(line))
      return {
        message: `${text(line)}, is not in your set. Unmarked it trapped ${times(count)}; marked it was called ${times(calls)}.`,
      };
    if (!isWorth && found.has(line))
      return {
        message: `${text(line)}, is in your set. It trapped ${times(count)}, but is executed ${times(calls)}: each of them would become an exit.`,
      };
  }
  const odd = [...found].find((line) => !trapped.has(line as number));
  if (odd === undefined) return undefined;
  const isAddress = typeof odd === 'number' && odd > source.split('\n').length;
  return {
    message: `${told(odd)} is in your set, and is no line of ${name} that has ever trapped.${isAddress ? ' Is it an address, or a count?' : ''}`,
  };
}

defineExercises(pass, feedback);
