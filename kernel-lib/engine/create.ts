/** Machines that run: a board with an engine. */
import { Machine, type MachineOptions } from '../machine/machine';
import { reference } from './reference';

/**
 * A machine with an engine, in M mode at the start of RAM.
 * @throws if an option makes no sense
 */
export function createMachine(options: MachineOptions = {}): Machine {
  return new Machine({ engine: reference, ...options });
}
