/**
 * Control and status registers, one row each: number, name, fields, alias, guard, source.
 *
 * The number itself says who may touch the register: bits 9:8 are the lowest mode, and bits
 * 11:10 = 3 mean read-only (Priv, CSR Address Mapping Conventions). The fields say what a write
 * may change: WARL bits that no field names are read-only zero.
 */
import { bits, maskOf } from '../bits';
import type { Mode } from './registers';

/** A field of a CSR: `MPP`, bits 12 to 11, of which only some values are legal. */
export interface CsrField {
  name: string;
  high: number;
  low: number;
  /** Values that a write can set; a write of another value leaves the field as it is. */
  legal?: readonly number[];
  /** A write doesn't change it. */
  readOnly: boolean;
}

/** Rights beyond the number's own: the counter enables, `mstatus.TVM`, and Sstc's two enables. */
export type CsrGuard = 'counter' | 'TVM' | 'stimecmp';

/** What a machine may come without; its registers are then no registers. */
export type CsrFeature = 'pmp' | 'H';

/** Where a value comes from that is not simply what was written. */
export type LiveValue = 'cycle' | 'cycleh' | 'instret' | 'instreth' | 'time' | 'timeh' | 'interrupts';

export interface Csr {
  number: number;
  name: string;
  fields: readonly CsrField[];
  /** The bits that a write can change. */
  writable: number;
  /** The bits that can be read. */
  readable: number;
  /** The value after reset. */
  reset: number;
  /** The register of which this one shows a part: `sstatus` of `mstatus`. */
  alias?: string;
  /** The register whose set bits are the only ones that this alias shows: `sie` and `mideleg`. */
  shownBy?: string;
  guard?: CsrGuard;
  live?: LiveValue;
  feature?: CsrFeature;
  /** Nothing is worked out from it before an instruction or a trap asks: it just keeps what is written. */
  passive?: true;
  source: string;
}

interface CsrOptions {
  reset?: number;
  alias?: string;
  shownBy?: string;
  guard?: CsrGuard;
  live?: LiveValue;
  feature?: CsrFeature;
  passive?: true;
}

/** `'MPP 12:11 {0,1,3}, MXL 31:30 ro'` -> fields. */
function parseFields(text: string): CsrField[] {
  return [...text.matchAll(/(\w+) (\d+)(?::(\d+))?(?: \{([\d,]+)\})?( ro)?/g)].map(
    ([, name, high, low, legal, readOnly]) => ({
      name,
      high: Number(high),
      low: Number(low ?? high),
      ...(legal === undefined ? {} : { legal: legal.split(',').map(Number) }),
      readOnly: readOnly !== undefined,
    }),
  );
}

const fieldMask = (field: CsrField) => (maskOf(field.high - field.low + 1) << field.low) | 0;

function csr(number: number, name: string, fields: string, source: string, options: CsrOptions = {}): Csr {
  const parsed = parseFields(fields);
  const covered = (list: CsrField[]) => list.reduce((mask, field) => mask | fieldMask(field), 0);
  return {
    number,
    name,
    fields: parsed,
    writable: covered(parsed.filter((field) => !field.readOnly)),
    readable: covered(parsed),
    reset: 0,
    source,
    ...options,
  };
}

const ALL = 'VALUE 31:0';
const FIXED = 'VALUE 31:0 ro';
const S_STATUS = 'MXR 19, SUM 18, SPP 8, SPIE 5, SIE 1';
const COUNTEREN = 'IR 2, TM 1, CY 0';
const TVEC = 'BASE 31:2, MODE 1:0 {0,1}';
const EPC = 'VALUE 31:1';
const PASSIVE = { passive: true } as const;

// biome-ignore format: a table
const SUPERVISOR = [
  csr(0x100, 'sstatus',    S_STATUS,                              'Priv, Supervisor Status (sstatus) Register', { alias: 'mstatus' }),
  csr(0x104, 'sie',        'SEIE 9, STIE 5, SSIE 1',              'Priv, Supervisor Interrupt (sip and sie) Registers', { alias: 'mie', shownBy: 'mideleg' }),
  csr(0x105, 'stvec',      TVEC,                                  'Priv, Supervisor Trap Vector Base Address (stvec) Register'),
  csr(0x106, 'scounteren', COUNTEREN,                             'Priv, Counter-Enable (scounteren) Register'),
  csr(0x10a, 'senvcfg',    'FIOM 0',                              'Priv, Supervisor Environment Configuration (senvcfg) Register'),
  csr(0x140, 'sscratch',   ALL,                                   'Priv, Supervisor Scratch (sscratch) Register', PASSIVE),
  csr(0x141, 'sepc',       EPC,                                   'Priv, Supervisor Exception Program Counter (sepc) Register', PASSIVE),
  csr(0x142, 'scause',     'INTERRUPT 31, CODE 30:0',             'Priv, Supervisor Cause (scause) Register', PASSIVE),
  csr(0x143, 'stval',      ALL,                                   'Priv, Supervisor Trap Value (stval) Register', PASSIVE),
  csr(0x144, 'sip',        'SEIP 9 ro, STIP 5 ro, SSIP 1',        'Priv, Supervisor Interrupt (sip and sie) Registers', { alias: 'mip', shownBy: 'mideleg', live: 'interrupts' }),
  csr(0x14d, 'stimecmp',   ALL,                                   '"Sstc", Supervisor Timer (stimecmp) Register', { guard: 'stimecmp', reset: -1 }),
  csr(0x15d, 'stimecmph',  ALL,                                   '"Sstc", Supervisor Timer (stimecmp) Register', { guard: 'stimecmp', reset: -1 }),
  csr(0x180, 'satp',       'MODE 31, ASID 30:22, PPN 21:0',       'Priv, Supervisor Address Translation and Protection (satp) Register', { guard: 'TVM' }),
];

// biome-ignore format: a table
const MACHINE = [
  csr(0xf11, 'mvendorid',  FIXED,                                 'Priv, Machine Vendor ID (mvendorid) Register'),
  csr(0xf12, 'marchid',    FIXED,                                 'Priv, Machine Architecture ID (marchid) Register'),
  csr(0xf13, 'mimpid',     FIXED,                                 'Priv, Machine Implementation ID (mimpid) Register'),
  csr(0xf14, 'mhartid',    FIXED,                                 'Priv, Hart ID (mhartid) Register'),
  csr(0xf15, 'mconfigptr', FIXED,                                 'Priv, Machine Configuration Pointer (mconfigptr) Register'),
  csr(0x300, 'mstatus',    `TSR 22, TW 21, TVM 20, MPRV 17, MPP 12:11 {0,1,3}, MPIE 7, MIE 3, ${S_STATUS}`, 'Priv, Machine Status (mstatus and mstatush) Registers'),
  csr(0x301, 'misa',       'MXL 31:30 ro, EXTENSIONS 25:0 ro',    'Priv, Machine ISA (misa) Register', { reset: misa('IMACSU') }),
  csr(0x302, 'medeleg',    'LOW 9:0, PAGE 13:12, STORE_PAGE 15',  'Priv, Machine Trap Delegation (medeleg and mideleg) Registers'),
  csr(0x303, 'mideleg',    'SEI 9, STI 5, SSI 1',                 'Priv, Machine Trap Delegation (medeleg and mideleg) Registers'),
  csr(0x304, 'mie',        'MEIE 11, SEIE 9, MTIE 7, STIE 5, MSIE 3, SSIE 1', 'Priv, Machine Interrupt (mip and mie) Registers'),
  csr(0x305, 'mtvec',      TVEC,                                  'Priv, Machine Trap-Vector Base-Address (mtvec) Register'),
  csr(0x306, 'mcounteren', COUNTEREN,                             'Priv, Machine Counter-Enable (mcounteren) Register'),
  csr(0x30a, 'menvcfg',    'FIOM 0',                              'Priv, Machine Environment Configuration (menvcfg) Register'),
  csr(0x31a, 'menvcfgh',   'STCE 31',                             'Priv, Machine Environment Configuration (menvcfg) Register'),
  csr(0x310, 'mstatush',   'MBE 5 ro, SBE 4 ro',                  'Priv, Machine Status (mstatus and mstatush) Registers'),
  csr(0x340, 'mscratch',   ALL,                                   'Priv, Machine Scratch (mscratch) Register', PASSIVE),
  csr(0x341, 'mepc',       EPC,                                   'Priv, Machine Exception Program Counter (mepc) Register', PASSIVE),
  csr(0x342, 'mcause',     'INTERRUPT 31, CODE 30:0',             'Priv, Machine Cause (mcause) Register', PASSIVE),
  csr(0x343, 'mtval',      ALL,                                   'Priv, Machine Trap Value (mtval) Register', PASSIVE),
  csr(0x344, 'mip',        'MEIP 11 ro, SEIP 9, MTIP 7 ro, STIP 5, MSIP 3 ro, SSIP 1', 'Priv, Machine Interrupt (mip and mie) Registers', { live: 'interrupts' }),
];

/** Numbers of the performance counters that Zihpm has room for. */
const HPM = Array.from({ length: 29 }, (_, n) => n + 3);
const HPM_SOURCE = 'Priv, Hardware Performance Monitor';

// biome-ignore format: a table
const TRIGGERS = [
  // There are none: type 0 in tdata1.
  csr(0x7a0, 'tselect',    FIXED, 'Debug, Trigger Module Registers'),
  csr(0x7a1, 'tdata1',     FIXED, 'Debug, Trigger Module Registers'),
  csr(0x7a2, 'tdata2',     FIXED, 'Debug, Trigger Module Registers'),
  csr(0x7a3, 'tdata3',     FIXED, 'Debug, Trigger Module Registers'),
];

// biome-ignore format: a table
const COUNTERS = [
  csr(0x320, 'mcountinhibit', 'IR 2, CY 0', 'Priv, Machine Counter-Inhibit (mcountinhibit) Register'),
  csr(0xb00, 'mcycle',     ALL,   'Priv, Hardware Performance Monitor', { live: 'cycle' }),
  csr(0xb02, 'minstret',   ALL,   'Priv, Hardware Performance Monitor', { live: 'instret' }),
  csr(0xb80, 'mcycleh',    ALL,   'Priv, Hardware Performance Monitor', { live: 'cycleh' }),
  csr(0xb82, 'minstreth',  ALL,   'Priv, Hardware Performance Monitor', { live: 'instreth' }),
  csr(0xc00, 'cycle',      FIXED, 'Unpriv, "Zicntr" Extension', { guard: 'counter', live: 'cycle' }),
  csr(0xc01, 'time',       FIXED, 'Unpriv, "Zicntr" Extension', { guard: 'counter', live: 'time' }),
  csr(0xc02, 'instret',    FIXED, 'Unpriv, "Zicntr" Extension', { guard: 'counter', live: 'instret' }),
  csr(0xc80, 'cycleh',     FIXED, 'Unpriv, "Zicntr" Extension', { guard: 'counter', live: 'cycleh' }),
  csr(0xc81, 'timeh',      FIXED, 'Unpriv, "Zicntr" Extension', { guard: 'counter', live: 'timeh' }),
  csr(0xc82, 'instreth',   FIXED, 'Unpriv, "Zicntr" Extension', { guard: 'counter', live: 'instreth' }),
  // No events are counted: the counters are there and always zero.
  ...HPM.map((n) => csr(0x320 + n, `mhpmevent${n}`,    FIXED, HPM_SOURCE)),
  ...HPM.map((n) => csr(0xb00 + n, `mhpmcounter${n}`,  FIXED, HPM_SOURCE)),
  ...HPM.map((n) => csr(0xb80 + n, `mhpmcounter${n}h`, FIXED, HPM_SOURCE)),
  ...HPM.map((n) => csr(0xc00 + n, `hpmcounter${n}`,   FIXED, 'Unpriv, "Zihpm" Extension', { guard: 'counter' })),
  ...HPM.map((n) => csr(0xc80 + n, `hpmcounter${n}h`,  FIXED, 'Unpriv, "Zihpm" Extension', { guard: 'counter' })),
];

/** Entries of physical memory protection that the machine has. */
export const PMP_ENTRIES = 16;
const PMP_SOURCE = 'Priv, Physical Memory Protection CSRs';
const pmpConfiguration = (entry: number) =>
  `L${entry} ${8 * (entry % 4) + 7}, A${entry} ${8 * (entry % 4) + 4}:${8 * (entry % 4) + 3}, RWX${entry} ${8 * (entry % 4) + 2}:${8 * (entry % 4)} {0,1,3,4,5,7}`;
const PMP = [
  ...[0, 1, 2, 3].map((n) =>
    csr(
      0x3a0 + n,
      `pmpcfg${n}`,
      [3, 2, 1, 0].map((entry) => pmpConfiguration(4 * n + entry)).join(', '),
      PMP_SOURCE,
      { feature: 'pmp' },
    ),
  ),
  ...Array.from({ length: PMP_ENTRIES }, (_, n) =>
    csr(0x3b0 + n, `pmpaddr${n}`, ALL, PMP_SOURCE, { feature: 'pmp' }),
  ),
];

const H = { feature: 'H' } as const;
const H_SOURCE = 'Priv, Hypervisor and Virtual Supervisor CSRs';
const M_GUEST_SOURCE = 'Priv, Machine-Level CSRs (H)';

/** The hypervisor extension. */
// biome-ignore format: a table
const HYPERVISOR = [
  csr(0x200, 'vsstatus',    S_STATUS,                       H_SOURCE, H),
  csr(0x204, 'vsie',        'SEIE 9, STIE 5, SSIE 1',       H_SOURCE, H),
  csr(0x205, 'vstvec',      TVEC,                           H_SOURCE, H),
  csr(0x240, 'vsscratch',   ALL,                            H_SOURCE, H),
  csr(0x241, 'vsepc',       EPC,                            H_SOURCE, H),
  csr(0x242, 'vscause',     'INTERRUPT 31, CODE 30:0',      H_SOURCE, H),
  csr(0x243, 'vstval',      ALL,                            H_SOURCE, H),
  csr(0x244, 'vsip',        'SEIP 9 ro, STIP 5 ro, SSIP 1', H_SOURCE, H),
  csr(0x24d, 'vstimecmp',   ALL,                            H_SOURCE, H),
  csr(0x25d, 'vstimecmph',  ALL,                            H_SOURCE, H),
  csr(0x280, 'vsatp',       'MODE 31, ASID 30:22, PPN 21:0', H_SOURCE, H),
  csr(0x600, 'hstatus',     'VTSR 22, VTW 21, VTVM 20, VGEIN 17:12 ro, HU 9, SPVP 8, SPV 7, GVA 6, VSBE 5 ro', H_SOURCE, H),
  csr(0x602, 'hedeleg',     'LOW 8:0, PAGE 13:12, STORE_PAGE 15', H_SOURCE, H),
  csr(0x603, 'hideleg',     'VSEI 10, VSTI 6, VSSI 2',      H_SOURCE, H),
  csr(0x604, 'hie',         'SGEIE 12, VSEIE 10, VSTIE 6, VSSIE 2', H_SOURCE, H),
  csr(0x605, 'htimedelta',  ALL,                            H_SOURCE, H),
  csr(0x606, 'hcounteren',  COUNTEREN,                      H_SOURCE, H),
  csr(0x607, 'hgeie',       FIXED,                          H_SOURCE, H),
  csr(0x60a, 'henvcfg',     'FIOM 0',                       H_SOURCE, H),
  csr(0x612, 'hedelegh',    FIXED,                          H_SOURCE, H),
  csr(0x615, 'htimedeltah', ALL,                            H_SOURCE, H),
  csr(0x61a, 'henvcfgh',    'STCE 31',                      H_SOURCE, H),
  csr(0x643, 'htval',       ALL,                            H_SOURCE, H),
  csr(0x644, 'hip',         'SGEIP 12 ro, VSEIP 10 ro, VSTIP 6 ro, VSSIP 2', H_SOURCE, H),
  csr(0x645, 'hvip',        'VSEIP 10, VSTIP 6, VSSIP 2',   H_SOURCE, H),
  csr(0x64a, 'htinst',      ALL,                            H_SOURCE, H),
  csr(0x680, 'hgatp',       'MODE 31, VMID 28:22, PPN 21:0', H_SOURCE, H),
  csr(0xe12, 'hgeip',       FIXED,                          H_SOURCE, H),
  csr(0x34a, 'mtinst',      ALL,                            M_GUEST_SOURCE, H),
  csr(0x34b, 'mtval2',      ALL,                            M_GUEST_SOURCE, H),
];

/** All CSRs that a machine can have. */
export const CSRS: readonly Csr[] = [
  ...SUPERVISOR,
  ...MACHINE,
  ...TRIGGERS,
  ...COUNTERS,
  ...PMP,
  ...HYPERVISOR,
];

/** `misa` for RV32 with these extensions. */
function misa(extensions: string): number {
  return [...extensions].reduce((value, letter) => value | (1 << (letter.charCodeAt(0) - 65)), 1 << 30);
}

const byNumber = new Map(CSRS.map((row) => [row.number, row]));
const byName = new Map(CSRS.map((row) => [row.name, row]));

/** The CSR of this number, or undefined where the machine has none. */
export function csrByNumber(number: number): Csr | undefined {
  return byNumber.get(number);
}

/**
 * The number of the CSR called `name`, for code that works with a certain register.
 * @throws if the machine has no such register
 */
export function csrNumber(name: string): number {
  const row = byName.get(name);
  if (row === undefined) throw new Error(`There is no CSR called "${name}". \`CSRS\` lists them all.`);
  return row.number;
}

/**
 * The mask of a field of a CSR: `csrMask('mstatus', 'SIE')` is 2.
 * @throws if there is no such register or field
 */
export function csrMask(name: string, fieldName: string): number {
  const field = csrByNumber(csrNumber(name))?.fields.find((candidate) => candidate.name === fieldName);
  if (field === undefined) throw new Error(`CSR ${name} has no field called "${fieldName}".`);
  return fieldMask(field);
}

/** The CSR of this name, or undefined where the machine has none. */
export function csrByName(name: string): Csr | undefined {
  return byName.get(name);
}

/** The lowest mode that may access CSR `number`. */
export function csrLowestMode(number: number): Mode {
  return bits(number, 9, 8);
}

/** Whether CSR `number` can only be read. */
export function csrIsReadOnly(number: number): boolean {
  return bits(number, 11, 10) === 3;
}

/** Splits a value into the register's fields: `{ SIE: 1, SPP: 0, … }`. */
export function csrFieldValues(row: Csr, value: number): Record<string, number> {
  return Object.fromEntries(row.fields.map((field) => [field.name, bits(value, field.high, field.low)]));
}

/** What the register holds after `value` is written over `before`: only writable fields, only legal values. */
export function legalize(row: Csr, before: number, value: number): number {
  let after = (before & ~row.writable) | (value & row.writable);
  for (const field of row.fields) {
    if (field.legal && !field.legal.includes(bits(value, field.high, field.low))) {
      after = (after & ~fieldMask(field)) | (before & fieldMask(field));
    }
  }
  return after;
}
