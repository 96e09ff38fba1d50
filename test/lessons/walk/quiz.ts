// A quiz in the browser, answered as a person does: wrongly, with its hints, then rightly.
import type { Locator, Page } from 'playwright-core';
import type { Question, Quiz } from '../../../kernel-lib/lab/quiz/model';

/** Answers every question wrongly, unfolds its hints, and answers it rightly. Returns what was not as it should be. */
export async function answerQuiz(page: Page, quiz: Quiz): Promise<string[]> {
  const problems: string[] = [];
  const root = page.locator('.vmlab-quiz');
  for (const [index, question] of quiz.questions.entries()) {
    const field = root.locator('.vmlab-question').nth(index);
    const say = (text: string) => problems.push(`question ${index + 1} (line ${question.line}): ${text}`);
    await answer(field, question, false);
    if (await press(field, 'wrong')) say('a wrong answer is not called wrong');
    if (!(await saidAbout(field))) say('nothing is said about a wrong answer');
    const hints = await unfoldHints(field);
    if (hints !== question.hints.length) say(`${hints} of ${question.hints.length} hints unfold`);
    await field.getByRole('button', { name: 'Try again' }).click();
    await answer(field, question, true);
    if (await press(field, 'right')) say('the right answer is not called right');
  }
  return [...problems, ...(await scoreProblems(page, quiz))];
}

/** What is wrong with the score of a quiz that was answered rightly throughout. */
export async function scoreProblems(page: Page, quiz: Quiz): Promise<string[]> {
  const count = quiz.questions.length;
  const wanted = `Score: ${count} of ${count} (${count} answered)`;
  const score = await page.locator('.vmlab-quiz .vmlab-score').textContent();
  return score === wanted ? [] : [`the quiz says "${score}", not "${wanted}"`];
}

/** Opens the hints of a question or verdict one after the other, as they appear; how many there were. */
export async function unfoldHints(root: Locator): Promise<number> {
  const closed = root.locator('details.vmlab-hint:not([open]):not([hidden]) > summary');
  let count = 0;
  for (; (await closed.count()) > 0; count++) {
    await closed.first().click();
    await root.page().waitForTimeout(50);
  }
  return count;
}

/** Presses Check; true if the question's result is another one than this. */
async function press(field: Locator, result: 'right' | 'wrong'): Promise<boolean> {
  await field.getByRole('button', { name: 'Check', exact: true }).click();
  return (await field.getAttribute('data-result')) !== result;
}

/** Whether there is more to read than a verdict of two words: beside it, or beside what was chosen. */
async function saidAbout(field: Locator): Promise<boolean> {
  const texts = await field.locator('.vmlab-verdict, .vmlab-feedback').allTextContents();
  return texts.join(' ').trim().length > 0;
}

async function answer(field: Locator, question: Question, rightly: boolean): Promise<void> {
  switch (question.kind) {
    case 'single': {
      const wrong = question.right === 0 ? 1 : 0;
      await field
        .locator('input')
        .nth(rightly ? question.right : wrong)
        .check();
      break;
    }
    case 'several': {
      const wrong = question.options.findIndex((_, index) => !question.right.includes(index));
      const chosen = wrong < 0 ? question.right.slice(1) : [wrong];
      for (const index of rightly ? question.right : chosen) await field.locator('input').nth(index).check();
      break;
    }
    case 'number':
      await field.locator('input').fill(String(rightly ? question.low : 2 * Math.abs(question.high) + 1));
      break;
    case 'text':
      await field.locator('input').fill(rightly ? question.written[0] : 'something else');
      break;
    case 'match':
      for (const [row, right] of question.right.entries()) {
        const choice = rightly ? right : (right + 1) % question.rights.length;
        // By its value: a text alone could also be the label of another one.
        await field
          .locator('select')
          .nth(row)
          .selectOption({ value: String(choice) });
      }
      break;
    case 'order':
      // As it is shown at first it is wrong.
      if (rightly) await putInOrder(field, question.right);
  }
}

/** Moves each item up to its place. */
async function putInOrder(field: Locator, right: number[]): Promise<void> {
  for (const [place, item] of right.entries()) {
    const isThere = async () =>
      (await field.locator('.vmlab-row').nth(place).getAttribute('data-item')) === String(item);
    while (!(await isThere())) await field.locator(`[data-item="${item}"] [data-way=up]`).click();
  }
}
