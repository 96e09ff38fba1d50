// `npm run conformance -- DIR`: runs all ELF files of a folder as conformance tests in every engine
// and prints a table. Options:
//   --engine NAME     only this engine; may be given more than once
//   --heat N          how often the translator runs a block before it translates it
//   --signature DIR   writes each test's signature to DIR/NAME.signature, and compares it with
//                     NAME.reference_output where that lies beside the ELF
//   --budget N        instructions until a test counts as hanging (20 million if left out)
//   --fault-ad        page-table bits A and D are software's: the hart faults
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { readElf } from '../../kernel-lib/code/elf';
import { ENGINES, type EngineName } from '../../kernel-lib/engine/create';
import { TranslatorEngine } from '../../kernel-lib/engine/translator';
import { commandLine, usageError, wholeNumber } from '../command-line';
import { type Outcome, runTest } from './run-elf';

const USAGE =
  'Usage: npm run conformance -- DIR [--engine NAME] [--heat N] [--signature DIR] [--budget N] [--fault-ad]';
const { values, positionals } = commandLine(
  {
    allowPositionals: true,
    options: {
      engine: { type: 'string', multiple: true },
      heat: { type: 'string' },
      signature: { type: 'string' },
      budget: { type: 'string', default: '20000000' },
      'fault-ad': { type: 'boolean', default: false },
    },
  },
  USAGE,
);

const [folder, ...more] = positionals;
if (folder === undefined) usageError('The folder with the tests is missing.', USAGE);
if (more.length > 0) usageError(`One folder at a time: ${more.join(' ')} is too much.`, USAGE);
if (!existsSync(folder)) usageError(`There is no folder ${folder}.`, USAGE);
if (!statSync(folder).isDirectory()) usageError(`${folder} is a file; give the folder that it is in.`, USAGE);
const budget = wholeNumber('budget', values.budget, 1, USAGE);
const heat = values.heat === undefined ? undefined : wholeNumber('heat', values.heat, 1, USAGE);
const engines = (values.engine ?? Object.keys(ENGINES)) as EngineName[];
for (const name of engines)
  if (!(name in ENGINES))
    usageError(`There is no engine "${name}". There are: ${Object.keys(ENGINES).join(', ')}.`, USAGE);

const isElf = (file: string) => readFileSync(file).subarray(0, 4).toString('latin1') === '\x7fELF';
const tests = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isFile() && isElf(join(folder, entry.name)))
  .map((entry) => entry.name)
  .sort();
if (tests.length === 0) usageError(`There are no ELF files in ${folder}.`, USAGE);

const width = Math.max(...tests.map((name) => name.length));
console.log(`${'test'.padEnd(width)}  ${engines.map((name) => name.padEnd(12)).join('')}instructions`);
const failures = new Map<EngineName, number>(engines.map((name) => [name, 0]));
for (const test of tests) {
  const outcomes = engines.map((engine) => run(test, engine));
  outcomes.forEach((outcome, n) => {
    if (!outcome.passed) failures.set(engines[n], (failures.get(engines[n]) ?? 0) + 1);
  });
  const cells = outcomes.map(({ passed }) => (passed ? 'pass' : 'FAIL').padEnd(12));
  console.log(`${test.padEnd(width)}  ${cells.join('')}${outcomes[0].instructions}`);
  outcomes.forEach(({ passed, detail }, n) => {
    if (!passed) console.log(`  ${engines[n]}: ${detail}`);
  });
}
console.log();
for (const [engine, failed] of failures)
  console.log(`${engine}: ${tests.length - failed} of ${tests.length} pass`);
process.exitCode = [...failures.values()].some((count) => count > 0) ? 1 : 0;

/** Runs a test; what is wrong with the file, or the signature, is a failure like others. */
function run(test: string, engine: EngineName): Outcome {
  const file = join(folder, test);
  try {
    const outcome = runTest(readElf(readFileSync(file)), {
      engine: engine === 'translator' && heat !== undefined ? new TranslatorEngine({ heat }) : engine,
      budget,
      accessedDirty: values['fault-ad'] ? 'fault' : 'hardware',
    });
    const problem = values.signature === undefined ? undefined : signatureProblem(test, outcome);
    return problem === undefined ? outcome : { ...outcome, passed: false, detail: problem };
  } catch (error) {
    return { passed: false, detail: String(error), instructions: 0, signature: undefined };
  }
}

/** The words of a reference; what follows a # in a line is a comment. */
function wordsOf(reference: string): string[] {
  return reference.replace(/#.*/g, '').trim().split(/\s+/);
}

/** Writes the signature; what differs from the reference, if there is one. */
function signatureProblem(test: string, { signature }: Outcome): string | undefined {
  if (signature === undefined) return 'there is no signature: no symbols begin_signature and end_signature';
  const out = values.signature as string;
  mkdirSync(out, { recursive: true });
  const name = basename(test, extname(test));
  writeFileSync(join(out, `${name}.signature`), `${signature.join('\n')}\n`);
  const reference = join(folder, `${name}.reference_output`);
  if (!existsSync(reference)) return undefined;
  const expected = wordsOf(readFileSync(reference, 'utf8'));
  const at = expected.findIndex((word, n) => word.toLowerCase() !== signature[n]);
  return at < 0
    ? undefined
    : `signature word ${at} is ${signature[at]}, and the reference says ${expected[at]}`;
}
