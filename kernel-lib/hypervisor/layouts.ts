/**
 * Ring layouts: in which real mode the two halves of a guest run. The hypervisor has M mode.
 *
 * A layout says what the real hart must be before the guest goes on, takes back what the guest
 * changed there without being seen, and names the view that the guest's shadow tables must show.
 */
import { csrMask, csrNumber } from '../isa/csrs';
import { Mode } from '../isa/registers';
import type { Hart } from '../machine/hart';
import { View } from './paging/paging';

const MSTATUS = csrNumber('mstatus');
const SATP = csrNumber('satp');
const SUM = csrMask('mstatus', 'SUM');
const MXR = csrMask('mstatus', 'MXR');

export interface RingLayout {
  /** Prepares the real hart for a guest that will run for the first time. */
  begin(real: Hart): void;
  /** What of the guest's pages it may see now. */
  view(virtual: Hart): View;
  /** The real hart becomes what the virtual hart has to look like there; general registers aside. */
  enter(real: Hart, virtual: Hart): void;
  /** The virtual hart becomes what the guest has made of it without an exit. */
  leave(real: Hart, virtual: Hart): void;
}

/** Both in U mode: every privileged instruction traps, and each virtual mode has its own shadow tables. */
const user: RingLayout = {
  begin(real) {
    for (const csr of ['medeleg', 'mideleg', 'mcounteren']) real.csrs.set(csr, 0);
  },
  view({ mode, csrs: { values } }) {
    const isBare = values[SATP] >= 0;
    if (mode === Mode.U || isBare) return View.User;
    const status = values[MSTATUS];
    if ((status & SUM) === 0) return View.Kernel;
    return (status & MXR) === 0 ? View.KernelSum : View.KernelSumMxr;
  },
  enter(real, virtual) {
    real.mode = Mode.U;
    const executableIsReadable = virtual.csrs.values[MSTATUS] & MXR;
    if ((real.csrs.values[MSTATUS] & MXR) !== executableIsReadable)
      real.csrs.modify(MSTATUS, executableIsReadable, MXR);
  },
  leave() {},
};

/** The layouts, by name. */
export const LAYOUTS = { user } as const satisfies Record<string, RingLayout>;

export type LayoutName = keyof typeof LAYOUTS;
