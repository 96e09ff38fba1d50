// The guests under every technique: what they leave behind is what they leave behind on the bare
// machine, to the last byte and register.
import { guest } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { onBareMachine, TECHNIQUE_NAMES, under, unlike } from '../hypervisor/equivalence';
import { EXPECTED } from './expected';

const ENOUGH = 50_000_000;

describe.each(Object.keys(EXPECTED))('%s', (name) => {
  const program = guest(name);
  const bare = onBareMachine(program, ENOUGH);

  it.each(TECHNIQUE_NAMES)('leaves under %s what it leaves on the bare machine', (technique) => {
    expect(bare.console).toBe(EXPECTED[name].console);
    expect(unlike(bare, under(technique, program, ENOUGH))).toEqual([]);
  });
});

describe('nano-os with very short slices', () => {
  // It is preempted at other places than on the bare machine, and far more often.
  const program = guest('nano-os', { SLICE: 20, FORKS: 2, SECTIONS: 20, NAP: 30_000 });
  const bare = onBareMachine(program, ENOUGH);

  it.each(TECHNIQUE_NAMES)('leaves the same under %s', (technique) => {
    expect(bare.console).toContain('self-check passed');
    expect(unlike(bare, under(technique, program, ENOUGH))).toEqual([]);
  });
});
