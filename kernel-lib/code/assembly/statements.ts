/**
 * The first pass: goes through the statements once, in order. A statement is labels and then a
 * directive, a macro or an instruction. Conditions leave statements out, macros and repetitions bring
 * new ones in; everything else ends up as items in sections.
 */
import { performDirective } from './directives';
import { assembleInstruction, MNEMONICS } from './instructions';
import type { Token } from './lexer';
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
} from './macros';
import { didYouMean, fail, Mistake } from './problems';
import { type Expansion, type Place, placeOf, readStatements, type Statement } from './source';
import { type Assembly, GiveUp } from './state';

/** Statements that macros and repetitions may make, and how deep they may be nested. */
const MOST_STATEMENTS = 200_000;
const MOST_LETTERS = 10_000_000;
const DEEPEST_EXPANSION = 100;
/** Letters of a source text. */
const LONGEST_TEXT = 4_000_000;

/** Goes through the statements once. */
export class FirstPass {
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
