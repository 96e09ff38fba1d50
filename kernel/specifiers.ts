/** Module specifiers: which name a file by its place, and which a package. */
import { isAbsolute } from 'node:path';

/** Whether a specifier names a file by its place, rather than a package. */
export function isLocal(specifier: string): boolean {
  return /^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..' || isAbsolute(specifier);
}

/** The package that a specifier leads to: `@scope/name` of `@scope/name/part`. */
export function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
