/**
 * Paging for a guest, without the hardware's help: what all ways to do it have in common.
 *
 * The guest's page tables lead from its virtual to its guest-physical addresses (gpa), and the
 * hart must not follow them. It follows *shadow* tables, kept by the hypervisor, from the same
 * virtual addresses to physical ones. A way of paging decides when the shadow is filled and how
 * it learns of the guest's changes. S1, Address Translation: Shadow Page Table; Adams & Agesen
 * 2006, section 2.4.
 */
import type { Work } from '../../machine/cost';
import type { Machine } from '../../machine/machine';
import type { Trap } from '../../machine/trap';
import type { Asids, Frames } from '../frames';

/** Which of the guest's pages a shadow table shows, and with which rights. */
export enum View {
  /** What the guest's user mode may do: pages with U. */
  User,
  /** What its kernel may do: pages without U. The kernel runs in real U mode, so U is set in all of them. */
  Kernel,
  /** The same while `sstatus.SUM` is set: pages with U, too, but not to execute. */
  KernelSum,
  /** The same while `sstatus.MXR` is set, too: what can be executed can be read. */
  KernelSumMxr,
  /** `Kernel` while `sstatus.MXR` is set, for a hart whose own MXR must stay clear. */
  KernelMxr,
  /** All pages with their own U, for a guest whose kernel runs in real S mode. */
  Both,
}

/** What a page fault of the real hart turned out to be. */
export type FaultAnswer =
  | 'filled' // the shadow lacked a page that the guest's own tables have: a hidden fault
  | 'guest' // the guest's own fault, which is left raised on the virtual hart
  | 'device' // there is a device there, or nothing: the virtual hart will know
  | 'trace'; // the guest wants to touch a page that the hypervisor watches

/** What paging needs to know of a virtual machine. */
export interface PagedVm {
  /** The real machine. */
  readonly machine: Machine;
  /** The board that the guest believes in: its RAM is the VM's slice of the real RAM. */
  readonly guest: Machine;
  /** Room for tables. */
  readonly frames: Frames;
  readonly asids: Asids;
  /** Which pages the guest may see now. */
  readonly view: View;
  /** The physical address of a guest-physical one, or -1 where the guest has no RAM. */
  gpaToPa(gpa: number): number;
  charge(work: Work): void;
}

/** A way of paging. */
export interface GuestPaging {
  /** The value for the real `satp`: of a shadow for the guest's present `satp` and view. */
  activate(): number;
  /** Finds out whose a page fault of the real hart is, and fills the shadow if that is all that it takes. */
  fault(trap: Trap): FaultAnswer;
  /** The guest has executed `sfence.vma`; undefined stands for x0. */
  fence(va: number | undefined, asid: number | undefined): void;
  /**
   * Watches a page of guest-physical memory: the guest's stores to it trap from now on. Who wants to
   * know what is written watches `guest.ram`.
   * @param who the page stays watched until all who asked for it no longer do
   */
  trace(gpa: number, who: string): void;
  /** No longer watches it for one who asked. */
  untrace(gpa: number, who: string): void;
  /** Whether the guest's stores to a page trap. */
  isTraced(gpa: number): boolean;
  /** Shows the guest a page of the hypervisor's at a virtual address, in views of all its address spaces. */
  fix(va: number, page: FixedPage): void;
}

/** A page that the hypervisor shows to a guest at an address that it keeps for itself. */
export interface FixedPage {
  /** Physical, of a whole page. */
  pa: number;
  /** R, W, X and U as in a page-table entry. */
  rights: number;
  views: readonly View[];
}
