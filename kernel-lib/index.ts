/** The public face of the library, in reading order. */

// What the manual says
export { bits, hex, signExtend } from './bits';
export { ABI_NAMES, Mode, registerNumber } from './isa/registers';
export { Cause, causeName, isInterrupt } from './isa/causes';
export {
  CSRS,
  type Csr,
  csrByName,
  csrByNumber,
  csrFieldValues,
  csrLowestMode,
  csrMask,
  csrNumber,
} from './isa/csrs';
export type { Row } from './isa/formats';
export { ISA } from './isa/isa';
export {
  type Defect,
  defectsMet,
  LEFT_BY_TRAP,
  PROFILES,
  type Profile,
  type ProfileName,
  profileOf,
} from './isa/profiles';

// Text and words
export { decode, type Instruction } from './code/decode';
export { encode, rowByName } from './code/encode';
export { type Binary, bytesAt, type Program, type ProgramLine, type Segment } from './code/program';
export {
  AssemblyError,
  type AssembleOptions,
  type AssemblyProblem,
  asm,
  assemble,
  DEFAULT_ORIGIN,
} from './code/assemble';
export { type DisassembleOptions, disassemble, listing } from './code/disassemble';
export { ElfError, readElf, toElf } from './code/elf';

// The machine
export { NO_TRAP, type Trap } from './machine/trap';
export { SnapshotError } from './machine/state';
export { Memory, type MemoryWatcher } from './machine/memory';
export { Bus, type Device, type InterruptLine } from './machine/bus';
export { CsrFile } from './machine/csr-file';
export {
  Clock,
  COSTS,
  type CostPreset,
  type CostTable,
  cyclesOf,
  INTERPRET,
  type Work,
} from './machine/cost';
export { flagsText, isLeaf, isValid, makePte, PAGE_BYTES, Pte, ppnOf, vpn } from './machine/page-table';
export { Tlb, type TlbEntry, type TlbListener } from './machine/tlb';
export { Access, Pmp } from './machine/pmp';
export { Mmu } from './machine/mmu';
export { Hart, type HartOptions } from './machine/hart';
export { Clint } from './machine/devices/clint';
export { Plic } from './machine/devices/plic';
export { Uart } from './machine/devices/uart';
export { VirtioMmio } from './machine/devices/virtio-mmio';
export { VirtioBlock } from './machine/devices/virtio-block';
export { VirtioConsole } from './machine/devices/virtio-console';
export { boardTree, flatten } from './machine/device-tree';
export {
  type BootOptions,
  type Engine,
  type Loadable,
  Machine,
  type MachineOptions,
  MiB,
  RAM_BASE,
  type RunResult,
  type Stop,
} from './machine/machine';
export { Firmware } from './machine/sbi';

// Engines
export { execute, reference, step } from './engine/reference';
export { interpreterText } from './engine/interpreter-code';
export { InterpreterEngine } from './engine/interpreter';
export { TranslatorEngine } from './engine/translator';
export { loadable, together } from './engine/image';
export { createMachine, ENGINES, type EngineName, type RunnableOptions } from './engine/create';

// Hypervisors
export { Asids, Frames } from './hypervisor/frames';
export { LAYOUTS, type LayoutName, type RingLayout } from './hypervisor/layouts';
export { type FaultAnswer, type GuestPaging, type PagedVm, View } from './hypervisor/paging/paging';
export { accessOf, LazyShadow } from './hypervisor/paging/shadow';
export type { ExitCount, ExitReason } from './hypervisor/exits';
export {
  type ExitHandler,
  type Hypervisor,
  type Report,
  Vm,
  type VmOptions,
} from './hypervisor/vm';
export {
  dispatch,
  emulate,
  onCause,
  pageFault,
  reflect,
  TrapAndEmulate,
  type TrapAndEmulateOptions,
} from './hypervisor/trap-and-emulate';
export { BinaryTranslator, type BinaryTranslatorOptions } from './hypervisor/binary-translator';
export {
  Adaptation,
  type AdaptationOptions,
  type Verdicts,
} from './hypervisor/binary-translation/adaptation';
export { windowOffset } from './hypervisor/binary-translation/layout';
export { discover, UNIT_LIMIT } from './hypervisor/binary-translation/discover';
export { type Explanation, explain } from './hypervisor/binary-translation/explain';
export type { GuardPolicy } from './hypervisor/binary-translation/guard';
export type { Progress, Statistics } from './hypervisor/binary-translation/statistics';
export {
  type Emulation,
  type Policy,
  type Translation,
  translate,
} from './hypervisor/binary-translation/translate';
export type { Translator } from './hypervisor/binary-translation/translator';
export {
  endsBlock,
  type GuestInstruction,
  type Treatment,
  treatmentOf,
} from './hypervisor/binary-translation/treatment';
export { type BlockTranslator, BlockWriter, translateBy } from './hypervisor/binary-translation/writer';
export {
  LoadTimePatcher,
  type LoadTimePatcherOptions,
  type Replacement,
} from './hypervisor/load-time-patcher';
export {
  isSensitive,
  judge,
  type ScanResult,
  type Site as PatchSite,
  type Sweep,
  scan,
} from './hypervisor/load-time-patching/scan';
export { FullEmulation } from './hypervisor/full-emulation';
export { type GuestOptions, type SeveralOptions, type SeveralReport, SeveralVms } from './hypervisor/several';
export {
  type ComparedRow,
  type ComparedTechnique,
  type CompareOptions,
  compare,
  costSweep,
  directShare,
} from './hypervisor/compare';
export { TECHNIQUES, type Technique, type TechniqueName } from './hypervisor/techniques';
export {
  type BarredWindow,
  type Classification,
  classify,
  type EvidenceKind,
  Experiment,
  experiment,
  type Finding,
  type InstructionClass,
  PRIVILEGED_STATE,
  replay,
  type SideBySide,
  type StatePair,
  type Subject,
  type Trial,
  type TrialState,
  type Verdict,
  type Witness,
  type WitnessRow,
  witnessRows,
} from './hypervisor/classify';
export {
  ABI_VERSION,
  abiSource,
  EXTENSION,
  Hypercall,
  MOST_CONSOLE_BYTES,
  Shared,
  SHARED_VA,
} from './hypervisor/paravirtual/abi';
export { type OwnCall, Paravirtual, type ParavirtualOptions } from './hypervisor/paravirtual/paravirtual';
export {
  type PassOptions,
  type PassResult,
  previrtualize,
  SiteClass,
  USUAL_PADS,
} from './hypervisor/pre-virtual/pass';
export { PreVirtual, type PreVirtualOptions, WEDGES } from './hypervisor/pre-virtual/pre-virtual';
export { countsByLine, profile, worthMarking } from './hypervisor/pre-virtual/profile';
export { type Site, wedged, type Emulation as WedgeEmulation } from './hypervisor/pre-virtual/wedge';

// Guests
export { type DefectGuest, defectGuests } from './guests/defects';
export { type GuestParameters, guest, guestNames, guestParameters, guestSource } from './guests/guests';

export { comparePort, compareSources, type PortHunk, type PortReport } from './guests/port';

// What a notebook shows
export { type Showable, show, showCsr } from './lab/show/show';
export type { TranslatedInstruction } from './lab/show/code';
export type { Table } from './lab/table';
export { excerpt, record, type Recording, type RecordOptions, type Step } from './lab/timeline/record';
export { timeline } from './lab/timeline/timeline';
export { chart } from './lab/chart/chart';
export type { BarOptions, ScatterOptions, XyOptions } from './lab/chart/general';
export type { MatrixOptions } from './lab/chart/matrix';
export { check, exerciseIds } from './lab/check';
export type { Decision } from './lab/exercises/trap-and-emulate';
import './lab/exercises/interpreter';
import './lab/exercises/duplicate';
export type { MachineState, Slice } from './lab/exercises/duplicate';
import './lab/exercises/sensitive-instructions';
import './lab/exercises/trap-and-emulate';
import './lab/exercises/rings';
export type { TimerFacts } from './lab/exercises/virtual-interrupts';
import './lab/exercises/virtual-interrupts';
export type { Filled, GuestMemory } from './lab/exercises/page-tables';
import './lab/exercises/page-tables';
import './lab/exercises/shadow-page-tables';
export type { GuestPage, TakenOver, VirtualRange } from './lab/exercises/traced-page-tables';
import './lab/exercises/traced-page-tables';
export type { PageChange, PageEvent } from './lab/exercises/batched-updates';
import './lab/exercises/batched-updates';
export type { CriticalSection } from './lab/exercises/para-virtual-guest';
import './lab/exercises/para-virtual-guest';
import './lab/exercises/para-virtualization';
export type { Detour, ReadProgram } from './lab/exercises/load-time-patching';
import './lab/exercises/load-time-patching';
export type { CsrOperation } from './lab/exercises/adaptive-translation';
import './lab/exercises/adaptive-translation';
export {
  type BreakpointHandler,
  type PatchedInstructions,
  patchedImage,
} from './lab/exercises/patching/patched-run';
export type { FetchInstruction } from './lab/exercises/binary-translation';
import './lab/exercises/binary-translation';
export type { LookUp } from './lab/exercises/translation/jumps';
export type { BlockCache, FenceBlocks, FindBlock, GuestBlock } from './lab/exercises/translation/cached-run';
export type {
  ProfiledRun,
  ProfileRun,
  SourceLine,
} from './lab/exercises/pre-virtualization-pass';
import './lab/exercises/pre-virtualization-pass';
import './lab/exercises/wedges';
import './lab/exercises/machines-that-cannot';
export { tryOnProfiles } from './lab/verdict-guest';
export { predict } from './lab/predict/predict';
export { progress } from './lab/progress/progress';
export { type TechniqueMapOptions, techniqueMap } from './lab/progress/technique-map';
export { glossary } from './lab/glossary/glossary';
export { quiz } from './lab/quiz/quiz';
