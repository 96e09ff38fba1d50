/**
 * The queue of cells to run: one at a time, in order, each compiled (language thread) and run (main thread).
 *
 * `stop_on_error`: the requests that a client had sent before it could know of an error are answered `aborted`; those
 * that it sends afterwards are run, however soon.
 */
import type { Ask } from '../ask';
import type { MimeBundle, Outcome, ToFront, ToMain } from '../messages';
import { describeProblems } from '../runtime/trace';
import type { History } from './history';
import type { Interrupter } from './interrupt';
import type { Outputs } from './outputs';
import { report, type Sockets } from './sockets';
import type { Json, Request } from './wire';

interface Run {
  cell: number;
  /** Jupyter's number of the cell. */
  count: number;
  request: Request;
  done: (outcome: Outcome) => void;
  isInterrupted: boolean;
  result?: MimeBundle;
}

interface Failure {
  session: string;
  /** When the client's failing request was made, by its clock, and came, by ours. */
  made: number;
  arrived: number;
  /** When the client was told, by our clock. */
  told: number;
}

/** How long after an error requests may come in that were made before it, in ms. */
const STRAGGLERS_MS = 1000;

interface Parts {
  sockets: Sockets;
  outputs: Outputs;
  history: History;
  ask: Ask;
  toMain: (message: ToMain) => void;
}

export class Executions {
  private readonly queue: Request[] = [];
  private running: Run | undefined;
  private failure: Failure | undefined;
  private isPumping = false;
  private interrupting: Promise<void> = Promise.resolve();
  private cells = 0;
  /** Jupyter's count of the cells that were run. */
  count = 0;

  constructor(private readonly parts: Parts) {}

  /** The request that is being executed. */
  get current(): Request | undefined {
    return this.running?.request;
  }

  add(request: Request): void {
    this.queue.push(request);
    void this.pump();
  }

  /** A number for code that belongs to no cell, whose output answers `request`. */
  lateCell(request: Request): number {
    const cell = ++this.cells;
    this.parts.outputs.begin(cell, request.header, false);
    return cell;
  }

  /** Interrupts the cell that runs now. The next one waits until that is over. */
  interrupt(interrupter: Interrupter): Promise<void> {
    const run = this.running;
    const interrupting = async (): Promise<void> => {
      const heard = await interrupter.interrupt();
      if (!run) return;
      run.isInterrupted = true;
      if (heard?.cell !== run.cell) run.done(INTERRUPTED);
    };
    this.interrupting = this.interrupting.then(interrupting);
    return this.interrupting;
  }

  /** Something from the main thread about the running cell. */
  receive(message: Extract<ToFront, { kind: 'done' | 'result' }>): void {
    const running = this.running;
    if (message.kind === 'result') {
      if (running?.cell === message.cell) running.result = message.data;
      this.parts.outputs.put(message, running?.count ?? this.count);
      return;
    }
    void this.parts.ask('settle', { cell: message.cell, declared: message.declared }).catch(report);
    if (running?.cell === message.cell) running.done(message.outcome);
  }

  private async pump(): Promise<void> {
    if (this.isPumping) return;
    this.isPumping = true;
    for (let request = this.queue.shift(); request; request = this.queue.shift()) {
      try {
        if (this.isAborted(request)) await this.abort(request);
        else await this.execute(request);
      } catch (error) {
        report(error);
      }
    }
    this.isPumping = false;
  }

  private async execute(request: Request): Promise<void> {
    const { sockets, outputs, history } = this.parts;
    const { header, content } = request;
    const code = String(content.code ?? '');
    const isSilent = content.silent === true;
    const isStored = content.store_history !== false && !isSilent;
    void sockets.publish('status', header, { execution_state: 'busy' });
    if (isStored || this.count === 0) this.count++;
    const count = this.count;
    if (isStored) history.add(count, code);
    if (!isSilent) void sockets.publish('execute_input', header, { code, execution_count: count });
    const { outcome, result } = await this.run(request, code, count, isSilent);
    if (isStored && result) history.setOutput(count, String(result['text/plain']));
    outputs.flush();
    const error = { ename: '', evalue: '', traceback: [] as string[], ...outcome };
    if (outcome.status === 'error' && !isSilent) {
      const { ename, evalue, traceback } = error;
      void sockets.publish('error', header, { ename, evalue, traceback });
    }
    const payload = EXIT.test(code) && !isSilent ? [{ source: 'ask_exit', keepkernel: false }] : [];
    const reply =
      outcome.status === 'error'
        ? { ...outcome, execution_count: count, payload: [], user_expressions: {} }
        : {
            status: 'ok',
            execution_count: count,
            payload,
            user_expressions: await this.userExpressions(request, count),
          };
    if (outcome.status === 'error' && content.stop_on_error !== false) this.fail(request);
    void sockets.reply('shell', request, 'execute_reply', reply, { status: outcome.status });
    void sockets.publish('status', header, { execution_state: 'idle' });
  }

  /** Compiles and runs code as a cell. */
  private async run(
    request: Request,
    code: string,
    count: number,
    isSilent: boolean,
  ): Promise<{ outcome: Outcome; result?: MimeBundle }> {
    const { outputs, ask, toMain } = this.parts;
    const cell = ++this.cells;
    outputs.begin(cell, request.header, isSilent);
    if (code.trim() === '' || EXIT.test(code)) return { outcome: { status: 'ok' } };
    let ended: (outcome: Outcome) => void = () => undefined;
    const end = new Promise<Outcome>((resolve) => {
      ended = resolve;
    });
    const run: Run = { cell, count, request, done: ended, isInterrupted: false };
    this.running = run;
    try {
      const specifiers = packagesOf(code);
      if (specifiers.length > 0) toMain({ kind: 'preload', specifiers });
      const answer = await ask('compile', { cell, name: `cell ${count}`, code });
      if ('problems' in answer) return { outcome: describeProblems(answer.problems) };
      await this.interrupting;
      if (run.isInterrupted) return { outcome: INTERRUPTED };
      toMain({ kind: 'run', cell, ...answer });
      const outcome = await end;
      return run.result ? { outcome, result: run.result } : { outcome };
    } catch (error) {
      return { outcome: failed(error) };
    } finally {
      this.running = undefined;
    }
  }

  private async userExpressions(request: Request, count: number): Promise<Json> {
    const expressions = request.content.user_expressions;
    const answers: Json = {};
    if (typeof expressions !== 'object' || expressions === null) return answers;
    for (const [name, code] of Object.entries(expressions)) {
      const { outcome, result } = await this.run(request, `(${String(code)})`, count, true);
      answers[name] = outcome.status === 'ok' ? { status: 'ok', data: result ?? {}, metadata: {} } : outcome;
    }
    return answers;
  }

  private fail({ header, arrived }: Request): void {
    this.failure = { session: header.session, made: Date.parse(header.date), arrived, told: Date.now() };
    for (const waiting of this.queue) this.doomed.add(waiting);
  }

  private readonly doomed = new WeakSet<Request>();

  /** Whether the client sent a request before it could know of the last error. */
  private isAborted(request: Request): boolean {
    if (this.doomed.has(request)) return true;
    const { failure } = this;
    if (!failure || failure.session !== request.header.session) return false;
    if (request.arrived > failure.told + STRAGGLERS_MS) return false;
    const sinceFailing = Date.parse(request.header.date) - failure.made;
    return failure.arrived + sinceFailing < failure.told;
  }

  private async abort(request: Request): Promise<void> {
    const { sockets } = this.parts;
    const { header } = request;
    void sockets.publish('status', header, { execution_state: 'busy' });
    const content = { status: 'aborted', execution_count: this.count, payload: [], user_expressions: {} };
    void sockets.reply('shell', request, 'execute_reply', content, { status: 'aborted' });
    await sockets.publish('status', header, { execution_state: 'idle' });
  }
}

/** What ends a console. It is the console that ends, and the kernel with it if it is its own. */
const EXIT = /^\s*(exit|quit)(\(\))?;?\s*$/;

const INTERRUPTED: Outcome = {
  status: 'error',
  ename: 'KeyboardInterrupt',
  evalue: 'The cell was interrupted.',
  traceback: ['KeyboardInterrupt: The cell was interrupted.'],
};

function failed(error: unknown): Outcome {
  const evalue = error instanceof Error ? error.message : String(error);
  return { status: 'error', ename: 'KernelError', evalue, traceback: [`KernelError: ${evalue}`] };
}

/** The packages that a cell imports, as far as its text tells: to load them while the compiler checks the cell. */
function packagesOf(code: string): string[] {
  const found = code.matchAll(/^\s*import\s+(?!type\b)[^'"()]*?['"]([^'"./][^'"]*)['"]/gm);
  return [...found].map((match) => match[1]!);
}
