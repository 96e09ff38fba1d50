// Pictures of a whole lesson, section by section, to be looked at.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Notebook } from '../../../scripts/lessons/notebook';
import { cellOf } from '../../lab/browser';

/** Of the page, in pixels: high enough for most sections. */
const HEIGHT = 1800;
/** How much of a picture is seen in the next one, too. */
const OVERLAP = 60;

/**
 * Takes pictures of the notebook in front: `NN-of-the-section-K.png` from each heading to the next.
 * @param folder is made
 */
export async function takeShots(page: Page, notebook: Notebook, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const before = page.viewportSize();
  await page.setViewportSize({ width: 1280, height: HEIGHT });
  const starts = notebook.cells.flatMap((cell, index) =>
    index === 0 || (cell.cell_type === 'markdown' && /^##? /.test(cell.source[0] ?? '')) ? [index] : [],
  );
  for (const [section, start] of starts.entries()) {
    const end = starts[section + 1] ?? notebook.cells.length;
    const name = `${String(section + 1).padStart(2, '0')}-${notebook.cells[start]!.id}`;
    await shootSection(page, start, end - 1, join(folder, name));
  }
  if (before) await page.setViewportSize(before);
}

async function shootSection(page: Page, first: number, last: number, path: string): Promise<void> {
  await cellOf(page, first).evaluate((element) => element.scrollIntoView({ block: 'start' }));
  const pane = page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer');
  for (let part = 1; ; part++) {
    await page.waitForTimeout(200);
    await pane.screenshot({ path: `${path}-${part}.png` });
    const [seen, end] = await Promise.all([pane.boundingBox(), cellOf(page, last).boundingBox()]);
    if (!seen || !end || end.y + end.height <= seen.y + seen.height + OVERLAP) return;
    const step = seen.height - OVERLAP;
    const from = await pane.evaluate((element) => element.scrollTop);
    await pane.evaluate((element, by) => element.scrollBy(0, by), step);
    if ((await pane.evaluate((element) => element.scrollTop)) === from) return;
  }
}
