/**
 * The control and status registers of one hart, as values.
 *
 * What exists, who may touch it and what a write may change is in the rows of `isa/csrs.ts`;
 * this file keeps the bits, joins in what hardware knows better (counters, interrupt lines) and
 * answers whether an access is allowed.
 */
import {
  CSRS,
  type Csr,
  csrByNumber,
  csrIsReadOnly,
  csrLowestMode,
  csrMask,
  csrNumber,
  legalize,
  PMP_ENTRIES,
} from '../isa/csrs';
import { Mode } from '../isa/registers';

/** What the register file shows but doesn't keep. */
export interface LiveState {
  /** Since reset. */
  readonly cycles: number;
  /** Instructions retired since reset. */
  readonly instret: number;
  /** The value of mtime. */
  readonly time: number;
  /** Interrupt lines that devices hold high, as bits of `mip`. */
  readonly interruptLines: number;
}

const MSTATUS = csrNumber('mstatus');
const MIP = csrNumber('mip');
const MCOUNTEREN = csrNumber('mcounteren');
const SCOUNTEREN = csrNumber('scounteren');
const PMPCFG0 = csrNumber('pmpcfg0');
const PMPADDR0 = csrNumber('pmpaddr0');
const TVM = csrMask('mstatus', 'TVM');

/** Bits of a PMP configuration byte. Priv, Physical Memory Protection CSRs. */
export const PMP_LOCKED = 0x80;
const TWO_TO_THE_32 = 2 ** 32;

export class CsrFile {
  private readonly values = new Int32Array(4096);
  /** What a write to mcycle and minstret adds to the counts since reset. */
  private cycleOffset = 0;
  private instretOffset = 0;

  constructor(private readonly live: LiveState) {
    for (const row of CSRS) this.values[row.number] = row.reset;
  }

  /**
   * The value of the register called `name`, as software in M mode would read it.
   * @throws if there is no such register
   */
  get(name: string): number {
    return this.read(csrNumber(name));
  }

  /**
   * Writes the register called `name`: legal values of writable fields get in, the rest stays.
   * @throws if there is no such register
   */
  set(name: string, value: number): void {
    this.write(csrNumber(name), value);
  }

  /** Whether an instruction in `mode` may access CSR `number`; if not, it is an illegal instruction. */
  accessible(number: number, mode: Mode, writes: boolean): boolean {
    const row = csrByNumber(number);
    if (row === undefined || mode < csrLowestMode(number)) return false;
    if (writes && csrIsReadOnly(number)) return false;
    if (row.guard === 'TVM') return mode === Mode.M || (this.values[MSTATUS] & TVM) === 0;
    return row.guard !== 'counter' || this.counterEnabled(number, mode);
  }

  /** The bits of CSR `number`; 0 where there is no such register. */
  read(number: number): number {
    const row = csrByNumber(number);
    if (row === undefined) return 0;
    switch (row.live) {
      case 'cycle':
      case 'instret':
      case 'time':
        return this.counter(row.live) | 0;
      case 'cycleh':
        return (this.counter('cycle') / TWO_TO_THE_32) | 0;
      case 'instreth':
        return (this.counter('instret') / TWO_TO_THE_32) | 0;
      case 'timeh':
        return (this.counter('time') / TWO_TO_THE_32) | 0;
      case 'interrupts':
        return (this.values[MIP] | this.live.interruptLines) & row.readable & this.shown(row);
      default:
        return this.values[this.storage(row)] & row.readable & this.shown(row);
    }
  }

  /** Writes CSR `number`, as far as its fields take the value. */
  write(number: number, value: number): void {
    const row = csrByNumber(number);
    if (row === undefined) return;
    switch (row.live) {
      case 'cycle':
      case 'cycleh':
        this.cycleOffset = withHalf(this.counter('cycle'), row.live === 'cycleh', value) - this.live.cycles;
        return;
      case 'instret':
      case 'instreth':
        // The instruction that writes is not counted: it will be as it retires.
        this.instretOffset =
          withHalf(this.counter('instret'), row.live === 'instreth', value) - this.live.instret - 1;
        return;
    }
    if (this.isLockedPmp(number)) return;
    const base = this.storage(row);
    const before = this.values[base];
    const mask = row.writable & this.shown(row);
    this.values[base] = legalize(csrByNumber(base) ?? row, before, (before & ~mask) | (value & mask));
  }

  /** Sets and clears bits that hardware owns, whatever the fields say: `STIP` by firmware, for one. */
  modify(number: number, set: number, clear: number): void {
    this.values[number] = (this.values[number] & ~clear) | set;
  }

  private counter(name: 'cycle' | 'instret' | 'time'): number {
    if (name === 'time') return this.live.time;
    return name === 'cycle' ? this.live.cycles + this.cycleOffset : this.live.instret + this.instretOffset;
  }

  private storage(row: Csr): number {
    return row.alias === undefined ? row.number : csrNumber(row.alias);
  }

  /** The bits that an alias shows at this moment: of `sie` only the delegated ones. */
  private shown(row: Csr): number {
    return row.shownBy === undefined ? -1 : this.values[csrNumber(row.shownBy)];
  }

  /** Priv, Counter-Enable Registers: M always; S by mcounteren; U by both. */
  private counterEnabled(number: number, mode: Mode): boolean {
    const bit = 1 << (number & 31);
    if (mode === Mode.M) return true;
    if ((this.values[MCOUNTEREN] & bit) === 0) return false;
    return mode === Mode.S || (this.values[SCOUNTEREN] & bit) !== 0;
  }

  /** The configuration byte of PMP entry `n`. */
  pmpConfiguration(n: number): number {
    return (this.values[PMPCFG0 + (n >> 2)] >>> (8 * (n & 3))) & 0xff;
  }

  /** The address register of PMP entry `n`: bits 33 to 2 of an address. Unsigned. */
  pmpAddress(n: number): number {
    return this.values[PMPADDR0 + n] >>> 0;
  }

  /** Priv, Locking and Privilege Mode: writes to a locked entry are ignored, M mode's too. */
  private isLockedPmp(number: number): boolean {
    const entry = number - PMPADDR0;
    if (entry >= 0 && entry < PMP_ENTRIES) return (this.pmpConfiguration(entry) & PMP_LOCKED) !== 0;
    return false;
  }
}

/** The 64-bit count with its low or its high half replaced. */
function withHalf(count: number, high: boolean, value: number): number {
  const low = count % TWO_TO_THE_32;
  return high ? (value >>> 0) * TWO_TO_THE_32 + low : count - low + (value >>> 0);
}
