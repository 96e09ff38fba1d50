/** The chart of a benchmark: a bar for each engine and competitor, by workload. */
import { barX, plot, ruleX, text } from '@observablehq/plot';
import { parseHTML } from 'linkedom';

export interface Bar {
  workload: string;
  who: string;
  /** Millions of instructions per second of CPU time. */
  speed: number;
}

const TITLE_HEIGHT = 28;

/** The chart as an SVG document. Colours: Okabe & Ito. */
export function chartSvg(bars: readonly Bar[], title: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const people = [...new Set(bars.map(({ who }) => who))];
  const drawn = plot({
    document,
    width: 900,
    height: 100 + 22 * bars.length,
    marginTop: TITLE_HEIGHT + 30,
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
  drawn.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  drawn.setAttribute('role', 'img');
  // Plot's own title stands around the picture, not in it: this file is the picture alone.
  const name = document.createElementNS('http://www.w3.org/2000/svg', 'title');
  const heading = document.createElementNS('http://www.w3.org/2000/svg', 'text');
  for (const element of [name, heading]) element.textContent = title;
  for (const [attribute, value] of Object.entries({ x: 8, y: TITLE_HEIGHT - 4, fill: 'currentColor' }))
    heading.setAttribute(attribute, String(value));
  heading.setAttribute('style', 'font-size: 18px; font-weight: bold; text-anchor: start');
  drawn.prepend(name);
  drawn.append(heading);
  return drawn.outerHTML;
}
