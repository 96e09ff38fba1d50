/**
 * Quizzes as GIFT, the text format that Moodle imports.
 *
 * What GIFT has no word for is kept by other means: an order becomes pairs of place and item, which
 * give the same points; hints and source follow the explanation in the general feedback. Weights of
 * several answers are those of our grader: a right one adds its share, a wrong one takes it away.
 */
import type { Prose, Question, Quiz } from '../../kernel-lib/lab/quiz/model';
import { decimal, rightPairs, shareOf, wordsAfter } from './quiz-parts';

/** A quiz as the text of a GIFT file. */
export function giftOf(quiz: Quiz): string {
  const category = `// Quiz ${quiz.name}\n\n$CATEGORY: $course$/${quiz.name.replace(/\//g, '-')}`;
  const questions = quiz.questions.map((question, index) => {
    const name = `${quiz.name} ${String(index + 1).padStart(2, '0')}`;
    const text = harmless(`<p>${question.prompt.html}</p>${question.body.html}`);
    return `// Source: ${question.source.replace(/\s+/g, ' ')}\n::${harmless(name)}::[html]${text}{\n${answersOf(question)}####${harmless(wordsAfter(question))}\n}`;
  });
  return `${[category, ...questions].join('\n\n')}\n`;
}

function answersOf(question: Question): string {
  switch (question.kind) {
    case 'single':
      return question.options
        .map((option, index) => line(index === question.right ? '=' : '~', option, option.feedback))
        .join('');
    case 'several':
      return question.options
        .map((option, index) => {
          const sign = question.right.includes(index) ? '' : '-';
          return line(`~%${sign}${shareOf(question)}%`, option, option.feedback);
        })
        .join('');
    case 'number':
      return `#${decimal(question.low)}..${decimal(question.high)}\n`;
    case 'text':
      // A star would stand for anything.
      return question.written.map((word) => `=${harmless(word.replace(/\*/g, '\\*'))}\n`).join('');
    default:
      return rightPairs(question)
        .map(([left, right]) => `=${harmless(left.html)} -> ${harmless(right.text)}\n`)
        .join('');
  }
}

function line(mark: string, option: Prose, feedback: Prose): string {
  return `${mark}${harmless(option.html)}${feedback.html === '' ? '' : `#${harmless(feedback.html)}`}\n`;
}

/** The text with the characters that mean something in GIFT made harmless, on one line. */
function harmless(text: string): string {
  return text.replace(/[\\~=#{}:]/g, '\\$&').replace(/\n/g, '\\n');
}
