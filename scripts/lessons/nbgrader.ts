/**
 * `npm run lessons -- release --nbgrader DIR`: the lessons as a course of nbgrader.
 *
 *     DIR/nbgrader_config.py       what nbgrader must know of TypeScript, of our kernel, and of check()
 *     DIR/source/NN-name/          the instructor's version
 *     DIR/release/NN-name/         the learner's version, to be handed out
 *     DIR/quizzes/                 the quizzes, which quiz() looks for above the notebook
 *
 * `nbgrader generate_assignment NN-name` in DIR makes nbgrader's own release version; `autograde`
 * runs what was handed in with VMLAB_STRICT=1, under which check() throws.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { jupyterData, project as own } from '../places.mjs';
import { filesOf } from './course';
import { readNotebook, withoutOutputs, writeNotebook } from './notebook';
import { learnersVersion } from './release';

/**
 * Writes the layout.
 * @returns the lessons that were written
 * @throws Error if DIR is a file, or a lesson is no notebook
 */
export function nbgraderLayout(project: string, names: string[], folder: string): string[] {
  const root = resolve(folder);
  const lessons = names.filter((name) => existsSync(join(project, filesOf(name).instructor)));
  mkdirSync(join(root, 'quizzes'), { recursive: true });
  for (const name of lessons) {
    const { instructor, quiz } = filesOf(name);
    const notebook = withoutOutputs(readNotebook(join(project, instructor)));
    for (const [kind, version] of [
      ['source', notebook],
      ['release', learnersVersion(notebook)],
    ] as const) {
      mkdirSync(join(root, kind, name), { recursive: true });
      writeNotebook(join(root, kind, name, `${name}.ipynb`), version);
    }
    if (existsSync(join(project, quiz))) copyFileSync(join(project, quiz), join(root, quiz));
  }
  writeConfig(join(root, 'nbgrader_config.py'));
  return lessons;
}

/** The configuration; one that somebody has written is left alone. */
function writeConfig(file: string): void {
  if (existsSync(file) && !readFileSync(file, 'utf8').startsWith(FIRST_LINE)) return;
  const text = `${FIRST_LINE}
import os

# The kernel of the lessons, and the libraries that it loads.
os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [${python(jupyterData)}, os.environ.get("JUPYTER_PATH")]))
os.environ["NODE_PATH"] = ${python(join(own, 'node_modules'))}
# check() throws, so that a wrong answer gives no points.
os.environ["VMLAB_STRICT"] = "1"

c = get_config()
c.CourseDirectory.course_id = "vmlab"
c.ClearSolutions.code_stub = {"typescript": "// YOUR CODE HERE"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"
c.ClearSolutions.enforce_metadata = True
`;
  writeFileSync(file, text);
}

const FIRST_LINE =
  '# Written by `npm run lessons -- release --nbgrader`. Take this line out to keep changes of your own.';

/** A text as Python writes it. */
function python(text: string): string {
  return JSON.stringify(text);
}
