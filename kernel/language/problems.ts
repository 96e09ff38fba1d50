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
  return diagnostics.length > 0 ? problemsOf(diagnostics, { name, source: code, edits: [] }) : undefined;
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
