/** What a learner's function gave instead of what was asked for, in words that fit into a sentence. */

/** `undefined`, `NaN`, `a Promise`, `the text "abc"`, `an array of 3`. */
export function told(value: unknown): string {
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Promise) return 'a Promise (is the function async?)';
  if (typeof value === 'object' && value !== null)
    return `an object with ${Object.keys(value).join(', ') || 'nothing in it'}`;
  return String(value);
}

/** The same of an answer that should be one of a few texts, which are shown as code: `'reflect'`. */
export function toldText(value: unknown): string {
  return typeof value === 'string' ? `\`'${value.slice(0, 40)}'\`` : told(value);
}
