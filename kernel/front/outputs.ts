/**
 * What cells put out, on its way to the clients. Pieces of text that follow each other are joined for a moment, so that
 * a hundred thousand lines are a few hundred messages. A cell that prints without end is cut, and says so.
 */
import type { MimeBundle, ToFront } from '../messages';
import type { Sockets } from './sockets';
import type { Header } from './wire';

/** How long text waits for more, in ms. */
const JOIN_MS = 20;
/** How much text is sent at once, in characters. */
const JOIN_LENGTH = 256 * 1024;
/** How much a cell can put out, in characters: what browsers still bear. */
export const MOST_OUTPUT = 32 * 1024 * 1024;

interface CellOutput {
  parent: Header;
  isSilent: boolean;
  length: number;
  isCut: boolean;
}

type Output = Extract<ToFront, { kind: 'stream' | 'display' | 'clear' | 'result' }>;

export class Outputs {
  private readonly cells = new Map<number, CellOutput>();
  private held: { cell: number; name: string; text: string[]; length: number } | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly sockets: Sockets) {}

  /** Output of `cell` answers `parent`. A silent cell's goes nowhere. */
  begin(cell: number, parent: Header, isSilent: boolean): void {
    this.cells.set(cell, { parent, isSilent, length: 0, isCut: false });
  }

  /** The request that a cell came with. */
  parentOf(cell: number): Header | undefined {
    return this.cells.get(cell)?.parent;
  }

  /** Sends, or holds for a moment, what a cell puts out. `count` is the cell's execution count. */
  put(message: Output, count: number): void {
    const output = this.cells.get(message.cell);
    if (!output || output.isSilent) return;
    if (message.kind === 'stream') {
      this.stream(output, message);
      return;
    }
    this.flush();
    if (message.kind === 'clear') {
      void this.sockets.publish('clear_output', output.parent, { wait: message.wait });
      return;
    }
    const { data, metadata } = this.fit(output, message);
    if (message.kind === 'result') {
      void this.sockets.publish('execute_result', output.parent, { execution_count: count, data, metadata });
      return;
    }
    const type = message.update ? 'update_display_data' : 'display_data';
    const transient = message.displayId === undefined ? {} : { display_id: message.displayId };
    void this.sockets.publish(type, output.parent, { data, metadata, transient });
  }

  /** Sends what is held. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const held = this.held;
    this.held = undefined;
    const parent = held && this.cells.get(held.cell)?.parent;
    if (held) void this.sockets.publish('stream', parent, { name: held.name, text: held.text.join('') });
  }

  private stream(output: CellOutput, { cell, name, text }: Extract<ToFront, { kind: 'stream' }>): void {
    if (output.isCut) return;
    let piece = text;
    output.length += text.length;
    if (output.length > MOST_OUTPUT) {
      output.isCut = true;
      const kept = text.slice(0, Math.max(0, text.length - (output.length - MOST_OUTPUT)));
      piece = `${kept}\n[output cut: a cell can print at most ${MOST_OUTPUT / 2 ** 20} million characters]\n`;
    }
    if (this.held && (this.held.cell !== cell || this.held.name !== name)) this.flush();
    this.held ??= { cell, name, text: [], length: 0 };
    this.held.text.push(piece);
    this.held.length += piece.length;
    if (this.held.length >= JOIN_LENGTH) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), JOIN_MS);
  }

  /** A bundle, or, if it is too much, a message in its place. */
  private fit(output: CellOutput, { data, metadata }: { data: MimeBundle; metadata: MimeBundle }) {
    const length = Object.values(data).reduce<number>(
      (sum, value) => sum + (typeof value === 'string' ? value.length : (JSON.stringify(value)?.length ?? 0)),
      0,
    );
    output.length += length;
    if (length <= MOST_OUTPUT) return { data, metadata };
    const text = `[output cut: ${length} characters are more than can be shown]`;
    return { data: { 'text/plain': text }, metadata: {} };
  }
}
