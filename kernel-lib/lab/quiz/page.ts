/**
 * What runs in the reader's browser: buttons, verdicts, feedback, score, and answers kept on reload.
 *
 * The questions are there as HTML before this starts (`render.ts`); without it they still read well.
 * Like the grader, these functions are sent to the page as text (`pageSource`), so they are function
 * declarations that mention nothing but one another, their arguments and what every JavaScript has.
 * The page's own things come in as arguments, each with the few parts of it that are used here: the
 * library is compiled without the DOM, lest its names (`name`, `status`, `event`) hide typing mistakes.
 */
import type { Answer, AnswerKey, Grade } from './grade';

/** An element. */
interface Part {
  querySelector(selector: string): Part | null;
  querySelectorAll(selector: string): Iterable<Part>;
  addEventListener(type: string, listener: (event: { key?: string; target: Part }) => void): void;
  append(...parts: (Part | string)[]): void;
  before(part: Part): void;
  remove(): void;
  matches(selector: string): boolean;
  setAttribute(name: string, value: string): void;
  focus(): void;
  dataset: Record<string, string>;
  previousElementSibling: Part | null;
  nextElementSibling: Part | null;
  innerHTML: string;
  textContent: string;
  className: string;
  name: string;
  value: string;
  type: string;
  checked: boolean;
  disabled: boolean;
  hidden: boolean;
  open: boolean;
}

/** The page around the quiz. `storage` is null where the browser allows none. */
export interface Page {
  document: { createElement(tag: string): Part };
  storage: { getItem(key: string): string | null; setItem(key: string, value: string): void } | null;
  grade(key: AnswerKey, answer: Answer): Grade;
}

/** What the page must know of a question beyond what it shows at first. Prose is HTML. */
export interface PageQuestion {
  key: AnswerKey;
  /** Changes when the question does: what was answered before is then forgotten. */
  hash: string;
  feedback: string[];
  explanation: string;
  solution: string;
}

export interface PageQuiz {
  name: string;
  questions: PageQuestion[];
}

/** What is kept of a question on reload. */
interface State {
  answer: Answer | null;
  checked: boolean;
  wrong: number;
  shown: boolean;
  /** How many hints were opened. */
  hints: number;
}

/** A question at work. */
interface Wired {
  field: Part;
  question: PageQuestion;
  state: State;
  check: Part;
  retry: Part;
  giveUp: Part;
  verdict: Part;
}

/** Brings the quiz in `root` to life. */
export function startQuiz(page: Page, root: Part, quiz: PageQuiz): void {
  root.querySelector('.vmlab-asleep')?.remove();
  const all: Wired[] = [];
  const score = addPart(page, root, 'p', 'vmlab-score');
  score.setAttribute('role', 'status');
  const showScore = () => {
    const done = all.filter((wired) => wired.state.checked);
    const points = done.reduce((sum, wired) => sum + pointsOf(page, wired), 0);
    score.textContent = `Score: ${Math.round(points * 10) / 10} of ${all.length} (${done.length} answered)`;
  };
  let index = 0;
  for (const field of root.querySelectorAll('.vmlab-question')) {
    all.push(wireQuestion(page, field, quiz, quiz.questions[index], showScore));
    index += 1;
  }
  const again = addButton(page, root, 'Start over');
  again.addEventListener('click', () => {
    for (const wired of all) {
      wired.state.hints = 0;
      showHints(wired);
      forget(page, wired, quiz.name);
    }
    showScore();
  });
  keepShortcutsAway(root);
  showScore();
}

/** JupyterLab takes the arrow keys for its own, unless the very element with the focus says no. */
function keepShortcutsAway(root: Part): void {
  for (const control of root.querySelectorAll('input, select, button, summary')) {
    control.setAttribute('data-lm-suppress-shortcuts', 'true');
  }
}

function pointsOf(page: Page, wired: Wired): number {
  const { state, question } = wired;
  return state.answer === null || state.shown ? 0 : page.grade(question.key, state.answer).score;
}

function wireQuestion(
  page: Page,
  field: Part,
  quiz: PageQuiz,
  question: PageQuestion,
  showScore: () => void,
): Wired {
  separateRadios(field);
  if (question.key.kind === 'order') addMovers(page, field);
  for (const row of field.querySelectorAll('.vmlab-row')) {
    addPart(page, row, 'div', 'vmlab-feedback').setAttribute('aria-live', 'polite');
  }
  const state = recall(page, quiz.name, question);
  const actions = addPart(page, field, 'div', 'vmlab-actions');
  const check = addButton(page, actions, 'Check');
  const retry = addButton(page, actions, 'Try again');
  const giveUp = addButton(page, actions, 'Show the answer');
  const verdict = addPart(page, field, 'div', 'vmlab-verdict');
  verdict.setAttribute('role', 'status');
  verdict.setAttribute('tabindex', '-1');
  const wired = { field, question, state, check, retry, giveUp, verdict };
  stageHints(page, wired, quiz.name);
  if (state.answer !== null) writeAnswer(field, question.key, state.answer);
  showVerdict(page, wired);
  listen(page, wired, quiz.name, showScore);
  return wired;
}

function listen(page: Page, wired: Wired, quizName: string, showScore: () => void): void {
  const { field, question, state } = wired;
  const update = () => {
    keep(page, quizName, wired);
    showVerdict(page, wired);
    showScore();
  };
  const check = () => {
    state.answer = readAnswer(field, question.key);
    const grade = page.grade(question.key, state.answer);
    state.checked = grade.judged;
    if (grade.judged && !grade.correct) state.wrong += 1;
    update();
    if (!grade.judged) wired.verdict.textContent = grade.message;
  };
  const answered = () => {
    state.answer = readAnswer(field, question.key);
    state.checked = state.shown = false;
    update();
  };
  field.addEventListener('input', answered);
  field.addEventListener('click', (event) => {
    if (event.target.matches('[data-way]')) answered();
  });
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target.matches('input')) check();
  });
  wired.check.addEventListener('click', check);
  wired.retry.addEventListener('click', () => {
    forget(page, wired, quizName);
    showScore();
    field.querySelector('input, select, button')?.focus();
  });
  wired.giveUp.addEventListener('click', () => {
    state.shown = true;
    update();
    wired.verdict.focus();
  });
}

/** Forgets the answer; hints that were opened stay so. */
function forget(page: Page, wired: Wired, quizName: string): void {
  const { key } = wired.question;
  Object.assign(wired.state, { answer: null, checked: false, wrong: 0, shown: false });
  if (key.kind === 'single') writeAnswer(wired.field, key, -1);
  else if (key.kind === 'several') writeAnswer(wired.field, key, []);
  else if (key.kind === 'match')
    writeAnswer(
      wired.field,
      key,
      key.right.map(() => -1),
    );
  else if (key.kind === 'order')
    writeAnswer(
      wired.field,
      key,
      [...key.right].sort((a, b) => a - b),
    );
  else writeAnswer(wired.field, key, '');
  keep(page, quizName, wired);
  showVerdict(page, wired);
}

function readAnswer(field: Part, key: AnswerKey): Answer {
  const inputs = [...field.querySelectorAll('input')];
  const chosen = inputs.flatMap((input, index) => (input.checked ? [index] : []));
  if (key.kind === 'single') return chosen.length > 0 ? chosen[0] : -1;
  if (key.kind === 'several') return chosen;
  if (key.kind === 'match')
    return [...field.querySelectorAll('select')].map(({ value }) => (value === '' ? -1 : Number(value)));
  if (key.kind === 'order')
    return [...field.querySelectorAll('.vmlab-row')].map((row) => Number(row.dataset.item));
  return inputs[0].value;
}

/** Puts an answer into the form. One that does not fit the question leaves the form as it is. */
function writeAnswer(field: Part, key: AnswerKey, answer: Answer): void {
  const inputs = [...field.querySelectorAll('input')];
  if (key.kind === 'single' || key.kind === 'several') {
    inputs.forEach((input, index) => {
      input.checked = Array.isArray(answer) ? answer.includes(index) : answer === index;
    });
  } else if (key.kind === 'match' && Array.isArray(answer)) {
    [...field.querySelectorAll('select')].forEach((select, row) => {
      select.value = answer[row] >= 0 ? String(answer[row]) : '';
    });
  } else if (key.kind === 'order' && Array.isArray(answer)) {
    const list = field.querySelector('.vmlab-rows');
    for (const item of answer) {
      const row = list?.querySelector(`[data-item="${Number(item)}"]`);
      if (list && row) list.append(row);
    }
    disableOutermost(field);
  } else if (typeof answer === 'string') {
    inputs[0].value = answer;
  }
}

/** Shows what the state says: nothing, or the verdict with what there is to learn from it. */
function showVerdict(page: Page, wired: Wired): void {
  const { field, question, state, verdict } = wired;
  const grade = state.checked && state.answer !== null ? page.grade(question.key, state.answer) : null;
  const over = state.shown || grade?.correct === true;
  field.dataset.result = grade === null ? '' : grade.correct ? 'right' : 'wrong';
  wired.retry.hidden = grade === null;
  wired.giveUp.hidden = over || state.wrong < 2;
  verdict.innerHTML = '';
  if (grade !== null) {
    addPart(page, verdict, 'strong', '').textContent = `${grade.correct ? '✓' : '✗'} ${grade.message}`;
  }
  if (state.shown) addPart(page, verdict, 'div', '').innerHTML = `The answer: ${question.solution}`;
  if (over) addPart(page, verdict, 'div', '').innerHTML = question.explanation;
  let index = 0;
  for (const row of field.querySelectorAll('.vmlab-row')) {
    const mark = grade?.marks[index];
    const isRead = grade !== null && (grade.feedback === 'all' || grade.feedback.includes(index));
    row.dataset.result = mark === undefined ? '' : mark ? 'right' : 'wrong';
    const said = mark === undefined ? '' : `<b>${mark ? '✓ Right.' : '✗ Wrong.'}</b> `;
    const feedback = row.querySelector('.vmlab-feedback');
    if (feedback) feedback.innerHTML = said + ((isRead && question.feedback[index]) || '');
    index += 1;
  }
}

/** Two copies of a quiz on one page must not share their radio groups. */
function separateRadios(field: Part): void {
  const group = `vmlab-${Math.random().toString(36).slice(2)}`;
  for (const radio of field.querySelectorAll('input[type=radio]')) radio.name = group;
}

/** The next hint appears when the one before it has been opened. */
function stageHints(page: Page, wired: Wired, quizName: string): void {
  const { field, state } = wired;
  const hints = [...field.querySelectorAll('.vmlab-hint')];
  hints.forEach((hint, index) => {
    hint.addEventListener('toggle', () => {
      if (!hint.open || index < state.hints) return;
      state.hints = index + 1;
      const next = hints[index + 1];
      if (next) next.hidden = false;
      keep(page, quizName, wired);
    });
  });
  showHints(wired);
}

/** Opens the hints that were opened before, and those alone. */
function showHints({ field, state }: Wired): void {
  let index = 0;
  for (const hint of field.querySelectorAll('.vmlab-hint')) {
    hint.open = index < state.hints;
    hint.hidden = index > state.hints;
    index += 1;
  }
}

/** Buttons that move an item of an order up or down. */
function addMovers(page: Page, field: Part): void {
  const said = addPart(page, field, 'div', 'vmlab-unseen');
  said.setAttribute('role', 'status');
  for (const row of field.querySelectorAll('.vmlab-row')) {
    const text = (row.querySelector('.vmlab-item')?.textContent ?? '').trim();
    const movers = addPart(page, row, 'span', 'vmlab-movers');
    for (const way of ['up', 'down']) {
      const button = addButton(page, movers, way === 'up' ? '▲' : '▼');
      button.dataset.way = way;
      button.setAttribute('aria-label', `Move ${way}: ${text}`);
      button.addEventListener('click', () => {
        move(field, row, way);
        const rows = [...field.querySelectorAll('.vmlab-row')];
        said.textContent = `${text}: now place ${rows.indexOf(row) + 1} of ${rows.length}`;
      });
    }
  }
  disableOutermost(field);
}

function move(field: Part, row: Part, way: string): void {
  const other = way === 'up' ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (way === 'up') other.before(row);
  else row.before(other);
  disableOutermost(field);
  const button = row.querySelector(`[data-way=${way}]`);
  if (button?.disabled) row.querySelector('button:not([disabled])')?.focus();
  else button?.focus();
}

function disableOutermost(field: Part): void {
  const rows = [...field.querySelectorAll('.vmlab-row')];
  rows.forEach((row, index) => {
    for (const button of row.querySelectorAll('button')) {
      button.disabled = index === (button.dataset.way === 'up' ? 0 : rows.length - 1);
    }
  });
}

function addPart(page: Page, parent: Part, tag: string, className: string): Part {
  const part = page.document.createElement(tag);
  part.className = className;
  parent.append(part);
  return part;
}

function addButton(page: Page, parent: Part, text: string): Part {
  const button = addPart(page, parent, 'button', 'vmlab-button');
  button.type = 'button';
  button.textContent = text;
  return button;
}

/** What was kept of a question; as if new where nothing was, or nothing that makes sense. */
function recall(page: Page, quizName: string, question: PageQuestion): State {
  const state: State = { answer: null, checked: false, wrong: 0, shown: false, hints: 0 };
  try {
    const kept = JSON.parse(page.storage?.getItem(`vmlab-quiz/${quizName}/${question.hash}`) ?? 'null');
    if (kept === null || typeof kept !== 'object') return state;
    const isAnswer = ['string', 'number'].includes(typeof kept.answer) || Array.isArray(kept.answer);
    state.answer = isAnswer ? kept.answer : null;
    state.checked = isAnswer && page.grade(question.key, kept.answer).judged && kept.checked === true;
    state.wrong = Number(kept.wrong) || 0;
    state.hints = Number(kept.hints) || 0;
    state.shown = state.checked && kept.shown === true;
  } catch {
    // A page that may not store anything still has a quiz; it only forgets.
  }
  return state;
}

function keep(page: Page, quizName: string, wired: Wired): void {
  try {
    page.storage?.setItem(`vmlab-quiz/${quizName}/${wired.question.hash}`, JSON.stringify(wired.state));
  } catch {
    // Storage full or forbidden: see recall.
  }
}

/** The page's part as JavaScript text that stands on its own. */
export function pageSource(): string {
  const parts = [
    startQuiz,
    keepShortcutsAway,
    pointsOf,
    wireQuestion,
    listen,
    forget,
    readAnswer,
    writeAnswer,
    showVerdict,
    separateRadios,
    stageHints,
    showHints,
    addMovers,
    move,
    disableOutermost,
    addPart,
    addButton,
    recall,
    keep,
  ];
  return parts.map(String).join('\n');
}
