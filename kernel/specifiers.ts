/** Module specifiers: which name a file by its place, and which a package; and what a local file knows itself by. */
import { isAbsolute } from 'node:path';

/** Whether a specifier names a file by its place, rather than a package. */
export function isLocal(specifier: string): boolean {
  return /^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..' || isAbsolute(specifier);
}

/** The package that a specifier leads to: `@scope/name` of `@scope/name/part`. */
export function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** What `import.meta` is called in a local file that was compiled to CommonJS. */
export const META = '$meta';
