/**
 * What a lesson's notebook must be, read without running it. Each rule is a function that gets the
 * lesson and says what is wrong where; `notebookProblems` asks them all.
 *
 * Rules of form first (JSON, cells, ids, outputs), then what instructors write: heading, solutions
 * and their metadata, exercises and quizzes that are called, links, rows of the inventory.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { coversOf } from '../coverage/coverage';
import { INVENTORY } from '../coverage/inventory';
import { type Cell, type Notebook, parseNotebook } from './notebook';
import type { LessonProblem } from './problem';

/** What rules may ask for. */
export interface LessonContext {
  /** The project's folder. */
  project: string;
  /** `03-trap-and-emulate`. */
  name: string;
  /** The notebook's path from the project's folder. */
  file: string;
  exercises: readonly string[];
  quizzes: readonly string[];
}

type Rule = (notebook: Notebook, context: LessonContext) => Omit<LessonProblem, 'file'>[];

const MOST_WORDS = 110;
/** Characters of a notebook: far more than a lesson has, even with its outputs. */
const LONGEST = 5_000_000;

/** The notebook in a text, if it is one, and what is wrong with it. */
export function notebookProblems(
  text: string,
  context: LessonContext,
): { notebook: Notebook | undefined; problems: LessonProblem[] } {
  const { file } = context;
  if (text.length > LONGEST) {
    const message = `longer than ${LONGEST} characters: \`npm run lessons -- strip\` takes outputs out; what else is large belongs in the library`;
    return { notebook: undefined, problems: [{ file, message }] };
  }
  try {
    const notebook = parseNotebook(text, file);
    const problems = RULES.flatMap((rule) => rule(notebook, context));
    return { notebook, problems: problems.map((problem) => ({ file, ...problem })) };
  } catch (error) {
    const message = (error as Error).message.replace(`${file}: `, '');
    return { notebook: undefined, problems: [{ file, ...lineOfJson(text, message), message }] };
  }
}

/** The line of a mistake in JSON, from what JSON.parse says of its place, or TypeScript's reader does. */
function lineOfJson(text: string, message: string): { line?: number } {
  if (!message.includes('not JSON')) return {};
  const told = /at position (\d+)/.exec(message)?.[1];
  const isCut = message.includes('Unexpected end');
  const position = isCut ? text.length : (told ?? ts.parseConfigFileTextToJson('', text).error?.start);
  return position === undefined ? {} : { line: text.slice(0, Number(position)).split('\n').length };
}

/** A problem in a cell; its line is that of the first line with `what` in it, if any. */
function inCell(cell: Cell, message: string, what?: string | RegExp): Omit<LessonProblem, 'file'> {
  const index = cell.source.findIndex((line) =>
    typeof what === 'string' ? line.includes(what) : (what?.test(line) ?? false),
  );
  return { cell: cell.id, ...(index >= 0 ? { line: index + 1 } : {}), message };
}

const codeOf = (cell: Cell) => (cell.cell_type === 'code' ? cell.source.join('') : '');
const proseOf = (cell: Cell) => (cell.cell_type === 'markdown' ? cell.source.join('') : '');

const ids: Rule = ({ cells }) => {
  const seen = new Set<string>();
  return cells.flatMap((cell, index) => {
    const { id } = cell;
    if (typeof id !== 'string' || id === '')
      return [{ message: `cell ${index + 1} has no id: give it a name of its own` }];
    const isTwice = seen.has(id);
    seen.add(id);
    if (isTwice) return [inCell(cell, 'a second cell with this id: give it another one')];
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id) || id.length > 40)
      return [inCell(cell, 'ids are words in lower case with hyphens, such as `predict-crash`')];
    return [];
  });
};

const outputs: Rule = ({ cells }) =>
  cells
    .filter((cell) => (cell.outputs?.length ?? 0) > 0 || typeof cell.execution_count === 'number')
    .map((cell) => inCell(cell, 'has outputs or a count: `npm run lessons -- strip` takes them out'));

const kernel: Rule = ({ metadata }) => {
  const { name } = (metadata.kernelspec ?? {}) as { name?: unknown };
  return name === 'vmlab'
    ? []
    : [{ message: 'its kernel is not vmlab: choose "TypeScript (vmlab)" in JupyterLab and save' }];
};

const heading: Rule = ({ cells }, { name }) => {
  const [first] = cells;
  const number = name.slice(0, 2);
  if (first === undefined) return [{ message: 'has no cells' }];
  const text = proseOf(first);
  if (!new RegExp(`^# ${number} · \\S`).test(text))
    return [inCell(first, `the first cell begins with the heading \`# ${number} · Title\``)];
  return /\b\d+ min/i.test(text)
    ? []
    : [inCell(first, 'the first cell says how long the lesson takes: *About 60 minutes.*')];
};

const lengths: Rule = ({ cells }) =>
  cells.flatMap((cell) => {
    const words = proseOf(cell).split(/\s+/).filter(Boolean).length;
    if (words > MOST_WORDS)
      return [inCell(cell, `${words} words: at most ${MOST_WORDS}, better 80; make two cells of it`)];
    return cell.source.join('').trim() === ''
      ? [inCell(cell, 'is empty: write something, or take it out')]
      : [];
  });

const BEGIN = /\/\/ BEGIN SOLUTION/;
const END = /\/\/ END SOLUTION/;

const solutions: Rule = ({ cells }) =>
  cells.flatMap((cell) => {
    const marks = cell.source.filter((line) => BEGIN.test(line) || END.test(line));
    const beside = marks.find((line) => !/^\s*\/\/ (BEGIN|END) SOLUTION\s*$/.test(line));
    const isSolution = cell.metadata.nbgrader?.solution === true;
    if (marks.length === 0)
      return isSolution
        ? [inCell(cell, 'nbgrader’s metadata say that it holds a solution, and it has no // BEGIN SOLUTION')]
        : [];
    if (cell.cell_type !== 'code') return [inCell(cell, 'a solution stands in a code cell', BEGIN)];
    if (beside !== undefined)
      return [inCell(cell, 'the marks of a solution stand each on a line of its own', beside)];
    const alternate = marks.every((line, index) => (index % 2 === 0 ? BEGIN : END).test(line));
    if (!alternate || marks.length % 2 === 1)
      return [inCell(cell, '// BEGIN SOLUTION and // END SOLUTION don’t pair up', marks.at(-1)?.trim())];
    const empty = cell.source.findIndex(
      (line, index) => BEGIN.test(line) && END.test(cell.source[index + 1] ?? ''),
    );
    if (empty >= 0) return [{ ...inCell(cell, 'the solution is empty'), line: empty + 1 }];
    return isSolution
      ? []
      : [
          inCell(
            cell,
            'a solution needs nbgrader’s metadata with "solution": true; copy them from another lesson',
            BEGIN,
          ),
        ];
  });

const grading: Rule = ({ cells }) => {
  const seen = new Set<string>();
  return cells.flatMap((cell) => {
    const { nbgrader } = cell.metadata as { nbgrader?: Record<string, unknown> };
    const isCheck = callsOf(cell, 'check').length > 0;
    if (nbgrader === undefined)
      return isCheck
        ? [
            inCell(
              cell,
              'a cell with check() needs nbgrader’s metadata with "grade": true and points',
              'check(',
            ),
          ]
        : [];
    const id = typeof nbgrader.grade_id === 'string' ? nbgrader.grade_id : '';
    const isTwice = seen.has(id);
    seen.add(id);
    if (id === '') return [inCell(cell, 'nbgrader’s metadata have no grade_id: write the cell’s id')];
    if (isTwice) return [inCell(cell, `a second cell with the grade_id ${id}`)];
    if (nbgrader.schema_version !== 3)
      return [inCell(cell, 'nbgrader’s metadata have another schema_version than 3')];
    const isPoints = typeof nbgrader.points === 'number' && nbgrader.points > 0;
    if (nbgrader.grade === true && !isPoints) return [inCell(cell, 'nbgrader’s metadata have no points')];
    if (nbgrader.grade === true && !isCheck)
      return [inCell(cell, 'is graded, and calls no check() with the id of an exercise in quotes')];
    return isCheck && nbgrader.grade !== true
      ? [inCell(cell, 'calls check(), and is not graded: set "grade": true', 'check(')]
      : [];
  });
};

/** The first arguments of calls in a cell, where they are plain text. */
export function callsOf(cell: Cell, name: string): string[] {
  return [...codeOf(cell).matchAll(new RegExp(`(?<![\\w.])${name}\\(\\s*(['"\`])([^'"\`\\n]*)\\1`, 'g'))].map(
    (match) => match[2],
  );
}

const calls: Rule = ({ cells }, { name, exercises, quizzes }) => {
  const number = name.slice(0, 2);
  const used = cells.flatMap((cell) => callsOf(cell, 'check'));
  const unknown = cells.flatMap((cell) => [
    ...callsOf(cell, 'check')
      .filter((id) => !exercises.includes(id))
      .map((id) => inCell(cell, `there is no exercise ${id}; see kernel-lib/lab/exercises`, id)),
    ...callsOf(cell, 'quiz')
      .filter((id) => !quizzes.includes(id))
      .map((id) => inCell(cell, `there is no quiz quizzes/${id}.md`, id)),
  ]);
  const unused = exercises.filter((id) => id.startsWith(`${number}-`) && !used.includes(id));
  const asks = cells.some((cell) => callsOf(cell, 'quiz').includes(name));
  return [
    ...unknown,
    ...unused.map((id) => ({
      message: `no cell calls check('${id}', …), which is one of this lesson’s exercises`,
    })),
    ...(asks ? [] : [{ message: `no cell calls quiz('${name}')` }]),
  ];
};

/** `[words](target)`, `[name]: target`, and HTML's. */
const LINKS = [
  /\]\(([^()\s]+)\)/g,
  /^ {0,3}\[[^\]\n]+\]:\s*(\S+)/gm,
  /<(?:a|img)\b[^>]*?\b(?:href|src)="([^"]+)"/g,
];

/** Both versions have the same links, and each is to lead somewhere from its own folder. */
const links: Rule = ({ cells }, { project }) =>
  cells.flatMap((cell) => {
    const prose = proseOf(cell);
    const targets = LINKS.flatMap((link) => [...prose.matchAll(link)].map((match) => match[1]));
    const isMissing = (target: string) =>
      !/^(https?:|mailto:|#|attachment:)/.test(target) &&
      ['notebooks', 'notebooks/instructor'].some(
        (folder) => !existsSync(join(project, folder, pathOf(target))),
      );
    const named = [
      ...prose.matchAll(/`((?:kernel-lib|kernel|notebooks|quizzes|docs|scripts|test|bench)\/[\w./*-]*)`/g),
    ].map((match) => match[1]);
    const isUnknown = (path: string) => !path.includes('*') && !existsSync(join(project, path));
    return [
      ...targets
        .filter(isMissing)
        .map((target) => inCell(cell, `the link to ${target} leads nowhere`, target)),
      ...named.filter(isUnknown).map((path) => inCell(cell, `there is no ${path}`, path)),
    ];
  });

function pathOf(target: string): string {
  const path = target.replace(/#.*$/, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const covers: Rule = ({ cells }) => {
  const known = new Set(INVENTORY.map(({ id }) => id));
  return cells.flatMap((cell) => {
    const { covers: list } = (cell.metadata.vmlab ?? {}) as { covers?: unknown };
    if (list !== undefined && !Array.isArray(list))
      return [inCell(cell, '"covers" in its metadata is a list: ["S1-08"]')];
    return coversOf(cell)
      .filter((row) => !known.has(String(row)))
      .map((row) =>
        inCell(cell, `covers ${JSON.stringify(row)}, which is no row of scripts/coverage/inventory.ts`),
      );
  });
};

const RULES: Rule[] = [ids, outputs, kernel, heading, lengths, solutions, grading, calls, links, covers];
