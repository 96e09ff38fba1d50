/** `npm run lessons -- strip [lesson …]`: takes outputs, counts and a front end's traces out of notebooks. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesOf } from './course';
import { notebookText, readNotebook, withoutOutputs, writeNotebook } from './notebook';

/**
 * Strips both versions of these lessons.
 * @returns the files that were changed
 * @throws Error for a file that is no notebook; those before it are stripped
 */
export function strip(project: string, names: string[]): string[] {
  const files = names.flatMap((name) => [filesOf(name).instructor, filesOf(name).learner]);
  return files.filter((file) => {
    const path = join(project, file);
    if (!existsSync(path)) return false;
    const stripped = withoutOutputs(readNotebook(path));
    if (notebookText(stripped) === readFileSync(path, 'utf8')) return false;
    writeNotebook(path, stripped);
    return true;
  });
}
