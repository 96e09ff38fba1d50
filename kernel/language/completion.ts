/** Completion, inspection, and whether a cell is complete, by TypeScript's language service. */
import * as ts from 'typescript';
import type { CompletionAnswer, Edit, InspectionAnswer, LanguageCalls } from '../messages';
import { editedOffset, originalOffset } from '../positions';
import type { Cells } from './cells';
import { PREVIOUS } from './names';

/** The most names offered at once. */
const MOST_MATCHES = 500;

/** What can stand at an offset of a cell. Names that begin like what is typed come first, all others are left out. */
export function complete(cells: Cells, code: string, position: number): CompletionAnswer {
  return cells.look(code, (service, file, { edits }) => {
    const found = service.getCompletionsAtPosition(file, editedOffset(position, edits), {
      includeCompletionsWithInsertText: false,
    });
    const start = startOfTyped(code, position, found, edits);
    const typed = code.slice(start, position);
    const entries = (found?.entries ?? [])
      .filter((entry) => entry.name.startsWith(typed) && !entry.name.endsWith(PREVIOUS))
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

/** Where what is typed begins: a word, or, in a string or an import's path, what the compiler would replace. */
function startOfTyped(
  code: string,
  position: number,
  found: ts.CompletionInfo | undefined,
  edits: readonly Edit[],
): number {
  const span = found?.entries.find((entry) => entry.replacementSpan)?.replacementSpan;
  const replaced = span ?? found?.optionalReplacementSpan;
  if (replaced) return Math.min(originalOffset(replaced.start, edits), position);
  return position - (/[\p{ID_Continue}$]*$/u.exec(code.slice(0, position))?.[0].length ?? 0);
}

/**
 * What is known about the name at an offset: its type and its documentation.
 * @param isDetailed also the text of its declaration
 */
export function inspect(cells: Cells, code: string, position: number, isDetailed: boolean): InspectionAnswer {
  const places = [position, position - 1, callee(code, position)];
  const found = inspectAt(cells, code, places, isDetailed);
  const name = wordAt(code, position);
  if (found.found || name === '') return found;
  // A type by its name alone, which is no expression.
  const asType = `type ${PREVIOUS} = ${name}`;
  return inspectAt(cells, asType, [asType.length - 1], isDetailed);
}

function wordAt(code: string, position: number): string {
  const before = /[\p{ID_Continue}$]*$/u.exec(code.slice(0, position))?.[0] ?? '';
  return before + (/^[\p{ID_Continue}$]*/u.exec(code.slice(position))?.[0] ?? '');
}

/** What is known about the first of these places about which something is. */
function inspectAt(cells: Cells, code: string, places: number[], isDetailed: boolean): InspectionAnswer {
  return cells.look(code, (service, file, { edits }) => {
    for (const place of places) {
      if (place < 0) continue;
      const offset = editedOffset(place, edits);
      const info = service.getQuickInfoAtPosition(file, offset);
      if (!info || UNKNOWN.test(ts.displayPartsToString(info.displayParts))) continue;
      const source = isDetailed ? declaration(service, file, offset) : '';
      return { found: true, data: describe(info, source) };
    }
    return { found: false, data: {} };
  });
}

/** What the compiler says of a name that it doesn't know. */
const UNKNOWN = /^(.*\/\*unresolved\*\/ )?any$/;

/** Inside the parentheses of a call, the name called is what one wants to know about. */
function callee(code: string, position: number): number {
  let depth = 0;
  for (let i = position - 1; i >= 0; i--) {
    if (code[i] === ')') depth++;
    else if (code[i] === '(' && depth-- === 0) return i - 1;
  }
  return -1;
}

/** The most lines of a declaration that are shown. */
const MOST_LINES = 60;

/** The text of the declaration of what stands at an offset. */
function declaration(service: ts.LanguageService, file: string, offset: number): string {
  const [found] = service.getDefinitionAtPosition(file, offset) ?? [];
  const text = found && service.getProgram()?.getSourceFile(found.fileName)?.text;
  const span = found?.contextSpan;
  if (!text || !span) return '';
  const lines = text
    .slice(span.start, span.start + span.length)
    .replaceAll(PREVIOUS, '')
    .split('\n');
  return lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), '…'].join('\n') : lines.join('\n');
}

function describe(info: ts.QuickInfo, source: string): Record<string, string> {
  const whole = ts.displayPartsToString(info.displayParts);
  // That a name is imported (and how cells are joined) is beside the point.
  const signature = whole.replace(/^\(alias\) /, '').replace(/\n(?:import|export) [^\n]*$/, '');
  const text = ts.displayPartsToString(info.documentation);
  const tags = (info.tags ?? []).map((tag) => [tag.name, ts.displayPartsToString(tag.text)] as const);
  const plain = [signature, text, tags.map(([name, value]) => `@${name} ${value}`).join('\n'), source];
  const markdown = [
    `\`\`\`typescript\n${signature}\n\`\`\``,
    text,
    tags.map(([name, value]) => `- *${name}* ${value}`).join('\n'),
    source && `\`\`\`typescript\n${source}\n\`\`\``,
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
  const isOpen = start >= end && first !== UNTERMINATED_STRING;
  const isUnterminated = UNTERMINATED.has(first);
  if (!isOpen && !isUnterminated) return { status: 'invalid', indent: '' };
  const last = code.slice(code.trimEnd().lastIndexOf('\n') + 1);
  const indent = /^\s*/.exec(last)?.[0] ?? '';
  return { status: 'incomplete', indent: /[{([]\s*$/.test(last) ? `${indent}  ` : indent };
}

/** TS1002: no further line would end a string. */
const UNTERMINATED_STRING = 1002;
/** TS1010 "end of comment expected", TS1160 "Unterminated template literal". */
const UNTERMINATED = new Set([1010, 1160]);
