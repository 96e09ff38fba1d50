/**
 * Looking for sensitive instructions in a program before it runs: which words are instructions?
 *
 * A binary doesn't say. Data lies between the code, and with compressed instructions one may begin
 * at every second byte: a scan that is out of step sees halves of two as one. So a scan misses
 * some, and takes for instructions what are none. Here are two ways to scan, and the comparison
 * with what the assembler knows. S4, load-time scanning.
 */
import { decode, type Instruction } from '../../code/decode';
import { bytesAt, type Program } from '../../code/program';
import type { Action } from '../../isa/meaning';
import type { Loadable } from '../../machine/machine';
import { partsOf } from '../binary-translation/treatment';

/** A sensitive instruction, or what looks like one. */
export interface Site {
  /** Where it was loaded. Unsigned. */
  address: number;
  instruction: Instruction;
}

/**
 * How to go through a program: `linear` from one instruction to the next, as the hart does,
 * skipping two bytes where there is none; `everywhere` looks at each place where one could begin.
 */
export type Sweep = 'linear' | 'everywhere';

const SENSITIVE: ReadonlySet<Action['kind']> = new Set([
  'csr',
  'returnFromTrap',
  'waitForInterrupt',
  'fenceTranslations',
] as const);

/** Whether an instruction has to be replaced: a kernel without privilege would not get what it wants. */
export function isSensitive({ row }: Instruction): boolean {
  return partsOf(row.meaning).some(({ kind }) => SENSITIVE.has(kind));
}

/** What looks like a sensitive instruction in a program's executable segments; in all, if it doesn't say which those are. */
export function scan(image: Loadable, sweep: Sweep = 'linear'): Site[] {
  return image.segments.flatMap((segment) => {
    const isData = 'executable' in segment && segment.executable === false;
    return isData ? [] : scanBytes(segment.bytes, segment.address, sweep);
  });
}

function scanBytes(bytes: Uint8Array, address: number, sweep: Sweep): Site[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sites: Site[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const instruction = decode(view.getInt32(at, true));
    if (instruction !== undefined && isSensitive(instruction))
      sites.push({ address: address + at, instruction });
    at += sweep === 'linear' && instruction !== undefined ? instruction.length : 2;
  }
  return sites;
}

/** What a scan got right: addresses, unsigned. */
export interface ScanResult {
  /** Sensitive instructions that were found. */
  found: number[];
  /** Those that were not. */
  missed: number[];
  /** What was taken for one: data, or the middle of other instructions. */
  wrong: number[];
}

/** Compares a scan with what the assembler knows. */
export function judge(sites: readonly Site[], program: Program): ScanResult {
  const right = new Set(sensitiveInstructions(program));
  const claimed = new Set(sites.map(({ address }) => address));
  return {
    found: [...claimed].filter((address) => right.has(address)),
    missed: [...right].filter((address) => !claimed.has(address)),
    wrong: [...claimed].filter((address) => !right.has(address)),
  };
}

/** Labels, and then a dot: the line makes data. */
const DIRECTIVE = /^\s*(?:[\w.$]+:\s*)*\./;

/** Where a program has sensitive instructions, for certain. */
function sensitiveInstructions(program: Program): number[] {
  const found: number[] = [];
  for (const [address, { text, bytes }] of program.lines) {
    if (DIRECTIVE.test(text)) continue;
    for (let at = address; at < address + bytes; ) {
      const instruction = decode(wordAt(program, at, Math.min(4, address + bytes - at)));
      if (instruction === undefined) break;
      if (isSensitive(instruction)) found.push(at);
      at += instruction.length;
    }
  }
  return found;
}

function wordAt(program: Program, address: number, count: number): number {
  const bytes = bytesAt(program, address, count) ?? [];
  return [...bytes].reduce((word, byte, n) => word | (byte << (8 * n)), 0);
}
