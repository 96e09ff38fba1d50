/**
 * Macros and repetition: statements that make statements. Here are the pieces, capturing a body,
 * reading arguments, putting them in; assemble.ts puts them together.
 */
import { lex } from './lexer';
import { fail } from './problems';
import { type Expansion, madeStatement, type Place, placeOf, type Statement } from './source';

/** An argument that a macro takes: `x`, `x=1`, `x:req`, `x:vararg`. */
interface Parameter {
  name: string;
  otherwise: string;
  isRequired: boolean;
  takesRest: boolean;
}

export interface Macro {
  name: string;
  parameters: Parameter[];
  body: Statement[];
}

/** Blocks of statements: what opens them -> what closes them. */
export const BLOCKS: Record<string, string> = {
  '.macro': '.endm',
  '.rept': '.endr',
  '.irp': '.endr',
  '.irpc': '.endr',
};

/** Conditions: all of these open what `.endif` closes. */
export const CONDITIONS = [
  '.if',
  '.ifdef',
  '.ifndef',
  '.ifnotdef',
  '.ifeq',
  '.ifne',
  '.iflt',
  '.ifle',
  '.ifgt',
  '.ifge',
  '.ifb',
  '.ifnb',
  '.ifc',
  '.ifnc',
];

/** What may not stand alone -> what must stand before it. */
export const CLOSINGS: Record<string, string> = {
  '.endm': '.macro',
  '.endr': '.rept',
};

/** Directives of this kind, for suggestions. */
export const BLOCK_NAMES: readonly string[] = [
  ...Object.keys(BLOCKS),
  ...new Set(Object.values(BLOCKS)),
  ...CONDITIONS,
  '.else',
  '.elseif',
  '.endif',
  '.exitm',
  '.purgem',
  '.end',
];

/** The directive that a statement is, in small letters, if it is one. Labels before it don't count. */
export function directiveOf(statement: Statement): string | undefined {
  const text = statement.code.slice(statement.start, statement.end);
  return /^\s*(?:[\w.$]+:\s*)*(\.[A-Za-z_]+)(?![\w.$])(?!\s*[:=])/.exec(text)?.[1].toLowerCase();
}

/**
 * The statements of a block that opens at `start`, up to its end.
 * @returns the body, and the index of the statement that closes it
 */
export function captureBlock(
  statements: readonly Statement[],
  start: number,
): { body: Statement[]; end: number } {
  const opening = directiveOf(statements[start]) ?? '';
  const closing = BLOCKS[opening];
  let depth = 1;
  for (let index = start + 1; index < statements.length; index++) {
    const directive = directiveOf(statements[index]) ?? '';
    if (Object.hasOwn(BLOCKS, directive) && BLOCKS[directive] === closing) depth++;
    if (directive === closing && --depth === 0)
      return { body: statements.slice(start + 1, index), end: index };
  }
  return fail(placeOf(statements[start]), `This \`${opening}\` has no \`${closing}\`.`);
}

/** `.macro name a, b=1`: the name and the parameters. `text` is what stands behind `.macro`. */
export function readMacroHead(text: string, place: Place): { name: string; parameters: Parameter[] } {
  const head = /^\s*([A-Za-z_.$][\w.$]*)\s*,?\s*(.*)$/s.exec(text);
  if (head === null) return fail(place, 'A macro needs a name: `.macro name argument, argument`.');
  const parameters = splitArguments(head[2]).map((part): Parameter => {
    const form = /^([A-Za-z_$][\w$]*)(?::(req|vararg))?\s*(?:=(.*))?$/s.exec(part);
    if (form === null)
      return fail(
        place,
        `\`${part}\` is not an argument of a macro. They are written \`x\`, \`x=1\`, \`x:req\` or \`x:vararg\`.`,
      );
    const [, name, kind, otherwise = ''] = form;
    return {
      name,
      otherwise: unquote(otherwise.trim()),
      isRequired: kind === 'req',
      takesRest: kind === 'vararg',
    };
  });
  const names = parameters.map((parameter) => parameter.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) fail(place, `The macro has two arguments called \`${twice}\`.`);
  return { name: head[1], parameters };
}

/** Cuts at commas, and at blanks where no operator stands, outside of brackets and quotes. */
export function splitArguments(text: string): string[] {
  return cutArguments(text).map(({ start, end }) => text.slice(start, end).trim());
}

function cutArguments(text: string): { start: number; end: number }[] {
  if (text.trim() === '') return [];
  const cuts: { start: number; end: number }[] = [];
  let start = 0;
  let depth = 0;
  let quote = '';
  for (let index = 0; index < text.length; index++) {
    const letter = text[index];
    if (quote !== '') {
      if (letter === '\\') index++;
      else if (letter === quote) quote = '';
    } else if (letter === '"') quote = letter;
    else if (letter === "'") index += text[index + 1] === '\\' ? 2 : 1;
    else if (letter === '(') depth++;
    else if (letter === ')') depth--;
    else if (depth <= 0 && (letter === ',' || (index > start && isGap(text, index)))) {
      cuts.push({ start, end: index });
      start = index + 1;
    }
  }
  cuts.push({ start, end: text.length });
  return cuts;
}

/** Whether a blank stands between two arguments, like the one in `a b`, unlike those in `a + b`. */
function isGap(text: string, index: number): boolean {
  if (!/\s/.test(text[index]) || !/[\w)"'.$\\]/.test(text[index - 1])) return false;
  let next = index + 1;
  while (next < text.length && /\s/.test(text[next])) next++;
  return next < text.length && /[\w("'.$\\%~]/.test(text[next]);
}

const unquote = (text: string) =>
  /^"(?:\\.|[^"\\])*"$/.test(text) ? text.slice(1, -1).replaceAll(/\\(["\\])/g, '$1') : text;

/** What stands behind the name of a macro -> the arguments' texts by name. */
export function readArguments(macro: Macro, text: string, place: Place): Map<string, string> {
  const { parameters } = macro;
  const given = new Map<string, string>();
  let position = 0;
  const cuts = cutArguments(text);
  for (const { start, end } of cuts) {
    const part = text.slice(start, end).trim();
    const keyword = /^([A-Za-z_$][\w$]*)\s*=(?!=)(.*)$/s.exec(part);
    const named = keyword === null ? undefined : parameters.find(({ name }) => name === keyword[1]);
    if (named !== undefined && keyword !== null) {
      given.set(named.name, unquote(keyword[2].trim()));
      continue;
    }
    const parameter = parameters[position++];
    if (parameter === undefined) {
      const takes = parameters.map(({ name }) => name).join(', ');
      return fail(
        place,
        `The macro \`${macro.name}\` takes ${parameters.length === 0 ? 'no arguments' : `${parameters.length} (${takes})`}, but here are ${cuts.length}.`,
      );
    }
    if (parameter.takesRest) {
      given.set(parameter.name, text.slice(start).trim());
      break;
    }
    given.set(parameter.name, unquote(part));
  }
  return withDefaults(macro, given, place);
}

function withDefaults(
  { name, parameters }: Macro,
  given: Map<string, string>,
  place: Place,
): Map<string, string> {
  const values = new Map<string, string>();
  for (const parameter of parameters) {
    const value = given.get(parameter.name) || parameter.otherwise;
    if (value === '' && parameter.isRequired)
      fail(place, `The macro \`${name}\` cannot do without the argument \`${parameter.name}\`.`);
    values.set(parameter.name, value);
  }
  return values;
}

/** Longest line that a macro may make. */
const LONGEST = 10_000;

/**
 * The statements that a body stands for.
 * @param counter what `\@` stands for: the number of macros used so far
 */
export function expandBody(
  body: readonly Statement[],
  values: ReadonlyMap<string, string>,
  counter: number,
  from: Expansion,
): Statement[] {
  return body.flatMap((statement) => {
    const text = statement.code.slice(statement.start, statement.end);
    let { length } = text;
    const made = text.replaceAll(/\\(?:(\(\))|(@)|([A-Za-z_$][\w$]*))/g, (whole, nothing, at, name) => {
      if (nothing !== undefined) return '';
      const value = at !== undefined ? String(counter) : (values.get(name) ?? whole);
      length += value.length;
      if (length > LONGEST)
        fail(placeOf(statement), `${from.what} makes a line of more than ${LONGEST} letters.`);
      return value;
    });
    return resplit(madeStatement(made, statement.line, from));
  });
}

/** An argument may bring in a `;`: the statement is then several. */
function resplit(statement: Statement): Statement[] {
  if (!statement.code.includes(';')) return [statement];
  const parts: Statement[] = [];
  let start = 0;
  for (const piece of statement.code.matchAll(/"(?:\\.|[^"\\])*"?|'(?:\\.|[^\\])'?|(;)/g)) {
    if (piece[1] === undefined) continue;
    parts.push({ ...statement, start, end: piece.index });
    start = piece.index + 1;
  }
  parts.push({ ...statement, start });
  return parts.filter(({ code, start: from, end }) => code.slice(from, end).trim() !== '');
}

/** `.irp x, 1, 2, 3`: the name and the values. `.irpc` takes the letters of one value. */
export function readIterations(
  directive: string,
  text: string,
  place: Place,
): { name: string; values: string[] } {
  const form = /^\s*([A-Za-z_$][\w$]*)\s*,?\s*(.*)$/s.exec(text);
  if (form === null) return fail(place, `\`${directive}\` is written \`${directive} name, value, value\`.`);
  const values = directive === '.irpc' ? [...unquote(form[2].trim())] : splitArguments(form[2]).map(unquote);
  return { name: form[1], values };
}

/** What stands behind a statement's directive or macro name, and where. */
export function restOf(statement: Statement, column: number): string {
  return statement.code.slice(column, statement.end);
}

/** The tokens of a statement. */
export function tokensOf(statement: Statement) {
  return lex(statement.line, statement.code, statement.start, statement.end);
}
