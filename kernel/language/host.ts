/**
 * The TypeScript language service over the cells of a notebook.
 *
 * Cells are files that exist only here, in the notebook's folder, so that `./x` means what it should. All else is
 * read from disk, and read again whenever it has changed: a package that is rebuilt while the kernel runs is a file
 * with another version, nothing more. A file that vanishes in the middle of a rebuild makes the compiler start over.
 */
import { statSync } from 'node:fs';
import * as path from 'node:path';
import * as ts from 'typescript';
import { isLocal } from '../specifiers';
import { AMBIENT } from './ambient';

/** The compiler's settings for cells and for the local files that they import. */
function compilerOptions(): ts.CompilerOptions {
  const types = path.resolve(path.dirname(require.resolve('@types/node/package.json')), '..');
  return {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.esnext.decorators.d.ts'],
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    strict: true,
    allowJs: true,
    resolveJsonModule: true,
    allowImportingTsExtensions: true,
    esModuleInterop: true,
    skipLibCheck: true,
    preserveConstEnums: true,
    sourceMap: true,
    typeRoots: [types],
    types: ['node'],
  };
}

/** The files of a notebook and their language service. */
export class Files {
  readonly options = compilerOptions();
  private readonly virtual = new Map<string, { text: string; version: number }>();
  private roots: string[] = [];
  private registry = ts.createDocumentRegistry();
  private service: ts.LanguageService;
  private readonly ambient: string;

  /** @param folder the notebook's folder */
  constructor(readonly folder: string) {
    this.ambient = this.cellPath('globals').replace(/ts$/, 'd.ts');
    this.write(this.ambient, AMBIENT);
    this.service = ts.createLanguageService(this.host(), this.registry);
  }

  /** The path under which a cell stands in the notebook's folder. */
  cellPath(name: string): string {
    return path.join(this.folder, `.vmlab-${name}.ts`).replaceAll('\\', '/');
  }

  /** Whether a path is a cell's (and not a file on disk). */
  isVirtual(file: string): boolean {
    return this.virtual.has(file);
  }

  /** Creates or replaces a file that exists only here. */
  write(file: string, text: string): void {
    const old = this.virtual.get(file);
    if (old?.text === text) return;
    this.virtual.set(file, { text, version: (old?.version ?? 0) + 1 });
  }

  /** Runs `question` on the service with these files as the program's roots; once more, from nothing, if it fails. */
  ask<Answer>(roots: string[], question: (service: ts.LanguageService) => Answer): Answer {
    this.roots = [this.ambient, ...roots];
    this.resolved = undefined;
    try {
      return question(this.service);
    } catch {
      this.service.dispose();
      this.registry = ts.createDocumentRegistry();
      this.service = ts.createLanguageService(this.host(), this.registry);
      return question(this.service);
    }
  }

  /** What was resolved for the question that is being answered; by the next one, files may have come or gone. */
  private resolved: ts.ModuleResolutionCache | undefined;

  /** The files on disk, and those that exist only here. */
  private readonly system: ts.ModuleResolutionHost = {
    ...ts.sys,
    fileExists: (file) => this.virtual.has(file) || ts.sys.fileExists(file),
    readFile: (file: string, encoding?: string) =>
      this.virtual.get(file)?.text ?? ts.sys.readFile(file, encoding),
  };

  /** Where imports lead: found from the importing file, or else from beside the kernel, as at run time. */
  private readonly resolve: NonNullable<ts.LanguageServiceHost['resolveModuleNameLiterals']> = (
    literals,
    file,
    redirected,
    options,
    source,
  ) => {
    this.resolved ??= ts.createModuleResolutionCache(this.folder, (name) => name, options);
    const cache = this.resolved;
    return literals.map((literal) => {
      const mode = ts.getModeForUsageLocation(source, literal, options);
      const find = (from: string) =>
        ts.resolveModuleName(literal.text, from, options, this.system, cache, redirected, mode);
      const found = find(file);
      return found.resolvedModule || isLocal(literal.text) ? found : find(__filename);
    });
  };

  private host(): ts.LanguageServiceHost {
    return {
      resolveModuleNameLiterals: this.resolve,
      getCompilationSettings: () => this.options,
      getCurrentDirectory: () => this.folder,
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      getScriptFileNames: () => this.roots,
      getScriptVersion: (file) => String(this.virtual.get(file)?.version ?? fileVersion(file)),
      getScriptSnapshot: (file) => {
        const text = this.virtual.get(file)?.text ?? ts.sys.readFile(file);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      fileExists: this.system.fileExists,
      readFile: this.system.readFile,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
      readDirectory: ts.sys.readDirectory,
      ...(ts.sys.realpath ? { realpath: ts.sys.realpath } : {}),
      useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    };
  }
}

/** A text that changes whenever the file does; `absent` if there is none. */
export function fileVersion(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs}-${stat.size}` : 'absent';
}
