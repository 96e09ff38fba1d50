/**
 * Looks for solutions where learners could read them: in the learner's notebook (metadata and all)
 * and in the words of the exercises (hints, verdicts). A line counts if it is long enough to say
 * something and doesn't stand outside of the solutions in the instructor's notebook, too.
 */
import ts from 'typescript';
import type { Cell, Notebook } from './notebook';

const SHORTEST = 15;

/** A line of a solution. */
export interface SolutionLine {
  cell: string;
  /** With its space folded. */
  text: string;
}

const folded = (text: string) => text.replace(/\s+/g, ' ').trim();

/** The lines of all solutions of an instructor's notebook that would give something away. */
export function solutionLines(notebook: Notebook): SolutionLine[] {
  const inside: SolutionLine[] = [];
  const outside: string[] = [];
  for (const cell of notebook.cells) {
    let isInside = false;
    for (const line of cell.source) {
      const text = folded(line.replace(/\s\/\/ .*$/, ''));
      if (line.includes('// BEGIN SOLUTION')) isInside = true;
      else if (line.includes('// END SOLUTION')) isInside = false;
      else if (isInside) inside.push({ cell: cell.id, text });
      else outside.push(folded(line));
    }
  }
  const outsideText = outside.join('\n');
  const isTelling = ({ text }: SolutionLine) =>
    text.length >= SHORTEST && !text.startsWith('//') && !outsideText.includes(text);
  return inside.filter(isTelling);
}

/** The solution's lines that stand in a notebook: sources, outputs, metadata. */
export function leaksInNotebook(
  lines: SolutionLine[],
  learners: Notebook,
): (SolutionLine & { where: string })[] {
  const texts = learners.cells.map((cell) => ({ where: cell.id, text: wordsOf(cell) }));
  texts.push({ where: 'metadata', text: folded(JSON.stringify(learners.metadata)) });
  return lines.flatMap((line) =>
    texts.filter(({ text }) => text.includes(line.text)).map(({ where }) => ({ ...line, where })),
  );
}

function wordsOf({ source, ...rest }: Cell): string {
  const strings: string[] = [];
  JSON.stringify(rest, (_, value) => {
    if (typeof value === 'string') strings.push(value);
    return value;
  });
  return folded([source.join(''), ...strings].join('\n'));
}

/** The solution's lines that stand in the strings of a TypeScript file, each with its line there. */
export function leaksInStrings(
  lines: SolutionLine[],
  file: string,
  source: string,
): (SolutionLine & { line: number })[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest);
  const strings: { text: string; line: number }[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      strings.push({
        text: folded(node.text),
        line: tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1,
      });
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return lines.flatMap((leak) =>
    strings.filter(({ text }) => text.includes(leak.text)).map(({ line }) => ({ ...leak, line })),
  );
}
