// The one check that must work on any Node, however old: imported before everything else, and written in
// the language of 2016. What is asked for stands in package.json, under engines.
// biome-ignore lint/style/useNodejsImportProtocol: an old Node does not know it
import { readFileSync } from 'fs';

/**
 * Says what is wrong with a version of Node.
 * @param {string} version - as `process.versions.node` has it
 * @returns {string} empty where the version will do
 */
export function nodeProblem(version) {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const asked = /(\d+)\.(\d+)/.exec(manifest.engines.node) || [];
  const found = /(\d+)\.(\d+)/.exec(version) || [];
  const major = Number(found[1]) - Number(asked[1]);
  if (major > 0 || (major === 0 && Number(found[2]) >= Number(asked[2]))) return '';
  return `Node.js ${version} is too old: vmlab needs ${asked[0]} or later.
  Install a newer one from https://nodejs.org, or with a version manager: nvm install 22`;
}

const problem = nodeProblem(process.versions.node);
if (problem) {
  console.error(`vmlab: ${problem}`);
  process.exit(1);
}
