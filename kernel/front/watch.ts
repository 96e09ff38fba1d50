/**
 * The watch: a thread that does nothing but wait for SIGINT, and tells the front of each.
 *
 * A signal's handler runs on the main thread, which a loop keeps busy; but Node can end *any* thread's script on
 * SIGINT. This thread's script is such a wait. It stands inside another one that ends on SIGINT too, so that there is
 * no moment without: between two waits a signal would find Node's default, and end the process.
 */

import { Script } from 'node:vm';
import { type MessagePort, workerData } from 'node:worker_threads';

const { port } = workerData as { port: MessagePort };
const never = new Int32Array(new SharedArrayBuffer(4));
const wait = new Script('vmlabWait()');
const interruptible = { breakOnSigint: true };

Object.assign(globalThis, {
  vmlabWait: () => Atomics.wait(never, 0, 0),
  vmlabWaitOnce: () => {
    try {
      wait.runInThisContext(interruptible);
    } catch {
      port.postMessage('SIGINT');
    }
  },
});

for (;;) {
  try {
    new Script('for (;;) vmlabWaitOnce()').runInThisContext(interruptible);
  } catch {
    port.postMessage('SIGINT');
  }
}
