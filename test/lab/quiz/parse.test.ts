import { describe, expect, test } from 'vitest';
import type { Question } from '../../../kernel-lib/lab/quiz/model';
import { parseQuiz } from '../../../kernel-lib/lab/quiz/parse';
import { QuizError } from '../../../kernel-lib/lab/quiz/problems';
import { EVERY_KIND, fileWith } from './files';

function only(question: string): Question {
  const { questions } = parseQuiz(fileWith(question), 'quizzes/one.md');
  expect(questions).toHaveLength(1);
  return questions[0];
}

/** The problems of a file, `line: message`. */
function problemsOf(source: string): string[] {
  try {
    parseQuiz(source, 'quizzes/broken.md');
  } catch (error) {
    if (!(error instanceof QuizError)) throw error;
    expect(error.message).toContain('quizzes/broken.md:');
    return error.problems.map(({ line, message }) => `${line}: ${message}`);
  }
  return [];
}

describe('a quiz file', () => {
  const quiz = parseQuiz(EVERY_KIND, 'quizzes/03-every-kind.md');

  test('has a name, a title, a lesson, and questions with line and source', () => {
    expect(quiz).toMatchObject({ name: '03-every-kind', title: 'Every kind', lesson: '03' });
    const seen = quiz.questions.map(({ kind, line, source }) => [kind, line, source]);
    expect(seen).toEqual([
      ['single', 6, 'S0 Q2'],
      ['several', 18, 'S1-09'],
      ['number', 26, 'S2-03'],
      ['text', 36, 'S0-05'],
      ['match', 41, 'S1-08'],
      ['order', 50, 'S1-08'],
    ]);
  });

  test('single choice: hints in stages, feedback on each option', () => {
    const question = quiz.questions[0];
    if (question.kind !== 'single') throw new Error('not a single choice');
    expect(question.right).toBe(1);
    expect(question.hints.map(({ text }) => text)).toEqual(['A first hint.', 'A second hint.']);
    expect(question.options.map(({ text, feedback }) => [text, feedback.html])).toEqual([
      ['no', '<p>Not <code>this</code>.</p>'],
      ['yes', '<p>Indeed.</p>'],
      ['neither', ''],
    ]);
  });

  test('several answers', () => {
    expect(quiz.questions[1]).toMatchObject({ right: [0, 2], options: [{ text: 'first' }, {}, {}] });
  });

  test('number, with text above and an explanation below', () => {
    const question = quiz.questions[2];
    expect(question.body.html).toBe('<pre><code>csrr a0, sstatus\n</code></pre>');
    expect(question.body.text).toBe('    csrr a0, sstatus');
    expect(question.explanation.text).toBe('Because it is so.');
    if (question.kind !== 'number') throw new Error('not a number');
    expect(question.low).toBeCloseTo(1.4);
    expect(question.high).toBeCloseTo(1.42);
  });

  test.each([
    ['= 8', 8, 8],
    ['= 0x20', 32, 32],
    ['= -3', -3, -3],
    ['= 5 +- 5%', 4.75, 5.25],
    ['= -10 ± 10 %', -11, -9],
    ['= [3, 8]', 3, 8],
  ])('the number %s', (written, low, high) => {
    expect(only(`### N?\n\n${written}\n<!-- S -->`)).toMatchObject({ kind: 'number', low, high });
  });

  test.each(['1. a\n2. b', '1. a\n1. b', '5. a\n6. b', '1) a\n2) b'])('the order %j', (items) => {
    expect(only(`### O?\n\n${items}\n<!-- S -->`)).toMatchObject({ kind: 'order' });
  });

  test('text is accepted with case and space folded', () => {
    expect(quiz.questions[3]).toMatchObject({ accepted: ['translation cache', 'code cache'] });
  });

  test('matching: a right half that two share stands there once', () => {
    const question = quiz.questions[4];
    if (question.kind !== 'match') throw new Error('not a matching');
    expect(question.headings.map(({ text }) => text)).toEqual(['this', 'that']);
    expect(question.lefts[0].html).toBe('<code>a</code>');
    expect(question.rights).toHaveLength(2);
    expect(question.right.map((index) => question.rights[index].text)).toEqual(['one', 'two', 'one']);
  });

  test('ordering and matching never show the right order', () => {
    const ordering = quiz.questions[5];
    if (ordering.kind !== 'order') throw new Error('not an ordering');
    expect(ordering.right.map((index) => ordering.items[index].text)).toEqual(['alpha', 'beta', 'gamma']);
    expect(ordering.right).not.toEqual([0, 1, 2]);
    const pairs = only('### P?\n\n|x|y|\n|-|-|\n|1|a|\n|2|b|\n<!-- S -->');
    expect(pairs).toMatchObject({ kind: 'match', right: [1, 0] });
  });

  test('may have Windows line ends and a byte order mark', () => {
    const windows = `\uFEFF${EVERY_KIND.replace(/\n/g, '\r\n')}`;
    expect(parseQuiz(windows, 'quizzes/03-every-kind.md')).toEqual(quiz);
  });

  test('quoted values in front matter, and a hint of two paragraphs', () => {
    const source = '---\ntitle: "A: B"\nlesson: \'07\'\n---\n### N?\n> a\n>\n> b\n\n= 8\n<!-- S -->';
    const read = parseQuiz(source, 'x.md');
    expect(read).toMatchObject({ title: 'A: B', lesson: '07' });
    expect(read.questions[0].hints).toHaveLength(1);
  });
});

describe('a broken quiz file says where and what to do', () => {
  const whole = '1. [x] a\n2. [ ] b\n<!-- S -->\n';
  const cases: [string, string, string[]][] = [
    ['nothing in it', '', ['1: no front matter', '1: no question']],
    ['no front matter', `### Q?\n${whole}`, ['1: no front matter']],
    [
      'front matter not closed',
      `---\ntitle: x\nlesson: 03\n### Q?\n${whole}`,
      ['1: the front matter is not closed'],
    ],
    ['no lesson', `---\ntitle: x\n---\n### Q?\n${whole}`, ['1: the front matter has no lesson']],
    [
      'a lesson that is no number',
      `---\ntitle: x\nlesson: three\n---\n### Q?\n${whole}`,
      ['1: the front matter has no lesson'],
    ],
    ['no title', `---\nlesson: 03\n---\n### Q?\n${whole}`, ['1: the front matter has no title']],
    [
      'an unknown key',
      `---\ntitle: x\nlesson: 03\nauthor: me\n---\n### Q?\n${whole}`,
      ['4: front matter knows only'],
    ],
    [
      'a key twice',
      `---\ntitle: x\nlesson: 03\ntitle: y\n---\n### Q?\n${whole}`,
      ['4: title is given twice'],
    ],
    ['no question', fileWith(''), ['1: no question']],
    [
      'text before the first question',
      fileWith(`Hello.\n\n### Q?\n${whole}`),
      ['5: this stands before the first question'],
    ],
    ['a heading of another level', fileWith(`## Q?\n${whole}`), ['5: a question begins with ###']],
    ['an empty question', fileWith(`###\n${whole}`), ['5: the question is empty']],
    ['no source', fileWith('### Q?\n1. [x] a\n2. [ ] b\n'), ['5: the question names no source']],
    [
      'an empty source',
      fileWith('### Q?\n1. [x] a\n2. [ ] b\n<!-- -->\n'),
      ['5: the question names no source'],
    ],
    ['no right answer', fileWith('### Q?\n\n1. [ ] a\n2. [ ] b\n<!-- S -->'), ['7: no answer is right']],
    [
      'no right answer among several',
      fileWith('### Q?\n- [ ] a\n- [ ] b\n<!-- S -->'),
      ['6: no answer is right'],
    ],
    [
      'two right ones in a single choice',
      fileWith('### Q?\n1. [x] a\n2. [ ] b\n3. [x] c\n<!-- S -->'),
      ['8: a second right answer'],
    ],
    ['one answer only', fileWith('### Q?\n1. [x] a\n<!-- S -->'), ['6: one answer is no choice']],
    ['an empty answer', fileWith('### Q?\n1. [x] a\n2. [ ]\n<!-- S -->'), ['7: this answer is empty']],
    [
      'the same answer twice',
      fileWith('### Q?\n1. [x] a\n2. [ ] b\n3. [ ] A\n<!-- S -->'),
      ['8: the same answer stands in line 6'],
    ],
    [
      'a box that is none',
      fileWith('### Q?\n- [x] a\n- [] b\n<!-- S -->'),
      ['7: write the box as [ ] or [x]'],
    ],
    ['an answer without a box', fileWith('### Q?\n- [x] a\n- b\n<!-- S -->'), ['7: this answer has no box']],
    ['bullets without boxes', fileWith('### Q?\n- a\n- b\n<!-- S -->'), ['6: this answer has no box']],
    ['no answers', fileWith('### Q?\nWell?\n<!-- S -->'), ['5: the question has no answers']],
    ['an unknown form', fileWith('### Q?\n\n~ 8\n<!-- S -->'), ['5: the question has no answers']],
    [
      'feedback not indented',
      fileWith('### Q?\n1. [ ] a\n> no\n2. [x] b\n<!-- S -->'),
      ['8: a second set of answers', '6: one answer is no choice'],
    ],
    [
      'a list in an answer',
      fileWith('### Q?\n1. [x] a\n   1. [ ] b\n2. [ ] c\n<!-- S -->'),
      ['7: a list, heading or table inside an answer'],
    ],
    [
      'feedback in an order',
      fileWith('### Q?\n1. a\n2. b\n   > no\n<!-- S -->'),
      ['7: feedback on one item'],
    ],
    ['a bad number', fileWith('### Q?\n\n= eight\n<!-- S -->'), ['7: `= eight` is no number']],
    ['an infinite number', fileWith('### Q?\n\n= 1e999\n<!-- S -->'), ['7: `= 1e999` is no number']],
    ['a bad tolerance', fileWith('### Q?\n\n= 8 +- some\n<!-- S -->'), ['7: `= 8 +- some` is no number']],
    ['a negative tolerance', fileWith('### Q?\n\n= 8 +- -1\n<!-- S -->'), ['7: `= 8 +- -1` is no number']],
    ['an interval turned round', fileWith('### Q?\n\n= [8, 3]\n<!-- S -->'), ['7: `= [8, 3]` is no number']],
    ['two numbers', fileWith('### Q?\n\n= 8\n= 9\n<!-- S -->'), ['7: `= 8` is no number']],
    [
      'a number in a paragraph',
      fileWith('### Q?\nSo:\n= 8\n<!-- S -->'),
      ['7: put an empty line before', '5: the question has no answers'],
    ],
    [
      'a number in a hint',
      fileWith('### Q?\n> So.\n= 8\n<!-- S -->'),
      ['7: this line would run on', '5: the question has no answers'],
    ],
    ['an empty word', fileWith('### Q?\n\n[[a]] [[ ]]\n<!-- S -->'), ['7: an accepted answer is empty']],
    [
      'text beside the words',
      fileWith('### Q?\n\n[[a]] or [[b]]\n<!-- S -->'),
      ['7: text beside the accepted answers'],
    ],
    [
      'a table of three columns',
      fileWith('### Q?\n\n|a|b|c|\n|-|-|-|\n|1|2|3|\n<!-- S -->'),
      ['7: a table of 3 columns'],
    ],
    ['a table of one column', fileWith('### Q?\n\n|a|\n|-|\n|1|\n<!-- S -->'), ['7: a table of 1 column:']],
    [
      'a table without pairs',
      fileWith('### Q?\n\n|a|b|\n|-|-|\n|1|2|\n<!-- S -->'),
      ['7: a table to match needs'],
    ],
    ['an empty cell', fileWith('### Q?\n\n|a|b|\n|-|-|\n|1|2|\n|3| |\n<!-- S -->'), ['10: an empty cell']],
    [
      'a left half twice',
      fileWith('### Q?\n\n|a|b|\n|-|-|\n|1|2|\n|1|3|\n<!-- S -->'),
      ['10: the left half also stands in line 9'],
    ],
    [
      'the same question twice',
      fileWith(`### Q?\n${whole}\n### q?\n${whole}`),
      ['10: the same question stands in line 5'],
    ],
    ['HTML', fileWith(`### Q?\n<script>alert(1)</script>\n\n${whole}`), ['6: HTML is not shown']],
    ['HTML in a line', fileWith('### Q?\n1. [x] a\n2. [ ] <b>b</b>\n<!-- S -->'), ['7: HTML is not shown']],
    [
      'a comment not closed',
      fileWith('### Q?\n1. [x] a\n2. [ ] b\n<!-- S\n'),
      ['8: this comment is not closed', '5: the question names no source'],
    ],
    [
      'text beside a comment',
      fileWith('### Q?\n1. [x] a\n2. [ ] b\n<!-- S --> and so on\n'),
      ['8: text beside a comment'],
    ],
    ['a rule', fileWith(`### Q?\n${whole}\n***\n`), ['10: a rule']],
    ['bytes that are no text', fileWith('### Q?\n\uFFFD\n'), ['6: not readable as text']],
    [
      'UTF-16, read as UTF-8',
      Buffer.from(`\uFEFF${fileWith(`### Q?\n${whole}`)}`, 'utf16le').toString('utf8'),
      ['1: not readable as text'],
    ],
    [
      'front matter as YAML has it',
      `---\ntitle: x\nlesson: 03\ntags:\n  - a\n---\n### Q?\n${whole}`,
      ['4: front matter knows only', '5: front matter knows only'],
    ],
    [
      'a merge that was not finished',
      fileWith(`### Q?\n<<<<<<< HEAD\n1. [x] a\n=======\n1. [x] c\n>>>>>>> other\n2. [ ] b\n<!-- S -->`),
      ['6: two versions', '10: two versions'],
    ],
    [
      'a block of code that is not closed',
      fileWith(`### Q?\n<!-- S -->\n\n\`\`\`\n1. [x] a\n2. [ ] b\n`),
      ['5: the question has no answers', '8: this block of code is not closed'],
    ],
    ['a picture', fileWith(`### Q?\nSee:\n![p](p.png)\n\n${whole}`), ['7: a quiz has no pictures']],
    [
      'a link to a file beside it',
      fileWith('### Q?\n1. [x] see [there](other.md)\n2. [ ] b\n<!-- S -->'),
      ['6: the link to other.md leads nowhere'],
    ],
    [
      'an order numbered otherwise',
      fileWith('### Q?\n\n2. b\n1. a\n<!-- S -->'),
      ['7: the items stand in their right order'],
    ],
    ['a share of nothing', fileWith('### Q?\n\n= 0 +- 5%\n<!-- S -->'), ['7: a share of 0 is 0']],
    ['a number in quotes', fileWith('### Q?\n\n= "8"\n<!-- S -->'), ['7: `= "8"` is no number']],
    ['a number with its unit', fileWith('### Q?\n\n= 8 MiB\n<!-- S -->'), ['7: `= 8 MiB` is no number']],
    ['a word not closed', fileWith('### Q?\n\n[[a]\n<!-- S -->'), ['7: text beside the accepted answers']],
    [
      'two kinds of bullets',
      fileWith('### Q?\n- [x] a\n* [ ] b\n<!-- S -->'),
      ['6: one answer is no choice', '7: a second set of answers'],
    ],
    ['far too long', 'x'.repeat(200_000), ['1: longer than']],
  ];

  test.each(cases)('%s', (_, source, expected) => {
    const found = problemsOf(source);
    for (const start of expected) expect(found).toContainEqual(expect.stringContaining(start));
    expect(found).toHaveLength(expected.length);
  });

  test('all problems at once, in order, in one message', () => {
    const source = fileWith('### A?\n1. [ ] a\n2. [ ] b\n<!-- S -->\n\n### B?\n\n= x\n');
    expect(() => parseQuiz(source, 'quizzes/b.md')).toThrow(
      /^quizzes\/b\.md has 3 problems:\n {2}quizzes\/b\.md:6: no answer.*\n {2}quizzes\/b\.md:10: .*source.*\n {2}quizzes\/b\.md:12: .*no number/,
    );
  });
});

describe('whatever the file holds', () => {
  /** Numbers from 0 to below 1, the same ones each time. */
  function random(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
  }

  /** Read or refused with a message and lines of the file; anything else fails the test. */
  function survives(source: string): void {
    const lines = source.split(/\r\n?|\n/).length;
    try {
      parseQuiz(source, 'quizzes/any.md');
    } catch (error) {
      if (!(error instanceof QuizError)) throw error;
      expect(error.problems.length).toBeGreaterThan(0);
      for (const { line, message } of error.problems) {
        if (line < 1 || line > lines || message.length < 10)
          throw new Error(`${line} of ${lines}: ${message}`);
      }
    }
  }

  test('random bytes', () => {
    const next = random(1);
    for (let run = 0; run < 2000; run++) {
      const bytes = Buffer.from(Array.from({ length: next() * 300 }, () => next() * 256));
      survives(bytes.toString(run % 2 ? 'latin1' : 'utf8'));
    }
  });

  test('random scraps of quiz', () => {
    const next = random(2);
    const scraps = [
      '---\n',
      'title: x\n',
      'lesson: 03\n',
      '### Q?\n',
      '\n',
      '> ',
      '1. ',
      '- ',
      '[x] ',
      '[ ] ',
      '= 8',
      '[[a]]',
    ];
    scraps.push(
      '|a|b|\n|-|-|\n',
      '<!-- S -->',
      '<!--',
      '-->',
      '   ',
      '\t',
      '```\n',
      '`',
      '*',
      '<b>',
      '\n\n',
      'word ',
      '+- 5%',
    );
    for (let run = 0; run < 5000; run++) {
      const body = Array.from({ length: next() * 40 }, () => scraps[Math.floor(next() * scraps.length)]).join(
        '',
      );
      survives(run % 2 ? fileWith(body) : body);
    }
  });

  test('a right file, mutated', () => {
    const next = random(3);
    for (let run = 0; run < 4000; run++) {
      let source = EVERY_KIND;
      for (let change = 0; change <= next() * 3; change++) {
        const at = Math.floor(next() * source.length);
        const from = Math.floor(next() * source.length);
        const piece = source.slice(from, from + next() * 30);
        source = source.slice(0, at) + piece + source.slice(at + Math.floor(next() * 20));
      }
      survives(source);
    }
  });

  test.each([
    ['quotes', '>'.repeat(50_000)],
    ['brackets', '['.repeat(90_000)],
    ['comments that never end', '<!--'.repeat(20_000)],
    ['comments and text', `${'<!-- a -->'.repeat(9_000)} x`],
    ['spaces in a number', `= 1${' '.repeat(80_000)}x`],
    ['spaces in a line', `title:${' '.repeat(40_000)}x${' '.repeat(40_000)}x`],
    ['rows', `|a|b|\n|-|-|\n${'|1|2|\n'.repeat(15_000)}`],
    ['answers', '1. [x] a\n'.repeat(10_000)],
    ['lists in lists', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}- a\n`).join('')],
    ['stars', '*a_'.repeat(30_000)],
  ])('too much of it: %s', (_, body) => {
    survives(body);
    survives(fileWith(`### Q?\n\n${body}`));
    survives(`---\n${body}\n---\n### Q?\n`);
  });
});
