// Jupyter's own tests for kernels. What they skip is named here: a pager is IPython's.
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { project } from '../../scripts/places.mjs';
import { preparePython, runPython, scratch } from './python';

let problem = '';
beforeAll(async () => {
  problem = await preparePython();
}, 600_000);

it('passes jupyter_kernel_test', (context) => {
  if (problem) context.skip(problem);
  const { folder, remove } = scratch();
  const script = join(project, 'test/kernel/kernel_tests.py');
  const { status, stderr } = runPython('python', [script, '--verbose'], folder);
  remove();
  expect(stderr).toMatch(/^OK \(skipped=1\)$/m);
  expect(stderr).toMatch(/test_pager .*skipped/);
  expect(status).toBe(0);
});
