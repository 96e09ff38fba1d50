/**
 * How the commands of this project read their command lines: options by node:util's `parseArgs`,
 * and a mistake is answered with what is wrong and how the command is used, and exit code 2.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Ends the command: what is wrong, then its usage. */
export function usageError(problem: string, usage: string): never {
  console.error(`${problem}\n${usage}`);
  process.exit(2);
}

/** As `parseArgs`, but an option that there isn't, or one without its value, ends the command. */
export function commandLine<T extends ParseArgsConfig>(
  config: T,
  usage: string,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // The first sentence says what is wrong; those behind it are about `--`.
    const [problem] = (error as Error).message.split('. ');
    usageError(`${problem.replace(/\.$/, '')}.`, usage);
  }
}

/** The whole number that an option gives, from `least` up; anything else ends the command. */
export function wholeNumber(option: string, text: string, least: number, usage: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  usageError(`--${option} wants a whole number from ${least} up, and got "${text}".`, usage);
}
