/**
 * What a port of a guest has changed: its lines compared with the original's.
 *
 * By the library `diff` (Myers' algorithm, as in `git diff`). Comments and blank lines don't count
 * as lines of code, whoever wrote them.
 */
import { diffArrays } from 'diff';
import { guestSource } from './guests';

/** A stretch of lines that are in both, only in the original, or only in the port. */
export interface PortHunk {
  kind: 'same' | 'removed' | 'added';
  lines: string[];
}

export interface PortReport {
  /** Lines of code of the original. */
  lines: number;
  added: number;
  removed: number;
  /** Lines added or changed, as a share of the original: 0.0136 is 1.36 %. */
  share: number;
  hunks: PortHunk[];
}

/**
 * Compares a guest's port with the guest.
 * @throws if there is no guest of one of the names
 */
export function comparePort(original: string, port: string): PortReport {
  return compareSources(guestSource(original), guestSource(port));
}

/** Compares a port with its original, both as source text. */
export function compareSources(original: string, port: string): PortReport {
  const before = codeLines(original);
  const hunks = diffArrays(before, codeLines(port)).map(
    ({ added, removed, value }): PortHunk => ({
      kind: added ? 'added' : removed ? 'removed' : 'same',
      lines: value,
    }),
  );
  const count = (kind: PortHunk['kind']) =>
    hunks.filter((hunk) => hunk.kind === kind).reduce((sum, hunk) => sum + hunk.lines.length, 0);
  const added = count('added');
  return {
    lines: before.length,
    added,
    removed: count('removed'),
    share: added / Math.max(1, before.length),
    hunks,
  };
}

/** The lines that are code, without their comments. */
function codeLines(source: string): string[] {
  return source
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trimEnd())
    .filter((line) => line !== '');
}
