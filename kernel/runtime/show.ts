/**
 * Values as Jupyter shows them: always as text, and richer where the value says how.
 *
 * In order: a method under `Symbol.for('Jupyter.display')` that returns a MIME bundle; `toHtml()`; a DOM element
 * (Observable Plot's charts) or an array of them; an array of plain objects, as a table.
 */
import { inspect } from 'node:util';
import type { MimeBundle } from '../messages';

/** The method by which a value says how it is shown: it returns a MIME bundle, or a promise of one. */
export const DISPLAY = Symbol.for('Jupyter.display');

/** The most rows of a table that are shown. */
const MOST_ROWS = 200;

/** A value's MIME bundle. `text/plain` is always there. */
export async function bundleOf(value: unknown): Promise<MimeBundle> {
  const text = asText(value);
  if (value === null || (typeof value !== 'object' && typeof value !== 'function'))
    return { 'text/plain': text };
  const method = (value as Record<symbol, unknown>)[DISPLAY];
  if (typeof method === 'function')
    return { 'text/plain': text, ...((await method.call(value)) as MimeBundle) };
  const bundle = richBundle(value, text);
  const html = await bundle['text/html'];
  return html === undefined ? bundle : { ...bundle, 'text/html': String(html) };
}

/** Like `bundleOf`, at once; a bundle that is promised is not waited for. */
export function bundleNow(value: unknown): MimeBundle {
  const text = asText(value);
  if (value === null || (typeof value !== 'object' && typeof value !== 'function'))
    return { 'text/plain': text };
  const method = (value as Record<symbol, unknown>)[DISPLAY];
  const bundle: unknown = typeof method === 'function' ? method.call(value) : undefined;
  const isBundle = typeof bundle === 'object' && bundle !== null && !(bundle instanceof Promise);
  if (isBundle) return { 'text/plain': text, ...bundle };
  const rich = richBundle(value, text);
  return rich['text/html'] instanceof Promise ? { 'text/plain': text } : rich;
}

/** The bundle of an object. Its HTML may be a promise. */
function richBundle(value: object, text: string): MimeBundle {
  const { toHtml, toText } = value as { toHtml?: unknown; toText?: unknown };
  if (typeof toHtml === 'function') {
    const plain = typeof toText === 'function' ? String(toText.call(value)) : text;
    const html: unknown = toHtml.call(value);
    return { 'text/plain': plain, 'text/html': html instanceof Promise ? html : String(html) };
  }
  if (isElement(value)) return elementBundle(value);
  if (isElements(value)) return elementsBundle(value);
  if (isTable(value)) return { 'text/plain': text, 'text/html': tableHtml(value) };
  return { 'text/plain': text };
}

/** A value as text, the way Node's console shows it. Never throws. */
export function asText(value: unknown): string {
  try {
    return inspect(value, { depth: 4, maxArrayLength: 100, maxStringLength: 1_000_000, breakLength: 100 });
  } catch {
    return Object.prototype.toString.call(value);
  }
}

interface DomElement {
  outerHTML: string;
  localName: string;
  getAttribute(name: string): string | null;
  querySelector?(selector: string): { textContent: string } | null;
}

function isElement(value: object): value is DomElement {
  const { nodeType, outerHTML, getAttribute } = value as Record<string, unknown>;
  return nodeType === 1 && typeof outerHTML === 'string' && typeof getAttribute === 'function';
}

/** An element as HTML. A figure or an SVG is named in the text by what it says of itself. */
function elementBundle(element: DomElement): MimeBundle {
  const title =
    element.getAttribute('aria-label') ?? element.querySelector?.('title, h2, figcaption')?.textContent;
  const size = ['width', 'height'].map((name) => element.getAttribute(name));
  const extent = size.every((side) => side) ? ` ${size.join(' × ')}` : '';
  const bundle = { 'text/plain': `<${element.localName}${extent}>${title ? ` ${title}` : ''}` };
  return { ...bundle, 'text/html': element.outerHTML };
}

function isElements(value: object): value is DomElement[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => isObject(each) && isElement(each));
}

/** Elements one below the other. */
function elementsBundle(elements: DomElement[]): MimeBundle {
  const bundles = elements.map(elementBundle);
  const joined = (type: string): string => bundles.map((bundle) => String(bundle[type])).join('\n');
  return {
    'text/plain': `[ ${joined('text/plain').replaceAll('\n', ', ')} ]`,
    'text/html': joined('text/html'),
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isTable(value: object): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.length > 0 && value.every(isPlainObject);
}

function isPlainObject(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === null || prototype === Object.prototype) && Object.keys(value).length > 0;
}

function tableHtml(rows: Record<string, unknown>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const head = columns.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const body = rows.slice(0, MOST_ROWS).map((row) => {
    const cells = columns.map((name) => `<td>${name in row ? escapeHtml(cellText(row[name])) : ''}</td>`);
    return `<tr>${cells.join('')}</tr>`;
  });
  const rest =
    rows.length > MOST_ROWS ? `<caption>The first ${MOST_ROWS} of ${rows.length} rows</caption>` : '';
  return `<table>${rest}<thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

function cellText(value: unknown): string {
  return typeof value === 'string'
    ? value
    : inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY });
}

function escapeHtml(text: string): string {
  return text.replace(
    /[&<>"]/g,
    (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!,
  );
}
