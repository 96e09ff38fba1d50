/**
 * Standard input, of which a kernel has none. Whoever reads it gets an end (`readFileSync(0)`, a program that a cell
 * starts) or is told of `input()` (`process.stdin`, `readline`), and doesn't wait for ever.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { Readable } from 'node:stream';

const REFUSAL = "A kernel has no standard input: ask with `await input('…')`.";

function refusing(): Readable {
  return new Readable({
    read() {
      this.destroy(new Error(REFUSAL));
    },
  });
}

/** Once, before anything reads. */
export function closeStdin(): void {
  try {
    closeSync(0);
    openSync(devNull, 'r');
  } catch {
    // It was closed already.
  }
  let stdin = refusing();
  Object.defineProperty(process, 'stdin', {
    configurable: true,
    enumerable: true,
    get: () => {
      if (stdin.destroyed) stdin = refusing();
      return stdin;
    },
  });
}
