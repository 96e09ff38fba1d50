// A reporter for vitest that counts: how many tests passed and failed, which needed a second try, and which were
// skipped, and why.
// A test gives its reason with `context.skip('reason')`.
import { writeFileSync } from 'node:fs';

export default class TallyReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.VMLAB_TALLY;
    if (!file) return;
    /** @type {import('./run-tests.mjs').Tally} */
    const tally = { passed: 0, failed: unhandledErrors.length, secondTry: [], skipped: [] };
    for (const module of modules) {
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const result = test.result();
        const name = `${module.relativeModuleId} > ${test.fullName}`;
        if (test.diagnostic()?.flaky) {
          tally.secondTry.push({ name, reason: result.errors?.[0]?.message ?? 'no reason was given' });
        }
        if (result.state === 'passed') tally.passed++;
        else if (result.state === 'failed') failedTests++;
        else {
          const reason = (result.state === 'skipped' && result.note) || 'no reason was given';
          tally.skipped.push({ name, reason });
        }
      }
      // A file that can't be loaded, or a hook that fails, is a failure without a failed test.
      tally.failed += failedTests || (module.state() === 'failed' ? 1 : 0);
    }
    writeFileSync(file, JSON.stringify(tally));
  }
}
