/**
 * What a quiz is, once read: a lesson's questions, each of one of six kinds, with its right answer.
 *
 * `parse.ts` makes it from a Markdown file, `grade.ts` judges an answer, `render.ts` and `text.ts`
 * show it. The right answer of a question is part of it under the names that the grader reads
 * (`AnswerKey`), so that a question can be handed to the grader as it is.
 */
import type { AnswerKey } from './grade';

/** A piece of a quiz's text, as HTML and as plain text. Both are empty strings where there is none. */
export interface Prose {
  html: string;
  text: string;
}

/** What every question has. */
export interface Asked {
  /** The line of its heading in the quiz file, from 1. */
  line: number;
  prompt: Prose;
  /** What stands between the heading and the answers, hints aside. */
  body: Prose;
  /** In the order in which they are to be unfolded. */
  hints: Prose[];
  /** Shown once the question is answered. */
  explanation: Prose;
  /** Where the facts are from, `S0 Q2`. */
  source: string;
}

/** One option, and what to say to those who choose it. */
export interface Option extends Prose {
  feedback: Prose;
}

type Key<Kind extends AnswerKey['kind']> = Extract<AnswerKey, { kind: Kind }>;

/** One of the options is right. */
export interface SingleChoice extends Asked, Key<'single'> {
  options: Option[];
}

/** Some of the options are right. */
export interface SeveralAnswers extends Asked, Key<'several'> {
  options: Option[];
}

/** A number from `low` to `high`. */
export interface NumberQuestion extends Asked, Key<'number'> {
  /** The answer as the author wrote it, `1.41 +- 0.01`. */
  written: string;
}

/** A word or two; any of the accepted ones. */
export interface TextQuestion extends Asked, Key<'text'> {
  /** As the author wrote them; `accepted` has them folded. */
  written: string[];
}

/** To each of `lefts` belongs one of `rights`. */
export interface Matching extends Asked, Key<'match'> {
  headings: [Prose, Prose];
  lefts: Prose[];
  /** Each once, sorted (and turned if need be), so that their order gives nothing away. */
  rights: Prose[];
}

/** Items to put in order; `items` has them shuffled. */
export interface Ordering extends Asked, Key<'order'> {
  items: Prose[];
}

export type Question = SingleChoice | SeveralAnswers | NumberQuestion | TextQuestion | Matching | Ordering;

export interface Quiz {
  /** The file's name without `.md`, `03-trap-and-emulate`. */
  name: string;
  title: string;
  /** The lesson's number, `03`. */
  lesson: string;
  questions: Question[];
}

/** The right answer in words, to be shown to who gives up. */
export function solution(question: Question): Prose {
  switch (question.kind) {
    case 'single':
      return question.options[question.right];
    case 'several':
      return list(
        'ul',
        question.right.map((index) => question.options[index]),
      );
    case 'number':
      return plain(question.written.replace(/\+\/?-/, '±'));
    case 'text':
      return plain(question.written[0]);
    case 'match':
      return list(
        'ul',
        question.lefts.map((left, row) => paired(left, question.rights[question.right[row]])),
      );
    case 'order':
      return list(
        'ol',
        question.right.map((index) => question.items[index]),
      );
  }
}

function list(tag: 'ul' | 'ol', items: Prose[]): Prose {
  return {
    html: `<${tag}>${items.map((item) => `<li>${item.html}</li>`).join('')}</${tag}>`,
    text: items.map((item) => item.text).join('; '),
  };
}

function paired(left: Prose, right: Prose): Prose {
  return { html: `${left.html}: ${right.html}`, text: `${left.text}: ${right.text}` };
}

/** Plain text as prose. */
export function plain(text: string): Prose {
  return { html: escapeHtml(text), text };
}

/** The text with the characters that mean something in HTML made harmless. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => names[character]);
}
