// The command behind `npm test`: setup, linter and type check, vitest, and a last line that a program can read:
// "N passed, N failed, N skipped". The linter counts as one test.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chooseJupyter } from './jupyter-choice.mjs';
import { logs, nodeModules, project } from './places.mjs';
import { fail, SIGNALS, say } from './report.mjs';
import { clearAbandonedRuns } from './server.mjs';
import { alone, buildLibrary, installPackages, writeKernelSpec } from './setup.mjs';

/** @typedef {{ name: string, reason: string }} Named */
/** @typedef {{ passed: number, failed: number, secondTry: Named[], skipped: Named[] }} Tally */

/** @param {string[]} args - go to vitest: a part of a file's path, -t NAME, … */
export async function runTests(args) {
  try {
    say('vmlab: what the tests need');
    const jupyter = await alone(async () => {
      clearAbandonedRuns();
      await installPackages();
      await buildLibrary();
      const chosen = await chooseJupyter('', executesNotebooks);
      writeKernelSpec();
      return chosen;
    });
    say('\nLinter and type check (npm run lint)');
    const lint = await run(join(nodeModules, '@biomejs/biome/bin/biome'), ['check', '.'], {});
    const types = await run(join(nodeModules, 'typescript/bin/tsc'), [], {});
    const lintPassed = lint === 0 && types === 0;
    say(lintPassed ? '  nothing to complain about\n' : '  failed, see above\n');
    const { code, tally } = await runVitest(args, jupyter.python ?? '');
    const passed = tally.passed + (lintPassed ? 1 : 0);
    const failed = tally.failed + (lintPassed ? 0 : 1);
    for (const { name, reason } of tally.skipped) say(`skipped: ${name}\n         ${reason}`);
    for (const { name, reason } of tally.secondTry)
      say(`passed at the second try only: ${name}\n         ${reason}`);
    if (!lintPassed) say('failed: the linter or the type check, see above');
    say(`\n${passed} passed, ${failed} failed, ${tally.skipped.length} skipped`);
    process.exit(code || (failed > 0 ? 1 : 0));
  } catch (error) {
    fail(error);
  }
}

/**
 * Whether an environment's own JupyterLab brings what the tests execute notebooks with.
 * @param {import('./jupyter-choice.mjs').Jupyter} jupyter
 */
function executesNotebooks({ python }) {
  return python !== undefined && spawnSync(python, ['-c', 'import nbclient, nbformat']).status === 0;
}

/**
 * @param {string[]} args
 * @param {string} python - of the JupyterLab that the tests use
 * @returns {Promise<{ code: number, tally: Tally }>}
 */
async function runVitest(args, python) {
  const file = join(logs, 'tally.json');
  mkdirSync(logs, { recursive: true });
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=./scripts/tally.mjs'];
  const code = await run(join(nodeModules, 'vitest/vitest.mjs'), ['run', ...reporters, ...args], {
    VMLAB_TALLY: file,
    VMLAB_PYTHON: python,
  });
  const nothing = { passed: 0, failed: code === 0 ? 0 : 1, secondTry: [], skipped: [] };
  return { code, tally: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : nothing };
}

/**
 * Runs a script of an installed package with our Node, its output being ours.
 * @param {string} script
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<number>} exit code
 */
function run(script, args, env) {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: project,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, pass);
  return new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('exit', (code) => {
      for (const signal of SIGNALS) process.off(signal, pass);
      resolve(code ?? 1);
    });
  });
}
