// chart.*: an SVG with title, units, label and numbers; mistakes are told by row and field.
import { chart, classify, createMachine, guest, type Report, TrapAndEmulate } from 'kernel-lib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findChromium, NO_CHROMIUM } from './browser.js';
import { expectAccessible, withFigure } from './figure.js';

const HOOK = Symbol.for('vmlab.kernel');
let shown: Record<string, string>[] = [];

beforeEach(() => {
  shown = [];
  Reflect.set(globalThis, HOOK, { display: (bundle: Record<string, string>) => shown.push(bundle) });
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, HOOK);
});

function ran(): TrapAndEmulate {
  const hypervisor = new TrapAndEmulate(createMachine());
  hypervisor.boot(guest('syscalls'));
  hypervisor.run();
  return hypervisor;
}

const html = () => shown.map((bundle) => bundle['text/html']).join('');
const text = () => shown.map((bundle) => bundle['text/plain']).join('\n');

describe('charts of a report', () => {
  const charts: [string, (report: Report) => void][] = [
    ['exits', (report) => chart.exits(report)],
    ['cycles', (report) => chart.cycles(report, report)],
    ['exitRate', (report) => chart.exitRate(report)],
  ];

  it.each(charts)('%s: an SVG with a title, units, a label for readers, and its numbers', (_, draw) => {
    draw(ran().report());
    expect(html()).toMatch(/<svg[^>]*aria-label="[^"]+"/);
    expect(html()).toMatch(/<figcaption><strong>[^<]+<\/strong>/);
    expect(html()).toMatch(/exits \(count\)|cycles|exits per 1,000 instructions/);
    expect(html()).toContain('The numbers');
    expect(html()).not.toContain('undefined');
    expect(html()).not.toContain('NaN');
    expect(text().split('\n').length).toBeGreaterThan(3);
  });

  it.each(charts)('%s of a guest that never ran is drawn, too', (_, draw) => {
    draw(new TrapAndEmulate(createMachine()).report());
    expect(html()).toContain('<svg');
    expect(html()).not.toContain('NaN');
  });
});

const ROWS = [
  { technique: 'native', slice: 10, cycles: 100, where: 'user' },
  { technique: 'native', slice: 1000, cycles: 300, where: 'kernel' },
  { technique: 'emulated & co', slice: 10, cycles: 20_000, where: 'user' },
  { technique: 'emulated & co', slice: 1000, cycles: 1_500_000, where: 'kernel' },
];
const X = { of: 'slice', title: 'time slice', unit: 'cycles', log: true } as const;
const Y = { of: 'cycles', title: 'run time', unit: 'cycles' } as const;
const NAME = { of: 'technique', title: 'technique' } as const;
const title = 'A & title';

const GENERAL: [string, (rows: typeof ROWS) => void][] = [
  ['line', (rows) => chart.line({ title, rows, x: X, y: Y, by: 'technique', mark: { y: 5, label: 'five' } })],
  ['line, one series', (rows) => chart.line({ title, rows: rows.slice(0, 2), x: X, y: Y })],
  ['scatter', (rows) => chart.scatter({ title, rows, x: X, y: Y, label: 'technique' })],
  ['bars', (rows) => chart.bars({ title, rows: rows.slice(0, 1), x: Y, y: NAME })],
  ['bars, stacked', (rows) => chart.bars({ title, rows, x: Y, y: NAME, by: 'where' })],
  ['bars, grouped', (rows) => chart.bars({ title, rows, x: Y, y: NAME, by: 'where', layout: 'grouped' })],
];

describe('charts of rows', () => {
  it.each(GENERAL)('%s: title, units, label for readers, numbers; and drawn marks', (_, draw) => {
    draw(ROWS);
    expect(html()).toMatch(/<svg[^>]*aria-label="A (&|&amp;) title"/);
    expect(html()).toContain('<strong>A &#38; title</strong>');
    expect(html()).toContain('run time (cycles)');
    expect(text()).toMatch(/ 100$/m);
    expect(html()).toMatch(/<(rect|path)[^>]* (fill|stroke)="#56b4e9"|fill="#56b4e9"/);
    expect(html()).not.toMatch(/NaN|undefined/);
  });

  it.each(GENERAL)('%s of no rows is drawn, too', (_, draw) => {
    draw([]);
    expect(html()).toContain('<svg');
    expect(text()).toContain('There is nothing to draw.');
    expect(html()).not.toMatch(/NaN|Infinity/);
  });

  it('says what is to be seen: the extremes, or what the author says', () => {
    chart.line({ title, rows: ROWS, x: X, y: Y, by: 'technique' });
    chart.bars({ title, rows: ROWS, x: Y, y: NAME, by: 'where' });
    chart.scatter({ title, rows: ROWS, x: X, y: Y, says: 'Longer slices cost more.' });
    expect(text()).toContain('native: from 100 at 10 to 300 at 1,000; emulated');
    expect(text()).toContain('least for native (400), most for emulated & co (1,520,000)');
    expect(text()).toContain('Longer slices cost more.');
  });

  it('puts the name of a level line where the points leave room', () => {
    const anchor = (cycles: number[]) => {
      const rows = cycles.map((each, n) => ({ slice: n + 1, cycles: each }));
      chart.line({ title, rows, x: X, y: Y, mark: { y: 1, label: 'one' } });
      return [...html().matchAll(/<g[^>]*text-anchor="(\w+)"[^>]*><text[^>]*>one</g)].at(-1)?.[1];
    };
    expect(anchor([1, 2, 9])).toBe('end');
    expect(anchor([9, 2, 1])).toBe('start');
  });

  it('sums up the parts of a bar, and not the bars of a group', () => {
    const rows = [
      { what: 'small', how: 'tool', lines: 1 },
      { what: 'large', how: 'tool', lines: 7 },
      { what: 'large', how: 'hand', lines: 30 },
    ];
    const x = { of: 'lines', title: 'lines', unit: 'lines' } as const;
    const y = { of: 'what', title: 'what' } as const;
    chart.bars({ title, rows, x, y, by: 'how' });
    expect(text()).toContain('lines: least for small (1), most for large (37).');
    chart.bars({ title, rows, x, y, by: 'how', layout: 'grouped' });
    expect(text()).toContain('lines: least for small, tool (1), most for large, hand (30).');
  });

  it('mistakes are told by chart, row and field', () => {
    const rows = [
      { a: 1, b: 2 },
      { a: 0, b: Number.NaN },
    ];
    const axis = (of: 'a' | 'b', log = false) => ({ of, title: of, unit: '1', log });
    expect(() => chart.line({ title: 'T', rows, x: axis('a'), y: axis('b') })).toThrow(
      'chart "T": row 2 has no number in b, but NaN.',
    );
    expect(() => chart.line({ title: 'T', rows, x: axis('a', true), y: axis('a') })).toThrow(
      /row 2 has a = 0.*logarithmic/,
    );
    expect(() => chart.line({ title: 'T', rows, x: { ...axis('a'), unit: '' }, y: axis('a') })).toThrow(
      /needs a title and a unit/,
    );
    expect(() => chart.bars({ title: 'T', rows, x: axis('a'), y: { of: 'c' as 'a', title: 'c' } })).toThrow(
      /row 1 has no field c/,
    );
    expect(() => chart.bars({ title: 'T', rows, x: axis('a', true), y: { of: 'b', title: 'b' } })).toThrow(
      /logarithmic|row 2/,
    );
    const twice = { title: 'T', rows: [ROWS[0], ROWS[0]], x: NAME, y: NAME, value: NAME };
    expect(() => chart.matrix(twice)).toThrow(/two rows are about \["native","native"\]/);
  });
});

describe('matrices', () => {
  it('cells in words, missing ones empty, counted', () => {
    const rows = [
      { instruction: 'sret', profile: 'riscv', class: 'privileged' },
      { instruction: 'sret', profile: 'arm', class: 'critical' },
      { instruction: 'popf', profile: 'arm', class: 'critical' },
    ];
    chart.matrix({
      title: 'Classes',
      rows,
      x: { of: 'profile', title: 'profile' },
      y: { of: 'instruction', title: 'instruction' },
      value: { of: 'class', title: 'class' },
      emphasise: ['critical'],
    });
    expect(text()).toMatch(
      /sret +privileged +critical\n +popf +critical\nHow many of each: privileged: 1, critical: 2\./,
    );
    expect(html()).toContain('<td></td>');
    expect(html().match(/<strong>critical<\/strong>/g)).toHaveLength(2);
  });

  it('classes by profile: those that are critical somewhere', () => {
    chart.classes([classify('riscv'), classify('x86')]);
    expect(text()).toMatch(/read sstatus +privileged +critical/);
    expect(text()).not.toContain('add ');
  });
});

it('all charts in a browser: axe is content, in light and in dark', async (context) => {
  if (!findChromium()) context.skip(NO_CHROMIUM);
  for (const [, draw] of GENERAL) draw(ROWS);
  chart.exits(ran().report());
  chart.cycles(ran().report());
  chart.classes([classify('riscv'), classify('x86')]);
  await withFigure([html()], async (page) => {
    await page.getByText('The numbers').first().click();
    await expectAccessible(page);
    for (const svg of await page.locator('svg[aria-label]').all()) {
      const box = await svg.boundingBox();
      expect(box?.width).toBeGreaterThan(300);
    }
  });
});
