/**
 * The way from the library to the notebook: an output with a form for each kind of reader.
 *
 * The project's kernel has an object under `KERNEL` on `globalThis`, which takes a bundle of MIME
 * types. Plain tslab is found among the loaded modules: its public `display` sends one MIME type at a
 * time, the function below it a bundle. Without a kernel, in a script or a terminal, the text is printed.
 */
import { createRequire } from 'node:module';

/** What is shown, by MIME type: `{ 'text/html': …, 'text/plain': … }`. */
export type MimeBundle = Record<string, string>;

/** Where a kernel puts what cells can ask of it: `globalThis[KERNEL].display(bundle)`. See kernel/README.md. */
export const KERNEL = Symbol.for('vmlab.kernel');

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
  const kernel: { display?: unknown } | undefined = Reflect.get(globalThis, KERNEL);
  const { display } = kernel ?? {};
  return typeof display === 'function' ? (bundle) => display.call(kernel, bundle) : undefined;
}

/** The sink of the tslab that runs this cell, if one does. It is null as long as no cell ran. */
function tslabDisplay(): ((bundle: MimeBundle) => void) | undefined {
  const { cache } = createRequire(__filename);
  const file = Object.keys(cache).find((name) => /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(name));
  const write: unknown = file === undefined ? undefined : cache[file]?.exports?.lastWriteDisplayData;
  if (typeof write !== 'function') return undefined;
  return (data) => write({ data, metadata: {}, transient: {} });
}
