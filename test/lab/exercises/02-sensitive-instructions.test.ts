// Lesson 02's exercises: right solutions pass, wrong ones are refuted by a state of the machine.
import { type Experiment, Mode, PRIVILEGED_STATE, type TrialState } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { verdict } from './verdict';

const inUser = (state: TrialState) => ({ ...state, mode: Mode.U as const });

function isPrivileged(one: Experiment, wrong?: string): boolean {
  const trapsIn = (state: TrialState) => {
    const { trap, isMemoryTrap } = one.run(state);
    return isMemoryTrap && wrong !== 'memory' ? undefined : trap !== undefined;
  };
  const inU = one.states.map((state) => trapsIn(inUser(state)));
  const inS = one.states.map((state) => trapsIn(state));
  if (wrong === 'U only') return inU.every((traps) => traps !== false);
  if (wrong === 'some') return inU.some((traps) => traps === true) && inS.every((traps) => traps !== true);
  if (wrong === 'harmless') return one.states.every((state) => isHarmless(one, inUser(state)));
  if (wrong === 'first') return inU[0] !== false && inS[0] !== true;
  return inU.every((traps) => traps !== false) && inS.every((traps) => traps !== true);
}

/** What the misconception says: what does nothing in user mode is safe. */
function isHarmless(one: Experiment, state: TrialState): boolean {
  const { trap, before, after } = one.run(state);
  const changes = Object.keys(after).filter((place) => place !== 'pc' && before[place] !== after[place]);
  return trap !== undefined || changes.length === 0;
}

function isControlSensitive(one: Experiment, wrong?: string): boolean {
  const modes = wrong === 'U only' ? one.states.map(inUser) : [...one.states.map(inUser), ...one.states];
  return (wrong === 'first' ? [one.states[0]] : modes).some((state) => {
    const { trap, before, after } = one.run(state);
    if (trap !== undefined) return wrong === 'traps';
    const places = wrong === 'all places' ? Object.keys(after) : [...PRIVILEGED_STATE];
    if (wrong === 'mode only') return before.mode !== after.mode;
    return places.some((place) => before[place] !== after[place]);
  });
}

function provesBehaviour(one: Experiment, pair: Experiment['pairs'][number], wrong?: string): boolean {
  const [first, second] = pair.states.map((state) => one.run(state));
  if (wrong !== 'memory' && (first.isMemoryTrap || second.isMemoryTrap)) return false;
  if (first.trap && second.trap) return wrong !== 'causes' && first.trap.cause !== second.trap.cause;
  if (first.trap || second.trap) return pair.differsIn !== 'mode' || wrong === 'privilege';
  return Object.keys(first.after).some(
    (place) => (place !== pair.differsIn || wrong === 'itself') && first.after[place] !== second.after[place],
  );
}

function isBehaviourSensitive(one: Experiment, wrong?: string): boolean {
  const pairs = wrong === 'modes only' ? one.pairs.filter(({ kind }) => kind === 'mode') : one.pairs;
  return pairs.some((pair) => provesBehaviour(one, pair, wrong));
}

function witness(one: Experiment, wrong?: string): readonly TrialState[] | undefined {
  if (wrong === 'any') return [one.states[0]];
  if (wrong === 'true') return true as never;
  if (wrong === 'three') return one.states.slice(0, 3);
  if (wrong === 'two things') return [one.states[0], { ...inUser(one.states[0]), csrs: { mie: 0 } }];
  const all = [...one.states.map(inUser), ...one.states];
  const alone = all.find((state) => {
    const { trap, before, after } = one.run(state);
    return trap === undefined && [...PRIVILEGED_STATE].some((place) => before[place] !== after[place]);
  });
  if (alone !== undefined && wrong !== 'pairs only') return [alone];
  return one.pairs.find((pair) => provesBehaviour(one, pair))?.states;
}

const right = {
  '02-privileged': isPrivileged,
  '02-control-sensitive': isControlSensitive,
  '02-behaviour-sensitive': isBehaviourSensitive,
  '02-witness': witness,
};

describe.each(Object.entries(right))('%s', (id, solution) => {
  it('a right solution passes', () => {
    expect(verdict(id, (one: Experiment) => solution(one))).toMatch(/^✓ Right/);
  });

  it.each([
    ['nothing written', () => undefined, /^○ To be solved/],
    ['a number', () => Number.NaN, /^✗[\s\S]*yours is NaN/],
    ['a Promise', async () => true, /^✗[\s\S]*yours is a Promise/],
    [
      'writing to a state',
      (one: Experiment) => Object.assign(one.states[0], { mode: Mode.U }),
      /^✗[\s\S]*threw an error: TypeError/,
    ],
    ['no state', (one: Experiment) => one.run({} as never), /threw an error: TypeError: That is not a state/],
  ])('%s gets a verdict', (_, given, message) => {
    expect(verdict(id, given)).toMatch(message);
  });
});

it.each([
  [
    '02-privileged',
    'U only',
    /`ecall` on the profile `riscv` is not privileged, [\s\S]*in S mode, there is the trap "environment call/,
  ],
  ['02-privileged', 'some', /`rdcycle s1` [\s\S]*not privileged[\s\S]*in U mode, there is no trap/],
  [
    '02-privileged',
    'harmless',
    /`csrsi sstatus, 2` on the profile `x86` is not privileged[\s\S]*no trap[\s\S]*mstatus/,
  ],
  ['02-privileged', 'first', /not privileged/],
  [
    '02-control-sensitive',
    'U only',
    /`csrw stvec, a0` on the profile `riscv` is control-sensitive[\s\S]*stvec +0x40000400 → /,
  ],
  ['02-control-sensitive', 'traps', /is not control-sensitive[\s\S]*It traps there/],
  [
    '02-control-sensitive',
    'all places',
    /`add s1, a0, a1` [\s\S]*What it changes there is pc, s1: no privileged state/,
  ],
  ['02-control-sensitive', 'first', /`csrsi sstatus, 2` [\s\S]*is control-sensitive/],
  ['02-control-sensitive', 'mode only', /`csrw stvec, a0` [\s\S]*is control-sensitive/],
  ['02-behaviour-sensitive', 'memory', /`lw s1, 0\(a0\)` [\s\S]*A memory trap proves nothing/],
  ['02-behaviour-sensitive', 'causes', /`ecall` [\s\S]*is behaviour-sensitive[\s\S]*differ in the mode only/],
  ['02-behaviour-sensitive', 'privilege', /That it traps in one of the modes is what makes it privileged/],
  [
    '02-behaviour-sensitive',
    'itself',
    /`add s1, a0, a1` [\s\S]*The one difference is the one that you began with/,
  ],
  ['02-behaviour-sensitive', 'modes only', /`csrr s1, stvec` [\s\S]*is behaviour-sensitive/],
  [
    '02-witness',
    'any',
    /`csrw stvec, a0` [\s\S]*is (sensitive|innocuous)|`add s1, a0, a1` [\s\S]*is innocuous/,
  ],
  ['02-witness', 'true', /yours is true/],
  ['02-witness', 'three', /an array of 3/],
  ['02-witness', 'two things', /can't be one\. [\s\S]*These differ in: mode, mie/],
  ['02-witness', 'pairs only', /`csrw stvec, a0` [\s\S]*is sensitive, and you found no witness/],
] as const)('%s: %s is refuted', (id, wrong, message) => {
  const solution = right[id] as (one: Experiment, wrong: string) => unknown;
  const text = verdict(id, (one: Experiment) => solution(one, wrong));
  expect(text).toMatch(/^✗ Not yet/);
  expect(text).toMatch(message);
});
