// Every row of the source documents' inventory is covered by a lesson or a quiz, or listed as waiting
// for a lesson to come; what is covered is not listed any more.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { findPlaces, judge, type Place, rowsNamed } from '../../scripts/coverage/coverage';
import { INVENTORY, type InventoryRow, WAITING } from '../../scripts/coverage/inventory';
import { project } from '../../scripts/places.mjs';

it('every row is covered or listed, and none is both', () => {
  expect(judge(findPlaces(project)).problems).toEqual([]);
});

it('the inventory is whole: five documents, each row once, with its use, and rows wait for known lessons', () => {
  const ids = INVENTORY.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const rowsOf = (document: string) => ids.filter((id) => id.startsWith(`${document}-`));
  expect(['S0', 'S1', 'S2', 'S3', 'S4'].map((document) => rowsOf(document).length)).toEqual([8, 35, 8, 3, 7]);
  expect(ids.filter((id) => id.startsWith('S0 Q'))).toHaveLength(6);
  expect(INVENTORY.filter(({ use }) => !/^[DMQN]{1,2}$/.test(use))).toEqual([]);
  expect(Object.values(WAITING).filter((lesson) => !/^(0[1-9]|1[0-7])$/.test(lesson))).toEqual([]);
});

const ROWS: InventoryRow[] = [
  { id: 'S1-01', use: 'D', about: 'a' },
  { id: 'S1-02', use: 'DQ', about: 'b' },
  { id: 'S0 Q1', use: 'Q', about: 'c' },
];
const cell = (row: string): Place => ({ row, kind: 'cell', file: 'x.ipynb', at: 'one' });
const asked = (row: string): Place => ({ row, kind: 'question', file: 'quizzes/x.md', at: '7' });

it.each<[string, Place[], Record<string, string>, string]>([
  ['a row left out', [cell('S1-02'), asked('S1-02'), asked('S0 Q1')], {}, 'S1-01 (a) is covered nowhere'],
  [
    'a row listed and covered',
    [cell('S1-01'), asked('S1-02'), asked('S0 Q1')],
    { 'S1-01': '13' },
    'S1-01 is listed as waiting for lesson 13, but x.ipynb, cell one covers it',
  ],
  [
    'a row to be asked, only shown',
    [cell('S1-01'), cell('S1-02'), asked('S0 Q1')],
    {},
    'S1-02 (b) is to be asked',
  ],
  [
    'a question, only shown',
    [cell('S1-01'), asked('S1-02'), cell('S0 Q1')],
    {},
    'S0 Q1 (c) is covered nowhere',
  ],
  [
    'an unknown row',
    [asked('S1-01'), asked('S1-02'), asked('S0 Q1'), asked('S1-99')],
    {},
    'quizzes/x.md:7 names S1-99, which is no row',
  ],
  [
    'an unknown row listed',
    ROWS.map(({ id }) => asked(id)),
    { 'S9-01': '13' },
    'S9-01 is listed as waiting, but',
  ],
])('%s is told', (_, places, waiting, expected) => {
  const { problems } = judge(places, ROWS, waiting);
  expect(problems).toEqual([expect.stringContaining(expected)]);
});

it('rows are read off a source comment, whatever else stands there', () => {
  expect(rowsNamed('S0 Q2; S0-01, S2-02; Priv, xRET')).toEqual(['S0 Q2', 'S0-01', 'S2-02']);
  expect(rowsNamed('Unpriv, Zicsr; AA §3.1; S1-9x')).toEqual([]);
});

it('the command prints each row with its places, and answers a wrong option in two lines', () => {
  const run = (...args: string[]) =>
    spawnSync('npm', ['run', '-s', 'coverage:sources', '--', ...args], { cwd: project, encoding: 'utf8' });
  const { stdout } = run();
  expect(stdout).toMatch(
    /^S0-02 {2}D .*\n {11}notebooks\/instructor\/03-trap-and-emulate\.ipynb, cells crash, ex4-code\n/m,
  );
  expect(stdout).toMatch(/\d+ of 67 rows are covered, \d+ wait for a lesson to come, 0 are missing\./);
  const wrong = run('--verbose');
  expect(wrong.status).toBe(2);
  expect(
    wrong.stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('npm')),
  ).toHaveLength(2);
});
