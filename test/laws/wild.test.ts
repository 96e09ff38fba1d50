// Nothing that a guest does throws or hangs, and a snapshot at any moment changes nothing.
import { describe, expect, it } from 'vitest';
import { ENGINES, type EngineName } from '../../kernel-lib/engine/create';
import { randomNumbers } from '../../kernel-lib/lab/random';
import { programs, seeded } from './campaign';
import { pokeDevices, wildMachine } from './wild';

const RUNS = programs(400);
const SEED = seeded(1);
const BUDGET = 300;

describe.each(Object.keys(ENGINES) as EngineName[])('machines in wild states, %s', (engine) => {
  it(`${RUNS} of them end each run with a reason`, () => {
    for (let run = 0; run < RUNS; run++) {
      const random = randomNumbers(SEED + run);
      const machine = wildMachine(random, engine);
      for (let round = 0; round < 3; round++) {
        const { message, instructions } = machine.run({ instructions: BUDGET });
        expect(message.length).toBeGreaterThan(10);
        expect(instructions).toBeLessThanOrEqual(BUDGET);
        expect(machine.hart.x[0]).toBe(0);
        pokeDevices(machine, random, 10);
      }
    }
  });

  it(`${RUNS / 10} of them go on from a snapshot as if nothing had been`, () => {
    for (let run = 0; run < RUNS / 10; run++) {
      const before = randomNumbers(SEED + run).below(BUDGET);
      const [one, other] = [0, 1].map(() => wildMachine(randomNumbers(SEED + run), engine));
      one.run({ instructions: before });
      const snapshot = one.snapshot();
      // The other has gone elsewhere meanwhile, and comes back.
      other.run({ instructions: before + 17 });
      other.restore(snapshot);
      expect(Buffer.compare(other.snapshot(), snapshot)).toBe(0);
      const [ended, alsoEnded] = [one, other].map((machine) => machine.run({ instructions: BUDGET }));
      expect(alsoEnded).toEqual(ended);
      expect(Buffer.compare(one.snapshot(), other.snapshot())).toBe(0);
    }
  });
});
