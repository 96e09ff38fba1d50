/**
 * Evidence: experiments with pairs of states, and the pairs that prove something.
 *
 * Popek & Goldberg ask of an instruction what it does in *all* states; an experiment can only find
 * states that convict it. Each kind of sensitivity has one experiment: run it and see whether
 * privileged state changes (control); run it in two states that differ in the mode, in a CSR, or
 * in where memory is, and see whether anything *else* comes out differently (behaviour). What
 * differs only because a load, store or fetch may not is exempt: a hypervisor gets that trap.
 * Popek & Goldberg 1974, 3; Penneman et al. 2013, 3.3. Read `trial.ts` and `subjects.ts` first.
 */
import { Mode } from '../../isa/registers';
import { encodings, type Subject, states } from './subjects';
import {
  FLIPS,
  type Flip,
  flipped,
  isMemoryTrap,
  type Laboratory,
  type Outcome,
  PLACE,
  PLACES,
  PRIVILEGED_PLACES,
  type TrialState,
  type Tried,
} from './trial';

/** What a pair of states proves. `control` needs one state only. */
export type EvidenceKind =
  | 'control' // changes privileged state
  | 'mode' // does something else in the other mode
  | 'configuration' // depends on a CSR
  | 'location' // depends on where memory is
  | 'trap' // a trap destroys what software of any mode can use
  | 'dirty'; // changes a page-table entry without a trap

/** What was tried in which states, as data; `witness.ts` makes it run again. */
export interface Evidence {
  kind: EvidenceKind;
  tried: Tried;
  states: readonly TrialState[];
}

/** When something trapped in a mode, memory traps aside. */
export type Trapping = 'always' | 'sometimes' | 'never';

/** All that the experiments with one subject have shown. */
export interface Examination {
  user: Trapping;
  supervisor: Trapping;
  /** Proofs of sensitivity, the first one of each kind, by the lowest mode in which it shows. */
  sensitive: Evidence[];
  /** Proofs that hold in U mode alone: Popek & Goldberg's *user sensitive*. */
  userSensitive: Evidence[];
  /** Differences that come with a memory trap, or by the hand of the page-table walker: exempt. */
  exempt: Evidence[];
  /** CSR bits that make it trap in U mode, for a hypervisor that wants it to. */
  trapsWith: Flip[];
}

/** How many of the states, and of the encodings, are also tried with every CSR flipped. */
const FLIPPED_STATES = 3;
const FLIPPED_ENCODINGS = 3;

const MODES = [Mode.U, Mode.S] as const;

/** Runs all experiments with a subject. */
export function examine(laboratory: Laboratory, subject: Subject): Examination {
  const examiner = new Examiner(laboratory);
  const words = encodings(subject);
  const bases = states(subject);
  words.forEach((tried, n) => {
    bases.forEach((base, m) => {
      examiner.tryState(tried, base, subject);
      if (subject.kind !== 'register' && n < FLIPPED_ENCODINGS && m < FLIPPED_STATES)
        examiner.tryFlips(tried, base);
    });
  });
  return examiner.result();
}

class Examiner {
  private readonly trapped = { [Mode.U]: 0, [Mode.S]: 0 };
  private readonly ran = { [Mode.U]: 0, [Mode.S]: 0 };
  private readonly sensitive = new Map<string, Evidence>();
  private readonly userSensitive = new Map<string, Evidence>();
  private readonly exempt = new Map<string, Evidence>();
  /** CSR bits -> how often U mode trapped with them, and didn't. */
  private readonly flips = new Map<Flip, { traps: number; runs: number }>();

  constructor(private readonly laboratory: Laboratory) {}

  /** The experiments without a flipped CSR. */
  tryState(tried: Tried, base: TrialState, subject: Subject): void {
    if (subject.kind === 'register') {
      this.tryRegister(tried, base, subject.register);
      return;
    }
    const [user, supervisor] = MODES.map((mode) => this.one(tried, { ...base, mode }));
    this.compare('mode', tried, [user, supervisor], 'mode');
    for (const here of [user, supervisor]) {
      if (isRefused(here.outcome)) continue;
      this.compare('location', tried, [here, this.run(tried, { ...here.state, isMoved: true })], 'satp');
    }
  }

  /** The experiments with one CSR flipped at a time. The base allows all that a CSR can allow. */
  tryFlips(tried: Tried, base: TrialState): void {
    for (const mode of MODES) {
      const here = this.run(tried, { ...base, mode });
      if (isRefused(here.outcome)) continue;
      for (const flip of FLIPS) {
        const there = this.run(tried, flipped(here.state, flip));
        this.compare('configuration', tried, [here, there], flip.csr);
        if (mode === Mode.U) this.countFlip(flip, there.outcome);
      }
    }
  }

  result(): Examination {
    const trapping = (mode: Mode.U | Mode.S): Trapping =>
      this.trapped[mode] === 0 ? 'never' : this.ran[mode] === 0 ? 'always' : 'sometimes';
    const trapsWith = [...this.flips].filter(([, { traps, runs }]) => traps > 0 && runs === 0);
    return {
      user: trapping(Mode.U),
      supervisor: trapping(Mode.S),
      sensitive: [...this.sensitive.values()],
      userSensitive: [...this.userSensitive.values()],
      exempt: [...this.exempt.values()],
      trapsWith: trapping(Mode.U) === 'always' ? [] : trapsWith.map(([flip]) => flip),
    };
  }

  /** One state: does it trap, and does privileged state change? */
  private one(tried: Tried, state: TrialState): Run {
    const run = this.run(tried, state);
    const { outcome } = run;
    if (isMemoryTrap(outcome)) return run;
    if (outcome.trap !== undefined) this.trapped[state.mode]++;
    else {
      this.ran[state.mode]++;
      const before = this.laboratory.before(state);
      if (changesPrivilegedState(before, outcome)) this.convict('control', tried, [state]);
      if (before[PTE_PLACE] !== outcome.values[PTE_PLACE])
        this.exempt.set('dirty', { kind: 'dirty', tried, states: [state] });
    }
    return run;
  }

  /** Two states: does something come out differently that was not different before? */
  private compare(
    kind: EvidenceKind,
    tried: Tried,
    [one, other]: readonly [Run, Run] | Run[],
    different: string,
  ): void {
    const states = [one.state, other.state];
    const shown = compareOutcomes(kind, one.outcome, other.outcome, different);
    if (shown === 'sensitive') this.convict(kind, tried, states);
    else if (shown === 'exempt') this.keepExempt({ kind, tried, states });
  }

  /** Does a trap leave this general register as it was? */
  private tryRegister(tried: Tried, base: TrialState, register: number): void {
    const { outcome } = this.run(tried, { ...base, mode: Mode.U });
    const before = this.laboratory.before(base);
    const place = X_PLACE + register;
    if (outcome.trap !== undefined && before[place] !== outcome.values[place])
      this.sensitive.set('trap', { kind: 'trap', tried, states: MODES.map((mode) => ({ ...base, mode })) });
  }

  private convict(kind: EvidenceKind, tried: Tried, pair: TrialState[]): void {
    const evidence = { kind, tried, states: pair };
    const inUser = pair.every(({ mode }) => mode === Mode.U);
    if (inUser && !this.userSensitive.has(kind)) this.userSensitive.set(kind, evidence);
    if (!this.sensitive.has(kind) || (inUser && this.sensitive.get(kind)!.states[0].mode !== Mode.U))
      this.sensitive.set(kind, evidence);
  }

  private keepExempt(evidence: Evidence): void {
    if (!this.exempt.has(evidence.kind)) this.exempt.set(evidence.kind, evidence);
  }

  private countFlip(flip: Flip, outcome: Outcome): void {
    if (isMemoryTrap(outcome)) return;
    const count = this.flips.get(flip) ?? { traps: 0, runs: 0 };
    if (outcome.trap !== undefined) count.traps++;
    else count.runs++;
    this.flips.set(flip, count);
  }

  private run(tried: Tried, state: TrialState): Run {
    return { state, outcome: this.laboratory.try(tried, state) };
  }
}

interface Run {
  state: TrialState;
  outcome: Outcome;
}

/** Whether an outcome is a trap that comes of the instruction itself. */
function isRefused(outcome: Outcome): boolean {
  return outcome.trap !== undefined && !isMemoryTrap(outcome);
}

const X_PLACE = PLACE.get('zero')!;
const PTE_PLACE = PLACES.length - 1;

/** Whether an instruction that did not trap has changed privileged state. */
export function changesPrivilegedState(before: Int32Array, { values }: Outcome): boolean {
  return PRIVILEGED_PLACES.some((place) => before[place] !== values[place]);
}

/**
 * What comes of comparing what an instruction did in two states that differ in one place.
 * `exempt`: they differ, but a load, store or fetch that may not is the reason.
 */
export function compareOutcomes(
  kind: EvidenceKind,
  one: Outcome,
  other: Outcome,
  different: string,
): 'sensitive' | 'exempt' | 'alike' {
  const shown = (isShown: boolean) => (isShown ? 'sensitive' : 'alike');
  if (isMemoryTrap(one) || isMemoryTrap(other))
    return one.trap?.cause === other.trap?.cause ? 'alike' : 'exempt';
  if (one.trap !== undefined && other.trap !== undefined) return shown(one.trap.cause !== other.trap.cause);
  // That one of the modes traps is what makes it privileged. That a CSR decides is a dependence.
  if (one.trap !== undefined || other.trap !== undefined) return shown(kind !== 'mode');
  return shown(differs(one.values, other.values, different));
}

/** Whether two outcomes differ elsewhere than in the place in which the states already did. */
function differs(first: Int32Array, second: Int32Array, different: string): boolean {
  const ignored = PLACE.get(different)!;
  for (let place = 0; place < first.length; place++)
    if (place !== ignored && first[place] !== second[place]) return true;
  return false;
}
