/**
 * Runs cells on the main thread, one at a time, over the scope that they share.
 *
 * A cell ends when its function does, or when it is interrupted, or when an error of its own reaches the top of the
 * event loop while it still waits. What it declared until then is told to the front.
 */
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileFunction, constants } from 'node:vm';
import type { Compiled, MimeBundle, Outcome, ToMain } from '../messages';
import { beginCell, cancelCell, clearTimers, currentCell, NO_CELL, runAs } from './attribution';
import { DisplayHandle } from './face';
import { exported, type Imports, type Namespace } from './imports';
import { endGroups, type Post } from './output';
import { bundleOf } from './show';
import { describeError, noteThrown, placeIn, register } from './trace';

type CellFunction = (scope: Namespace, cell: CellFace) => Promise<[unknown] | undefined>;

/** What the compiled text of a cell calls. */
interface CellFace {
  declare(values: Namespace): void;
  /** Names that the cell will declare: until then, to use them is an error. */
  expect(...names: string[]): void;
  /** The cell has come to the statement at this offset (of its edited text). */
  at(offset: number): void;
  /** Called with what is thrown, and returns it. */
  thrown(value: unknown): unknown;
  import(specifier: string, names: [name: string, local: string][]): Promise<void>;
  load(specifier: string): Promise<Namespace>;
  meta: { url: string; filename: string; dirname: string };
}

/** What a cell that is over says when an interrupt ends what it had left running. */
const LATE_INTERRUPT = 'KeyboardInterrupt: What this cell had left running was interrupted.';

interface Running {
  cell: number;
  compiled: Compiled;
  /** Where the cell is, as an offset of its edited text. */
  at: number;
  declared: Set<string>;
  end: (outcome: Outcome) => void;
}

export class Runner {
  private readonly scope: Namespace = Object.create(null) as Namespace;
  private running: Running | undefined;

  constructor(
    private readonly folder: string,
    private readonly imports: Imports,
    private readonly post: Post,
  ) {}

  /** Runs a cell; its outcome goes to the front. */
  run({ cell, compiled, types }: Extract<ToMain, { kind: 'run' }>): void {
    beginCell(cell);
    endGroups();
    const declared = new Set(types);
    const end = (outcome: Outcome): void => {
      if (this.running?.cell !== cell) return;
      this.running = undefined;
      this.post({ kind: 'done', cell, outcome, declared: [...declared] });
    };
    const running: Running = { cell, compiled, at: 0, declared, end };
    this.running = running;
    const body = async (): Promise<void> => {
      try {
        const script = register(compiled, `vmlab:${cell}`);
        const start = compileFunction(compiled.js, ['require', '__filename', '__dirname'], {
          filename: script,
          importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
        }) as (...values: unknown[]) => CellFunction;
        const own = start(this.imports.require, path.join(this.folder, 'cell.ts'), this.folder);
        const result = await own(this.scope, this.face(running));
        if (result && isShown(result[0]) && this.running?.cell === cell) {
          const data: MimeBundle = await bundleOf(result[0]);
          this.post({ kind: 'result', cell, data, metadata: {} });
        }
        end({ status: 'ok' });
      } catch (error) {
        end(describeError(error, placeIn(compiled, running.at)));
      }
    };
    runAs(cell, () => void body());
  }

  /** The interrupt that was dealt with last, and the cell that it found running. */
  private lastInterrupt: { sequence: number; cell: number | undefined } | undefined;

  /**
   * Ends the running cell, once for each `sequence`; if none runs, what earlier ones have left running.
   * @returns the cell that was running
   */
  interrupt(sequence: number): number | undefined {
    if (this.lastInterrupt?.sequence === sequence) return this.lastInterrupt.cell;
    const running = this.running;
    if (running) {
      cancelCell(running.cell);
      running.end({
        status: 'error',
        ename: 'KeyboardInterrupt',
        evalue: 'The cell was interrupted.',
        traceback: ['KeyboardInterrupt: The cell was interrupted. What it declared and changed is kept.'],
      });
    } else if (this.stuck !== undefined) {
      cancelCell(this.stuck);
    } else {
      for (const cell of clearTimers()) this.sayInterrupted(cell);
    }
    this.stuck = undefined;
    this.lastInterrupt = { sequence, cell: running?.cell };
    return running?.cell;
  }

  /** The cell whose late code was ended by an interrupt. */
  private stuck: number | undefined;

  /** An interrupt has ended code of a cell. If the cell itself is over, it is told there. */
  ended(cell: number): void {
    if (this.running?.cell === cell) return;
    this.stuck = cell;
    this.sayInterrupted(cell);
  }

  private sayInterrupted(cell: number): void {
    this.post({ kind: 'stream', cell, name: 'stderr', text: `${LATE_INTERRUPT}\n` });
  }

  /** An error that nothing caught. It ends the cell it belongs to, if that still runs; else it is told there. */
  uncaught(error: unknown, maker = currentCell()): void {
    const cell = maker === NO_CELL ? currentCell() : maker;
    const { running } = this;
    if (running?.cell === cell) {
      running.end(describeError(error, placeIn(running.compiled, running.at)));
    } else {
      const text = describeError(error).traceback.join('\n');
      this.post({ kind: 'stream', cell, name: 'stderr', text: `${text}\n` });
    }
  }

  private face(running: Running): CellFace {
    const put = (name: string, descriptor: PropertyDescriptor): void => {
      Object.defineProperty(this.scope, name, { configurable: true, enumerable: true, ...descriptor });
    };
    const set = (name: string, descriptor: PropertyDescriptor): void => {
      put(name, descriptor);
      running.declared.add(name);
    };
    const filename = path.join(this.folder, 'cell.ts');
    return {
      declare: (values) => {
        for (const [name, value] of Object.entries(values)) set(name, { value, writable: true });
      },
      expect: (...names) => {
        for (const name of names) if (!(name in this.scope)) put(name, notYet(name));
      },
      at: (offset) => {
        running.at = offset;
      },
      thrown: noteThrown,
      import: async (specifier, names) => {
        const namespace = await this.imports.load(specifier);
        for (const [name, local] of names) set(local, { get: () => exported(namespace, name) });
      },
      load: (specifier) => this.imports.load(String(specifier)),
      meta: { url: pathToFileURL(filename).href, filename, dirname: this.folder },
    };
  }
}

/** Whether a cell's last value is shown: what `display` gives back has been. */
function isShown(value: unknown): boolean {
  return value !== undefined && !(value instanceof DisplayHandle);
}

/** A name that is used before its declaration has run. */
function notYet(name: string): PropertyDescriptor {
  const fail = (): never => {
    throw new ReferenceError(`Cannot access '${name}' before its declaration has run.`);
  };
  return { get: fail, set: fail };
}
