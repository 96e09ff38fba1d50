/** Memory as bytes, 16 to a line, with the characters that they are. */
import { hex } from '../../bits';
import { Hart } from '../../machine/hart';
import type { Machine } from '../../machine/machine';
import { Memory } from '../../machine/memory';
import { type Piece, textPiece } from '../table';

const LINE = 16;
const MOST_BYTES = 64 * 1024;

/**
 * The bytes from an address on. Of a machine or a memory the addresses are physical; of a hart they
 * are virtual, as its present mode sees them. Bytes that are not RAM come as `··`.
 * @throws RangeError if there are more than 64 KiB to show, or less than one
 */
export function memoryPiece(of: Machine | Memory | Hart, address: number, bytes: number): Piece {
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > MOST_BYTES)
    throw new RangeError(`show.memory shows from 1 to ${MOST_BYTES} bytes, not ${bytes}.`);
  const start = address >>> 0;
  const ram = of instanceof Memory ? of : of.ram;
  const byteAt = (at: number) => {
    const pa = of instanceof Hart ? of.peek(at | 0) : at;
    return pa !== undefined && ram.holds(pa, 1) ? ram.read(1, pa) : undefined;
  };
  const lines: string[] = [];
  for (let at = start; at < start + bytes; at += LINE) {
    const count = Math.min(LINE, start + bytes - at);
    lines.push(
      line(
        at,
        Array.from({ length: count }, (_, n) => byteAt(at + n)),
      ),
    );
  }
  const kind = of instanceof Hart ? 'virtual' : 'physical';
  const caption = `Memory, ${bytes} bytes from ${kind} address ${hex(start)}`;
  return textPiece(caption, skipRepeats(lines).join('\n'));
}

function line(at: number, bytes: (number | undefined)[]): string {
  const shown = bytes.map((byte) => byte?.toString(16).padStart(2, '0') ?? '··');
  const left = shown
    .slice(0, LINE / 2)
    .join(' ')
    .padEnd(3 * (LINE / 2) - 1);
  const right = shown
    .slice(LINE / 2)
    .join(' ')
    .padEnd(3 * (LINE / 2) - 1);
  const isPrinted = (byte: number) => byte >= 0x20 && byte < 0x7f;
  const letters = bytes.map((byte) =>
    byte === undefined ? ' ' : isPrinted(byte) ? String.fromCharCode(byte) : '.',
  );
  return `${hex(at)}  ${left}  ${right}  |${letters.join('')}|`;
}

/** Lines that are as the one before, but for the address, are one star. */
function skipRepeats(lines: string[]): string[] {
  const content = (n: number) => lines[n]?.slice(hex(0).length);
  return lines.flatMap((text, n) => {
    const isRepeat = n > 0 && n < lines.length - 1 && content(n) === content(n - 1);
    if (!isRepeat) return [text];
    return content(n - 1) === content(n - 2) ? [] : ['*'];
  });
}
