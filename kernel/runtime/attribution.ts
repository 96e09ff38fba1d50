/**
 * Which cell is it that runs now? Output belongs to the cell whose code makes it, however late.
 *
 * Each promise remembers the cell that made it, and each timer and tick the cell that set it; when they fire, that
 * cell is the current one. (Node's AsyncLocalStorage would do the same, but its stack doesn't survive an interrupt.)
 * All of them enter through the boundary. An interrupted cell is *cancelled*: its timers are cleared, and whatever
 * of it still wakes up before the next cell runs is ended.
 */
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import { promiseHooks } from 'node:v8';
import { endExecution, enter } from './boundary';

/** The cell that nothing belongs to: its output goes to the newest cell. */
export const NO_CELL = 0;

let current = NO_CELL;
let newest = NO_CELL;
const cancelled = new Set<number>();

/** The cell that the running code belongs to. */
export function currentCell(): number {
  return current === NO_CELL ? newest : current;
}

/** Runs `action` as a part of `cell`, inside the boundary. An interrupt that ends it is reported. */
export function runAs(cell: number, action: () => void): void {
  const before = current;
  const height = stack.length;
  current = cell;
  try {
    if (!enter(action)) reportEnd();
  } finally {
    current = before;
    stack.length = height;
  }
}

/** Who is told of what happens to code of cells that runs by itself. */
interface Listener {
  /** A timer or a tick threw. */
  onError: (error: unknown, cell: number) => void;
  /** An interrupt has ended code of a cell. */
  onEnd: (cell: number) => void;
}

let listener: Listener = {
  onError: (error) => {
    throw error;
  },
  onEnd: () => undefined,
};

/** Reports that the code that was current has been ended, unless it belongs to a cell of which that is known. */
function reportEnd(): void {
  if (!cancelled.has(current)) listener.onEnd(currentCell());
}

/**
 * To be called where nothing of a cell runs. What still counts as current was ended outside the boundary, where
 * nothing could notice (a promise that the file system settled): it is reported now.
 */
export function leaveCells(): void {
  if (current !== NO_CELL) reportEnd();
  current = NO_CELL;
  stack.length = 0;
}

/** Runs what a timer, a tick or a message from outside calls, as a part of `cell`. What it throws is reported. */
export function runLate(cell: number, action: () => void): void {
  try {
    runAs(cell, action);
  } catch (error) {
    listener.onError(error, cell);
  }
}

/** The cell that made a promise. */
export function cellOf(promise: Promise<unknown>): number {
  return Stamp.of(promise);
}

/** A new cell begins: what was cancelled has had its time. */
export function beginCell(cell: number): void {
  newest = cell;
  cancelled.clear();
}

/** Clears the timers that cells have left running. @returns whose they were */
export function clearTimers(): Set<number> {
  const cells = new Set<number>();
  for (const [timer, owner] of owned) {
    if (!timer.hasRef()) continue; // a library's, which waits for nothing
    clearTimeout(timer);
    owned.delete(timer);
    cells.add(owner === NO_CELL ? newest : owner);
  }
  return cells;
}

/** Stops what a cell has under way: timers are cleared, promises end as they wake up. */
export function cancelCell(cell: number): void {
  cancelled.add(cell);
  for (const [timer, owner] of owned) {
    if (owner !== cell) continue;
    clearTimeout(timer);
    owned.delete(timer);
  }
}

/** A field on an object that is not ours, invisible to all others. */
class Stamp extends (function (this: unknown, promise: object) {
  return promise;
} as unknown as new (
  promise: object,
) => object) {
  #cell: number;
  constructor(promise: object, cell: number) {
    super(promise);
    this.#cell = cell;
  }
  static of(promise: object): number {
    return #cell in promise ? (promise as Stamp).#cell : NO_CELL;
  }
}

const stack: number[] = [];

function watchPromises(): void {
  promiseHooks.createHook({
    init: (promise: object) => {
      new Stamp(promise, current);
    },
    before: (promise: object) => {
      stack.push(current);
      current = Stamp.of(promise);
      if (cancelled.has(current)) endExecution();
    },
    after: () => {
      current = stack.pop() ?? NO_CELL;
    },
  });
}

type Callback = (...values: unknown[]) => void;
const owned = new Map<NodeJS.Timeout, number>();

/** Makes timers and ticks remember their cell and enter through the boundary. */
function wrapTimers(): void {
  const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval } = timers;
  const { promisify } = require('node:util') as typeof import('node:util');
  const wrapped = {
    setTimeout: (callback: Callback, delay?: number, ...values: unknown[]) => {
      const cell = current;
      if (typeof callback !== 'function') throw new TypeError('setTimeout expects a function to call.');
      const timer = setTimeout(() => {
        owned.delete(timer);
        runLate(cell, () => callback(...values));
      }, delay);
      owned.set(timer, cell);
      return timer;
    },
    setInterval: (callback: Callback, delay?: number, ...values: unknown[]) => {
      const cell = current;
      if (typeof callback !== 'function') throw new TypeError('setInterval expects a function to call.');
      const timer = setInterval(() => runLate(cell, () => callback(...values)), delay);
      owned.set(timer, cell);
      return timer;
    },
    setImmediate: (callback: Callback, ...values: unknown[]) => {
      const cell = current;
      if (typeof callback !== 'function') throw new TypeError('setImmediate expects a function to call.');
      return setImmediate(() => {
        if (!cancelled.has(cell)) runLate(cell, () => callback(...values));
      });
    },
    clearTimeout: (timer: NodeJS.Timeout) => {
      owned.delete(timer);
      clearTimeout(timer);
    },
    clearInterval: (timer: NodeJS.Timeout) => {
      owned.delete(timer);
      clearInterval(timer);
    },
  };
  const custom = promisify.custom;
  Object.defineProperty(wrapped.setTimeout, custom, {
    value: (delay?: number, value?: unknown) =>
      new Promise((resolve) => wrapped.setTimeout(() => resolve(value), delay)),
  });
  Object.defineProperty(wrapped.setImmediate, custom, {
    value: (value?: unknown) => new Promise((resolve) => wrapped.setImmediate(() => resolve(value))),
  });
  Object.assign(timers, wrapped);
  Object.assign(globalThis, wrapped);
  const nextTick = process.nextTick;
  process.nextTick = (callback: Callback, ...values: unknown[]) => {
    const cell = current;
    nextTick.call(process, () => runLate(cell, () => callback(...values)));
  };
  const settled = Promise.resolve();
  globalThis.queueMicrotask = (callback) => {
    void settled.then(() => callback());
  };
  syncBuiltinESMExports();
}

/** Starts to keep track. Once, before the first cell. */
export function keepTrack(told: Listener): void {
  listener = told;
  wrapTimers();
  watchPromises();
}
