// Random guests that use paging: whatever they do with their page tables, SUM, MXR, user mode and
// address spaces, each technique shows them what the bare machine would. A guest that fails is
// shrunk: what is printed is the shortest list of steps that still differs.
import { expect, it } from 'vitest';
import { randomNumbers } from '../../kernel-lib/lab/random';
import {
  firstStepThatDiffers,
  onBareMachine,
  TECHNIQUE_NAMES,
  under,
  unlike,
} from '../hypervisor/equivalence';
import { programs, seeded } from './campaign';
import { program, randomSteps } from './paging-guests';
import { shrink } from './shrink';

const RUNS = programs(500) / 2;
const BUDGET = 5_000;
const RAM = 2 ** 23;
function wrongWith(technique: (typeof TECHNIQUE_NAMES)[number], steps: readonly string[]): string[] {
  const image = program(steps);
  const bare = onBareMachine(image, BUDGET, RAM);
  if (bare.reason === 'budget') return [];
  return unlike(bare, under(technique, image, 10 * BUDGET, RAM));
}

it(`${RUNS} random guests with paging run in a VM as on the bare machine`, () => {
  const random = randomNumbers(seeded(17));
  const reasons = new Map<string, number>();
  for (let run = 0; run < RUNS; run++) {
    const steps = randomSteps(random);
    const technique = TECHNIQUE_NAMES[run % TECHNIQUE_NAMES.length];
    const { reason } = onBareMachine(program(steps), BUDGET, RAM);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    if (wrongWith(technique, steps).length === 0) continue;
    const shortest = shrink(steps, (fewer) => wrongWith(technique, fewer).length > 0);
    const wrong = wrongWith(technique, shortest).join('; ');
    const first = firstStepThatDiffers(technique, program(shortest), BUDGET, RAM);
    throw new Error(`${technique}, guest ${run}: ${wrong}\n${first}\n${shortest.join('\n----\n')}`);
  }
  expect(reasons.get('finished')).toBeGreaterThan(RUNS / 2);
});
