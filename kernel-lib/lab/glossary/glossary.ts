/**
 * `glossary()`: the words of the course, each with its meaning and the lesson where it is met;
 * `glossary('trap')`: the ones that fit a word, the best first. In the output one can search on.
 */
import { displayHtml } from '../display';
import { pageScript } from '../in-page';
import { STYLE } from '../look';
import { type Lesson, readLessons } from '../progress/lessons';
import { escapeHtml } from '../table';
import { GLOSSARY_FUNCTIONS, startGlossary } from './page';
import { fitOf } from './search';
import { TERMS, type Term } from './terms';

/** Terms by their names, case aside. */
const SORTED: readonly Term[] = [...TERMS].sort((a, b) => a.term.localeCompare(b.term, 'en'));

/**
 * Shows the glossary, or what fits a word: a term, one of its other names, a part of either, or a
 * word of its meaning. What fits nothing is said to, and the search box is there to go on.
 * @throws Error if `wanted` is given and is no text
 */
export function glossary(wanted = ''): void {
  if (typeof wanted !== 'string')
    throw new Error(`glossary() wants a word, as in glossary('trap'), and got ${typeof wanted}.`);
  displayHtml(glossaryHtml(readLessons(), wanted), glossaryText(wanted));
}

/** The terms that fit a word, the best first, as `glossary` shows them. */
export function findTerms(wanted: string): Term[] {
  const fits = SORTED.map((term) => ({
    term,
    fit: fitOf(namesOf(term), textOf(term).toLowerCase(), wanted),
  }));
  return fits
    .filter(({ fit }) => fit >= 0)
    .sort((a, b) => a.fit - b.fit)
    .map(({ term }) => term);
}

function namesOf({ term, also }: Term): string[] {
  return [term, ...also].map((name) => name.toLowerCase());
}

function textOf({ term, also, meaning, lesson }: Term): string {
  const others = also.length > 0 ? ` (${also.join(', ')})` : '';
  return `${term}${others}: ${meaning} Lesson ${lesson}.`;
}

function glossaryHtml(lessons: Lesson[], wanted: string): string {
  const entries = SORTED.map((term) => entryHtml(term, lessons)).join('\n');
  const script = pageScript('vmlab-glossary', startGlossary, [...GLOSSARY_FUNCTIONS, fitOf], wanted);
  return (
    `${STYLE}<style>${GLOSSARY_STYLE}</style><div class="vmlab vmlab-glossary" role="group" aria-label="Glossary">` +
    '<p class="vmlab-search"></p><p class="vmlab-asleep">Run this cell to be able to search.</p>' +
    `<div class="vmlab-terms" tabindex="0" role="region" aria-label="Terms"><dl>${entries}</dl></div>${script}</div>`
  );
}

function entryHtml({ term, also, meaning, lesson }: Term, lessons: Lesson[]): string {
  const names = escapeHtml(JSON.stringify(namesOf({ term, also, meaning, lesson })));
  const others = also.length > 0 ? ` <span class="vmlab-also">${escapeHtml(also.join(', '))}</span>` : '';
  const file = lessons.find(({ number }) => number === lesson)?.file;
  const where = file === undefined ? `Lesson ${lesson}` : `<a href="${encodeURI(file)}">Lesson ${lesson}</a>`;
  return (
    `<div class="vmlab-term" data-names="${names}"><dt>${escapeHtml(term)}${others}</dt>` +
    `<dd>${escapeHtml(meaning)} ${where}.</dd></div>`
  );
}

function glossaryText(wanted: string): string {
  const found = findTerms(wanted);
  if (found.length === 0)
    return `The glossary has no term like ${JSON.stringify(wanted)}. glossary() shows all ${TERMS.length}.`;
  return found.map(textOf).join('\n');
}

const GLOSSARY_STYLE = `
.vmlab-glossary { max-width: 52em; }
.vmlab-glossary a { color: inherit; text-decoration: underline; }
.vmlab-glossary .vmlab-terms { max-height: 24em; overflow-y: auto; border: 1px solid var(--line); border-radius: 4px; padding: 0.2em 0.9em; }
.vmlab-glossary dl { margin: 0; }
.vmlab-glossary .vmlab-term { margin: 0.4em 0; }
.vmlab-glossary dt { font-weight: 600; }
.vmlab-glossary dd { margin: 0 0 0 1.2em; }
.vmlab-glossary .vmlab-also { font-weight: 400; color: var(--faint); font-style: italic; margin-left: 0.6em; }
`;
