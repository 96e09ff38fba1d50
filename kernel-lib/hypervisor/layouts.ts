/**
 * Ring layouts: in which real mode the two halves of a guest run. The hypervisor has M mode.
 *
 * A layout says what the real hart must be before the guest goes on, takes back what the guest
 * changed there without being seen, and names the view that the guest's shadow tables must show.
 */
import { Cause } from '../isa/causes';
import { csrByName, csrMask, csrNumber } from '../isa/csrs';
import { Mode } from '../isa/registers';
import { SWITCH_SUPERVISOR_CSRS, sumOf, WORLD_SWITCH, type Work } from '../machine/cost';
import type { Hart } from '../machine/hart';
import { View } from './paging/paging';

const MSTATUS = csrNumber('mstatus');
const SATP = csrNumber('satp');
const MEDELEG = csrNumber('medeleg');
const MIDELEG = csrNumber('mideleg');
const MIE = csrNumber('mie');
const MIP = csrNumber('mip');
const MACHINE_INTERRUPTS = csrMask('mie', 'MTIE') | csrMask('mie', 'MSIE') | csrMask('mie', 'MEIE');
const SSIP = csrMask('mip', 'SSIP');
const SUM = csrMask('mstatus', 'SUM');
const MXR = csrMask('mstatus', 'MXR');

export interface RingLayout {
  /** What a change from one guest to another costs beyond what every exit and entry does. */
  readonly switchWork: Work;
  /** Prepares the real hart for a guest that will run for the first time. */
  begin(real: Hart): void;
  /** What of the guest's pages it may see now. */
  view(virtual: Hart): View;
  /** The real hart becomes what the virtual hart has to look like there; general registers aside. */
  enter(real: Hart, virtual: Hart): void;
  /** The virtual hart becomes what the guest has made of it without an exit. */
  leave(real: Hart, virtual: Hart): void;
  /** The mode that the guest believes to be in while it runs, where it changes without an exit. */
  mode?(real: Hart): Mode;
  /** Whether an interrupt of the guest's has to wait for a better place; if left out, none has to. */
  defers?(cause: Cause): boolean;
  /** Brings the real hart to where the guest's state is whole, if it has been stopped anywhere. */
  rest?(): void;
}

/** Both in U mode: every privileged instruction traps, and each virtual mode has its own shadow tables. */
const user: RingLayout = {
  switchWork: WORLD_SWITCH,
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
    real.csrs.values[MIE] = MACHINE_INTERRUPTS;
    const executableIsReadable = virtual.csrs.values[MSTATUS] & MXR;
    if ((real.csrs.values[MSTATUS] & MXR) !== executableIsReadable)
      real.csrs.modify(MSTATUS, executableIsReadable, MXR);
  },
  leave() {},
};

/** What a guest in real S mode has in the real hart's registers, and nobody else there needs. */
const OWN_CSRS = ['stvec', 'scounteren', 'senvcfg', 'sscratch', 'sepc', 'scause', 'stval'].map(csrNumber);
const OWN_STATUS = csrByName('sstatus')!.writable;
const S_INTERRUPTS = csrByName('mideleg')!.writable;
const TRAPPED = csrMask('mstatus', 'TVM') | csrMask('mstatus', 'TW');
const TSR = csrMask('mstatus', 'TSR');
/** Exceptions that are the guest's business whatever they are about, and change no table of ours. */
const SAFE_EXCEPTIONS = [
  Cause.InstructionAddressMisaligned,
  Cause.Breakpoint,
  Cause.LoadAddressMisaligned,
  Cause.StoreAddressMisaligned,
  Cause.EcallFromU,
].reduce((mask, cause) => mask | (1 << cause), 0);

/**
 * "Ring 1": the kernel in real S mode, with the real S registers for its own; its system calls,
 * their returns and its interrupts are no exits. `mstatus.TVM` and `TW` make traps of what it must not do
 * itself: its page tables (satp, sfence.vma) and waiting. Priv, Virtualization Support in mstatus Register.
 *
 * Both modes share a shadow table, in which U means what it means to the guest. Only a guest that
 * has paging off needs a table for each mode: then its changes of mode (TSR) are exits, too.
 */
const ring1: RingLayout = {
  switchWork: sumOf(WORLD_SWITCH, SWITCH_SUPERVISOR_CSRS),
  begin(real) {
    real.csrs.set('mcounteren', 0);
  },
  view: ({ mode, csrs: { values } }) => (mode === Mode.U && values[SATP] >= 0 ? View.User : View.Both),
  enter(real, virtual) {
    const { values } = virtual.csrs;
    const isBare = values[SATP] >= 0;
    const delegatesInterrupts = !isBare || virtual.mode === Mode.S;
    real.mode = virtual.mode;
    for (const number of OWN_CSRS) real.csrs.values[number] = values[number];
    real.csrs.modify(
      MSTATUS,
      (values[MSTATUS] & OWN_STATUS) | TRAPPED | (isBare ? TSR : 0),
      OWN_STATUS | TSR,
    );
    real.csrs.values[MEDELEG] = isBare ? 0 : SAFE_EXCEPTIONS & values[MEDELEG];
    real.csrs.values[MIDELEG] = delegatesInterrupts ? S_INTERRUPTS : 0;
    real.csrs.values[MIE] = MACHINE_INTERRUPTS | (delegatesInterrupts ? values[MIE] & S_INTERRUPTS : 0);
    real.csrs.values[MIP] = virtual.csrs.pendingInterrupts & S_INTERRUPTS;
  },
  mode: (real) => real.mode,
  leave(real, virtual) {
    const { values } = virtual.csrs;
    virtual.mode = real.mode;
    for (const number of OWN_CSRS) values[number] = real.csrs.values[number];
    virtual.csrs.modify(MSTATUS, real.csrs.values[MSTATUS] & OWN_STATUS, OWN_STATUS);
    if (real.csrs.values[MIDELEG] === 0) return;
    virtual.csrs.modify(MIE, real.csrs.values[MIE] & S_INTERRUPTS, S_INTERRUPTS);
    virtual.csrs.modify(MIP, real.csrs.values[MIP] & SSIP, SSIP);
  },
};

/** The layouts, by name. */
export const LAYOUTS = { user, ring1 } as const satisfies Record<string, RingLayout>;

export type LayoutName = keyof typeof LAYOUTS;
