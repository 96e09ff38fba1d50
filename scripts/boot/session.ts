/**
 * A kernel's console in the terminal: what it prints is written out, what is typed goes to its UART,
 * and in between it runs for a few milliseconds at a time.
 *
 * Simulated time is the guest's own: it passes while the guest waits, in an instant. So that a guest
 * which only waits for its timer doesn't keep the computer busy, a slice without output, in which
 * the hart mostly waited, is followed by a pause.
 */
import type { Hypervisor, Machine, RunResult } from 'kernel-lib';

export interface Booted {
  uart: Machine['uart'];
  run(instructions: number): RunResult;
  /** The real machine. */
  machine: Machine;
  hypervisor?: Hypervisor;
}

export interface SessionOptions {
  /** Most instructions; no limit if undefined. */
  budget: number | undefined;
  /** Each of `lines` is typed when the console ends with `prompt`; after the last, at the next prompt, the session ends. */
  prompt: string | undefined;
  lines: readonly string[];
}

const SLICE = 2_000_000;
const PAUSE_MILLISECONDS = 15;
/** The share of a slice's cycles from which on the hart counts as waiting. */
const MOSTLY = 0.9;
const CONTROL_A = 1;

export class Session {
  private printed = 0;
  private tail = '';
  private instructions = 0;
  private quits = false;
  /** The last slice printed nothing, and the hart mostly waited. */
  private waits = false;
  private inputEnded = false;
  private afterControlA = false;
  private readonly lines: string[];

  constructor(
    private readonly booted: Booted,
    private readonly options: SessionOptions,
  ) {
    this.lines = [...options.lines];
  }

  /** Runs to the end, and gives the exit code for the shell: the guest's, or 1 where it came to no good end. */
  async run(): Promise<number> {
    this.listen();
    let end = this.slice();
    while (end === undefined) {
      await this.rest();
      end = this.slice();
    }
    process.stdin.setRawMode?.(false);
    process.stdin.destroy();
    process.stderr.write(`\n${this.summary(end)}\n`);
    return end.reason === 'finished' ? Math.min(end.code ?? 0, 255) : end.reason === 'quit' ? 0 : 1;
  }

  /** What comes in goes to the guest; of a terminal key by key, with Ctrl-A X to quit and Ctrl-A Ctrl-A for itself. */
  private listen(): void {
    const { stdin } = process;
    stdin.setRawMode?.(true);
    stdin.on('data', (bytes: Buffer) => {
      const keys = stdin.isTTY ? bytes.filter((key) => this.isForGuest(key)) : bytes;
      this.booted.uart.input(Buffer.from(keys).toString('utf8'));
    });
    stdin.on('end', () => {
      this.inputEnded = true;
    });
  }

  private isForGuest(key: number): boolean {
    if (this.afterControlA) {
      this.afterControlA = false;
      this.quits ||= key === 'x'.charCodeAt(0);
      return key === CONTROL_A;
    }
    this.afterControlA = key === CONTROL_A;
    return !this.afterControlA;
  }

  /** Runs a slice; how it all ended, if it did. */
  private slice(): { reason: string; message: string; code?: number } | undefined {
    const { booted, options } = this;
    const left = (options.budget ?? Number.POSITIVE_INFINITY) - this.instructions;
    const { idleCycles, cycles } = booted.machine;
    const result = booted.run(Math.min(SLICE, left));
    this.instructions += result.instructions;
    const isQuiet = !this.print();
    this.waits =
      isQuiet && booted.machine.idleCycles - idleCycles > MOSTLY * (booted.machine.cycles - cycles);
    if (this.quits) return { reason: 'quit', message: 'Ended by Ctrl-A X.' };
    if (this.typesLine()) return undefined;
    if (options.prompt !== undefined && options.lines.length > 0 && this.isAtPrompt)
      return { reason: 'quit', message: 'All lines were typed and answered.' };
    if (result.reason === 'idle') return this.inputEnded ? result : undefined;
    if (result.reason !== 'budget') return result;
    if (left <= SLICE) return { reason: 'budget', message: `The budget of ${options.budget} is used up.` };
    return undefined;
  }

  private get isAtPrompt(): boolean {
    return this.options.prompt !== undefined && this.tail.endsWith(this.options.prompt);
  }

  private typesLine(): boolean {
    if (!this.isAtPrompt) return false;
    const line = this.lines.shift();
    if (line === undefined) return false;
    this.tail = '';
    this.booted.uart.input(`${line}\r`);
    return true;
  }

  /** Writes out what was printed since the last time; whether there was anything. */
  private print(): boolean {
    const bytes = this.booted.uart.outputFrom(this.printed);
    if (bytes.length === 0) return false;
    this.printed += bytes.length;
    process.stdout.write(bytes);
    const longest = this.options.prompt?.length ?? 0;
    this.tail = (this.tail + Buffer.from(bytes).toString('latin1')).slice(-longest);
    return true;
  }

  /** Lets keys come in; for longer where the guest only waits. */
  private rest(): Promise<void> {
    return new Promise((resolve) => {
      if (this.waits) setTimeout(resolve, PAUSE_MILLISECONDS);
      else setImmediate(resolve);
    });
  }

  private summary(end: { message: string }): string {
    const { hypervisor } = this.booted;
    const ran = `${end.message} ${this.instructions.toLocaleString('en-GB')} instructions`;
    if (hypervisor === undefined) return `${ran}.`;
    const { exits } = hypervisor.report();
    const count = exits.reduce((sum, exit) => sum + exit.count, 0);
    return `${ran}, ${count.toLocaleString('en-GB')} exits to the hypervisor.`;
  }
}
