/**
 * Hints in the reader's browser: the next appears when the one before it has been opened. The browser
 * keeps which ones were, since each check of an exercise makes its output anew.
 * Functions here are sent as text: see `in-page.ts`.
 */
import type { Page, Part } from './in-page';

/** Stages the hints in `root`. `id` is the exercise's. */
export function startHints(page: Page, root: Part, id: string): void {
  const hints = [...root.querySelectorAll('.vmlab-hint')];
  const opened = openedHints(page, id);
  hints.forEach((hint, index) => {
    hint.hidden = index > opened;
    hint.addEventListener('toggle', () => {
      if (!hint.open) return;
      const next = hints[index + 1];
      if (next !== undefined) next.hidden = false;
      if (index + 1 > openedHints(page, id)) keepOpened(page, id, index + 1);
    });
  });
  page.keepShortcutsAway(root);
}

function openedHints(page: Page, id: string): number {
  try {
    return Number(page.storage?.getItem(`vmlab-hints/${id}`)) || 0;
  } catch {
    return 0;
  }
}

function keepOpened(page: Page, id: string, count: number): void {
  try {
    page.storage?.setItem(`vmlab-hints/${id}`, String(count));
  } catch {
    // Storage full or forbidden: the hints begin anew with the next check.
  }
}

export const HINTS_FUNCTIONS = [openedHints, keepOpened];
