// The whole way that a learner goes: npm start, JupyterLab in a browser, a notebook run from its menu; and
// after Ctrl-C nothing is left running.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findChromium, NO_CHROMIUM, openNotebook, outputsOf, runAllCells, withPage } from './browser.js';
import { notebookText, withFolder } from './notebook.js';
import { processesNaming, startLab, withLab } from './start.js';

test('npm start opens a JupyterLab in which a notebook runs', { timeout: 600_000 }, async (context) => {
  if (!findChromium()) context.skip(NO_CHROMIUM);
  await withFolder(async (folder) => {
    writeFileSync(
      join(folder, 'small.ipynb'),
      notebookText(['const six = 6;', 'console.log("answer", six * 7);']),
    );
    await withLab({ folder }, (lab) =>
      withPage(async (page) => {
        await openNotebook(page, lab, 'small.ipynb');
        await runAllCells(page);
        await expect.poll(() => outputsOf(page).last().innerText()).toContain('answer 42');
        expect(await page.locator('.Toastify__toast').count()).toBe(0);
      }),
    );
  });
});

test('Ctrl-C leaves no process behind', { timeout: 600_000 }, async () => {
  await withFolder(async (folder) => {
    const lab = await startLab({ folder });
    const headers = { Authorization: `token ${lab.token}` };
    const body = JSON.stringify({ name: 'vmlab' });
    const answer = await fetch(`${lab.site}/api/kernels`, { method: 'POST', headers, body });
    expect(answer.status).toBe(201);
    expect(processesNaming(folder)).not.toEqual([]);
    await lab.stop('SIGINT');
    expect(lab.output()).toContain('Stopped.');
    expect(processesNaming(folder)).toEqual([]);
    expect(processesNaming(((await answer.json()) as { id: string }).id)).toEqual([]);
  });
});

test('a wrong token is turned away', { timeout: 600_000 }, async () => {
  await withFolder(async (folder) => {
    await withLab({ folder }, async (lab) => {
      const status = async (token: string) =>
        (await fetch(`${lab.site}/api/contents`, { headers: { Authorization: `token ${token}` } })).status;
      expect(await status(lab.token)).toBe(200);
      expect(await status('guess')).toBe(403);
    });
  });
});
