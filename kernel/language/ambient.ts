/**
 * What every cell knows without an import, as a declaration file: `display`, `clearOutput`, `input`; and what notebooks
 * that were written for tslab import.
 */
export const AMBIENT = `
interface DisplayHandle {
  /** Replaces what was shown, wherever it stands. */
  update(value: unknown): void;
}
/**
 * Shows a value below the cell now: a figure, a table, whatever has \`toHtml()\`, or else text.
 * @param value what to show
 * @returns a handle; \`handle.update(other)\` shows another value in the same place
 */
declare function display(value: unknown): DisplayHandle;
/**
 * Clears the cell's output.
 * @param wait wait for the next output before clearing, so that nothing flickers
 */
declare function clearOutput(wait?: boolean): void;
/**
 * Asks the reader for a line of text: \`const name = await input('Your name? ')\`.
 * @param prompt what to ask
 * @param options \`password\`: don't show what is typed
 */
declare function input(prompt?: string, options?: { password?: boolean }): Promise<string>;

declare module 'tslab' {
  type Content = string | Uint8Array;
  export const display: {
    html(html: string): void;
    javascript(script: string): void;
    markdown(text: string): void;
    text(text: string): void;
    svg(svg: Content): void;
    png(image: Content): void;
    jpeg(image: Content): void;
    gif(image: Content): void;
    pdf(document: Content): void;
    raw(type: string, content: Content): void;
  };
}
`;
