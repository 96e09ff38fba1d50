/** What `npm run lessons -- check` finds: a place and what is wrong there, in one line. */

export interface LessonProblem {
  /** From the project's folder. */
  file: string;
  /** The cell's id, if it is about one. */
  cell?: string;
  /** From 1: in the cell, or in the file where there is no cell. */
  line?: number;
  /** What is wrong, and what to do. */
  message: string;
}

/** `notebooks/instructor/03-x.ipynb, cell ex1-code, line 3: …`; files of text as editors know it, `quizzes/03-x.md:12: …`. */
export function problemText({ file, cell, line, message }: LessonProblem): string {
  if (cell === undefined) return `${file}${line === undefined ? '' : `:${line}`}: ${message}`;
  return `${file}, cell ${cell}${line === undefined ? '' : `, line ${line}`}: ${message}`;
}

/** Problems in the order of files, each once. */
export function sorted(problems: LessonProblem[]): LessonProblem[] {
  const once = new Map(problems.map((problem) => [problemText(problem), problem]));
  return [...once.values()].sort((a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)));
}
