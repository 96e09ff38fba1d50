/**
 * Binary translation: the guest's kernel runs in U mode, but never its own code. What it is about
 * to execute is rewritten, a basic block at a time, into code without sensitive instructions,
 * which is kept in a cache and runs at full speed. The guest's user mode runs directly.
 *
 * This works on machines where sensitive instructions don't trap, and is often faster where they
 * do. The parts are in `binary-translation/`; here they meet the VM, in three places: before the
 * real hart goes on, the guest's pc becomes an address of the cache (`enter`); when it has trapped,
 * the offset map turns that back into the guest's state (`leave`); and a call from translated code
 * is answered (`callout`). Adams & Agesen 2006, section 3; S2-05. Read `trap-and-emulate.ts` first.
 */
import { execute, step } from '../engine/reference';
import { Cause } from '../isa/causes';
import { csrNumber } from '../isa/csrs';
import { Mode } from '../isa/registers';
import { EMULATE, RESTORE_AFTER_CALLOUT, SAVE_FOR_CALLOUT, type Work } from '../machine/cost';
import type { Hart } from '../machine/hart';
import type { BootOptions, Loadable, Machine, RunResult } from '../machine/machine';
import { NO_TRAP, type Trap } from '../machine/trap';
import type { Block, CalloutSite, Link } from './binary-translation/cache';
import { clearMxr, viewOf } from './binary-translation/kernel-view';
import { BORROWED } from './binary-translation/layout';
import { Translator, type TranslatorOptions } from './binary-translation/translator';
import type { GuestInstruction } from './binary-translation/treatment';
import { LAYOUTS, type RingLayout } from './layouts';
import { dispatch, emulate, reflect } from './trap-and-emulate';
import { type Hypervisor, type Report, Vm, type VmOptions } from './vm';

const SATP = csrNumber('satp');
const FIRST_MACHINE_INTERRUPTS = [
  Cause.MachineSoftwareInterrupt,
  Cause.MachineTimerInterrupt,
  Cause.MachineExternalInterrupt,
];
/** Instructions that leave a block, or go through the table, at most. */
const LONGEST_WAY = 64;

export interface BinaryTranslatorOptions extends Omit<VmOptions, 'layout' | 'workOf'>, TranslatorOptions {}

/** Where the real hart has left the cache. */
interface Left {
  block: Block | undefined;
  address: number;
  /** The guest's pc there. */
  pc: number;
  site: CalloutSite | undefined;
}

export class BinaryTranslator implements Hypervisor {
  readonly vm: Vm;
  readonly translator: Translator;
  private left: Left | undefined;
  /** The real registers as they were then. */
  private readonly raw = new Int32Array(32);
  /** Nothing has happened to the guest: the cache goes on just where it was, in the midst of something perhaps. */
  private goesOn = false;
  /** What has led to the guest's pc, and can be chained to the block there. */
  private link: Link | undefined;
  private linkedPc = 0;
  /** Where the real hart went on in the cache, and how many instructions it had retired then. */
  private readonly entered = { address: 0, instret: 0 };
  private isIndirect = false;
  /** The guest's pc while it is stopped. */
  private parkedPc = 0;

  /**
   * @param machine the real machine
   * @throws RangeError if the options don't fit it
   */
  constructor(machine: Machine, options: BinaryTranslatorOptions = {}) {
    this.vm = new Vm(machine, 'binary-translation', (_, trap) => this.dispatch(trap), {
      ...options,
      layout: this.layout(),
      workOf: () => (this.left?.site === undefined ? undefined : CALLOUT_WORK),
    });
    this.translator = new Translator(this.vm, options);
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

  /** Both modes in real U mode, each with its own view, and the kernel's pc in the cache. */
  private layout(): RingLayout {
    return {
      switchWork: LAYOUTS.user.switchWork,
      begin: LAYOUTS.user.begin,
      view: viewOf,
      enter: (real, virtual) => this.enter(real, virtual),
      leave: (real, virtual) => this.leave(real, virtual),
      defers: (cause) => this.defers(cause),
      rest: () => this.rollTo((address) => this.translator.isWhole(address)),
    };
  }

  // ------------------------------------------------------------------------ entering and leaving

  private enter(real: Hart, hart: Hart): void {
    LAYOUTS.user.enter(real, hart);
    const { translator, vm } = this;
    if (this.goesOn && this.left !== undefined) {
      translator.page.storePending(hart);
      real.x.set(this.raw);
      real.pc = this.left.address | 0;
      clearMxr(real);
      return;
    }
    translator.cache.uncover();
    const address = this.addressFor(hart);
    this.left = undefined;
    this.link = undefined;
    this.isIndirect = false;
    if (address === undefined) {
      real.pc = hart.pc;
      return;
    }
    clearMxr(real);
    translator.page.store(hart);
    real.pc = address | 0;
    this.entered.address = address;
    this.entered.instret = real.instret;
    vm.machine.stopped ??= vm.guest.stopped;
  }

  /** Where the real hart goes on; undefined: at the guest's own code, for it is in user mode. */
  private addressFor(hart: Hart): number | undefined {
    const { vm, translator, left } = this;
    const { guest } = vm;
    for (let isFirst = true; ; isFirst = false) {
      if (hart.mode === Mode.U) return undefined;
      if (guest.stopped !== undefined || guest.finished) {
        this.parkedPc = hart.pc;
        return translator.park;
      }
      const sameBlock = isFirst && left?.block?.isAlive && !this.isChainable;
      const start = sameBlock && left?.block ? translator.cache.startOf(left.block, hart.pc) : undefined;
      if (start !== undefined) return start;
      // The guest may have been interrupted since: then the link does not lead here.
      const found = translator.blockFor(hart, hart.pc === this.linkedPc ? this.link : undefined);
      if ('cause' in found) {
        guest.takeTrap(found);
        continue;
      }
      if (isFirst && this.isIndirect && translator.isChaining) translator.cache.enterInTable(found);
      return found.begin;
    }
  }

  private get isChainable(): boolean {
    return this.link !== undefined || this.isIndirect;
  }

  private leave(real: Hart, hart: Hart): void {
    this.goesOn = false;
    this.left = undefined;
    if (hart.mode === Mode.U) return;
    const { translator } = this;
    const { cache, page } = translator;
    page.load(hart);
    const address = real.pc >>> 0;
    if (address === translator.park) {
      hart.pc = this.parkedPc;
      return;
    }
    this.raw.set(real.x);
    const site = cache.calloutAt(address);
    const block = site?.block ?? cache.blockAt(address);
    const place = site ?? (block === undefined ? undefined : cache.emittedAt(block, address));
    for (const register of place?.borrowed ?? []) hart.x[register] = page.borrowed(register);
    hart.pc = place === undefined || site?.callout.kind === 'look up' ? real.x[BORROWED[0]] : place.pc;
    this.left = { block, address, pc: hart.pc, site };
    hart.instret -= this.unretired(block, address, real.instret);
  }

  /**
   * Instructions that were executed for one of the guest that has not retired: they don't count. If
   * they did, a trap handler that traps for ever would seem to get ahead.
   */
  private unretired(block: Block | undefined, address: number, instret: number): number {
    if (block === undefined) return 0;
    const executed = instret - this.entered.instret;
    const from = this.entered.address - block.begin;
    const way = block.translation.emitted.filter(
      ({ offset }) => offset >= from && offset <= address - block.begin,
    );
    const isOne = executed < way.length && way.every(({ pc }) => pc === way[0].pc);
    return isOne ? executed : 0;
  }

  /**
   * Interrupts are delivered between blocks: where one comes inside of a block, the way out of the
   * block is made a call, and the guest goes on until then.
   */
  private defers(cause: Cause): boolean {
    const { left, translator } = this;
    if (FIRST_MACHINE_INTERRUPTS.includes(cause) || !this.goesOn || left === undefined) return false;
    const { block, address, site } = left;
    if (block === undefined || address === block.begin) {
      this.goesOn = false;
      return false;
    }
    if (site === undefined) translator.cache.coverLeaving(block);
    return true;
  }

  /** Lets the real hart execute what it is in the midst of, until `isThere`, or a call is next. */
  private rollTo(isThere: (address: number) => boolean): void {
    const { machine } = this.vm;
    const { cache } = this.translator;
    if (this.vm.hart.mode === Mode.U) return;
    for (let n = 0; n < LONGEST_WAY; n++) {
      const address = machine.hart.pc >>> 0;
      if (!cache.contains(address) || cache.calloutAt(address) !== undefined || isThere(address)) return;
      step(machine);
    }
  }

  // ---------------------------------------------------------------------------------- exits

  private dispatch(trap: Trap): void {
    const { vm, left, translator } = this;
    if (vm.hart.mode === Mode.U) dispatch(vm, trap);
    else if (trap.cause === Cause.MachineTimerInterrupt) this.interrupted();
    else if (trap.cause === Cause.EcallFromU) {
      if (left?.site !== undefined) this.callout(left.site);
      else vm.because('translation'); // it is parked
    } else this.fault(trap);
    this.linkedPc = vm.hart.pc;
    translator.noticeSpace(vm.hart.csrs.values[SATP]);
  }

  /** An interrupt has come while the hart was leaving a block, or between two: it gets to the next one. */
  private interrupted(): void {
    const { vm, translator } = this;
    if (this.isLeaving()) {
      this.rollTo((at) => translator.cache.blockAt(at)?.begin === at);
      vm.hart.x.set(vm.machine.hart.x);
      this.leave(vm.machine.hart, vm.hart);
    }
    this.goesOn = this.left !== undefined;
  }

  /** Whether the hart is past the place where a cover would stop it. */
  private isLeaving(): boolean {
    const { left } = this;
    if (left === undefined || left.site !== undefined) return false;
    if (left.block === undefined) return true;
    const { leaving } = left.block.translation;
    return leaving !== undefined && left.address > left.block.begin + leaving.offset;
  }

  /** A copied instruction has faulted: the guest's state is that before it. */
  private fault(trap: Trap): void {
    const { vm, translator, left } = this;
    const pc = vm.hart.pc;
    const isPageFault = PAGE_FAULTS.includes(trap.cause);
    const answer = isPageFault ? vm.paging.fault(trap) : 'device';
    if (answer === 'guest') {
      reflect(vm, vm.hart.takeRaised() ?? trap);
      return;
    }
    if (answer === 'filled') {
      vm.because('hidden fault');
      this.goesOn = true;
      return;
    }
    vm.because(answer);
    emulate(vm, trap);
    if (vm.hart.pc !== pc && left?.block !== undefined) translator.blame(left.block, pc);
  }

  private callout(site: CalloutSite): void {
    const { vm, translator } = this;
    const { callout, block } = site;
    translator.statistics.callouts[callout.kind]++;
    vm.because(callout.kind === 'emulate' || callout.kind === 'enabled' ? 'callout' : 'translation');
    switch (callout.kind) {
      case 'emulate':
        this.emulateRun(callout.guests);
        return;
      case 'predict':
        this.emulateRun(callout.guests);
        this.link = translator.linkAt(block, this.left?.address ?? 0);
        return;
      case 'look up':
        this.isIndirect = true;
        return;
      case 'exit':
        this.link = translator.linkAt(block, this.left?.address ?? 0);
        return;
      case 'interrupt':
        this.emulateRun(callout.guests);
        if (callout.target !== undefined) vm.hart.pc = callout.target;
        this.link = undefined;
        return;
      case 'enabled':
        return;
    }
  }

  /** Executes instructions of the guest on the virtual hart, as long as they follow one another. */
  private emulateRun(guests: readonly GuestInstruction[]): void {
    const { vm, translator } = this;
    const { hart } = vm;
    for (const guest of guests) {
      if (hart.pc !== guest.pc || hart.waiting) return;
      translator.judge(guest);
      vm.charge(EMULATE);
      if (guest.instruction === undefined) hart.raise(Cause.IllegalInstruction, guest.word);
      else execute(hart, guest.instruction);
      const trap = hart.takeRaised();
      if (trap !== undefined) {
        vm.reflect(trap);
        return;
      }
      vm.countEmulated();
      if (isFenceOfInstructions(guest)) translator.fenceInstructions();
      if (hart.interruptToTake() !== NO_TRAP) return;
    }
  }
}

const PAGE_FAULTS = [Cause.InstructionPageFault, Cause.LoadPageFault, Cause.StorePageFault];
/** What a call of the hypervisor from its own code costs before and after it is answered. */
export const CALLOUT_WORK: { save: Work; restore: Work } = {
  save: SAVE_FOR_CALLOUT,
  restore: RESTORE_AFTER_CALLOUT,
};

function isFenceOfInstructions({ instruction }: GuestInstruction): boolean {
  return instruction?.row.meaning.kind === 'fenceInstructions';
}
