/**
 * How many random programs a law is tried on, and which: few and always the same in the tests, as
 * many as one wants in a campaign (`npm run laws -- COUNT --seed N`).
 */

/** Seeds of campaigns are this far from each other: none meets another's programs. */
const SEEDS_OF_A_CAMPAIGN = 1_000_000;

/** Programs for a law: what the campaign says, else as many as a test has time for. */
export function programs(inTests: number): number {
  return Number(process.env.VMLAB_RUNS ?? inTests);
}

/** The seed that stands for `seed` in this campaign; in the tests it is `seed` itself. */
export function seeded(seed: number): number {
  return seed + SEEDS_OF_A_CAMPAIGN * (Number(process.env.VMLAB_SEED ?? 1) - 1);
}
