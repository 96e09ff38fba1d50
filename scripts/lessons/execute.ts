/**
 * Executes a notebook through the real kernel (execute_notebook.py), with the Python of the
 * JupyterLab that is in use, and reports its cells: status, seconds, outputs.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jupyter, venvPython } from '../places.mjs';
import { jupyterEnvironment } from '../server.mjs';

/** One output of a cell, as nbformat 4 has it; text is joined into one string. */
export interface Output {
  output_type: 'stream' | 'display_data' | 'execute_result' | 'error';
  name?: 'stdout' | 'stderr';
  text?: string;
  data?: Record<string, string>;
  /** Of an error: its message. */
  evalue?: string;
}

/** One executed code cell. `status` is "abort" where the kernel refused to run it. `seconds`: until its reply. */
export interface ExecutedCell {
  index: number;
  source: string;
  status: 'ok' | 'error' | 'abort' | 'aborted';
  seconds: number;
  outputs: Output[];
  /** All of its text output, stdout and stderr. */
  text: string;
}

export interface Execution {
  /** The executed notebook, nbformat 4. */
  notebook: { cells: { cell_type: string; source: string; outputs?: Output[] }[] };
  /** From nothing to the first cell being sent. */
  startSeconds: number;
  /** The code cells in order. */
  cells: ExecutedCell[];
}

/**
 * Makes a folder inside the project, so that notebooks in it can import kernel-lib, and removes it afterwards.
 * @param use is given the folder's absolute path
 */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const parent = join(jupyter, 'tests');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'run-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The Python of the JupyterLab in use: `npm test` says which; without it the local .venv's. */
export function jupyterPython(): string {
  const python = process.env.VMLAB_PYTHON || venvPython;
  if (!existsSync(python))
    throw new Error(`no Python with nbclient at ${python}: run npm test once, it sets it up`);
  return python;
}

/**
 * Executes a notebook through its kernel, from start to end, errors or not. The file is not changed.
 *
 * @param path absolute
 * @param cellTimeoutSeconds after which a cell counts as hanging, and the promise is rejected
 * @throws Error with the tool's own words if the kernel does not start, dies or hangs
 */
export async function executeNotebook(path: string, cellTimeoutSeconds = 300): Promise<Execution> {
  return withFolder(async (run) => {
    const script = fileURLToPath(new URL('execute_notebook.py', import.meta.url));
    const printed = await outputOf(
      jupyterPython(),
      [script, path, String(cellTimeoutSeconds)],
      // What a test solves is not the learner's progress.
      { ...jupyterEnvironment(run), VMLAB_PROGRESS: 'off' },
    );
    const { notebook, startSeconds, cells } = JSON.parse(printed) as Execution;
    return {
      notebook,
      startSeconds,
      cells: cells.map(({ index, status, seconds }) => {
        const { source, outputs = [] } = notebook.cells[index]!;
        const text = outputs.map((output) => output.text ?? '').join('');
        return { index, source, status, seconds, outputs, text };
      }),
    };
  });
}

/** Runs a program to its end; rejects with its stderr if it fails. */
function outputOf(command: string, args: string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk) => printed.push(chunk));
    child.stderr.on('data', (chunk) => errors.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(printed).toString());
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${Buffer.concat(errors)}`));
    });
  });
}
