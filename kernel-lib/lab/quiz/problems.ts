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
  private readonly found = new Map<string, QuizProblem>();

  constructor(private readonly file: string) {}

  add(line: number, message: string): void {
    this.found.set(`${line}: ${message}`, { file: this.file, line, message });
  }

  /** @throws QuizError if there is any problem */
  throwIfAny(): void {
    if (this.found.size === 0) return;
    const problems = [...this.found.values()];
    throw new QuizError(
      this.file,
      problems.sort((a, b) => a.line - b.line),
    );
  }
}
