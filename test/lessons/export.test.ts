// Quizzes exported and read again: GIFT by a parser of other people's, QTI as XML, the way Canvas and ILIAS read it.
// Nothing may be lost: questions, options, what is right and what it counts, feedback, hints, explanation, source.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GIFTQuestion, parse, type TextChoice } from 'gift-pegjs';
import { DOMParser } from 'linkedom';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grade } from '../../kernel-lib/lab/quiz/grade';
import type { Question, Quiz } from '../../kernel-lib/lab/quiz/model';
import { parseQuiz } from '../../kernel-lib/lab/quiz/parse';
import { quizNames, readQuiz } from '../../kernel-lib/lab/quiz/quiz';
import { exportQuiz } from '../../scripts/lessons/export';
import { giftOf } from '../../scripts/lessons/gift';
import { iliasOf } from '../../scripts/lessons/ilias';
import { qtiOf } from '../../scripts/lessons/qti';
import { rightPairs, wordsAfter } from '../../scripts/lessons/quiz-parts';
import { project } from '../../scripts/places.mjs';
import { EVERY_KIND, fileWith } from '../lab/quiz/files';

/** Every character that GIFT or XML gives a meaning to, where it could do harm. */
const NASTY = fileWith(
  '### What is `{a} = b ~ c # d: e \\ f`, "x" & `<y>` \u0007?\n\n```\na -> b { c }\n  = d\n```\n\n' +
    '1. [x] `~x` = {1} -> 2\n   > because: `#1` \\n\n2. [ ] a & b < c\n<!-- S1-01 -->\n\n' +
    '### Pairs: {x}?\n\n| a -> b | c |\n|-|-|\n| `a = 1` | {b} |\n| a -> c | ~d: e |\n| x & y | {b} |\n<!-- S1-02 -->\n\n' +
    '### Words?\n\n[[a = b]] [[{c}]] [[1 < d & e]] [[2 * 3]]\n<!-- S1-03 -->\n\n### How much is it?\n\n= 1.3 +- 0.1\n<!-- S1-04 -->\n',
);

const QUIZZES: [string, Quiz][] = [
  ['every kind', parseQuiz(EVERY_KIND, 'quizzes/03-every-kind.md')],
  ['nasty characters', parseQuiz(NASTY, 'quizzes/04-nasty.md')],
  ...quizNames(join(project, 'quizzes')).map((name): [string, Quiz] => [name, readQuiz(name, project)]),
];

const bodyOf = (question: Question) => `<p>${question.prompt.html}</p>${question.body.html}`;
/** Line ends and the space around a text mean nothing in HTML; characters that XML forbids are left out. */
const same = (text: string) => text.replace(/\s+/g, ' ').replaceAll('\u0007', '').trim();

/** What each answer counts, from -1 to 1: by our own grader. */
function pointsOf(question: Question): number[] {
  if (question.kind === 'single') return question.options.map((_, n) => grade(question, n).score);
  if (question.kind !== 'several') return [];
  return question.options.map((_, n) => (question.right.includes(n) ? 1 : -1) / question.right.length);
}

describe.each(QUIZZES)('%s', (_, quiz) => {
  it('is whole in GIFT', () => {
    const read = parse(giftOf(quiz));
    expect(read[0]).toMatchObject({ type: 'Category', title: `$course$/${quiz.name}` });
    const questions = read.slice(1) as Exclude<GIFTQuestion, { type: 'Category' | 'Description' }>[];
    expect(questions).toHaveLength(quiz.questions.length);
    questions.forEach((found, n) => {
      const question = quiz.questions[n];
      expect(found.stem.format).toBe('html');
      expect(same(found.stem.text)).toBe(same(bodyOf(question)));
      expect(same(found.globalFeedback?.text ?? '')).toBe(same(wordsAfter(question)));
      giftAnswers(found, question);
    });
  });

  it.each([
    ['Canvas', qtiOf],
    ['ILIAS', iliasOf],
  ])('is sound in the QTI of %s', (_, write) => {
    const document = new DOMParser().parseFromString(write(quiz), 'text/xml');
    soundQti(document.documentElement as unknown as Element);
  });

  it('is whole in the QTI of ILIAS', () => {
    const document = new DOMParser().parseFromString(iliasOf(quiz), 'text/xml');
    const items = [...document.querySelectorAll('item')] as unknown as Element[];
    expect(items).toHaveLength(quiz.questions.length);
    items.forEach((item, n) => {
      iliasItem(item, quiz.questions[n]);
    });
  });

  it('is whole in the QTI of Canvas', () => {
    const document = new DOMParser().parseFromString(qtiOf(quiz), 'text/xml');
    const items = [...document.querySelectorAll('item')];
    expect(items).toHaveLength(quiz.questions.length);
    items.forEach((item, n) => {
      const question = quiz.questions[n];
      const text = (selector: string) => same(item.querySelector(selector)?.textContent ?? '');
      expect(text('presentation > material')).toBe(same(bodyOf(question)));
      expect(text('itemfeedback[ident=general_fb]')).toBe(same(wordsAfter(question)));
      expect(item.innerHTML).toContain(`<fieldlabel>source</fieldlabel>`);
      qtiAnswers(item as unknown as Element, question);
    });
  });
});

/** The parser's own marks for escaped characters, which it leaves in the right half of a pair. */
function unmarked(text: string): string {
  return text.replace(/&&(\d{3});/g, (_, code) => String.fromCharCode(Number(code)));
}

/** What the test uses of an XML element. */
interface Element {
  tagName: string;
  children: Iterable<Element>;
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
  getAttribute(name: string): string | null;
  textContent: string | null;
}

/** The bounds of a number, without the last digits that only binary fractions have. */
function bounds({ low, high }: { low: number; high: number }): number[] {
  return [low, high].map((bound) => Number(bound.toPrecision(12)));
}

/** What may stand in an element of QTI 1.2, of those that we write, in this order. */
const CONTENT: Record<string, RegExp> = {
  questestinterop: /^(assessment |(item )+)$/,
  assessment: /^section $/,
  section: /^(item )+$/,
  item: /^itemmetadata presentation resprocessing (itemfeedback )+$/,
  presentation: /^(flow |material (response_(lid|str) )+)$/,
  flow: /^material response_(lid|str|num|grp) $/,
  response_lid: /^(material )?render_choice $/,
  response_grp: /^render_choice $/,
  response_str: /^render_fib $/,
  response_num: /^render_fib $/,
  render_choice: /^(response_label )+$/,
  resprocessing: /^outcomes (respcondition )+$/,
  respcondition: /^conditionvar (setvar )?(displayfeedback )?$/,
  itemfeedback: /^flow_mat $/,
  flow_mat: /^material $/,
  material: /^mattext $/,
};

/** Elements where they may stand, identifiers once, and each reference to something that is there. */
function soundQti(root: Element): void {
  const visit = (element: Element) => {
    const inside = [...element.children].map(({ tagName }) => `${tagName} `).join('');
    expect(inside, element.tagName).toMatch(CONTENT[element.tagName] ?? /^/);
    for (const child of element.children) visit(child);
  };
  visit(root);
  const values = (selector: string, name: string, within: Element) =>
    [...within.querySelectorAll(selector)].map((element) => element.getAttribute(name));
  const once = (names: (string | null)[]) => expect(new Set(names).size).toBe(names.length);
  once(values('item', 'ident', root));
  for (const item of root.querySelectorAll('item')) {
    const responses = ['lid', 'str', 'num', 'grp'].flatMap((kind) =>
      values(`response_${kind}`, 'ident', item),
    );
    once(responses);
    for (const choice of item.querySelectorAll('render_choice'))
      once(values('response_label', 'ident', choice));
    const tests = ['varequal', 'vargte', 'varlte', 'varsubset'];
    for (const test of tests)
      for (const named of values(test, 'respident', item)) expect(responses).toContain(named);
    const feedback = values('itemfeedback', 'ident', item);
    once(feedback);
    for (const named of values('displayfeedback', 'linkrefid', item)) expect(feedback).toContain(named);
  }
}

/** What ILIAS's importer takes of an item, compared with the question. */
function iliasItem(item: Element, question: Question): void {
  const all = (selector: string, within: Element = item) => [...within.querySelectorAll(selector)];
  const textOf = (element: Element | null) => same(element?.textContent ?? '');
  const entries = all('qtimetadatafield').map((field) => [
    textOf(field.querySelector('fieldlabel')),
    textOf(field.querySelector('fieldentry')),
  ]);
  const entry = new Map(entries as [string, string][]);
  expect(entry.get('QUESTIONTYPE')).toMatch(/ QUESTION$/);
  expect(entry.get('AUTHOR')).not.toBe('');
  expect(entry.get('source')).toBe(same(question.source));
  expect(textOf(item.querySelector('presentation material'))).toBe(same(bodyOf(question)));
  for (const when of ['allcorrect', 'onenotcorrect'])
    expect(textOf(item.querySelector(`itemfeedback[ident=response_${when}]`))).toBe(
      same(wordsAfter(question)),
    );
  const labels = all('response_label').map((label) => [label.getAttribute('ident'), textOf(label)]);
  const points = all('respcondition')
    .filter((condition) => condition.querySelector('not') === null)
    .map((condition) => ({
      test: textOf(condition.querySelector('conditionvar')),
      points: Number(textOf(condition.querySelector('setvar'))),
    }));
  const gained = points.filter((one) => one.points > 0);
  expect(gained.reduce((sum, one) => sum + one.points, 0)).toBeCloseTo(1, 9);
  if (question.kind === 'single' || question.kind === 'several') {
    expect(labels).toEqual(question.options.map(({ html }, n) => [String(n), same(html)]));
    pointsOf(question).forEach((wanted, n) => {
      expect(points[n].test).toBe(String(n));
      expect(points[n].points).toBeCloseTo(wanted, 4);
      const said = textOf(item.querySelector(`itemfeedback[ident=response_${n}]`));
      expect(said).toBe(same(question.options[n].feedback.html));
    });
  } else if (question.kind === 'number') {
    const told = ['vargte', 'varlte'].map((test) => Number(textOf(item.querySelector(test))));
    expect(told).toEqual(bounds(question));
  } else if (question.kind === 'text') {
    expect(points[0].test.split(',')).toEqual(question.written.map(same));
  } else {
    const nameOf = new Map(labels as [string, string][]);
    const pairs = points.map(({ test }, n) =>
      question.kind === 'order'
        ? [`place ${n + 1}`, nameOf.get(test)]
        : test
            .split(',')
            .reverse()
            .map((ident) => nameOf.get(ident)),
    );
    expect(pairs).toEqual(rightPairs(question).map(([left, right]) => [same(left.html), same(right.html)]));
    const isShared = question.kind === 'match' && question.rights.length < question.lefts.length;
    expect(entry.get('matching_mode') ?? '1:1').toBe(isShared ? 'n:n' : '1:1');
  }
}

/** Compares what GIFT's parser read with the question. */
function giftAnswers(found: GIFTQuestion, question: Question): void {
  if (question.kind === 'single' || question.kind === 'several') {
    if (found.type !== 'MC') throw new Error(`${question.prompt.text}: ${found.type}`);
    const weights = found.choices.map(({ isCorrect, weight }) => (weight ?? (isCorrect ? 100 : 0)) / 100);
    pointsOf(question).forEach((points, n) => {
      expect(weights[n]).toBeCloseTo(points, 4);
    });
    expect(found.choices.map(({ text }) => same(text.text))).toEqual(
      question.options.map(({ html }) => same(html)),
    );
    expect(found.choices.map(({ feedback }) => same(feedback?.text ?? ''))).toEqual(
      question.options.map(({ feedback }) => same(feedback.html)),
    );
  } else if (question.kind === 'number') {
    const [low, high] = bounds(question);
    expect(found).toMatchObject({
      type: 'Numerical',
      choices: { type: 'high-low', numberLow: low, numberHigh: high },
    });
  } else if (question.kind === 'text') {
    expect(found.type).toBe('Short');
    expect((found as { choices: TextChoice[] }).choices.map(({ text }) => text.text)).toEqual(
      question.written.map((word) => word.replaceAll('*', '\\*')),
    );
  } else {
    if (found.type !== 'Matching') throw new Error(`${question.prompt.text}: ${found.type}`);
    const pairs = found.matchPairs.map(({ subquestion, subanswer }) => [
      same(subquestion.text),
      same(unmarked(subanswer)),
    ]);
    expect(pairs).toEqual(rightPairs(question).map(([left, right]) => [same(left.html), same(right.text)]));
  }
}

/** The answers of a QTI item that score in full or in part, worked out from its conditions. */
function qtiAnswers(item: Element, question: Question): void {
  const all = (selector: string, within: Element = item) => [...within.querySelectorAll(selector)];
  const scoring = all('respcondition').filter((condition) => condition.querySelector('setvar'));
  const textOf = (element: Element | null) => same(element?.textContent ?? '');
  if (question.kind === 'single' || question.kind === 'several') {
    expect(all('response_label').map(textOf)).toEqual(question.options.map(({ html }) => same(html)));
    const [condition] = scoring;
    const refused = all('not varequal', condition).map(textOf);
    const chosen = all('varequal', condition)
      .map(textOf)
      .filter((id) => !refused.includes(id));
    const right = question.kind === 'single' ? [question.right] : question.right;
    expect(chosen).toEqual(right.map((n) => `a${n}`));
    if (question.kind === 'several') expect(chosen.length + refused.length).toBe(question.options.length);
    const feedback = question.options.map((_, n) =>
      textOf(item.querySelector(`itemfeedback[ident=a${n}_fb]`)),
    );
    expect(feedback).toEqual(question.options.map((option) => same(option.feedback.html)));
    const shown = all('displayfeedback').map((element) => element.getAttribute('linkrefid'));
    for (const [n, option] of question.options.entries())
      expect(shown.includes(`a${n}_fb`)).toBe(option.feedback.html !== '');
  } else if (question.kind === 'number') {
    expect([textOf(item.querySelector('vargte')), textOf(item.querySelector('varlte'))].map(Number)).toEqual(
      bounds(question),
    );
  } else if (question.kind === 'text') {
    expect(all('varequal', scoring[0]).map(textOf)).toEqual(question.written.map(same));
    expect(all('varequal', scoring[0]).every((element) => element.getAttribute('case') === 'No')).toBe(true);
  } else {
    const pairs = all('response_lid').map((response, n) => {
      const right = textOf(scoring[n].querySelector('varequal'));
      return [
        textOf(response.querySelector('material')),
        textOf(response.querySelector(`response_label[ident=${right}]`)),
      ];
    });
    expect(pairs).toEqual(rightPairs(question).map(([left, right]) => [same(left.html), same(right.text)]));
    const points = scoring.map((condition) => Number(textOf(condition.querySelector('setvar'))));
    expect(points.reduce((sum, value) => sum + value, 0)).toBeCloseTo(100, 0);
  }
}

describe('the files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vmlab-export-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('of QTI are a package that Python’s zipfile and XML parser read, with a manifest that names what is there', () => {
    const name = '03-trap-and-emulate';
    const archive = exportQuiz(project, name, 'qti', folder);
    const script =
      'import sys, zipfile, xml.dom.minidom as m\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n' +
      'docs = {n: m.parseString(z.read(n)) for n in z.namelist()}\n' +
      'print(sorted(docs), docs["imsmanifest.xml"].getElementsByTagName("file")[0].getAttribute("href"))';
    const said = execFileSync('python3', ['-c', script, archive], { encoding: 'utf8' });
    expect(said).toBe(`['${name}.xml', 'imsmanifest.xml'] ${name}.xml\n`);
    const before = readFileSync(archive);
    exportQuiz(project, name, 'qti', folder);
    expect(readFileSync(archive).equals(before)).toBe(true);
  });

  it('for ILIAS have no accepted answer with a comma, at which it would be cut in two', () => {
    const comma = parseQuiz(fileWith('### W?\n\n[[a, b]] [[c]]\n<!-- S -->\n'), 'quizzes/05-comma.md');
    expect(() => iliasOf(comma)).toThrow('quizzes/05-comma.md:5: ILIAS would take "a, b" for two answers.');
  });

  it('of the command are named; what it doesn’t know it says in two lines', () => {
    const run = (...args: string[]) => {
      try {
        return execFileSync('npm', ['run', '-s', 'lessons', '--', 'export', ...args], {
          cwd: project,
          encoding: 'utf8',
          stdio: 'pipe',
        });
      } catch (error) {
        const { status, stderr } = error as { status: number; stderr: string };
        const lines = stderr
          .trim()
          .split('\n')
          .filter((line) => !line.startsWith('npm'));
        return [status, ...lines];
      }
    };
    expect(run('gift', '03', '--out', folder)).toBe(`made: ${join(folder, '03-trap-and-emulate.gift')}\n`);
    const usage = 'Usage: npm run lessons -- export gift|qti|ilias [quiz …] --out DIR';
    expect(run('moodle', '--out', folder)).toEqual([
      2,
      'Which format? gift, qti, ilias: not "moodle".',
      usage,
    ]);
    expect(run('qti')).toEqual([2, 'Where to? Give a folder: --out DIR.', usage]);
  });
});
