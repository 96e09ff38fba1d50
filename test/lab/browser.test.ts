// The whole way that a learner goes: npm start, JupyterLab in a browser, a notebook run from its menu; and
// after Ctrl-C nothing is left running.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { project } from '../../scripts/places.mjs';
import { findChromium, NO_CHROMIUM, openNotebook, outputsOf, runAllCells, withPage } from './browser.js';
import { notebookText, withFolder } from './notebook.js';
import { processesNaming, startLab } from './start.js';

test('npm start opens a JupyterLab in which a notebook runs', { timeout: 300_000 }, async (context) => {
  if (!findChromium()) context.skip(NO_CHROMIUM);
  await withFolder(async (folder) => {
    writeFileSync(
      join(folder, 'small.ipynb'),
      notebookText(['const six = 6;', 'console.log("answer", six * 7);']),
    );
    const lab = await startLab({ folder });
    try {
      await withPage(async (page) => {
        await openNotebook(page, lab, 'small.ipynb');
        await runAllCells(page);
        await expect.poll(() => outputsOf(page).last().innerText()).toContain('answer 42');
        expect(await page.locator('.jp-toast, .Toastify__toast').count()).toBe(0);
      });
    } finally {
      expect(await lab.stop()).toBe(0);
    }
    expect(processesNaming(join(project, '.jupyter', 'runs'))).toEqual([]);
  });
});

test('a wrong token is turned away', { timeout: 300_000 }, async () => {
  await withFolder(async (folder) => {
    const lab = await startLab({ folder });
    try {
      const status = async (token: string) =>
        (await fetch(`${lab.site}/api/contents`, { headers: { Authorization: `token ${token}` } })).status;
      expect(await status(lab.token)).toBe(200);
      expect(await status('guess')).toBe(403);
    } finally {
      await lab.stop('SIGTERM');
    }
  });
});
