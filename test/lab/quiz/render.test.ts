import { describe, expect, test } from 'vitest';
import { parseQuiz } from '../../../kernel-lib/lab/quiz/parse';
import { readQuiz } from '../../../kernel-lib/lab/quiz/quiz';
import { renderQuiz } from '../../../kernel-lib/lab/quiz/render';
import { letter, quizText } from '../../../kernel-lib/lab/quiz/text';
import { EVERY_KIND, fileWith } from './files';

const quiz = parseQuiz(EVERY_KIND, 'quizzes/03-every-kind.md');

/** The HTML without script and style: what an untrusted notebook shows. */
function stripped(html: string): string {
  return html.replace(/<(script|style)>[\s\S]*?<\/\1>/g, '');
}

describe('a quiz as HTML', () => {
  const html = renderQuiz(quiz);

  test('is one element, with nothing from elsewhere and no id', () => {
    expect(html).toMatch(/^<div class="vmlab-quiz" data-quiz="03-every-kind"[\s\S]*<\/div>$/);
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(stripped(html)).not.toMatch(/<[^>]*\s(id|on\w+|src|href)=/);
  });

  test('names its questions, and shows code as code', () => {
    expect(stripped(html)).toContain('<legend>1. One is right?</legend>');
    expect(html).toContain('<pre><code>csrr a0, sstatus\n</code></pre>');
    expect(html.match(/<fieldset/g)).toHaveLength(6);
  });

  test('gives no answer and no feedback away, neither stripped nor at a glance', () => {
    for (const secret of [
      'Indeed',
      'True of the first',
      'Because it is so',
      'translation cache',
      '1.41',
      '[x]',
    ]) {
      expect(html).not.toContain(secret);
    }
    expect(stripped(html)).not.toMatch(/checked|right"|selected/);
    expect(stripped(html)).toContain('Run this cell');
  });

  test('the same quiz gives the same HTML', () => {
    expect(renderQuiz(parseQuiz(EVERY_KIND, 'quizzes/03-every-kind.md'))).toBe(html);
  });

  test('what looks like HTML in a quiz stays text', () => {
    const source = fileWith(
      '### `</script><b>` & "co"?\n- [x] `<img onerror=x>`\n- [ ] [link](javascript:x)\n<!-- S -->',
    ).replace('title: One', 'title: <i>"One"</i>');
    const hostile = renderQuiz(parseQuiz(source, 'quizzes/"x".md'));
    expect(hostile.match(/<\/script>/g)).toHaveLength(1);
    expect(stripped(hostile)).not.toMatch(/<(i|b|img|a)\b/);
    expect(hostile).toContain('data-quiz="&quot;x&quot;"');
    expect(hostile).toContain('aria-label="Quiz: &lt;i&gt;&quot;One&quot;&lt;/i&gt;"');
  });
});

describe('a quiz as text', () => {
  const text = quizText(quiz);

  test('has the questions and their options', () => {
    expect(text).toContain('Quiz: Every kind\n\n1. One is right?\n   a) no\n   b) yes\n   c) neither\n\n2.');
    expect(text).toContain('3. A number?\n    csrr a0, sstatus\n   (a number)');
    expect(text).toContain('   (match: this → that)\n   1. a\n   2. b\n   3. c\n   a) one\n   b) two');
  });

  test('has no answers', () => {
    for (const secret of ['[x]', 'Indeed', '1.41', 'translation cache']) expect(text).not.toContain(secret);
  });

  test('letters go on after z', () => {
    expect([0, 25, 26, 51, 52].map(letter)).toEqual(['a', 'z', 'aa', 'az', 'ba']);
  });
});

describe('the quiz of lesson 03', () => {
  const lesson = readQuiz('03-trap-and-emulate');

  test('has ten to fourteen questions of every kind', () => {
    expect(lesson.questions.length).toBeGreaterThanOrEqual(10);
    expect(lesson.questions.length).toBeLessThanOrEqual(14);
    const kinds = new Set(lesson.questions.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['match', 'number', 'order', 'several', 'single', 'text']);
  });

  test('each option of a choice has feedback', () => {
    for (const question of lesson.questions) {
      if (question.kind !== 'single' && question.kind !== 'several') continue;
      for (const option of question.options) expect(option.feedback.text, option.text).not.toBe('');
    }
  });

  test('its sum is right: 2,000 of 1,000,000 instructions cost 600 cycles instead of 1', () => {
    const sum = lesson.questions.find(({ prompt }) => prompt.text.startsWith('A guest executes'));
    if (sum?.kind !== 'number') throw new Error('the question about cycles is gone');
    const ratio = (998_000 + 2_000 * 600) / 1_000_000;
    expect(sum.low).toBeLessThanOrEqual(ratio);
    expect(sum.high).toBeGreaterThanOrEqual(ratio);
  });
});
