/**
 * The cells of a notebook as the compiler sees them: what was declared so far, and the compiling of the next one.
 *
 * A cell is checked before it runs; what it declares counts only once it has run, and if it fails only as far as it
 * got (`settle`). Completion and inspection look at a cell in the same way, without keeping it.
 */
import * as ts from 'typescript';
import type { CompileAnswer, Edit, Problem } from '../messages';
import { isLocal } from '../specifiers';
import { Files } from './host';
import { localFiles } from './local-files';
import { type KnownName, type NameKind, type Prepared, prepare } from './names';
import { localProblems, problemsOf, syntaxProblems } from './problems';
import { cellTransformer, withoutExports } from './rewrite';

/** A cell that was compiled and has not settled yet. */
interface Pending {
  file: string;
  prepared: Prepared;
}

/** TS7016: a package brings no types. The learner can't help that; it is `any`. */
const UNTYPED_PACKAGE = 7016;
/** TS7022, 7023, 7024: a name has no type because its declaration refers to itself. */
const CIRCULAR = new Set([7022, 7023, 7024]);

export class Cells {
  readonly files: Files;
  private readonly known = new Map<string, KnownName>();
  private readonly pending = new Map<number, Pending>();
  private readonly augmenting: string[] = [];
  /** Local files that were found to be right, with the version of the program that said so. */
  private readonly checked = new Map<string, ts.SourceFile>();

  /** @param folder the notebook's folder */
  constructor(folder: string) {
    this.files = new Files(folder);
  }

  /** A program's files: the cells whose names hold stay in it, so that what they import is read only once. */
  private roots(file: string): string[] {
    const holding = [...this.known.values()].map((known) => known.file);
    return [...new Set([...this.augmenting, ...holding, file])];
  }

  /** Checks a cell and turns it into JavaScript. `name` is what stack frames call it. */
  compile(cell: number, name: string, code: string): CompileAnswer {
    const answer = this.tryToCompile(cell, name, code, prepare(code, this.known));
    if (!('problems' in answer) || !answer.problems.some(({ code }) => CIRCULAR.has(code))) return answer;
    const deeper = prepare(code, this.known, { inFunctions: true });
    if (deeper.edits.length === 0) return answer;
    const second = this.tryToCompile(cell, name, code, deeper);
    return 'problems' in second ? answer : second;
  }

  private tryToCompile(cell: number, name: string, code: string, prepared: Prepared): CompileAnswer {
    const file = this.files.cellPath(`cell-${cell}`);
    this.files.write(file, prepared.text);
    return this.files.ask(this.roots(file), (service) => {
      const problems = this.check(service, file, name, code, prepared);
      if (problems.length > 0) return { problems };
      this.pending.set(cell, { file, prepared });
      const { js, map, made } = emitCell(service, file, prepared.end);
      const types = [...prepared.declared.keys()].filter((declared) => !made.has(declared));
      return { compiled: { name, source: code, edits: prepared.edits, js, map }, types };
    });
  }

  /** A cell has run: the names of `declared` are its from now on. */
  settle(cell: number, declared: readonly string[]): void {
    const pending = this.pending.get(cell);
    if (!pending) return;
    this.pending.delete(cell);
    for (const name of declared) {
      const kind: NameKind = pending.prepared.declared.get(name) ?? 'fixed';
      this.known.set(name, { kind, file: pending.file });
    }
    if (pending.prepared.augments) this.augmenting.push(pending.file);
  }

  /** Asks something about an unfinished cell. `at` turns an offset in its code into one in the file. */
  look<Answer>(
    code: string,
    question: (service: ts.LanguageService, file: string, at: Prepared) => Answer,
  ): Answer {
    const prepared = prepare(code, this.known, { all: true });
    const file = this.files.cellPath('cell');
    this.files.write(file, prepared.text);
    return this.files.ask(this.roots(file), (service) => question(service, file, prepared));
  }

  private check(
    service: ts.LanguageService,
    file: string,
    name: string,
    code: string,
    { end, edits }: { end: number; edits: Edit[] },
  ): Problem[] {
    const shown = { name, source: code, edits };
    const syntactic = service.getSyntacticDiagnostics(file);
    if (syntactic.length > 0) return syntaxProblems(code, name) ?? problemsOf(syntactic, shown);
    const semantic = service
      .getSemanticDiagnostics(file)
      .filter((found) => (found.start ?? 0) < Math.max(end, 1));
    const errors = semantic.filter(
      (found) => found.category === ts.DiagnosticCategory.Error && found.code !== UNTYPED_PACKAGE,
    );
    if (errors.length > 0) return problemsOf(errors, shown);
    return this.checkLocalFiles(service, importedFiles(code, this.files));
  }

  /** The problems of the local files that the cell leads to, each file looked at once per version of all of them. */
  private checkLocalFiles(service: ts.LanguageService, paths: ReadonlySet<string>): Problem[] {
    if (paths.size === 0) return [];
    const program = service.getProgram();
    const local =
      program?.getSourceFiles().filter((source) => paths.has(source.fileName) && isTypeScript(source)) ?? [];
    if (local.every((source) => this.checked.get(source.fileName) === source)) return [];
    const problems = local.flatMap((source) => {
      const { fileName } = source;
      const found = [
        ...service.getSyntacticDiagnostics(fileName),
        ...service.getSemanticDiagnostics(fileName),
      ];
      const errors = found.filter((diagnostic) => diagnostic.category === ts.DiagnosticCategory.Error);
      return localProblems(errors, source, this.files.folder);
    });
    if (problems.length === 0) for (const source of local) this.checked.set(source.fileName, source);
    return problems;
  }
}

function isTypeScript(source: ts.SourceFile): boolean {
  return !source.isDeclarationFile && /\.[mc]?tsx?$/.test(source.fileName);
}

/** The local files that a cell's imports lead to. */
function importedFiles(code: string, files: Files): Set<string> {
  const specifiers = ts.preProcessFile(code, true, true).importedFiles.map(({ fileName }) => fileName);
  const answers = specifiers
    .filter(isLocal)
    .map((specifier) => localFiles(files, files.cellPath('cell'), specifier));
  return new Set(
    answers.flatMap((answer) => ('modules' in answer ? answer.modules : [])).map(({ path }) => path),
  );
}

/** A cell as JavaScript, and the names that it makes when it runs. */
function emitCell(
  service: ts.LanguageService,
  file: string,
  end: number,
): { js: string; map: string; made: ReadonlySet<string> } {
  const made = new Set<string>();
  const program = service.getProgram();
  const source = program?.getSourceFile(file);
  if (!program || !source) throw new Error(`The compiler lost ${file}.`);
  let js = '';
  let map = '';
  const write: ts.WriteFileCallback = (path, text) => {
    if (path.endsWith('.map')) map = text;
    else js = text.replace(/\/\/# sourceMappingURL=.*\s*$/, '');
  };
  program.emit(source, write, undefined, false, {
    before: [cellTransformer(program.getTypeChecker(), end, made)],
    after: [withoutExports],
  });
  return { js, map, made };
}
