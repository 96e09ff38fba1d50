// A headless Chromium that drives the real JupyterLab: opens a notebook, runs all cells, reads what is shown.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { StartedLab } from './start.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** How long something may take on a machine that others use too, in ms. */
const SLOW = 240_000;

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** The notebook in front. */
const PANEL = '.jp-NotebookPanel:not(.lm-mod-hidden)';

/** Said by the tests that are skipped without it. */
export const NO_CHROMIUM =
  'Chromium is not installed (Debian: apt install chromium), and the variable CHROMIUM names none';

/** Path of a Chromium: the variable CHROMIUM, else the first on the PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin'];
  const candidates = [
    process.env.CHROMIUM ?? '',
    ...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))),
  ];
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return path !== '';
    } catch {
      return false;
    }
  });
}

/**
 * Opens a browser with one page for `use`, and closes it afterwards.
 * @throws Error if no Chromium is found
 */
export async function withPage<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error(NO_CHROMIUM);
  const browser: Browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(SLOW);
    return await use(page);
  } finally {
    await browser.close();
  }
}

/**
 * Opens a notebook in JupyterLab and waits until its kernel has answered: before that, JupyterLab shows it as
 * idle too, but commands to run a cell come to nothing.
 * @param path of the notebook, below the folder that JupyterLab was opened on
 */
export async function openNotebook(page: Page, lab: StartedLab, path: string): Promise<void> {
  const address = path.split('/').map(encodeURIComponent).join('/');
  await untilThere(page, () => page.goto(`${lab.site}/lab/tree/${address}?token=${lab.token}&reset`));
}

/** Reloads the page, as a person would, and waits until the notebook is there again with its kernel. */
export async function reloadNotebook(page: Page): Promise<void> {
  await untilThere(page, () => page.reload());
}

async function untilThere(page: Page, load: () => Promise<unknown>): Promise<void> {
  await Promise.all([kernelAnswers(page), load()]);
  await page.locator(`${PANEL} .jp-Cell`).first().waitFor();
  await untilIdle(page);
}

/** The first answer of the next kernel that starts: to be asked for before what starts it. */
export function kernelAnswers(page: Page): Promise<unknown> {
  return page
    .waitForEvent('websocket', {
      predicate: (socket) => /\/api\/kernels\/[^/]+\/channels/.test(socket.url()),
    })
    .then((socket) =>
      socket.waitForEvent('framereceived', {
        predicate: ({ payload }) => String(payload).includes('kernel_info_reply'),
      }),
    );
}

/**
 * Runs all cells of a notebook just opened by the Run menu, as a person would, and waits until the last is done.
 * @param timeout milliseconds for the whole notebook
 */
export async function runAllCells(page: Page, timeout = SLOW): Promise<void> {
  await chooseFromMenu(page, 'Run', 'Run All Cells');
  // A cell that was not run shows [ ], one that waits or runs [*]. (JupyterLab keeps all cells in the page.)
  const deadline = Date.now() + timeout;
  while (!(await prompts(page)).every((text) => /^\[\d+\]:$/.test(text))) {
    if (Date.now() > deadline)
      throw new Error(`cells still wait after ${timeout} ms: ${await prompts(page)}`);
    await page.waitForTimeout(100);
  }
  await untilIdle(page, timeout);
}

/** Restarts the kernel by its menu, and waits until the new one is ready. */
export async function restartKernel(page: Page): Promise<void> {
  const restart = async () => {
    await chooseFromMenu(page, 'Kernel', 'Restart Kernel…');
    await page.getByRole('button', { name: 'Confirm Kernel Restart' }).click();
  };
  const isAnswer = (url: string) => /\/api\/kernels\/[^/]+\/restart/.test(url);
  await Promise.all([page.waitForResponse((response) => isAnswer(response.url())), restart()]);
  await untilIdle(page);
}

/** Saves the notebook in front, and waits until the server has it. */
export async function saveNotebook(page: Page): Promise<void> {
  await Promise.all([
    page.waitForResponse(
      (response) => response.request().method() === 'PUT' && response.url().includes('/api/contents/'),
    ),
    chooseFromMenu(page, 'File', 'Save Notebook'),
  ]);
}

/** Shows JupyterLab in one of its themes. */
export async function chooseTheme(page: Page, theme: 'Light' | 'Dark'): Promise<void> {
  await chooseFromMenu(page, 'Settings', 'Theme', `JupyterLab ${theme}`);
  // Not "visible": the body has no height of its own.
  await page.locator(`body[data-jp-theme-light="${theme === 'Light'}"]`).waitFor({ state: 'attached' });
}

/** The cell of the notebook in front with this index, Markdown cells counted, too. */
export function cellOf(page: Page, index: number) {
  return page.locator(`${PANEL} .jp-Cell`).nth(index);
}

/** Replaces a code cell's source, as a person does who pastes over it. */
export async function rewriteCell(page: Page, index: number, source: string): Promise<void> {
  const editor = cellOf(page, index).locator('.cm-content');
  await editor.click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(source);
}

/** Runs one code cell, and waits until it is done. */
export async function runCell(page: Page, index: number, timeout = SLOW): Promise<void> {
  const prompt = cellOf(page, index).locator('.jp-InputPrompt');
  const before = await prompt.textContent();
  await cellOf(page, index).locator('.cm-content').click();
  await page.keyboard.press('ControlOrMeta+Enter');
  const deadline = Date.now() + timeout;
  for (let now = before; now === before || !/\d/.test(now ?? ''); now = await prompt.textContent()) {
    if (Date.now() > deadline) throw new Error(`cell ${index} still runs after ${timeout} ms`);
    await page.waitForTimeout(50);
  }
  await untilIdle(page, timeout);
}

/** Clicks through a menu of the bar: its name, then the entries' names. */
async function chooseFromMenu(page: Page, ...names: string[]): Promise<void> {
  // An entry's role has its shortcut in the name, too.
  const labels = page.locator('.lm-MenuBar-itemLabel, .lm-Menu-itemLabel');
  for (const name of names) await labels.filter({ hasText: new RegExp(`^${name}$`) }).click();
}

/** What stands before the code cells of the notebook in front: [ ]:, [*]: or a number. */
async function prompts(page: Page): Promise<string[]> {
  const texts = await page.locator(`${PANEL} .jp-CodeCell .jp-InputPrompt`).allTextContents();
  return texts.map((text) => text.trim());
}

/** Waits until the kernel of the notebook in front is idle. */
async function untilIdle(page: Page, timeout = SLOW): Promise<void> {
  await page.locator(`${PANEL} .jp-Notebook-ExecutionIndicator[data-status="idle"]`).waitFor({ timeout });
}

/** The outputs of the notebook in front, one locator for each code cell's output area. */
export function outputsOf(page: Page) {
  return page.locator(`${PANEL} .jp-CodeCell .jp-Cell-outputArea`);
}
