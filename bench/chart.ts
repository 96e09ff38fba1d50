/** The chart of a benchmark: a bar for each engine and competitor, by workload. */
import { barX, plot, ruleX, text } from '@observablehq/plot';
import { parseHTML } from 'linkedom';

export interface Bar {
  workload: string;
  who: string;
  /** Millions of instructions per second of CPU time. */
  speed: number;
}

/** The chart as an SVG document. Colours: Okabe & Ito. */
export function chartSvg(bars: readonly Bar[], title: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const people = [...new Set(bars.map(({ who }) => who))];
  const drawn = plot({
    document,
    title,
    width: 900,
    height: 60 + 22 * bars.length,
    marginLeft: 200,
    marginRight: 170,
    x: {
      type: 'log',
      label: 'millions of guest instructions per second of CPU time (logarithmic)',
      grid: true,
    },
    y: { label: null, domain: people },
    fy: { label: null },
    color: {
      domain: people,
      range: ['#d55e00', '#0072b2', '#009e73', '#999999', '#56b4e9', '#cc79a7', '#e69f00'],
    },
    marks: [
      barX(bars, { x1: 1, x2: 'speed', y: 'who', fy: 'workload', fill: 'who' }),
      text(bars, {
        x: 'speed',
        y: 'who',
        fy: 'workload',
        text: (bar: Bar) => bar.speed.toFixed(0),
        dx: 4,
        textAnchor: 'start',
      }),
      ruleX([1]),
    ],
  });
  const svg = drawn.tagName.toLowerCase() === 'svg' ? drawn : drawn.querySelector('svg')!;
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return svg.outerHTML;
}
