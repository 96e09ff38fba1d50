// The kernel under the programs that people use: nbclient (by nbconvert), papermill, `jupyter console`, nbgrader.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { linkLibrary } from './client';
import { preparePython, runPython, scratch } from './python';

interface Cell {
  cell_type: 'code' | 'markdown';
  id: string;
  metadata: { nbgrader?: object };
  source: string;
  outputs?: {
    output_type: string;
    ename?: string;
    text?: string[] | string;
    data?: Record<string, string>;
  }[];
  execution_count?: number | null;
}

const code = (id: string, source: string, metadata = {}): Cell => ({
  cell_type: 'code',
  id,
  metadata,
  source,
  outputs: [],
  execution_count: null,
});

function notebook(cells: Cell[]): string {
  const kernelspec = { name: 'vmlab', display_name: 'TypeScript (vmlab)', language: 'typescript' };
  return JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells });
}

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as { cells: Cell[] };

let problem = '';
let place: ReturnType<typeof scratch> | undefined;
beforeAll(async () => {
  problem = await preparePython();
}, 600_000);
afterEach(() => {
  place?.remove();
  place = undefined;
});

it('nbclient executes a notebook, and stops at an error', (context) => {
  if (problem) context.skip(problem);
  place = scratch();
  linkLibrary(place.folder);
  const cells = [
    code('a', "import { hex } from 'kernel-lib';\nconst shown = hex(255);"),
    code('b', 'shown'),
    code('c', 'let z: string = 1;'),
    code('d', "'never'"),
  ];
  writeFileSync(join(place.folder, 'n.ipynb'), notebook(cells));
  const args = ['nbconvert', '--to', 'notebook', '--execute', '--output', 'out.ipynb', 'n.ipynb'];
  const stopped = runPython('jupyter', args, place.folder);
  expect(stopped.status).not.toBe(0);
  expect(stopped.stderr).toContain('cell 3, line 1, column 5');
  expect(runPython('jupyter', [...args, '--allow-errors'], place.folder).status).toBe(0);
  const [, shown, failed, last] = read(join(place.folder, 'out.ipynb')).cells;
  expect(shown?.outputs?.[0]?.data?.['text/plain']).toEqual(["'0x000000ff'"]);
  expect(failed?.outputs?.[0]).toMatchObject({ output_type: 'error', ename: 'TypeScriptError' });
  expect(last?.outputs?.[0]?.data?.['text/plain']).toEqual(["'never'"]);
});

it('papermill puts parameters in and runs', (context) => {
  if (problem) context.skip(problem);
  place = scratch();
  const tagged = code('p', 'let n = 1;', { tags: ['parameters'] });
  writeFileSync(join(place.folder, 'n.ipynb'), notebook([tagged, code('q', 'n + 1')]));
  const { status, stderr } = runPython(
    'papermill',
    ['n.ipynb', 'out.ipynb', '--no-progress-bar'],
    place.folder,
  );
  expect(stderr).not.toContain('Error');
  expect(status).toBe(0);
  expect(read(join(place.folder, 'out.ipynb')).cells.at(-1)?.outputs?.[0]?.data?.['text/plain']).toEqual([
    '2',
  ]);
});

it('`jupyter console` runs what is typed, shows values and errors, and exits', (context) => {
  if (problem) context.skip(problem);
  place = scratch();
  const input = 'const twice = (x: number) => 2 * x\ntwice(21)\nlet z: string = 1\nexit\n';
  const args = ['console', '--kernel', 'vmlab', '--simple-prompt'];
  const { stdout, stderr } = runPython('jupyter', args, place.folder, { input });
  expect(stdout).toContain('TypeScript 5.9.3 (vmlab)');
  expect(stdout).toContain('Out[2]: 42');
  expect(stdout + stderr).toContain('TS2322');
  expect(stdout).not.toContain('Do you really want to exit');
});

describe('nbgrader', () => {
  const grader = (grade_id: string, kind: object) => ({ nbgrader: { schema_version: 3, grade_id, ...kind } });
  const solution = grader('sum', { solution: true, grade: false, locked: false, task: false });
  const test = (id: string, points: number) =>
    grader(id, { solution: false, grade: true, locked: true, task: false, points });

  const assignment = [
    code(
      's',
      '/** The sum of the numbers. */\nfunction sum(xs: number[]): number {\n  // BEGIN SOLUTION\n  return xs.reduce((a, b) => a + b, 0);\n  // END SOLUTION\n}',
      solution,
    ),
    code('t1', "if (sum([1, 2]) !== 3) throw new Error('the sum of 1 and 2');", test('some', 2)),
    code(
      't2',
      "// BEGIN HIDDEN TESTS\nif (sum([]) !== 0) throw new Error('the sum of nothing');\n// END HIDDEN TESTS",
      test('none', 3),
    ),
    code(
      't3',
      '// Partial credit: the value is the share of the points.\n// BEGIN HIDDEN TESTS\n[[], [1], [-1, 1]].filter((xs: number[]) => sum(xs) === xs.reduce((a, b) => a + b, 0)).length * 2\n// END HIDDEN TESTS',
      test('partial', 6),
    ),
  ];

  const config = `
c = get_config()
c.CourseDirectory.course_id = "vmlab"
c.ClearSolutions.code_stub = {"typescript": "// YOUR CODE HERE\\nthrow new Error('not written yet');"}
c.ClearSolutions.begin_solution_delimeter = "BEGIN SOLUTION"
c.ClearSolutions.end_solution_delimeter = "END SOLUTION"
c.Execute.timeout = 60
`;

  const release = (folder: string): string => join(folder, 'release/ps/n.ipynb');

  /** Makes the course with its assignment, and what the learners get. */
  function course(): string {
    place = scratch();
    const { folder } = place;
    writeFileSync(join(folder, 'nbgrader_config.py'), config);
    mkdirSync(join(folder, 'source/ps'), { recursive: true });
    writeFileSync(join(folder, 'source/ps/n.ipynb'), notebook(assignment));
    const made = runPython('nbgrader', ['generate_assignment', 'ps', '--create'], folder);
    expect(made.stderr).not.toContain('ERROR');
    return folder;
  }

  /** A learner hands in the released notebook with this as the solution. */
  function submit(folder: string, learner: string, answer: string): void {
    const released = read(release(folder));
    released.cells[0]!.source = answer;
    const own = join(folder, 'submitted', learner, 'ps');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'n.ipynb'), JSON.stringify(released));
  }

  /** The score of each learner. */
  function grades(folder: string): Record<string, number> {
    const graded = runPython('nbgrader', ['autograde', 'ps', '--create'], folder);
    expect(graded.stderr).not.toContain('Traceback');
    const script = `
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    print(json.dumps({s.student.id: s.score for s in book.assignment_submissions("ps")}))
`;
    return JSON.parse(runPython('python', ['-c', script], folder).stdout) as Record<string, number>;
  }

  it('releases without solutions and hidden tests, and grades with them', (context) => {
    if (problem) context.skip(problem);
    const folder = course();
    const text = readFileSync(release(folder), 'utf8');
    expect(text).toContain('YOUR CODE HERE');
    expect(text).not.toContain('reduce');
    expect(text).not.toContain('HIDDEN');
    expect(text).not.toContain('the sum of nothing');
    const body = (line: string) => `function sum(xs: number[]): number {\n  ${line}\n}`;
    submit(folder, 'right', body('let s = 0; for (const x of xs) s += x; return s;'));
    submit(folder, 'wrong', body('return xs.length === 0 ? 1 : xs.reduce((a, b) => a + b);'));
    submit(folder, 'broken', body("return 'a string';"));
    submit(folder, 'unwritten', read(release(folder)).cells[0]!.source);
    expect(grades(folder)).toEqual({ right: 11, wrong: 6, broken: 0, unwritten: 0 });
  });
});
