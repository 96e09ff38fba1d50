/**
 * The page that a para-virtualized guest shares with its hypervisor, and the ring layout that
 * keeps it: the guest's kernel in U mode, with its status word in memory.
 *
 * Between exits the page is the truth, on exits the virtual hart is: `leave` takes over what the
 * guest has written, `enter` writes what it must see. Read `abi.ts` and `../layouts.ts` first.
 */
import { csrMask, csrNumber } from '../../isa/csrs';
import { Mode } from '../../isa/registers';
import type { Hart } from '../../machine/hart';
import type { Memory } from '../../machine/memory';
import { LAYOUTS, type RingLayout } from '../layouts';
import { View } from '../paging/paging';
import { Shared } from './abi';

const MSTATUS = csrNumber('mstatus');
const SATP = csrNumber('satp');
const SIE = csrMask('mstatus', 'SIE');
const SUM = csrMask('mstatus', 'SUM');
const STATUS = csrMask('mstatus', 'SPP') | csrMask('mstatus', 'SPIE');
/** Words that are registers of the virtual hart by another name. */
const REGISTERS: readonly (readonly [Shared, number])[] = [
  [Shared.Epc, csrNumber('sepc')],
  [Shared.Cause, csrNumber('scause')],
  [Shared.Tval, csrNumber('stval')],
  [Shared.Tvec, csrNumber('stvec')],
  [Shared.Scratch, csrNumber('sscratch')],
];

export class SharedPage implements RingLayout {
  readonly switchWork = LAYOUTS.user.switchWork;
  /** Whether the guest has asked for the page: before that, it is a guest like any other. */
  isUsed = false;
  private readonly isPorted: boolean;
  private memory: Memory | undefined;
  private base = 0;

  /**
   * @param options `isPorted`: whether the guest's kernel knows that it may touch its users' pages and
   *   look at the clock without asking (true if left out)
   */
  constructor(options: { isPorted?: boolean } = {}) {
    this.isPorted = options.isPorted ?? true;
  }

  /** Where the shared words are in real RAM: until this is said, there are none. */
  place(ram: Memory, pa: number): void {
    this.memory = ram;
    this.base = pa;
  }

  word(which: Shared): number {
    return this.memory?.read(4, this.base + which) ?? 0;
  }

  setWord(which: Shared, value: number): void {
    this.memory?.write(4, this.base + which, value);
  }

  begin(real: Hart): void {
    LAYOUTS.user.begin(real);
    if (!this.isUsed || !this.isPorted) return;
    real.csrs.set('mcounteren', -1); // the time is the same for all: the guest may look
    real.csrs.set('scounteren', -1);
  }

  /** The guest has asked for it: from now on the page is its status word. */
  begunBy(real: Hart): void {
    this.isUsed = true;
    this.begin(real);
  }

  /** A kernel that has paging off sees the page, too; a ported one may always touch its users' pages. */
  view(virtual: Hart): View {
    const isBare = virtual.csrs.values[SATP] >= 0;
    if (!this.isUsed || (!this.isPorted && !isBare)) return LAYOUTS.user.view(virtual);
    return virtual.mode === Mode.U ? View.User : View.KernelSum;
  }

  leave(_real: Hart, virtual: Hart): void {
    if (this.isUsed) this.read(virtual);
  }

  /** The number of a call is in place and its `ecall` is to come: a handler's own calls would use it up. */
  defers(): boolean {
    return this.isUsed && this.isPorted && this.word(Shared.Call) !== 0;
  }

  /** What the guest has written becomes the virtual hart's state. */
  private read(virtual: Hart): void {
    const { csrs } = virtual;
    const enabled = this.word(Shared.Enabled) !== 0 ? SIE : 0;
    // In user mode interrupts are on whatever the word says: it is for the kernel.
    if (virtual.mode === Mode.S) csrs.modify(MSTATUS, enabled, SIE);
    // A ported kernel's SUM is always set: see `view`.
    csrs.modify(MSTATUS, (this.word(Shared.Status) & STATUS) | (this.isPorted ? SUM : 0), STATUS);
    for (const [word, number] of REGISTERS) csrs.write(number, this.word(word));
  }

  enter(real: Hart, virtual: Hart): void {
    LAYOUTS.user.enter(real, virtual);
    if (!this.isUsed) return;
    const { csrs } = virtual;
    const status = csrs.values[MSTATUS];
    this.setWord(Shared.Enabled, (status & SIE) !== 0 ? 1 : 0);
    this.setWord(Shared.Status, status & STATUS);
    for (const [word, number] of REGISTERS) this.setWord(word, csrs.values[number]);
    this.setWord(Shared.Pending, virtual.interruptPending ? 1 : 0);
  }
}
