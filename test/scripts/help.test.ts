// Every command of the project tells how it is used, and does nothing else then.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { project } from '../../scripts/places.mjs';

/** Commands of others, whose help is their own. */
const OTHERS = ['test', 'build', 'lint', 'format'];
const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const commands = Object.keys(scripts).filter((name) => !OTHERS.includes(name));

const npm = (...args: string[]) =>
  spawnSync('npm', ['run', '-s', ...args], { cwd: project, encoding: 'utf8' });

it.each(commands)('npm run %s -- --help', (name) => {
  const { status, stdout, stderr } = npm(name, '--', '--help');
  expect({ status, stderr: stderr.replace(/^npm warn.*\n/gm, '') }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^(Usage: )?npm (run )?[\w:]+/);
});

it.each(['laws', 'bench:kernel', 'bench:hypervisor'])('%s wants a whole number', (name) => {
  const { status, stderr } = npm(name, '--', 'many');
  expect(status).toBe(2);
  expect(stderr).toMatch(/wants a whole number from 1 up, and got "many"\.\nUsage: npm run/);
});
