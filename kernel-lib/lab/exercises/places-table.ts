/** A verdict's table: what should be beside what is. */
import type { Table } from '../table';

/** Places that hold something else than they should, as a table. Without a caption they are the virtual hart's. */
export function placesTable(
  rows: readonly { place: string; wanted: string; found: string }[],
  caption = 'Afterwards, on the virtual hart',
): Table {
  return {
    caption,
    columns: [{ title: 'place' }, { title: 'should be' }, { title: 'is' }],
    rows: rows.map(({ place, wanted, found }) => [place, wanted, found]),
  };
}
