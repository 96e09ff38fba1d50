// The command behind `npm start`: options, port, setup, server, address, end.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseJupyter } from './jupyter-choice.mjs';
import { notebooks } from './places.mjs';
import { excerpt, fail, Problem, SIGNALS, say } from './report.mjs';
import { clearAbandonedRuns, HOST, isFree, startServer } from './server.mjs';
import { alone, buildLibrary, installPackages, writeKernelSpec } from './setup.mjs';

const FIRST_PORT = 8888;

const HELP = `npm start [-- options]: sets up what is missing and opens JupyterLab on the lessons.

  --no-browser       don't open a browser; the address is printed
  --port N           listen on this port of ${HOST} (default: the first free one from ${FIRST_PORT})
  --jupyter=WHICH    which JupyterLab: local (our own, in .venv), path (the one on the PATH), or the path of a
                     jupyter, a Python or an environment (default: a JupyterLab 4 on the PATH, else local)
  --notebooks DIR    open on another folder of this project (default: notebooks)
  --help             this text

Ctrl-C ends JupyterLab and its kernels. Nothing is installed outside this folder.`;

/**
 * @param {string[]} args
 * @throws {Problem}
 */
export function readOptions(args) {
  let values;
  try {
    values = parseArgs({
      args,
      options: {
        'no-browser': { type: 'boolean', default: false },
        port: { type: 'string' },
        jupyter: { type: 'string', default: '' },
        notebooks: { type: 'string', default: notebooks },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    const message = /** @type {Error} */ (error).message.split('. ')[0];
    throw new Problem(
      `${message}.\n  The options are: --no-browser, --port N, --jupyter=WHICH, --notebooks DIR, --help`,
    );
  }
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(/^\d+$/.test(values.port ?? '') && port >= 1 && port <= 65535))
    throw new Problem(`--port ${values.port}: a port is a number from 1 to 65535.`);
  const folder = resolve(values.notebooks);
  if (folder !== notebooks && !(existsSync(folder) && statSync(folder).isDirectory()))
    throw new Problem(`--notebooks: there is no folder ${folder}.`);
  return { browser: !values['no-browser'], port, jupyter: values.jupyter, folder, help: values.help };
}

/**
 * @param {number | undefined} wanted
 * @returns {Promise<number>} a port that is free now
 * @throws {Problem} if the wanted one is not
 */
async function findPort(wanted) {
  if (wanted !== undefined) {
    // One that is just being ended may hold its port for a moment yet.
    for (let tries = 0; tries < 10; tries++) {
      if (await isFree(wanted)) return wanted;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Problem(
      `port ${wanted} of ${HOST} is taken or not allowed: another program listens there, perhaps an earlier npm start.\n` +
        `  End that one (Ctrl-C in its terminal), or choose another port: npm start -- --port ${wanted < 65525 ? wanted + 10 : FIRST_PORT}\n` +
        '  Without --port a free one is found.',
    );
  }
  for (let port = FIRST_PORT; port < FIRST_PORT + 100; port++) if (await isFree(port)) return port;
  throw new Problem(
    `all ports from ${FIRST_PORT} to ${FIRST_PORT + 99} are taken; name a free one: npm start -- --port N`,
  );
}

/** @param {string[]} args - the command line's */
export async function launch(args) {
  try {
    const options = readOptions(args);
    if (options.help) return say(HELP);
    await findPort(options.port);
    say('vmlab');
    const jupyter = await alone(async () => {
      clearAbandonedRuns();
      await installPackages();
      await buildLibrary();
      const chosen = await chooseJupyter(options.jupyter);
      writeKernelSpec();
      return chosen;
    });
    mkdirSync(options.folder, { recursive: true });
    await serve(jupyter, await findPort(options.port), options);
  } catch (error) {
    fail(error);
  }
}

/**
 * Runs the server until it ends or we are told to end it.
 * @param {import('./jupyter-choice.mjs').Jupyter} jupyter
 * @param {number} port
 * @param {{ folder: string, browser: boolean }} options
 */
async function serve(jupyter, port, { folder, browser }) {
  const since = Date.now();
  const server = startServer(jupyter, { port, folder });
  let stopping = false;
  const end = async () => {
    if (stopping) return;
    stopping = true;
    say('\nStopping JupyterLab and its kernels …');
    await server.stop();
    say('Stopped.');
    process.exit(0);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  endWithParent(end);
  try {
    await server.ready();
  } catch (error) {
    if (stopping) return;
    await server.stop();
    throw error;
  }
  say(`  ${'JupyterLab starts'.padEnd(28)} ${((Date.now() - since) / 1000).toFixed(1).padStart(6)} s\n`);
  say(`JupyterLab is ready:  ${server.url}\n\nCtrl-C ends it.`);
  if (browser) openBrowser(server.url);
  const code = await server.ended;
  if (stopping) return;
  await server.stop();
  if (code !== 0)
    throw new Problem(`JupyterLab ended by itself, with code ${code}:\n${excerpt(server.output())}`);
  say('JupyterLab was shut down.');
  process.exit(0);
}

/**
 * Some shells between npm and us end on a signal without passing it on: then our parent is another one.
 * @param {() => void} end
 */
function endWithParent(end) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end(), 200).unref();
}

/** @param {string} url */
function openBrowser(url) {
  const { platform, env } = process;
  if (platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY && !env.BROWSER && !env.WSL_DISTRO_NAME)
    return say('There is no display here to open a browser on: open the address where there is one.');
  const [command, args] =
    platform === 'darwin'
      ? ['open', [url]]
      : platform === 'win32'
        ? ['rundll32', ['url.dll,FileProtocolHandler', url]]
        : [env.BROWSER || 'xdg-open', [url]];
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => say(`No browser could be opened (${command}): open the address yourself.`));
  child.unref();
}
