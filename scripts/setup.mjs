// What has to be there before a lesson or a test runs: npm packages, the built library, a JupyterLab, the
// kernel spec. Each part has a stamp, a file with the hash of what the part was made from, which is written
// last: a part without its stamp, or with another one, is made anew, so an interrupted install is never
// taken for a complete one. A second process waits for the first at the lock.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  built,
  jupyter,
  jupyterData,
  kernel,
  library,
  nodeModules,
  project,
  requirements,
  venv,
  venvPython,
} from './places.mjs';
import { findPython } from './python.mjs';
import { say, step } from './report.mjs';

const STAMP = '.vmlab-stamp';

/** @param {string[]} parts - file contents and other facts that a part depends on */
function hash(parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex');
}

/** @param {string} path */
const read = (path) => readFileSync(path, 'utf8');

/**
 * Makes a part where its stamp is missing or other than it should be.
 * @param {string} folder - what is made; the stamp lies in it
 * @param {string} wanted - hash of what it is made from
 * @param {() => Promise<void>} make
 * @returns {Promise<boolean>} whether it had to be made
 */
async function ensure(folder, wanted, make) {
  const stamp = join(folder, STAMP);
  if (existsSync(stamp) && read(stamp) === wanted) return false;
  rmSync(stamp, { force: true });
  await make();
  writeFileSync(stamp, wanted);
  return true;
}

/**
 * npm packages, exactly as package-lock.json has them.
 * @returns {Promise<boolean>}
 */
export function installPackages() {
  const lock = read(join(project, 'package-lock.json'));
  const platform = `${process.platform}-${process.arch}-${process.versions.modules}`;
  return ensure(nodeModules, hash([lock, platform]), async () => {
    await npmStep('npm packages', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      env: npmCache(),
      onFailure: () => '  npm’s own settings apply (registry, proxy): npm config list shows them.\n',
    });
  });
}

/**
 * A step that npm does: the npm that started us, or the one on the PATH.
 * @param {string} title
 * @param {string[]} args
 * @param {Parameters<typeof step>[3]} [options]
 */
function npmStep(title, args, options) {
  const npm = process.env.npm_execpath ?? '';
  if (/npm-cli\.c?js$/.test(npm)) return step(title, process.execPath, [npm, ...args], options);
  return step(title, 'npm', args, { ...options, shell: process.platform === 'win32' });
}

/** A download cache that is there is used; a new one is not made outside the project. */
function npmCache() {
  const usual = process.env.npm_config_cache ?? join(homedir(), '.npm');
  return existsSync(join(usual, '_cacache')) ? {} : { npm_config_cache: join(jupyter, 'cache', 'npm') };
}

/**
 * What a workspace is built from.
 * @param {string} folder
 */
function sourcesOf(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/^(dist|node_modules)\b/.test(name) && /\.(ts|s|json)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * The library and the kernel, built into kernel-lib/dist and kernel/dist where their sources have changed since.
 * @returns {Promise<boolean>}
 */
export async function buildLibrary() {
  const configs = ['package-lock.json', 'package.json', 'tsconfig.base.json', 'scripts/copy-guests.mjs'];
  const inputs = [...configs.map((name) => join(project, name)), ...sourcesOf(library), ...sourcesOf(kernel)];
  const kernelBuilt = join(kernel, 'dist');
  if (!existsSync(join(kernelBuilt, 'main.js'))) rmSync(join(built, STAMP), { force: true });
  const wasThere = existsSync(join(built, STAMP));
  // Without a stamp we don't know what is in dist; the compiler would trust its own note there.
  if (!wasThere) for (const folder of [built, kernelBuilt]) rmSync(folder, { recursive: true, force: true });
  const made = await ensure(
    built,
    hash(inputs.flatMap((path) => [path.slice(project.length), read(path)])),
    async () => {
      await npmStep('library and kernel', ['run', 'build']);
    },
  );
  if (made && wasThere) say('  (the library has changed: restart kernels that are already running)');
  return made;
}

/**
 * The local .venv with the pinned JupyterLab.
 * @returns {Promise<boolean>}
 */
export function makeVenv() {
  // A virtual environment holds absolute paths: it does not survive being moved with the folder.
  const wanted = hash([venv, ...requirements.map(read)]);
  const works = existsSync(venvPython) && spawnSync(venvPython, ['-c', 'pass']).status === 0;
  if (!works) rmSync(join(venv, STAMP), { force: true });
  return ensure(venv, wanted, async () => {
    const python = findPython();
    rmSync(venv, { recursive: true, force: true });
    const [command, ...args] = python.command;
    await step(`Python ${python.version.join('.')} venv`, command, [...args, '-m', 'venv', venv]);
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--progress-bar=off'];
    await step('JupyterLab packages', venvPython, [...pip, '-r', requirements[0]], {
      env: pipCache(),
      onFailure: (output) =>
        /No matching distribution|Could not find a version/.test(output)
          ? '  The package index in use does not have one of the pinned versions (scripts/constraints.txt).\n' +
            '  Which index pip uses: .venv/bin/python -m pip config list, and the variables PIP_INDEX_URL, PIP_FIND_LINKS.\n'
          : '  pip’s own settings apply (index, proxy, timeout): python3 -m pip config list shows them.\n',
    });
  });
}

/** As for npm: pip's cache is used where there is one. */
function pipCache() {
  const answer = spawnSync(venvPython, ['-m', 'pip', 'cache', 'dir'], { encoding: 'utf8' });
  return answer.status === 0 && existsSync(answer.stdout.trim()) ? {} : { PIP_NO_CACHE_DIR: '1' };
}

/**
 * Writes the kernel specs, ours and plain tslab's, with absolute paths, so that no PATH matters: for the JupyterLab that
 * we start, and into the local .venv, where VS Code finds them (it looks into the Python environments of its workspace).
 * Ours is asked from the built kernel: build first. Makes no .venv.
 */
export function writeKernelSpec() {
  /** @type {typeof import('../kernel/spec.ts')} */
  const ours = createRequire(import.meta.url)(join(kernel, 'dist', 'spec.js'));
  writeSpec(ours.KERNEL_NAME, ours.kernelSpec());
  writeSpec('tslab', {
    argv: [
      process.execPath,
      join(nodeModules, 'tslab/bin/tslab'),
      'kernel',
      '--config-path={connection_file}',
    ],
    display_name: 'TypeScript (tslab)',
    language: 'typescript',
  });
}

/**
 * @param {string} name
 * @param {object} spec
 */
function writeSpec(name, spec) {
  const places = [jupyterData, ...(existsSync(venv) ? [join(venv, 'share', 'jupyter')] : [])];
  for (const place of places) {
    write(join(place, 'kernels', name, 'kernel.json'), `${JSON.stringify(spec, null, 2)}\n`);
  }
}

/**
 * Writes a file where its content is another one.
 * @param {string} path
 * @param {string} content
 */
export function write(path, content) {
  if (existsSync(path) && read(path) === content) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/**
 * Runs `work` while no other process of this project sets anything up.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function alone(work) {
  const lock = join(jupyter, 'setup.lock');
  mkdirSync(jupyter, { recursive: true });
  for (let waited = 0; ; waited++) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    const holder = existsSync(lock) ? Number(read(lock)) : 0;
    if (holder && !isRunning(holder)) rmSync(lock, { force: true });
    else if (waited === 4)
      say(
        `  waiting for another npm start or npm test (process ${holder}) to finish its setup; if there is none, delete .jupyter/setup.lock …`,
      );
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const release = () => rmSync(lock, { force: true });
  process.on('exit', release);
  try {
    return await work();
  } finally {
    release();
    process.off('exit', release);
  }
}

/** @param {number} pid */
export function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
