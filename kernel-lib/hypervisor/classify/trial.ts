/**
 * Trials: one instruction, executed on a machine of some profile in a state that is all data.
 *
 * The machine has 8 MiB of RAM in two halves of equal content: a state that is `moved` has its
 * page table and its frames in the second half, which is what relocation is to a paged machine.
 * The page table maps a page of every kind at addresses of its own (`PAGES`). What an instruction
 * can leave behind is read off as a list of numbers, one for each of `PLACES`. The instruction is
 * not fetched: what fetching may do is a trial of its own. Read `engine/reference.ts` first.
 */
import { hex } from '../../bits';
import { decode, type Instruction } from '../../code/decode';
import { disassemble } from '../../code/disassemble';
import { encode, rowByName } from '../../code/encode';
import { execute } from '../../engine/reference';
import { Cause } from '../../isa/causes';
import { CSRS, type Csr, csrByName, csrMask, csrNumber, legalize } from '../../isa/csrs';
import type { Profile } from '../../isa/profiles';
import { ABI_NAMES, type Mode } from '../../isa/registers';
import { Machine } from '../../machine/machine';
import { makePte, PAGE_BYTES, Pte, SUPERPAGE_BYTES, vpn } from '../../machine/page-table';
import type { Trap } from '../../machine/trap';

/** A state to try an instruction in. What isn't named is as in `BASE_CSRS` and `BASE_X`. */
export interface TrialState {
  mode: Mode.U | Mode.S;
  /** General registers by number. */
  x: Readonly<Record<number, number>>;
  /** CSRs by name, as they are kept: `mstatus`, not `sstatus`. */
  csrs: Readonly<Record<string, number>>;
  /** Whether memory is in the second half, and the page table with it. */
  isMoved: boolean;
}

/** An instruction word, or the fetch of an instruction. */
export type Tried = number | 'fetch';

/** How a trial ended: a value for each of `PLACES`, and the trap, if it trapped. */
export interface Outcome {
  values: Int32Array;
  trap: Trap | undefined;
}

const HALF_BYTES = SUPERPAGE_BYTES;
const ROOT_OFFSET = HALF_BYTES - PAGE_BYTES;
const DATA_OFFSET = PAGE_BYTES;
const DATA_WORDS = 16;

const ALL = Pte.V | Pte.R | Pte.W | Pte.X | Pte.A | Pte.D;
const PAGE_FLAGS = {
  user: [0x4000_0000, ALL | Pte.U],
  supervisor: [0x4040_0000, ALL],
  readOnly: [0x4080_0000, Pte.V | Pte.R | Pte.U | Pte.A | Pte.D],
  executeOnly: [0x40c0_0000, Pte.V | Pte.X | Pte.U | Pte.A | Pte.D],
  clean: [0x4100_0000, Pte.V | Pte.R | Pte.W | Pte.U],
  high: [0x8000_0000, ALL | Pte.U],
} as const;
const NOWHERE = 0x5000_0000;
const REMEMBERED = 0x6000_0000;

/** Addresses of data on pages of every kind: all lead to the same bytes. int32. */
export const PAGES = {
  user: (PAGE_FLAGS.user[0] + DATA_OFFSET) | 0,
  supervisor: (PAGE_FLAGS.supervisor[0] + DATA_OFFSET) | 0,
  readOnly: (PAGE_FLAGS.readOnly[0] + DATA_OFFSET) | 0,
  executeOnly: (PAGE_FLAGS.executeOnly[0] + DATA_OFFSET) | 0,
  clean: (PAGE_FLAGS.clean[0] + DATA_OFFSET) | 0,
  high: (PAGE_FLAGS.high[0] + DATA_OFFSET) | 0,
  nowhere: NOWHERE,
};

const PC = 0x4000_0100;
const CYCLES = 12_340;
const INSTRET = 567;

/** CSRs that a trial can see change: all that keep bits, counters and memory protection aside. */
const KEPT: readonly Csr[] = CSRS.filter(
  ({ feature, alias, live, readable }) =>
    feature === undefined && alias === undefined && readable !== 0 && (live ?? 'interrupts') === 'interrupts',
).filter(({ writable }) => writable !== 0);

/** What the CSRs hold unless a state says otherwise. Every bit that a trap or return uses is on somewhere. */
export const BASE_CSRS: Readonly<Record<string, number>> = {
  mstatus: csrMask('mstatus', 'SUM') | csrMask('mstatus', 'SIE') | csrMask('mstatus', 'SPIE'),
  mideleg: 0x222,
  mie: 0x22a,
  mip: 0x002,
  mcounteren: 7,
  scounteren: 7,
  menvcfgh: csrMask('menvcfgh', 'STCE'),
  stimecmp: 100,
  stimecmph: 0,
  stvec: 0x4000_0400,
  sscratch: 0x1357_9bde,
  sepc: 0x4000_0200,
  scause: 9,
  stval: 0x2468_ace0,
};

/** What the general registers hold unless a state says otherwise: each its own number, sp an address. */
export const BASE_X = Int32Array.from(ABI_NAMES, (name, n) =>
  name === 'zero' ? 0 : name === 'sp' ? PAGES.user : 0x0101_0101 * n,
);

const KEPT_NUMBERS = Int32Array.from(KEPT, ({ number }) => number);
const KEPT_BASE = Int32Array.from(KEPT, ({ name }) => BASE_CSRS[name] ?? 0);

const OTHER_PLACES = ['pc', 'mode', 'waiting', 'reservation', `translation of ${hex(REMEMBERED)}`];
const PTE_PLACE = `page-table entry of ${hex(PAGES.clean)}`;

/** Where an instruction can leave something: the names of an outcome's values, in order. */
export const PLACES: readonly string[] = [
  ...OTHER_PLACES,
  ...ABI_NAMES,
  ...KEPT.map(({ name }) => name),
  ...Array.from({ length: DATA_WORDS }, (_, n) => `word at ${hex(PAGES.user + 4 * n)}`),
  PTE_PLACE,
];

export const PLACE = new Map(PLACES.map((name, n) => [name, n]));

/** Privileged state: mode, who has the hart, the translations in force, and CSRs that U mode can't have. */
export const PRIVILEGED_PLACES: readonly number[] = [
  'mode',
  'waiting',
  OTHER_PLACES[4],
  ...KEPT.map(({ name }) => name),
].map((name) => PLACE.get(name)!);

const X_AT = OTHER_PLACES.length;
const CSR_AT = X_AT + ABI_NAMES.length;
const DATA_AT = CSR_AT + KEPT.length;

const SATP = csrNumber('satp');
const PAGING = csrMask('satp', 'MODE');

/** What loads, stores and fetches raise where they may not: Popek & Goldberg's memory trap. */
const MEMORY_TRAPS = new Set([
  Cause.InstructionAccessFault,
  Cause.LoadAddressMisaligned,
  Cause.LoadAccessFault,
  Cause.StoreAddressMisaligned,
  Cause.StoreAccessFault,
  Cause.InstructionPageFault,
  Cause.LoadPageFault,
  Cause.StorePageFault,
]);

export function isMemoryTrap({ trap }: Outcome): boolean {
  return trap !== undefined && MEMORY_TRAPS.has(trap.cause);
}

/** A machine to try instructions on. */
export class Laboratory {
  private readonly machine: Machine;
  private last: Instruction = decode(NOP)!;

  constructor(readonly profile: Profile) {
    this.machine = new Machine({ ram: 2 * HALF_BYTES, profile, tlbEntries: 4 });
    const { ram } = this.machine;
    this.machine.host = () => {};
    this.machine.openMemory();
    for (const half of [ram.base, ram.base + HALF_BYTES])
      for (const [va, flags] of Object.values(PAGE_FLAGS))
        ram.write(4, half + ROOT_OFFSET + 4 * vpn(va, 1), makePte(half / PAGE_BYTES, flags));
  }

  /** The values of a state before anything is tried. */
  before(state: TrialState): Int32Array {
    this.prepare(state);
    return this.observe(state);
  }

  /** Executes an instruction in a state, and takes the trap if it traps. */
  try(tried: Tried, state: TrialState): Outcome {
    const { machine } = this;
    this.prepare(state);
    if (tried === 'fetch') machine.hart.fetch();
    else execute(machine.hart, this.decoded(tried));
    const trap = machine.hart.takeRaised();
    if (trap !== undefined) machine.takeTrap(trap);
    return { values: this.observe(state), trap };
  }

  /** Whether a load or store gets through to `va` where the page table allows everything to U mode. */
  getsThrough(mode: Mode.U | Mode.S, access: 'load' | 'store', va: number): boolean {
    const { machine } = this;
    const { ram, hart } = machine;
    this.prepare({ mode, x: {}, csrs: {}, isMoved: false });
    const at = ram.base + ROOT_OFFSET + 4 * vpn(va, 1);
    const kept = ram.read(4, at);
    ram.write(4, at, makePte(ram.base / PAGE_BYTES, PAGE_FLAGS.user[1]));
    if (access === 'load') hart.load(4, va | 0);
    else hart.store(4, va | 0, 0);
    ram.write(4, at, kept);
    return hart.takeRaised() === undefined;
  }

  /** The word tried last, decoded: it is tried in many states. */
  private decoded(word: number): Instruction {
    if (this.last.word !== word) this.last = decode(word)!;
    return this.last;
  }

  private prepare(state: TrialState): void {
    const { hart, ram, clock } = this.machine;
    const half = this.halfOf(state);
    clock.cycles = CYCLES;
    hart.instret = INSTRET;
    const { values } = hart.csrs;
    hart.x.set(BASE_X);
    for (const register in state.x) hart.x[register] = state.x[register];
    for (let n = 0; n < KEPT_NUMBERS.length; n++) values[KEPT_NUMBERS[n]] = KEPT_BASE[n];
    for (const name in state.csrs) values[csrNumber(name)] = state.csrs[name];
    values[SATP] = PAGING | ((half + ROOT_OFFSET) / PAGE_BYTES);
    hart.pc = PC;
    hart.mode = state.mode;
    hart.waiting = false;
    hart.reservation = half + DATA_OFFSET;
    for (let n = 0; n < DATA_WORDS; n++) ram.write(4, half + DATA_OFFSET + 4 * n, 0x1111_1111 * n);
    ram.write(4, half + CLEAN_ENTRY, makePte(half / PAGE_BYTES, PAGE_FLAGS.clean[1]));
    hart.tlb.flush();
    hart.tlb.fill(false, REMEMBERED, 0, makePte(half / PAGE_BYTES, ALL), true);
  }

  private observe(state: TrialState): Int32Array {
    const { hart, ram } = this.machine;
    const half = this.halfOf(state);
    const values = new Int32Array(PLACES.length);
    values[0] = hart.pc;
    values[1] = hart.mode;
    values[2] = hart.waiting ? 1 : 0;
    values[3] = hart.reservation < 0 ? -1 : hart.reservation - half;
    values[4] = hart.tlb.find(false, REMEMBERED, 0) >= 0 ? 1 : 0;
    values.set(hart.x, X_AT);
    for (let n = 0; n < KEPT_NUMBERS.length; n++) values[CSR_AT + n] = hart.csrs.values[KEPT_NUMBERS[n]];
    for (let n = 0; n < DATA_WORDS; n++) values[DATA_AT + n] = ram.read(4, half + DATA_OFFSET + 4 * n);
    values[DATA_AT + DATA_WORDS] = ram.read(4, half + CLEAN_ENTRY) & PTE_FLAGS;
    return values;
  }

  private halfOf({ isMoved }: TrialState): number {
    return this.machine.ram.base + (isMoved ? HALF_BYTES : 0);
  }
}

/** `addi x0, x0, 0`. */
const NOP = encode(rowByName('addi')!, {});

const CLEAN_ENTRY = ROOT_OFFSET + 4 * vpn(PAGES.clean, 1);
const PTE_FLAGS = 0x3ff;

/** A way to make another state of one: these CSR bits are the other way round. */
export interface Flip {
  csr: string;
  mask: number;
}

/**
 * All CSRs to flip: `mstatus` field by field. Not `satp` (that is relocation), nor what only M mode
 * feels (MPRV, MPP, delegation of exceptions).
 */
export const FLIPS: readonly Flip[] = KEPT.flatMap(({ name, fields, writable }): Flip[] => {
  if (['satp', 'medeleg'].includes(name)) return [];
  if (name !== 'mstatus') return [{ csr: name, mask: writable }];
  const felt = fields.filter((field) => !field.name.startsWith('MP'));
  return felt.map((field) => ({ csr: name, mask: csrMask(name, field.name) }));
});

/** The state with some CSR bits the other way round, as far as that is legal. */
export function flipped(state: TrialState, { csr, mask }: Flip): TrialState {
  const before = state.csrs[csr] ?? BASE_CSRS[csr] ?? 0;
  const after = legalize(csrByName(csr)!, before, before ^ mask);
  return { ...state, csrs: { ...state.csrs, [csr]: after } };
}

/** What is tried, in assembly. */
export function triedText(tried: Tried): string {
  return tried === 'fetch' ? 'the fetch of an instruction' : disassemble(tried, PC);
}
