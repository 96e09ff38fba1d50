/**
 * Pre-virtualization: a guest that a tool has prepared (`pass.ts`), under a wedge (`wedge.ts`).
 *
 * It is as fast as para-virtualization where its pads have room, and as faithful as
 * trap-and-emulate elsewhere: what the wedge has not replaced traps and is emulated. One thing is looser:
 * under `sharing` an interrupt that a guest makes pending while it has masked it comes a little late.
 * LeVasseur et al. 2005; S4, Pre-virtualization. Read `../paravirtual/shared-page.ts` first.
 */
import { execute } from '../../engine/reference';
import { Cause } from '../../isa/causes';
import { EMULATE, HYPERCALL_IN, HYPERCALL_OUT } from '../../machine/cost';
import { oneOf } from '../../machine/given';
import type { BootOptions, Loadable, Machine, RunResult } from '../../machine/machine';
import { PAGE_BYTES, Pte } from '../../machine/page-table';
import { Access } from '../../machine/pmp';
import type { Trap } from '../../machine/trap';
import type { ExitReason } from '../exits';
import { View } from '../paging/paging';
import { LazyShadow } from '../paging/shadow';
import { TracedShadow } from '../paging/shadow-traced';
import { SHARED_BYTES, SHARED_VA } from '../paravirtual/abi';
import { SharedPage } from '../paravirtual/shared-page';
import { dispatch } from '../trap-and-emulate';
import { type Hypervisor, type Report, Vm, type VmOptions } from '../vm';
import { calling, type Emulation, type Site, sharing, type WedgeOptions, wedged } from './wedge';

/** The wedges, by the hypervisor that they are for. */
export const WEDGES = { calling, sharing } as const satisfies Record<string, Emulation>;

export interface PreVirtualOptions extends VmOptions, WedgeOptions {
  /** `sharing` if left out. One's own stands in its place: it has the shared page, too. */
  wedge?: keyof typeof WEDGES | Emulation;
  /** Whether the hypervisor watches the guest's page tables, so that stores to them trap, marked or not. */
  tracedTables?: boolean;
}

/**
 * Cycles until an interrupt that the guest has masked is offered again: its flag is in memory, and
 * nobody hears of its being set.
 */
const OFFER_AGAIN = 500;
const KERNEL_VIEWS = [View.Kernel, View.KernelSum, View.KernelSumMxr];

export class PreVirtual implements Hypervisor {
  readonly vm: Vm;
  /** Marked instructions of the guest, by address. */
  readonly sites = new Map<number, Site>();
  /** How often each marked instruction was a call, by address (unsigned). */
  readonly called = new Map<number, number>();
  /** How often each unmarked load or store trapped for where it went (a device, a watched page), by address. */
  readonly trapped = new Map<number, number>();
  private readonly shared: SharedPage | undefined;
  private readonly paging: LazyShadow;
  private readonly options: PreVirtualOptions;

  constructor(machine: Machine, options: PreVirtualOptions = {}) {
    const { wedge = 'sharing', tracedTables = false } = options;
    if (typeof wedge === 'string') oneOf<string>('wedge', wedge, Object.keys(WEDGES));
    this.options = options;
    this.shared = wedge === 'calling' ? undefined : new SharedPage({ isPorted: false });
    const name = typeof wedge === 'string' ? wedge : 'a wedge of one’s own';
    this.vm = new Vm(machine, `pre-virtualization, ${name}`, (vm, trap) => this.answer(vm, trap), {
      ...options,
      ...(this.shared === undefined ? {} : { layout: this.shared, offerAgain: OFFER_AGAIN }),
      paging: (vm) => (tracedTables ? new TracedShadow(vm) : new LazyShadow(vm)),
      workOf: (trap) => (this.siteOf(trap) === undefined ? undefined : CALL_WORK),
    });
    this.paging = this.vm.paging as LazyShadow;
  }

  /** @throws Error if the guest is not pre-virtualized, or the wedge refuses it */
  boot(image: Loadable, options?: BootOptions): void {
    const { wedge = 'sharing' } = this.options;
    const emulation = typeof wedge === 'string' ? WEDGES[wedge] : wedge;
    const { image: replaced, sites } = wedged(image, emulation, this.options);
    for (const site of sites) this.sites.set(site.begin | 0, site);
    if (this.shared !== undefined) this.share(this.shared);
    this.vm.boot(replaced, options);
  }

  run(limits?: { instructions?: number }): RunResult {
    return this.vm.run(limits);
  }

  report(): Report {
    return this.vm.report();
  }

  private share(shared: SharedPage): void {
    const { machine, frames } = this.vm;
    const pa = frames.allocate();
    if (pa === undefined) throw new RangeError('No frame is left for the shared page. Give the VM more.');
    const words = pa + (SHARED_VA % PAGE_BYTES);
    shared.place(machine.ram, words);
    // Of the ranges the first that fits counts: what is around the words is the guest's own, by emulation.
    this.vm.expose({ base: words, size: SHARED_BYTES, accesses: [Access.Read, Access.Write] });
    this.vm.expose({ base: pa, size: PAGE_BYTES, accesses: [] });
    this.paging.tables.fix(SHARED_VA, { pa, rights: Pte.R | Pte.W | Pte.U, views: KERNEL_VIEWS });
    shared.isUsed = true;
  }

  /** The marked instruction that an exit is about, if it is about one that was made a call. */
  private siteOf(trap: Trap): Site | undefined {
    const site = trap.cause === Cause.EcallFromU ? this.sites.get(this.vm.hart.pc) : undefined;
    return site?.how === 'call' ? site : undefined;
  }

  private answer(vm: Vm, trap: Trap): void {
    const site = this.siteOf(trap) ?? this.siteInPlace(trap);
    if (site === undefined) {
      const at = vm.hart.pc;
      dispatch(vm, trap);
      if (wentElsewhere(trap.cause, vm.exitReason)) countAt(this.trapped, at);
      return;
    }
    countAt(this.called, site.begin);
    vm.charge(EMULATE);
    vm.hart.pc = site.begin | 0;
    execute(vm.hart, site.original);
    const own = vm.hart.takeRaised();
    if (own === undefined) vm.countEmulated();
    else vm.reflect(own);
  }

  /** Where the guest's user mode has come upon code that was put in place: it is not shown the page. */
  private siteInPlace({ cause, tval }: Trap): Site | undefined {
    const isShared = this.shared !== undefined && this.paging.tables.isFixed(tval);
    if (!isShared || (cause !== Cause.LoadPageFault && cause !== Cause.StorePageFault)) return undefined;
    const { pc } = this.vm.hart;
    const site = this.sites.get(pc);
    return site?.how === 'in place' ? site : undefined;
  }
}

const CALL_WORK = { save: HYPERCALL_IN, restore: HYPERCALL_OUT };

/** Whether a load or store trapped for where it went. */
function wentElsewhere(cause: Cause, reason: ExitReason | undefined): boolean {
  if (cause === Cause.LoadAccessFault || cause === Cause.StoreAccessFault) return true;
  const isPageFault = cause === Cause.LoadPageFault || cause === Cause.StorePageFault;
  return isPageFault && (reason === 'device' || reason === 'trace');
}

function countAt(counts: Map<number, number>, pc: number): void {
  counts.set(pc >>> 0, (counts.get(pc >>> 0) ?? 0) + 1);
}
