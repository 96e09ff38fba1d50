/**
 * The glossary in the reader's browser: a search box above the terms, the best answer first.
 * Functions here are sent as text: see `in-page.ts`.
 */
import type { Page, Part } from '../in-page';

/** The search, which is sent along as text. */
declare function fitOf(names: string[], meaning: string, wanted: string): number;

/** Brings the search box to life. `wanted` stands in it at first. */
export function startGlossary(page: Page, root: Part, wanted: string): void {
  root.querySelector('.vmlab-asleep')?.remove();
  const box = root.querySelector('.vmlab-search');
  const list = root.querySelector('dl');
  if (box === null || list === null) return;
  const label = page.add(box, 'label', '', 'Search: ');
  const input = page.add(label, 'input', '');
  input.type = 'search';
  input.value = wanted;
  const said = page.add(box, 'span', '');
  said.setAttribute('role', 'status');
  const entries = [...root.querySelectorAll('.vmlab-term')];
  const search = () => {
    const count = showFitting(list, entries, input.value);
    const hint = count === 0 ? ' Try a shorter word, or a part of one.' : '';
    said.textContent = ` ${count} of ${entries.length} terms.${hint}`;
  };
  input.addEventListener('input', search);
  search();
  page.keepShortcutsAway(root);
}

/** Shows the entries that fit, the best first and else in their order. Returns how many do. */
function showFitting(list: Part, entries: Part[], wanted: string): number {
  const fits = entries.map((entry) =>
    fitOf(JSON.parse(entry.dataset.names), entry.textContent.toLowerCase(), wanted),
  );
  entries.forEach((entry, index) => {
    entry.hidden = fits[index] < 0;
  });
  const order = entries.map((_, index) => index).sort((a, b) => fits[a] - fits[b] || a - b);
  list.append(...order.map((index) => entries[index]));
  return fits.filter((fit) => fit >= 0).length;
}

export const GLOSSARY_FUNCTIONS = [showFitting];
