/**
 * Full emulation: every instruction of the guest is carried out in software, by the reference
 * engine on the virtual hart. Nothing runs directly, so nothing can trap, and no property of the
 * real machine is needed: equivalent, isolated, and not efficient. What the others are measured by.
 * S1, Virtual Machines: "efficient" excludes it. Read `engine/reference.ts` first.
 */
import { step } from '../engine/reference';
import { INTERPRET } from '../machine/cost';
import { checkBudget } from '../machine/given';
import type { BootOptions, Loadable, Machine, RunResult } from '../machine/machine';
import { NO_TRAP } from '../machine/trap';
import { type Hypervisor, type Report, Vm, type VmOptions } from './vm';

export class FullEmulation implements Hypervisor {
  readonly vm: Vm;
  private firstCycle = 0;

  /**
   * @param machine the real machine, whose hart the emulator itself has
   * @throws RangeError if the options don't fit it
   */
  constructor(machine: Machine, options: VmOptions = {}) {
    this.vm = new Vm(machine, 'full-emulation', () => {}, options);
  }

  boot(image: Loadable, options?: BootOptions): void {
    this.vm.load(image, options);
    this.firstCycle = this.vm.machine.cycles;
  }

  run({ instructions: budget = 100_000_000 }: { instructions?: number } = {}): RunResult {
    const { guest, hart } = this.vm;
    this.vm.requireGuest();
    checkBudget(budget);
    const before = hart.instret;
    guest.stopped = undefined;
    for (let left = budget; left > 0; left--) {
      if (guest.stopped !== undefined || guest.finished) break;
      this.step();
    }
    const instructions = hart.instret - before;
    if (guest.finished || guest.stopped !== undefined) return { ...guest.stopped!, instructions };
    const message = `The budget of ${budget} instructions is used up; run again to go on.`;
    return { reason: 'budget', message, instructions };
  }

  report(): Report {
    const report = this.vm.report();
    const { idle } = report.cycles;
    return {
      ...report,
      cycles: { ...report.cycles, hypervisor: this.vm.machine.cycles - this.firstCycle - idle },
    };
  }

  /** One instruction, or an interrupt that comes before it, or the wait for one. */
  private step(): void {
    const { vm } = this;
    const { guest, hart } = vm;
    const interrupt = hart.interruptToTake();
    if (interrupt !== NO_TRAP) guest.takeTrap({ cause: interrupt, tval: 0 });
    else if (hart.waiting) guest.idle();
    else {
      vm.charge(INTERPRET);
      const before = hart.instret;
      step(guest);
      if (hart.instret !== before) vm.countEmulated();
    }
  }
}
