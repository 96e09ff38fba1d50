/**
 * The control and status registers of one hart, as values.
 *
 * What exists, who may touch it and what a write may change is in the rows of `isa/csrs.ts`;
 * this file keeps the bits, joins in what hardware knows better (counters, interrupt lines) and
 * answers whether an access is allowed. Whoever works from a register's value hears of changes
 * through `LiveState.csrChanged`.
 */
import {
  CSRS,
  type Csr,
  type CsrFeature,
  csrByNumber,
  csrIsReadOnly,
  csrLowestMode,
  csrMask,
  csrNumber,
  legalize,
} from '../isa/csrs';
import { Mode } from '../isa/registers';
import { Counter } from './counter';
import type { StateStream } from './state';

/** What the register file shows but doesn't keep. */
export interface LiveState {
  /** Since reset. */
  readonly cycles: number;
  /** Instructions retired since reset. */
  readonly instret: number;
  /** The words of mtime. int32. */
  readonly timeLow: number;
  readonly timeHigh: number;
  /** Interrupt lines that devices hold high, as bits of `mip`. */
  readonly interruptLines: number;
  /** Told after the register that keeps the bits of CSR `number` has another value than `before`. */
  csrChanged(number: number, before: number): void;
}

const MSTATUS = csrNumber('mstatus');
const MIP = csrNumber('mip');
const MCOUNTEREN = csrNumber('mcounteren');
const SCOUNTEREN = csrNumber('scounteren');
const MCOUNTINHIBIT = csrNumber('mcountinhibit');
const MENVCFGH = csrNumber('menvcfgh');
const PMPCFG0 = csrNumber('pmpcfg0');
const PMPADDR0 = csrNumber('pmpaddr0');
const TVM = csrMask('mstatus', 'TVM');
const STCE = csrMask('menvcfgh', 'STCE');
const STIP = csrMask('mip', 'STIP');
const SEIP = csrMask('mip', 'SEIP');
const TIME_ENABLE = csrMask('mcounteren', 'TM');
const CYCLE_INHIBIT = csrMask('mcountinhibit', 'CY');
const INSTRET_INHIBIT = csrMask('mcountinhibit', 'IR');
/** Numbers that CSRs can have. */
export const REGISTERS = 4096;

/** The rows by number, with the names in them looked up once. */
const rows: (Csr | undefined)[] = Array.from({ length: REGISTERS }, (_, number) => csrByNumber(number));
const storage = Uint16Array.from(rows, (row, number) => (row?.alias ? csrNumber(row.alias) : number));
const shownBy = Int16Array.from(rows, (row) => (row?.shownBy ? csrNumber(row.shownBy) : -1));

export class CsrFile {
  /** The bits as kept, by CSR number. Read `get` or `read` for what software sees. */
  readonly values: Int32Array;
  private readonly cycle = new Counter();
  private readonly instret = new Counter();

  /**
   * @param absent what this hart comes without
   * @param values where the bits are kept, one word per CSR number
   */
  constructor(
    private readonly live: LiveState,
    private readonly absent: ReadonlySet<CsrFeature> = new Set(['H'] as const),
    values: Int32Array = new Int32Array(REGISTERS),
  ) {
    this.values = values;
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
    const row = rows[number];
    if (row === undefined || mode < csrLowestMode(number)) return false;
    if (row.feature !== undefined && this.absent.has(row.feature)) return false;
    if (writes && csrIsReadOnly(number)) return false;
    if (mode === Mode.M || row.guard === undefined) return true;
    switch (row.guard) {
      case 'TVM':
        return (this.values[MSTATUS] & TVM) === 0;
      case 'counter':
        return this.counterEnabled(number, mode);
      case 'stimecmp':
        return this.hasSupervisorTimer && (this.values[MCOUNTEREN] & TIME_ENABLE) !== 0;
    }
  }

  /** Whether `stimecmp` makes the supervisor timer interrupt. "Sstc" Extension. */
  get hasSupervisorTimer(): boolean {
    return (this.values[MENVCFGH] & STCE) !== 0;
  }

  /** The bits of CSR `number`; 0 where there is no such register. */
  read(number: number): number {
    const row = rows[number];
    if (row === undefined) return 0;
    switch (row.live) {
      case 'cycle':
        return this.cycle.low(this.cycleCount);
      case 'cycleh':
        return this.cycle.high(this.cycleCount);
      case 'instret':
        return this.instret.low(this.instretCount);
      case 'instreth':
        return this.instret.high(this.instretCount);
      case 'time':
        return this.live.timeLow;
      case 'timeh':
        return this.live.timeHigh;
      case 'interrupts':
        return this.pendingInterrupts & row.readable & this.shown(number);
      default:
        return this.values[storage[number]] & row.readable & this.shown(number);
    }
  }

  /**
   * The value that `csrrs` and `csrrc` set and clear bits in: for SEIP the bit that software wrote,
   * without the interrupt controller's line. Priv, Machine Interrupt (mip and mie) Registers.
   */
  readToModify(number: number): number {
    if (storage[number] !== MIP) return this.read(number);
    return (this.read(number) & ~SEIP) | (this.values[MIP] & SEIP);
  }

  /** Bits of `mip`: what software has set and what devices hold high. */
  get pendingInterrupts(): number {
    const kept = this.values[MIP];
    return (this.hasSupervisorTimer ? kept & ~STIP : kept) | this.live.interruptLines;
  }

  /** Writes CSR `number`, as far as its fields take the value. */
  write(number: number, value: number): void {
    const row = rows[number];
    if (row === undefined) return;
    if (row.live !== undefined && row.live !== 'interrupts') {
      this.writeCounter(row.live, value);
      return;
    }
    const base = storage[number];
    const before = this.values[base];
    const mask = row.writable & this.shown(number) & ~this.lockedBits(base);
    this.keep(base, legalize(rows[base] ?? row, before, (before & ~mask) | (value & mask)));
  }

  /** Sets and clears bits that hardware owns, whatever the fields say: `STIP` by firmware, for one. */
  modify(number: number, set: number, clear: number): void {
    this.keep(number, (this.values[number] & ~clear) | set);
  }

  exchange(stream: StateStream): void {
    stream.array(this.values);
    this.cycle.exchange(stream);
    this.instret.exchange(stream);
  }

  private keep(number: number, after: number): void {
    const before = this.values[number];
    if (after === before) return;
    if (number === MCOUNTINHIBIT) this.inhibit(after);
    else this.values[number] = after;
    this.live.csrChanged(number, before);
  }

  /** What the counters count from: nothing, while they are inhibited. */
  private get cycleCount(): number {
    return (this.values[MCOUNTINHIBIT] & CYCLE_INHIBIT) !== 0 ? 0 : this.live.cycles;
  }

  private get instretCount(): number {
    return (this.values[MCOUNTINHIBIT] & INSTRET_INHIBIT) !== 0 ? 0 : this.live.instret;
  }

  /** The counters stop or go on, from where they are. */
  private inhibit(after: number): void {
    const cycle = [this.cycle.high(this.cycleCount), this.cycle.low(this.cycleCount)] as const;
    const instret = [this.instret.high(this.instretCount), this.instret.low(this.instretCount)] as const;
    this.values[MCOUNTINHIBIT] = after;
    this.cycle.set(this.cycleCount, ...cycle);
    this.instret.set(this.instretCount, ...instret);
  }

  private writeCounter(name: string, value: number): void {
    const isCycle = name.startsWith('cycle');
    const counter = isCycle ? this.cycle : this.instret;
    // The instruction that writes minstret is not counted, and will be as it retires.
    const inhibited = (this.values[MCOUNTINHIBIT] & INSTRET_INHIBIT) !== 0;
    const count = isCycle ? this.cycleCount : this.instretCount;
    const after = isCycle || inhibited ? count : count + 1;
    if (name.endsWith('h')) counter.set(after, value, counter.low(count));
    else counter.set(after, counter.high(count), value);
  }

  /** The bits that an alias shows at this moment: of `sie` only the delegated ones. */
  private shown(number: number): number {
    const by = shownBy[number];
    return by < 0 ? -1 : this.values[by];
  }

  /** Priv, Counter-Enable Registers: S by mcounteren; U by both. */
  private counterEnabled(number: number, mode: Mode): boolean {
    const bit = 1 << (number & 31);
    if ((this.values[MCOUNTEREN] & bit) === 0) return false;
    return mode === Mode.S || (this.values[SCOUNTEREN] & bit) !== 0;
  }

  /** The bits of a PMP register that locks keep from changing. Priv, Locking and Privilege Mode. */
  private lockedBits(number: number): number {
    const bank = number - PMPCFG0;
    if (bank >= 0 && bank < PMP_BANKS) {
      const locks = this.values[number] & 0x80808080;
      return ((locks >>> 7) * 0xff) | 0;
    }
    const entry = number - PMPADDR0;
    if (entry < 0 || entry >= 4 * PMP_BANKS) return 0;
    return this.isLocked(entry, false) || this.isLocked(entry + 1, true) ? -1 : 0;
  }

  /** Whether entry `n` is locked (and, if so asked, has the entry below for its lower bound). */
  private isLocked(n: number, asRange: boolean): boolean {
    if (n >= 4 * PMP_BANKS) return false;
    const configuration = this.values[PMPCFG0 + (n >> 2)] >>> (8 * (n & 3));
    const isRange = ((configuration >> 3) & 3) === 1;
    return (configuration & 0x80) !== 0 && (isRange || !asRange);
  }
}

/** PMP configuration registers, of four entries each. */
const PMP_BANKS = 4;
