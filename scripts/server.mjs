// Running one JupyterLab: its settings, its start, knowing when it is really ready, and its end with
// nothing left behind. Everything it writes goes to .jupyter; what belongs to one run goes to a folder of
// its own, whose path stands in the command line of the server and of each kernel: by that they are found
// again, even when the process that should have stopped them was killed.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { jupyter, jupyterData, notebooks, runs } from './places.mjs';
import { excerpt, Problem } from './report.mjs';
import { isRunning, write } from './setup.mjs';

export const HOST = '127.0.0.1';

/** The kernels that the local JupyterLab offers. */
const KERNELS = ['vmlab', 'tslab'];

/** @param {number} pid - of the process that answers for the run */
export const runFolder = (pid) => join(runs, String(pid));

/**
 * The variables that keep Jupyter inside the project's folder and show it our kernel.
 * @param {string} run - the run's folder
 * @param {string} [memory] - where JupyterLab remembers a person's settings and open tabs; default: with the run
 * @returns {Record<string, string>}
 */
export function jupyterEnvironment(run, memory = run) {
  const others = process.env.JUPYTER_PATH;
  return {
    JUPYTER_PATH: others ? jupyterData + delimiter + others : jupyterData,
    JUPYTER_DATA_DIR: jupyterData,
    JUPYTER_CONFIG_DIR: join(jupyter, 'config'),
    JUPYTER_RUNTIME_DIR: run,
    JUPYTERLAB_SETTINGS_DIR: join(memory, 'settings'),
    JUPYTERLAB_WORKSPACES_DIR: join(memory, 'workspaces'),
    IPYTHONDIR: join(jupyter, 'ipython'),
    JUPYTER_PLATFORM_DIRS: '0',
  };
}

/** Whether a port of the loopback address can be listened on. @param {number} port */
export function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}

/**
 * Starts JupyterLab.
 *
 * @param {import('./jupyter-choice.mjs').Jupyter} choice
 * @param {{ port: number, folder: string }} options - `folder` is what it opens on
 * @returns {{ child: import('node:child_process').ChildProcess, url: string, output: () => string, ended: Promise<number>,
 *   ready: () => Promise<void>, stop: () => Promise<void> }}
 */
export function startServer(choice, { port, folder }) {
  const run = runFolder(process.pid);
  mkdirSync(run, { recursive: true, mode: 0o700 });
  writeDefaults();
  const token = randomBytes(24).toString('hex');
  const [command, ...args] = choice.command;
  // In a process group of its own: Ctrl-C reaches us alone, and we stop the server in order.
  const child = spawn(
    command,
    [...args, ...serverOptions(port, folder, run, choice.where === 'the local .venv')],
    {
      cwd: folder,
      env: {
        ...process.env,
        ...jupyterEnvironment(run, folder === notebooks ? jupyter : run),
        JUPYTER_TOKEN: token,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output = (output + chunk).slice(-20_000)));
  /** @type {Promise<number>} */
  const ended = new Promise((resolve) => {
    child.on('error', (error) => {
      output += error.message;
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
  const site = `http://${HOST}:${port}`;
  return {
    child,
    url: `${site}/${folder === notebooks ? firstPage(folder, jupyter) : 'lab'}?token=${token}`,
    output: () => output,
    ended,
    ready: () => untilReady(site, token, ended, () => output),
    stop: () => stop(child, ended, run),
  };
}

/**
 * What JupyterLab shows first: to a new learner the first lesson, later the tabs that were open.
 * @param {string} folder - the lessons
 * @param {string} memory - where JupyterLab remembers open tabs
 * @returns {string} a path of the site
 */
export function firstPage(folder, memory) {
  if (existsSync(join(memory, 'workspaces'))) return 'lab';
  const lessons = readdirSync(folder).filter((name) => name.endsWith('.ipynb'));
  return lessons.length === 0 ? 'lab' : `lab/tree/${encodeURIComponent(lessons.sort()[0])}`;
}

/**
 * @param {number} port
 * @param {string} folder
 * @param {string} run
 * @param {boolean} local - whether it is the pinned JupyterLab, whose own Python kernel no lesson uses
 */
function serverOptions(port, folder, run, local) {
  return [
    '--no-browser',
    `--ServerApp.ip=${HOST}`,
    `--ServerApp.port=${port}`,
    '--ServerApp.port_retries=0',
    '--ServerApp.base_url=/',
    `--ServerApp.root_dir=${folder}`,
    `--ServerApp.runtime_dir=${run}`,
    '--ServerApp.answer_yes=True',
    '--LabApp.extension_manager=readonly',
    '--MultiKernelManager.default_kernel_name=vmlab',
    ...(local ? KERNELS.map((name) => `--KernelSpecManager.allowed_kernelspecs=${name}`) : []),
    ...(process.getuid?.() === 0 ? ['--allow-root'] : []),
  ];
}

/**
 * What is different from JupyterLab's own defaults. No question about news and no look for updates: the versions
 * are pinned. And a line of code that is wider than the page is wrapped, where it would be cut off.
 */
function writeDefaults() {
  const page = { disabledExtensions: { '@jupyterlab/apputils-extension:announcements': true } };
  const settings = { '@jupyterlab/notebook-extension:tracker': { codeCellConfig: { lineWrap: true } } };
  const folder = join(jupyter, 'config', 'labconfig');
  write(join(folder, 'page_config.json'), `${JSON.stringify(page, null, 2)}\n`);
  write(join(folder, 'default_setting_overrides.json'), `${JSON.stringify(settings, null, 2)}\n`);
}

/**
 * Waits until the server answers and serves JupyterLab's page.
 * @param {string} site
 * @param {string} token
 * @param {Promise<number>} ended
 * @param {() => string} output
 */
async function untilReady(site, token, ended, output) {
  let over = false;
  ended.then(() => (over = true));
  for (
    const deadline = Date.now() + 120_000;
    Date.now() < deadline;
    await new Promise((go) => setTimeout(go, 150))
  ) {
    if (over) throw new Problem(`JupyterLab ended while it started:\n${excerpt(output())}`);
    try {
      const headers = { Authorization: `token ${token}` };
      const answers = await Promise.all(
        ['api/status', 'lab'].map((page) => fetch(`${site}/${page}`, { headers })),
      );
      if (answers.every((answer) => answer.ok)) return;
    } catch {
      // not listening yet
    }
  }
  throw new Problem(`JupyterLab did not answer within two minutes:\n${excerpt(output())}`);
}

/**
 * Asks the server to end, which ends its kernels, and makes sure of both.
 * @param {import('node:child_process').ChildProcess} child
 * @param {Promise<number>} ended
 * @param {string} run
 */
async function stop(child, ended, run) {
  if (process.platform === 'win32' && child.pid && child.exitCode === null)
    spawnSync('taskkill', ['/PID', String(child.pid), '/T', '/F']);
  else child.kill('SIGTERM');
  const tooLong = new Promise((resolve) => setTimeout(resolve, 10_000).unref());
  await Promise.race([ended, tooLong]);
  endProcessesOf(run);
  rmSync(run, { recursive: true, force: true });
}

/** Ends what a killed `npm start` has left running, and removes its folder. */
export function clearAbandonedRuns() {
  if (!existsSync(runs)) return;
  for (const name of readdirSync(runs)) {
    if (isRunning(Number(name))) continue;
    endProcessesOf(join(runs, name));
    rmSync(join(runs, name), { recursive: true, force: true });
  }
}

/**
 * Ends every process in whose command line the run's folder stands: the server and its kernels.
 * @param {string} run
 */
function endProcessesOf(run) {
  if (process.platform === 'win32') return;
  const { stdout } = spawnSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8' });
  for (const line of (stdout ?? '').split('\n')) {
    const pid = Number.parseInt(line, 10);
    if (
      pid === process.pid ||
      !(line.includes(`${run}/`) || line.includes(`runtime_dir=${run} `) || line.endsWith(`=${run}`))
    )
      continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  }
}
