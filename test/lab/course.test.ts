// The map of techniques, which fills in as lessons are done, and the glossary with its search.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { glossary, techniqueMap } from 'kernel-lib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findTerms } from '../../kernel-lib/lab/glossary/glossary';
import { readTerms, TERMS } from '../../kernel-lib/lab/glossary/terms';
import { progress } from '../../kernel-lib/lab/progress/progress';
import { keepPoints, keepResult, PROGRESS_FILE, readResults } from '../../kernel-lib/lab/progress/results';
import { readQuiz } from '../../kernel-lib/lab/quiz/quiz';
import { answerKeys } from '../../kernel-lib/lab/quiz/render';
import { project } from '../../scripts/places.mjs';
import { findChromium, NO_CHROMIUM } from './browser.js';
import { expectAccessible, stripped, tabTo, withFigure } from './figure.js';

const HOOK = Symbol.for('vmlab.kernel');
let shown: Record<string, string>[] = [];
let folder: string;
let file: string;

const lesson = (title: string, exercises: string[]) =>
  JSON.stringify({
    cells: [
      { cell_type: 'markdown', source: `# ${title}` },
      { cell_type: 'code', source: exercises.map((id) => `check('${id}', f);`).join('\n') },
    ],
  });

beforeEach(() => {
  shown = [];
  folder = mkdtempSync(join(tmpdir(), 'vmlab-course-'));
  file = join(folder, PROGRESS_FILE);
  writeFileSync(join(folder, '03-trap.ipynb'), lesson('03 · Trap', ['03-a', '03-b']));
  writeFileSync(join(folder, '09-blocks.ipynb'), lesson('09 · Blocks', ['09-a']));
  Reflect.set(globalThis, HOOK, { display: (bundle: Record<string, string>) => shown.push(bundle) });
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  vi.stubEnv('VMLAB_PROGRESS', file);
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, HOOK);
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const last = () => shown.at(-1) ?? {};
const html = () => last()['text/html'] ?? '';
const text = () => last()['text/plain'] ?? '';

describe('the map of techniques', () => {
  it('fills in a row when all exercises of its lesson are right, and says what is missing until then', () => {
    keepResult('03-a', 'right', file);
    techniqueMap();
    expect(text()).toContain('0 of 11 rows are filled in');
    expect(text()).toMatch(
      /trap-and-emulate \(03\) +Fills in with lesson 03: 1 of its 2 exercises are right\./,
    );
    expect(text()).toMatch(/full emulation \(01\) +Comes with lesson 01\./);
    expect(html()).toContain('<a href="09-blocks.ipynb">09</a>');
    keepResult('03-b', 'right', file);
    techniqueMap();
    expect(text()).toContain('1 of 11 rows are filled in');
    expect(text()).toMatch(/trap-and-emulate \(03\) +as it is +each privileged instruction/);
    expect(text()).toMatch(/binary translation \(09\) +Fills in with lesson 09: 0 of its 1 exercises/);
  });

  it('shows all of it to who asks for it, and axe finds nothing serious', async (context) => {
    techniqueMap({ all: true });
    expect(text()).toContain('11 of 11 rows are filled in');
    expect(text()).not.toContain('Fills in with');
    if (!findChromium()) context.skip(NO_CHROMIUM);
    const whole = html();
    techniqueMap();
    await withFigure([whole, html()], (page) => expectAccessible(page));
  });
});

describe('the glossary', () => {
  it('has each term once, with a lesson and a meaning in whole sentences', () => {
    const names = TERMS.flatMap(({ term, also }) => [term, ...also]);
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    expect(twice).toEqual([]);
    for (const { term, meaning, lesson: number } of TERMS) {
      expect(number, term).toMatch(/^(0[1-9]|1[0-7])$/);
      expect(meaning, term).toMatch(/^[A-Z“].{15,}[.]$/);
    }
    expect(TERMS.length).toBeGreaterThan(80);
  });

  it('finds a term, another name of it, a part, a word of a meaning; the best first', () => {
    expect(findTerms('trap')[0].term).toBe('trap');
    expect(findTerms(' VCPU ')[0].term).toBe('virtual CPU');
    expect(findTerms('chain').map(({ term }) => term)).toEqual(['chaining']);
    expect(findTerms('teenager')).toEqual([]);
    expect(findTerms('')).toHaveLength(TERMS.length);
  });

  it('prints what fits, and says it where nothing does', () => {
    glossary('wedge');
    expect(text()).toMatch(/^wedge \(in-place VMM\): The piece of hypervisor .* Lesson 12\.\n/);
    glossary('teenager');
    expect(text()).toBe(`The glossary has no term like "teenager". glossary() shows all ${TERMS.length}.`);
    expect(() => glossary(7 as unknown as string)).toThrow("glossary('trap'), and got number");
    expect(() => readTerms('no entry')).toThrow('No entry of the glossary: no entry');
  });

  it('is searched in the output, by keyboard, and reads well where scripts are stripped', async (context) => {
    glossary('trap');
    expect(stripped(html())).toContain('Run this cell to be able to search.');
    if (!findChromium()) context.skip(NO_CHROMIUM);
    const found = html();
    glossary('<b>"&amp;');
    await withFigure([found], async (page, reopen) => {
      const terms = page.locator('.vmlab-term:visible dt');
      expect(await terms.first().innerText()).toBe('trap');
      const count = await terms.count();
      expect(count).toBeLessThan(TERMS.length);
      expect(await page.getByRole('status').innerText()).toContain(`${count} of ${TERMS.length} terms.`);
      await tabTo(page, 'Search');
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.type('code cache');
      expect(await terms.allInnerTexts()).toEqual([expect.stringContaining('translation cache')]);
      await page.keyboard.type('!');
      expect(await page.getByRole('status').innerText()).toContain(
        `0 of ${TERMS.length} terms. Try a shorter`,
      );
      await expectAccessible(page);
      await reopen([html()]);
      expect(await page.getByRole('searchbox').inputValue()).toBe('<b>"&amp;');
    });
  });
});

describe('quizzes answered in a terminal', () => {
  it('are kept in the file and count in progress(), the better of the two where the browser has one', async (context) => {
    vi.spyOn(process, 'cwd').mockReturnValue(join(project, 'notebooks'));
    const name = '03-trap-and-emulate';
    const [first, second] = answerKeys(readQuiz(name));
    keepPoints(name, first.hash, 0, file);
    keepPoints(name, first.hash, 1, file);
    keepPoints(name, second.hash, 0.4, file);
    keepPoints(name, 'of-an-older-wording', 1, file);
    expect(readResults(file)).toMatchObject({ problem: '' });
    progress();
    expect(text()).toMatch(/03 · Trap and emulate +1\.4 of 12 /);
    if (!findChromium()) context.skip(NO_CHROMIUM);
    await withFigure([html()], async (page) => {
      const score = page.locator(`[data-quiz="${name}"]`);
      expect(await score.innerText()).toBe('1.4 of 12 (2 answered)');
    });
  });

  it('lines that make no sense are left out and told', () => {
    writeFileSync(file, '{"quiz":"x","question":"y","points":7}\n{"quiz":"x","points":1}\n');
    expect(readResults(file).quizzes.size).toBe(0);
    expect(readResults(file).problem).toContain('2 lines of');
  });
});
