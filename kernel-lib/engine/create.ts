/** Machines that run: a board with an engine. */
import { type Engine, Machine, type MachineOptions } from '../machine/machine';
import { InterpreterEngine } from './interpreter';
import { reference } from './reference';
import { StoredEngine } from './stored-engine';
import { TranslatorEngine } from './translator';

/** Engines by name. Each machine gets one of its own: engines keep what they have translated. */
export const ENGINES = {
  reference: () => reference,
  interpreter: () => new InterpreterEngine(),
  translator: () => new TranslatorEngine(),
} satisfies Record<string, () => Engine>;

export type EngineName = keyof typeof ENGINES;

/** The options of a machine, with an engine that may be given by name. */
export interface RunnableOptions extends Omit<MachineOptions, 'engine'> {
  /** `translator` if left out. */
  engine?: EngineName | Engine;
}

/**
 * A machine with an engine, in M mode at the start of RAM.
 * @throws if an option makes no sense
 */
export function createMachine(options: RunnableOptions = {}): Machine {
  const { engine: wanted = 'translator', ...board } = options;
  const engine = typeof wanted === 'string' ? engineOf(wanted) : wanted;
  return new Machine({ ...(engine instanceof StoredEngine ? engine.prepare(board) : board), engine });
}

function engineOf(name: EngineName): Engine {
  const make = (ENGINES as Record<string, (() => Engine) | undefined>)[name];
  if (make === undefined) {
    throw new Error(`There is no engine "${name}". There are: ${Object.keys(ENGINES).join(', ')}.`);
  }
  return make();
}
