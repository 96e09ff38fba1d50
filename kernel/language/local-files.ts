/**
 * Local files that cells import (`./x`, `./x.ts`, `./dir`, `../x`, JSON), found as the compiler finds them and
 * turned into CommonJS. The main thread runs them; it runs a file again if the file, or one that it imports, changed.
 */
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as ts from 'typescript';
import type { LocalAnswer, LocalModule } from '../messages';
import { isLocal, META } from '../specifiers';
import { type Files, fileVersion } from './host';
import { problem } from './problems';

const COMPILED = new Map<string, LocalModule>();

/** The file that `specifier` leads to from `from` (a file), and all local files that it imports, importers last. */
export function localFiles(files: Files, from: string, specifier: string): LocalAnswer {
  const { options, folder } = files;
  const entry = resolve(specifier, from, options);
  if (!entry) return { problems: [problem(`Cannot find ${specifier} from ${path.relative(folder, from)}.`)] };
  const modules = new Map<string, LocalModule>();
  const visiting = new Set<string>();
  const visit = (file: string): void => {
    if (visiting.has(file)) return;
    visiting.add(file);
    const module = read(file, folder, options);
    for (const linked of Object.values(module.links)) visit(linked);
    modules.set(file, module);
  };
  visit(entry);
  return { modules: [...modules.values()] };
}

function resolve(specifier: string, from: string, options: ts.CompilerOptions): string | undefined {
  const host = ts.sys;
  const found = ts.resolveModuleName(specifier, from, options, host).resolvedModule;
  const file = found?.resolvedFileName;
  if (!file) return undefined;
  if (!/\.d\.[mc]?ts$/.test(file)) return file;
  const script = file.replace(/\.d\.([mc]?)ts$/, '.$1js');
  return host.fileExists(script) ? script : undefined;
}

/** One file, compiled, or as it was compiled before if it hasn't changed. Links are always looked up anew. */
function read(file: string, folder: string, options: ts.CompilerOptions): LocalModule {
  const version = fileVersion(file);
  let module = COMPILED.get(file);
  if (module?.version !== version) {
    module = compile(file, version, path.relative(folder, file));
    COMPILED.set(file, module);
  }
  module.links = {};
  module.packages = [];
  if (module.map !== '') {
    for (const { fileName: specifier } of ts.preProcessFile(module.source, true, true).importedFiles) {
      const linked = isLocal(specifier) ? resolve(specifier, file, options) : undefined;
      if (linked) module.links[specifier] = linked;
      else if (!isLocal(specifier)) module.packages.push(specifier);
    }
  }
  return module;
}

function compile(file: string, version: string, name: string): LocalModule {
  const source = readFileSync(file, 'utf8');
  const common = { path: file, name, version, source, edits: [], links: {}, packages: [] };
  if (file.endsWith('.json')) return { ...common, kind: 'json', js: source, map: '' };
  if (file.endsWith('.cjs')) return { ...common, kind: 'commonjs', js: source, map: '' };
  const emitted = ts.transpileModule(source, {
    fileName: file.replace(/\.[mc](?=[jt]s$)/, '.'),
    transformers: { before: [withMeta] },
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
      sourceMap: true,
      allowJs: true,
    },
  });
  const js = emitted.outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, '');
  const script = file.endsWith('.cts') ? 'commonjs' : 'script';
  const kind = js.includes(MARK) ? 'module' : script;
  return { ...common, kind, js, map: emitted.sourceMapText ?? '' };
}

/** What the compiler puts at the head of a file that is written with `import` or `export`. */
const MARK = 'Object.defineProperty(exports, "__esModule", { value: true });';

/** `import.meta`, which CommonJS doesn't have, is a name that the file is given. */
const withMeta: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
  const visit = (node: ts.Node): ts.Node =>
    ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword
      ? ts.setTextRange(ts.factory.createIdentifier(META), node)
      : ts.visitEachChild(node, visit, context);
  return ts.visitEachChild(file, visit, context);
};
