/**
 * Trap-and-emulate: the guest's kernel runs in U mode, so that each of its privileged
 * instructions traps, and is then carried out on the virtual hart.
 *
 * That is the whole technique: `emulate` executes the very row that the real hart refused, on the
 * hart that the guest believes in. If the guest is in virtual U mode there, the row refuses again,
 * and the virtual hart traps into the guest's kernel, as it should.
 * Popek & Goldberg 1974; S1, Virtualization Mechanics: Instruction Emulation. Read `vm.ts` first.
 */
import { execute, step } from '../engine/reference';
import { Cause } from '../isa/causes';
import { DECODE, EMULATE } from '../machine/cost';
import type { BootOptions, Loadable, Machine, RunResult } from '../machine/machine';
import type { Trap } from '../machine/trap';
import { type ExitHandler, type Hypervisor, type Report, Vm, type VmOptions } from './vm';

/** Why the guest stopped -> who answers. A cause not listed is the guest's own trap. */
export const onCause: Partial<Record<Cause, ExitHandler>> = {
  [Cause.IllegalInstruction]: emulate,
  [Cause.EcallFromU]: emulate, // virtual S: a call to the firmware; virtual U: to the guest's kernel
  [Cause.EcallFromS]: emulate, // only where the guest's kernel runs in real S mode
  [Cause.LoadAccessFault]: emulate, // a device register, perhaps
  [Cause.StoreAccessFault]: emulate,
  [Cause.InstructionPageFault]: pageFault, // the guest's tables or ours?
  [Cause.LoadPageFault]: pageFault,
  [Cause.StorePageFault]: pageFault,
  [Cause.MachineTimerInterrupt]: () => {}, // the virtual timer is due: it will be delivered on entry
};

/** Answers an exit by the table. */
export function dispatch(vm: Vm, trap: Trap): void {
  const handler = onCause[trap.cause] ?? reflect;
  handler(vm, trap);
}

/** The trap is the guest's own. */
export function reflect(vm: Vm, trap: Trap): void {
  vm.charge(EMULATE);
  vm.reflect(trap);
}

/** Executes the instruction that trapped on the virtual hart. */
export function emulate(vm: Vm, trap: Trap): void {
  const instruction = vm.instruction();
  if (instruction === undefined) {
    reflect(vm, trap);
    return;
  }
  vm.charge(EMULATE);
  execute(vm.hart, instruction);
  const own = vm.hart.takeRaised();
  if (own === undefined) vm.countEmulated();
  else vm.reflect(own);
}

/** Fills the shadow tables, if that is all that was missing; what is the guest's own goes to the guest. */
export function pageFault(vm: Vm, trap: Trap): void {
  switch (vm.paging.fault(trap)) {
    case 'filled':
      vm.because('hidden fault');
      return;
    case 'guest':
      reflect(vm, vm.hart.takeRaised() ?? trap);
      return;
    case 'trace':
      vm.because('trace');
      if (trap.cause === Cause.InstructionPageFault) stepInSoftware(vm);
      else emulate(vm, trap);
      return;
    case 'device':
      vm.because('device');
      emulate(vm, trap);
      return;
  }
}

/** Fetches and executes the next instruction, whatever it is, on the virtual hart. */
function stepInSoftware(vm: Vm): void {
  const before = vm.hart.instret;
  vm.charge(DECODE);
  vm.charge(EMULATE);
  step(vm.guest);
  if (vm.hart.instret !== before) vm.countEmulated();
}

export interface TrapAndEmulateOptions extends VmOptions {
  /** One's own answer to exits. */
  dispatch?: ExitHandler;
}

export class TrapAndEmulate implements Hypervisor {
  readonly vm: Vm;

  /**
   * @param machine the real machine
   * @throws RangeError if the options don't fit it
   */
  constructor(machine: Machine, options: TrapAndEmulateOptions = {}) {
    const isPlain = options.dispatch === undefined;
    this.vm = new Vm(machine, 'trap-and-emulate', options.dispatch ?? dispatch, { ...options, isPlain });
  }

  boot(image: Loadable, options?: BootOptions): void {
    this.vm.boot(image, options);
  }

  run(limits?: { instructions?: number }): RunResult {
    return this.vm.run(limits);
  }

  report(): Report {
    return this.vm.report();
  }
}
