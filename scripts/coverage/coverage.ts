/**
 * Which row of the inventory is covered where: cells of the instructor's notebooks and questions of
 * the quizzes, each with its place. `judge` compares them with the inventory and says what is amiss.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { quizNames, readQuiz } from '../../kernel-lib/lab/quiz/quiz';
import { type Cell, readNotebook } from '../lessons/notebook';
import { INVENTORY, type InventoryRow, WAITING } from './inventory';

/** A cell or a question that names a row. */
export interface Place {
  row: string;
  kind: 'cell' | 'question';
  /** `notebooks/instructor/03-trap-and-emulate.ipynb`, `quizzes/03-trap-and-emulate.md`. */
  file: string;
  /** The cell's id, or the question's line. */
  at: string;
}

/** The rows that a cell's metadata name, `{ "vmlab": { "covers": [...] } }`. */
export function coversOf(cell: Cell): unknown[] {
  const { covers } = (cell.metadata.vmlab ?? {}) as { covers?: unknown };
  return covers === undefined ? [] : Array.isArray(covers) ? covers : [covers];
}

/** The rows that a question's source comment names: `S0 Q2; S0-01, S1-08`. Other sources are left out. */
export function rowsNamed(source: string): string[] {
  return [...new Set(source.match(/\bS\d(?:-\d+| Q\d+)\b/g) ?? [])];
}

/**
 * All places of the project that name a row, the lessons' first.
 * @throws Error, QuizError if a notebook or a quiz can't be read
 */
export function findPlaces(project: string): Place[] {
  return [...cellPlaces(join(project, 'notebooks', 'instructor')), ...questionPlaces(project)];
}

function cellPlaces(folder: string): Place[] {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ipynb')) : [];
  return files.sort().flatMap((file) =>
    readNotebook(join(folder, file)).cells.flatMap((cell) =>
      coversOf(cell).map((row) => ({
        row: String(row),
        kind: 'cell' as const,
        file: `notebooks/instructor/${file}`,
        at: cell.id,
      })),
    ),
  );
}

function questionPlaces(project: string): Place[] {
  const folder = join(project, 'quizzes');
  const names = existsSync(folder) ? quizNames(folder) : [];
  return names.flatMap((name) =>
    readQuiz(name, project).questions.flatMap(({ source, line }) =>
      rowsNamed(source).map((row) => ({
        row,
        kind: 'question' as const,
        file: `quizzes/${name}.md`,
        at: String(line),
      })),
    ),
  );
}

/** A row with the places that cover it. */
export interface Covered {
  row: InventoryRow;
  places: Place[];
  /** The lesson that it waits for; undefined if it isn't listed as waiting. */
  waiting: string | undefined;
}

export interface Judgement {
  rows: Covered[];
  /** What is amiss, a sentence each. */
  problems: string[];
}

/** Compares places with the inventory: nothing left out, nothing listed that is done, no unknown row. */
export function judge(
  places: readonly Place[],
  inventory: readonly InventoryRow[] = INVENTORY,
  waiting: Readonly<Record<string, string>> = WAITING,
): Judgement {
  const known = new Set(inventory.map(({ id }) => id));
  const rows = inventory.map((row) => ({
    row,
    // A row that is for the quiz only must be asked: showing it is not enough.
    places: places.filter((place) => place.row === row.id && (row.use !== 'Q' || place.kind === 'question')),
    waiting: waiting[row.id],
  }));
  const problems = [
    ...places
      .filter((place) => !known.has(place.row))
      .map((place) => `${placeText(place)} names ${place.row}, which is no row of the inventory`),
    ...Object.keys(waiting)
      .filter((id) => !known.has(id))
      .map((id) => `${id} is listed as waiting, but is no row of the inventory`),
    ...rows.flatMap(problemOf),
  ];
  return { rows, problems };
}

function problemOf({ row, places, waiting }: Covered): string[] {
  const isAsked = places.some((place) => place.kind === 'question');
  if (places.length === 0 && waiting === undefined)
    return [`${row.id} (${row.about}) is covered nowhere, and not listed as waiting for a lesson`];
  if (places.length > 0 && waiting !== undefined)
    return [`${row.id} is listed as waiting for lesson ${waiting}, but ${placeText(places[0])} covers it`];
  if (places.length > 0 && row.use.includes('Q') && !isAsked)
    return [`${row.id} (${row.about}) is to be asked, and no quiz does`];
  return [];
}

/** `quizzes/03-trap-and-emulate.md:12`: a place as editors and people know it. */
function placeText({ file, at, kind }: Place): string {
  return kind === 'cell' ? `${file}, cell ${at}` : `${file}:${at}`;
}

/** Places in few words, one line a file: `notebooks/…: vm-look, whole-run`. */
function placesText(places: Place[]): string[] {
  const files = [...new Set(places.map(({ file }) => file))];
  return files.map((file) => {
    const own = places.filter((place) => place.file === file);
    const what =
      own[0].kind === 'cell' ? (own.length > 1 ? 'cells' : 'cell') : own.length > 1 ? 'lines' : 'line';
    return `${file}, ${what} ${own.map(({ at }) => at).join(', ')}`;
  });
}

/** Rows, uses and places as lines of text. */
export function coverageText({ rows, problems }: Judgement): string {
  const lines = rows.map(({ row, places, waiting }) => {
    const open = waiting === undefined ? 'NOWHERE' : `waits for lesson ${waiting}`;
    const told = places.length > 0 ? placesText(places) : [open];
    return [`${row.id.padEnd(6)} ${row.use.padEnd(3)} ${row.about}`, ...told].join(`\n${' '.repeat(11)}`);
  });
  const covered = rows.filter(({ places }) => places.length > 0).length;
  const waits = rows.filter(({ places, waiting }) => places.length === 0 && waiting !== undefined).length;
  const missing = rows.length - covered - waits;
  const count = `${covered} of ${rows.length} rows are covered, ${waits} wait for a lesson to come, ${missing} are missing.`;
  return [...lines, '', count, ...problems.map((problem) => `✗ ${problem}.`)].join('\n');
}
