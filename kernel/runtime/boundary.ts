/**
 * The boundary below which an interrupt ends JavaScript, and above which nothing notices.
 *
 * The front thread interrupts by ending whatever JavaScript the main thread runs (`Runtime.terminateExecution`). No
 * `catch` and no `finally` sees that. If it passed through Node's own timer or tick queues it would leave them broken,
 * and the process with them. So all code of cells is entered through the inspector (`Runtime.evaluate`), which stops
 * the termination and returns: Node's queues above it never know.
 */
import { Session } from 'node:inspector';

/** Where the inspector finds the function to call. */
const ENTRY = Symbol.for('vmlab.kernel.entry');
const EXPRESSION = "globalThis[Symbol.for('vmlab.kernel.entry')]()";

const session = new Session();
session.connect();
const realm = globalThis as unknown as Record<symbol, (() => void) | undefined>;
let depth = 0;

/** Runs the microtasks and ticks that are due. */
const drain = (process as unknown as { _tickCallback?: () => void })._tickCallback;

/**
 * Calls `action`, and then whatever promises and ticks it made due, so that an interrupt ends only these.
 * @returns whether it came to an end; false if it was interrupted
 * @throws what `action` throws
 */
export function enter(action: () => void): boolean {
  if (depth > 0) {
    action();
    return true;
  }
  let thrown: { error: unknown } | undefined;
  let ended = false;
  depth++;
  realm[ENTRY] = () => {
    try {
      action();
      drain?.call(process);
    } catch (error) {
      thrown = { error };
    }
    ended = true;
  };
  session.post('Runtime.evaluate', { expression: EXPRESSION, silent: true, returnByValue: true });
  depth = 0;
  if (thrown) throw thrown.error;
  return ended;
}

/** Ends the JavaScript that runs now, from within. */
export function endExecution(): void {
  session.post('Runtime.terminateExecution');
}
