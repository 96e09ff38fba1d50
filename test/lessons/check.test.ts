// npm run lessons -- new, check, release, strip: a new lesson passes; whatever is broken in a notebook, a quiz
// or a file of exercises is told with its place; wrong command lines are answered in two lines.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { staticProblems } from '../../scripts/lessons/check';
import { filesOf, lessonNames } from '../../scripts/lessons/course';
import { nbgraderLayout } from '../../scripts/lessons/nbgrader';
import { scaffold } from '../../scripts/lessons/new';
import { type Notebook, readNotebook, writeNotebook } from '../../scripts/lessons/notebook';
import { notebookProblems } from '../../scripts/lessons/notebook-rules';
import { problemText } from '../../scripts/lessons/problem';
import { quizProblems } from '../../scripts/lessons/quiz-rules';
import { strip } from '../../scripts/lessons/strip';
import { project } from '../../scripts/places.mjs';

const NAME = '18-adding';
const FILES = filesOf(NAME);
let root: string;

/** A project beside the real one: its own lessons and exercises, and all else of the library. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vmlab-course-'));
  for (const folder of ['notebooks/instructor', 'quizzes', 'kernel-lib/lab/exercises', 'test/lab/exercises'])
    mkdirSync(join(root, folder), { recursive: true });
  const link = (folder: string, except: string[]) => {
    for (const name of readdirSync(join(project, folder)))
      if (!except.includes(name)) symlinkSync(join(project, folder, name), join(root, folder, name));
  };
  link('kernel-lib', ['lab', 'index.ts', 'dist', 'node_modules']);
  link('kernel-lib/lab', ['exercises']);
  cpSync(join(project, 'kernel-lib/index.ts'), join(root, 'kernel-lib/index.ts'));
  const index = join(root, 'kernel-lib/index.ts');
  writeFileSync(index, readFileSync(index, 'utf8').replace(/^import '\.\/lab\/exercises\/.*\n/gm, ''));
  scaffold(root, NAME, 'Adding');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const check = (name = NAME) => staticProblems(root, [name]).map(problemText);

it('the lessons of this project: nothing to complain about, and no solution where a learner could read it', () => {
  expect(staticProblems(project, lessonNames(project)).map(problemText)).toEqual([]);
});

describe('a new lesson', () => {
  it('has notebook, quiz, exercise and test, and passes check', () => {
    for (const file of [FILES.instructor, FILES.learner, FILES.quiz])
      expect(existsSync(join(root, file))).toBe(true);
    expect(readFileSync(join(root, 'kernel-lib/index.ts'), 'utf8')).toContain(
      "import './lab/exercises/adding';",
    );
    expect(readFileSync(join(root, FILES.learner), 'utf8')).toContain('// YOUR CODE HERE');
    expect(readFileSync(join(root, `test/lab/exercises/${NAME}.test.ts`), 'utf8')).toContain("'18-add'");
    expect(check()).toEqual([]);
  });

  it('has an exercise that takes the right answer and refuses a wrong one', () => {
    const script =
      'const [check, exercises] = process.argv.slice(1); require(exercises);' +
      "const strict = (f) => require(check).check('18-add', f, { strict: true });" +
      'strict((a, b) => (a + b) >>> 0); try { strict((a, b) => a + b); } catch (error) { console.log(error.message); }';
    const files = ['kernel-lib/lab/check.ts', 'kernel-lib/lab/exercises/adding.ts'].map((file) =>
      join(root, file),
    );
    const hook = join(project, 'node_modules/tsx/dist/cjs/index.cjs');
    const { stdout, stderr } = spawnSync(process.execPath, ['--require', hook, '-e', script, ...files], {
      encoding: 'utf8',
    });
    expect(stdout + stderr).toMatch(
      /✓ Right: add as the machine does[\s\S]*18-add: add of 0xffffffff and 0x00000001 leaves 0x00000000/,
    );
  });

  it.each([
    ['adding', 'A', 'A lesson is called NN-name'],
    ['19-Adding', 'A', 'A lesson is called NN-name'],
    ['../19-adding', 'A', 'A lesson is called NN-name'],
    ['19-other', ' ', 'The title is empty'],
    ['18-other', 'Other', 'There is a lesson 18 already: 18-adding'],
    ['19-adding', 'A', 'kernel-lib/lab/exercises/adding.ts is there already'],
  ])('%s %s is refused, and nothing is written', (name, title, message) => {
    expect(() => scaffold(root, name, title)).toThrow(message);
    expect(readdirSync(join(root, 'notebooks/instructor'))).toEqual([`${NAME}.ipynb`]);
    expect(readdirSync(join(root, 'quizzes'))).toEqual([`${NAME}.md`]);
  });
});

type Change = (notebook: Notebook) => void;
const cell = (notebook: Notebook, id: string) => {
  const found = notebook.cells.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no cell ${id}`);
  return found;
};
const graded = (notebook: Notebook, id: string) =>
  cell(notebook, id).metadata.nbgrader as unknown as Record<string, unknown>;
const say =
  (id: string, ...source: string[]): Change =>
  (notebook) => {
    cell(notebook, id).source = source;
  };

const BROKEN: [string, Change | string, string][] = [
  ['no JSON', '{"cells": [\n  {,\n', `${FILES.instructor}:2: not a notebook, because it is not JSON`],
  ['cut off', '{\n"cells": [', `${FILES.instructor}:2: not a notebook, because it is not JSON`],
  ['JSON of something else', '[1, 2]', 'not a notebook of format 4.5'],
  ['an older format', (n) => Object.assign(n, { nbformat_minor: 4 }), 'not a notebook of format 4.5'],
  ['cells that are none', (n) => Object.assign(n, { cells: {} }), 'not a notebook of format 4.5'],
  ['another kind of JSON', '\n["a"', `${FILES.instructor}:2: not a notebook, because it is not JSON`],
  [
    'a merge that was not finished',
    '{\n<<<<<<< HEAD\n"cells": []',
    `${FILES.instructor}:2: not a notebook, because it is not JSON`,
  ],
  ['a byte order mark', '\uFEFF{}', 'begins with a byte order mark'],
  ['far too much of it', ' '.repeat(5_000_001), 'longer than 5000000 characters'],
  [
    'nbformat 3',
    '{"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": []}]}',
    'not a notebook of format 4.5',
  ],
  ['no metadata', (n) => Object.assign(n, { metadata: undefined }), 'the notebook has no metadata'],
  ['metadata that are a list', (n) => Object.assign(n, { metadata: [] }), 'the notebook has no metadata'],
  [
    'a source of numbers',
    (n) => Object.assign(n.cells[1], { source: [1, 2] }),
    'cell 2 has no type, source or metadata',
  ],
  [
    'a type that there isn’t',
    (n) => Object.assign(n.cells[1], { cell_type: 'heading' }),
    'cell 2 has no type, source or metadata',
  ],
  [
    'nbgrader’s metadata that are none',
    (n) => Object.assign(n.cells[1].metadata, { nbgrader: null }),
    'cell 2 has no type, source or metadata',
  ],
  [
    'a grade_id that is a number',
    (n) => Object.assign(graded(n, 'ex1-check'), { grade_id: 7 }),
    'cell ex1-check: nbgrader’s metadata have no grade_id',
  ],
  [
    'points in quotes',
    (n) => Object.assign(graded(n, 'ex1-check'), { points: '3' }),
    'cell ex1-check: nbgrader’s metadata have no points',
  ],
  [
    'a mark of a solution behind code',
    say('ex1-code', 'a();\n', 'b(); // BEGIN SOLUTION\n', 'c();\n', '// END SOLUTION'),
    'cell ex1-code, line 2: the marks of a solution stand each on a line of its own',
  ],
  [
    'an exercise whose name is in a variable',
    say('ex1-check', "const id = '18-add';\n", 'check(id, myAdd);'),
    'cell ex1-check: is graded, and calls no check() with the id of an exercise in quotes',
  ],
  [
    'an unknown exercise in backticks',
    say('ex1-check', 'check(`18-sub`, myAdd);'),
    'cell ex1-check, line 1: there is no exercise 18-sub',
  ],
  [
    'a reference to nowhere',
    say('next', 'See [it][1].\n', '\n', '[1]: 99-nowhere.ipynb'),
    'cell next, line 3: the link to 99-nowhere.ipynb leads nowhere',
  ],
  [
    'a picture in HTML that is not there',
    say('next', 'See <img alt="it" src="it.png">.'),
    'cell next, line 1: the link to it.png leads nowhere',
  ],
  ['a cell that is none', (n) => n.cells.push(null as never), 'cell 9 has no type, source or metadata'],
  ['a cell without an id', (n) => Object.assign(n.cells[2], { id: undefined }), 'cell 3 has no id'],
  [
    'an id twice',
    (n) => Object.assign(n.cells[2], { id: 'title' }),
    'cell title: a second cell with this id',
  ],
  [
    'an id in capitals',
    (n) => Object.assign(n.cells[2], { id: 'Ex_1' }),
    'cell Ex_1: ids are words in lower case',
  ],
  [
    'outputs',
    (n) => cell(n, 'quiz').outputs?.push({ output_type: 'stream' }),
    'cell quiz: has outputs or a count',
  ],
  [
    'a count',
    (n) => Object.assign(cell(n, 'quiz'), { execution_count: 7 }),
    'cell quiz: has outputs or a count',
  ],
  [
    'another kernel',
    (n) => Object.assign(n.metadata, { kernelspec: { name: 'python3' } }),
    'its kernel is not vmlab',
  ],
  ['no cells at all', (n) => Object.assign(n, { cells: [] }), 'has no cells'],
  [
    'a heading of another lesson',
    say('title', '# 03 · Adding\n', '*About 60 minutes.*'),
    'cell title: the first cell begins with the heading `# 18 · Title`',
  ],
  ['no minutes', say('title', '# 18 · Adding'), 'cell title: the first cell says how long'],
  ['too many words', say('ex1', 'word '.repeat(150)), 'cell ex1: 150 words: at most 110'],
  ['an empty cell', say('ex1', ' \n'), 'cell ex1: is empty'],
  [
    'a solution not closed',
    say('ex1-code', 'a;\n', '// BEGIN SOLUTION\n', 'b;'),
    'cell ex1-code, line 2: // BEGIN SOLUTION and // END SOLUTION don’t pair up',
  ],
  [
    'a solution not opened',
    say('ex1-code', 'a;\n', '// END SOLUTION\n'),
    'cell ex1-code, line 2: // BEGIN SOLUTION and // END',
  ],
  [
    'solutions in each other',
    say('ex1-code', '// BEGIN SOLUTION\n', '// BEGIN SOLUTION\n', '// END SOLUTION\n', '// END SOLUTION'),
    'don’t pair up',
  ],
  [
    'an empty solution',
    say('ex1-code', 'x;\n', '// BEGIN SOLUTION\n', '// END SOLUTION'),
    'cell ex1-code, line 2: the solution is empty',
  ],
  [
    'a solution in prose',
    say('ex1', '// BEGIN SOLUTION\n', 'x\n', '// END SOLUTION'),
    'cell ex1, line 1: a solution stands in a code cell',
  ],
  [
    'a solution without metadata',
    (n) => Object.assign(cell(n, 'ex1-code'), { metadata: {} }),
    'cell ex1-code, line 3: a solution needs nbgrader’s metadata',
  ],
  [
    'metadata without a solution',
    say('ex1-code', 'const myAdd = 1;'),
    'cell ex1-code: nbgrader’s metadata say that it holds a solution',
  ],
  [
    'a check without metadata',
    (n) => Object.assign(cell(n, 'ex1-check'), { metadata: {} }),
    'cell ex1-check, line 1: a cell with check() needs nbgrader’s metadata',
  ],
  [
    'a check without points',
    (n) => delete graded(n, 'ex1-check').points,
    'cell ex1-check: nbgrader’s metadata have no points',
  ],
  [
    'a check not graded',
    (n) => Object.assign(graded(n, 'ex1-check'), { grade: false }),
    'cell ex1-check, line 1: calls check(), and is not graded',
  ],
  [
    'a graded cell without a check',
    say('ex1-check', 'myAdd(1, 2);'),
    'cell ex1-check: is graded, and calls no check()',
  ],
  [
    'a grade_id twice',
    (n) => Object.assign(graded(n, 'ex1-check'), { grade_id: 'ex1-code' }),
    'cell ex1-check: a second cell with the grade_id ex1-code',
  ],
  [
    'an old schema of nbgrader',
    (n) => Object.assign(graded(n, 'ex1-check'), { schema_version: 2 }),
    'cell ex1-check: nbgrader’s metadata have another schema_version',
  ],
  [
    'an unknown exercise',
    say('ex1-check', '\n', "check('18-sub', myAdd);"),
    'cell ex1-check, line 2: there is no exercise 18-sub',
  ],
  [
    'an exercise that nobody calls',
    say('ex1-check', "check('18-sub', myAdd);"),
    "no cell calls check('18-add', …)",
  ],
  [
    'an unknown quiz',
    say('quiz', "quiz('18-subtracting');"),
    'cell quiz, line 1: there is no quiz quizzes/18-subtracting.md',
  ],
  ['no quiz', say('quiz', 'const nothing = 0;'), "no cell calls quiz('18-adding')"],
  [
    'a link to nowhere',
    say('next', 'See\n', '[lesson 99](99-nowhere.ipynb).'),
    'cell next, line 2: the link to 99-nowhere.ipynb leads nowhere',
  ],
  [
    'a file that is not there',
    say('next', 'Read `kernel-lib/isa/rv99.ts`.'),
    'cell next, line 1: there is no kernel-lib/isa/rv99.ts',
  ],
  [
    'an unknown row',
    (n) => Object.assign(cell(n, 'ex1').metadata, { vmlab: { covers: ['S9-01'] } }),
    'cell ex1: covers "S9-01", which is no row',
  ],
  [
    'covers that are no list',
    (n) => Object.assign(cell(n, 'ex1').metadata, { vmlab: { covers: 'S1-01' } }),
    'cell ex1: "covers" in its metadata is a list',
  ],
];

describe('a broken notebook', () => {
  it.each(BROKEN)('%s is told with its place', (_, change, expected) => {
    const path = join(root, FILES.instructor);
    let text = typeof change === 'string' ? change : '';
    if (typeof change !== 'string') {
      const notebook = readNotebook(path);
      change(notebook);
      text = JSON.stringify(notebook, null, 1);
    }
    const context = {
      project: root,
      name: NAME,
      file: FILES.instructor,
      exercises: ['18-add'],
      quizzes: [NAME],
    };
    const told = notebookProblems(text, context).problems.map(problemText);
    expect(told).toContainEqual(expect.stringContaining(expected));
    for (const line of told) expect(line.startsWith(FILES.instructor)).toBe(true);
  });

  it('random changes of its text never throw', () => {
    const text = readFileSync(join(root, FILES.instructor), 'utf8');
    let seed = 5;
    const random = (below: number) => (seed = (seed * 48271) % 0x7fffffff) % below;
    const context = { project: root, name: NAME, file: FILES.instructor, exercises: [], quizzes: [] };
    for (let n = 0; n < 300; n++) {
      const at = random(text.length);
      const mutated = text.slice(0, at) + '{}[]",:0nul'[random(11)] + text.slice(at + random(30));
      expect(notebookProblems(mutated, context).problems.length).toBeGreaterThan(0);
    }
  });
});

describe('the files around it', () => {
  it('a folder in the place of a notebook or a quiz, and bytes that are no text', () => {
    for (const file of [FILES.instructor, FILES.learner, FILES.quiz]) rmSync(join(root, file));
    mkdirSync(join(root, FILES.instructor));
    writeFileSync(join(root, FILES.learner), Buffer.from('{"cells": []}', 'utf16le').fill(0xff, 4, 6));
    mkdirSync(join(root, FILES.quiz));
    const unread =
      'can’t be read (EISDIR: illegal operation on a directory). It should be a text file that you may read.';
    expect(check()).toEqual([
      `${FILES.instructor}: ${unread}`,
      `${FILES.learner}: not readable as text: save it as UTF-8.`,
      `${FILES.quiz}: ${unread}`,
    ]);
    expect(() => readNotebook(join(root, FILES.instructor))).toThrow(`${FILES.instructor}: can’t be read`);
  });

  it('a broken quiz is told with its lines by the command, too, each problem once', () => {
    const quiz = readFileSync(join(root, FILES.quiz), 'utf8');
    writeFileSync(join(root, FILES.quiz), quiz.replace('[x]', '[ ]').replace('= 32', '= many'));
    const script =
      'import(process.argv[1]).then(({ quizProblems }) => console.log(JSON.stringify(quizProblems(...process.argv.slice(2)))))';
    const rules = join(project, 'scripts/lessons/quiz-rules.ts');
    const tsx = join(project, 'node_modules/tsx/dist/cli.mjs');
    const { stdout, stderr } = spawnSync(process.execPath, [tsx, '-e', script, rules, root, FILES.quiz], {
      encoding: 'utf8',
    });
    const told = JSON.parse(stdout || stderr) as { file: string; line: number }[];
    expect(told.map(({ file, line }) => [file, line])).toEqual([
      [FILES.quiz, 10],
      [FILES.quiz, 21],
    ]);
  });

  it('a schema that is broken is told in nbformat’s words, with the cell', () => {
    const notebook = readNotebook(join(root, FILES.instructor));
    Object.assign(cell(notebook, 'ex1'), { outputs: [] });
    writeNotebook(join(root, FILES.instructor), notebook);
    expect(check()).toContainEqual(
      expect.stringMatching(/instructor\/18-adding\.ipynb, cell ex1: nbformat’s schema: .*outputs/),
    );
  });

  it('a learner’s version that is old, missing, or holds the solution', () => {
    const learner = join(root, FILES.learner);
    const notebook = readNotebook(learner);
    cell(notebook, 'next').metadata.note = 'sum = (a + b) >>> 0;';
    writeNotebook(learner, notebook);
    const told = check();
    expect(told).toContainEqual(
      `${FILES.learner}: is not up to date: \`npm run lessons -- release\` makes it`,
    );
    expect(told).toContainEqual(
      `${FILES.learner}, cell next: gives away a line of the solution in ex1-code: sum = (a + b) >>> 0;`,
    );
    rmSync(learner);
    expect(check()).toEqual([`${FILES.learner}: is missing: \`npm run lessons -- release\` makes it`]);
  });

  it('a hint that holds the solution', () => {
    const file = 'kernel-lib/lab/exercises/adding.ts';
    const source = readFileSync(join(root, file), 'utf8');
    writeFileSync(
      join(root, file),
      source.replace('The operator >>> with 0', 'Write sum = (a + b) >>> 0; it'),
    );
    expect(check()).toEqual([
      expect.stringMatching(
        /exercises\/adding\.ts:\d+: a text gives away a line of the solution in ex1-code/,
      ),
    ]);
  });

  it('a notebook or quiz alone, and one with another name', () => {
    rmSync(join(root, FILES.instructor));
    expect(check()).toContainEqual(
      `${FILES.instructor}: is missing; there is ${FILES.learner} and ${FILES.quiz}`,
    );
    expect(check('lesson')).toContainEqual(expect.stringContaining('lessons are called NN-name'));
  });

  it.each([
    ['a mistake', (text: string) => text.replace('[x]', '[ ]'), ':10: no answer is right'],
    [
      'another lesson',
      (text: string) => text.replace('lesson: 18', 'lesson: 03'),
      ':1: says lesson 03, and is called after lesson 18',
    ],
    [
      'an unknown row',
      (text: string) => text.replace('<!-- Unpriv', '<!-- S0 Q9; Unpriv'),
      ':6: names S0 Q9, which is no row',
    ],
  ])('a quiz with %s', (_, change, expected) => {
    const path = join(root, FILES.quiz);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
    expect(quizProblems(root, FILES.quiz).map(problemText)).toContainEqual(
      expect.stringContaining(FILES.quiz + expected),
    );
  });

  it('a file of exercises that ends the whole process is named', () => {
    const file = 'kernel-lib/lab/exercises/adding.ts';
    writeFileSync(join(root, file), `${readFileSync(join(root, file), 'utf8')}\nprocess.exit(3);\n`);
    expect(() => check()).toThrow(
      `${file}: loading it, or testing a function that does nothing, ended the whole process (with 3).`,
    );
  });

  it('files of exercises, many kinds at once', () => {
    const folder = 'kernel-lib/lab/exercises';
    const good = readFileSync(join(root, folder, 'adding.ts'), 'utf8');
    const kinds: [string, string, string][] = [
      ['syntax', 'const a = ;\n', ': can’t be loaded: '],
      ['throws', "import '../check';\nthrow new Error('Oh no');\n", ': can’t be loaded: Oh no'],
      ['missing', "import './nowhere';\n", ': can’t be loaded: Cannot find module'],
      ['none', 'export const nothing = 0;\n', ': defines no exercise'],
      ['twice', good, ': can’t be loaded: There are two exercises "18-add"'],
      ['id', good.replace("'18-add'", "'Add'"), ': exercise Add: its id begins with the lesson'],
      [
        'title',
        good.replace("'18-add'", "'18-b'").replace("'add as the machine does'", "''"),
        ': exercise 18-b: it has no title',
      ],
      [
        'passed',
        good.replace("'18-add'", "'18-c'").replace(/passed: `[^`]*`/, "passed: ''"),
        ': exercise 18-c: it has no `passed`',
      ],
      [
        'hints',
        good.replace("'18-add'", "'18-d'").replace(/ {4}'What becomes.*\n/, ''),
        ': exercise 18-d: it has 2 hints',
      ],
      [
        'hint',
        good.replace("'18-add'", "'18-e'").replace(/'What becomes[^']*'/, "' '"),
        ': exercise 18-e: a hint is empty',
      ],
      [
        'passes',
        good.replace("'18-add'", "'18-f'").replace('test: testAdd', 'test: () => undefined'),
        ': exercise 18-f: a function that does nothing passes',
      ],
      [
        'bad',
        good.replace("'18-add'", "'18-g'").replace('test: testAdd', "test: () => { throw new Error('no'); }"),
        ': exercise 18-g: its test throws on a function that does nothing: no',
      ],
      [
        'mute',
        good.replace("'18-add'", "'18-h'").replace('test: testAdd', "test: () => ({ message: '' })"),
        ': exercise 18-h: its test fails without a message',
      ],
    ];
    const index = join(root, 'kernel-lib/index.ts');
    const imports = kinds.map(([name]) => `import './lab/exercises/x-${name}';`);
    writeFileSync(index, [readFileSync(index, 'utf8'), ...imports].join('\n'));
    for (const [name, source] of kinds) writeFileSync(join(root, folder, `x-${name}.ts`), source);
    writeFileSync(join(root, folder, 'x-unlisted.ts'), good.replace("'18-add'", "'18-z'"));
    const told = check();
    for (const [name, , expected] of kinds) {
      const own = told.filter((line) => line.startsWith(`${folder}/x-${name}.ts`));
      expect(own, name).toHaveLength(1);
      expect(own[0].replace(/(x-[a-z]+\.ts):\d+:/, '$1:')).toContain(`x-${name}.ts${expected}`);
    }
    expect(told).toContainEqual(expect.stringContaining(`${folder}/x-throws.ts:2: `));
    expect(told).toContainEqual(expect.stringContaining(`${folder}/x-unlisted.ts: is not loaded: add`));
  });
});

describe('strip and release', () => {
  it('strip takes out what running left, and mends a source that is one string', () => {
    const path = join(root, FILES.instructor);
    const before = readFileSync(path, 'utf8');
    const notebook = readNotebook(path);
    Object.assign(cell(notebook, 'quiz'), { outputs: [{}], execution_count: 3, source: 'quiz(1)' });
    Object.assign(notebook.metadata, { widgets: {} });
    writeNotebook(path, notebook);
    expect(strip(root, [NAME])).toEqual([FILES.instructor]);
    expect(cell(readNotebook(path), 'quiz')).toMatchObject({
      outputs: [],
      execution_count: null,
      source: ['quiz(1)'],
    });
    writeFileSync(path, before);
    expect(strip(root, [NAME])).toEqual([]);
  });

  it('nbgrader’s layout has both versions, the quizzes and a configuration, which is left alone once changed', () => {
    const folder = join(root, 'course');
    expect(nbgraderLayout(root, [NAME], folder)).toEqual([NAME]);
    const source = readNotebook(join(folder, 'source', NAME, `${NAME}.ipynb`));
    expect(cell(source, 'ex1-code').source.join('')).toContain('BEGIN SOLUTION');
    const handedOut = readFileSync(join(folder, 'release', NAME, `${NAME}.ipynb`), 'utf8');
    expect(handedOut).toContain('// YOUR CODE HERE');
    expect(handedOut).not.toContain('SOLUTION');
    expect(existsSync(join(folder, FILES.quiz))).toBe(true);
    const config = join(folder, 'nbgrader_config.py');
    expect(readFileSync(config, 'utf8')).toContain('VMLAB_STRICT');
    writeFileSync(config, '# mine\n');
    nbgraderLayout(root, [NAME], folder);
    expect(readFileSync(config, 'utf8')).toBe('# mine\n');
  });
});

it.each([
  [[], 'Which command?'],
  [['run'], 'There is no command "run".'],
  [['check', '--fast'], "Unknown option '--fast'."],
  [['check', '--patience', 'much'], '--patience wants a whole number from 1 up, and got "much".'],
  [['new', '18-x'], 'A new lesson needs a name and, in quotes, a title.'],
  [['release', '--nbgrader'], "Option '--nbgrader <value>' argument missing."],
  [['release', '--nbgrader', 'README.md'], '--nbgrader wants a folder, and "README.md" is none.'],
  [['export', 'gift', '--out', 'package.json'], '--out wants a folder, and "package.json" is none.'],
  [['strip', '-v'], "Unknown option '-v'."],
  [['toString'], 'There is no command "toString".'],
])('npm run lessons -- %j says what is wrong, then how it is used, and ends with 2', (args, message) => {
  const { status, stderr } = spawnSync('npm', ['run', '-s', 'lessons', '--', ...args], {
    cwd: project,
    encoding: 'utf8',
  });
  const lines = stderr
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('npm'));
  const [told, ...usages] = lines;
  expect(told).toBe(message);
  expect(usages[0]).toContain('Usage: npm run lessons -- ');
  for (const usage of usages) expect(usage).toContain('npm run lessons -- ');
  expect(status).toBe(2);
});

it('an unknown lesson is told, with those that there are', () => {
  const { status, stderr } = spawnSync('npm', ['run', '-s', 'lessons', '--', 'check', '77'], {
    cwd: project,
    encoding: 'utf8',
  });
  expect(stderr).toContain('There is no lesson "77". There are: ');
  expect(status).toBe(1);
});
