// An output of the lab alone on a page in a real browser: opened from a file, in light or dark, with the
// mistakes that its script makes, and what axe says of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { withPage } from './browser.js';

/** The page around an output, as plain as can be; its colours follow the reader's system. */
export function pageAround(...outputs: string[]): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Output</title>
<style>:root { color-scheme: light dark; } body { background: Canvas; color: CanvasText; }</style></head><body><main><h1>Output</h1>
${outputs.map((output) => `<div>${output}</div>`).join('\n')}</main></body></html>`;
}

/** What is left of an output where scripts are stripped, as in a notebook just opened. */
export function stripped(output: string): string {
  return output.replace(/<(script|style|svg)[^>]*>[\s\S]*?<\/\1>/g, '').replace(/ data-[\w-]+="[^"]*"/g, '');
}

/** Opens outputs in a browser for `use`; a mistake in their scripts fails the test. */
export async function withFigure(
  outputs: string[],
  use: (page: Page, reopen: (outputs: string[]) => Promise<void>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vmlab-figure-'));
  try {
    await withPage(async (page) => {
      const mistakes: string[] = [];
      page.on('pageerror', (error) => mistakes.push(error.message));
      const open = async (shown: string[]) => {
        const file = join(folder, 'figure.html');
        writeFileSync(file, pageAround(...shown));
        await page.goto(pathToFileURL(file).href);
      };
      await open(outputs);
      await use(page, open);
      expect(mistakes).toEqual([]);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Fails if axe finds something serious in the page, in light or in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const found = await page.evaluate<{
      violations: { id: string; impact: string; help: string; nodes: { html: string }[] }[];
    }>('axe.run()');
    const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, help, nodes }) => `${colorScheme}: ${id}: ${help}: ${nodes[0].html}`)).toEqual(
      [],
    );
  }
}

/** Presses Tab until what has the focus is called `name` (its label or its text). */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press('Tab');
    const label = await page.evaluate<string>(
      `(() => { const it = document.activeElement; return it === document.body ? '' : it.getAttribute('aria-label') ?? it.labels?.[0]?.innerText ?? it.innerText; })()`,
    );
    if (label.includes(name)) return;
  }
  throw new Error(`Tab never comes to "${name}"`);
}
