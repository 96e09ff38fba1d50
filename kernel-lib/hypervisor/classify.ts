/**
 * `classify(profile)`: which instructions are privileged, which sensitive, and which *critical*:
 * sensitive, and not certain to trap in U mode. Found by running them, not by knowing.
 *
 * Every row of the ISA and every access to every CSR is executed on a machine of the profile in
 * states of S and U mode that differ in one thing (`classify/evidence.ts`); each verdict comes
 * with its witness, which can be run again. The summary says what Popek & Goldberg's theorems
 * make of it. Experiments refute innocence; they never prove it.
 * Popek & Goldberg, Formal Requirements for Virtualizable Third Generation Architectures, 1974.
 */
import { type Defect, type Profile, type ProfileName, profileOf } from '../isa/profiles';
import { Mode } from '../isa/registers';
import { SUPERPAGE_BYTES, TABLE_ENTRIES } from '../machine/page-table';
import {
  type Evidence,
  type EvidenceKind,
  type Examination,
  examine,
  type Trapping,
} from './classify/evidence';
import { SUBJECTS, type Subject, subjectName } from './classify/subjects';
import { type Flip, Laboratory } from './classify/trial';
import { type Witness, witnessOf } from './classify/witness';

export type { EvidenceKind, Trapping } from './classify/evidence';
export {
  Experiment,
  experiment,
  PRIVILEGED_STATE,
  type SideBySide,
  type StatePair,
  type Trial,
} from './classify/experiment';
export type { CsrAccessKind, Subject } from './classify/subjects';
export type { Flip, TrialState } from './classify/trial';
export { replay, type Witness, type WitnessRow, type WitnessSide, witnessRows } from './classify/witness';

/** What an instruction is to a hypervisor that runs the guest's kernel in U mode. */
export type InstructionClass =
  | 'innocuous' // runs directly, and nobody can tell
  | 'privileged' // traps in U mode, not in S mode
  | 'traps in both' // traps in U and in S mode: not privileged to the letter, but as safe
  | 'configurable' // sensitive, and privileged as soon as the hypervisor sets a CSR so
  | 'critical'; // sensitive, and runs in U mode without a trap

export interface Finding {
  subject: Subject;
  /** `sret`, `read sstatus`, `s10 across a trap`. The same on every profile. */
  name: string;
  class: InstructionClass;
  /** Whether it traps, by mode; loads, stores and fetches that may not are not counted. */
  traps: { user: Trapping; supervisor: Trapping };
  isSensitive: boolean;
  /** Sensitive even for a program that stays in U mode. */
  isUserSensitive: boolean;
  /** Proof of each kind of sensitivity found: control, and of behaviour mode, configuration, location. */
  witnesses: Partial<Record<EvidenceKind, Witness>>;
  /** What differs, but by a memory trap or in a page-table entry's A and D bits: exempt. */
  exempt: Partial<Record<EvidenceKind, Witness>>;
  /** CSR bits of the hypervisor's that make it trap in U mode. */
  trapsWith: Flip[];
  /** Instructions of other machines that the profile's defects stand for, where this one meets them. */
  standsFor: string[];
}

/** Addresses that loads or stores of U mode can't reach, whatever the page table says. */
export interface BarredWindow {
  access: 'load' | 'store';
  low: number;
  bytes: number;
  standsFor: string[];
}

/** Whether a theorem's condition holds, and if not, what it fails on. */
export interface Verdict {
  holds: boolean;
  because: Finding[];
}

export interface Classification {
  profile: Profile;
  findings: Finding[];
  critical: Finding[];
  /** Not critical, since they trap; but each access costs a trap. */
  barred: BarredWindow[];
  /** Theorem 1: all sensitive instructions are privileged, so trap-and-emulate works. */
  virtualizable: Verdict;
  /** Theorem 2: and no way to tell the time is out of the hypervisor's hands. */
  recursivelyVirtualizable: Verdict;
  /** Theorem 3: all *user* sensitive ones are, so it works if the guest's kernel is interpreted. */
  hybridVirtualizable: Verdict;
}

/**
 * Classifies every instruction and CSR access of a machine with this profile.
 * Takes about a second. Same profile, same result.
 * @throws if there is no profile of this name
 */
export function classify(profile: ProfileName | Profile): Classification {
  const laboratory = new Laboratory(profileOf(profile));
  const findings = SUBJECTS.map((subject) => findingOf(laboratory, subject));
  const critical = findings.filter((finding) => finding.class === 'critical');
  const clocks = findings.filter((finding) => tellsTime(finding.subject) && !canBeTrapped(finding));
  return {
    profile: laboratory.profile,
    findings,
    critical,
    barred: barredWindows(laboratory),
    virtualizable: verdict(critical),
    recursivelyVirtualizable: verdict([...new Set([...critical, ...clocks])]),
    hybridVirtualizable: verdict(critical.filter((finding) => finding.isUserSensitive)),
  };
}

const verdict = (because: Finding[]): Verdict => ({ holds: because.length === 0, because });

function findingOf(laboratory: Laboratory, subject: Subject): Finding {
  const examination = examine(laboratory, subject);
  const { user, supervisor, sensitive, userSensitive, exempt, trapsWith } = examination;
  const kind = subject.kind === 'register' ? classOfRegister(examination) : classOf(examination);
  return {
    subject,
    name: subjectName(subject),
    class: kind,
    traps: { user, supervisor },
    isSensitive: sensitive.length > 0,
    isUserSensitive: userSensitive.length > 0,
    witnesses: byKind(laboratory, sensitive),
    exempt: byKind(laboratory, exempt),
    trapsWith,
    standsFor: kind === 'critical' ? standsFor(laboratory.profile, subject) : [],
  };
}

function classOf({ user, supervisor, sensitive, trapsWith }: Examination): InstructionClass {
  if (user === 'always') return supervisor === 'never' ? 'privileged' : 'traps in both';
  if (sensitive.length === 0) return 'innocuous';
  return trapsWith.length > 0 ? 'configurable' : 'critical';
}

/** A register isn't executed: it can only be found out. */
function classOfRegister({ sensitive }: Examination): InstructionClass {
  return sensitive.length > 0 ? 'critical' : 'innocuous';
}

function byKind(laboratory: Laboratory, evidence: Evidence[]): Partial<Record<EvidenceKind, Witness>> {
  return Object.fromEntries(evidence.map((proof) => [proof.kind, witnessOf(laboratory, proof)]));
}

/** The names of the defects that concern a subject. */
function standsFor({ defects }: Profile, subject: Subject): string[] {
  return defects.filter((defect) => concerns(defect, subject)).map((defect) => defect.standsFor);
}

function concerns(defect: Defect, subject: Subject): boolean {
  switch (defect.kind) {
    case 'instruction':
      return subject.kind === 'instruction' && subject.row.name === defect.instruction;
    case 'csr':
      if (subject.kind !== 'csr' || subject.csr.number !== defect.number) return false;
      return (subject.access === 'read') === (defect.access === 'read');
    case 'registers':
      return subject.kind === 'register' && defect.registers.includes(subject.register);
    case 'window':
      return false;
  }
}

function tellsTime(subject: Subject): boolean {
  const live = subject.kind === 'csr' && subject.access === 'read' ? (subject.csr.live ?? '') : '';
  return /^(cycle|time|instret)/.test(live);
}

function canBeTrapped({ traps, trapsWith }: Finding): boolean {
  return traps.user === 'always' || trapsWith.length > 0;
}

/** Looks at every 4 MiB of the address space: where can S mode load or store, and U mode not? */
function barredWindows(laboratory: Laboratory): BarredWindow[] {
  return (['load', 'store'] as const).flatMap((access) => {
    const windows: BarredWindow[] = [];
    for (let n = 0; n < TABLE_ENTRIES; n++) {
      const low = n * SUPERPAGE_BYTES;
      const isBarred =
        laboratory.getsThrough(Mode.S, access, low) && !laboratory.getsThrough(Mode.U, access, low);
      const last = windows.at(-1);
      if (!isBarred) continue;
      if (last !== undefined && last.low + last.bytes === low) last.bytes += SUPERPAGE_BYTES;
      else windows.push({ access, low, bytes: SUPERPAGE_BYTES, standsFor: windowNames(laboratory, low) });
    }
    return windows;
  });
}

function windowNames({ profile }: Laboratory, va: number): string[] {
  return profile.defects
    .filter((defect) => defect.kind === 'window' && va >= defect.low && va - defect.low < defect.bytes)
    .map((defect) => defect.standsFor);
}
