/** Code: a program's listing, a block beside what it was translated to, a port beside its original. */
import { listing } from '../../code/disassemble';
import type { Program } from '../../code/program';
import type { PortReport } from '../../guests/port';
import { escapeHtml, type Piece, textPiece } from '../table';

/** An instruction of the guest and what stands for it in the translation. */
export interface TranslatedInstruction {
  /** `0x80400010  csrw stvec, t0`, or the instruction alone. */
  guest: string;
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
  const isCopy = ({ guest, translated }: TranslatedInstruction) =>
    translated.length === 1 && guest.endsWith(translated[0]);
  const rows = block.map((instruction) => {
    const mark = isCopy(instruction) ? '' : ' class="vmlab-differs"';
    const made = instruction.translated.map(escapeHtml).join('<br>') || '(nothing)';
    return `<tr><td>${escapeHtml(instruction.guest)}</td><td${mark}>${made}</td><td>${escapeHtml(instruction.why)}</td></tr>`;
  });
  const titles = ['guest', 'translation', 'why'].map((title) => `<th scope="col">${title}</th>`);
  const width = Math.max(5, ...block.map(({ guest }) => guest.length));
  const made = Math.max(11, ...block.flatMap(({ translated }) => translated.map((line) => line.length)));
  const line = (guest: string, translated: string, why: string) =>
    `  ${guest.padEnd(width)}  ${translated.padEnd(made)}  ${why}`.trimEnd();
  const lines = block.flatMap(({ guest, translated, why }) =>
    (translated.length === 0 ? ['(nothing)'] : translated).map((text, n) =>
      n === 0 ? line(guest, text, why) : line('', text, ''),
    ),
  );
  return {
    html:
      `<table class="vmlab-table"><caption>${escapeHtml(caption)}</caption>` +
      `<thead><tr>${titles.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`,
    text: [caption, line('guest', 'translation', 'why'), ...lines].join('\n'),
  };
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
