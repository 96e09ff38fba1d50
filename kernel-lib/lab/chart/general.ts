/**
 * Charts of rows: lines, bars, points. Each series has a colour and, where there are points, a shape
 * of its own. Every number axis has a title and a unit.
 */
import { PALETTE } from '../look';
import { draw, type PlotModule } from './figure';
import {
  axisLabel,
  checkRows,
  type NameAxis,
  type NumberAxis,
  namesIn,
  numberIn,
  rowsTable,
  shortNumber,
} from './rows';

/** What all charts of rows are told. */
interface Described {
  title: string;
  /** What one should see, in a sentence. If left out, the figure's extremes are told. */
  says?: string;
}

export interface XyOptions<R> extends Described {
  rows: readonly R[];
  x: NumberAxis<R>;
  y: NumberAxis<R>;
  /** The field that tells the series apart. */
  by?: keyof R & string;
  /** A line across, to compare with: `{ y: 1, label: 'native' }`. */
  mark?: { y: number; label: string };
}

export interface ScatterOptions<R> extends XyOptions<R> {
  /** The field that names each point, beside it. */
  label?: keyof R & string;
}

export interface BarOptions<R> extends Described {
  rows: readonly R[];
  /** The length of the bars. */
  x: NumberAxis<R>;
  /** What each bar is for. */
  y: NameAxis<R>;
  /** The field that tells the parts of a bar apart, or the bars of a group. */
  by?: keyof R & string;
  /** How bars of the same `y` stand: on end (the default), where they are parts of a whole; or side by side. */
  layout?: 'stacked' | 'grouped';
}

const WIDTH = 660;
const HEIGHT = 360;
const PLOT_HEIGHT = 290;
const LEFT = 64;
const CHARACTER = 6.6;

/** A number at a tick: `20k`, `1.5M`. */
function tick(value: number): string {
  const [unit, letter] = Math.abs(value) >= 1e6 ? [1e6, 'M'] : Math.abs(value) >= 1e4 ? [1e3, 'k'] : [1, ''];
  return `${Number((value / unit).toPrecision(4))}${letter}`;
}

/** Lines: how `y` goes with `x`, a line per series. */
export function line<R extends object>(options: XyOptions<R>): void {
  drawXy(options, true, undefined);
}

/** Points, each with its name where there is a `label`. */
export function scatter<R extends object>(options: ScatterOptions<R>): void {
  drawXy(options, false, options.label);
}

function drawXy<R extends object>(options: XyOptions<R>, isLine: boolean, label?: keyof R & string): void {
  const { title, rows, x, y, by, mark } = options;
  checkRows(title, rows, { numbers: [x, y], names: [by, label] });
  const series = by === undefined ? [y.title] : namesIn(rows, by);
  const points = rows.map((row) => ({
    x: numberIn(row, x.of),
    y: numberIn(row, y.of),
    series: by === undefined ? y.title : String(row[by]),
    label: label === undefined ? '' : String(row[label]),
  }));
  const inOrder = [...points].sort((a, b) => a.x - b.x);
  const named = [by, label].flatMap((of) => (of === undefined ? [] : [{ of, title: of }]));
  draw({
    title,
    description: options.says ?? (isLine ? lineExtremes(inOrder, x, y) : pointExtremes(points, x, y)),
    data: rowsTable(title, rows, [...named, x, y]),
    options: (plot) => ({
      height: HEIGHT,
      marginLeft: LEFT,
      marginRight: 30,
      x: { label: axisLabel(x), labelOffset: 40, grid: true, ...scaleOf(x, isLine) },
      y: { label: axisLabel(y), grid: true, ...scaleOf(y, isLine) },
      // The legend of the shapes has the colours, too.
      color: { domain: series, range: [...PALETTE] },
      symbol: { domain: series, legend: series.length > 1 },
      marks: [
        ...(y.log ? [] : [plot.ruleY([0])]),
        ...(mark === undefined
          ? []
          : [
              plot.ruleY([mark.y], { strokeDasharray: '4 3' }),
              plot.text([mark], { y: 'y', text: 'label', dy: -7, ...freeEnd(inOrder, mark.y) }),
            ]),
        ...(isLine ? [plot.line(inOrder, { x: 'x', y: 'y', stroke: 'series', strokeWidth: 2 })] : []),
        plot.dot(points, { x: 'x', y: 'y', stroke: 'series', fill: 'series', symbol: 'series', r: 4 }),
        ...(label === undefined ? [] : labelMarks(plot, points, x, y)),
      ],
    }),
  });
}

/** The end of a level line at which fewer points are in the way of a label: the one where they are farther off. */
function freeEnd(inOrder: readonly { x: number; y: number }[], level: number) {
  const nearest = (x: number | undefined) =>
    Math.min(...inOrder.filter((point) => point.x === x).map(({ y }) => Math.abs(y - level)));
  return nearest(inOrder.at(-1)?.x) > nearest(inOrder[0]?.x)
    ? ({ frameAnchor: 'right', dx: -6 } as const)
    : ({ frameAnchor: 'left', dx: 6 } as const);
}

/** A logarithmic axis ends where the points do: names beside them need room between them and the ticks. */
function scaleOf<R>({ log }: NumberAxis<R>, isLine: boolean) {
  if (!log) return { nice: true, tickFormat: tick } as const;
  return { type: 'log', tickFormat: tick, inset: isLine ? 0 : NAME_HEIGHT } as const;
}

/** Room between two names beside points, in pixels. */
const NAME_HEIGHT = 14;
const NAME_WIDTH = 150;

/** The names beside points, moved apart where points are close to one another. */
function labelMarks<R>(
  plot: PlotModule,
  points: LabelledPoint[],
  x: NumberAxis<R>,
  y: NumberAxis<R>,
): Markish[] {
  const across = pixels(
    points.map((point) => point.x),
    WIDTH,
    x.log,
  );
  const up = pixels(
    points.map((point) => point.y),
    PLOT_HEIGHT,
    y.log,
  );
  const down = up.map((pixel) => PLOT_HEIGHT - pixel);
  const order = points.map((_, n) => n).sort((a, b) => down[a] - down[b]);
  const placed: { across: number; down: number }[] = [];
  return order.map((n) => {
    const isRight = across[n] > WIDTH / 2;
    let at = down[n];
    for (const other of placed)
      if (Math.abs(other.across - across[n]) < NAME_WIDTH && at - other.down < NAME_HEIGHT)
        at = other.down + NAME_HEIGHT;
    placed.push({ across: across[n], down: at });
    return plot.text([points[n]], {
      x: 'x',
      y: 'y',
      text: 'label',
      textAnchor: isRight ? 'end' : 'start',
      dx: isRight ? -8 : 8,
      dy: at - down[n],
    });
  });
}

/** About where values will be drawn, from 0 to `length`. A linear axis begins at 0. */
function pixels(values: number[], length: number, isLog = false): number[] {
  const scaled = isLog ? values.map(Math.log) : values;
  const edge = isLog ? [] : [0];
  const [least, most] = [Math.min(...edge, ...scaled), Math.max(...edge, ...scaled)];
  return scaled.map((value) => (most === least ? length / 2 : ((value - least) / (most - least)) * length));
}

/** Bars: one per name, or one per name and series. */
export function bars<R extends object>(options: BarOptions<R>): void {
  const { title, rows, x, y, by, layout = 'stacked' } = options;
  checkRows(title, rows, { numbers: [x], names: [y.of, by] });
  if (x.log)
    throw new Error(
      `chart "${title}": the length of a bar can't be on a logarithmic axis. Use chart.scatter.`,
    );
  const names = namesIn(rows, y.of);
  const series = by === undefined ? [x.title] : namesIn(rows, by);
  const drawn = rows.map((row) => ({
    x: numberIn(row, x.of),
    y: String(row[y.of]),
    series: by === undefined ? x.title : String(row[by]),
  }));
  const isGrouped = layout === 'grouped' && by !== undefined;
  const perName = isGrouped ? 18 * series.length + 12 : 34;
  const longest = Math.max(0, ...names.map((name) => name.length));
  const marginLeft = Math.min(280, 20 + CHARACTER * longest);
  const isEmpty = drawn.every((bar) => bar.x === 0);
  draw({
    title,
    description: options.says ?? barExtremes(drawn, axisLabel(x), isGrouped),
    data: rowsTable(title, rows, [y, ...(by === undefined ? [] : [{ of: by, title: by }]), x]),
    options: (plot) => ({
      height: 70 + perName * names.length,
      marginLeft,
      x: {
        label: axisLabel(x),
        labelOffset: 40,
        grid: true,
        tickFormat: tick,
        ...(isEmpty ? { domain: [0, 1] } : {}),
      },
      y: { label: null, domain: isGrouped ? series : names, ...(isGrouped ? { axis: null } : {}) },
      ...(isGrouped ? { fy: { label: null, domain: names } } : {}),
      color: { domain: series, range: [...PALETTE], legend: series.length > 1 },
      marks: [
        plot.barX(drawn, {
          x: 'x',
          fill: 'series',
          stroke: 'currentColor',
          strokeWidth: 0.5,
          ...(isGrouped ? { fy: 'y', y: 'series' } : { y: 'y', order: series }),
        }),
        plot.ruleX([0]),
      ],
    }),
  });
}

interface Bar {
  x: number;
  y: string;
  series: string;
}

interface Point {
  x: number;
  y: number;
  series: string;
}

interface LabelledPoint extends Point {
  label: string;
}

type Markish = ReturnType<PlotModule['text']>;

function lineExtremes<R>(points: Point[], x: NumberAxis<R>, y: NumberAxis<R>): string {
  if (points.length === 0) return 'There is nothing to draw.';
  const told = [...new Set(points.map((point) => point.series))].map((name) => {
    const own = points.filter((point) => point.series === name);
    const [first, last] = [own[0], own[own.length - 1]];
    return `${name}: from ${shortNumber(first.y)} at ${shortNumber(first.x)} to ${shortNumber(last.y)} at ${shortNumber(last.x)}`;
  });
  return `${axisLabel(y)} against ${axisLabel(x)}. ${told.join('; ')}.`;
}

function pointExtremes<R>(points: Point[], x: NumberAxis<R>, y: NumberAxis<R>): string {
  if (points.length === 0) return 'There is nothing to draw.';
  const range = (values: number[]) =>
    `from ${shortNumber(Math.min(...values))} to ${shortNumber(Math.max(...values))}`;
  const xs = range(points.map((point) => point.x));
  const ys = range(points.map((point) => point.y));
  return `${points.length} points: ${axisLabel(x)} ${xs}, ${axisLabel(y)} ${ys}.`;
}

/** The shortest and the longest bar. Parts on end are summed up; bars of a group are bars of their own. */
function barExtremes(drawn: Bar[], label: string, isGrouped: boolean): string {
  const totals = new Map<string, number>();
  for (const { x, y, series } of drawn) {
    const name = isGrouped ? `${y}, ${series}` : y;
    totals.set(name, (totals.get(name) ?? 0) + x);
  }
  const sorted = [...totals].sort(([, a], [, b]) => a - b);
  const [least, most] = [sorted[0], sorted[sorted.length - 1]];
  if (least === undefined) return 'There is nothing to draw.';
  const told = ([name, value]: [string, number]) => `${name} (${shortNumber(value)})`;
  return sorted.length === 1
    ? `${label}: ${told(least)}.`
    : `${label}: least for ${told(least)}, most for ${told(most)}.`;
}
