/**
 * Source text -> statements. Comments (`#`, `//`, and between slash-star and star-slash) are blanked
 * out, so that columns stay what they are in the text; a line is cut at `;` into statements.
 */

/** A line of the source, or one that a macro has made from it. */
export interface SourceLine {
  file: string;
  /** From 1. */
  number: number;
  /** As written (and as shown in messages); inside a macro, with the arguments put in. */
  text: string;
  /** What has made this line, if it doesn't stand in the source like this. */
  from?: Expansion;
}

/** The use of a macro (or of `.rept`) that a line comes from. */
export interface Expansion {
  /** Shown in messages: ``macro `push` ``. */
  what: string;
  at: SourceLine;
  /** 1 for a use in the source itself, 2 for a use in what that has made, … */
  depth: number;
}

/** One statement: columns `start` to `end` of `code`, which is the line without comments. */
export interface Statement {
  line: SourceLine;
  code: string;
  start: number;
  end: number;
}

/** A stretch of a line, for carets. Columns from 0. */
export interface Place {
  line: SourceLine;
  start: number;
  end: number;
}

// What the text is made of, as far as comments and separators go. A character constant may lack
// its second quote ('a), as GNU's may.
const PIECES =
  /(?<text>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^\\\n])'?)|(?<comment>#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<open>\/\*[\s\S]*)|(?<end>[;\n])/g;

export interface Statements {
  statements: Statement[];
  /** Where a comment opens that nothing closes. */
  openComment?: Place;
}

/** Cuts a source text into its statements. Empty ones are left out. */
export function readStatements(text: string, file: string): Statements {
  const source = text.replaceAll('\r\n', '\n').replaceAll(/[\r\v\f]/g, ' ');
  const cuts: number[] = [];
  let openAt = -1;
  const clean = source.replace(PIECES, (piece, ...rest) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    const offset = rest.at(-3) as number;
    if (groups.text !== undefined) return piece;
    if (groups.end === ';') cuts.push(offset);
    if (groups.open !== undefined && openAt < 0) openAt = offset;
    return groups.end ?? piece.replaceAll(/[^\n]/g, ' ');
  });
  return cutLines(source, clean, new Set(cuts), openAt, file);
}

function cutLines(
  source: string,
  clean: string,
  cuts: Set<number>,
  openAt: number,
  file: string,
): Statements {
  const result: Statements = { statements: [] };
  const texts = source.split('\n');
  let lineStart = 0;
  clean.split('\n').forEach((code, index) => {
    const line = { file, number: index + 1, text: texts[index] };
    let start = 0;
    for (let column = 0; column <= code.length; column++) {
      if (column < code.length && !cuts.has(lineStart + column)) continue;
      if (code.slice(start, column).trim() !== '') result.statements.push({ line, code, start, end: column });
      start = column + 1;
    }
    if (openAt >= lineStart && openAt <= lineStart + code.length)
      result.openComment = { line, start: openAt - lineStart, end: openAt - lineStart + 2 };
    lineStart += code.length + 1;
  });
  return result;
}

/** A statement on a line of its own, made by a macro. */
export function madeStatement(text: string, original: SourceLine, from: Expansion): Statement {
  const line = { file: original.file, number: original.number, text, from };
  return { line, code: text, start: 0, end: text.length };
}

/** The place of a whole statement, without the blanks around it. */
export function placeOf(statement: Statement): Place {
  const text = statement.code.slice(statement.start, statement.end);
  const start = statement.start + (text.length - text.trimStart().length);
  return { line: statement.line, start, end: Math.max(start + 1, start + text.trim().length) };
}
