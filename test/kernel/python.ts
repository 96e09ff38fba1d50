// A Python with other people's Jupyter clients and graders, for the tests of the kernel and of the lessons: a virtual
// environment of its own under .jupyter, made at first use from requirements.txt.
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jupyter, kernel, project } from '../../scripts/places.mjs';
import { findPython } from '../../scripts/python.mjs';
import { alone } from '../../scripts/setup.mjs';

const requirements = join(project, 'test/kernel/requirements.txt');
const environment = join(jupyter, 'kernel-tests');
const bin = join(environment, 'bin');

/** Makes the environment if it isn't there. @returns why it can't be made, or '' */
export function preparePython(): Promise<string> {
  return alone(makeEnvironment);
}

async function makeEnvironment(): Promise<string> {
  const wanted = createHash('sha256').update(environment).update(readFileSync(requirements)).digest('hex');
  const stamp = join(environment, 'stamp');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return '';
  try {
    const [command, ...args] = findPython().command;
    rmSync(environment, { recursive: true, force: true });
    mkdirSync(environment, { recursive: true });
    const made = spawnSync(command!, [...args, '-m', 'venv', environment], { encoding: 'utf8' });
    if (made.status !== 0) return `no virtual environment: ${made.stderr}`;
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
    const installed = spawnSync(join(bin, 'python'), pip, { encoding: 'utf8' });
    if (installed.status !== 0) return `pip could not install the Jupyter clients: ${installed.stderr}`;
  } catch (error) {
    return String(error);
  }
  writeFileSync(stamp, wanted);
  return '';
}

/** A fresh folder, and how to get rid of it. */
export function scratch(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'vmlab-kernel-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

/** The variables that show Jupyter this project's kernel, and keep all it writes in `folder`. */
export function jupyterEnvironment(folder: string): NodeJS.ProcessEnv {
  const spec = createRequire(import.meta.url)(
    join(kernel, 'dist/spec.js'),
  ) as typeof import('../../kernel/spec');
  const place = join(folder, '.jupyter', 'kernels', spec.KERNEL_NAME);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'kernel.json'), JSON.stringify(spec.kernelSpec()));
  return {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    JUPYTER_PATH: join(folder, '.jupyter'),
    JUPYTER_DATA_DIR: join(folder, '.jupyter'),
    JUPYTER_CONFIG_DIR: join(folder, '.jupyter', 'config'),
    JUPYTER_RUNTIME_DIR: join(folder, '.jupyter', 'runtime'),
    IPYTHONDIR: join(folder, '.jupyter', 'ipython'),
    JUPYTER_PLATFORM_DIRS: '1',
    PYTHONWARNINGS: 'ignore',
  };
}

/** Runs a program of the environment in `folder`, to its end, or for `timeout` milliseconds. */
export function runPython(
  program: string,
  args: string[],
  folder: string,
  options: { input?: string; env?: NodeJS.ProcessEnv; timeout?: number } = {},
): SpawnSyncReturns<string> {
  return spawnSync(join(bin, program), args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...jupyterEnvironment(folder), ...options.env },
    timeout: options.timeout ?? 300_000,
    ...(options.input === undefined ? {} : { input: options.input }),
  });
}

/** A program of the environment. */
export function pythonProgram(name: string): string {
  return join(bin, name);
}
