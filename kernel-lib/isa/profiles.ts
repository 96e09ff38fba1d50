/**
 * Profiles: machines that can't be virtualized, as tables of defects of this one.
 *
 * A defect overrides who may execute something and what happens if one may not (nothing, a silent
 * partial effect, the real state), never anything else. Each is named after the instruction that
 * it stands for on the machine that has it. Software of the highest privilege that may execute
 * the thing anyway sees no difference: profiles differ only where `riscv` traps.
 * A new profile is one more table, added to `PROFILES`. S1, Non-Virtualizable Architectures.
 */
import { csrMask, csrNumber } from './csrs';
import type { Operands, Row } from './formats';
import { csrReadsAndWrites } from './meaning';
import { registerNumber } from './registers';

interface Named {
  /** The instruction that it stands for, by its name on the other machine. Rows of one name belong together. */
  standsFor: string;
  source: string;
}

/** A CSR that needs privilege, accessed without: no trap. */
export interface CsrDefect extends Named {
  kind: 'csr';
  access: 'read' | 'write';
  csr: string;
  number: number;
  /** The bits that are read from or written to the real register; none: nothing happens. */
  mask: number;
}

/** An instruction that needs privilege, executed without: no trap. */
export interface InstructionDefect extends Named {
  kind: 'instruction';
  /** The name of its row. */
  instruction: string;
  /** `nothing`, or `jump`: the hart goes on at `sepc`, and nothing else of a return from a trap happens. */
  instead: 'nothing' | 'jump';
}

/** General registers that any trap destroys, and that all modes can use. */
export interface RegisterDefect extends Named {
  kind: 'registers';
  registers: readonly number[];
}

/** Virtual addresses that U mode may not load from or store to, whatever the page table says. */
export interface WindowDefect extends Named {
  kind: 'window';
  /** The first address, unsigned. */
  low: number;
  bytes: number;
}

export type Defect = CsrDefect | InstructionDefect | RegisterDefect | WindowDefect;

/** A machine by what is wrong with it. */
export interface Profile {
  name: string;
  defects: readonly Defect[];
}

/** What a trap leaves in a register that it destroys. */
export const LEFT_BY_TRAP = 0xdeaddead | 0;

/**
 * The CSR `csr` is read or written for real, or only the fields named are; without any, nothing
 * happens: what is read leaves rd as it was, what is written is lost.
 */
function csr(
  standsFor: string,
  access: 'read' | 'write',
  name: string,
  fields: 'all' | readonly string[],
  source: string,
): CsrDefect {
  const mask = fields === 'all' ? -1 : fields.reduce((bits, field) => bits | csrMask(name, field), 0);
  return { kind: 'csr', standsFor, access, csr: name, number: csrNumber(name), mask, source };
}

function instruction(
  standsFor: string,
  name: string,
  instead: 'nothing' | 'jump',
  source: string,
): InstructionDefect {
  return { kind: 'instruction', standsFor, instruction: name, instead, source };
}

function registers(standsFor: string, names: readonly string[], source: string): RegisterDefect {
  const numbers = names.map((name) => registerNumber(name)!);
  return { kind: 'registers', standsFor, registers: numbers, source };
}

function unmapped(standsFor: string, low: number, bytes: number, source: string): WindowDefect {
  return { kind: 'window', standsFor, low, bytes, source };
}

const NOTHING: readonly string[] = [];

/** Columns: stands for, access, CSR, which bits are real, source. */
// biome-ignore format: a table
const X86 = [
  csr('popf',       'write', 'sstatus', NOTHING,                        'S2, S3 (popf); Robin & Irvine 2000, 3; Adams & Agesen 2006, 3.1'),
  csr('pushf',      'read',  'sstatus', ['SIE', 'SPIE', 'SUM', 'MXR'],  'S1 (PUSH of PSW); Robin & Irvine 2000, 3'),
  csr('push %cs',   'read',  'sstatus', ['SPP'],                        'S1 (segment descriptors expose the privilege level); Adams & Agesen 2006, 3.1'),
  csr('smsw',       'read',  'satp',    'all',                          'Robin & Irvine 2000, 3'),
  csr('sidt, sgdt', 'read',  'stvec',   'all',                          'S1 (descriptor tables in virtual memory); Robin & Irvine 2000, 3'),
];

// biome-ignore format: a table
const ITANIUM = [
  csr('thash',      'read',  'satp',    'all',                          'S1 (THASH exposes the address of the hardware page table)'),
  csr('mov iva',    'read',  'stvec',   'all',                          'S1 (interrupt vector table in virtual memory)'),
  csr('mov iva',    'write', 'stvec',   'all',                          'S1 (interrupt vector table in virtual memory)'),
];

/** k0 and k1 are registers 26 and 27 there, and here. KSEG's window is smaller than 512 MiB: kernels are above it. */
// biome-ignore format: a table
const MIPS = [
  registers('k0, k1', ['x26', 'x27'],                                   'S1 (kernel registers k0, k1 are user-accessible)'),
  unmapped('KSEG',    0x8000_0000, 0x0040_0000,                         'S1 (performance issue with virtualizing KSEG addresses); Bugnion et al. 1997'),
];

// biome-ignore format: a table
const ARM = [
  csr('cps, msr',   'write', 'sstatus',  NOTHING,                       'S1; Penneman et al. 2013, table 1; Varanasi & Heiser 2011'),
  csr('mrs',        'read',  'sstatus',  'all',                         'S1 (CPSR); Penneman et al. 2013, table 1'),
  csr('ldm ^, stm ^', 'read',  'sscratch', NOTHING,                       'S1 (banked registers); Penneman et al. 2013, table 1'),
  csr('ldm ^, stm ^', 'write', 'sscratch', NOTHING,                       'S1 (banked registers); Penneman et al. 2013, table 1'),
  csr('mov lr',     'read',  'sepc',     'all',                         'S1 (banked registers): r14 is a general register in every mode'),
  csr('mov lr',     'write', 'sepc',     'all',                         'S1 (banked registers): r14 is a general register in every mode'),
  instruction('movs pc, lr', 'sret', 'jump',                            'S1 (PC is a general register; MOVS to it returns from exceptions and does not trap)'),
];

function profile(name: string, defects: readonly Defect[]): Profile {
  return { name, defects };
}

/** The profiles by name. `riscv` has no defects. */
export const PROFILES = {
  riscv: profile('riscv', []),
  x86: profile('x86', X86),
  itanium: profile('itanium', ITANIUM),
  mips: profile('mips', MIPS),
  arm: profile('arm', ARM),
};

export type ProfileName = keyof typeof PROFILES;

/**
 * The profile of this name; one that is given as a table stays as it is.
 * @throws if there is none of this name
 */
export function profileOf(profile: ProfileName | Profile): Profile {
  if (typeof profile !== 'string') return profile;
  const found: Profile | undefined = (PROFILES as Record<string, Profile>)[profile];
  if (found === undefined) {
    const names = Object.keys(PROFILES).join(', ');
    throw new Error(`There is no profile "${profile}". There are: ${names}. Or give a table of defects.`);
  }
  return found;
}

/** The bits of a CSR that an instruction without privilege reads and writes, where it doesn't trap. */
export interface CsrRights {
  read: number;
  write: number;
}

/** What an access to CSR `number` does where it needs more privilege; undefined: it traps. */
export function rightsByDefect(
  profile: Profile,
  number: number,
  { reads, writes }: { reads: boolean; writes: boolean },
): CsrRights | undefined {
  if (profile.defects.length === 0) return undefined;
  const rights = { read: 0, write: 0 };
  const met = { read: !reads, write: !writes };
  for (const defect of profile.defects) {
    if (defect.kind !== 'csr' || defect.number !== number) continue;
    met[defect.access] = true;
    rights[defect.access] |= defect.mask;
  }
  return met.read && met.write ? rights : undefined;
}

/** What an instruction does where it needs more privilege; undefined: it traps. */
export function insteadOfTrap(profile: Profile, name: string): 'nothing' | 'jump' | undefined {
  for (const defect of profile.defects)
    if (defect.kind === 'instruction' && defect.instruction === name) return defect.instead;
  return undefined;
}

/** The registers that any trap destroys. */
export function registersLostInTraps(profile: Profile): readonly number[] {
  return profile.defects.flatMap((defect) => (defect.kind === 'registers' ? defect.registers : []));
}

/**
 * The defects that an instruction runs into without privilege: what those look for who replace
 * instructions before they run. (Windows of addresses are not seen in an instruction.)
 */
export function defectsMet(profile: Profile, instruction: Operands & { row: Row }): Defect[] {
  return profile.defects.filter((defect) => isMet(defect, instruction));
}

function isMet(defect: Defect, instruction: Operands & { row: Row }): boolean {
  const { row } = instruction;
  switch (defect.kind) {
    case 'instruction':
      return defect.instruction === row.name;
    case 'csr': {
      if (row.meaning.kind !== 'csr' || instruction.csr !== defect.number) return false;
      const { reads, writes } = csrReadsAndWrites(row.meaning.access, instruction);
      return defect.access === 'read' ? reads : writes;
    }
    case 'registers':
      return row.format.fields.some(
        ({ operand, kind }) => kind === 'register' && defect.registers.includes(instruction[operand]),
      );
    case 'window':
      return false;
  }
}
