/** A quiz as plain text: the questions, without their answers. For outputs that can't show HTML. */
import type { Prose, Question, Quiz } from './model';

/** The whole quiz, numbered, its options lettered. */
export function quizText(quiz: Quiz): string {
  const questions = quiz.questions.map((question, index) => questionText(question, index + 1));
  return [`Quiz: ${quiz.title}`, ...questions].join('\n\n');
}

/** One question with what there is to choose from. `number` stands before it. */
export function questionText(question: Question, number: number): string {
  const body = question.body.text === '' ? [] : [question.body.text];
  return [`${number}. ${question.prompt.text}`, ...body, ...choices(question)].join('\n');
}

function choices(question: Question): string[] {
  switch (question.kind) {
    case 'single':
      return lettered(question.options);
    case 'several':
      return ['   (several can be right)', ...lettered(question.options)];
    case 'number':
      return ['   (a number)'];
    case 'text':
      return ['   (a word or two)'];
    case 'match':
      return [
        `   (match: ${question.headings[0].text} → ${question.headings[1].text})`,
        ...question.lefts.map((left, index) => `   ${index + 1}. ${left.text}`),
        ...lettered(question.rights),
      ];
    case 'order':
      return ['   (put into order)', ...lettered(question.items)];
  }
}

function lettered(items: Prose[]): string[] {
  return items.map((item, index) => `   ${letter(index)}) ${item.text}`);
}

/** a to z, then aa: what an option is called in text. */
export function letter(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letter(Math.floor(index / 26) - 1) + last;
}
