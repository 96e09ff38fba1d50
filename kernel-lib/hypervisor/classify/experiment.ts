/**
 * `experiment('csrsi sstatus, 2', 'x86')`: one instruction on one machine, to be run in states of
 * one's own choice, or in those that the classifier uses.
 *
 * A state is plain data: `{ ...state, mode: Mode.U }` is the same in user mode. Each run starts
 * from its state anew, so that runs know nothing of one another. `states` has some to begin with,
 * `pairs` has pairs that differ in one place only: what comes out differently else is then the
 * instruction's doing; `proves` says of what kind. Read `evidence.ts` and `witness.ts` first.
 */
import { assemble } from '../../code/assemble';
import { decode, type Instruction } from '../../code/decode';
import { bytesAt } from '../../code/program';
import { csrByName, csrByNumber } from '../../isa/csrs';
import { csrReadsAndWrites } from '../../isa/meaning';
import { type Profile, type ProfileName, profileOf } from '../../isa/profiles';
import { Mode } from '../../isa/registers';
import type { Trap } from '../../machine/trap';
import { changesPrivilegedState, compareOutcomes, type EvidenceKind } from './evidence';
import { type Subject, states } from './subjects';
import {
  BASE_CSRS,
  FLIPS,
  flipped,
  isMemoryTrap,
  Laboratory,
  type Outcome,
  PLACES,
  PRIVILEGED_PLACES,
  type TrialState,
  triedText,
} from './trial';
import { type Places, placesOf, sidesOf, type WitnessSide } from './witness';

/** What came of running the instruction in a state. */
export interface Trial {
  /** Place -> value: `pc`, `mode`, registers and CSRs by name, words of memory. int32. */
  readonly before: Places;
  readonly after: Places;
  /** The trap that came of it, if any. */
  readonly trap: Trap | undefined;
  /** Whether that is a load, store or fetch that may not: such traps always reach the hypervisor. */
  readonly isMemoryTrap: boolean;
}

/** Two states that differ in one place. */
export interface StatePair {
  kind: 'mode' | 'configuration' | 'location';
  /** That place: `mode`, the name of a CSR, or `satp` where memory was moved. */
  differsIn: string;
  states: readonly [TrialState, TrialState];
}

/** What was tried, in states side by side, for `show`. */
export interface SideBySide {
  profile: Profile;
  text: string;
  sides: WitnessSide[];
}

/** A trial whose places get their names when they are looked at. */
class TrialOf implements Trial {
  readonly trap: Trap | undefined;
  readonly isMemoryTrap: boolean;
  private namedBefore: Places | undefined;
  private namedAfter: Places | undefined;

  constructor(
    private readonly start: Int32Array,
    private readonly outcome: Outcome,
  ) {
    this.trap = outcome.trap;
    this.isMemoryTrap = isMemoryTrap(outcome);
  }

  get before(): Places {
    this.namedBefore ??= placesOf(this.start);
    return this.namedBefore;
  }

  get after(): Places {
    this.namedAfter ??= placesOf(this.outcome.values);
    return this.namedAfter;
  }
}

/** How many of the states are also tried with every CSR flipped. */
const FLIPPED_STATES = 3;

/** The names of the places that are privileged state: the mode, the CSRs, the translations in force. */
export const PRIVILEGED_STATE: ReadonlySet<string> = new Set(PRIVILEGED_PLACES.map((place) => PLACES[place]));

/** One laboratory per profile is enough: it prepares itself for each trial. */
const laboratories = new WeakMap<Profile, Laboratory>();

function laboratoryOf(profile: Profile): Laboratory {
  let laboratory = laboratories.get(profile);
  if (laboratory === undefined) laboratories.set(profile, (laboratory = new Laboratory(profile)));
  return laboratory;
}

/**
 * An instruction to experiment with.
 * @param what one instruction in assembly, or its word
 * @throws AssemblyError, or Error if that isn't one instruction; Error if there is no such profile
 */
export function experiment(what: string | number, profile: ProfileName | Profile = 'riscv'): Experiment {
  return new Experiment(typeof what === 'number' ? what : wordOf(what), profileOf(profile));
}

export class Experiment {
  /** The instruction in assembly. */
  readonly text: string;
  /** States to try it in, all of S mode, the plainest first. */
  readonly states: readonly TrialState[];
  private readonly laboratory: Laboratory;

  /** @throws Error if the word is not an instruction */
  constructor(
    readonly word: number,
    readonly profile: Profile,
  ) {
    const instruction = decode(word);
    this.text = triedText(word);
    if (instruction === undefined) throw new Error(`experiment: "${this.text}" is not an instruction.`);
    this.laboratory = laboratoryOf(profile);
    const subject = subjectOf(instruction);
    this.states = [...guarded(subject), ...states(subject, instruction)].map(frozen);
  }

  /** Pairs of states: the two modes; a CSR changed; memory moved. */
  get pairs(): readonly StatePair[] {
    return this.states.flatMap((base, n) => {
      const user = frozen({ ...base, mode: Mode.U });
      const modes: StatePair = { kind: 'mode', differsIn: 'mode', states: [user, base] };
      return [
        modes,
        ...modes.states.map(moved),
        ...(n < FLIPPED_STATES ? modes.states.flatMap(configured) : []),
      ];
    });
  }

  /**
   * Runs the instruction in a state.
   * @throws TypeError if that isn't a state
   */
  run(state: TrialState): Trial {
    checkState(state);
    const before = this.laboratory.before(state);
    return new TrialOf(before, this.laboratory.try(this.word, state));
  }

  /** The instruction in these states, side by side, to be shown. */
  inStates(...tried: readonly TrialState[]): SideBySide {
    for (const state of tried) checkState(state);
    return { profile: this.profile, text: this.text, sides: sidesOf(this.laboratory, this.word, tried) };
  }
}

/**
 * What a state, or two that differ in one thing, prove of an instruction: that it is sensitive, and
 * how; undefined: nothing.
 * @throws TypeError if those aren't states; Error if two states differ in nothing, or in several things
 */
export function proves(
  { word, profile }: Experiment,
  ...tried: readonly TrialState[]
): EvidenceKind | undefined {
  for (const state of tried) checkState(state);
  const laboratory = laboratoryOf(profile);
  const [first, second] = tried;
  const [one, other] = tried.map((state) => laboratory.try(word, state));
  if (tried.length === 1) {
    const isChanged = changesPrivilegedState(laboratory.before(first), one);
    return one.trap === undefined && isChanged ? 'control' : undefined;
  }
  const { kind, differsIn } = pairOf(first, second);
  return compareOutcomes(kind, one, other, differsIn) === 'sensitive' ? kind : undefined;
}

/** The same state with memory in another place. */
function moved(state: TrialState): StatePair {
  const other = frozen({ ...state, isMoved: !state.isMoved });
  return { kind: 'location', differsIn: 'satp', states: [state, other] };
}

/** The same state with one CSR changed, for each CSR. */
function configured(state: TrialState): StatePair[] {
  return FLIPS.map((flip) => ({
    kind: 'configuration',
    differsIn: flip.csr,
    states: [state, frozen(flipped(state, flip))],
  }));
}

/**
 * In what two states differ.
 * @throws Error if it is not exactly one thing
 */
export function pairOf(one: TrialState, other: TrialState): StatePair {
  const names = new Set([...Object.keys(one.csrs), ...Object.keys(other.csrs)]);
  const value = ({ csrs }: TrialState, name: string) => csrs[name] ?? BASE_CSRS[name] ?? 0;
  const csrs = [...names].filter((name) => value(one, name) !== value(other, name));
  const registers = new Set([...Object.keys(one.x), ...Object.keys(other.x)].map(Number));
  const differing = [
    ...(one.mode !== other.mode ? ['mode'] : []),
    ...csrs,
    ...(one.isMoved !== other.isMoved ? ['the place of memory'] : []),
    ...[...registers].filter((n) => one.x[n] !== other.x[n]).map((n) => `x${n}`),
  ];
  if (differing.length !== 1 || differing[0].startsWith('x')) {
    const what = differing.length === 0 ? 'nothing' : differing.join(', ');
    throw new Error(
      `Two states must differ in the mode, in one CSR, or in isMoved, and in nothing else. These differ in: ${what}.`,
    );
  }
  const states = [one, other] as const;
  if (one.mode !== other.mode) return { kind: 'mode', differsIn: 'mode', states };
  if (one.isMoved !== other.isMoved) return { kind: 'location', differsIn: 'satp', states };
  return { kind: 'configuration', differsIn: csrs[0], states };
}

function checkState(state: TrialState): void {
  const parts: Partial<TrialState> = typeof state === 'object' && state !== null ? state : {};
  const { mode, x, csrs, isMoved } = parts;
  const isState =
    (mode === Mode.U || mode === Mode.S) &&
    typeof x === 'object' &&
    typeof csrs === 'object' &&
    typeof isMoved === 'boolean';
  if (!isState)
    throw new TypeError(
      'That is not a state. Take one of experiment.states, and change it like this: { ...state, mode: Mode.U }.',
    );
  for (const name of Object.keys(csrs!))
    if (csrByName(name) === undefined) throw new TypeError(`A state has no CSR "${name}".`);
}

/** States are shared: nobody may write to them. */
function frozen(state: TrialState): TrialState {
  Object.freeze(state.x);
  Object.freeze(state.csrs);
  return Object.freeze(state);
}

/** The state in which a counter is not for user mode. (It is for user mode in those of `states`.) */
function guarded(subject: Subject): TrialState[] {
  const isCounter = subject.kind === 'csr' && subject.csr.guard === 'counter';
  return isCounter ? [{ mode: Mode.S, x: {}, csrs: { scounteren: 0 }, isMoved: false }] : [];
}

/** What kind of states an instruction is tried in. */
function subjectOf(instruction: Instruction): Subject {
  const { row } = instruction;
  if (row.meaning.kind !== 'csr') return { kind: 'instruction', row };
  const csr = csrByNumber(instruction.csr);
  if (csr === undefined || csr.feature === 'H') return { kind: 'no csr' };
  const { writes } = csrReadsAndWrites(row.meaning.access, instruction);
  return { kind: 'csr', csr, access: writes ? 'write' : 'read' };
}

function wordOf(text: string): number {
  const program = assemble(text, { file: 'experiment' });
  const bytes = program.segments.reduce((sum, segment) => sum + segment.bytes.length, 0);
  const start = bytesAt(program, program.entry, bytes);
  const word = start === undefined ? 0 : start.reduceRight((sum, byte) => (sum << 8) | byte, 0);
  const length = decode(word)?.length;
  if (start === undefined || bytes !== length)
    throw new Error(
      `experiment: "${text}" makes ${bytes} bytes. Give one instruction: "csrr s1, sstatus", for one.`,
    );
  return word;
}
