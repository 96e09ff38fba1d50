/** Asking the language thread over a port: each question has a number, and its answer comes back under it. */
import type { MessagePort } from 'node:worker_threads';
import type { LanguageCall, LanguageCalls, LanguageReply } from './messages';

/** A function that asks the language thread at the other end of a port. */
export type Ask = <Call extends LanguageCall>(
  call: Call,
  ask: LanguageCalls[Call]['ask'],
) => Promise<LanguageCalls[Call]['answer']>;

const STOPPED = 'The compiler has stopped: restart the kernel.';

/** An asker on `port`. A question fails with an Error if the language thread does. */
export function asker(port: MessagePort): Ask {
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  let isClosed = false;
  port.on('message', (reply: LanguageReply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('failure' in reply) asked?.reject(new Error(reply.failure));
    else asked?.resolve(reply.answer as never);
  });
  port.on('close', () => {
    isClosed = true;
    for (const asked of waiting.values()) asked.reject(new Error(STOPPED));
    waiting.clear();
  });
  return (call, ask) =>
    new Promise((resolve, reject) => {
      if (isClosed) throw new Error(STOPPED);
      const id = ++last;
      waiting.set(id, { resolve, reject });
      port.postMessage({ id, call, ask });
    });
}
