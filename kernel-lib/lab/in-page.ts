/**
 * Scripts in outputs: how a figure that reacts gets its script along, and what the script sees of
 * the page.
 *
 * A figure's functions are sent to the page as text, so they are function declarations that mention
 * nothing but one another, their arguments and what every JavaScript has. The library is compiled
 * without the DOM, lest its names (`name`, `status`, `event`) hide typing mistakes: what a script
 * uses of an element stands in `Part`. A figure finds itself by the script's own place, so that there
 * can be any number of them on a page; nothing has an `id`.
 */

/** What happened to an element. */
export interface PartEvent {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  /** Of a click, from the left edge of what was clicked. */
  offsetX: number;
  target: Part;
  preventDefault(): void;
  stopPropagation(): void;
}

/** An element of the page. */
export interface Part {
  querySelector(selector: string): Part | null;
  querySelectorAll(selector: string): Iterable<Part>;
  closest(selector: string): Part | null;
  addEventListener(type: string, listener: (event: PartEvent) => void): void;
  append(...parts: (Part | string)[]): void;
  replaceChildren(...parts: (Part | string)[]): void;
  remove(): void;
  matches(selector: string): boolean;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  focus(): void;
  getContext(kind: '2d'): Drawing | null;
  readonly dataset: Record<string, string>;
  readonly style: Record<string, string>;
  readonly isConnected: boolean;
  readonly clientWidth: number;
  textContent: string;
  className: string;
  type: string;
  name: string;
  value: string;
  min: string;
  max: string;
  width: number;
  height: number;
  checked: boolean;
  disabled: boolean;
  hidden: boolean;
  open: boolean;
}

/** What can be drawn on a canvas. */
export interface Drawing {
  fillStyle: string;
  clearRect(x: number, y: number, width: number, height: number): void;
  fillRect(x: number, y: number, width: number, height: number): void;
}

/** The page around a figure, with what all figures do to it. */
export interface Page {
  /** What the browser keeps; null where it allows nothing. */
  storage: Storage | null;
  /** Adds an element. */
  add(parent: Part, tag: string, className: string, text?: string): Part;
  /** Adds a button; \`label\` is what it is called, where its text is a sign. */
  button(parent: Part, text: string, label?: string): Part;
  /** Keeps the keys of the controls in \`root\` from being JupyterLab's shortcuts. */
  keepShortcutsAway(root: Part): void;
  /** Tells all figures on the page that something was kept, and hears of it. */
  tell(news: string): void;
  hear(news: string, callback: () => void): void;
  /** Calls back every so many milliseconds, until the function that is returned is called. */
  every(milliseconds: number, callback: () => void): () => void;
}

/** What the browser keeps for the next time. */
export interface Storage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** A function of a page script. */
type PageFunction = (...parts: never[]) => unknown;

/**
 * The script of a figure: calls `start(page, root, data)` with the figure's root element.
 * @param root the class of the figure's outermost element, in which the script stands
 * @param start the first function
 * @param others all that it calls, and what they call: from the same file, since a compiler renames
 *   imports; or the text of such functions
 * @param data anything that JSON can carry
 */
export function pageScript(
  root: string,
  start: PageFunction,
  others: (PageFunction | string)[],
  data: unknown,
): string {
  // `__name` is what some compilers wrap functions in, to keep their names.
  return `<script>(function () {
'use strict';
const __name = (what) => what;
const root = document.currentScript.closest('.${root}');
${start.name}(makePage(window), root, ${scriptJson(data)});
${[start, ...others, makePage].map(String).join('\n')}
})();</script>`;
}

/** JSON that may stand inside a script element. */
function scriptJson(data: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(data).replace(/[<\u2028\u2029]/g, escaped);
}

/** What is used of the browser's window. */
interface Window {
  document: {
    createElement(tag: string): Part;
    addEventListener(type: string, listener: () => void): void;
    dispatchEvent(event: object): void;
  };
  Event: new (type: string) => object;
  localStorage: Storage;
  setInterval(callback: () => void, milliseconds: number): number;
  clearInterval(timer: number): void;
}

/** Runs in the page: see `Page`. */
function makePage(window: Window): Page {
  let storage: Storage | null = null;
  try {
    storage = window.localStorage;
  } catch {
    // Not allowed here: nothing is kept.
  }
  const add = (parent: Part, tag: string, className: string, text = '') => {
    const part = window.document.createElement(tag);
    if (className !== '') part.className = className;
    if (text !== '') part.textContent = text;
    parent.append(part);
    return part;
  };
  return {
    storage,
    add,
    button(parent, text, label = '') {
      const button = add(parent, 'button', 'vmlab-button', text);
      button.type = 'button';
      if (label !== '') button.setAttribute('aria-label', label);
      return button;
    },
    keepShortcutsAway(root) {
      // JupyterLab takes arrow keys and letters, unless the very element with the focus says no.
      for (const control of root.querySelectorAll('input, select, button, summary, [tabindex]'))
        control.setAttribute('data-lm-suppress-shortcuts', 'true');
    },
    tell: (news) => window.document.dispatchEvent(new window.Event(news)),
    hear: (news, callback) => window.document.addEventListener(news, callback),
    every(milliseconds, callback) {
      const timer = window.setInterval(callback, milliseconds);
      return () => window.clearInterval(timer);
    },
  };
}
