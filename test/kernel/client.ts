// A kernel under test: started, driven and watched through Jupyter's own client (client.py).
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeModules, project } from '../../scripts/places.mjs';
import { jupyterEnvironment, preparePython, pythonProgram, scratch } from './python';

export interface Message {
  type: string;
  content: Record<string, unknown> & {
    data?: Record<string, string>;
    text?: string;
    name?: string;
    ename?: string;
    evalue?: string;
    traceback?: string[];
  };
  buffers: number;
  parent?: string;
}

/** What a cell caused. */
export interface Ran {
  reply: Record<string, unknown> & { status: string; execution_count: number };
  messages: Message[];
  others: Message[];
}

export interface RunOptions {
  silent?: boolean;
  store_history?: boolean;
  stop_on_error?: boolean;
  user_expressions?: Record<string, string>;
  /** Answers to input(); without them the client says that it can't answer. */
  stdin?: string[];
  /** The cell is interrupted soon after it has printed this. */
  interrupt_at?: string;
  /** Interrupt by SIGINT, whatever the kernel's specification says. */
  signals?: boolean;
}

/** Puts the project's packages where a notebook in `folder` finds them. */
export function linkLibrary(folder: string): undefined {
  symlinkSync(nodeModules, join(folder, 'node_modules'));
}

export class TestKernel {
  private readonly waiting: ((line: string) => void)[] = [];
  pid = 0;

  private constructor(
    private readonly process: ChildProcess,
    readonly folder: string,
    private readonly remove: () => void,
  ) {
    createInterface({ input: process.stdout! }).on('line', (line) => this.waiting.shift()?.(line));
  }

  /** Starts a kernel in a fresh folder; `prepare` may put files there, and name a folder below to start in. */
  static async start(prepare: (folder: string) => string | undefined = () => undefined): Promise<TestKernel> {
    const problem = await preparePython();
    if (problem) throw new Error(problem);
    const { folder, remove } = scratch();
    const notebooks = prepare(folder) ?? folder;
    const process = spawn(pythonProgram('python'), [join(project, 'test/kernel/client.py')], {
      env: jupyterEnvironment(folder),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const kernel = new TestKernel(process, folder, remove);
    kernel.pid = (await kernel.do<{ pid: number }>('start', { folder: notebooks })).pid;
    return kernel;
  }

  /** A command of client.py. */
  async do<Answer>(command: string, options: object = {}): Promise<Answer> {
    const answered = new Promise<string>((resolve) => this.waiting.push(resolve));
    this.process.stdin!.write(`${JSON.stringify({ do: command, ...options })}\n`);
    const { answer, problem } = JSON.parse(await answered) as { answer: Answer; problem?: string };
    if (problem !== undefined) throw new Error(`${command}: ${problem}`);
    return answer;
  }

  run(code: string, options: RunOptions = {}): Promise<Ran> {
    return this.do('run', { code, ...options });
  }

  /** The text of the last expression. @throws if the cell fails, with what it says */
  async value(code: string): Promise<string | undefined> {
    const ran = await this.run(code);
    if (ran.reply.status !== 'ok') throw new Error(tracebackOf(ran).join('\n'));
    return ran.messages.find(({ type }) => type === 'execute_result')?.content.data?.['text/plain'];
  }

  /** The lines of the error that a cell ends with. @throws if it doesn't */
  async error(code: string): Promise<string[]> {
    const ran = await this.run(code);
    if (ran.reply.status !== 'error') throw new Error(`no error: ${JSON.stringify(ran.messages)}`);
    return tracebackOf(ran);
  }

  /** Kills the client, so that the kernel has lost the process that started it. */
  abandon(): void {
    this.process.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.remove();
    const ended = new Promise((resolve) => this.process.on('exit', resolve));
    this.process.stdin!.end();
    await ended;
    this.remove();
  }
}

/** The processor's time that a process has used so far. proc(5): `utime` and `stime`, in hundredths of a second. */
export function processorSeconds(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(afterName[11]) + Number(afterName[12])) / 100;
}

/** What a cell printed. */
export function printed({ messages }: Ran, name = 'stdout'): string {
  const streams = messages.filter(({ type, content }) => type === 'stream' && content.name === name);
  return streams.map(({ content }) => content.text).join('');
}

export function tracebackOf({ messages }: Ran): string[] {
  return messages.find(({ type }) => type === 'error')?.content.traceback ?? [];
}
