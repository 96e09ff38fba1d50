/** Machines that run: a board with an engine. */
import { type Engine, Machine, type MachineOptions } from '../machine/machine';
import { interpreter } from './interpreter';
import { reference } from './reference';

/** Engines by name. Each machine gets one of its own: engines keep what they have translated. */
export const ENGINES = {
  reference: () => reference,
  interpreter: () => interpreter,
} satisfies Record<string, () => Engine>;

export type EngineName = keyof typeof ENGINES;

/** The options of a machine, with an engine that may be given by name. */
export interface RunnableOptions extends Omit<MachineOptions, 'engine'> {
  /** `interpreter` if left out. */
  engine?: EngineName | Engine;
}

/**
 * A machine with an engine, in M mode at the start of RAM.
 * @throws if an option makes no sense
 */
export function createMachine(options: RunnableOptions = {}): Machine {
  return new Machine({ ...options, engine: engineOf(options.engine ?? 'interpreter') });
}

function engineOf(engine: EngineName | Engine): Engine {
  if (typeof engine !== 'string') return engine;
  const make = (ENGINES as Record<string, (() => Engine) | undefined>)[engine];
  if (make === undefined) {
    throw new Error(`There is no engine "${engine}". There are: ${Object.keys(ENGINES).join(', ')}.`);
  }
  return make();
}
