// Lesson 03 as a learner meets it: npm start, the lesson in JupyterLab, all cells run, the chart
// seen, the quiz answered wrongly and rightly, its feedback read.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { notebooks } from '../../scripts/places.mjs';
import { findChromium, NO_CHROMIUM, openNotebook, runAllCells, withPage } from '../lab/browser.js';
import { withFolder } from '../lab/notebook.js';
import { type StartedLab, withLab } from '../lab/start.js';

test('lesson 03 runs in JupyterLab, shows its charts and checks its quiz', {
  timeout: 600_000,
}, async (context) => {
  if (!findChromium()) context.skip(NO_CHROMIUM);
  // A copy: a learner's own notebooks, open tabs and progress are not touched. (quizzes/ is found above.)
  const lesson = '03-trap-and-emulate.ipynb';
  const inCopy = (use: (lab: StartedLab) => Promise<void>) =>
    withFolder((folder) => {
      copyFileSync(join(notebooks, lesson), join(folder, lesson));
      return withLab({ folder }, use);
    });
  await inCopy((lab) =>
    withPage(async (page) => {
      await openNotebook(page, lab, lesson);
      await runAllCells(page);

      const chart = page.locator('.vmlab-chart svg[aria-label]').first();
      await chart.scrollIntoViewIfNeeded();
      const box = await chart.boundingBox();
      expect(box?.width).toBeGreaterThan(300);
      expect(box?.height).toBeGreaterThan(100);
      await expect.poll(() => page.locator('.vmlab-verdict[data-result="open"]').count()).toBe(5);

      const question = page.locator('.vmlab-quiz .vmlab-question').first();
      await question.scrollIntoViewIfNeeded();
      const answer = async (option: string) => {
        await question.getByLabel(option).check();
        await question.getByRole('button', { name: 'Check' }).click();
        return (await question.textContent()) ?? '';
      };
      const before = (await question.textContent()) ?? '';
      const wrong = await answer('in none: it is an application like any other');
      expect(await question.getAttribute('data-result')).toBe('wrong');
      expect(wrong.length).toBeGreaterThan(before.length);
      const again = question.getByRole('button', { name: 'Try again' });
      if ((await again.count()) > 0 && (await again.isVisible())) await again.click();
      await answer('in a virtual kernel mode');
      expect(await question.getAttribute('data-result')).toBe('right');
      expect(await page.locator('.vmlab-quiz').textContent()).toContain('Score: 1 of 12');
    }),
  );
});
