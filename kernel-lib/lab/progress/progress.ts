/**
 * `progress()`: a learner's own overview over lessons, exercises and quizzes; `progress.reset()`
 * begins anew.
 *
 * Lessons are the notebooks in the folder, exercises and quizzes what they call `check` and `quiz`
 * for. Results of exercises, and of quizzes answered in a terminal, are in a file beside them
 * (`results.ts`), quiz answers of the notebooks in the browser (`page.ts`).
 */
import { displayHtml } from '../display';
import { pageScript } from '../in-page';
import { STYLE } from '../look';
import { gradeSource } from '../quiz/grade';
import { readQuiz } from '../quiz/quiz';
import { answerKeys } from '../quiz/render';
import { escapeHtml, tableText } from '../table';
import { isDone, type Lesson, readLessons } from './lessons';
import { type KeptQuiz, PROGRESS_FUNCTIONS, startForget, startProgress } from './page';
import { type Done, forgetResults, type QuizPoints, type Results, readResults } from './results';

const MARKS = { right: '✓', wrong: '✗', open: '○' } as const;
const NAMES = { right: 'right', wrong: 'not right yet', open: 'open' } as const;

function showProgress(): void {
  const lessons = readLessons();
  const results = readResults();
  displayHtml(progressHtml(lessons, results), progressText(lessons, results));
}

function reset(): void {
  forgetResults();
  const said = 'The results of all exercises, and of quizzes answered in a terminal, are forgotten.';
  const browser = 'Quiz answers in notebooks, predictions and opened hints are kept by the browser.';
  displayHtml(
    `${STYLE}<div class="vmlab vmlab-forget"><p>${said} ${browser}</p>` +
      `<p class="vmlab-asleep">Run this cell to get a button that forgets those.</p>` +
      `${pageScript('vmlab-forget', startForget, [], null)}</div>`,
    `${said} ${browser}`,
  );
}

/**
 * Shows what of the course is done: exercises from the file beside the notebooks, quizzes from the
 * browser. `progress.reset()` forgets it.
 * @throws Error, in `reset`, if the file is there and can't be removed
 */
export const progress = Object.assign(showProgress, { reset });

/** The result of an exercise that nobody has checked yet, too. */
const bestOf = (done: ReadonlyMap<string, Done>, id: string) => done.get(id)?.best ?? 'open';

function summaryOf(lessons: Lesson[], done: ReadonlyMap<string, Done>): string {
  if (lessons.length === 0) return 'There is no lesson in this folder.';
  const exercises = lessons.flatMap((lesson) => lesson.exercises);
  const right = exercises.filter((id) => bestOf(done, id) === 'right').length;
  const finished = lessons.filter((lesson) => isDone(lesson, done)).length;
  return `${right} of ${exercises.length} exercises are right; ${finished} of ${lessons.length} lessons are done.`;
}

/** The overview as HTML. */
export function progressHtml(lessons: Lesson[], { done, quizzes, problem }: Results): string {
  const rows = lessons.map((lesson) => {
    const exercises = lesson.exercises.map((id) => {
      const best = bestOf(done, id);
      const tries = done.get(id)?.tries ?? 0;
      const told = `${id}: ${NAMES[best]}${tries > 0 ? `, checked ${tries} times` : ''}`;
      return `<span class="vmlab-mark" data-result="${best}" role="img" aria-label="${escapeHtml(told)}" title="${escapeHtml(told)}">${MARKS[best]}</span>`;
    });
    const right = lesson.exercises.filter((id) => bestOf(done, id) === 'right').length;
    const count = lesson.exercises.length === 0 ? '–' : `${right} of ${lesson.exercises.length}`;
    const scores = lesson.quizzes.map((name) => `<span data-quiz="${escapeHtml(name)}">–</span>`);
    const link = `<a href="${encodeURI(lesson.file)}">${escapeHtml(lesson.title)}</a>`;
    const isOver = isDone(lesson, done) ? ' ✓' : '';
    return (
      `<tr><th scope="row">${link}${isOver}</th><td>${exercises.join(' ')}</td>` +
      `<td class="vmlab-number">${count}</td><td>${scores.join('<br>') || '–'}</td></tr>`
    );
  });
  const titles = ['lesson', 'exercises', 'right', 'quiz'].map((title) => `<th scope="col">${title}</th>`);
  const table = `<table class="vmlab-table"><caption>Your progress</caption><thead><tr>${titles.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
  const script = pageScript(
    'vmlab-progress',
    startProgress,
    [...PROGRESS_FUNCTIONS, gradeSource()],
    hidden(lessons, quizzes),
  );
  return (
    `${STYLE}<style>${PROGRESS_STYLE}</style><div class="vmlab vmlab-progress">` +
    `<p>${escapeHtml(summaryOf(lessons, done))}</p>${lessons.length > 0 ? table : ''}` +
    (problem === '' ? '' : `<p><strong>${escapeHtml(problem)}</strong></p>`) +
    `<p class="vmlab-asleep">Quiz scores are kept by the browser: run this cell to see them.</p>${script}</div>`
  );
}

function progressText(lessons: Lesson[], { done, quizzes, problem }: Results): string {
  const scoreOf = (name: string) => scoreText(keptQuiz(name, quizzes));
  const table = tableText({
    caption: summaryOf(lessons, done),
    columns: [{ title: 'lesson' }, { title: 'quiz' }, { title: 'exercises' }],
    rows: lessons.map((lesson) => [
      lesson.title,
      lesson.quizzes.map(scoreOf).join(', ') || '–',
      lesson.exercises.map((id) => `${MARKS[bestOf(done, id)]} ${id}`).join('  '),
    ]),
  });
  return problem === '' ? table : `${table}\n${problem}`;
}

/** What the page must know to judge the answers that it keeps, as base64. A quiz with mistakes has no score. */
function hidden(lessons: Lesson[], points: QuizPoints): string {
  const names = [...new Set(lessons.flatMap((lesson) => lesson.quizzes))];
  const ascii = JSON.stringify(names.flatMap((name) => keptQuiz(name, points) ?? [])).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(ascii, 'latin1').toString('base64');
}

function keptQuiz(name: string, points: QuizPoints): KeptQuiz | undefined {
  try {
    const questions = answerKeys(readQuiz(name));
    return {
      name,
      questions: questions.map((key) => ({ ...key, points: points.get(name)?.get(key.hash) ?? null })),
    };
  } catch {
    return undefined;
  }
}

/** What text knows of a quiz: the answers given in a terminal. */
function scoreText(quiz: KeptQuiz | undefined): string {
  const told = (quiz?.questions ?? []).flatMap(({ points }) => points ?? []);
  if (quiz === undefined || told.length === 0) return '–';
  const sum = told.reduce((total, points) => total + points, 0);
  return `${Math.round(sum * 10) / 10} of ${quiz.questions.length}`;
}

const PROGRESS_STYLE = `
.vmlab-progress a { color: inherit; text-decoration: underline; }
.vmlab-progress tbody th { font-weight: 400; }
.vmlab-progress .vmlab-mark { font-size: 1.15em; font-family: system-ui, sans-serif; }
.vmlab-progress .vmlab-mark[data-result=right] { color: var(--right); font-weight: 700; }
.vmlab-progress .vmlab-mark[data-result=wrong] { color: var(--wrong); font-weight: 700; }
`;
