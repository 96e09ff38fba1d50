/**
 * The part of `progress()` that only the browser knows: what was answered in the quizzes; and the
 * button that makes it forget. Functions here are sent as text: see `in-page.ts`.
 */
import type { Page, Part, Storage } from '../in-page';
import type { Answer, AnswerKey, Grade } from '../quiz/grade';

/** A quiz: where its answers are kept, and how they are judged. */
export interface KeptQuiz {
  name: string;
  /** `points`: for an answer given in a terminal, which the file has; null where there is none. */
  questions: { hash: string; key: AnswerKey; points: number | null }[];
}

/** The grader, which is sent along as text. */
declare function grade(key: AnswerKey, answer: Answer): Grade;

/** Writes the score of each quiz into its place. `data` is base64 of JSON, so that answers aren't read in passing. */
export function startProgress(page: Page, root: Part, data: string): void {
  root.querySelector('.vmlab-asleep')?.remove();
  const quizzes: KeptQuiz[] = JSON.parse(atob(data));
  for (const part of root.querySelectorAll('[data-quiz]')) {
    const quiz = quizzes.find(({ name }) => name === part.dataset.quiz);
    if (quiz !== undefined) part.textContent = scoreOf(page.storage, quiz);
  }
  page.keepShortcutsAway(root);
}

/** `5 of 12 (7 answered)`: what is answered in the browser or in a terminal, the better of the two. */
function scoreOf(storage: Storage | null, quiz: KeptQuiz): string {
  let points = 0;
  let answered = 0;
  for (const { hash, key, points: told } of quiz.questions) {
    const kept = keptPoints(storage, `vmlab-quiz/${quiz.name}/${hash}`, key);
    if (kept === null && told === null) continue;
    answered += 1;
    points += Math.max(kept ?? 0, told ?? 0);
  }
  if (answered === 0) return '–';
  return `${Math.round(points * 10) / 10} of ${quiz.questions.length} (${answered} answered)`;
}

/** The points for the answer that the browser keeps; null if it keeps none. */
function keptPoints(storage: Storage | null, place: string, key: AnswerKey): number | null {
  try {
    const kept = JSON.parse(storage?.getItem(place) ?? 'null');
    if (kept === null || kept.checked !== true) return null;
    return kept.shown === true ? 0 : grade(key, kept.answer).score;
  } catch {
    // Damaged: as if not answered.
    return null;
  }
}

/** The button that makes the browser forget. */
export function startForget(page: Page, root: Part): void {
  root.querySelector('.vmlab-asleep')?.remove();
  const button = page.button(root, 'Forget quiz answers, predictions and opened hints, too');
  const said = page.add(root, 'p', '');
  said.setAttribute('role', 'status');
  button.addEventListener('click', () => {
    const keys: string[] = [];
    for (let n = 0; n < (page.storage?.length ?? 0); n++) keys.push(page.storage?.key(n) ?? '');
    const ours = keys.filter((key) => /^vmlab-(quiz|predict|hints)\//.test(key));
    for (const key of ours) page.storage?.removeItem(key);
    said.textContent = `Forgotten. Outputs that are already shown keep what they show until the page is reloaded.`;
    page.tell('vmlab-predict');
  });
  page.keepShortcutsAway(root);
}

export const PROGRESS_FUNCTIONS = [scoreOf, keptPoints];
