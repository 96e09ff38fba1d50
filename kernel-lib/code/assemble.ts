/**
 * The assembler: GNU syntax in, a `Program` out.
 *
 * First pass: statement by statement, macros expanded, into sections of items (assembly/state.ts,
 * layout.ts). Then everything gets its address, and the second pass asks every item for its bytes.
 * All mistakes that can be found are reported together, in one `AssemblyError`.
 *
 * Reading order: source, lexer, expressions, operands, pseudo, layout, state, instructions,
 * directives, macros (all in assembly/), then this.
 */
import { performDirective } from './assembly/directives';
import { assembleInstruction, MNEMONICS } from './assembly/instructions';
import { layOut, type Section } from './assembly/layout';

import type { Token } from './assembly/lexer';
import {
  BLOCK_NAMES,
  BLOCKS,
  CLOSINGS,
  CONDITIONS,
  captureBlock,
  directiveOf,
  expandBody,
  type Macro,
  readArguments,
  readIterations,
  readMacroHead,
  restOf,
  splitArguments,
  tokensOf,
} from './assembly/macros';
import { AssemblyError, describeProblem, didYouMean, fail, Mistake } from './assembly/problems';
import { type Expansion, type Place, placeOf, readStatements, type Statement } from './assembly/source';
import { Assembly, GiveUp, MOST_BYTES, Repeated } from './assembly/state';
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

/** Statements that macros and repetitions may make, and how deep they may be nested. */
const MOST_STATEMENTS = 200_000;
const MOST_LETTERS = 10_000_000;
const DEEPEST_EXPANSION = 100;
/** Letters of a source text. */
const LONGEST_TEXT = 4_000_000;

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

/** Goes through the statements once. */
class FirstPass {
  private readonly macros = new Map<string, Macro>();
  private macrosUsed = 0;
  private statementsMade = 0;
  private lettersMade = 0;

  constructor(private readonly assembly: Assembly) {}

  run(text: string, file: string): void {
    if (text.length > LONGEST_TEXT) {
      const line = { file, number: 1, text: text.slice(0, 80) };
      const reason = `The text is too long: it has ${text.length} letters, and ${LONGEST_TEXT} is the limit.`;
      this.assembly.note(new Mistake({ line, start: 0, end: 1 }, reason));
      return;
    }
    const { statements, openComment } = readStatements(text, file);
    if (openComment !== undefined)
      this.assembly.note(new Mistake(openComment, 'This comment has no end: `*/` is missing.'));
    this.perform(statements);
    this.assembly.noteMissingLocals();
  }

  /** Performs statements. Returns whether `.end` or `.exitm` was met. */
  private perform(statements: readonly Statement[]): boolean {
    const conditions: Condition[] = [];
    for (let index = 0; index < statements.length; index++) {
      const statement = statements[index];
      const directive = directiveOf(statement);
      const done = this.assembly.attempt(() => {
        if (this.condition(statement, directive, conditions)) return index;
        if (conditions.some((condition) => !condition.isActive)) return index;
        return this.statement(statements, index, directive);
      });
      if (done === 'stop') return true;
      // A block that isn't closed goes on to the end, and was complained about.
      const isBlock = directive !== undefined && Object.hasOwn(BLOCKS, directive);
      index = done ?? (isBlock ? this.endOfBlock(statements, index) : index);
    }
    for (const { place } of conditions)
      this.assembly.note(new Mistake(place, 'This condition has no `.endif`.'));
    return false;
  }

  private endOfBlock(statements: readonly Statement[], index: number): number {
    try {
      return captureBlock(statements, index).end;
    } catch {
      return statements.length;
    }
  }

  // One statement: labels, then a directive, a macro or an instruction

  private statement(
    statements: readonly Statement[],
    index: number,
    directive: string | undefined,
  ): number | 'stop' {
    const statement = statements[index];
    const rest = this.labels(tokensOf(statement));
    const [name, ...operands] = rest;
    if (name === undefined) return index;
    const place = { ...placeOf(statement), start: name.start };
    if (directive === '.end' || directive === '.exitm') return 'stop';
    if (directive !== undefined && Object.hasOwn(BLOCKS, directive))
      return this.block(statements, index, directive, name);
    if (directive !== undefined && Object.hasOwn(CLOSINGS, directive))
      fail(place, `There is no \`${CLOSINGS[directive]}\` for this \`${directive}\`.`);
    if (directive === '.purgem') this.macros.delete(operands[0]?.text ?? '');
    else if (operands[0]?.text === '=' && name.kind === 'name') this.equals(name, operands, place);
    else if (name.kind !== 'name') fail(name, this.nonsense(name));
    else if (this.macros.has(name.text)) this.useMacro(statement, name);
    else if (name.text.startsWith('.')) performDirective(this.assembly, name, operands, place, BLOCK_NAMES);
    else this.instruction(name, operands, place);
    return index;
  }

  /** Defines the labels that tokens begin with; returns what stands behind them. */
  private labels(tokens: readonly Token[]): readonly Token[] {
    let position = 0;
    for (; tokens[position + 1]?.text === ':'; position += 2) {
      const name = tokens[position];
      if (name.kind === 'name') this.assembly.attempt(() => this.assembly.defineLabel(name));
      else if (name.kind === 'number' && /^\d+$/.test(name.text))
        this.assembly.defineLocal(String(BigInt(name.text)));
      else
        fail(
          name,
          `\`${name.text}\` is no name for a label. Names have letters, digits, \`_\`, \`.\` and \`$\`, and don't begin with a digit.`,
        );
    }
    return tokens.slice(position);
  }

  private nonsense(token: Token): string {
    if (token.kind === 'bad' && token.why !== undefined) return token.why;
    return `A statement begins with a label, an instruction or a directive, not with \`${token.text}\`.`;
  }

  /** `name = value`. */
  private equals(name: Token, [equals, ...value]: readonly Token[], place: Place): void {
    if (name.text === '.') fail(place, '`.` cannot be set. `.org` and `.space` move it.');
    this.assembly.setValue(name, this.assembly.expression(value, equals));
  }

  private instruction(name: Token, operands: readonly Token[], place: Place): void {
    if (!MNEMONICS.has(name.text) && didYouMean(name.text, MNEMONICS) === '') {
      const nearMacro = didYouMean(name.text, this.macros.keys());
      if (nearMacro !== '')
        fail(name, `There is no instruction and no macro called \`${name.text}\`.${nearMacro}`);
    }
    assembleInstruction(this.assembly, name, operands, place);
  }

  // Conditions

  /** Handles `.if` and its like. Returns whether the statement was one. */
  private condition(statement: Statement, directive: string | undefined, open: Condition[]): boolean {
    const isOpening = directive !== undefined && CONDITIONS.includes(directive);
    if (!isOpening && !['.else', '.elseif', '.endif'].includes(directive ?? '')) return false;
    const place = placeOf(statement);
    const isSkipped = open.slice(0, isOpening ? undefined : -1).some((condition) => !condition.isActive);
    if (isOpening) {
      const condition = { place, isActive: false, wasTaken: true };
      open.push(condition);
      if (isSkipped) return true;
      condition.isActive = condition.wasTaken = this.holds(statement, directive);
      return true;
    }
    const last = open[open.length - 1];
    if (last === undefined) return fail(place, `There is no \`.if\` for this \`${directive}\`.`);
    if (directive === '.endif') open.pop();
    else if (directive === '.else') [last.isActive, last.wasTaken] = [!last.wasTaken, true];
    else {
      last.isActive = !last.wasTaken && !isSkipped && this.holds(statement, '.if');
      last.wasTaken ||= last.isActive;
    }
    return true;
  }

  private holds(statement: Statement, directive: string): boolean {
    const all = this.labels(tokensOf(statement));
    const [name, ...operands] = all;
    const text = restOf(statement, name.end).trim();
    switch (directive) {
      case '.ifdef':
        return this.assembly.names.has(text);
      case '.ifndef':
      case '.ifnotdef':
        return !this.assembly.names.has(text);
      case '.ifb':
        return text === '';
      case '.ifnb':
        return text !== '';
      case '.ifc':
      case '.ifnc': {
        const [left = '', right = ''] = splitArguments(text);
        return (left === right) === (directive === '.ifc');
      }
      default:
        return COMPARISONS[directive](this.assembly.numberNow(operands, placeOf(statement), 'The condition'));
    }
  }

  // Macros and repetition

  private block(statements: readonly Statement[], index: number, directive: string, name: Token): number {
    const statement = statements[index];
    const { body, end } = captureBlock(statements, index);
    const place = placeOf(statement);
    const rest = restOf(statement, name.end);
    if (directive === '.macro') {
      const head = readMacroHead(rest, place);
      if (this.macros.has(head.name))
        fail(place, `There already is a macro called \`${head.name}\`. \`.purgem ${head.name}\` removes it.`);
      this.macros.set(head.name, { ...head, body });
      return end;
    }
    if (directive === '.rept') {
      const operands = tokensOf(statement).filter((token) => token.start >= name.end);
      const times = this.assembly.numberBetween(
        operands,
        place,
        'The number of repetitions',
        0,
        MOST_STATEMENTS,
      );
      this.repeat(
        statement,
        body,
        directive,
        Array.from({ length: times }, () => new Map()),
      );
      return end;
    }
    const { name: variable, values } = readIterations(directive, rest, place);
    this.repeat(
      statement,
      body,
      directive,
      values.map((value) => new Map([[variable, value]])),
    );
    return end;
  }

  private repeat(
    at: Statement,
    body: readonly Statement[],
    directive: string,
    rounds: Map<string, string>[],
  ): void {
    const from = this.expansion(`\`${directive}\``, at);
    for (const values of rounds) this.perform(this.made(expandBody(body, values, this.macrosUsed, from), at));
  }

  private useMacro(statement: Statement, name: Token): void {
    const macro = this.macros.get(name.text);
    if (macro === undefined) return;
    const values = readArguments(macro, restOf(statement, name.end), placeOf(statement));
    const from = this.expansion(`macro \`${macro.name}\``, statement);
    this.perform(this.made(expandBody(macro.body, values, this.macrosUsed++, from), statement));
  }

  private expansion(what: string, { line }: Statement): Expansion {
    return { what, at: line, depth: (line.from?.depth ?? 0) + 1 };
  }

  /** Counts what macros make, so that one which uses itself comes to an end. */
  private made(statements: Statement[], at: Statement): Statement[] {
    this.statementsMade += 1 + statements.length;
    this.lettersMade += statements.reduce((sum, { start, end }) => sum + end - start, 0);
    const depth = at.line.from?.depth ?? 0;
    let reason: string | undefined;
    if (depth >= DEEPEST_EXPANSION)
      reason = `Macros are nested more than ${DEEPEST_EXPANSION} deep here. Does one use itself without end?`;
    else if (this.statementsMade > MOST_STATEMENTS || this.lettersMade > MOST_LETTERS)
      reason = `Macros and repetitions make more than ${MOST_STATEMENTS} statements or ${MOST_LETTERS} letters.`;
    if (reason === undefined) return statements;
    this.assembly.note(new Mistake(placeOf(at), reason));
    throw new GiveUp();
  }
}

/** An open `.if`. */
interface Condition {
  place: Place;
  isActive: boolean;
  /** Whether this branch or one before it was taken. */
  wasTaken: boolean;
}

const COMPARISONS: Record<string, (value: bigint) => boolean> = {
  '.if': (value) => value !== 0n,
  '.ifne': (value) => value !== 0n,
  '.ifeq': (value) => value === 0n,
  '.iflt': (value) => value < 0n,
  '.ifle': (value) => value <= 0n,
  '.ifgt': (value) => value > 0n,
  '.ifge': (value) => value >= 0n,
};

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
