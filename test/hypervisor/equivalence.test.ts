// Equivalence: every guest leaves under every technique what it leaves on the bare machine.
import { guest } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { EXPECTED } from '../guests/expected';
import { onBareMachine, TECHNIQUE_NAMES, under, unlike } from './equivalence';

const BUDGET = 20_000_000;

describe.each(Object.keys(EXPECTED))('%s', (name) => {
  const program = guest(name);
  const bare = onBareMachine(program, BUDGET);

  it.each(TECHNIQUE_NAMES)('leaves under "%s" what it leaves on the bare machine', (technique) => {
    expect(bare.reason).toBe('finished');
    expect(unlike(bare, under(technique, program, BUDGET))).toEqual([]);
  });
});
