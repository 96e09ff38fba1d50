/**
 * How well an entry answers a search: the one definition for the page and for text. Sent to the page
 * as text too, so it mentions nothing but its arguments (see `in-page.ts`).
 */

/**
 * 0 for the term itself, 1 for the beginning of a name, 2 within a name, 3 within the meaning; -1: not at all.
 * @param names the term and what else it is called, in lower case
 * @param meaning in lower case
 * @param wanted any text; case and space at its ends don't matter, and an empty one fits all
 */
export function fitOf(names: string[], meaning: string, wanted: string): number {
  const words = wanted.trim().toLowerCase();
  if (names.includes(words)) return 0;
  if (names.some((name) => name.startsWith(words))) return 1;
  if (names.some((name) => name.includes(words))) return 2;
  return meaning.includes(words) ? 3 : -1;
}
