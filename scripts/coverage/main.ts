/**
 * `npm run coverage:sources`: which row of the source documents' inventory is covered in which cell
 * or question. Exit code 1 if a row is neither covered nor listed as waiting for a lesson to come.
 */
import { commandLine } from '../command-line';
import { project } from '../places.mjs';
import { coverageText, findPlaces, judge } from './coverage';

commandLine({ options: {} }, 'Usage: npm run coverage:sources, without options');
const judgement = judge(findPlaces(project));
console.log(coverageText(judgement));
process.exit(judgement.problems.length > 0 ? 1 : 0);
