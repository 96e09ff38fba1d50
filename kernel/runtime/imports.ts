/**
 * What cells import. Packages are Node's: its own loader finds them from the notebook's folder, by their `import`
 * condition, CommonJS and ES modules alike; a package that isn't there is looked for beside the kernel, so that a lesson
 * finds the library wherever it lies. Local files are ours: compiled by the language thread, run here, and run
 * again when they, or a file that they import, have changed.
 */
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileFunction, constants } from 'node:vm';
import type { Ask } from '../ask';
import type { LocalModule } from '../messages';
import { isLocal, META, packageName } from '../specifiers';
import { describeProblems, register } from './trace';
import { tslab } from './tslab';

/** What a module exports, by name. */
export type Namespace = Record<string, unknown>;

interface Loaded {
  version: string;
  exports: Namespace;
  /** What `require` gives to the files that import it. */
  required: unknown;
}

export class Imports {
  private readonly loaded = new Map<string, Loaded>();

  /**
   * @param folder the notebook's folder
   * @param ask asks the language thread
   */
  constructor(
    private readonly folder: string,
    private readonly ask: Ask,
  ) {
    this.require = requireFrom(folder);
  }

  /** What cells know as `require`. */
  readonly require: NodeJS.Require;

  /** Starts to load packages, so that they are there by the time they are imported. */
  preload(specifiers: readonly string[]): void {
    for (const specifier of specifiers) this.package(specifier, this.folder).catch(() => undefined);
  }

  /** The module that `specifier` names in a cell. @throws if there is none, or if it throws */
  async load(specifier: string): Promise<Namespace> {
    if (specifier === 'tslab') return tslab;
    if (!isLocal(specifier)) return this.package(specifier, this.folder);
    const answer = await this.ask('local', { from: path.join(this.folder, 'cell.ts'), specifier });
    if ('problems' in answer) throw new Error(describeProblems(answer.problems).evalue);
    const stale = this.stale(answer.modules);
    for (const module of stale) this.loaded.set(module.path, blank(module));
    try {
      while (stale.length > 0) {
        await this.evaluate(stale[0]!);
        stale.shift();
      }
    } finally {
      for (const { path } of stale) this.loaded.delete(path);
    }
    const entry = answer.modules.at(-1);
    return entry ? (this.loaded.get(entry.path)?.exports ?? {}) : {};
  }

  /** The files that are to be run: those that have changed, and those that import them. */
  private stale(modules: readonly LocalModule[]): LocalModule[] {
    const stale = new Set(modules.filter(({ path, version }) => this.loaded.get(path)?.version !== version));
    const paths = new Set([...stale].map(({ path }) => path));
    for (let before = -1; before !== stale.size; ) {
      before = stale.size;
      for (const module of modules) {
        if (!Object.values(module.links).some((link) => paths.has(link))) continue;
        stale.add(module);
        paths.add(module.path);
      }
    }
    return modules.filter((module) => stale.has(module));
  }

  /** Runs a local file. Those that it imports have been run, or are about to be, if they import it, too. */
  private async evaluate(module: LocalModule): Promise<void> {
    const loaded = this.loaded.get(module.path)!;
    if (module.kind === 'json') {
      const value = parsed(module);
      Object.assign(loaded, { exports: { ...(value as object), default: value }, required: value });
      return;
    }
    const folder = path.dirname(module.path);
    const holder = { exports: loaded.exports };
    const script = register(module, module.path);
    const isAsync = module.kind !== 'commonjs';
    const body = isAsync ? `return (async () => {${module.js}\n})()` : module.js;
    const run = compileFunction(body, ['exports', 'require', 'module', '__filename', '__dirname', META], {
      filename: script,
      columnOffset: isAsync ? -'return (async () => {'.length : 0,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    }) as (...values: unknown[]) => Promise<void> | undefined;
    const meta = { url: pathToFileURL(module.path).href, filename: module.path, dirname: folder };
    await run(holder.exports, await this.requireOf(module), holder, module.path, folder, meta);
    loaded.required = holder.exports;
    loaded.exports =
      module.kind === 'module' ? holder.exports : { ...holder.exports, default: holder.exports };
  }

  /** The `require` that a local file's imports have become. */
  private async requireOf(module: LocalModule): Promise<NodeJS.Require> {
    const native = createRequire(module.path);
    const packages = new Map<string, Namespace>();
    for (const specifier of module.packages)
      packages.set(specifier, await this.package(specifier, path.dirname(module.path)));
    const require = (specifier: string): unknown => {
      const link = module.links[specifier];
      if (link !== undefined) return this.loaded.get(link)?.required;
      const found = packages.get(specifier);
      return found ? interop(found) : native(specifier);
    };
    return Object.assign(require, native);
  }

  /** A package, or one of Node's own modules, as Node finds it from a folder. */
  private async package(specifier: string, folder: string): Promise<Namespace> {
    if (specifier === 'tslab') return tslab;
    try {
      return await importFrom(folder, specifier);
    } catch (error) {
      if (!isMissing(error, specifier)) throw error;
      return importFrom(__dirname, specifier).catch(() => {
        throw error;
      });
    }
  }
}

/** What a local file exports before it has run: those that it imports, and that import it, hold on to that. */
function blank({ kind, version }: LocalModule): Loaded {
  const exports: Namespace = {};
  if (kind === 'module') Object.defineProperty(exports, '__esModule', { value: true });
  return { version, exports, required: exports };
}

/** @throws with the file's name if it is no JSON */
function parsed({ name, js }: LocalModule): unknown {
  try {
    return JSON.parse(js) as unknown;
  } catch (error) {
    throw new SyntaxError(`${name} is no JSON: ${(error as Error).message}`);
  }
}

/** Node's own `import()`, as if in a file in this folder. */
function importFrom(folder: string, specifier: string): Promise<Namespace> {
  const load = compileFunction('return import(specifier)', ['specifier'], {
    filename: path.join(folder, 'import-of-a-cell.mjs'),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }) as (specifier: string) => Promise<Namespace>;
  return load(specifier);
}

/** `require` for cells: Node's, and like `import` it finds the kernel's own neighbours, too. */
function requireFrom(folder: string): NodeJS.Require {
  const near = createRequire(path.join(folder, 'cell.ts'));
  const own = createRequire(__filename);
  const load = (specifier: string): unknown => {
    if (specifier === 'tslab') return tslab;
    try {
      return near(specifier);
    } catch (error) {
      if (isLocal(specifier) || !isMissing(error, specifier)) throw error;
      return own(specifier);
    }
  };
  return Object.assign(load, near);
}

/** Whether an error says that this very package isn't there, as against one that it needs itself. */
function isMissing(error: unknown, specifier: string): boolean {
  const { code, message } = error as { code?: string; message?: string };
  const isNotFound = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return isNotFound && (message ?? '').includes(`'${packageName(specifier)}`);
}

/** A name of a module as TypeScript types it: also what a CommonJS module exports without Node's noticing. */
export function exported(namespace: Namespace, name: string): unknown {
  const whole = namespace.default as Namespace | undefined;
  if (name === '*') return isObject(whole) ? wholeNamespace(namespace, whole) : namespace;
  const isCompiled = isObject(whole) && whole.__esModule === true;
  if (name === 'default' && isCompiled && 'default' in whole) return whole.default;
  if (name in namespace) return namespace[name];
  return isObject(whole) ? whole[name] : undefined;
}

/** A CommonJS module's namespace, with the names that Node hasn't noticed. */
function wholeNamespace(namespace: Namespace, whole: Namespace): Namespace {
  if (Object.keys(whole).every((name) => name in namespace)) return namespace;
  const names: Namespace = Object.create(null) as Namespace;
  return Object.assign(names, whole, namespace, { default: exported(namespace, 'default') });
}

/** What `require` gives to a file that was compiled to CommonJS, for an imported package. */
function interop(namespace: Namespace): unknown {
  const whole = namespace.default;
  return new Proxy(namespace, {
    get: (_, name) =>
      name === '__esModule' ? true : typeof name === 'string' ? exported(namespace, name) : undefined,
    has: (_, name) => name in namespace || (isObject(whole) && name in whole),
    getOwnPropertyDescriptor: (target, name) => Reflect.getOwnPropertyDescriptor(target, name),
  });
}

function isObject(value: unknown): value is Namespace {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
