/**
 * `npm run lessons -- release`: makes the learner's notebooks (notebooks/*.ipynb) from the
 * instructor's (notebooks/instructor/*.ipynb). With `--check` it writes nothing and says which
 * ones are not up to date.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { notebookText, readNotebook, writeNotebook } from './notebook';
import { learnersVersion } from './release';

const NOTEBOOKS = join(import.meta.dirname, '..', '..', 'notebooks');
const USAGE = 'Usage: npm run lessons -- release [--check]';

/** The learner's notebooks that differ from what the instructor's would give. */
function release(check: boolean): string[] {
  const source = join(NOTEBOOKS, 'instructor');
  const names = readdirSync(source).filter((name) => name.endsWith('.ipynb'));
  return names.filter((name) => {
    const made = learnersVersion(readNotebook(join(source, name)));
    const file = join(NOTEBOOKS, name);
    if (existsSync(file) && readFileSync(file, 'utf8') === notebookText(made)) return false;
    if (!check) writeNotebook(file, made);
    return true;
  });
}

const [command, ...flags] = process.argv.slice(2);
const unknown = flags.find((flag) => flag !== '--check');
if (command !== 'release' || unknown !== undefined) {
  console.error(unknown === undefined ? USAGE : `Unknown option ${unknown}. ${USAGE}`);
  process.exit(2);
}
const check = flags.includes('--check');
const stale = release(check);
for (const name of stale) console.log(`${check ? 'not up to date' : 'made'}: notebooks/${name}`);
if (stale.length === 0) console.log('All learner’s notebooks are up to date.');
process.exit(check && stale.length > 0 ? 1 : 0);
