/**
 * Which parts of RAM hold code that an engine has a copy of.
 *
 * RAM is watched in lines of 64 bytes: one byte per line says whether a store there needs a
 * closer look. Pages would be too coarse, for code and data often share one.
 */

/** log2 of the bytes in a line. */
export const LINE_SHIFT = 6;
export const LINE_BYTES = 1 << LINE_SHIFT;

const CODE = 1;
const PAGE_BYTES = 4096;
const LINES_IN_PAGE = PAGE_BYTES / LINE_BYTES;
const pageOf = (offset: number) => offset - (offset % PAGE_BYTES);

/** Something made from code in RAM, which is worthless once that code changes. */
export interface Copy {
  /** Called once when any of the code is written to. */
  drop(): void;
}

export class CodeLines {
  /** Counts the times that copies were dropped. */
  generation = 0;
  /** Told when a page of RAM, at this offset, is about to get its first mark. */
  pageGetsCode: ((offset: number) => void) | undefined;
  private readonly copies = new Map<number, Set<Copy>>();

  /** @param marks one byte per line, zeros; not 0 where a store must tell `written` */
  constructor(readonly marks: Uint8Array) {}

  /** Drops `copy` when a byte of RAM from offset `start` up to but without `end` is written. */
  watch(start: number, end: number, copy: Copy): void {
    for (let line = start >> LINE_SHIFT; line <= (end - 1) >> LINE_SHIFT; line++) {
      const copies = this.copies.get(line);
      if (copies !== undefined) copies.add(copy);
      else {
        this.copies.set(line, new Set([copy]));
        if (!this.hasCode(line << LINE_SHIFT)) this.pageGetsCode?.(pageOf(line << LINE_SHIFT));
        this.marks[line] = CODE;
      }
    }
  }

  /** Whether there is a mark in the page that holds this offset into RAM. */
  hasCode(offset: number): boolean {
    const first = pageOf(offset) >> LINE_SHIFT;
    return this.marks.subarray(first, first + LINES_IN_PAGE).includes(CODE);
  }

  /** To be called when `count` bytes at this offset into RAM have changed. */
  written(offset: number, count: number): void {
    for (let line = offset >> LINE_SHIFT; line <= (offset + count - 1) >> LINE_SHIFT; line++) {
      if (this.marks[line] === CODE) this.dropLine(line);
    }
  }

  /** Drops everything. */
  clear(): void {
    for (const line of [...this.copies.keys()]) this.dropLine(line);
  }

  private dropLine(line: number): void {
    this.generation++;
    const copies = this.copies.get(line);
    this.copies.delete(line);
    this.marks[line] = 0;
    for (const copy of copies ?? []) copy.drop();
  }
}
