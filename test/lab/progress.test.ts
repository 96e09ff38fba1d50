// progress(): results in a file beside the notebooks, whatever happens to it; quiz scores from the browser.
// And the hints of check(), which the browser keeps, too.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, progress } from 'kernel-lib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isDone, readLessons } from '../../kernel-lib/lab/progress/lessons';
import { progressHtml } from '../../kernel-lib/lab/progress/progress';
import {
  forgetResults,
  keepResult,
  PROGRESS_FILE,
  progressFile,
  readResults,
} from '../../kernel-lib/lab/progress/results';
import { readQuiz } from '../../kernel-lib/lab/quiz/quiz';
import { renderQuiz } from '../../kernel-lib/lab/quiz/render';
import { project } from '../../scripts/places.mjs';
import { findChromium, NO_CHROMIUM } from './browser.js';
import { expectAccessible, stripped, withFigure } from './figure.js';

const HOOK = Symbol.for('vmlab.kernel');
let shown: Record<string, string>[] = [];
let folder: string;
let file: string;

beforeEach(() => {
  shown = [];
  folder = mkdtempSync(join(tmpdir(), 'vmlab-progress-'));
  file = join(folder, PROGRESS_FILE);
  Reflect.set(globalThis, HOOK, { display: (bundle: Record<string, string>) => shown.push(bundle) });
});
afterEach(() => {
  forgetResults(file);
  Reflect.deleteProperty(globalThis, HOOK);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const right = (id: string) => readResults(file).done.get(id);

describe('the file', () => {
  it('keeps the best and the last result, and counts the tries', () => {
    for (const result of ['open', 'wrong', 'right', 'wrong'] as const) keepResult('03-sret', result, file);
    expect(right('03-sret')).toEqual({ best: 'right', last: 'wrong', tries: 3 });
    expect(right('03-reflect')).toBeUndefined();
    expect(readResults(file).problem).toBe('');
  });

  it.each([
    ['half a line at the end', '{"exercise":"03-ref'],
    ['not JSON', 'hello\n\u0000\u0001\n'],
    [
      'JSON of something else',
      '7\nnull\n[]\n{"exercise":3,"result":"right"}\n{"exercise":"x","result":"good"}\n',
    ],
  ])('%s: the other lines count, what comes after does, and it is told', (_, text) => {
    keepResult('a', 'right', file);
    appendFileSync(file, text);
    keepResult('b', 'right', file);
    expect([right('a')?.best, right('b')?.best]).toEqual(['right', 'right']);
    expect(readResults(file).done.size).toBe(2);
    expect(readResults(file).problem).toMatch(/can't be read; the others count/);
  });

  it('random bytes never throw', () => {
    let seed = 1;
    for (let n = 0; n < 50; n++) {
      writeFileSync(
        file,
        Uint8Array.from({ length: 300 }, () => (seed = (seed * 16807) % 0x7fffffff) & 0xff),
      );
      expect(() => readResults(file)).not.toThrow();
    }
  });

  it('a folder that cannot be written: remembered, and told', () => {
    const nowhere = join(folder, 'missing', PROGRESS_FILE);
    keepResult('a', 'right', nowhere);
    const { done, problem } = readResults(nowhere);
    expect(done.get('a')?.best).toBe('right');
    expect(problem).toMatch(/only remembered until the kernel stops: ENOENT/);
  });

  it('is one only for notebooks: not in a script, not for a grader', () => {
    expect(progressFile(folder)).toBeUndefined();
    writeFileSync(join(folder, '03-x.ipynb'), '{}');
    expect(progressFile(folder)).toBe(file);
    vi.stubEnv('VMLAB_STRICT', '1');
    expect(progressFile(folder)).toBeUndefined();
    vi.stubEnv('VMLAB_PROGRESS', '/elsewhere');
    expect(progressFile(folder)).toBe('/elsewhere');
    vi.stubEnv('VMLAB_PROGRESS', 'off');
    expect(progressFile(folder)).toBeUndefined();
    vi.unstubAllEnvs();
    Reflect.deleteProperty(globalThis, HOOK);
    expect(progressFile(folder)).toBeUndefined();
    expect(progressFile(join(folder, 'missing'))).toBeUndefined();
  });
});

describe('progress', () => {
  it('check() is kept, and shown; reset forgets it', () => {
    vi.stubEnv('VMLAB_PROGRESS', file);
    check('03-sret', () => undefined);
    check('03-reflect', 7);
    check('03-dispatch', () => 'reflect');
    expect(readResults(file).done.get('03-sret')).toEqual({ best: 'open', last: 'open', tries: 0 });
    expect(readResults(file).done.get('03-dispatch')?.best).toBe('wrong');
    expect(() => check('03-sret', () => undefined, { strict: true })).toThrow();
    expect(readFileSync(file, 'utf8').match(/03-sret/g)).toHaveLength(1);
    vi.spyOn(process, 'cwd').mockReturnValue(join(project, 'notebooks'));
    progress();
    expect(shown.at(-1)?.['text/plain']).toMatch(/0 of \d+ exercises are right[\s\S]*✗ 03-dispatch/);
    progress.reset();
    expect(existsSync(file)).toBe(false);
    progress();
    expect(shown.at(-1)?.['text/plain']).toContain('○ 03-dispatch');
    vi.restoreAllMocks();
  });

  it('lessons are read off the notebooks; broken ones are left out', () => {
    writeFileSync(join(folder, '01-broken.ipynb'), '{"cells": [');
    writeFileSync(join(folder, '02-odd.ipynb'), '{"cells": [{}, {"cell_type": "code"}]}');
    const cells = [
      { cell_type: 'markdown', source: ['# 04 · <Rings>\n', 'text'] },
      { cell_type: 'code', source: "check('04-a', f);\ncheck( \"04-b\", g); quiz('04-rings')" },
    ];
    writeFileSync(join(folder, '04-rings.ipynb'), JSON.stringify({ cells }));
    const lessons = readLessons(folder);
    expect(lessons.map(({ title }) => title)).toEqual(['02-odd', '04 · <Rings>']);
    expect(lessons[1]).toMatchObject({ number: '04', exercises: ['04-a', '04-b'], quizzes: ['04-rings'] });
    keepResult('04-a', 'right', file);
    expect(isDone(lessons[1], readResults(file).done)).toBe(false);
    keepResult('04-b', 'right', file);
    const { done } = readResults(file);
    expect([isDone(lessons[0], done), isDone(lessons[1], done)]).toEqual([false, true]);
    const html = stripped(progressHtml(lessons, { done, quizzes: new Map(), problem: 'A <problem>.' }));
    expect(html).toContain('04 · &#60;Rings&#62;');
    expect(html).toContain('2 of 2 exercises are right; 1 of 2 lessons are done.');
    expect(html).toContain('A &#60;problem&#62;.');
    expect(readLessons(join(folder, 'missing'))).toEqual([]);
  });

  it('in a browser: the score of the quiz, and forgetting it', async (context) => {
    if (!findChromium()) context.skip(NO_CHROMIUM);
    const lessons = readLessons(join(project, 'notebooks'));
    const html = progressHtml(lessons, readResults(file));
    vi.stubEnv('VMLAB_PROGRESS', file);
    progress.reset();
    const outputs = [html, shown.at(-1)?.['text/html'] ?? ''];
    await withFigure([renderQuiz(readQuiz('03-trap-and-emulate'))], async (page, reopen) => {
      await page.getByLabel('in a virtual kernel mode').check();
      await page.getByRole('button', { name: 'Check' }).first().click();
      await reopen(outputs);
      const score = page.locator('[data-quiz="03-trap-and-emulate"]');
      expect(await score.innerText()).toBe('1 of 12 (1 answered)');
      await expectAccessible(page);
      await page.getByRole('button', { name: 'Forget quiz answers' }).click();
      await page.reload();
      expect(await score.innerText()).toBe('–');
    });
  });
});

describe('hints', () => {
  it('appear one after the other, and are there after the next check, too', async (context) => {
    check('03-sret', () => undefined);
    const html = shown.at(-1)?.['text/html'] ?? '';
    expect(stripped(html).match(/<details/g)).toHaveLength(3);
    if (!findChromium()) context.skip(NO_CHROMIUM);
    await withFigure([html], async (page, reopen) => {
      const hints = page.locator('.vmlab-hint:visible');
      expect(await hints.allInnerTexts()).toEqual(['Hint 1 of 3']);
      await page.getByText('Hint 1 of 3').click();
      await expect.poll(() => hints.count()).toBe(2);
      await reopen([html]);
      await expect.poll(() => hints.count()).toBe(2);
      await page.getByText('Hint 2 of 3').focus();
      await page.keyboard.press('Enter');
      await expect.poll(() => hints.count()).toBe(3);
      await expectAccessible(page);
    });
  });
});
