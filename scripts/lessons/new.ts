/**
 * `npm run lessons -- new NN-name "Title"`: a lesson to begin with. Notebook (both versions), quiz,
 * exercise and its test, all of it small, whole and right, so that `check` passes before the first
 * change and the author replaces one thing after the other.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesOf, LESSON_NAME, lessonNames } from './course';
import { type Cell, linesOf, type Notebook, notebookText } from './notebook';
import { learnersVersion } from './release';
import { exerciseSource, exerciseTestSource, quizSource } from './templates';

const INDEX = 'kernel-lib/index.ts';

/**
 * Writes the files of a new lesson and has the library load its exercises.
 * @returns the files that were made or changed, from the project's folder
 * @throws Error, and nothing is written, if the name has another form, or something of it is there
 */
export function scaffold(project: string, name: string, title: string): string[] {
  if (!LESSON_NAME.test(name))
    throw new Error(
      `A lesson is called NN-name, such as 18-my-lesson: two digits, then words in lower case with hyphens. ${JSON.stringify(name)} is not.`,
    );
  if (title.trim() === '') throw new Error('The title is empty: give it in quotes, "My lesson".');
  const number = name.slice(0, 2);
  const twin = lessonNames(project).find((other) => other.startsWith(`${number}-`));
  if (twin !== undefined)
    throw new Error(`There is a lesson ${number} already: ${twin}. Take another number.`);
  const topic = name.slice(3);
  const { instructor, learner, quiz } = filesOf(name);
  const notebook = firstNotebook(name, title.trim());
  const files = new Map([
    [instructor, notebookText(notebook)],
    [learner, notebookText(learnersVersion(notebook))],
    [quiz, quizSource(number, title.trim())],
    [`kernel-lib/lab/exercises/${topic}.ts`, exerciseSource(number)],
    [`test/lab/exercises/${name}.test.ts`, exerciseTestSource(number)],
  ]);
  const taken = [...files.keys()].find((file) => existsSync(join(project, file)));
  if (taken !== undefined) throw new Error(`${taken} is there already: take another name.`);
  for (const [file, text] of files) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), text);
  }
  loadInIndex(project, topic);
  return [...files.keys(), INDEX];
}

/** Puts the import of the exercises behind those of the others. */
function loadInIndex(project: string, topic: string): void {
  const path = join(project, INDEX);
  const lines = readFileSync(path, 'utf8').split('\n');
  const last = lines.findLastIndex((line) => line.startsWith("import './lab/exercises/"));
  lines.splice(last < 0 ? lines.length : last + 1, 0, `import './lab/exercises/${topic}';`);
  writeFileSync(path, lines.join('\n'));
}

function firstNotebook(name: string, title: string): Notebook {
  const number = name.slice(0, 2);
  return {
    cells: [
      prose(
        'title',
        `# ${number} · ${title}\n\n**The question of the lesson?**\n\nWhat you will do, and what you will know at the end.\n\n*About 60 minutes. Run a cell with Shift+Enter.*`,
      ),
      code('imports', "import { check, quiz } from 'kernel-lib';"),
      prose(
        'ex1',
        '## 1 · Exercise: add as the machine does\n\nRegisters have 32 bits. Write what `add` leaves in a register, for any two of them, as an unsigned number.',
      ),
      code(
        'ex1-code',
        'function myAdd(a: number, b: number): number | undefined {\n  let sum: number | undefined;\n  // BEGIN SOLUTION\n  sum = (a + b) >>> 0;\n  // END SOLUTION\n  return sum;\n}',
        { grade: false, solution: true },
      ),
      code('ex1-check', `check('${number}-add', myAdd);`, { grade: true, solution: false }),
      prose('quiz-intro', '## Quiz\n\nCheck yourself. Your answers survive a reload of the page.'),
      code('quiz', `quiz('${name}');`),
      prose(
        'next',
        '## Read next\n\n- `kernel-lib/isa/rv32i.ts`: the row of `add`.\n\n**Sources.** The RISC-V Instruction Set Manual, volume I.',
      ),
    ],
    metadata: {
      kernelspec: { display_name: 'TypeScript (vmlab)', language: 'typescript', name: 'vmlab' },
      language_info: {
        name: 'typescript',
        file_extension: '.ts',
        mimetype: 'text/typescript',
        codemirror_mode: { mode: 'typescript', name: 'javascript', typescript: true },
        version: '',
      },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

function prose(id: string, text: string): Cell {
  return { cell_type: 'markdown', id, metadata: {}, source: linesOf(text) };
}

/** A code cell; with what nbgrader wants to know, if it is part of an exercise. */
function code(id: string, text: string, graded?: { grade: boolean; solution: boolean }): Cell {
  const nbgrader = {
    grade_id: id,
    locked: graded?.grade ?? false,
    schema_version: 3,
    task: false,
    ...(graded?.grade ? { points: 2 } : {}),
  };
  return {
    cell_type: 'code',
    execution_count: null,
    id,
    metadata: graded === undefined ? {} : { nbgrader: { ...nbgrader, ...graded } },
    outputs: [],
    source: linesOf(text),
  };
}
