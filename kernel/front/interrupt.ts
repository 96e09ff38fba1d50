/**
 * Interrupts the main thread, whatever it does, and keeps its state.
 *
 * First it is asked: if it is waiting (an `await`, a timer) it hears, and ends the cell itself. If it doesn't answer it
 * is busy: what it runs is ended from here, through the inspector, and it is asked again.
 */
import { Session } from 'node:inspector';
import type { ToFront, ToMain } from '../messages';

/** How long the main thread may take to answer before it counts as busy, in ms. */
const PATIENCE_MS = 60;
const MOST_TRIES = 60;
/** An end that came when the main thread was idle ends the next thing that it does, which is hearing us: ask again. */
const ASKS_PER_END = 3;

type Answer = Extract<ToFront, { kind: 'interrupted' }>;

export class Interrupter {
  private readonly session = new Session();
  private sequence = 0;
  private answered: ((answer: Answer) => void) | undefined;

  /** @param ask sends to the main thread */
  constructor(private readonly ask: (message: ToMain) => void) {
    this.session.connectToMainThread();
  }

  /** The main thread's answer. */
  receive(answer: Answer): void {
    if (answer.sequence === this.sequence) this.answered?.(answer);
  }

  /** Interrupts. @returns whether the main thread came to itself, and the cell that it had been running */
  async interrupt(): Promise<{ cell: number | undefined } | undefined> {
    const sequence = ++this.sequence;
    const answer = new Promise<Answer>((resolve) => {
      this.answered = resolve;
    });
    let heard: Answer | undefined;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      this.ask({ kind: 'interrupt', sequence });
      heard = await Promise.race([answer, after(PATIENCE_MS)]);
      if (heard && this.ending === 0) return { cell: heard.running };
      if (heard) await after(1);
      else if (tries % ASKS_PER_END === 0) await Promise.race([this.endExecution(), after(4 * PATIENCE_MS)]);
    }
    return heard && { cell: heard.running };
  }

  /** The ends that are under way. One that came after the interrupt was over would hit the next cell. */
  private ending = 0;

  private endExecution(): Promise<void> {
    this.ending++;
    return new Promise((resolve) => {
      this.session.post('Runtime.terminateExecution', () => {
        this.ending--;
        resolve();
      });
    });
  }
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}
