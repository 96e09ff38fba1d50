/**
 * The exercises of lesson 09: the parts of a binary translator.
 *
 * A block and its translation are tried on guests that come to them in many states; what is compared
 * are harts (`translation/block-trial.ts`). Cache and `fence.i` run whole guests from cached blocks
 * (`translation/cached-run.ts`). Chaining and indirect jumps are in `translation/jumps.ts`.
 */
import { hex } from '../../bits';
import { assemble, DEFAULT_ORIGIN } from '../../code/assemble';
import { disassemble } from '../../code/disassemble';
import { guest } from '../../guests/guests';
import { readInstruction, UNIT_LIMIT } from '../../hypervisor/binary-translation/discover';
import { type GuestInstruction, treatmentOf } from '../../hypervisor/binary-translation/treatment';
import { type BlockTranslator, BlockWriter, translateBy } from '../../hypervisor/binary-translation/writer';
import { defineExercises, type Exercise, type Failure, inCase, TestEnded } from '../check';
import { differences } from '../hart-state';
import { placesTable } from './places-table';
import { told } from './told';
import { inVm, type Outcome, onBareMachine } from './translation/block-trial';
import { blockAt, type Case, cases, halfAt, trialOf } from './translation/blocks';
import { CachedRun, type FenceBlocks, type FindBlock } from './translation/cached-run';
import { chain, indirect } from './translation/jumps';

const textOf = ({ pc, word }: GuestInstruction) => disassemble(word, pc);

// ------------------------------------------------------------------------------------ 09-block

/** Reads the instruction at an address of the guest. */
export type FetchInstruction = (pc: number) => GuestInstruction;

/** Instructions that a function may look at for one block: it is endless if that isn't enough. */
const MOST_FETCHES = 100;

function judgeBlock(
  theCase: Case,
  solution: (fetch: FetchInstruction, pc: number) => unknown,
): Failure | undefined {
  const { program, block } = trialOf(theCase);
  const wanted = blockAt(program, block);
  const where = `For the block at ${hex(block)}`;
  let fetches = 0;
  const fetch: FetchInstruction = (pc) => {
    if (++fetches > MOST_FETCHES)
      throw new TestEnded({
        message: `${where} your function has fetched ${MOST_FETCHES} instructions: it doesn’t stop.`,
      });
    if (!Number.isInteger(pc))
      throw new TestEnded({ message: `${where} your function fetches at ${told(pc)}, which is no address.` });
    const instruction = readInstruction((va) => halfAt(program, va), pc);
    if (instruction !== undefined) return instruction;
    throw new TestEnded({
      message: `${where} your function fetches from ${hex(pc)}, where the guest has nothing.`,
    });
  };
  const found: unknown = inCase(`${where}:`, () => solution(fetch, block | 0));
  const list: GuestInstruction[] = Array.isArray(found) ? found : [];
  const shown = Math.max(wanted.length, Math.min(list.length, wanted.length + 2));
  const isSame = (n: number) => wanted[n]?.pc === list[n]?.pc;
  const wrong = Array.from({ length: shown }, (_, n) => n).find((n) => !isSame(n));
  if (wrong === undefined && list.length === wanted.length) return undefined;
  const untouched = !Array.isArray(found) || list.length === 0;
  const rows = Array.from({ length: shown }, (_, n) => {
    const yours = list[n] === undefined ? '–' : hex(Number(list[n].pc) || 0);
    return [
      wanted[n] === undefined ? 'not in the block' : `${hex(wanted[n].pc)}  ${textOf(wanted[n])}`,
      { text: yours, differs: !isSame(n) },
    ];
  });
  return {
    untouched,
    message: untouched
      ? `Your function finds no instruction yet. The block at ${hex(block)} has ${wanted.length}.`
      : list.length === wanted.length
        ? `Instruction ${(wrong ?? 0) + 1} of the block at ${hex(block)} is another one in yours.`
        : `The block at ${hex(block)} has ${wanted.length} instruction${wanted.length === 1 ? '' : 's'}; yours has ${list.length}.`,
    table: {
      caption: 'What the hart executes, and your block',
      columns: [{ title: 'the block' }, { title: 'yours' }],
      rows,
    },
  };
}

const STRAIGHT = Array.from({ length: 20 }, (_, n) => `addi a0, a0, ${n}`);
const CASES = [...cases()];
const BLOCK_CASES: Case[] = [
  ['add a0, a0, a1', 'bnez a0, near'],
  ['j far'],
  ['c.mv a0, a1', 'add a0, a0, a1', 'c.jr s8'],
  STRAIGHT,
  ['c.nop', ...STRAIGHT.slice(0, 11), 'j far'],
  ['csrr a0, sepc', 'csrw sepc, a0', 'sret'],
  ['sw a0, 0(s10)', 'fence.i', 'add a0, a0, a1', 'j far'],
  ['li a7, 1', 'ecall', 'j far'],
  ['c.addi a0, 1', 'c.bnez a0, near'],
].map((text) => ({ text, registers: {} }));

const block: Exercise<(fetch: FetchInstruction, pc: number) => GuestInstruction[]> = {
  id: '09-block',
  title: 'find a basic block',
  passed: `Your blocks end where the guest may go elsewhere, or after ${UNIT_LIMIT} instructions: in all of ${BLOCK_CASES.length + CASES.length} cases.`,
  hints: [
    'Follow the hart: fetch at pc, keep the instruction, go on behind it. What is behind an instruction depends on its length.',
    'The instruction that ends the block belongs to it: keep it first, then ask whether it ends the block.',
    'A loop that runs while the list has fewer than 12 entries: fetch, push, return the list if `endsBlock` says so, else add its length to pc.',
  ],
  test(solution) {
    for (const theCase of [...BLOCK_CASES, ...CASES]) {
      const failure = judgeBlock(theCase, solution);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

// -------------------------------------------------------------------------------- 09-translate

function blockText(guests: readonly GuestInstruction[]): string {
  return guests.map((each) => `\`${textOf(each)}\``).join(', ');
}

function compareOutcomes(
  guests: readonly GuestInstruction[],
  wanted: Outcome,
  found: Outcome,
): Failure | undefined {
  const wrong = differences(wanted.hart, found.hart);
  const memory = wanted.memory.flatMap((word, n) =>
    word === found.memory[n]
      ? []
      : [{ place: `word ${n} at s10`, wanted: hex(word), found: hex(found.memory[n]) }],
  );
  if (found.left && wrong.length + memory.length === 0) return undefined;
  const where = `The guest's kernel runs the block ${blockText(guests)}, translated by you, on a machine of the profile x86.`;
  return {
    message: found.left ? where : `${where} It never gets to the end of it. ${found.message}`,
    table: placesTable([...wrong, ...memory], 'Behind the block, on the virtual hart'),
  };
}

const WHY_NOT: Record<string, string> = {
  'fence.i': 'It works, but the hypervisor must hear of it: translations may be out of date.',
};

/** What is in the translation, though it works: sensitive instructions in the cache, calls without need. */
function judgeStyle(guests: readonly GuestInstruction[], translator: BlockTranslator): Failure | undefined {
  for (const { guests: own, emitted } of translateBy(translator, guests).pieces) {
    const [first] = own;
    if (first?.instruction === undefined) continue;
    const isCopied = emitted.some(({ word, callout }) => callout === undefined && word === first.word);
    const isSensitive = treatmentOf(first).kind === 'sensitive';
    if (isCopied && isSensitive)
      return {
        message: `Your translation of \`${textOf(first)}\` puts the instruction itself into the cache. ${WHY_NOT[first.instruction.row.name] ?? 'On some machines it does something else in user mode, without a trap.'}`,
      };
    const isCalled = emitted.some(({ callout }) => callout?.kind === 'emulate');
    if (isCalled && !isSensitive)
      return {
        message: `Your translation of \`${textOf(first)}\` calls the hypervisor, which is right and slow: this instruction needs no privilege.`,
      };
  }
  return undefined;
}

function judgeTranslation(theCase: Case, solution: BlockTranslator): Failure | undefined {
  const trial = trialOf(theCase);
  const guests = blockAt(trial.program, trial.block);
  // Once by itself: what the learner's function throws is told with the block.
  const writer = new BlockWriter();
  inCase(`The block ${blockText(guests)}:`, () =>
    solution(
      guests.map((each) => ({ ...each })),
      writer,
    ),
  );
  if (writer.isEmpty)
    return {
      untouched: true,
      message: `Your function writes nothing yet. For one, the block ${blockText(guests)}.`,
    };
  let found: Outcome;
  try {
    found = inVm(trial, solution);
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error);
    return { message: `The guest goes astray in your translation of ${blockText(guests)}. ${told}` };
  }
  return compareOutcomes(guests, onBareMachine(trial), found) ?? judgeStyle(guests, solution);
}

const translate: Exercise<BlockTranslator> = {
  id: '09-translate',
  title: 'translate a block',
  passed: `Behind each of ${CASES.length} blocks the virtual hart and its memory are what they are on the bare machine, no sensitive instruction is in the cache, and none is called for without need.`,
  hints: [
    'Sort the instructions into five heaps: what can be copied; what uses its own address; branches; jumps, direct and indirect; and what only the hypervisor may do. The table above names them.',
    'The address of the code in the cache is not the guest’s. So everything that is computed from pc is computed now, from `guest.pc`: the value of `auipc`, the target of a jump, the target of a branch.',
    'The target of a direct jump or branch, and the value of `auipc`, are `guest.pc + instruction.imm`. Compressed instructions have names of their own: `c.j`, `c.jal`, `c.beqz`, `c.bnez`, `c.jr`, `c.jalr`. Whatever has no instruction at all is a callout, too.',
  ],
  test(solution) {
    for (const theCase of CASES) {
      const failure = judgeTranslation(theCase, solution);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

// ---------------------------------------------------------------------- 09-cache and 09-fence

const keep: FindBlock = (cache, pc, make) => {
  const found = cache.get(pc) ?? make(pc);
  cache.set(pc, found);
  return found;
};

const dropStale: FenceBlocks = (cache, read) => {
  for (const [pc, { instructions }] of cache)
    if (instructions.some((each) => read(each.pc, each.length === 2 ? 2 : 4) !== each.word)) cache.delete(pc);
};

const cache: Exercise<FindBlock> = {
  id: '09-cache',
  title: 'the translation cache',
  passed:
    'Two guests run to their ends from your cache, and each block is translated once, when it is first needed.',
  hints: [
    'What is the key of a block, and what do you do when the cache has none for it?',
    'A Map has `get(key)`, which is undefined where there is nothing, and `set(key, value)`.',
    'Ask `cache.get(pc)`. If that is undefined, translate, and keep what you got under the same key before you return it.',
  ],
  test(solution) {
    for (const name of ['hello', 'selfsum']) {
      const failure = new CachedRun(guest(name), solution, dropStale).run();
      if (failure !== undefined) return { ...failure, message: `${name}: ${failure.message}` };
    }
    return undefined;
  },
};

/** Changes the second instruction of a function, and data beside it. */
const patches = () =>
  assemble(
    `_start: call  2f
        la    t0, 2f
        lw    t1, 3f
        sw    t1, 4(t0)
        fence.i
        call  2f
        sw    t1, 12(t0)
        fence.i
        call  2f
        li    t0, 0x100000
        li    t1, 0x5555
        sw    t1, 0(t0)
2:      addi  a0, a0, 1
        addi  a0, a0, 2
        ret
        .word 0
3:      addi  a0, a0, 100
`,
    { file: 'patches.s', origin: DEFAULT_ORIGIN },
  );

const fence: Exercise<FenceBlocks> = {
  id: '09-fence',
  title: 'fence.i',
  passed:
    'A guest that rewrites itself runs to its end, and at each fence.i exactly the blocks go that are out of date.',
  hints: [
    'A block is out of date if any of its instructions is no longer what is in memory at its address.',
    'Compressed instructions have two bytes: what comes behind them is another instruction, and no concern of theirs.',
    'For each block: compare each instruction’s word with what `read` gives at its pc, of the instruction’s own length. Delete the block by its key at the first difference.',
  ],
  test(solution) {
    for (const [name, program] of [
      ['a guest that patches one instruction', patches()],
      ['selfsum', guest('selfsum')],
      ['selfmod', guest('selfmod', { ROUNDS: 4 })],
    ] as const) {
      const failure = new CachedRun(program, keep, solution).run();
      if (failure !== undefined) return { ...failure, message: `${name}: ${failure.message}` };
    }
    return undefined;
  },
};

defineExercises(block, translate, cache, chain, indirect, fence);
