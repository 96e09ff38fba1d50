// `npm start` as a child process: its address once JupyterLab is ready, and its end.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { project } from '../../scripts/places.mjs';

export interface StartedLab {
  /** `http://127.0.0.1:PORT/lab…?token=…`, as printed. */
  url: string;
  /** `http://127.0.0.1:PORT` */
  site: string;
  token: string;
  process: ChildProcess;
  /** Everything printed until now. */
  output(): string;
  /** Ctrl-C, or another signal: ends it, and resolves when that is done. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * A port of the loopback address that is free now. It is below those that systems hand out by themselves (from 32768 or
 * 49152 on), so that no other program gets it before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/**
 * Runs `npm start -- --no-browser --port …` and waits for the address.
 *
 * @param options `folder`: the notebooks to open on (default: the lessons); `port`: default any free one
 * @throws Error with what it printed if it ends before the address appears, or that takes over ten minutes
 */
export async function startLab(options: { folder?: string; port?: number } = {}): Promise<StartedLab> {
  const port = options.port ?? (await freePort());
  const args = ['start', '--', '--no-browser', '--port', String(port)];
  if (options.folder) args.push('--notebooks', options.folder);
  args.push(`--jupyter=${process.env.VMLAB_PYTHON || 'local'}`);
  const child = spawn('npm', args, { cwd: project, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let printed = '';
  // 'close': npm itself ends at once on a signal, our script when JupyterLab has ended.
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no address after ten minutes:\n${printed}`)), 600_000);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        printed += chunk;
        const address = /ready:\s+(http:\S+)/.exec(printed)?.[1];
        if (address) resolve(address);
        if (address) clearTimeout(timer);
      });
    ended.then((code) => reject(new Error(`npm start ended with ${code}:\n${printed}`)));
  });
  const { origin, searchParams } = new URL(url);
  const stop = async (signal: NodeJS.Signals = 'SIGINT') => {
    // To the whole process group, as a terminal does it.
    if (child.exitCode === null) process.kill(-child.pid!, signal);
    await ended;
  };
  return {
    url,
    site: origin,
    token: searchParams.get('token')!,
    process: child,
    output: () => printed,
    stop,
  };
}

/** Starts JupyterLab for `use`, and ends it afterwards, whatever happens. */
export async function withLab<T>(
  options: { folder?: string },
  use: (lab: StartedLab) => Promise<T>,
): Promise<T> {
  const lab = await startLab(options);
  try {
    return await use(lab);
  } finally {
    await lab.stop('SIGTERM');
  }
}

/** The command lines of all running processes in which a text stands. */
export function processesNaming(text: string): string[] {
  const { stdout } = spawnSync('ps', ['-axww', '-o', 'args='], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes(text) && !line.startsWith('ps '));
}
