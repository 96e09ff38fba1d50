/** The state of a hart as a value that can be kept and compared, timing aside. */
import { hex } from '../bits';
import { CSRS, csrMask } from '../isa/csrs';
import { ABI_NAMES, Mode } from '../isa/registers';
import type { Hart } from '../machine/hart';

/** Place -> value: `pc`, `mode`, registers by ABI name, CSRs by name. */
export type HartState = Record<string, number>;

const TIMING = new Set(['cycle', 'cycleh', 'instret', 'instreth', 'time', 'timeh']);
const COMPARED_CSRS = CSRS.filter((row) => !TIMING.has(row.live ?? '') && row.alias === undefined);

/** The state of a hart at this moment. Counters of cycles, instructions and time are left out. */
export function hartState(hart: Hart): HartState {
  const state: HartState = { pc: hart.pc, mode: hart.mode };
  ABI_NAMES.forEach((name, n) => {
    state[name] = hart.x[n];
  });
  for (const row of COMPARED_CSRS) state[row.name] = hart.csrs.read(row.number);
  return state;
}

/** `mstatus` -> `sstatus`, and which of its bits that shows: what a guest's kernel knows such a register by. */
const SUPERVISORS = new Map(
  CSRS.flatMap(({ name, alias, fields }) => {
    const mask = fields.reduce((bits, field) => bits | csrMask(name, field.name), 0);
    return alias === undefined ? [] : [[alias, { name, mask }]];
  }),
);

/**
 * Where two states differ: place, what it should be, what it is. A register goes by its supervisor's
 * name if all that differs can be seen there.
 */
export function differences(
  wanted: HartState,
  found: HartState,
): { place: string; wanted: string; found: string }[] {
  return Object.keys(wanted)
    .filter((place) => wanted[place] !== found[place])
    .map((place) => {
      const view = SUPERVISORS.get(place);
      const isSeen = view !== undefined && ((wanted[place] ^ found[place]) & ~view.mask) === 0;
      const { name, mask } = isSeen ? view : { name: place, mask: -1 };
      return {
        place: name,
        wanted: valueText(name, wanted[place] & mask),
        found: valueText(name, found[place] & mask),
      };
    });
}

function valueText(place: string, value: number): string {
  return place === 'mode' ? `virtual ${Mode[value]}` : hex(value);
}
