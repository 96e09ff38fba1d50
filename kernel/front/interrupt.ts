/**
 * Interrupts the main thread, whatever it does, and keeps its state.
 *
 * First it is asked: if it is waiting (an `await`, a timer) it hears, and ends the cell itself. If it doesn't answer it
 * is busy: what it runs is ended from here, through the inspector, and it is asked again. If that doesn't help it waits
 * for a program that it has started: that is ended.
 */
import { execFile } from 'node:child_process';
import { Session } from 'node:inspector';
import { promisify } from 'node:util';
import type { ToFront, ToMain } from '../messages';

/** How long the main thread may take to answer before it counts as busy, in ms. */
const PATIENCE_MS = 60;
const MOST_TRIES = 60;
/** An end that came when the main thread was idle ends the next thing that it does, which is hearing us: ask again. */
const ASKS_PER_END = 3;

/** At which try the programs that a cell has started get which signal: it may be waiting for one (`execSync`). */
const SIGNALS: Record<number, NodeJS.Signals> = { 2: 'SIGINT', 10: 'SIGKILL' };

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
      else if (tries in SIGNALS) void signalPrograms(SIGNALS[tries]!);
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

/** Sends a signal to all programs that this process has started, and that these have, as Ctrl-C in a terminal does. */
async function signalPrograms(signal: NodeJS.Signals): Promise<void> {
  const listed = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']).catch(() => ({ stdout: '' }));
  const processes = listed.stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  const below = new Set([process.pid]);
  for (let before = 0; before !== below.size; ) {
    before = below.size;
    for (const [pid = 0, parent = 0] of processes) if (below.has(parent)) below.add(pid);
  }
  below.delete(process.pid);
  for (const pid of below) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}
