/**
 * The vCPU page: registers of the virtual hart as words in memory that translated code works on.
 *
 * While the guest's kernel runs, the words are the truth; the virtual hart gets them when the
 * hypervisor takes over, and only as far as the registers take such values: the guest could have
 * written anything into its page.
 */
import { csrNumber } from '../../isa/csrs';
import type { Hart } from '../../machine/hart';
import type { Memory } from '../../machine/memory';
import { BORROWED, banishedWord, CACHED_CSRS, pageOffset, READABLE_CSRS, STATUS_SHIFT } from './layout';

const SSTATUS = csrNumber('sstatus');
const STATUS = pageOffset('sstatus');
const PENDING = pageOffset('pending');
const numbered = (names: ReadonlySet<string>) =>
  [...names].map((name) => ({ csr: csrNumber(name), offset: pageOffset(name) }));
const OWNED = numbered(CACHED_CSRS);
const SHOWN = numbered(READABLE_CSRS);
const SLOTS = new Map(BORROWED.map((register) => [register, pageOffset(`x${register}`)]));

export class VcpuPage {
  private readonly banished: { register: number; offset: number }[];

  /**
   * @param pa the physical address of its frame in `ram`
   * @param banished registers that the guest's kernel has here all the time
   */
  constructor(
    private readonly ram: Memory,
    readonly pa: number,
    banished: readonly number[] = [],
  ) {
    this.banished = banished.map((register, n) => ({ register, offset: pageOffset(banishedWord(n)) }));
  }

  /** Shows the virtual hart's registers to translated code. */
  store(hart: Hart): void {
    const { csrs } = hart;
    this.write(STATUS, csrs.read(SSTATUS) << STATUS_SHIFT);
    for (const { csr, offset } of OWNED) this.write(offset, csrs.read(csr));
    for (const { csr, offset } of SHOWN) this.write(offset, csrs.read(csr));
    for (const { register, offset } of this.banished) this.write(offset, hart.x[register]);
    this.storePending(hart);
  }

  /** Tells translated code whether it must call when it turns interrupts on. */
  storePending(hart: Hart): void {
    this.write(PENDING, hart.interruptPending ? 1 : 0);
  }

  /** Takes over what translated code has made of the virtual hart's registers. */
  load(hart: Hart): void {
    const { csrs } = hart;
    csrs.write(SSTATUS, this.read(STATUS) >>> STATUS_SHIFT);
    for (const { csr, offset } of OWNED) csrs.write(csr, this.read(offset));
    for (const { register, offset } of this.banished) hart.x[register] = this.read(offset);
  }

  /** The guest's value of a register that translated code has borrowed. */
  borrowed(register: number): number {
    return this.read(SLOTS.get(register) ?? 0);
  }

  private read(offset: number): number {
    return this.ram.read(4, this.pa + offset);
  }

  private write(offset: number, value: number): void {
    this.ram.write(4, this.pa + offset, value);
  }
}
