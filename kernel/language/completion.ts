/** Completion, inspection, and whether a cell is complete, by TypeScript's language service. */
import * as ts from 'typescript';
import type { CompletionAnswer, InspectionAnswer, LanguageCalls } from '../messages';
import { editedOffset } from '../positions';
import type { Cells } from './cells';

/** The most names offered at once. */
const MOST_MATCHES = 500;

/** What can stand at an offset of a cell. Names that begin like what is typed come first, all others are left out. */
export function complete(cells: Cells, code: string, position: number): CompletionAnswer {
  const start = position - (/[\p{ID_Continue}$]*$/u.exec(code.slice(0, position))?.[0].length ?? 0);
  const typed = code.slice(start, position);
  return cells.look(code, (service, file, { edits }) => {
    const found = service.getCompletionsAtPosition(file, editedOffset(position, edits), {
      includeCompletionsWithInsertText: false,
    });
    const entries = (found?.entries ?? [])
      .filter((entry) => entry.name.startsWith(typed) && !entry.name.endsWith('$previous'))
      .sort((a, b) => (a.sortText < b.sortText ? -1 : a.sortText > b.sortText ? 1 : a.name < b.name ? -1 : 1))
      .slice(0, MOST_MATCHES);
    return {
      matches: entries.map(({ name }) => name),
      types: entries.map(({ kind }) => kind),
      start,
      end: position,
    };
  });
}

/** What is known about the name at an offset: its type and its documentation. */
export function inspect(cells: Cells, code: string, position: number): InspectionAnswer {
  return cells.look(code, (service, file, { edits }) => {
    const places = [position, position - 1, callee(code, position)];
    for (const place of places) {
      if (place < 0) continue;
      const info = service.getQuickInfoAtPosition(file, editedOffset(place, edits));
      if (info) return { found: true, data: describe(info) };
    }
    return { found: false, data: {} };
  });
}

/** Inside the parentheses of a call, the name called is what one wants to know about. */
function callee(code: string, position: number): number {
  let depth = 0;
  for (let i = position - 1; i >= 0; i--) {
    if (code[i] === ')') depth++;
    else if (code[i] === '(' && depth-- === 0) return i - 1;
  }
  return -1;
}

function describe(info: ts.QuickInfo): Record<string, string> {
  const signature = ts.displayPartsToString(info.displayParts);
  const text = ts.displayPartsToString(info.documentation);
  const tags = (info.tags ?? []).map((tag) => [tag.name, ts.displayPartsToString(tag.text)] as const);
  const plain = [signature, text, tags.map(([name, value]) => `@${name} ${value}`).join('\n')];
  const markdown = [
    `\`\`\`typescript\n${signature}\n\`\`\``,
    text,
    tags.map(([name, value]) => `- *${name}* ${value}`).join('\n'),
  ];
  return {
    'text/plain': plain.filter((part) => part).join('\n\n'),
    'text/markdown': markdown.filter((part) => part).join('\n\n'),
  };
}

/** Whether a console should run what was typed, or wait for more. */
export function isComplete(code: string): LanguageCalls['isComplete']['answer'] {
  const { diagnostics = [] } = ts.transpileModule(code, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
  });
  const end = code.trimEnd().length;
  if (diagnostics.length === 0) return { status: 'complete', indent: '' };
  const { start = 0, code: first = 0 } = diagnostics[0]!;
  const isOpen = start >= end;
  const isUnterminated = UNTERMINATED.has(first);
  if (!isOpen && !isUnterminated) return { status: 'invalid', indent: '' };
  const last = code.slice(code.lastIndexOf('\n') + 1);
  const indent = /^\s*/.exec(last)?.[0] ?? '';
  return { status: 'incomplete', indent: /[{([]\s*$/.test(last) ? `${indent}  ` : indent };
}

/** TS1010 "end of comment expected", TS1160 "Unterminated template literal". */
const UNTERMINATED = new Set([1010, 1160]);
