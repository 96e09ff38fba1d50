/**
 * The way from the library to the notebook: an output with a form for each kind of reader.
 *
 * A kernel that knows of the library leaves a function under `DISPLAY_HOOK` on `globalThis`, which
 * takes a bundle of MIME types. tslab, which does not, is found among the loaded modules: its public
 * `display` sends one MIME type at a time, the function below it a bundle. Without a kernel, in a
 * script or a terminal, the text is printed.
 */
import { createRequire } from 'node:module';

/** What is shown, by MIME type: `{ 'text/html': …, 'text/plain': … }`. */
export type MimeBundle = Record<string, string>;

/** Where a kernel puts its `(bundle: MimeBundle) => void`: `globalThis[DISPLAY_HOOK]`. */
export const DISPLAY_HOOK = Symbol.for('vmlab.display');

/** Shows HTML in the cell's output, and the text where HTML can't be shown. */
export function displayHtml(html: string, text: string): void {
  const show = kernelDisplay() ?? tslabDisplay();
  if (show) show({ 'text/html': html, 'text/plain': text });
  else console.log(text);
}

/** Whether a kernel shows outputs: false in a script or a terminal. */
export function inNotebook(): boolean {
  return (kernelDisplay() ?? tslabDisplay()) !== undefined;
}

function kernelDisplay(): ((bundle: MimeBundle) => void) | undefined {
  const hook: unknown = Reflect.get(globalThis, DISPLAY_HOOK);
  return typeof hook === 'function' ? (bundle) => hook(bundle) : undefined;
}

/** The sink of the tslab that runs this cell, if one does. It is null as long as no cell ran. */
function tslabDisplay(): ((bundle: MimeBundle) => void) | undefined {
  const { cache } = createRequire(__filename);
  const file = Object.keys(cache).find((name) => /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(name));
  const write: unknown = file === undefined ? undefined : cache[file]?.exports?.lastWriteDisplayData;
  if (typeof write !== 'function') return undefined;
  return (data) => write({ data, metadata: {}, transient: {} });
}
