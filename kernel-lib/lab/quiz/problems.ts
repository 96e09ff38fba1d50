/** What is wrong with a quiz file: every problem at once, each with its line and what to do. */

export interface QuizProblem {
  file: string;
  /** From 1. */
  line: number;
  message: string;
}

/** A file that is no quiz at all has a problem in each line: nobody reads them all. */
const MOST_SHOWN = 20;

/** Thrown for a quiz file that can't be used. The message lists its problems, in the file's order. */
export class QuizError extends Error {
  override readonly name = 'QuizError';
  readonly problems: QuizProblem[];

  constructor(file: string, problems: QuizProblem[]) {
    const shown = problems.slice(0, MOST_SHOWN);
    const lines = shown.map((problem) => `  ${problem.file}:${problem.line}: ${problem.message}`);
    if (problems.length > MOST_SHOWN) lines.push(`  … and ${problems.length - MOST_SHOWN} more`);
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    super(`${file} has ${count}:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/** Where the parser writes down what it finds. */
export class ProblemList {
  private readonly found: QuizProblem[] = [];

  constructor(private readonly file: string) {}

  add(line: number, message: string): void {
    const isKnown = this.found.some((problem) => problem.line === line && problem.message === message);
    if (!isKnown) this.found.push({ file: this.file, line, message });
  }

  /** @throws QuizError if there is any problem */
  throwIfAny(): void {
    if (this.found.length === 0) return;
    throw new QuizError(
      this.file,
      this.found.sort((a, b) => a.line - b.line),
    );
  }
}
