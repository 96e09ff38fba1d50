/** States side by side, a column each; what is not as in the first column is marked. */
import { hex } from '../../bits';
import { type SideBySide, type Witness, witnessRows } from '../../hypervisor/classify';
import { causeName } from '../../isa/causes';
import { ABI_NAMES } from '../../isa/registers';
import { Hart } from '../../machine/hart';
import { Machine } from '../../machine/machine';
import type { Cell, Table } from '../table';
import { instructionAt, modeName, SHOWN_CSRS } from './machines';

/** A state to be compared: a machine's, a hart's, or values by name. Words are numbers, and shown in hexadecimal. */
export type State = Machine | Hart | Readonly<Record<string, number | string>>;

/**
 * The table of states side by side. Places that are 0 or missing in all of them are left out.
 * @param states by their titles, from left to right
 */
export function sideTable(caption: string, states: Readonly<Record<string, State>>): Table {
  const columns = Object.values(states).map(placesOf);
  const places = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const isShown = (place: string) =>
    columns.some((column) => ![undefined, hex(0)].includes(column.get(place)));
  const rows = places.filter(isShown).map((place): Cell[] => {
    const texts = columns.map((column) => column.get(place) ?? '–');
    return [place, ...texts.map((text) => ({ text, differs: text !== texts[0] }))];
  });
  return {
    caption,
    columns: [{ title: 'place' }, ...Object.keys(states).map((title) => ({ title }))],
    rows,
  };
}

function placesOf(state: State): Map<string, string> {
  if (state instanceof Machine) return placesOfHart(state.hart);
  if (state instanceof Hart) return placesOfHart(state);
  return new Map(
    Object.entries(state).map(([place, value]) => [place, typeof value === 'number' ? hex(value) : value]),
  );
}

function placesOfHart(hart: Hart): Map<string, string> {
  const places = new Map([
    ['mode', modeName(hart.mode)],
    ['pc', hex(hart.pc)],
    ['instruction', instructionAt(hart) ?? '–'],
  ]);
  for (const name of SHOWN_CSRS) places.set(name, hex(hart.csrs.get(name)));
  ABI_NAMES.forEach((name, n) => {
    places.set(`${name} (x${n})`, hex(hart.x[n]));
  });
  return places;
}

/** A witness: what an instruction does in two states that differ in one thing, and how that shows. Or just what it does in some. */
export function witnessTable(witness: Witness | SideBySide): Table {
  const { sides } = witness;
  const rows = witnessRows(witness).map(({ place, sides: values }): Cell[] => {
    const cells = values.map(({ before, after }, n) => {
      const [from, to] = [valueText(place, before), valueText(place, after)];
      const text = from === to ? to : `${from} → ${to}`;
      const first = values[0];
      return { text, differs: n > 0 && (before !== first.before || after !== first.after) };
    });
    return [place, ...cells];
  });
  const trapText = (n: number) => {
    const { trap } = sides[n];
    return trap === undefined ? 'none' : causeName(trap.cause);
  };
  const traps = sides.map((_, n) => ({ text: trapText(n), differs: trapText(n) !== trapText(0) }));
  const tried = `${witness.text} on the profile "${witness.profile.name}"`;
  return {
    caption: 'kind' in witness ? `${tried} is ${witness.kind}-sensitive: witness` : tried,
    columns: [{ title: 'place' }, ...sides.map(({ title }) => ({ title }))],
    rows: [['trap', ...traps], ...rows],
  };
}

const valueText = (place: string, value: number) => (place === 'mode' ? modeName(value) : hex(value));
