/**
 * The quiz in a real browser, by keyboard alone: wrong, feedback, right, score, reload, and stripped.
 * Skipped, saying so, where there is no Chromium (`CHROMIUM` names another one).
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseQuiz } from '../../../kernel-lib/lab/quiz/parse';
import { readQuiz } from '../../../kernel-lib/lab/quiz/quiz';
import { renderQuiz, renderQuizPage } from '../../../kernel-lib/lab/quiz/render';
import { EVERY_KIND } from './files';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const isMissing = !existsSync(CHROMIUM);
if (isMissing)
  console.log(`quiz in the browser: skipped, there is no ${CHROMIUM} (Debian: apt install chromium)`);

const quiz = parseQuiz(EVERY_KIND, 'quizzes/03-every-kind.md');

describe.skipIf(isMissing)('a quiz in the browser', () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  let mistakes: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vmlab-quiz-page-'));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  beforeEach(async () => {
    page = await browser.newPage();
    mistakes = [];
    page.on('pageerror', (error) => mistakes.push(error.message));
    await open(renderQuizPage(quiz));
  });

  afterEach(async () => {
    await page.close();
    expect(mistakes).toEqual([]);
  });

  async function open(html: string): Promise<void> {
    const file = join(folder, 'quiz.html');
    writeFileSync(file, html);
    await page.goto(pathToFileURL(file).href);
  }

  /** The text that one sees, on one line. */
  async function shown(locator: Locator): Promise<string> {
    return (await locator.innerText()).replace(/\s+/g, ' ').trim();
  }

  function question(index: number): Locator {
    return page.locator('.vmlab-question').nth(index);
  }

  function verdict(index: number): Promise<string> {
    return shown(question(index).locator('.vmlab-verdict'));
  }

  function score(): Promise<string> {
    return shown(page.locator('.vmlab-score'));
  }

  /** Presses Tab until what has the focus is called `name` (a part of its label or text). */
  async function tabTo(name: string): Promise<void> {
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab');
      const label = await page.evaluate(
        `(() => { const it = document.activeElement; return it.getAttribute('aria-label') ?? it.labels?.[0]?.innerText ?? it.innerText; })()`,
      );
      if (String(label).includes(name)) return;
    }
    throw new Error(`${name} can't be reached with Tab`);
  }

  test('a choice by keyboard: wrong and its feedback, then right and its score', async () => {
    expect(await page.locator('.vmlab-asleep').count()).toBe(0);
    await tabTo('no');
    await page.keyboard.press('Space');
    await tabTo('Check');
    await page.keyboard.press('Enter');
    expect(await verdict(0)).toContain('✗ Not right.');
    expect(await shown(question(0))).toContain('✗ Wrong. Not this.');
    expect(await shown(question(0))).not.toContain('Indeed');
    expect(await score()).toBe('Score: 0 of 6 (1 answered)');

    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('ArrowDown');
    expect(await verdict(0)).toBe('');
    await tabTo('Check');
    await page.keyboard.press('Space');
    expect(await verdict(0)).toContain('✓ Right.');
    expect(await shown(question(0))).toContain('✓ Right. Indeed.');
    expect(await score()).toBe('Score: 1 of 6 (1 answered)');
  });

  test('every control keeps the arrow keys from JupyterLab', async () => {
    const controls = page.locator('.vmlab-quiz').locator('input, select, button, summary');
    const guarded = page.locator('.vmlab-quiz').locator('[data-lm-suppress-shortcuts=true]');
    expect(await guarded.count()).toBe(await controls.count());
  });

  test('hints unfold one after the other', async () => {
    const hints = question(0).locator('.vmlab-hint');
    expect(await hints.nth(1).isVisible()).toBe(false);
    await tabTo('Hint 1 of 2');
    await page.keyboard.press('Enter');
    await hints.nth(1).waitFor({ state: 'visible' });
    expect(await shown(question(0))).toContain('A first hint.');
    await tabTo('Hint 2 of 2');
  });

  test('opened hints are open after a reload, and when it is tried again; starting over closes them', async () => {
    const hints = question(0).locator('.vmlab-hint');
    const state = () =>
      hints.evaluateAll((all) => all.map((hint) => [hint.hidden, 'open' in hint && hint.open]));
    await hints.nth(0).locator('summary').click();
    await hints.nth(1).waitFor({ state: 'visible' });
    await page.reload();
    await expect.poll(state).toEqual([
      [false, true],
      [false, false],
    ]);
    await question(0).getByLabel('no', { exact: true }).check();
    await question(0).getByText('Check').click();
    await question(0).getByText('Try again').click();
    await page.reload();
    await expect.poll(async () => (await state())[0]).toEqual([false, true]);
    await page.getByText('Start over').click();
    await page.reload();
    await expect.poll(state).toEqual([
      [false, false],
      [true, false],
    ]);
  });

  test('several answers: part of the point, and what is missing is not told', async () => {
    await question(1).getByLabel('first').check();
    await question(1).getByText('Check').click();
    expect(await verdict(1)).toContain('1 right one is missing');
    expect(await shown(question(1))).toContain('True of the first.');
    expect(await shown(question(1))).not.toContain('False of the second.');
    expect(await score()).toBe('Score: 0.5 of 6 (1 answered)');
    await question(1).getByLabel('third').check();
    await question(1).getByText('Check').click();
    expect(await verdict(1)).toContain('✓ Right.');
    expect(await shown(question(1))).toContain('False of the second.');
  });

  test('number and text: Enter checks, what is no number is said to be none', async () => {
    const number = question(2).locator('input');
    await number.fill('about 1');
    await number.press('Enter');
    expect(await verdict(2)).toContain('Please give a number');
    expect(await score()).toBe('Score: 0 of 6 (0 answered)');
    await number.fill('1.41');
    await number.press('Enter');
    expect(await verdict(2)).toMatch(/✓ Right\. Because it is so\./);
    await question(3).locator('input').fill(' code CACHE');
    await question(3).locator('input').press('Enter');
    expect(await score()).toBe('Score: 2 of 6 (2 answered)');
  });

  test('matching', async () => {
    const selects = question(4).locator('select');
    await selects.nth(0).selectOption('one');
    await question(4).getByText('Check').click();
    expect(await verdict(4)).toBe('Please fill in every place.');
    await selects.nth(1).selectOption('one');
    await selects.nth(2).selectOption('one');
    await question(4).getByText('Check').click();
    expect(await verdict(4)).toContain('2 of 3 are in their place');
    await selects.nth(1).selectOption('two');
    await question(4).getByText('Check').click();
    expect(await score()).toBe('Score: 1 of 6 (1 answered)');
  });

  test('ordering by keyboard, the focus staying with what is moved', async () => {
    const items = question(5).locator('.vmlab-item');
    expect(await items.allInnerTexts()).toEqual(['beta', 'gamma', 'alpha']);
    await tabTo('Move up: alpha');
    await page.keyboard.press('Enter');
    expect(await items.allInnerTexts()).toEqual(['beta', 'alpha', 'gamma']);
    expect(await shown(question(5).locator('.vmlab-unseen'))).toBe('alpha: now place 2 of 3');
    await page.keyboard.press('Enter');
    expect(await items.allInnerTexts()).toEqual(['alpha', 'beta', 'gamma']);
    expect(await page.evaluate(`document.activeElement.getAttribute('aria-label')`)).toBe('Move down: alpha');
    await question(5).getByText('Check').click();
    expect(await verdict(5)).toContain('✓ Right.');
  });

  test('who fails twice may see the answer, for no point, and try again', async () => {
    const giveUp = question(3).getByText('Show the answer');
    const input = question(3).locator('input');
    for (const guess of ['page table', 'vector table']) {
      expect(await giveUp.isVisible()).toBe(false);
      await input.fill(guess);
      await input.press('Enter');
    }
    await giveUp.click();
    expect(await verdict(3)).toContain('The answer: translation cache');
    expect(await score()).toBe('Score: 0 of 6 (1 answered)');
    await question(3).getByText('Try again').click();
    expect(await input.inputValue()).toBe('');
    expect(await verdict(3)).toBe('');
    expect(await score()).toBe('Score: 0 of 6 (0 answered)');
  });

  test('nothing is lost on reload, until one starts over', async () => {
    await question(0).getByLabel('yes').check();
    await question(0).getByText('Check').click();
    await question(2).locator('input').fill('1.5');
    await question(4).locator('select').nth(2).selectOption('two');
    await question(5).getByLabel('Move up: alpha').click();
    await page.reload();
    expect(await verdict(0)).toContain('✓ Right.');
    expect(await question(2).locator('input').inputValue()).toBe('1.5');
    expect(await verdict(2)).toBe('');
    expect(await shown(question(4).locator('select').nth(2).locator('option:checked'))).toBe('two');
    expect(await question(5).locator('.vmlab-item').allInnerTexts()).toEqual(['beta', 'alpha', 'gamma']);
    expect(await score()).toBe('Score: 1 of 6 (1 answered)');
    await page.getByText('Start over').click();
    await page.reload();
    expect(await page.locator('input:checked').count()).toBe(0);
    expect(await question(2).locator('input').inputValue()).toBe('');
    expect(await score()).toBe('Score: 0 of 6 (0 answered)');
  });

  test('what was kept is forgotten when the question changes, and when it is damaged', async () => {
    await question(0).getByLabel('yes').check();
    await question(2).locator('input').fill('1.5');
    await open(renderQuizPage(parseQuiz(EVERY_KIND.replace('neither', 'none'), 'quizzes/03-every-kind.md')));
    expect(await page.locator('input:checked').count()).toBe(0);
    expect(await question(2).locator('input').inputValue()).toBe('1.5');
    await page.evaluate(
      `Object.keys(localStorage).forEach((key, index) => localStorage.setItem(key, ['{', '[]', '7', '{"answer":{"a":1},"checked":true}'][index % 4]))`,
    );
    await page.reload();
    expect(await score()).toBe('Score: 0 of 6 (0 answered)');
  });

  test('the same quiz twice on a page: each on its own', async () => {
    await open(
      `<!doctype html><html lang="en"><title>Two</title><main>${renderQuiz(quiz)}${renderQuiz(quiz)}</main></html>`,
    );
    const [one, other] = [page.locator('.vmlab-quiz').nth(0), page.locator('.vmlab-quiz').nth(1)];
    await one.getByLabel('yes').first().check();
    await other.getByLabel('no', { exact: true }).first().check();
    expect(await one.getByLabel('yes').first().isChecked()).toBe(true);
    await one.getByText('Check').first().click();
    expect(await shown(one.locator('.vmlab-score'))).toContain('Score: 1 of 6');
    expect(await shown(other.locator('.vmlab-score'))).toContain('Score: 0 of 6');
  });

  test('without script and style it reads well, says what to do and gives nothing away', async () => {
    const plain = renderQuizPage(quiz).replace(/<(script|style)>[\s\S]*?<\/\1>/g, '');
    await open(plain.replace(/ (data-[\w-]+|role|aria-[\w-]+)="[^"]*"/g, ''));
    const text = await shown(page.locator('.vmlab-quiz'));
    expect(text).toContain('turn on JavaScript for this page');
    expect(text).not.toContain('Run this cell');
    expect(text).toMatch(/1\. One is right\?[\s\S]*no[\s\S]*yes[\s\S]*neither/);
    expect(text).toMatch(/6\. In order\?[\s\S]*beta[\s\S]*gamma[\s\S]*alpha/);
    for (const secret of ['Indeed', 'True of', 'Because', '1.41', 'cache'])
      expect(text).not.toContain(secret);
    expect(await page.getByRole('button').count()).toBe(0);
  });

  test.each(['light', 'dark'] as const)('axe finds nothing serious, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await open(renderQuizPage(readQuiz('03-trap-and-emulate')));
    await question(0).locator('input').first().check();
    await question(0).getByText('Check').click();
    await question(1).getByText('Check').click();
    await question(4).locator('input').fill('8');
    await question(4).locator('input').press('Enter');
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
    const found = await page.evaluate<{ violations: { id: string; impact: string; help: string }[] }>(
      'axe.run()',
    );
    const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);
  });
});
