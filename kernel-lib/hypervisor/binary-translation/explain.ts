/** A block beside its translation, instruction by instruction, with the reason for each change. */
import { hex } from '../../bits';
import { disassemble } from '../../code/disassemble';
import type { Emitted, Piece } from './emitter';
import type { Translation } from './translate';

/** One instruction of the guest, or several that were translated together. */
export interface Explanation {
  /** `0x80400000  csrrci zero, sstatus, 2` */
  guest: string[];
  translated: string[];
  why: string;
}

/**
 * What has become of each instruction of a unit.
 * @param begin where the translation is in the cache
 */
export function explain({ pieces }: Translation, begin = 0): Explanation[] {
  return pieces.map(({ guests, why, emitted }: Piece) => ({
    guest: guests.map(({ pc, word }) => `${hex(pc)}  ${disassemble(word, pc)}`),
    translated: emitted.map((each) => translatedText(each, begin)),
    why,
  }));
}

function translatedText({ offset, word, callout }: Emitted, begin: number): string {
  const at = begin + offset;
  if (callout === undefined) return `${hex(at)}  ${disassemble(word, at)}`;
  const about = callout.kind === 'exit' ? `: goes on at ${hex(callout.target)} in the guest` : '';
  return `${hex(at)}  ecall  # ${callout.kind}${about}`;
}
