/**
 * Output of cells on its way to the front: `console`, `process.stdout` and `stderr`, and bundles.
 *
 * Each piece is posted at once, so that what was printed before a long loop is seen while it runs. When the front
 * falls behind, the main thread waits for it: a flood of output doesn't fill the memory.
 */
import { Console } from 'node:console';
import { StringDecoder } from 'node:string_decoder';
import type { MessagePort } from 'node:worker_threads';
import type { ToFront } from '../messages';
import { currentCell } from './attribution';

/** The most messages that may wait for the front. */
const MOST_WAITING = 2000;

/** Messages that the main thread has posted and the front has taken, in memory that both share. */
export class Flow {
  private readonly counts: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.counts = new Int32Array(buffer);
  }

  /** The memory for a Flow. */
  static buffer(): SharedArrayBuffer {
    return new SharedArrayBuffer(8);
  }

  /** Called by the front for each message that it took. */
  took(): void {
    Atomics.add(this.counts, 1, 1);
    Atomics.notify(this.counts, 1);
  }

  /** Called by the main thread for each message that it posts; waits while too many are under way. */
  posted(): void {
    const posted = Atomics.add(this.counts, 0, 1) + 1;
    for (;;) {
      const taken = Atomics.load(this.counts, 1);
      if (((posted - taken) | 0) <= MOST_WAITING) return;
      Atomics.wait(this.counts, 1, taken, 100);
    }
  }
}

/** Posts to the front, with the brake of a Flow. */
export type Post = (message: ToFront) => void;

/** A `Post` over a port. */
export function poster(port: MessagePort, flow: Flow): Post {
  return (message) => {
    port.postMessage(message);
    flow.posted();
  };
}

/** Sends what is printed to the cell that prints it. */
export function captureOutput(post: Post): void {
  const writer = (name: 'stdout' | 'stderr') => {
    const decoder = new StringDecoder('utf8');
    return (text: string | Uint8Array) => {
      const written = typeof text === 'string' ? decoder.end() + text : decoder.write(Buffer.from(text));
      if (written !== '') post({ kind: 'stream', cell: currentCell(), name, text: written });
      return true;
    };
  };
  for (const name of ['stdout', 'stderr'] as const) {
    const write = writer(name);
    process[name].write = (text: string | Uint8Array, ...rest: unknown[]) => {
      const done = rest.find((value): value is () => void => typeof value === 'function');
      write(text);
      if (done) process.nextTick(done);
      return true;
    };
  }
  const stream = (name: 'stdout' | 'stderr') => ({ write: writer(name) }) as unknown as NodeJS.WritableStream;
  globalThis.console = new Console({
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    ignoreErrors: false,
    colorMode: false,
  });
  countGroups(globalThis.console);
}

let openGroups = 0;

function countGroups(console: Console): void {
  const { group, groupEnd } = console;
  console.group = console.groupCollapsed = (...label) => {
    openGroups++;
    group.apply(console, label);
  };
  console.groupEnd = () => {
    openGroups = Math.max(0, openGroups - 1);
    groupEnd.call(console);
  };
}

/** Ends the console's groups that the last cell has left open, so that what the next one prints is not indented. */
export function endGroups(): void {
  while (openGroups > 0) console.groupEnd();
}
