/**
 * The exercises of lesson 02: Popek & Goldberg's definitions as experiments.
 *
 * Each of the learner's functions is given one instruction on one machine, and says what it is. The
 * answers are compared on instructions in an order that teaches, then on random ones of all
 * profiles. A wrong answer is told with the state, or the pair of states, that refutes it; where the
 * learner's function sees a difference that proves nothing, the runs it looked at last tell why.
 */
import { decode } from '../../code/decode';
import { experiment } from '../../hypervisor/classify';
import { Experiment, PRIVILEGED_STATE, pairOf, proves } from '../../hypervisor/classify/experiment';
import { encodings, SUBJECTS } from '../../hypervisor/classify/subjects';
import type { TrialState } from '../../hypervisor/classify/trial';
import { causeName } from '../../isa/causes';
import { PROFILES, type ProfileName } from '../../isa/profiles';
import { Mode } from '../../isa/registers';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { randomNumbers } from '../random';
import { witnessTable } from '../show/side';
import type { Table } from '../table';
import { told } from './told';

type Tried = readonly [text: string, profile: ProfileName];

/** An experiment that remembers the states it was run in last. */
class Watched extends Experiment {
  readonly last: TrialState[] = [];

  override run(state: TrialState) {
    const trial = super.run(state);
    this.last.push(state);
    if (this.last.length > 2) this.last.shift();
    return trial;
  }
}

const RANDOM_CASES = 60;
const MODES = [Mode.U, Mode.S] as const;
const NAMES = Object.keys(PROFILES) as ProfileName[];
const TRIABLE = SUBJECTS.filter(({ kind }) => kind === 'instruction' || kind === 'csr');

/** The cases that teach, then random instructions on random machines. */
function* cases(teaching: readonly Tried[], seed: number): Generator<Watched> {
  for (const [text, profile] of teaching) yield watched(experiment(text, profile));
  const random = randomNumbers(seed);
  for (let n = 0; n < RANDOM_CASES; n++) {
    const word = Number(random.pick(encodings(random.pick(TRIABLE))));
    if (decode(word) === undefined) continue;
    const one = experiment(word, random.pick(NAMES));
    // An address at which nothing is tells nothing.
    if (!one.states.every((state) => one.run(state).isMemoryTrap)) yield watched(one);
  }
}

const watched = ({ word, profile }: Experiment) => new Watched(word, profile);
const nameOf = ({ text, profile }: Experiment) => `\`${text}\` on the profile \`${profile.name}\``;

/** What an answer should have been, and what speaks against the one that was given. */
interface Judged {
  right: boolean;
  refutation(): { because: string; table?: Table };
}

/** Compares a learner's yes or no with ours, case by case. */
function compareAnswers(
  what: string,
  tried: Iterable<Watched>,
  solution: (one: Watched) => boolean,
  judge: (one: Watched) => Judged,
): Failure | undefined {
  let isOpen = true; // until an answer is right
  for (const one of tried) {
    const found: unknown = inCase(`Is ${nameOf(one)} ${what}?`, () => solution(one));
    if (found === undefined)
      return {
        untouched: isOpen,
        message: `Your function doesn’t say yet whether ${nameOf(one)} is ${what}.`,
      };
    if (typeof found !== 'boolean')
      return {
        message: `Is ${nameOf(one)} ${what}? The answer must be true or false, and yours is ${told(found)}.`,
      };
    const { right, refutation } = judge(one);
    isOpen &&= found !== right;
    if (found === right) continue;
    const { because, table } = refutation();
    const message = `${nameOf(one)} is ${right ? '' : 'not '}${what}, and you say that it is${right ? ' not' : ''}. ${because}`;
    return { message, ...(table ? { table } : {}) };
  }
  return undefined;
}

// ------------------------------------------------------------------------------- 02-privileged

const PRIVILEGED_CASES: readonly Tried[] = [
  ['add s1, a0, a1', 'riscv'],
  ['sret', 'riscv'],
  ['csrsi sstatus, 2', 'riscv'],
  ['csrsi sstatus, 2', 'x86'],
  ['ecall', 'riscv'],
  ['lw s1, 0(a0)', 'riscv'],
  ['csrr s1, cycle', 'riscv'],
  ['wfi', 'riscv'],
  ['mret', 'riscv'],
  ['csrr s1, satp', 'mips'],
  ['csrr s1, satp', 'itanium'],
  ['sret', 'arm'],
];

/** What happens in each mode, state by state, memory traps aside. */
function judgePrivileged(one: Watched): Judged {
  const runs = MODES.flatMap((mode) =>
    one.states.map((base) => ({ ...base, mode })).map((state) => ({ state, trial: one.run(state) })),
  ).filter(({ trial }) => !trial.isMemoryTrap);
  const refuting = runs.filter(({ state, trial }) => (trial.trap !== undefined) !== (state.mode === Mode.U));
  const against = refuting.find(({ state }) => isSeenBetween(one, state)) ?? refuting[0];
  return {
    right: runs.length > 0 && against === undefined,
    refutation() {
      if (against === undefined)
        return {
          because: `In all its ${one.states.length} states it traps in U mode, and never in S mode.`,
        };
      const { state, trial } = against;
      const how = trial.trap === undefined ? 'no trap' : `the trap "${causeName(trial.trap.cause)}"`;
      const n = one.states.findIndex(({ x, csrs }) => x === state.x && csrs === state.csrs);
      const because = `In states[${n}], in ${Mode[state.mode]} mode, there is ${how}.`;
      return { because, table: witnessTable(one.inStates(...MODES.map((mode) => ({ ...state, mode })))) };
    },
  };
}

/** Whether the mode makes a difference there that one can look at. */
function isSeenBetween(one: Experiment, state: TrialState): boolean {
  const [user, supervisor] = MODES.map((mode) => one.run({ ...state, mode }).after);
  return Object.keys(user).some((place) => place !== 'mode' && user[place] !== supervisor[place]);
}

const privileged: Exercise<(one: Experiment) => boolean> = {
  id: '02-privileged',
  title: 'is it privileged?',
  passed: `You and the machine agree on ${PRIVILEGED_CASES.length + RANDOM_CASES} instructions of five machines.`,
  hints: [
    'The definition has two halves: what must happen in U mode, and what must not happen in S mode.',
    '“In every state”: one state without a trap in U mode refutes it, and so does one with a trap in S mode. `experiment.states` are states of S mode; `{ ...state, mode: Mode.U }` is the same one in U mode.',
    'A run that ends in a memory trap (`isMemoryTrap`) says nothing: look only at the others. Then `array.every()` over the states, once per mode, is all you need.',
  ],
  test: (solution) => compareAnswers('privileged', cases(PRIVILEGED_CASES, 21), solution, judgePrivileged),
};

// ------------------------------------------------------------------------ 02-control-sensitive

const CONTROL_CASES: readonly Tried[] = [
  ['add s1, a0, a1', 'riscv'],
  ['csrw stvec, a0', 'riscv'],
  ['csrsi sstatus, 2', 'riscv'],
  ['csrr s1, stvec', 'riscv'],
  ['sret', 'riscv'],
  ['ecall', 'riscv'],
  ['wfi', 'riscv'],
  ['sfence.vma', 'riscv'],
  ['sw a1, 0(a0)', 'riscv'],
  ['jalr s1, 0(a0)', 'riscv'],
  ['csrw stvec, a0', 'itanium'],
  ['fence.i', 'riscv'],
];

function judgeControl(one: Watched): Judged {
  const guilty = MODES.flatMap((mode) => one.states.map((base) => ({ ...base, mode }))).find(
    (state) => proves(one, state) !== undefined,
  );
  const last = one.last.slice(-1);
  return {
    right: guilty !== undefined,
    refutation: () =>
      guilty === undefined
        ? {
            because: `${whyNotControl(one, last)} Below is the state that you looked at last.`,
            table: witnessTable(one.inStates(...last)),
          }
        : {
            because: 'In the state below it does not trap, and it changes privileged state.',
            table: witnessTable(one.inStates(guilty)),
          },
  };
}

function whyNotControl(one: Watched, [state]: readonly TrialState[]): string {
  if (state === undefined) return 'Run it in a state or two before you answer.';
  const { trap, before, after } = one.run(state);
  if (trap !== undefined) return 'It traps there: that changes the mode for the trap’s sake, not its own.';
  const changed = Object.keys(after).filter((place) => before[place] !== after[place]);
  const own = changed.filter((place) => PRIVILEGED_STATE.has(place));
  const list = changed.length === 0 ? 'nothing' : changed.join(', ');
  return own.length === 0 ? `What it changes there is ${list}: no privileged state.` : '';
}

const controlSensitive: Exercise<(one: Experiment) => boolean> = {
  id: '02-control-sensitive',
  title: 'is it control-sensitive?',
  passed: `You and the machine agree on ${CONTROL_CASES.length + RANDOM_CASES} instructions of five machines.`,
  hints: [
    'One state is enough to convict it: one in which it runs, and in which a place of privileged state is not the same before and after.',
    'A run that traps proves nothing here, whatever the trap. Privileged state is what the set `PRIVILEGED_STATE` names: `PRIVILEGED_STATE.has("mode")` is true, `PRIVILEGED_STATE.has("pc")` is not.',
    'For each state, in both modes: `const { trap, before, after } = experiment.run(state)`. It is convicted if `trap` is undefined and some place of `PRIVILEGED_STATE` has another value in `after` than in `before`.',
  ],
  test: (solution) => compareAnswers('control-sensitive', cases(CONTROL_CASES, 22), solution, judgeControl),
};

// ---------------------------------------------------------------------- 02-behaviour-sensitive

const BEHAVIOUR_CASES: readonly Tried[] = [
  ['add s1, a0, a1', 'riscv'],
  ['csrr s1, stvec', 'riscv'],
  ['csrr s1, sscratch', 'arm'],
  ['csrsi sstatus, 2', 'x86'],
  ['csrw stvec, a0', 'riscv'],
  ['ecall', 'riscv'],
  ['ebreak', 'riscv'],
  ['sret', 'arm'],
  ['lw s1, 0(a0)', 'riscv'],
  ['csrr s1, satp', 'itanium'],
  ['csrr s1, time', 'riscv'],
  ['fence.i', 'riscv'],
];

function judgeBehaviour(one: Watched): Judged {
  const last = [...one.last];
  const guilty = one.pairs.find(({ states }) => proves(one, ...states) !== undefined);
  return {
    right: guilty !== undefined,
    refutation: () =>
      guilty === undefined
        ? whyNotBehaviour(one, last)
        : {
            because: `The states below differ in ${placeName(guilty.differsIn)} only, and something else comes out differently.`,
            table: witnessTable(one.inStates(...guilty.states)),
          },
  };
}

const placeName = (place: string) => (place === 'mode' ? 'the mode' : place);

function whyNotBehaviour(one: Watched, last: readonly TrialState[]): { because: string; table?: Table } {
  if (last.length < 2) return { because: 'None of its pairs of states comes out differently.' };
  const table = witnessTable(one.inStates(...last));
  const [first, second] = last.map((state) => one.run(state));
  const tail = 'Below are the states that you looked at last.';
  if (first.isMemoryTrap || second.isMemoryTrap)
    return { because: `A memory trap proves nothing: the hypervisor gets it. ${tail}`, table };
  if ((first.trap === undefined) !== (second.trap === undefined))
    return {
      because: `That it traps in one of the modes is what makes it privileged: the guest sees nothing of it. ${tail}`,
      table,
    };
  if (first.trap !== undefined)
    return {
      because: `It traps in both states, for the same reason: nobody can tell them apart. ${tail}`,
      table,
    };
  return { because: `The one difference is the one that you began with. ${tail}`, table };
}

const behaviourSensitive: Exercise<(one: Experiment) => boolean> = {
  id: '02-behaviour-sensitive',
  title: 'is it behaviour-sensitive?',
  passed: `You and the machine agree on ${BEHAVIOUR_CASES.length + RANDOM_CASES} instructions of five machines.`,
  hints: [
    '`experiment.pairs` has pairs of states that differ in one place, `differsIn`. Run the instruction in both. If anything else than that place comes out differently, the instruction gave it away.',
    'Traps first. A memory trap in either run proves nothing. If both trap, the causes tell whether the guest’s handler could see a difference. If only one does: between two modes that is privilege, and proves nothing; where a CSR decided, it gives the CSR away.',
    'If neither traps, compare the two `after`, place by place, leaving out `differsIn`: `Object.keys(one.after).some(…)`.',
  ],
  test: (solution) =>
    compareAnswers('behaviour-sensitive', cases(BEHAVIOUR_CASES, 23), solution, judgeBehaviour),
};

// --------------------------------------------------------------------------------- 02-witness

const WITNESS_CASES: readonly Tried[] = [
  ['csrw stvec, a0', 'riscv'],
  ['add s1, a0, a1', 'riscv'],
  ['csrr s1, stvec', 'x86'],
  ['csrsi sstatus, 2', 'x86'],
  ['ecall', 'riscv'],
  ['sret', 'arm'],
  ['csrr s1, satp', 'itanium'],
  ['lw s1, 0(a0)', 'riscv'],
  ['sfence.vma', 'riscv'],
  ['fence.i', 'riscv'],
];

/** What is wrong with a learner's witness; undefined if it holds. */
function faultOfWitness(one: Watched, found: unknown): Failure | undefined {
  const who = nameOf(one);
  const guilty = judgeControl(one).right || judgeBehaviour(one).right;
  if (found === undefined)
    return guilty ? { message: `${who} is sensitive, and you found no witness.` } : undefined;
  if (!Array.isArray(found) || found.length < 1 || found.length > 2)
    return {
      message: `A witness is an array of one state, or of two. For ${who} yours is ${told(found)}.`,
    };
  const [state, other] = found;
  try {
    if (proves(one, ...found) !== undefined) return undefined;
  } catch (error) {
    return { message: `Your witness against ${who} can't be one. ${(error as Error).message}` };
  }
  const why =
    other === undefined
      ? 'In this one state it changes no privileged state, or it traps.'
      : `These states differ in ${placeName(pairOf(state, other).differsIn)}, and what comes out differs in nothing else that counts.`;
  const charge = guilty ? 'is sensitive, but this does not prove it' : 'is innocuous';
  return { message: `${who} ${charge}. ${why}`, table: witnessTable(one.inStates(...found)) };
}

const witness: Exercise<(one: Experiment) => readonly TrialState[] | undefined> = {
  id: '02-witness',
  title: 'find a witness',
  passed: `All your witnesses hold when they are run again, and you accuse nobody who is innocent: ${WITNESS_CASES.length + RANDOM_CASES} instructions.`,
  hints: [
    'You have written the two searches already. Here they return what they found in the place of true.',
    'First a single state, of either mode, in which it changes privileged state. Then a pair of `experiment.pairs`. `array.find()` gives the first that fits, or undefined.',
    'For a single state return `[state]`, for a pair return `pair.states`. Your functions from exercises 2 and 3 contain the two conditions.',
  ],
  test(solution) {
    let failure: Failure | undefined;
    for (const one of cases(WITNESS_CASES, 24)) {
      const found = inCase(`A witness against ${nameOf(one)}?`, () => solution(one));
      failure ??= faultOfWitness(one, found);
      // As long as nothing at all is found, nothing may be written yet.
      if (failure !== undefined && found !== undefined) return failure;
    }
    return failure && { ...failure, untouched: true };
  },
};

defineExercises(privileged, controlSensitive, behaviourSensitive, witness);
