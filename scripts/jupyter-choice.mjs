// Which JupyterLab to run: one that is named, one that the environment has on its PATH, or the local .venv's.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, delimiter, join, resolve, sep } from 'node:path';
import { venv, venvPython } from './places.mjs';
import { Problem, say } from './report.mjs';
import { makeVenv } from './setup.mjs';

/** @typedef {{ command: string[], python: string | undefined, where: string }} Jupyter
 *  `command` starts JupyterLab; `python` is the interpreter it belongs to, where that is known. */

const MAJOR = 4;
const suffix = process.platform === 'win32' ? '.exe' : '';

/**
 * Chooses a JupyterLab, and sets up the local one where that is the choice.
 *
 * @param {string} wish - '' (the environment's own if it has a JupyterLab 4, else the local one), 'local',
 *   'path' (the environment's own, or an error), or the path of a jupyter, a jupyter-lab, a Python or an environment
 * @param {(jupyter: Jupyter) => boolean} [willDo] - asked about the environment's own where nothing was wished
 * @returns {Promise<Jupyter>}
 * @throws {Problem} if what was wished for is not there, or not a JupyterLab 4
 */
export async function chooseJupyter(wish, willDo = () => true) {
  if (wish === '' || wish === 'path') {
    const own = onPath(wish === 'path');
    if (own && willDo(own)) return own;
  } else if (wish !== 'local') {
    return named(resolve(wish));
  }
  await makeVenv();
  return { command: [venvPython, '-m', 'jupyterlab'], python: venvPython, where: 'the local .venv' };
}

/**
 * @param {boolean} insist - whether its absence is a problem
 * @returns {Jupyter | undefined}
 */
function onPath(insist) {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder && !folder.startsWith(venv + sep));
  const program = folders
    .map((folder) => join(folder, `jupyter-lab${suffix}`))
    .find((path) => existsSync(path));
  if (!program) {
    if (insist)
      throw new Problem(
        '--jupyter=path: there is no jupyter-lab on the PATH.\n  Leave the option away to use the local one.',
      );
    return undefined;
  }
  const { version, complaint } = versionOf([program]);
  if (!complaint) {
    say(
      `  JupyterLab ${version} of this environment is used: ${program} (--jupyter=local insists on our own)`,
    );
    return { command: [program], python: pythonOf(program), where: program };
  }
  if (insist) throw new Problem(`--jupyter=path: ${program} ${complaint}.`);
  say(`  ${program} is ignored: it ${complaint}.`);
  return undefined;
}

/**
 * @param {string} path
 * @returns {Jupyter}
 */
function named(path) {
  if (!existsSync(path)) throw new Problem(`--jupyter: there is nothing at ${path}.`);
  let program = path;
  if (statSync(path).isDirectory()) {
    const inside = ['', 'bin', 'Scripts'].map((folder) => join(path, folder, `jupyter-lab${suffix}`));
    const found = inside.find((file) => existsSync(file));
    if (!found) throw new Problem(`--jupyter: no jupyter-lab in ${path}, nor in its bin folder.`);
    program = found;
  }
  const isPython = /^python/.test(basename(program));
  const command = isPython
    ? [program, '-m', 'jupyterlab']
    : basename(program, suffix) === 'jupyter'
      ? [program, 'lab']
      : [program];
  const { version, complaint } = versionOf(command);
  if (complaint)
    throw new Problem(`--jupyter: ${path} ${complaint}.\n  Leave the option away to use the local one.`);
  say(`  JupyterLab ${version} is used, as asked: ${path}`);
  return { command, python: isPython ? program : pythonOf(program), where: path };
}

/**
 * @param {string[]} command - what starts a JupyterLab
 * @returns {{ version: string, complaint: string }} complaint: '' or why it won't do, as a verb phrase
 */
function versionOf(command) {
  const answer = spawnSync(command[0], [...command.slice(1), '--version'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  const version = /^\d+\.\d+\S*$/m.exec(answer.stdout ?? '')?.[0] ?? '';
  if (answer.status !== 0 || !version) {
    const reason = answer.error?.message ?? answer.stderr.trim().split('\n').at(-1) ?? '';
    return { version, complaint: `does not work (${reason || `exit code ${answer.status}`})` };
  }
  if (Number.parseInt(version, 10) !== MAJOR)
    return { version, complaint: `is JupyterLab ${version}, not ${MAJOR}` };
  return { version, complaint: '' };
}

/**
 * The interpreter that a Python program names in its first lines.
 * @param {string} program
 * @returns {string | undefined}
 */
function pythonOf(program) {
  const head = readFileSync(program, 'latin1').slice(0, 1000);
  // Either `#!/path/python`, or, where that would be too long, `#!/bin/sh` and `'''exec' "/path/python" …`.
  const path = (/^#!(\S*python\S*)\s*$/m.exec(head) ?? /^'''exec' "?([^"\n]*?python[\w.]*)/m.exec(head))?.[1];
  return path && existsSync(path) ? path : undefined;
}
