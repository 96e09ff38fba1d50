// predict(): the guess is kept, the result stands beside it; in a real browser, by keyboard, and without scripts.
import { predict } from 'kernel-lib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgementOf } from '../../kernel-lib/lab/predict/page';
import { predictionHtml, revealHtml } from '../../kernel-lib/lab/predict/predict';
import { findChromium, NO_CHROMIUM } from './browser.js';
import { expectAccessible, stripped, tabTo, withFigure } from './figure.js';

const HOOK = Symbol.for('vmlab.kernel');
let shown: Record<string, string>[] = [];

beforeEach(() => {
  shown = [];
  Reflect.set(globalThis, HOOK, { display: (bundle: Record<string, string>) => shown.push(bundle) });
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, HOOK);
});

const WHO = ['guest', 'hypervisor', 'nobody'];

describe('predict', () => {
  it('says the question and the choices, and the result, without scripts and as text', () => {
    predict('who', 'Who uses most cycles?', WHO);
    predict('how-many', 'How many exits?', { unit: 'exits' });
    predict.reveal('how-many', 1234);
    predict.reveal('who', 'hypervisor');
    predict.reveal('never-asked', 1.5);
    const texts = shown.map((bundle) => bundle['text/plain']);
    expect(texts[0]).toContain('Who uses most cycles?\n  - guest\n  - hypervisor');
    expect(texts.slice(2)).toEqual([
      'How many exits? 1,234 exits',
      'Who uses most cycles? hypervisor',
      '1.5',
    ]);
    const html = shown.map((bundle) => stripped(bundle['text/html'])).join('');
    expect(html).toContain('<li>nobody</li>');
    expect(html).toContain('Run this cell');
    expect(html).toContain('It is 1,234 exits.');
  });

  it('mistakes of the author are told', () => {
    expect(() => predict('a b', 'x')).toThrow(/the id "a b" must be made of letters/);
    expect(() => predict('one', 'x', ['only'])).toThrow(/at least two choices/);
    expect(() => predict('twice', 'x', ['a', 'a'])).toThrow(/each of them once/);
    predict('ab', 'x', ['a', 'b']);
    expect(() => predict.reveal('ab', 'c')).toThrow(/"c" is none of the choices of "ab": "a", "b"/);
  });

  it.each([
    ['100', 100, '✓ exactly.'],
    ['1,050', 1000, '✓ close, within a tenth.'],
    ['150', 100, '✗ too high, by 50 %.'],
    ['10', 100, '✗ too low, 10 times.'],
    ['3e6', 100, '✗ too high, 30,000 times.'],
    ['0', 100, '✗ too low.'],
    ['30 %', 30, '✓ exactly.'],
    ['1,5', 1.5, '✓ exactly.'],
    ['a', 'a', '✓ that is it.'],
    ['a', 'b', '✗ not so.'],
  ])('a guess of %s where it is %s: %s', (guess, actual, judgement) => {
    expect(judgementOf(guess, actual)).toBe(judgement);
  });

  it('in a browser: guess, reload, result, anew', async (context) => {
    if (!findChromium()) context.skip(NO_CHROMIUM);
    const asked = [
      predictionHtml('who', 'Who uses most cycles?', WHO),
      predictionHtml('how-many', 'How many exits?', { unit: 'exits', min: 1 }),
    ];
    await withFigure(asked, async (page, reopen) => {
      const said = (n: number) => page.locator('.vmlab-said').nth(n).innerText();
      const button = (n: number, name: string) =>
        page.locator('.vmlab-predict').nth(n).getByRole('button', { name });
      await button(0, 'I predict this').click();
      expect(await said(0)).toBe('Choose one first.');
      await tabTo(page, 'guest');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      expect(await said(0)).toBe('You predict: hypervisor.');
      const number = page.getByLabel('Your guess');
      await number.fill('many');
      await number.press('Enter');
      expect(await said(1)).toMatch(/Please give a number/);
      await number.fill('0');
      await number.press('Enter');
      expect(await said(1)).toMatch(/from 1 to/);
      await number.fill('400');
      await number.press('Enter');
      await page.reload();
      expect(await said(0)).toBe('You predict: hypervisor.');
      expect(await said(1)).toBe('You predict: 400 exits.');
      await expectAccessible(page);

      predict('how-many', 'How many exits?', { unit: 'exits' });
      await reopen([
        ...asked,
        revealHtml('who', 'guest'),
        revealHtml('how-many', 366),
        revealHtml('other', 5),
      ]);
      expect(await said(2)).toBe('You predicted: hypervisor – ✗ not so.');
      expect(await said(3)).toBe('You predicted: 400 exits – ✓ close, within a tenth.');
      expect(await said(4)).toMatch(/no prediction/);
      expect(await said(1)).toBe('You predicted: 400 exits – the answer: 366 exits');
      await expectAccessible(page);
      await button(1, 'Predict anew').click();
      expect(await page.getByLabel('Your guess').isVisible()).toBe(true);
      expect(await said(3)).toMatch(/no prediction/);

      await page.evaluate(`localStorage.setItem('vmlab-predict/who', '{"guess":')`);
      await page.reload();
      expect(await said(2)).toMatch(/no prediction/);
    });
  });
});
