// What the two commands say: one line per step with the time that it took, a sign of life while a step
// lasts, and problems as a sentence with what to do. Full output of each tool goes to .jupyter/logs.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { logs, project } from './places.mjs';

/** What the person at the keyboard can mend: a message that says what is wrong and what to do. */
export class Problem extends Error {}

/** What asks a process to end. */
export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const terminal = process.stdout.isTTY === true;

/** @param {string} text */
export function say(text) {
  console.log(text);
}

/**
 * Ends the process; a problem is printed as a message, anything else with its stack.
 * @param {unknown} error
 * @returns {never}
 */
export function fail(error) {
  console.error(error instanceof Problem ? `\nvmlab: ${error.message}` : error);
  process.exit(1);
}

/** @param {number} since - milliseconds */
const elapsed = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/**
 * Runs one tool as a step: prints its name, what it is at while it works, and the time it took.
 *
 * @param {string} title - e.g. "npm packages"
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, shell?: boolean, onFailure?: (output: string) => string }} [options]
 *   `onFailure` turns the tool's output into advice
 * @returns {Promise<string>} what the tool printed
 * @throws {Problem} if it can't be started or fails, with its last lines
 */
export async function step(title, command, args, options = {}) {
  const since = Date.now();
  mkdirSync(logs, { recursive: true });
  const logName = `${title.replace(/\W+/g, '-').toLowerCase()}.log`;
  const log = createWriteStream(join(logs, logName));
  const signOfLife = showProgress(title, since);
  let output = '';
  const child = spawn(command, args, {
    cwd: project,
    env: { ...process.env, ...options.env },
    shell: options.shell ?? false,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
      log.write(chunk);
      signOfLife.note(String(chunk));
    });
  // A tool that outlived us would go on installing while the next one starts.
  const end = () => {
    child.kill();
    process.exit(130);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  const failure = await new Promise((resolve) => {
    child.on('error', (error) => resolve(`can't be started: ${error.message}`));
    child.on('close', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? `code ${code}`}`));
  });
  for (const signal of SIGNALS) process.off(signal, end);
  log.end();
  signOfLife.stop();
  if (failure) {
    const lines = excerpt(output);
    const advice = options.onFailure?.(output) ?? '';
    throw new Problem(
      `${title}: ${command} ${failure}.\n${lines}\n  All of its output: .jupyter/logs/${logName}\n${advice}` +
        '  What was done so far is not taken for complete: run the same command again to go on.',
    );
  }
  say(`  ${title.padEnd(28)} ${elapsed(since).padStart(8)}`);
  return output;
}

/**
 * The beginning and the end of a tool's output, indented.
 * @param {string} output
 */
export function excerpt(output) {
  const lines = output
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`);
  return (lines.length <= 30 ? lines : [...lines.slice(0, 12), '    …', ...lines.slice(-15)]).join('\n');
}

/**
 * In a terminal, one line that is rewritten every second; elsewhere a new line now and then.
 * @param {string} title
 * @param {number} since - milliseconds
 */
function showProgress(title, since) {
  let latest = '';
  const draw = () => {
    const line = `  ${title.padEnd(28)} ${elapsed(since).padStart(8)}  ${latest}`;
    if (!terminal) say(line);
    else process.stdout.write(`\r\x1b[K${line.slice(0, (process.stdout.columns ?? 80) - 1)}`);
  };
  if (terminal) draw();
  else say(`  ${title} …`);
  const timer = setInterval(draw, terminal ? 1000 : 10_000);
  return {
    /** @param {string} text */
    note: (text) => {
      // Lines that begin with a word: neither colour codes nor progress bars.
      const words = text.split(/[\r\n]/).map((line) => line.trim());
      latest =
        words
          .filter((line) => /^[A-Za-z]/.test(line))
          .at(-1)
          ?.slice(0, 60) ?? latest;
    },
    stop: () => {
      clearInterval(timer);
      if (terminal) process.stdout.write('\r\x1b[K');
    },
  };
}
