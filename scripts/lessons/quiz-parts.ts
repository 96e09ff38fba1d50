/** What exports of a quiz have in common: pairs, shares, and the words that follow the answer. */
import type { Matching, Ordering, Prose, Question, SeveralAnswers } from '../../kernel-lib/lab/quiz/model';
import { escapeHtml, plain } from '../../kernel-lib/lab/quiz/model';

/** The pairs of a matching; of an order, each place with its item: 1 with the first. */
export function rightPairs(question: Matching | Ordering): [Prose, Prose][] {
  if (question.kind === 'match')
    return question.lefts.map((left, row) => [left, question.rights[question.right[row]]]);
  return question.right.map((item, place) => [plain(`place ${place + 1}`), question.items[item]]);
}

/** What a right one of several answers adds, and a wrong one takes away, in percent. */
export function shareOf({ right }: SeveralAnswers): string {
  return String(Number((100 / right.length).toFixed(5)));
}

/** A bound of a number, without the last digits that only binary fractions have: 1.4, not 1.4000000000000001. */
export function decimal(value: number): string {
  return String(Number(value.toPrecision(12)));
}

/** What is said when a question is answered, as HTML: explanation, hints, source. */
export function wordsAfter(question: Question): string {
  const hints = question.hints.map((hint, index) => `<div>Hint ${index + 1}: ${hint.html}</div>`);
  return `${question.explanation.html}${hints.join('')}<p>Source: ${escapeHtml(question.source)}</p>`;
}
