/**
 * Errors as the learner should see them: the first line is his own cell, line and column; then the code, with a caret;
 * then the name and the message; then where it came from, with the frames of libraries and of Node folded.
 */
import { SourceMap, type SourceMapPayload } from 'node:module';
import * as path from 'node:path';
import { inspect } from 'node:util';
import type { Compiled, Outcome, Problem } from '../messages';
import { applyEdits, lineAndColumn, offsetOf, originalOffset } from '../positions';

/** A place in a cell or a local file; line and column count from 1. */
export interface Place {
  name: string;
  line: number;
  column: number;
}

/** Script name, as the engine knows it, -> what was compiled. */
const scripts = new Map<string, { compiled: Compiled; map?: SourceMap; lines?: number }>();

/** The name under which the engine is to run a cell or a local file, so that its frames can be found again. */
export function register(compiled: Compiled, script: string): string {
  scripts.set(script, { compiled });
  return script;
}

function learnersPlace(script: string, line: number, column: number): Place | undefined {
  const known = scripts.get(script);
  if (!known) return undefined;
  const { compiled } = known;
  if (compiled.map === '') return { name: compiled.name, line, column };
  known.map ??= new SourceMap(JSON.parse(compiled.map) as SourceMapPayload);
  const entry = known.map.findEntry(line - 1, column - 1);
  if (!('originalLine' in entry)) return { name: compiled.name, line: 0, column: 0 };
  const text = applyEdits(compiled.source, compiled.edits);
  return placeIn(compiled, offsetOf(text, entry.originalLine, entry.originalColumn));
}

/** The place of an offset in the edited text of a cell. */
export function placeIn({ name, source, edits }: Compiled, offset: number): Place {
  const { line, column } = lineAndColumn(source, originalOffset(offset, edits));
  return { name, line: line + 1, column: column + 1 };
}

/** The kernel's own scripts: from there on, frames are nobody's business. */
const KERNEL = path.dirname(__dirname) + path.sep;

/** What stands between a cell and `execSync`: below it the cell goes on. */
const WRAPPER = path.join(__dirname, 'children.js');

/** Whether a frame is of the function that was put around a local file: it ends in a line behind the file's last. */
function isAround(site: NodeJS.CallSite): boolean {
  const known = scripts.get(site.getFileName() ?? '');
  if (!known) return false;
  known.lines ??= known.compiled.js.split('\n').length;
  return (site.getLineNumber() ?? 0) > known.lines;
}

/** A frame of a stack as one line, with the learner's places in place of the engine's. */
function frameLine(site: NodeJS.CallSite): string {
  const script = site.getScriptNameOrSourceURL?.() ?? site.getFileName() ?? '';
  const place = learnersPlace(script, site.getLineNumber() ?? 0, site.getColumnNumber() ?? 0);
  if (!place) return `    at ${site.toString()}`;
  const name =
    site.getFunctionName() === null ? '' : `${site.isConstructor() ? 'new ' : ''}${functionName(site)}`;
  const where = `${place.name}:${place.line}:${place.column}`;
  return `    at ${site.isAsync() ? 'async ' : ''}${name ? `${name} (${where})` : where}`;
}

function functionName(site: NodeJS.CallSite): string {
  const name = site.getFunctionName() ?? '';
  const type = site.getTypeName();
  const hasType = type && type !== 'Object' && type !== 'global' && !name.includes('.') && !site.isToplevel();
  return hasType && !site.isConstructor() ? `${type}.${name}` : name;
}

/** Makes every stack speak of the learner's lines. */
export function translateStacks(): void {
  Error.prepareStackTrace = (error, sites) => {
    let head: string;
    try {
      head = Error.prototype.toString.call(error);
    } catch {
      head = 'Error';
    }
    const isOurs = (site: NodeJS.CallSite): boolean => site.getFileName()?.startsWith(KERNEL) ?? false;
    const others = sites.filter((site) => site.getFileName() !== WRAPPER && !isAround(site));
    const first = others.findIndex((site) => !isOurs(site));
    const called = others.slice(Math.max(0, first));
    const end = called.findIndex(isOurs);
    const lines = (end < 0 ? called : called.slice(0, end)).map(frameLine);
    return [head, ...lines].join('\n');
  };
  Error.stackTraceLimit = 50;
}

const FRAME = /^ {4}at (?:async )?(?:(.*) \()?(.*?):(\d+):(\d+)\)?$/;

/** What was thrown last that is no error, and so knows of no place; and the stack where it was. */
let lastThrown: { value: unknown; stack: string } | undefined;

/** Notes where something is thrown that doesn't know it itself. @returns what is thrown */
export function noteThrown(value: unknown): unknown {
  if (!(value instanceof Error)) lastThrown = { value, stack: new Error().stack ?? '' };
  return value;
}

/**
 * Anything thrown, as Jupyter's error.
 * @param statement where the cell was; for errors that don't know where they come from
 */
export function describeError(thrown: unknown, statement?: Place): Extract<Outcome, { status: 'error' }> {
  const isError = thrown instanceof Error;
  const ename = isError ? String(thrown.name || 'Error') : 'Thrown';
  const evalue = isError ? String(thrown.message) : describe(thrown);
  const frames = stackOf(thrown)
    .split('\n')
    .filter((line) => line.startsWith('    at '));
  const own = frames.map(ownPlace).find((place) => place !== undefined) ?? statement;
  const traceback = [
    ...(own ? [headline(own), ...excerpt(own)] : []),
    ...`${ename}: ${evalue}`.split('\n'),
    ...foldFrames(frames),
    ...(isError ? causeLines(thrown) : []),
  ];
  return { status: 'error', ename, evalue, traceback };
}

function stackOf(thrown: unknown): string {
  if (thrown instanceof Error) return typeof thrown.stack === 'string' ? thrown.stack : '';
  return lastThrown && Object.is(lastThrown.value, thrown) ? lastThrown.stack : '';
}

function describe(value: unknown): string {
  try {
    return typeof value === 'string' ? value : inspect(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function causeLines(error: Error): string[] {
  const lines: string[] = [];
  if (error.cause !== undefined) lines.push(...folded(`Caused by ${describe(error.cause)}`));
  if (error instanceof AggregateError)
    lines.push(...error.errors.flatMap((each) => folded(`  - ${describe(each)}`)));
  return lines;
}

/** The lines of a text in which there are stacks, with the frames of each folded. */
function folded(text: string): string[] {
  const lines: string[] = [];
  let frames: string[] = [];
  let indent = '';
  for (const line of text.split('\n')) {
    const frame = /^(\s*) {4}(at .*[^{])$/.exec(line);
    if (frame) {
      indent = frame[1]!;
      frames.push(`    ${frame[2]}`);
      continue;
    }
    lines.push(...foldFrames(frames).map((kept) => indent + kept), line);
    frames = [];
  }
  return [...lines, ...foldFrames(frames).map((kept) => indent + kept)];
}

function headline({ name, line, column }: Place): string {
  return `${name}, line ${line}, column ${column}`;
}

function ownPlace(frame: string): Place | undefined {
  const match = FRAME.exec(frame);
  const place = match && { name: match[2]!, line: Number(match[3]), column: Number(match[4]) };
  return place && place.line > 0 && sourceOf(place.name) !== undefined ? place : undefined;
}

function sourceOf(name: string): string | undefined {
  for (const { compiled } of scripts.values()) if (compiled.name === name) return compiled.source;
  return undefined;
}

/** The line with the lines around it, and a caret below the column. */
function excerpt({ name, line, column }: Place): string[] {
  const lines = (sourceOf(name) ?? '').split('\n');
  const shown: string[] = [];
  const width = String(Math.min(line + 1, lines.length)).length;
  for (let i = Math.max(1, line - 1); i <= Math.min(lines.length, line + 1); i++) {
    if (i > line && lines[i - 1] === '') break;
    const number = String(i).padStart(width);
    if (i === line) shown.push(...pointed(lines[i - 1]!, column, 1, number));
    else shown.push(`  ${number} | ${cut(lines[i - 1]!, column).text}`);
  }
  return shown;
}

/** A line of code with its number, and carets below a part of it. */
function pointed(line: string, column: number, length: number, number: string): string[] {
  const { text, from } = cut(line, column);
  const carets = caret(text, column - from, Math.min(length, text.length - (column - from) + 1));
  return [`> ${number} | ${text}`, `  ${' '.repeat(number.length)} | ${carets}`];
}

/** How much of a line of code is shown, in characters. */
const LONGEST_LINE = 200;

/** A line of code, or if it is very long the part of it around a column; `from`: how far that has moved. */
function cut(line: string, column: number): { text: string; from: number } {
  if (line.length <= LONGEST_LINE) return { text: line, from: 0 };
  const start = Math.max(0, Math.min(column - LONGEST_LINE / 2, line.length - LONGEST_LINE));
  const [before, after] = [start > 0 ? '…' : '', start + LONGEST_LINE < line.length ? '…' : ''];
  return { text: before + line.slice(start, start + LONGEST_LINE) + after, from: start - before.length };
}

/** Carets below a part of a line. What is before them is as wide as the text there, so that they stand right. */
function caret(line: string, column: number, length: number): string {
  const gap = [...line.slice(0, column - 1)].map(blank).join('');
  return gap + ' '.repeat(Math.max(0, column - 1 - line.length)) + '^'.repeat(Math.max(1, length));
}

/** Characters of no width, and of the width of two. (An emoji is as wide as two blanks, a Chinese character as its own.) */
const NO_WIDTH = /^[\p{Mark}\p{Format}]$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]$/;
const WIDE_BLANK = '\u3000';

/** A blank as wide as a character. Tabs stay tabs. */
function blank(char: string): string {
  if (char === '\t') return char;
  if (NO_WIDTH.test(char)) return '';
  if (EMOJI.test(char)) return '  ';
  return WIDE.test(char) ? WIDE_BLANK : ' ';
}

/** The most lines of frames that are shown. */
const MOST_FRAMES = 15;

/** The learner's frames; what lies between them is counted. */
function foldFrames(frames: string[]): string[] {
  const lines: string[] = [];
  let folded = 0;
  const close = (): void => {
    if (folded > 0) lines.push(`    … ${folded} ${folded === 1 ? 'frame' : 'frames'} of libraries`);
    folded = 0;
  };
  const last = frames.findLastIndex((frame) => ownPlace(frame) !== undefined);
  for (const frame of frames.slice(0, last + 1)) {
    if (ownPlace(frame)) {
      close();
      lines.push(frame);
    } else {
      folded++;
    }
  }
  close();
  if (lines.length <= MOST_FRAMES) return lines;
  const left = lines.length - MOST_FRAMES;
  return [...lines.slice(0, MOST_FRAMES - 3), `    … ${left} more frames`, ...lines.slice(-3)];
}

/** What the compiler found, as Jupyter's error: each problem with its place, its line and a caret. */
export function describeProblems(problems: readonly Problem[]): Extract<Outcome, { status: 'error' }> {
  const traceback = problems.flatMap(({ file, line, column, length, text, message, code }) => {
    const name = code > 0 ? ` (TS${code})` : '';
    if (line === 0) return [message + name];
    return [
      `${file}, line ${line}, column ${column}`,
      ...pointed(text, column, length, String(line)),
      message + name,
    ];
  });
  const evalue = problems[0]?.message ?? 'The cell does not compile.';
  return { status: 'error', ename: 'TypeScriptError', evalue, traceback };
}
