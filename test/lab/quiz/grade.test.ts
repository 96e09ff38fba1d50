import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  type AnswerKey,
  fold,
  grade,
  gradeSource,
  readNumber,
} from '../../../kernel-lib/lab/quiz/grade';

const single: AnswerKey = { kind: 'single', right: 1 };
const several: AnswerKey = { kind: 'several', right: [0, 2] };
const number: AnswerKey = { kind: 'number', low: 1.4, high: 1.42 };
const text: AnswerKey = { kind: 'text', accepted: ['translation cache', 'code cache'] };
const match: AnswerKey = { kind: 'match', right: [1, 0, 1] };
const order: AnswerKey = { kind: 'order', right: [2, 0, 1] };

/** Key, answer, score, what is said. */
const graded: [AnswerKey, Answer, number, RegExp][] = [
  [single, 1, 1, /^Right\.$/],
  [single, 0, 0, /^Not right\.$/],
  [several, [0, 2], 1, /^Right\.$/],
  [several, [0], 0.5, /^Not quite: 1 right one is missing\.$/],
  [several, [0, 1, 2], 0.5, /^Not quite: 1 of your choices is wrong\.$/],
  [several, [1, 3], 0, /^Not quite: 2 of your choices are wrong, and 2 right ones are missing\.$/],
  [number, '1.41', 1, /^Right\.$/],
  [number, ' 1.42 ', 1, /^Right\.$/],
  [number, '1.4', 1, /^Right\.$/],
  [number, '1.43', 0, /^Not right\.$/],
  [text, '  Translation   CACHE', 1, /^Right\.$/],
  [text, 'translationcache', 0, /^Not right\.$/],
  [match, [1, 0, 1], 1, /^Right\.$/],
  [match, [0, 0, 1], 2 / 3, /^Not quite: 2 of 3 are in their place\.$/],
  [order, [2, 0, 1], 1, /^Right\.$/],
  [order, [0, 1, 2], 0, /^Not quite: 0 of 3 are in their place\.$/],
];

/** Key, an answer that can't be judged, what is said. */
const notGraded: [AnswerKey, Answer, RegExp][] = [
  [single, -1, /choose one/],
  [several, [], /choose at least one/],
  [number, '', /give a number/],
  [number, 'eight', /such as 8, 2\.5 or 0x1f/],
  [number, '1,41', /such as/],
  [text, '   ', /write an answer/],
  [match, [1, -1, 1], /every place/],
  [order, [1, 0], /every place/],
  [single, 'b', /answer first/],
  [order, 'b', /answer first/],
];

describe('an answer', () => {
  test.each(graded)('%j answered %j scores %d', (key, answer, score, message) => {
    const result = grade(key, answer);
    expect(result).toMatchObject({ judged: true, correct: score === 1 });
    expect(result.score).toBeCloseTo(score);
    expect(result.message).toMatch(message);
  });

  test.each(notGraded)('%j answered %j is not judged', (key, answer, message) => {
    expect(grade(key, answer)).toMatchObject({ judged: false, correct: false, score: 0 });
    expect(grade(key, answer).message).toMatch(message);
  });

  test('is marked where it was chosen, and nowhere else until it is right', () => {
    expect(grade(single, 0)).toMatchObject({ marks: [false], feedback: [0] });
    const partly = grade(several, [1, 2]);
    expect([partly.marks[0], partly.marks[1], partly.marks[2]]).toEqual([undefined, false, true]);
    expect(partly.feedback).toEqual([1, 2]);
    expect(grade(several, [0, 2]).feedback).toBe('all');
    expect(grade(match, [1, 1, 1]).marks).toEqual([true, false, true]);
  });
});

test('numbers are read as people write them', () => {
  expect(['8', '0x1F', '-0x10', '+3', '.5', '2.', '1e3', '\u22123'].map(readNumber)).toEqual([
    8, 31, -16, 3, 0.5, 2, 1000, -3,
  ]);
  for (const wrong of ['', '8 bytes', '0x', '1_000', 'NaN', 'Infinity', '1e999', '--1', '1'.repeat(50)])
    expect(readNumber(wrong)).toBeUndefined();
});

test('case, space and width are folded', () => {
  expect(fold('  ＶＣＰＵ\t\n X ')).toBe('vcpu x');
});

describe('the grader as text', () => {
  /** Runs the cases in a world that has nothing but the text, and compares. */
  function agrees(source: string): void {
    const cases = [...graded, ...notGraded].map(([key, answer]) => [key, answer]);
    const script = `const __name = (what) => what;\n${source}\nJSON.stringify(${JSON.stringify(cases)}.map(([key, answer]) => grade(key, answer)))`;
    const here = cases.map(([key, answer]) => grade(key as AnswerKey, answer as Answer));
    expect(JSON.parse(runInNewContext(script))).toEqual(JSON.parse(JSON.stringify(here)));
  }

  test('stands on its own as the tests compile it', () => agrees(gradeSource()));

  test('stands on its own as the library is built', () => {
    const file = new URL('../../../kernel-lib/lab/quiz/grade.ts', import.meta.url);
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    agrees(runInNewContext(`const exports = {};\n${outputText}\nexports.gradeSource()`));
  });
});
