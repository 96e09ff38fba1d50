// The tests run on the library's sources, so that a failing line is a line that one can read.
// Many drive other processes (kernels, browsers, QEMU) on machines that others use too: a failed test gets a second try,
// and `npm test` names each one that needed it.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { 'kernel-lib': new URL('./kernel-lib/index.ts', import.meta.url).pathname } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    retry: 1,
  },
});
