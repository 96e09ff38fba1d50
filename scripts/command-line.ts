/**
 * How the commands of this project read their command lines: options by node:util's `parseArgs`,
 * and a mistake is answered with what is wrong and how the command is used, and exit code 2.
 * `--help` and `-h` tell how it is used.
 */
import { statSync } from 'node:fs';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Ends the command: what is wrong, then its usage. */
export function usageError(problem: string, usage: string): never {
  console.error(`${problem}\n${usage}`);
  process.exit(2);
}

/** Ends the command when nobody reads on: `npm run quiz | head -3`. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

/** Ends the command with how it is used, if that is what is asked for. */
export function answerHelp(args: readonly string[], usage: string): void {
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  if (!options.includes('--help') && !options.includes('-h')) return;
  console.log(usage);
  process.exit(0);
}

/** As `parseArgs`, but help is given, and an option that there isn't, or one without its value, ends the command. */
export function commandLine<T extends ParseArgsConfig>(
  config: T,
  usage: string,
): ReturnType<typeof parseArgs<T>> {
  answerHelp(config.args ?? process.argv.slice(2), usage);
  try {
    return parseArgs(config);
  } catch (error) {
    // The first sentence says what is wrong; those behind it are about `--`.
    const [problem] = (error as Error).message.split('. ');
    usageError(`${problem.replace(/\.$/, '')}.`, usage);
  }
}

/** The whole number that an option (`--rounds`) or an argument (`COUNT`) gives, from `least` up; anything else ends the command. */
export function wholeNumber(option: string, text: string, least: number, usage: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  usageError(
    `${/^[A-Z]/.test(option) ? option : `--${option}`} wants a whole number from ${least} up, and got "${text}".`,
    usage,
  );
}

/** The folder that an option gives, there or not; a file of that name ends the command. */
export function outputFolder(option: string, path: string, usage: string): string {
  const isFile = path === '' || statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  if (isFile) usageError(`--${option} wants a folder, and "${path}" is none.`, usage);
  return path;
}
