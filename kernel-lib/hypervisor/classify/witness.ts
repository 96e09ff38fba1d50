/**
 * Witnesses: a proof that an instruction is sensitive, to look at and to run again.
 *
 * A witness is plain data: what was executed, in which one or two states, and what each place held
 * before and after. `replay` runs it on a new machine; `witnessRows` has the two states side by
 * side, those places only in which they differ or something changed. Read `evidence.ts` first.
 */
import { type Profile, type ProfileName, profileOf } from '../../isa/profiles';
import { Mode } from '../../isa/registers';
import type { Trap } from '../../machine/trap';
import type { Evidence, EvidenceKind } from './evidence';
import { Laboratory, PLACES, type TrialState, type Tried, triedText } from './trial';

/** Place -> value: `pc`, `mode`, registers and CSRs by name, words of memory. int32. */
export type Places = Record<string, number>;

/** One of the states, and what became of it. */
export interface WitnessSide {
  /** `in U mode`, `with mstatus = 0x00040100`. */
  title: string;
  state: TrialState;
  before: Places;
  after: Places;
  /** The trap that came of it, if any. */
  trap: Trap | undefined;
}

export interface Witness {
  kind: EvidenceKind;
  profile: Profile;
  /** The instruction word, or `fetch`. */
  tried: Tried;
  /** The instruction in assembly. */
  text: string;
  sides: WitnessSide[];
}

/** A line of the table of a witness: a place, and per side its value before and after. */
export interface WitnessRow {
  place: string;
  sides: { before: number; after: number }[];
}

/** What the evidence of a laboratory looks like. */
export function witnessOf(laboratory: Laboratory, { kind, tried, states }: Evidence): Witness {
  const sides = sidesOf(laboratory, tried, states);
  return { kind, profile: laboratory.profile, tried, text: triedText(tried), sides };
}

/** What comes of trying something in some states. */
export function sidesOf(laboratory: Laboratory, tried: Tried, states: readonly TrialState[]): WitnessSide[] {
  return states.map((state) => {
    const before = placesOf(laboratory.before(state));
    const { values, trap } = laboratory.try(tried, state);
    return { title: titleOf(state, states), state, before, after: placesOf(values), trap };
  });
}

/**
 * Runs a witness again, on a new machine: the same witness comes of it, if it tells the truth.
 * @param profile another profile to run it on; its own if left out
 * @throws if there is no such profile
 */
export function replay(witness: Witness, profile: ProfileName | Profile = witness.profile): Witness {
  const { kind, tried, sides } = witness;
  const laboratory = new Laboratory(profileOf(profile));
  return witnessOf(laboratory, { kind, tried, states: sides.map(({ state }) => state) });
}

/** The places of a witness that matter: where its sides differ, and where something changed. */
export function witnessRows({ sides }: Pick<Witness, 'sides'>): WitnessRow[] {
  const [first] = sides;
  return PLACES.filter((place) =>
    sides.some(
      ({ before, after }) =>
        before[place] !== after[place] ||
        before[place] !== first.before[place] ||
        after[place] !== first.after[place],
    ),
  ).map((place) => ({
    place,
    sides: sides.map(({ before, after }) => ({ before: before[place], after: after[place] })),
  }));
}

/** The values of an outcome by the names of their places. */
export function placesOf(values: Int32Array): Places {
  const places: Places = {};
  for (let n = 0; n < PLACES.length; n++) places[PLACES[n]] = values[n];
  return places;
}

/** What a state is, as against the others of its witness. */
function titleOf(state: TrialState, all: readonly TrialState[]): string {
  const mode = `in ${Mode[state.mode]} mode`;
  const other = all.find((candidate) => candidate !== state);
  if (other === undefined || other.mode !== state.mode) return mode;
  if (other.isMoved !== state.isMoved) return `${mode}, memory ${state.isMoved ? 'moved' : 'as it is'}`;
  const csrs = [...new Set([...Object.keys(state.csrs), ...Object.keys(other.csrs)])];
  const differing = csrs.find((csr) => state.csrs[csr] !== other.csrs[csr]);
  const isFlipped = state === all[1];
  return differing === undefined ? mode : `${mode}, ${differing} ${isFlipped ? 'changed' : 'as it is'}`;
}
