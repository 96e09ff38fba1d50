// npm run quiz: every kind of question in a terminal or piped, kept for the next time, ended anywhere; and
// pages that work from a file.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseQuiz } from '../../kernel-lib/lab/quiz/parse';
import { quizNames } from '../../kernel-lib/lab/quiz/quiz';
import { project } from '../../scripts/places.mjs';
import { judge, runQuiz } from '../../scripts/quiz/terminal';
import { findChromium, NO_CHROMIUM, withPage } from '../lab/browser.js';
import { EVERY_KIND } from '../lab/quiz/files';

const quiz = parseQuiz(EVERY_KIND, 'quizzes/03-every-kind.md');
/** The right lines for EVERY_KIND: b; first and third; about the root of 2; a word; pairs; an order. */
const RIGHT = ['b', 'a c', '1.41', 'code  CACHE', rightMatch(), 'cab'];

function rightMatch(): string {
  const question = quiz.questions[4];
  return question.kind === 'match' ? question.right.map((n) => 'ab'[n]).join(' ') : '';
}

/** Runs the quiz on these lines; what was said, and what is kept. */
async function talk(lines: string[], kept = new Map<string, number>(), again = false, width?: number) {
  const said: string[] = [];
  const rest = [...lines];
  const ends = {
    width,
    say: (text: string) => said.push(text),
    ask: async (prompt: string) => {
      said.push(prompt);
      return rest.shift();
    },
  };
  await runQuiz(quiz, ends, { points: kept, keep: (hash, points) => kept.set(hash, points) }, again);
  return { text: said.join('\n'), kept, rest };
}

describe('in a terminal', () => {
  it('takes the right answer to every kind of question', async () => {
    const { text, kept } = await talk(RIGHT);
    expect(text).toContain('Score: 6 of 6 (6 answered)');
    expect([...kept.values()]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(text.match(/✓ Right\./g)).toHaveLength(6);
    expect(text).toContain('Because it is so.');
  });

  it('keeps to the width of a narrow terminal, and to one that reads well in a wide one', async () => {
    const longest = ({ text }: { text: string }) => Math.max(...text.split('\n').map((line) => line.length));
    expect(longest(await talk(['x', 'a', '?', 'show'], new Map(), false, 40))).toBeLessThan(40);
    expect(longest(await talk(RIGHT, new Map(), false, 300))).toBeLessThanOrEqual(88);
  });

  it('gives feedback to a wrong answer, hints one after the other, and the answer to who asks', async () => {
    const { text } = await talk(['a', 'hint', '?', '?', 'b', 'a', 'skip', 'show', 'quit', 'never']);
    expect(text).toContain('✗ a) Not this.');
    expect(text).toMatch(
      /Hint 1 of 2: A first hint\.[\s\S]*Hint 2 of 2: A second hint\.[\s\S]*There are no more hints/,
    );
    expect(text).toContain('1 right one is missing');
    expect(text).toContain('The answer: 1.41 ± 0.01');
    expect(text).toContain('Score: 1.5 of 6 (3 answered)');
  });

  it.each([
    [0, 'z', '"z" is none of the letters a to c.'],
    [0, 'a b', 'Only one of them is right: give one letter.'],
    [0, '', 'Please choose one of the answers.'],
    [1, ' ', 'Please choose at least one of the answers.'],
    [2, 'many', 'Please give a number, such as 8, 2.5 or 0x1f.'],
    [4, 'a', 'Please fill in every place.'],
    [5, 'a a b', 'A letter stands there twice.'],
    [5, '\u0000\u{1f600}', 'is none of the letters'],
  ])('question %i, answered %j: says what it wants, and counts nothing', (n, line, message) => {
    const result = judge(quiz.questions[n], line);
    expect(result).toMatchObject({ judged: false, score: 0 });
    expect(result.message).toContain(message);
  });

  it('asks what was not right the last time; all of it, if told to; and ends at the end of the input', async () => {
    const { kept } = await talk(['b', 'a c', 'skip', 'wrong']);
    const second = await talk([], kept);
    expect(second.text).toContain('2 of them you have answered before');
    expect(second.text).toContain('3. ');
    expect(second.text).not.toContain('1. ');
    expect(second.text).toContain('Score: 2 of 6 (3 answered)');
    expect((await talk([], kept, true)).text).toContain('1. One is right?');
    expect((await talk([], new Map())).text).toContain('Score: 0 of 6 (0 answered)');
  });
});

describe('the command', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vmlab-quiz-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const environment = () => ({ ...process.env, VMLAB_PROGRESS: join(folder, 'progress.jsonl') });
  const run = (args: string[], input = '') => {
    const options = { cwd: project, encoding: 'utf8', input, env: environment() } as const;
    const { status, stdout, stderr } = spawnSync('npm', ['run', '-s', 'quiz', '--', ...args], options);
    return {
      status,
      stdout,
      errors: stderr.split('\n').filter((line) => line !== '' && !line.startsWith('npm')),
    };
  };

  it('works piped, keeps the points, and lists them', () => {
    const { status, stdout } = run(['3'], 'a\nb\n');
    expect(status).toBe(0);
    expect(stdout).toContain('Score: 1 of 12 (1 answered)');
    expect(readFileSync(environment().VMLAB_PROGRESS, 'utf8')).toMatch(
      /"quiz":"03-trap-and-emulate".*"points":1/,
    );
    expect(run([]).stdout).toMatch(/^03 {2}Trap and emulate +1 of 12$/m);
  });

  it('Ctrl-C ends it with the score', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/quiz/main.ts', '03'], {
      cwd: project,
      env: environment(),
    });
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      if (printed.endsWith('a letter > ')) child.kill('SIGINT');
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(printed).toContain('Score: 0 of 12 (0 answered)');
  });

  it.each([
    [['--loud'], "Unknown option '--loud'."],
    [['99'], 'There is no quiz "99". There are: '],
    [['--pages'], "Option '--pages <value>' argument missing."],
    [['03', '03'], 'One quiz at a time.'],
  ])('%j is answered in two lines, with 2', (args, message) => {
    const { status, errors } = run(args);
    expect([status, errors.length]).toEqual([2, 2]);
    expect(errors[0]).toContain(message);
    expect(errors[1]).toContain('Usage: npm run quiz');
  });

  it('makes pages: each works from its file, keeps answers on reload, and is fine with axe', {
    timeout: 600_000,
  }, async (context) => {
    const { stdout } = run(['--pages', folder]);
    const names = quizNames(join(project, 'quizzes'));
    expect(stdout.match(/made: /g)).toHaveLength(names.length + 1);
    if (!findChromium()) context.skip(NO_CHROMIUM);
    await withPage(async (page) => {
      const mistakes: string[] = [];
      page.on('pageerror', (error) => mistakes.push(error.message));
      await page.goto(pathToFileURL(join(folder, 'index.html')).href);
      expect(await page.getByRole('link').count()).toBe(names.length);
      await page.getByRole('link', { name: 'Trap and emulate' }).click();
      await page.getByLabel('in a virtual kernel mode').check();
      await page.getByRole('button', { name: 'Check' }).first().press('Enter');
      await page.reload();
      expect(await page.locator('.vmlab-score').innerText()).toBe('Score: 1 of 12 (1 answered)');
      for (const name of ['index', ...names]) {
        await page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
        await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
        const found = await page.evaluate<{ violations: { id: string; impact: string }[] }>('axe.run()');
        const serious = found.violations.filter(
          ({ impact }) => impact === 'serious' || impact === 'critical',
        );
        expect(serious.map(({ id }) => `${name}: ${id}`)).toEqual([]);
      }
      expect(mistakes).toEqual([]);
    });
  });
});
