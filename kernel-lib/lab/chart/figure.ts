/**
 * A figure: drawn to SVG in the kernel by Observable Plot, with a title, a description in words and
 * the numbers as a table to unfold. Plot and a DOM are loaded with the first figure: a lesson without
 * one doesn't wait for them.
 */
import { createRequire } from 'node:module';
import { displayHtml } from '../display';
import { STYLE } from '../look';
import { escapeHtml, type Table, tableHtml, tableText } from '../table';

export type PlotModule = typeof import('@observablehq/plot', { with: { 'resolution-mode': 'import' }});
export type PlotOptions = import('@observablehq/plot', { with: { 'resolution-mode': 'import' }}).PlotOptions;

export interface Figure {
  title: string;
  /** What the chart shows, in a sentence: its text alternative, before the numbers. */
  description: string;
  data: Table;
  options: (plot: PlotModule) => PlotOptions;
}

/** Draws a figure into the cell's output; as text, its description and its numbers. */
export function draw(figure: Figure): void {
  displayHtml(figureHtml(figure), `${figure.title}\n${figure.description}\n\n${tableText(figure.data)}`);
}

export function figureHtml({ title, description, data, options }: Figure): string {
  const load = createRequire(__filename);
  const plot = load('@observablehq/plot') as PlotModule;
  const { parseHTML } = load('linkedom') as typeof import('linkedom', { with: {
    'resolution-mode': 'import',
  }});
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawn = plot.plot({
    document,
    width: 760,
    marginBottom: 48,
    style: { background: 'transparent', color: 'currentColor', fontSize: '12px' },
    ariaLabel: title,
    ariaDescription: description,
    ...options(plot),
  });
  // To a reader who can't see it, the figure is its title and description, not its strokes.
  document.body.append(drawn);
  for (const group of document.querySelectorAll('g[aria-label]')) group.removeAttribute('aria-label');
  for (const svg of document.querySelectorAll('svg'))
    if (svg.hasAttribute('aria-label')) svg.setAttribute('role', 'img');
    else svg.setAttribute('aria-hidden', 'true');
  return (
    `${STYLE}<figure class="vmlab vmlab-chart"><figcaption><strong>${escapeHtml(title)}</strong><br>` +
    `${escapeHtml(description)}</figcaption>${drawn.outerHTML}` +
    `<details><summary>The numbers</summary>${tableHtml(data)}</details></figure>`
  );
}
