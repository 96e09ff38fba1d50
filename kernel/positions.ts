/**
 * Positions in a text: offsets, lines and columns, before and after edits.
 *
 * A cell is edited before it is compiled (a name that it shadows gets a name of its own), and the learner must
 * see nothing of that: every place that the compiler or the engine reports goes back through here.
 */
import type { Edit } from './messages';

/** `text` after `edits`. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let from = 0;
  for (const edit of edits) {
    result += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return result + text.slice(from);
}

/** The offset in the original text of `offset` in the edited one. Inside a replacement: where that begins. */
export function originalOffset(offset: number, edits: readonly Edit[]): number {
  let shift = 0;
  for (const edit of edits) {
    const start = edit.start + shift;
    if (offset < start) break;
    if (offset < start + edit.text.length) return edit.start;
    shift += edit.text.length - (edit.end - edit.start);
  }
  return offset - shift;
}

/** The offset in the edited text of `offset` in the original one. */
export function editedOffset(offset: number, edits: readonly Edit[]): number {
  let shift = 0;
  for (const edit of edits) {
    if (edit.end > offset) break;
    shift += edit.text.length - (edit.end - edit.start);
  }
  return offset + shift;
}

/** Line and column, from 0, of an offset. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split('\n').length - 1;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) };
}

/** The offset of a line and a column, both from 0; at most the text's length. */
export function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let i = 0; i < line; i++) {
    const end = text.indexOf('\n', start);
    if (end < 0) return text.length;
    start = end + 1;
  }
  return Math.min(start + column, text.length);
}
