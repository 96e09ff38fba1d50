// A quiz in the real JupyterLab: answered by keyboard alone, with all keys kept from the notebook; there again
// after a reload; judged by axe in either theme; in two notebooks at once; and in one that is not trusted.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { findChromium, kernelAnswers, NO_CHROMIUM, openNotebook, runAllCells, withPage } from '../browser.js';
import { notebookText, withFolder } from '../notebook.js';
import { type StartedLab, withLab } from '../start.js';
import { EVERY_KIND } from './files';

const CELLS = ["import { quiz } from 'kernel-lib';", "quiz('03-every-kind');"];
const PANEL = '.jp-NotebookPanel:not(.lm-mod-hidden)';

test('a quiz in JupyterLab', { timeout: 900_000 }, async (context) => {
  if (!findChromium()) context.skip(NO_CHROMIUM);
  await withFolder(async (folder) => {
    mkdirSync(join(folder, 'quizzes'));
    writeFileSync(join(folder, 'quizzes', '03-every-kind.md'), EVERY_KIND);
    for (const name of ['one', 'other']) writeFileSync(join(folder, `${name}.ipynb`), notebookText(CELLS));
    await withLab({ folder }, (lab) =>
      withPage(async (page) => {
        const mistakes: string[] = [];
        page.on('pageerror', (error) => mistakes.push(error.message));
        await openNotebook(page, lab, 'one.ipynb');
        await runAllCells(page);
        await byKeyboardAlone(page);
        await axeIsContent(page);
        await afterReload(page, lab, folder);
        await inTwoNotebooks(page);
        await inTheDark(page, lab);
        await withoutTrust(page, lab, folder);
        expect(mistakes.filter((message) => /vmlab|quiz/i.test(message))).toEqual([]);
      }),
    );
  });
});

const quizIn = (page: Page) => page.locator(`${PANEL} .vmlab-quiz`);
const question = (page: Page, index: number) => quizIn(page).locator('.vmlab-question').nth(index);
const score = (page: Page) => shown(quizIn(page).locator('.vmlab-score'));
const shown = async (what: Locator) => (await what.innerText()).replace(/\s+/g, ' ').trim();

/** Presses a key until what has the focus is called `name`. */
async function pressTo(page: Page, key: string, name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press(key);
    const label = await page.evaluate(
      `(() => { const it = document.activeElement; return it.getAttribute('aria-label') ?? it.labels?.[0]?.innerText ?? it.innerText; })()`,
    );
    if (String(label).includes(name)) return;
  }
  throw new Error(`${name} can't be reached with ${key}`);
}

/** From the first option on, no mouse. Letters and arrows are JupyterLab's commands: here they must not be. */
async function byKeyboardAlone(page: Page): Promise<void> {
  const cells = await page.locator(`${PANEL} .jp-Cell`).count();
  await question(page, 0).locator('input').first().focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  await pressTo(page, 'Tab', 'Check');
  await page.keyboard.press('Enter');
  expect(await shown(question(page, 0).locator('.vmlab-verdict'))).toContain('✓ Right.');

  await question(page, 3).locator('input').focus();
  await page.keyboard.type('dd aa bb xx code cache');
  await page.keyboard.press('Enter');
  expect(await question(page, 3).locator('input').inputValue()).toBe('dd aa bb xx code cache');
  expect(await shown(question(page, 3).locator('.vmlab-verdict'))).toContain('✗');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('code cache');
  await page.keyboard.press('Enter');
  expect(await shown(question(page, 3).locator('.vmlab-verdict'))).toContain('✓ Right.');

  await pressTo(page, 'Tab', 'Move up: alpha');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await pressTo(page, 'Tab', 'Check');
  await page.keyboard.press('Space');
  expect(await shown(question(page, 5).locator('.vmlab-verdict'))).toContain('✓ Right.');
  expect(await score(page)).toBe('Score: 3 of 6 (3 answered)');
  expect(await page.locator(`${PANEL} .jp-Cell`).count()).toBe(cells);
}

/** Saved and opened again, the notebook has its quiz, and the quiz its answers: also those not yet checked. */
async function afterReload(page: Page, lab: StartedLab, folder: string): Promise<void> {
  await question(page, 2).locator('input').fill('1.5');
  await page.locator(`${PANEL} .jp-Cell`).first().click();
  await page.keyboard.press('Control+s');
  const file = join(folder, 'one.ipynb');
  await expect.poll(() => readFileSync(file, 'utf8')).toContain('vmlab-quiz');
  await openNotebook(page, lab, 'one.ipynb');
  await question(page, 0).waitFor();
  expect(await score(page)).toBe('Score: 3 of 6 (3 answered)');
  expect(await question(page, 2).locator('input').inputValue()).toBe('1.5');
  expect(await question(page, 5).locator('.vmlab-item').allInnerTexts()).toEqual(['alpha', 'beta', 'gamma']);
}

/** Another notebook beside it, with the same quiz: each is worked on without the other's being touched. */
async function inTwoNotebooks(page: Page): Promise<void> {
  const answer = kernelAnswers(page);
  await page.locator('.jp-DirListing-item', { hasText: 'other.ipynb' }).dblclick();
  await answer;
  await page.locator(`.lm-TabBar-tab.lm-mod-current`, { hasText: 'other.ipynb' }).waitFor();
  await page.locator(`${PANEL} .jp-Notebook-ExecutionIndicator[data-status="idle"]`).waitFor();
  await runAllCells(page);
  await question(page, 2).locator('input').fill('1.41');
  await question(page, 2).locator('input').press('Enter');
  expect(await score(page)).toBe('Score: 4 of 6 (4 answered)');
  await page.locator('.lm-TabBar-tab', { hasText: 'one.ipynb' }).click();
  await question(page, 0).waitFor();
  expect(await question(page, 2).locator('input').inputValue()).toBe('1.5');
  expect(await score(page)).toBe('Score: 3 of 6 (3 answered)');
  await question(page, 1).getByLabel('first').check();
  expect(await question(page, 1).getByLabel('first').isChecked()).toBe(true);
}

/** In the dark theme. The theme is a setting of the one who runs the tests: it is put back. */
async function inTheDark(page: Page, lab: StartedLab): Promise<void> {
  const settings = `${lab.site}/lab/api/settings/@jupyterlab/apputils-extension:themes?token=${lab.token}`;
  const { raw }: { raw: string } = await (await page.request.get(settings)).json();
  try {
    const answer = await page.request.put(settings, { data: { raw: '{"theme":"JupyterLab Dark"}' } });
    expect(answer.ok()).toBe(true);
    await openNotebook(page, lab, 'one.ipynb');
    await page.locator('body[data-jp-theme-light="false"]').waitFor({ state: 'attached' });
    await question(page, 0).waitFor();
    await axeIsContent(page);
  } finally {
    await page.request.put(settings, { data: { raw } });
  }
}

async function axeIsContent(page: Page): Promise<void> {
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
  const found = await page.evaluate<{ violations: { id: string; impact: string; help: string }[] }>(
    'axe.run(document.querySelector(".vmlab-quiz"))',
  );
  const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);
}

/** A notebook from elsewhere, with its outputs: JupyterLab strips scripts. The quiz reads well and gives nothing away. */
async function withoutTrust(page: Page, lab: StartedLab, folder: string): Promise<void> {
  const saved = readFileSync(join(folder, 'one.ipynb'), 'utf8').replace(
    "quiz('03-every-kind');",
    "quiz('03-every-kind'); // copied",
  );
  writeFileSync(join(folder, 'copied.ipynb'), saved);
  await openNotebook(page, lab, 'copied.ipynb');
  await quizIn(page).waitFor();
  const text = await shown(quizIn(page));
  expect(text).toContain('Run this cell to make the quiz interactive.');
  expect(text).toMatch(/1\. One is right\?[\s\S]*no[\s\S]*yes[\s\S]*neither/);
  for (const secret of ['Indeed', 'True of', 'Because']) expect(text).not.toContain(secret);
  expect(await quizIn(page).getByRole('button').count()).toBe(0);
}
