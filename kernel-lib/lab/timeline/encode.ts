/**
 * A recording as it travels to the page: numbers of one to five bytes, in base64, most of them
 * differences from the step before; texts once each, in a list. About 12 bytes a step.
 *
 * The order of numbers in a step: holder, pc (difference), text, real mode, virtual mode, trap (these
 * four as indices into `texts`), cycles (difference), number of changes, and for each of these place
 * and value (difference). Differences are of int32, and written zigzag: 0, -1, 1, -2, 2, …
 */
import type { Recording } from './record';

/** A recording on its way. */
export interface PackedRun {
  title: string;
  ending: string;
  holders: string[];
  places: string[];
  start: number[];
  startCycles: number;
  texts: string[];
  count: number;
  bytes: string;
}

export function packRun(run: Recording): PackedRun {
  const { title, ending, holders, places, start, startCycles, steps } = run;
  const texts = new Map<string, number>();
  const textIndex = (text: string) => {
    if (!texts.has(text)) texts.set(text, texts.size);
    return texts.get(text) ?? 0;
  };
  const bytes: number[] = [];
  const put = (value: number) => {
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
    bytes.push(left);
  };
  const putDifference = (value: number) => put(((value << 1) ^ (value >> 31)) >>> 0);
  const values = [...start];
  let pc = 0;
  let cycles = startCycles;
  for (const step of steps) {
    put(step.holder);
    putDifference(step.pc - pc);
    for (const text of [step.text, step.real, step.virtual, step.trap]) put(textIndex(text));
    put(step.cycles - cycles);
    put(step.changes.length);
    for (const [place, value] of step.changes) {
      put(place);
      putDifference(value - values[place]);
      values[place] = value;
    }
    pc = step.pc;
    cycles = step.cycles;
  }
  return {
    title,
    ending,
    holders,
    places,
    start,
    startCycles,
    texts: [...texts.keys()],
    count: steps.length,
    bytes: Buffer.from(bytes).toString('base64'),
  };
}
