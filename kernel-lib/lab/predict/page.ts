/**
 * A prediction in the reader's browser: the form, the guess that is kept, the guess beside the result.
 *
 * Question and result are two outputs; they meet in what the browser keeps under the prediction's id,
 * and tell each other of changes. A guess can be changed until the result has been seen.
 * Functions here are sent as text: see `in-page.ts`.
 */
import type { Page, Part } from '../in-page';

/** What the question's script is given. `choices` null: a number is asked for. */
export interface PredictionData {
  id: string;
  question: string;
  choices: string[] | null;
  unit: string;
  min?: number;
  max?: number;
}

/** What the result's script is given. */
export interface RevealData {
  id: string;
  actual: string | number;
  unit: string;
}

/** What is kept. */
interface Kept {
  guess: string;
  /** The result, once it has been seen beside the guess. */
  actual?: string;
}

/** Brings a question to life. */
export function startPrediction(page: Page, root: Part, data: PredictionData): void {
  root.querySelector('.vmlab-asleep')?.remove();
  const form = page.add(root, 'div', '');
  const said = page.add(root, 'p', 'vmlab-said');
  said.setAttribute('role', 'status');
  const actions = page.add(root, 'div', 'vmlab-actions');
  const commit = page.button(actions, 'I predict this');
  const again = page.button(actions, 'Predict anew');
  const read = addForm(page, form, data);
  const show = () => {
    const kept = recallGuess(page, data.id);
    form.hidden = commit.hidden = kept !== null;
    again.hidden = kept === null;
    again.textContent = kept?.actual === undefined ? 'Change it' : 'Predict anew';
    const unit = data.unit === '' ? '' : ` ${data.unit}`;
    said.textContent = kept === null ? '' : `You predict: ${kept.guess}${unit}.`;
    if (kept?.actual !== undefined)
      said.textContent = `You predicted: ${kept.guess}${unit} – the answer: ${kept.actual}${unit}`;
  };
  const take = () => {
    const guess = read();
    const problem = problemOf(guess, data);
    if (problem === '') keepGuess(page, data.id, { guess });
    show();
    if (problem === '') again.focus();
    else said.textContent = problem;
  };
  commit.addEventListener('click', take);
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !event.target.matches('input')) return;
    event.preventDefault(); // Or the button that gets the focus next would take the key, too.
    take();
  });
  again.addEventListener('click', () => {
    keepGuess(page, data.id, null);
    show();
    form.querySelector('input')?.focus();
  });
  page.hear('vmlab-predict', show);
  page.keepShortcutsAway(root);
  show();
}

/** The controls for the guess. @returns what reads the guess from them */
function addForm(page: Page, form: Part, data: PredictionData): () => string {
  if (data.choices === null) {
    const label = page.add(form, 'label', '', 'Your guess:');
    const input = page.add(label, 'input', '');
    input.type = 'text';
    input.setAttribute('inputmode', 'decimal');
    input.setAttribute('size', '12');
    input.setAttribute('autocomplete', 'off');
    label.append(data.unit);
    return () => input.value.trim();
  }
  const fields = page.add(form, 'fieldset', '');
  page.add(fields, 'legend', 'vmlab-unseen', data.question);
  const group = `vmlab-${Math.random().toString(36).slice(2)}`;
  const radios = data.choices.map((choice) => {
    const label = page.add(fields, 'label', '');
    const radio = page.add(label, 'input', '');
    radio.type = 'radio';
    radio.name = group;
    page.add(label, 'span', '', choice);
    return { radio, choice };
  });
  return () => radios.find(({ radio }) => radio.checked)?.choice ?? '';
}

function problemOf(guess: string, data: PredictionData): string {
  if (data.choices !== null) return guess === '' ? 'Choose one first.' : '';
  const value = numberOf(guess);
  if (guess === '' || !Number.isFinite(value)) return 'Please give a number: 1200, 1.5 or 3e6.';
  const { min = -Infinity, max = Infinity } = data;
  if (value < min || value > max) return `It must be something from ${min} to ${max}.`;
  return '';
}

/** A number as people write it: `1,200`, `1 200` and `30 %` are fine. NaN if it is none. */
function numberOf(text: string): number {
  const plain = text
    .replace(/%$/, '')
    .replace(/[\s_]/g, '')
    .replace(/,(?=\d{3}\b)/g, '');
  return plain === '' ? Number.NaN : Number(plain.replace(',', '.'));
}

/** Shows the guess beside a result. */
export function startReveal(page: Page, root: Part, data: RevealData): void {
  const said = page.add(root, 'p', 'vmlab-said');
  said.setAttribute('role', 'status');
  const actual = typeof data.actual === 'number' ? data.actual.toLocaleString('en-GB') : data.actual;
  const show = () => {
    const kept = recallGuess(page, data.id);
    const unit = data.unit === '' ? '' : ` ${data.unit}`;
    said.textContent =
      kept === null
        ? 'You made no prediction. Next time: guess first, it makes one remember.'
        : `You predicted: ${kept.guess}${unit} – ${judgementOf(kept.guess, data.actual)}`;
  };
  const meet = () => {
    const kept = recallGuess(page, data.id);
    if (kept !== null && kept.actual !== actual) keepGuess(page, data.id, { guess: kept.guess, actual });
    show();
  };
  page.hear('vmlab-predict', show);
  meet();
}

/** How good a guess is, in words. */
export function judgementOf(guess: string, actual: string | number): string {
  if (typeof actual === 'string') return guess === actual ? '✓ that is it.' : '✗ not so.';
  const value = numberOf(guess);
  if (!Number.isFinite(value)) return '✗ not so.';
  if (value === actual) return '✓ exactly.';
  const off = Math.abs(value - actual) / Math.max(Math.abs(actual), 1e-9);
  if (off <= 0.1) return '✓ close, within a tenth.';
  const way = value > actual ? 'too high' : 'too low';
  if (value <= 0 || actual <= 0) return `✗ ${way}.`;
  const times = value > actual ? value / actual : actual / value;
  if (times < 2) return `✗ ${way}, by ${Math.round(off * 100)} %.`;
  return `✗ ${way}, ${times < 10 ? times.toFixed(1) : Math.round(times).toLocaleString('en-GB')} times.`;
}

function recallGuess(page: Page, id: string): Kept | null {
  try {
    const kept = JSON.parse(page.storage?.getItem(`vmlab-predict/${id}`) ?? 'null');
    return kept !== null && typeof kept === 'object' && typeof kept.guess === 'string' ? kept : null;
  } catch {
    return null; // Damaged: as if there were none.
  }
}

function keepGuess(page: Page, id: string, kept: Kept | null): void {
  try {
    if (kept === null) page.storage?.removeItem(`vmlab-predict/${id}`);
    else page.storage?.setItem(`vmlab-predict/${id}`, JSON.stringify(kept));
  } catch {
    // Storage full or forbidden: the guess is lost, the result is shown all the same.
  }
  page.tell('vmlab-predict');
}

/** The functions that both scripts need in the page. */
export const PREDICT_FUNCTIONS = [addForm, problemOf, numberOf, judgementOf, recallGuess, keepGuess];
