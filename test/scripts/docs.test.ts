// README and docs: links lead somewhere, files and commands that are named are there, each lesson that is there is listed,
// and the citation is YAML with what CFF asks for.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { project } from '../../scripts/places.mjs';

const PAGES = [
  'README.md',
  'LICENSE-LESSONS.md',
  ...readdirSync(join(project, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const read = (file: string) => readFileSync(join(project, file), 'utf8');

it.each(PAGES)('%s: links lead somewhere', (page) => {
  const targets = [...read(page).matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1].replace(/#.*$/, ''));
  const missing = targets.filter(
    (target) =>
      target !== '' &&
      !target.startsWith('http') &&
      !existsSync(join(project, normalize(join(dirname(page), target)))),
  );
  expect(missing).toEqual([]);
});

it.each(PAGES)('%s: files that it names are there', (page) => {
  const named = [
    ...read(page).matchAll(/`((?:kernel-lib|kernel|scripts|test|quizzes|notebooks|docs)\/[\w./-]*)`/g),
  ].map((match) => match[1]);
  const isExample = (path: string) => /NN-name|vmlab-progress/.test(path);
  expect(named.filter((path) => !isExample(path) && !existsSync(join(project, path)))).toEqual([]);
});

it.each(PAGES)('%s: commands that it names are there', (page) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read(page).matchAll(/npm run ([\w:]+)/g)].map((match) => match[1]);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

it('the README lists each lesson that is there', () => {
  const lessons = readdirSync(join(project, 'notebooks')).filter((name) => name.endsWith('.ipynb'));
  expect(lessons.filter((name) => !read('README.md').includes(`](notebooks/${name})`))).toEqual([]);
});

it('the citation has what CFF 1.2 asks for', () => {
  const text = read('CITATION.cff');
  for (const key of ['cff-version: 1.2.0', 'message:', 'title:', 'authors:', 'version:', 'license: MIT'])
    expect(text).toMatch(new RegExp(`^${key}`, 'm'));
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(text).toContain(`\nversion: ${version}\n`);
});
