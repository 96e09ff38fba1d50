/**
 * QTI 1.2 as XML: what the dialects of Canvas (`qti.ts`) and of ILIAS (`ilias.ts`) have in common.
 * Both files are valid by the format's own DTD; what a platform makes of them differs.
 */
import { createHash } from 'node:crypto';
import { escapeHtml, type Quiz } from '../../kernel-lib/lab/quiz/model';

/** The same text gives the same identifier, so that a second import replaces the first. */
export function idOf(text: string): string {
  return `v${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

/** What a question is called: its quiz, and its number from 01. */
export function nameOf(quiz: Quiz, index: number): string {
  return `${quiz.name} ${String(index + 1).padStart(2, '0')}`;
}

/** Labels and entries. No space between them: ILIAS would take it for a part of the entry. */
export function itemMetadata(fields: readonly (readonly [string, string])[]): string {
  const written = fields.map(
    ([label, entry]) =>
      `<qtimetadatafield><fieldlabel>${label}</fieldlabel><fieldentry>${xml(entry)}</fieldentry></qtimetadatafield>`,
  );
  return `<itemmetadata><qtimetadata>${written.join('')}</qtimetadata></itemmetadata>`;
}

export function material(html: string): string {
  return `<material><mattext texttype="text/html">${xml(html)}</mattext></material>`;
}

/** For places that show no HTML. */
export function plainMaterial(text: string): string {
  return `<material><mattext texttype="text/plain">${xml(text)}</mattext></material>`;
}

export function itemFeedback(ident: string, html: string): string {
  return `<itemfeedback ident="${ident}"><flow_mat>${material(html)}</flow_mat></itemfeedback>`;
}

/** Characters that XML has no place for are left out; the others are escaped. */
export function xml(text: string): string {
  return escapeHtml(text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ''));
}
