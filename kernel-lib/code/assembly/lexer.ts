/**
 * Statement -> tokens. Lexing never fails: what is no token becomes one of kind `bad`, which is an
 * error only where somebody needs it (a macro may well take it as an argument).
 */
import { fail } from './problems';
import type { Place, SourceLine } from './source';

export type TokenKind = 'name' | 'number' | 'local' | 'string' | 'operator' | 'bad';

/** A word of a statement, with its place. */
export interface Token extends Place {
  kind: TokenKind;
  /** As written. */
  text: string;
  /** Of a number or a character constant. */
  value?: bigint;
  /** Of a `bad` one: why. */
  why?: string;
}

const TOKENS: [kind: TokenKind | 'character', pattern: RegExp][] = [
  ['name', /[A-Za-z_.$][\w.$]*/y],
  ['number', /0[xX][0-9a-fA-F]+(?![\w.$])|0[bB][01]+(?![\w.$])|\d+(?![\w.$])/y],
  ['local', /\d+[bf](?![\w.$])/y],
  ['bad', /\d[\w.$]*/y],
  ['string', /"(?:\\.|[^"\\])*"/y],
  ['bad', /".*/y],
  ['character', /'(?:\\[xX][0-9a-fA-F]{1,2}|\\[0-7]{1,3}|\\.|[^\\])'?/uy],
  // A % that a name and a bracket follow is %hi( and its like, any other one the remainder.
  ['operator', /%[a-z_]+(?=\s*\()|<<|>>|<=|>=|==|!=|<>|&&|\|\||[-+*/%&|^~!<>=(),:@]/y],
  ['bad', /./suy],
];

/** The tokens of columns `start` to `end` of `code`, which is the line without comments. */
export function lex(line: SourceLine, code: string, start: number, end: number): Token[] {
  const text = code.slice(0, end);
  const tokens: Token[] = [];
  let column = start;
  while (column < end) {
    if (/\s/.test(text[column])) {
      column++;
      continue;
    }
    for (const [kind, pattern] of TOKENS) {
      pattern.lastIndex = column;
      const match = pattern.exec(text);
      if (match === null) continue;
      const place = { line, start: column, end: column + match[0].length };
      tokens.push(token(kind, match[0], place));
      column = place.end;
      break;
    }
  }
  return tokens;
}

function token(kind: TokenKind | 'character', text: string, place: Place): Token {
  switch (kind) {
    case 'character':
      return characterToken(text, place);
    case 'number':
      return numberToken(text, place);
    case 'local':
      return text.length > LONGEST_NUMBER ? numberToken(text, place) : { kind, text, ...place };
    case 'bad':
      return { kind, text, ...place, why: whyBad(text) };
    default:
      return { kind, text, ...place };
  }
}

/** Digits of the longest number that is read: far more than 64 bits need. */
const LONGEST_NUMBER = 80;

function numberToken(text: string, place: Place): Token {
  if (text.length > LONGEST_NUMBER)
    return { kind: 'bad', text, ...place, why: `This number has ${text.length} digits.` };
  const isOctal = /^0\d+$/.test(text);
  if (isOctal && /[89]/.test(text)) {
    const why = `\`${text}\` starts with 0 and would be octal, which has no 8 and 9. Leave the 0 out.`;
    return { kind: 'bad', text, ...place, why };
  }
  return { kind: 'number', text, ...place, value: BigInt(isOctal ? `0o${text}` : text) };
}

function characterToken(text: string, place: Place): Token {
  const inside = text.length > 2 && text.endsWith("'") ? text.slice(1, -1) : text.slice(1);
  const bytes = escapedBytes(inside);
  if (typeof bytes === 'string') return { kind: 'bad', text, ...place, why: bytes };
  if (inside.startsWith('\\')) return { kind: 'number', text, ...place, value: BigInt(bytes[0]) };
  return { kind: 'number', text, ...place, value: BigInt(inside.codePointAt(0) ?? 0) };
}

function whyBad(text: string): string {
  if (text.startsWith('"')) return 'This string has no closing `"`.';
  if (/^\d/.test(text))
    return `\`${text}\` is not a number. Numbers are written like 42, 0x2a, 0b101010 or 052.`;
  if (text === '\\')
    return 'A `\\` stands here; it has a meaning only in strings and, before the name of an argument, in macros.';
  return `The character \`${text}\` has no meaning here.`;
}

// biome-ignore format: a table
const ESCAPES: Record<string, number> = {
  b: 8, f: 12, n: 10, r: 13, t: 9, '\\': 92, '"': 34, "'": 39,
};

/** The bytes (UTF-8) of what stands between quotes, or what is wrong with it. */
function escapedBytes(text: string): number[] | string {
  const bytes: number[] = [];
  for (const [piece] of text.matchAll(/\\[xX][0-9a-fA-F]+|\\[0-7]{1,3}|\\.?|[^\\]+/gsu)) {
    if (!piece.startsWith('\\')) for (const byte of new TextEncoder().encode(piece)) bytes.push(byte);
    else if (/^\\[xX]./.test(piece)) bytes.push(Number.parseInt(piece.slice(2), 16) & 0xff);
    else if (/^\\[0-7]/.test(piece)) bytes.push(Number.parseInt(piece.slice(1), 8) & 0xff);
    else if (Object.hasOwn(ESCAPES, piece[1] ?? '')) bytes.push(ESCAPES[piece[1]]);
    else {
      return `\`${piece}\` is not an escape. There are \\n \\t \\r \\b \\f \\\\ \\" \\x41 (hexadecimal) and \\101 (octal).`;
    }
  }
  return bytes;
}

/** The bytes of a string token. */
export function stringBytes(string: Token): number[] {
  const bytes = escapedBytes(string.text.slice(1, -1));
  if (typeof bytes === 'string') {
    const at = string.text.search(/\\(?![bfnrt\\"'0-7]|[xX][0-9a-fA-F])/);
    return fail({ ...string, start: string.start + at, end: string.start + at + 2 }, bytes);
  }
  return bytes;
}

/** Complains about a token that nothing is made of. */
export function failIfBad(tokens: readonly Token[]): void {
  const bad = tokens.find((candidate) => candidate.kind === 'bad');
  if (bad !== undefined) fail(bad, bad.why ?? `\`${bad.text}\` has no meaning here.`);
}

/** Tokens between commas that stand in no brackets. No tokens: no operands. */
export function splitAtCommas(tokens: readonly Token[]): Token[][] {
  const groups: Token[][] = [[]];
  let depth = 0;
  for (const each of tokens) {
    if (each.text === '(') depth++;
    if (each.text === ')') depth--;
    if (each.kind === 'operator' && each.text === ',' && depth <= 0) groups.push([]);
    else groups[groups.length - 1].push(each);
  }
  return tokens.length === 0 ? [] : groups;
}

/** The place from the first of some tokens to the last; `otherwise` if there is none. */
export function span(tokens: readonly Token[], otherwise: Place): Place {
  const first = tokens[0];
  const last = tokens[tokens.length - 1];
  if (first === undefined) return otherwise;
  const end = last.line === first.line ? last.end : first.end;
  return { line: first.line, start: first.start, end };
}
