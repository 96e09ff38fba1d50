// Finding a Python that can make a virtual environment for the pinned JupyterLab.
import { spawnSync } from 'node:child_process';
import { Problem } from './report.mjs';

/** The oldest minor version of Python 3 that the JupyterLab of requirements.txt runs on. */
const OLDEST_MINOR = 10;

/** Prints what we need to know about an interpreter, as JSON, on any Python from 2.7 on. */
const PROBE = `
import json, sys
missing = ""
try:
    import venv, ensurepip
except ImportError as error:
    missing = str(error)
print(json.dumps({"version": list(sys.version_info[:3]), "executable": sys.executable, "missing": missing}))
`;

/** @typedef {{ command: string[], version: number[], executable: string, missing: string }} Python */

/** @returns {string[][]} commands that may start a Python 3, the usual ones first */
function candidates() {
  const numbered = [14, 13, 12, 11, 10].map((minor) => [`python3.${minor}`]);
  return process.platform === 'win32'
    ? [['py', '-3'], ['python'], ['python3']]
    : [['python3'], ['python'], ...numbered];
}

/**
 * @param {string[]} command
 * @returns {Python | undefined} undefined where the command starts no Python
 */
function probe(command) {
  const answer = spawnSync(command[0], [...command.slice(1), '-c', PROBE], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (answer.status !== 0) return undefined;
  try {
    return { command, ...JSON.parse(answer.stdout) };
  } catch {
    return undefined;
  }
}

/** @param {Python} python */
const newEnough = (python) => python.version[0] === 3 && python.version[1] >= OLDEST_MINOR;

/**
 * The first Python on the PATH that is new enough and has the venv module.
 * @returns {Python}
 * @throws {Problem} that says what is missing and how to get it
 */
export function findPython() {
  const found = [];
  for (const command of candidates()) {
    const python = probe(command);
    if (!python) continue;
    if (newEnough(python) && !python.missing) return python;
    found.push(python);
  }
  throw new Problem(whatIsMissing(found));
}

/**
 * @param {Python[]} found - those that won't do, at least in one respect
 * @returns {string}
 */
function whatIsMissing(found) {
  const withoutVenv = found.find(newEnough);
  if (withoutVenv) {
    const version = withoutVenv.version.slice(0, 2).join('.');
    return (
      `Python ${version} is here (${withoutVenv.executable}), but not its venv module: ${withoutVenv.missing}.\n` +
      `  On Debian and Ubuntu: sudo apt install python${version}-venv (or python3-venv), then run this again.`
    );
  }
  const wanted = `Python 3.${OLDEST_MINOR} or later, with its venv module`;
  if (found.length > 0) {
    const versions = found.map((python) => `${python.version.join('.')} (${python.executable})`);
    return (
      `Python is too old for JupyterLab: found ${versions.join(', ')}; needed: ${wanted}.\n` +
      '  Install a newer one (https://www.python.org/downloads/, or your system’s packages) and put it on the PATH.'
    );
  }
  return (
    `No Python found on the PATH. JupyterLab needs ${wanted}.\n` +
    '  Debian and Ubuntu: sudo apt install python3 python3-venv\n' +
    '  Fedora: sudo dnf install python3    macOS: brew install python\n' +
    '  Windows, and all others: https://www.python.org/downloads/'
  );
}
