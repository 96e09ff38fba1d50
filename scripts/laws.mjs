// `npm run laws -- COUNT`: the laws in test/laws on COUNT random programs each (10,000 if left out),
// with other random numbers than in the tests if `--seed N` is given.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' } },
});
const count = Number(positionals[0] ?? 10_000);
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(Number(values.seed))) {
  console.error('Give the number of programs, a whole number: npm run laws -- 10000 [--seed 7]');
  process.exit(2);
}
const patience = String(Math.max(600_000, 100 * count));
const { status } = spawnSync(
  'npx',
  ['vitest', 'run', 'test/laws', '--testTimeout', patience, '--retry', '0'],
  {
    stdio: 'inherit',
    env: { ...process.env, VMLAB_RUNS: String(count), VMLAB_SEED: values.seed },
  },
);
process.exit(status ?? 1);
