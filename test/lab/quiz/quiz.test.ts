import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KERNEL } from '../../../kernel-lib/lab/display';
import { quiz, readQuiz } from '../../../kernel-lib/lab/quiz/quiz';
import { randomNumbers } from '../../../kernel-lib/lab/random';
import { EVERY_KIND, fileWith } from './files';

const globals = globalThis as Record<symbol, unknown>;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmlab-quiz-'));
  mkdirSync(join(folder, 'quizzes'));
  mkdirSync(join(folder, 'notebooks', 'instructor'), { recursive: true });
  writeFileSync(join(folder, 'quizzes', '03-every-kind.md'), EVERY_KIND);
  writeFileSync(join(folder, 'quizzes', '04-broken.md'), fileWith('### Q?\n1. [ ] a\n2. [ ] b\n<!-- S -->'));
  vi.spyOn(process, 'cwd').mockReturnValue(join(folder, 'notebooks', 'instructor'));
});

afterEach(() => {
  vi.restoreAllMocks();
  delete globals[KERNEL];
  rmSync(folder, { recursive: true });
});

test('is found from a notebook, and shown as HTML with a text beside it', () => {
  const shown: unknown[] = [];
  globals[KERNEL] = { display: (bundle: unknown) => shown.push(bundle) };
  quiz('03-every-kind');
  expect(shown).toEqual([
    {
      'text/html': expect.stringContaining('data-quiz="03-every-kind"'),
      'text/plain': expect.stringContaining('Quiz: Every kind'),
    },
  ]);
});

test('is printed where there is no kernel', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  quiz('03-every-kind');
  expect(log).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('1. One is right?'));
});

test.each(['03-every', '../quizzes/03-every-kind', '', 'constructor'])('a name that is none: %j', (name) => {
  expect(() => quiz(name)).toThrow(/no quiz is called .* There are: 03-every-kind, 04-broken\./);
});

test('a broken file is told with file and line', () => {
  expect(() => quiz('04-broken')).toThrow(/quizzes\/04-broken\.md:6: no answer is right/);
});

test('a place without quizzes is told', () => {
  expect(() => readQuiz('03-every-kind', join(tmpdir(), 'nowhere'))).toThrow(
    /no folder quizzes\/ in .*nowhere/,
  );
});

test('a folder in the place of a file is told', () => {
  mkdirSync(join(folder, 'quizzes', '05-folder.md'));
  expect(() => quiz('05-folder')).toThrow(/05-folder\.md can't be read \(EISDIR.*It should be a text file/);
});

test('files of random bytes: a message with file and line, each time', () => {
  const random = randomNumbers(9);
  for (let n = 0; n < 60; n++) {
    const bytes = Uint8Array.from({ length: random.below(600) }, () => random.below(256));
    writeFileSync(join(folder, 'quizzes', '06-bytes.md'), bytes);
    expect(() => quiz('06-bytes')).toThrow(
      /^quizzes\/06-bytes\.md has (a problem|\d+ problems):\n {2}quizzes\/06-bytes\.md:\d+: .{10}/,
    );
  }
});
