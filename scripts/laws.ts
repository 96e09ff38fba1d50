/**
 * `npm run laws -- COUNT`: the laws in test/laws on COUNT random programs each, with other random
 * numbers than in the tests if `--seed N` is given.
 */
import { spawnSync } from 'node:child_process';
import { commandLine, wholeNumber } from './command-line';

const USAGE =
  'Usage: npm run laws -- [COUNT] [--seed N]      10000 programs for each law, and seed 1, if left out';
/** What the slowest programs take, in ms, and what a short campaign may take at least. */
const PATIENCE_MS = { program: 3_000, least: 600_000 };

const { values, positionals } = commandLine(
  { allowPositionals: true, options: { seed: { type: 'string', default: '1' } } },
  USAGE,
);
const count = wholeNumber('COUNT', positionals[0] ?? '10000', 1, USAGE);
const seed = wholeNumber('seed', values.seed, 0, USAGE);
const timeout = String(Math.max(PATIENCE_MS.least, PATIENCE_MS.program * count));
const { status } = spawnSync(
  'npx',
  ['vitest', 'run', 'test/laws', '--testTimeout', timeout, '--retry', '0'],
  { stdio: 'inherit', env: { ...process.env, VMLAB_RUNS: String(count), VMLAB_SEED: String(seed) } },
);
process.exit(status ?? 1);
