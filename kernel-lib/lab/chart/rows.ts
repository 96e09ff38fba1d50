/**
 * Tidy rows: one object per measurement, with a field per column. What is to be drawn is said by the
 * names of fields, each with a title and, for numbers, a unit; mistakes are told by row and field.
 */
import type { Cell, Table } from '../table';

/** A field of numbers on an axis. */
export interface NumberAxis<R> {
  of: keyof R & string;
  title: string;
  /** `cycles`, `exits per 1,000 instructions`, `%`; `'1'` for a ratio. */
  unit: string;
  /** Whether equal factors are equal distances. Zero and less can't be drawn then. */
  log?: boolean;
}

/** A field of names on an axis. */
export interface NameAxis<R> {
  of: keyof R & string;
  title: string;
}

/** The axis's title with its unit, unless it names that itself: `time slice (cycles)`, `cycles`. */
export function axisLabel({ title, unit }: { title: string; unit: string }): string {
  return unit === '1' || unit === title ? title : `${title} (${unit})`;
}

/**
 * Checks that rows have what is to be drawn.
 * @throws Error that names the chart, the row and the field
 */
export function checkRows<R extends object>(
  title: string,
  rows: readonly R[],
  fields: { numbers: NumberAxis<R>[]; names: (string | undefined)[] },
): void {
  for (const axis of fields.numbers)
    if (axis.title === '' || axis.unit === '')
      throw new Error(`chart "${title}": the axis of ${axis.of} needs a title and a unit ('1' for a ratio).`);
  rows.forEach((row, n) => {
    for (const { of, log } of fields.numbers) {
      const value: unknown = row[of];
      if (typeof value !== 'number' || !Number.isFinite(value))
        throw new Error(`chart "${title}": row ${n + 1} has no number in ${of}, but ${String(value)}.`);
      if (log && value <= 0)
        throw new Error(
          `chart "${title}": row ${n + 1} has ${of} = ${value}, which a logarithmic axis can't show.`,
        );
    }
    for (const name of fields.names)
      if (name !== undefined && !(name in row))
        throw new Error(`chart "${title}": row ${n + 1} has no field ${name}.`);
  });
}

/** The number of a row in a field that `checkRows` has seen. */
export const numberIn = <R extends object>(row: R, field: keyof R): number => Number(row[field]);

/** The values of a field as names, each once, in the order of their first row. */
export function namesIn<R extends object>(rows: readonly R[], field: keyof R): string[] {
  return [...new Set(rows.map((row) => String(row[field])))];
}

/** The rows as a table of the fields that are drawn. */
export function rowsTable<R extends object>(
  title: string,
  rows: readonly R[],
  columns: readonly { of: keyof R & string; title: string; unit?: string }[],
): Table {
  const label = ({ title: name, unit }: { title: string; unit?: string }) =>
    unit === undefined ? name : axisLabel({ title: name, unit });
  return {
    caption: title,
    columns: columns.map((column) => ({ title: label(column), numeric: column.unit !== undefined })),
    rows: rows.map((row) =>
      columns.map(({ of, unit }): Cell => (unit === undefined ? String(row[of]) : numberIn(row, of))),
    ),
  };
}

/** A number in words: three significant digits, groups of three. */
export function shortNumber(value: number): string {
  const digits = Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 };
  return value.toLocaleString('en-GB', digits);
}
