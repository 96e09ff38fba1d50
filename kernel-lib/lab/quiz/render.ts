/**
 * A quiz as interactive HTML: what a notebook's output shows, and a page from a file.
 *
 * The questions stand there as plain form controls. A script, sent along, makes them check themselves.
 * Where scripts are stripped (a notebook that was not run yet), the questions can still be read, a line
 * says what to do, and no answer is to be found: answers and feedback are in the script alone. There they
 * are base64, so that nobody reads them in passing; who wants to look them up can, and may.
 *
 * Only classes and data attributes, never an `id`: the same quiz can be on a page twice.
 */
import { createHash } from 'node:crypto';
import { type AnswerKey, gradeSource } from './grade';
import { escapeHtml, type Prose, type Question, type Quiz, solution } from './model';
import { type PageQuestion, type PageQuiz, pageSource } from './page';
import { STYLE } from './style';

/**
 * The quiz as a piece of HTML that needs nothing else.
 * @param asleep what is said where scripts are stripped or turned off
 */
export function renderQuiz(quiz: Quiz, asleep = 'Run this cell to make the quiz interactive.'): string {
  const title = escapeHtml(quiz.title);
  return `<div class="vmlab-quiz" data-quiz="${escapeHtml(quiz.name)}" role="group" aria-label="Quiz: ${title}">
<style>${STYLE}</style>
<p class="vmlab-title">Quiz: ${title}</p>
<p class="vmlab-asleep">${escapeHtml(asleep)}</p>
${quiz.questions.map(renderQuestion).join('\n')}
<script>${scriptOf(quiz)}</script>
</div>`;
}

const ASLEEP_PAGE =
  'The questions check themselves where scripts may run: turn on JavaScript for this page, or open it in another browser.';

/** The quiz as a page of its own, to be opened from a file. */
export function renderQuizPage(quiz: Quiz): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(quiz.title)} (quiz)</title>
<style>:root { color-scheme: light dark; }</style>
</head>
<body><main>
<h1>${escapeHtml(quiz.title)}</h1>
${renderQuiz(quiz, ASLEEP_PAGE)}
</main></body>
</html>
`;
}

function renderQuestion(question: Question, index: number): string {
  const hints = question.hints.map((hint, stage) => {
    const count = question.hints.length > 1 ? ` ${stage + 1} of ${question.hints.length}` : '';
    return `<details class="vmlab-hint"><summary>Hint${count}</summary>${hint.html}</details>\n`;
  });
  return `<fieldset class="vmlab-question">
<legend>${index + 1}. ${question.prompt.html}</legend>
${question.body.html}
${renderAnswers(question, hashOf(question))}
${hints.join('')}</fieldset>`;
}

function renderAnswers(question: Question, hash: string): string {
  switch (question.kind) {
    case 'single':
      return rows(
        '',
        question.options.map((option) => choice('radio', hash, option)),
      );
    case 'several':
      return `<p>Several can be right.</p>${rows(
        '',
        question.options.map((option) => choice('checkbox', hash, option)),
      )}`;
    case 'number':
      return '<label>Your answer, a number: <input type="text" inputmode="decimal" size="12" autocomplete="off"></label>';
    case 'text':
      return '<label>Your answer, a word or two: <input type="text" size="28" autocomplete="off" spellcheck="false"></label>';
    case 'match':
      return `<p>${question.headings[0].html} → ${question.headings[1].html}</p>${rows(
        '',
        question.lefts.map((left) => pair(left, question.rights)),
      )}`;
    case 'order':
      return `<p>Put these into the right order.</p><ul class="vmlab-rows vmlab-sort">${question.items
        .map(
          (item, index) =>
            `<li class="vmlab-row" data-item="${index}"><span class="vmlab-item">${item.html}</span></li>`,
        )
        .join('\n')}</ul>`;
  }
}

function rows(className: string, contents: string[]): string {
  return `<div class="vmlab-rows${className}">${contents
    .map((content) => `<div class="vmlab-row">${content}</div>`)
    .join('\n')}</div>`;
}

function choice(type: 'radio' | 'checkbox', hash: string, option: Prose): string {
  return `<label class="vmlab-option"><input type="${type}" name="vmlab-${hash}"> <span>${option.html}</span></label>`;
}

function pair(left: Prose, rights: Prose[]): string {
  const options = rights.map((right, index) => `<option value="${index}">${escapeHtml(right.text)}</option>`);
  return `<label class="vmlab-pair"><span>${left.html}</span> <select><option value="">choose…</option>${options.join('')}</select></label>`;
}

/** Changes with the question's words and answers, so that answers to an older wording are not kept. */
function hashOf(question: Question): string {
  const { line: _, ...rest } = question;
  return createHash('sha256').update(JSON.stringify(rest)).digest('hex').slice(0, 12);
}

function scriptOf(quiz: Quiz): string {
  const data: PageQuiz = { name: quiz.name, questions: quiz.questions.map(pageQuestion) };
  // `__name` is what some compilers wrap functions in, to keep their names.
  return `(function () {
'use strict';
const __name = (what) => what;
let storage = null;
try { storage = window.localStorage; } catch { /* Not allowed here: nothing is kept. */ }
const root = document.currentScript.closest('.vmlab-quiz');
const quiz = JSON.parse(atob('${hidden(data)}'));
startQuiz({ document, storage, grade }, root, quiz);
${gradeSource()}
${pageSource()}
})();`;
}

function pageQuestion(question: Question): PageQuestion {
  const options = question.kind === 'single' || question.kind === 'several' ? question.options : [];
  return {
    key: keyOf(question),
    hash: hashOf(question),
    feedback: options.map((option) => option.feedback.html),
    explanation: question.explanation.html,
    solution: solution(question).html,
  };
}

function keyOf(question: Question): AnswerKey {
  switch (question.kind) {
    case 'number':
      return { kind: question.kind, low: question.low, high: question.high };
    case 'text':
      return { kind: question.kind, accepted: question.accepted };
    case 'single':
      return { kind: question.kind, right: question.right };
    default:
      return { kind: question.kind, right: question.right };
  }
}

/** What it takes to judge the answers to a quiz that the browser keeps: see `recall` in `page.ts`. */
export function answerKeys(quiz: Quiz): { hash: string; key: AnswerKey }[] {
  return quiz.questions.map((question) => ({ hash: hashOf(question), key: keyOf(question) }));
}

/** The data as base64 of plain ASCII, which is what browsers' `atob` gives back unharmed. */
function hidden(data: PageQuiz): string {
  const ascii = JSON.stringify(data).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(ascii, 'latin1').toString('base64');
}
