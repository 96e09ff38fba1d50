/**
 * `predict(id, question, choices)`: the learner commits to a guess before running; and
 * `predict.reveal(id, actual)`: the result with the guess beside it.
 *
 * The guess stays in the reader's browser (`page.ts`): the kernel never knows it, so it is there after
 * a reload of the page and a restart of the kernel. Without scripts, the question and the result can
 * still be read.
 */
import { displayHtml } from '../display';
import { pageScript } from '../in-page';
import { STYLE } from '../look';
import { escapeHtml } from '../table';
import {
  PREDICT_FUNCTIONS,
  type PredictionData,
  type RevealData,
  startPrediction,
  startReveal,
} from './page';

/** A guess that is a number. */
export interface NumberGuess {
  /** What is counted: `exits`, `cycles`. */
  unit?: string;
  /** The least and the greatest value that make sense. */
  min?: number;
  max?: number;
}

/** What was asked in this kernel, for `reveal` to check against. */
const asked = new Map<string, { question: string; guess: readonly string[] | NumberGuess }>();

function askFor(id: string, question: string, guess: readonly string[] | NumberGuess = {}): void {
  if (!/^[\w-]+$/.test(id))
    throw new Error(`predict: the id ${JSON.stringify(id)} must be made of letters, digits, - and _.`);
  if (isChoice(guess) && (guess.length < 2 || new Set(guess).size < guess.length))
    throw new Error(`predict: "${id}" must offer at least two choices, each of them once.`);
  asked.set(id, { question, guess });
  const said = isChoice(guess) ? guess.map((choice) => `  - ${choice}`).join('\n') : '  (a number)';
  displayHtml(predictionHtml(id, question, guess), `Predict: ${question}\n${said}`);
}

function reveal(id: string, actual: string | number): void {
  const known = asked.get(id);
  if (known && isChoice(known.guess) && !known.guess.includes(String(actual))) {
    const choices = known.guess.map((choice) => JSON.stringify(choice)).join(', ');
    throw new Error(
      `predict.reveal: ${JSON.stringify(actual)} is none of the choices of "${id}": ${choices}.`,
    );
  }
  const text = known === undefined ? '' : `${known.question} `;
  displayHtml(revealHtml(id, actual), `${text}${shown(actual)}${unitOf(id)}`);
}

/**
 * Asks for a guess, in the cell's output. `predict.reveal` shows what it really was.
 * @param id of letters, digits, - and _; the guess is kept under it
 * @param guess the choices, or what kind of number it is; a number without a unit if left out
 * @throws Error if the id or the choices make no sense; in `reveal`, if `actual` is none of the choices
 */
export const predict = Object.assign(askFor, { reveal });

const isChoice = (guess: readonly string[] | NumberGuess): guess is readonly string[] => Array.isArray(guess);

const shown = (actual: string | number) =>
  typeof actual === 'number' ? actual.toLocaleString('en-GB', { maximumFractionDigits: 3 }) : actual;

function unitOf(id: string): string {
  const guess = asked.get(id)?.guess;
  return guess === undefined || isChoice(guess) || guess.unit === undefined ? '' : ` ${guess.unit}`;
}

/** A choice is no part of a sentence. */
const resultText = (id: string, actual: string | number) =>
  typeof actual === 'number' ? `It is ${shown(actual)}${unitOf(id)}.` : `The answer: ${actual}`;

/** The question as HTML. */
export function predictionHtml(id: string, question: string, guess: readonly string[] | NumberGuess): string {
  const data: PredictionData = isChoice(guess)
    ? { id, question, choices: [...guess], unit: '' }
    : { id, question, choices: null, unit: guess.unit ?? '' };
  if (!isChoice(guess) && guess.min !== undefined) data.min = guess.min;
  if (!isChoice(guess) && guess.max !== undefined) data.max = guess.max;
  const choices = isChoice(guess) ? guess.map((choice) => `<li>${escapeHtml(choice)}</li>`).join('') : '';
  return (
    `${STYLE}<style>${PREDICT_STYLE}</style>` +
    `<div class="vmlab vmlab-predict" role="group" aria-label="Prediction">` +
    `<p><strong>Predict:</strong> ${escapeHtml(question)}</p>` +
    `<div class="vmlab-asleep">${choices === '' ? '' : `<ul>${choices}</ul>`}<p>Run this cell to write down your prediction.</p></div>` +
    `${pageScript('vmlab-predict', startPrediction, PREDICT_FUNCTIONS, data)}</div>`
  );
}

/** The result as HTML. */
export function revealHtml(id: string, actual: string | number): string {
  const data: RevealData = { id, actual, unit: unitOf(id).trim() };
  const question = asked.get(id)?.question ?? '';
  return (
    `${STYLE}<style>${PREDICT_STYLE}</style>` +
    `<div class="vmlab vmlab-predict" role="group" aria-label="Your prediction, and the result">` +
    (question === '' ? '' : `<p>${escapeHtml(question)}</p>`) +
    `<p><strong>${escapeHtml(resultText(id, actual))}</strong></p>` +
    `${pageScript('vmlab-predict', startReveal, PREDICT_FUNCTIONS, data)}</div>`
  );
}

const PREDICT_STYLE = `
.vmlab-predict { border: 1px solid var(--line); border-left: 5px solid var(--strong); border-radius: 4px; padding: 0.3em 1em; max-width: 52em; }
.vmlab-predict p { margin: 0.3em 0; }
.vmlab-predict fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
.vmlab-predict label { display: flex; gap: 0.6em; align-items: baseline; padding: 0.1em 0; }
.vmlab-predict .vmlab-actions { margin: 0.4em 0; }
`;
