/** Code: a program's listing, a block beside what it was translated to, a port beside its original. */
import { listing } from '../../code/disassemble';
import type { Program } from '../../code/program';
import type { PortReport } from '../../guests/port';
import { escapeHtml, type Piece, textPiece } from '../table';

/** An instruction of the guest and what stands for it in the translation. */
export interface TranslatedInstruction {
  /** `0x80400010  csrw stvec, t0`, or the instruction alone; several, if they were translated together. */
  guest: string | readonly string[];
  /** The instructions in its place, in order; none if it was dropped. */
  translated: readonly string[];
  /** Why so: `identical`, `callout: it changes privileged state`. */
  why: string;
}

export function listingPiece(program: Program): Piece {
  return textPiece(`${program.file}: address, word, instruction, source`, listing(program));
}

/** Blocks beside their translations. What is not a copy of the guest's own instruction is marked. */
export function blocksPiece(caption: string, block: readonly TranslatedInstruction[]): Piece {
  const rows = block.map(({ guest, translated, why }) => ({ guest: [guest].flat(), translated, why }));
  const titles = ['guest', 'translation', 'why'].map((title) => `<th scope="col">${title}</th>`);
  const lines = (texts: readonly string[], none: string) => texts.map(escapeHtml).join('<br>') || none;
  const body = rows.map(({ guest, translated, why }) => {
    const mark = isCopy(guest, translated) ? '' : ' class="vmlab-differs"';
    return `<tr><td class="vmlab-unwrapped">${lines(guest, '')}</td><td${mark}>${lines(translated, '(nothing)')}</td><td>${escapeHtml(why)}</td></tr>`;
  });
  const longest = (least: number, texts: readonly string[]) =>
    Math.max(least, ...texts.map(({ length }) => length));
  const width = longest(
    5,
    rows.flatMap(({ guest }) => guest),
  );
  const made = longest(
    11,
    rows.flatMap(({ translated }) => [...translated]),
  );
  const line = (guest: string, translated: string, why: string) =>
    `  ${guest.padEnd(width)}  ${translated.padEnd(made)}  ${why}`.trimEnd();
  const text = rows.flatMap(({ guest, translated, why }) => {
    const right = translated.length === 0 ? ['(nothing)'] : translated;
    return Array.from({ length: Math.max(guest.length, right.length) }, (_, n) =>
      line(guest[n] ?? '', right[n] ?? '', n === 0 ? why : ''),
    );
  });
  return {
    html:
      `<table class="vmlab-table"><caption>${escapeHtml(caption)}</caption>` +
      `<thead><tr>${titles.join('')}</tr></thead><tbody>${body.join('')}</tbody></table>`,
    text: [caption, line('guest', 'translation', 'why'), ...text].join('\n'),
  };
}

/** Whether one instruction has become itself, wherever the two stand. */
function isCopy(guest: readonly string[], translated: readonly string[]): boolean {
  const withoutAddress = (text: string) => text.replace(/^0x[0-9a-f]+\s+/, '');
  return (
    guest.length === 1 &&
    translated.length === 1 &&
    withoutAddress(guest[0]) === withoutAddress(translated[0])
  );
}

/** Unchanged lines beside each change. */
const CONTEXT = 2;

/** A port as a list of changes: `-` taken out, `+` put in. */
export function portPiece({ lines, added, removed, share, hunks }: PortReport): Piece {
  const caption = `${added} lines added, ${removed} removed, of ${lines}: ${(100 * share).toFixed(2)} % of the guest`;
  const marks = { same: ' ', removed: '-', added: '+' };
  const shown = hunks.flatMap(({ kind, lines: text }, n) => {
    const marked = text.map((line) => `${marks[kind]} ${line}`);
    if (kind !== 'same') return marked;
    const head = n === 0 ? [] : marked.slice(0, CONTEXT);
    const tail = n === hunks.length - 1 ? [] : marked.slice(Math.max(head.length, marked.length - CONTEXT));
    return marked.length <= head.length + tail.length ? marked : [...head, '  …', ...tail];
  });
  return textPiece(caption, shown.join('\n'));
}
