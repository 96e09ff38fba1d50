/** The cells of this session, as `history_request` asks for them. */
import type { Json } from './wire';

/** Jupyter numbers sessions; the kernel remembers its own only. */
const SESSION = 1;

interface Entry {
  line: number;
  input: string;
  output: string | null;
}

export class History {
  private readonly entries: Entry[] = [];

  add(line: number, input: string): void {
    this.entries.push({ line, input, output: null });
  }

  /** Notes the text of a result. */
  setOutput(line: number, output: string): void {
    const entry = this.entries.findLast((each) => each.line === line);
    if (entry) entry.output = output;
  }

  /** The `history` of a reply: `[session, line, input]`, or `[session, line, [input, output]]`. */
  answer(request: Json): unknown[] {
    const withOutput = request.output === true;
    return this.select(request).map(({ line, input, output }) => [
      SESSION,
      line,
      withOutput ? [input, output] : input,
    ]);
  }

  private select(request: Json): Entry[] {
    const count = typeof request.n === 'number' ? request.n : undefined;
    switch (request.hist_access_type) {
      case 'range': {
        const start = Number(request.start ?? 1);
        const stop = typeof request.stop === 'number' ? request.stop : Number.POSITIVE_INFINITY;
        return this.entries.filter(({ line }) => line >= start && line < stop);
      }
      case 'search': {
        const pattern = glob(String(request.pattern ?? '*'));
        let found = this.entries.filter(({ input }) => pattern.test(input));
        if (request.unique === true) {
          found = found.filter(
            (entry, i) => !found.slice(i + 1).some((later) => later.input === entry.input),
          );
        }
        return count === undefined ? found : found.slice(-count);
      }
      default:
        return count === undefined
          ? this.entries
          : this.entries.slice(-Math.max(count, 0) || this.entries.length);
    }
  }
}

/** A pattern with `*` and `?` as a regular expression for the whole text. */
function glob(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '[^]*').replaceAll('?', '[^]')}$`);
}
