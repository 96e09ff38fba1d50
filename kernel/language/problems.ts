/** What the compiler found, in the learner's terms: his cell, his line, his column. */
import * as path from 'node:path';
import * as ts from 'typescript';
import type { Edit, Problem } from '../messages';
import { lineAndColumn, originalOffset } from '../positions';
import { PREVIOUS } from './names';

/** Diagnostics of a file as problems. Where the text was edited, positions go back to the original. */
export function problemsOf(
  diagnostics: readonly ts.Diagnostic[],
  shown: { name: string; source: string; edits: readonly Edit[] },
): Problem[] {
  return diagnostics.map((diagnostic) => {
    const edited = diagnostic.start ?? 0;
    const start = Math.min(originalOffset(edited, shown.edits), shown.source.length);
    const end = originalOffset(edited + (diagnostic.length ?? 1), shown.edits);
    const { line, column } = lineAndColumn(shown.source, start);
    const text = shown.source.split('\n')[line] ?? '';
    return {
      code: diagnostic.code,
      message: inTermsOfCells(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')),
      file: shown.name,
      line: line + 1,
      column: column + 1,
      length: Math.max(1, Math.min(end - start, text.length - column)),
      text,
    };
  });
}

/** What is wrong with a cell's text alone, without what is written below it. */
export function syntaxProblems(code: string, name: string): Problem[] | undefined {
  const { diagnostics = [] } = ts.transpileModule(code, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
  });
  if (diagnostics.length === 0) return undefined;
  const problems = problemsOf(diagnostics, { name, source: code, edits: [] });
  const magic = problems.map(magicProblem).find((found) => found !== undefined);
  return magic ? [magic] : problems;
}

/** What other kernels take for a command: `%%html`, `%time`, `!ls`. */
const MAGIC = /^\s*(%%?\w+|![a-z]\w*)/;
/** What to write instead. */
const INSTEAD: [RegExp, string][] = [
  [/%html|%svg|%markdown|%latex/i, "HTML is shown by display({ toHtml: () => '…' })."],
  [
    /%bash|%sh\b|%script|%sx|%system|!/,
    "A program is run by `execSync('…', { stdio: 'inherit' })` of node:child_process.",
  ],
  [/%time/, 'Time is measured by console.time() and console.timeEnd().'],
];

/** The problem of a line that is a command of another kernel; undefined if it isn't one. */
function magicProblem(found: Problem): Problem | undefined {
  const magic = MAGIC.exec(found.text)?.[1];
  if (magic === undefined) return undefined;
  const instead = INSTEAD.find(([wanted]) => wanted.test(magic))?.[1];
  const message = `\`${magic}\` is a command of another kernel; here cells are TypeScript.${instead ? ` ${instead}` : ''}`;
  return { ...found, code: 0, message, column: found.text.indexOf(magic) + 1, length: magic.length };
}

/** The compiler's words without what only we know of: how cells are joined. */
function inTermsOfCells(message: string): string {
  return message
    .replaceAll(PREVIOUS, '')
    .replace('because it is an import.', 'because it is not declared with `let`.');
}

/** A problem without a place. */
export function problem(message: string, file = ''): Problem {
  return { code: 0, message, file, line: 0, column: 0, length: 0, text: '' };
}

/** The problems of a local file. */
export function localProblems(
  diagnostics: readonly ts.Diagnostic[],
  file: ts.SourceFile,
  folder: string,
): Problem[] {
  return problemsOf(diagnostics, {
    name: path.relative(folder, file.fileName),
    source: file.text,
    edits: [],
  });
}
