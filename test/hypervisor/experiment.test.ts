// experiment(): what a learner can try by hand agrees with what the classifier finds, on every profile.
import { classify, experiment, Mode, PRIVILEGED_STATE, PROFILES, type ProfileName, show } from 'kernel-lib';
import { describe, expect, it, vi } from 'vitest';
import { proves } from '../../kernel-lib/hypervisor/classify/experiment';
import { encodings } from '../../kernel-lib/hypervisor/classify/subjects';

const inUser = <T extends object>(state: T) => ({ ...state, mode: Mode.U as const });

describe.each(Object.keys(PROFILES) as ProfileName[])('on %s', (profile) => {
  const { findings } = classify(profile);

  it('finds every instruction and CSR access sensitive that the classifier does, and no other', {
    timeout: 120_000,
  }, () => {
    const wrong: string[] = [];
    for (const { subject, name, witnesses } of findings) {
      if (subject.kind !== 'instruction' && subject.kind !== 'csr') continue;
      const tried = encodings(subject).map((word) => experiment(Number(word), profile));
      const control = tried.some((one) =>
        one.states.some((state) => proves(one, state) ?? proves(one, inUser(state))),
      );
      const behaviour = tried.some((one) => one.pairs.some(({ states }) => proves(one, ...states)));
      const wanted = witnesses.mode ?? witnesses.configuration ?? witnesses.location;
      if (control !== (witnesses.control !== undefined)) wrong.push(`${name}: control ${control}`);
      if (behaviour !== (wanted !== undefined)) wrong.push(`${name}: behaviour ${behaviour}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('a run', () => {
  const popf = experiment('csrsi sstatus, 2', 'x86');
  const [state] = popf.states.filter(({ csrs }) => (csrs.mstatus ?? 0) !== 0);

  it('tells places before and after, and the trap', () => {
    const supervisor = popf.run(state);
    expect(supervisor.after.mstatus & ~supervisor.before.mstatus).toBe(2);
    expect(supervisor.trap).toBeUndefined();
    const user = popf.run(inUser(state));
    expect(user.after.mstatus).toBe(user.before.mstatus);
    expect(user.trap).toBeUndefined();
    expect(experiment('csrsi sstatus, 2').run(inUser(state)).trap?.cause).toBe(2);
    expect([...PRIVILEGED_STATE]).toContain('mode');
  });

  it('leaves the state as it was, which nobody may write to', () => {
    expect(() => Object.assign(state, { mode: Mode.U })).toThrow(TypeError);
    const first = popf.run(state).after;
    expect(popf.run(state).after).toEqual(first);
  });

  it('tells memory traps from others', () => {
    const load = experiment('lw s1, 0(a0)');
    const trials = load.states.map((one) => load.run(inUser(one)));
    expect(trials.some(({ trap, isMemoryTrap }) => trap !== undefined && isMemoryTrap)).toBe(true);
    expect(experiment('ecall').run(state).isMemoryTrap).toBe(false);
  });

  it('is shown side by side, what changed only', () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    show(popf.inStates(state, inUser(state)));
    const text = log.mock.calls.join('\n');
    log.mockRestore();
    expect(text).toMatch(/^csrsi sstatus, 2 on the profile "x86"\n +place +in S mode +in U mode/);
    expect(text).toMatch(/mstatus +0x00040100 → 0x00040102 +● 0x00040100/);
  });
});

describe('mistakes', () => {
  const one = experiment('sret');
  it.each([
    ['two instructions', () => experiment('nop\nnop'), /makes 8 bytes\. Give one instruction/],
    ['no instruction', () => experiment(''), /makes 0 bytes/],
    ['no instruction', () => experiment(0), /not an instruction/],
    ['a bad mnemonic', () => experiment('popf'), /popf/],
    ['no profile', () => experiment('sret', 'vax' as never), /no profile "vax"/],
    ['no state', () => one.run(undefined as never), /That is not a state/],
    ['a state of M mode', () => one.run({ ...one.states[0], mode: Mode.M } as never), /not a state/],
    ['no such CSR', () => one.run({ ...one.states[0], csrs: { flags: 1 } }), /no CSR "flags"/],
    ['a pair of equals', () => proves(one, one.states[0], one.states[0]), /These differ in: nothing/],
    [
      'a pair with two differences',
      () => proves(one, one.states[0], { ...one.states[0], mode: Mode.U, csrs: { mie: 0 } }),
      /These differ in: mode, mie/,
    ],
    ['other registers', () => proves(one, one.states[0], { ...one.states[0], x: {} }), /These differ in: x/],
  ])('%s', (_, use, message) => {
    expect(use).toThrow(message);
  });
});
