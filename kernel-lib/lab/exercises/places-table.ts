/** A verdict's table: what should be beside what is. */
import type { Table } from '../table';

/** Places that hold something else than they should, as a table. */
export function placesTable(
  rows: { place: string; wanted: string; found: string }[],
  caption: string,
): Table {
  return {
    caption,
    columns: [{ title: 'place' }, { title: 'should be' }, { title: 'is' }],
    rows: rows.map(({ place, wanted, found }) => [place, wanted, found]),
  };
}
