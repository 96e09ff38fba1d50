/** The public face of the library, in reading order. */
export * from './bits';
export {
  type AssembleOptions,
  AssemblyError,
  type AssemblyProblem,
  asm,
  assemble,
  DEFAULT_ORIGIN,
} from './code/assemble';
export { decode, type Instruction } from './code/decode';
export { type DisassembleOptions, disassemble, listing } from './code/disassemble';
export { ElfError, readElf, toElf } from './code/elf';
export { encode, rowByName } from './code/encode';
export { type Binary, bytesAt, type Program, type ProgramLine, type Segment } from './code/program';
export { createMachine } from './engine/create';
export { execute, reference, step } from './engine/reference';
export { dispatch, emulate, onCause, reflect, TrapAndEmulate } from './hypervisor/trap-and-emulate';
export { type ExitHandler, type Hypervisor, type Report, Vm } from './hypervisor/vm';
export { Cause, causeName, isInterrupt } from './isa/causes';
export { CSRS, type Csr, csrByName, csrByNumber, csrFieldValues } from './isa/csrs';
export { ISA } from './isa/isa';
export { ABI_NAMES, Mode, registerNumber } from './isa/registers';
export { Bus, type Device } from './machine/bus';
export { Clock, COSTS, type CostTable, cyclesOf, type Work } from './machine/cost';
export { CsrFile } from './machine/csr-file';
export { Hart } from './machine/hart';
export {
  type Image,
  Machine,
  type MachineOptions,
  MiB,
  RAM_BASE,
  type RunResult,
  type Stop,
} from './machine/machine';
export { Memory } from './machine/memory';
export { Firmware } from './machine/sbi';
export { NO_TRAP, type Trap } from './machine/trap';
