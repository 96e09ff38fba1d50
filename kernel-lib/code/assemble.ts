/**
 * The assembler: GNU syntax in, a `Program` out.
 *
 * First pass: statement by statement, macros expanded, into sections of items. Then everything gets
 * its address, and the second pass asks every item for its bytes. All mistakes that can be found are
 * reported together, in one `AssemblyError`.
 *
 * Reading order, in assembly/: source, problems, lexer, expressions, layout, operands, pseudo, state,
 * instructions, directives, macros, statements; then this.
 */
import { layOut, type Section } from './assembly/layout';
import type { Token } from './assembly/lexer';
import { AssemblyError, describeProblem, fail, type Mistake } from './assembly/problems';
import type { Place } from './assembly/source';
import { Assembly, GiveUp, MOST_BYTES, Repeated } from './assembly/state';
import { FirstPass } from './assembly/statements';
import type { Program, ProgramLine, Segment } from './program';

export { AssemblyError, type AssemblyProblem } from './assembly/problems';

export interface AssembleOptions {
  /** The name that messages use. */
  file?: string;
  /** The address of the first section. Unsigned; default 0x80400000, where guests of the lessons lie. */
  origin?: number;
}

/** Where programs lie that say nothing else: 4 MiB into RAM, behind the firmware, on a megapage. */
export const DEFAULT_ORIGIN = 0x80400000;

/**
 * Assembles a source text.
 * Sections come to lie one behind the other from `origin` on: code, constants, data, zeros. The
 * entry is `_start`, or the first address if there is no such label.
 * @throws AssemblyError with everything that is wrong with the text
 */
export function assemble(text: string, options: AssembleOptions = {}): Program {
  const { file = 'asm', origin = DEFAULT_ORIGIN } = options;
  if (!Number.isInteger(origin) || origin < 0 || origin > 0xffffffff || origin % 4 !== 0)
    throw new RangeError(`The origin ${origin} is not an address: a multiple of 4 from 0 to 0xfffffffc.`);
  const assembly = new Assembly();
  let program: Program | undefined;
  try {
    new FirstPass(assembly).run(text, file);
    program = assembly.attempt(() => finish(assembly, file, origin));
  } catch (error) {
    if (!(error instanceof GiveUp)) throw error;
  }
  const mistakes = assembly.mistakes.filter((mistake) => !(mistake instanceof Repeated));
  if (mistakes.length === 0 && program !== undefined) return program;
  throw new AssemblyError(
    eachPlaceOnce(mistakes)
      .map(describeProblem)
      .sort((a, b) => a.line - b.line),
  );
}

/** Of several mistakes at one place, the first: the others follow from it. */
function eachPlaceOnce(mistakes: readonly Mistake[]): Mistake[] {
  const seen = new Map<unknown, Set<number>>();
  return mistakes.filter(({ place: { line, start } }) => {
    const columns = seen.get(line) ?? new Set();
    seen.set(line, columns);
    const isNew = !columns.has(start);
    columns.add(start);
    return isNew;
  });
}

/**
 * The assembler as a tagged template: `` asm`li a0, ${answer}` ``. Numbers and texts are put in.
 * Backslashes are the assembler's, not JavaScript's.
 * @throws AssemblyError as `assemble` does; TypeError for a value that is neither integer nor text
 */
export function asm(texts: TemplateStringsArray, ...values: (number | bigint | string)[]): Program {
  const shown = values.map((value) => {
    if (typeof value === 'string' || typeof value === 'bigint' || Number.isSafeInteger(value))
      return String(value);
    throw new TypeError(`asm: \${${String(value)}} is neither an integer nor a text.`);
  });
  return assemble(String.raw({ raw: texts.raw }, ...shown));
}

/** Lays out and emits: the second pass. */
function finish(assembly: Assembly, file: string, origin: number): Program {
  const sections = layOut([...assembly.sections.values()], origin);
  assembly.isLaidOut = true;
  checkSizes(sections);
  const lines = new Map<number, ProgramLine>();
  const segments = sections
    .map((section) => emitSection(assembly, section, lines))
    .filter(({ size }) => size > 0);
  const symbols = new Map<string, number>();
  const labels = new Map<string, number>();
  for (const [name, meaning] of assembly.names) {
    const value = assembly.attempt(() => assembly.numberNow([nameToken(name, meaning.at)], meaning.at, name));
    if (value === undefined) continue;
    symbols.set(name, Number(BigInt.asUintN(32, value)));
    if (meaning.kind === 'label') labels.set(name, Number(BigInt.asUintN(32, value)));
  }
  const first = segments[0]?.address ?? origin;
  const entry = labels.get('_start') ?? first;
  return { file, entry, segments, symbols, labels, globals: assembly.globals, lines };
}

/** Sizes that were settled late can still be too large. */
function checkSizes(sections: readonly Section[]): void {
  const bytes = sections.reduce((sum, { kind, size }) => sum + (kind === 'zeros' ? 0 : size), 0);
  for (const { name, address = 0, size, items } of sections) {
    const { place } = items[items.length - 1] ?? {};
    if (place === undefined) continue;
    if (address + size > 2 ** 32)
      fail(
        place,
        `The section \`${name}\` goes beyond the last address, 0xffffffff. Is the origin too high?`,
      );
    if (bytes > MOST_BYTES)
      fail(place, `The program is too large: ${bytes} bytes, and ${MOST_BYTES} is the limit.`);
  }
}

function nameToken(name: string, at: Place): Token {
  return { kind: 'name', text: name, ...at };
}

function emitSection(assembly: Assembly, section: Section, lines: Map<number, ProgramLine>): Segment {
  const address = section.address ?? 0;
  const isZeros = section.kind === 'zeros';
  const bytes = new Uint8Array(isZeros ? 0 : section.size);
  for (const item of section.items) {
    const at = address + item.offset;
    const made = assembly.attempt(() => item.emit?.(at));
    if (made !== undefined && isZeros && made.some((byte) => byte !== 0))
      assembly.attempt(() =>
        fail(item.place, `\`${section.name}\` holds only zeros. Put this into \`.data\` or \`.text\`.`),
      );
    else if (made !== undefined && !isZeros) bytes.set(made, item.offset);
    if (!item.isLine) continue;
    const { file, number, text } = item.place.line;
    lines.set(at, { file, line: number, text, bytes: item.size });
  }
  return {
    name: section.name,
    address,
    bytes,
    size: section.size,
    writable: section.kind === 'data' || isZeros,
    executable: section.kind === 'code',
  };
}
