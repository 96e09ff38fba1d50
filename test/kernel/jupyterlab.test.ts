// The kernel in the real JupyterLab: an error is shown as one, a chart and a table by themselves, the stop button ends a
// loop and keeps the state, the restart button loses it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findChromium, NO_CHROMIUM, openNotebook, outputsOf, runAllCells, withPage } from '../lab/browser.js';
import { withFolder } from '../lab/notebook.js';
import { withLab } from '../lab/start.js';

/** A notebook of these cells for this kernel. */
function notebook(sources: string[]): string {
  const cells = sources.map((source, i) => {
    const rest = { metadata: {}, execution_count: null, outputs: [] };
    return { cell_type: 'code', id: `cell-${i}`, source, ...rest };
  });
  const kernelspec = { name: 'vmlab', display_name: 'TypeScript (vmlab)', language: 'typescript' };
  return JSON.stringify({ cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 });
}

const CHART = `import { parseHTML } from 'linkedom';
import * as Plot from '@observablehq/plot';
const { document } = parseHTML('<html></html>');
let kept = 41;
Plot.plot({ document, title: 'A chart', marks: [Plot.barY([1, 2, 3])] })`;

test('JupyterLab shows charts, tables and errors, stops a loop by its button, and restarts', {
  timeout: 600_000,
}, async (context) => {
  if (!findChromium()) context.skip(NO_CHROMIUM);
  await withFolder(async (folder) => {
    writeFileSync(join(folder, 'shown.ipynb'), notebook([CHART, '[{ a: 1 }, { a: 2 }]']));
    writeFileSync(join(folder, 'failing.ipynb'), notebook(['const n = 41;\nlet z: string = n;']));
    writeFileSync(
      join(folder, 'looping.ipynb'),
      notebook(['let kept = 41;', "kept++; console.log('begins'); while (true) await null;", 'kept']),
    );
    await withLab({ folder }, (lab) =>
      withPage(async (page) => {
        await openNotebook(page, lab, 'shown.ipynb');
        await runAllCells(page);
        await outputsOf(page).nth(0).locator('figure svg rect').first().waitFor();
        expect(await outputsOf(page).nth(1).locator('table td').allTextContents()).toEqual(['1', '2']);

        await openNotebook(page, lab, 'failing.ipynb');
        await runAllCells(page);
        const failed = outputsOf(page)
          .nth(0)
          .locator('[data-mime-type="application/vnd.jupyter.error"], .jp-RenderedText');
        await expect.poll(() => failed.first().innerText()).toMatch(/cell 1, line 2, column 5[\s\S]*TS2322/);

        await openNotebook(page, lab, 'looping.ipynb');
        await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
        await page.getByRole('menuitem', { name: 'Run All Cells', exact: true }).click();
        await expect.poll(() => outputsOf(page).nth(1).innerText()).toContain('begins');
        const panel = page.locator('.jp-NotebookPanel:not(.lm-mod-hidden)');
        await panel.locator('[data-jp-item-name="interrupt"]').click();
        await expect.poll(() => outputsOf(page).nth(1).innerText()).toContain('KeyboardInterrupt');
        await panel.locator('.jp-CodeCell').nth(2).click();
        await page.keyboard.press('Shift+Enter');
        await expect.poll(() => outputsOf(page).nth(2).innerText()).toContain('42');

        const isRestart = (url: string) => /\/api\/kernels\/[^/]+\/restart/.test(url);
        await panel.locator('[data-jp-item-name="restart"]').click();
        await Promise.all([
          page.waitForResponse((response) => isRestart(response.url())),
          page.locator('.jp-Dialog .jp-mod-accept').click(),
        ]);
        await expect.poll(() => panel.innerText()).toContain('[ ]');
        await panel.locator('.jp-CodeCell').nth(2).click();
        await page.keyboard.press('Shift+Enter');
        await expect.poll(() => outputsOf(page).nth(2).innerText()).toContain('TS2304');
      }),
    );
  });
});
