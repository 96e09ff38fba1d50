/**
 * Pre-virtualization's pass over a guest's source: it marks what a hypervisor will want to replace.
 *
 * Behind each sensitive instruction come a few no-ops (the *pad*), and its place is recorded in the
 * section `.previrt`: begin, end, class; zeros end the list. The program still does on a bare machine what it did. A
 * tool does this, not a person; which instructions are sensitive is read off their rows. Loads and
 * stores to devices and page tables look like any others: they are marked where a run of the
 * unmarked guest under a hypervisor has trapped (`profile`). LeVasseur et al.; S4, Pre-virtualization.
 */
import { assemble, DEFAULT_ORIGIN } from '../../code/assemble';
import { decode } from '../../code/decode';
import { bytesAt, type Program } from '../../code/program';
import type { Action } from '../../isa/meaning';

/** What a marked instruction does. The number is what the record holds. */
export enum SiteClass {
  /** Reads or writes a CSR. */
  Csr = 1,
  /** Returns from a trap. */
  Return = 2,
  /** Makes the TLB forget. */
  Fence = 3,
  /** Waits for an interrupt. */
  Wait = 4,
  /** A load or store that trapped when the guest was profiled. */
  Memory = 5,
}

export interface PassOptions {
  /** No-ops behind an instruction of each class; 0 for a class left out. */
  pads?: Partial<Record<SiteClass, number>>;
  /** Source lines (from 1) whose loads and stores are to be marked, too. */
  memoryLines?: ReadonlySet<number>;
  /** The guest's name, for messages. */
  file?: string;
  origin?: number;
}

/** What the pass has made. */
export interface PassResult {
  source: string;
  /** Lines that were marked: number (from 1) and class. */
  marked: { line: number; class: SiteClass }[];
}

/** Pads that let a wedge put the most frequent replacements in place. */
export const USUAL_PADS: Partial<Record<SiteClass, number>> = { [SiteClass.Csr]: 4 };

/** The section of records: three words each. */
export const RECORDS = '.previrt';
/** Behind the last line: a guest without a single record has been looked at, too. */
const LIST_END = `.pushsection ${RECORDS} ; .word 0, 0, 0 ; .popsection`;
const WORD_BYTES = 4;
/** A branch over more of them may not reach. */
const MOST_PAD = 64;

/**
 * Marks a program.
 * @throws AssemblyError if the source is not right; RangeError if a pad makes no sense; Error if a sensitive instruction shares its line with others
 */
export function previrtualize(source: string, options: PassOptions = {}): PassResult {
  const { file = 'guest.s', origin = DEFAULT_ORIGIN } = options;
  for (const [kind, pad] of Object.entries(options.pads ?? {}))
    if (!Number.isInteger(pad) || pad < 0 || pad > MOST_PAD)
      throw new RangeError(
        `A pad of ${pad} for class ${kind}: give a number of no-ops from 0 to ${MOST_PAD}.`,
      );
  const program = assemble(source, { file, origin });
  const classes = sensitiveLines(program, options.memoryLines ?? new Set());
  const marked = [...classes].map(([line, kind]) => ({ line, class: kind }));
  const lines = source.split('\n').map((text, n) => {
    const kind = classes.get(n + 1);
    return kind === undefined ? text : mark(text, kind, options.pads?.[kind] ?? 0, `${file}:${n + 1}`);
  });
  const marks = lines.join('\n');
  return {
    source: `${marks}${marks.endsWith('\n') ? '' : '\n'}${LIST_END}`,
    marked: marked.sort((a, b) => a.line - b.line),
  };
}

/** Source lines that make a sensitive instruction. */
function sensitiveLines(program: Program, memoryLines: ReadonlySet<number>): Map<number, SiteClass> {
  const classes = new Map<number, SiteClass>();
  const code = program.segments.filter((segment) => segment.executable);
  for (const [address, { line, bytes }] of program.lines) {
    if (!code.some((segment) => address >= segment.address && address < segment.address + segment.size))
      continue;
    for (let at = address; at + WORD_BYTES <= address + bytes; at += WORD_BYTES) {
      const kind = classOf(wordAt(program, at), memoryLines.has(line));
      if (kind !== undefined) classes.set(line, kind);
    }
  }
  return classes;
}

/** The word at an address of a program; 0 where it has none. */
export function wordAt(program: Program, address: number): number {
  const bytes = bytesAt(program, address, WORD_BYTES);
  return bytes === undefined ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
}

/** The class that the pass marks an instruction with; undefined if it leaves it alone. `isMemory`: it has trapped for where it went. */
export function classOf(word: number, isMemory = false): SiteClass | undefined {
  const row = decode(word)?.row;
  if (row === undefined) return undefined;
  const does = (kind: Action['kind']) => actionsIn(row.meaning).some((action) => action.kind === kind);
  if (does('csr')) return SiteClass.Csr;
  if (does('returnFromTrap')) return SiteClass.Return;
  if (does('fenceTranslations')) return SiteClass.Fence;
  if (does('waitForInterrupt')) return SiteClass.Wait;
  return isMemory ? SiteClass.Memory : undefined;
}

/** An action and all that are in it. */
function actionsIn(action: Action): Action[] {
  return action.kind === 'seq' ? action.actions.flatMap(actionsIn) : [action];
}

/** Labels, the statement, the comment. */
const LINE = /^((?:\s*[\w.$]+:)*\s*)([^#]*?)(\s*(?:#.*)?)$/;
/** Numeric labels that no guest is likely to use, and may. */
const BEGIN = 88881;
const END = 88882;

/** One line with its instruction marked. It stays one line: numbers in messages stay right. */
function mark(text: string, kind: SiteClass, pad: number, place: string): string {
  const [, labels, statement, comment] = LINE.exec(text) ?? [];
  if (statement === undefined || statement.includes(';'))
    throw new Error(
      `${place}: a sensitive instruction needs a line of its own. Split the line at its semicolons.`,
    );
  const nops = ' ; nop'.repeat(pad);
  const record = `.pushsection ${RECORDS} ; .word ${BEGIN}b, ${END}b, ${kind} ; .popsection`;
  return `${labels}${BEGIN}: ${statement}${nops} ; ${END}: ${record}${comment}`;
}
