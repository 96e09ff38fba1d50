/**
 * Where the translator keeps its things in the guest kernel's address space, and the vCPU page.
 *
 * The translation cache (TC) and its look-up table can be executed, and neither read nor written.
 * The vCPU window is 128 bytes that an instruction reaches from x0, so that no register is needed
 * to get there: `lw rd, imm(x0)` with a negative immediate. All three are at the top of the address
 * space, where no kernel has its own. Only what belongs to the guest is in the window: if the guest
 * should write there, it harms itself.
 */
import { csrMask } from '../../isa/csrs';
import { registerNumber } from '../../isa/registers';
import { PAGE_BYTES } from '../../machine/page-table';

/** The vCPU page, and the part of it that is used. Away from its end: `-4(p)` with p = 0 is a common mistake. */
export const VCPU_PAGE = 0xffff_f000;
export const WINDOW_BYTES = 128;
export const WINDOW = 0xffff_fa00;

/**
 * The look-up table of indirect jumps: a slot of code for each value of eight bits of the target.
 * It is where three instructions get from the target: `andi`, `addi -2048`, `slli 4`.
 */
export const TABLE = 0xffff_8000;
export const TABLE_SLOTS = 256;
export const TABLE_SLOT_BYTES = 32;
export const TABLE_BYTES = TABLE_SLOTS * TABLE_SLOT_BYTES;

/** The first address after the translation cache, which ends where the table begins. */
export const CACHE_END = TABLE;
/** A jump in the cache reaches 1 MiB: it must reach all of the cache, and the table. */
export const CACHE_LIMIT_BYTES = 2 ** 20 - 2 * TABLE_BYTES;

/** Registers that translated code borrows; each has its own word for the guest's value. */
export const BORROWED = ['t0', 't1', 't2', 't3', 't4'].map((name) => registerNumber(name) ?? 0);

/** The words of the window, in order. */
const WORDS = [
  ...BORROWED.map((register) => `x${register}`),
  'sstatus',
  'pending',
  'sscratch',
  'sepc',
  'scause',
  'stval',
  'stvec',
  'sie',
  'satp',
  'scounteren',
  'senvcfg',
  'banished0',
  'banished1',
  'banished2',
  'banished3',
] as const;

if (WORDS.length * 4 > WINDOW_BYTES) throw new Error('The vCPU window is too small for its words.');

/** The immediate by which x0 reaches a word of the window. */
export function windowOffset(word: string): number {
  const index = WORDS.indexOf(word);
  if (index < 0) throw new Error(`The vCPU window has no word "${word}". It has: ${WORDS.join(', ')}.`);
  return WINDOW + 4 * index - 2 ** 32;
}

/** The offset in the vCPU page of a word of the window. */
export const pageOffset = (word: string): number => windowOffset(word) & (PAGE_BYTES - 1);

/** The immediate of the word that keeps a borrowed register's value. */
export const slotOf = (register: number): number => windowOffset(`x${register}`);

/** The word of a register that the guest has in the window all the time; `index` counts them. */
export const banishedWord = (index: number): string => `banished${index}`;

/** CSRs that translated code reads and writes in the window. A write is cut down to the writable bits. */
export const CACHED_CSRS: ReadonlySet<string> = new Set(['sscratch', 'sepc', 'scause', 'stval']);

/** CSRs that it reads there. To write them takes the hypervisor: something follows from their value. */
export const READABLE_CSRS: ReadonlySet<string> = new Set(['stvec', 'sie', 'satp', 'scounteren', 'senvcfg']);

/** The fields of `sstatus` that translated code may change by itself: nothing follows but interrupts. */
export const LIGHT_STATUS =
  csrMask('sstatus', 'SIE') | csrMask('sstatus', 'SPIE') | csrMask('sstatus', 'SPP');
/** Those from which rights follow. */
export const HEAVY_STATUS = csrMask('sstatus', 'SUM') | csrMask('sstatus', 'MXR');

/**
 * `sstatus` is kept shifted left by so much that SIE has the lowest byte to itself. Turning
 * interrupts off is then one instruction, `sb x0`, and reading the register is two.
 */
export const STATUS_SHIFT = isolatingShift(csrMask('sstatus', 'SIE'), LIGHT_STATUS | HEAVY_STATUS);

function isolatingShift(field: number, all: number): number {
  for (let shift = 0; shift < 8; shift++) if (((all << shift) & 0xff) === field << shift) return shift;
  throw new Error('No shift gives sstatus.SIE a byte of its own.');
}
