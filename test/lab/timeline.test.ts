// record() and timeline(): what is recorded is what the machine did; and the figure in a real browser.
import {
  createMachine,
  excerpt,
  Firmware,
  guest,
  MiB,
  Mode,
  type Recording,
  record,
  TECHNIQUES,
  type TechniqueName,
  TrapAndEmulate,
  timeline,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { packRun } from '../../kernel-lib/lab/timeline/encode';
import { unpackRun } from '../../kernel-lib/lab/timeline/page';
import { timelineHtml, timelineText } from '../../kernel-lib/lab/timeline/timeline';
import { findChromium, NO_CHROMIUM } from './browser.js';
import { expectAccessible, stripped, tabTo, withFigure } from './figure.js';

function underHypervisor(): TrapAndEmulate {
  const hypervisor = new TrapAndEmulate(createMachine());
  hypervisor.boot(guest('syscalls'));
  return hypervisor;
}

function bare() {
  const machine = createMachine();
  new Firmware(machine).boot(guest('syscalls'));
  return machine;
}

const valuesAfter = (run: Recording) => {
  const values = [...run.start];
  for (const { changes } of run.steps) for (const [place, value] of changes) values[place] = value;
  return values;
};

describe('record', () => {
  it('a bare machine: the same run as without, and its state at the end', () => {
    const plain = bare();
    plain.run();
    const machine = bare();
    const run = record(machine, { steps: 100_000 });
    expect(machine.console).toBe(plain.console);
    expect([machine.cycles, machine.hart.instret]).toEqual([plain.cycles, plain.hart.instret]);
    expect(run.ending).toBe('The guest stopped the machine.');
    expect(run.steps.at(-1)?.cycles).toBe(machine.cycles);
    const values = valuesAfter(run);
    expect(values[run.places.indexOf('sp')]).toBe(machine.hart.x[2]);
    expect(values[run.places.indexOf('sepc')]).toBe(machine.hart.csrs.get('sepc'));
    expect(new Set(run.steps.map((step) => run.holders[step.holder]))).toEqual(
      new Set(['user', 'kernel', 'firmware']),
    );
  });

  it('an excerpt begins with the state that was there, and ends like the whole', () => {
    const run = record(underHypervisor(), { steps: 2000 });
    const part = excerpt(run, 500, 700);
    expect(part.steps).toEqual(run.steps.slice(500, 700));
    expect(part.startCycles).toBe(run.steps[499].cycles);
    expect(valuesAfter(part)).toEqual(valuesAfter({ ...run, steps: run.steps.slice(0, 700) }));
    expect(excerpt(run, 0, run.steps.length)).toMatchObject({
      start: run.start,
      startCycles: run.startCycles,
    });
    expect(timelineText(part)).toContain('200 steps of a longer run');
  });

  it('a guest in ring 1: its kernel is told from its process, though it enters it without an exit', () => {
    const hypervisor = new TrapAndEmulate(createMachine(), { layout: 'ring1' });
    hypervisor.boot(guest('nano-os', { FORKS: 1, WORK: 1, CALLS: 2 }));
    const { steps, holders } = record(hypervisor, { from: 60_000, steps: 20_000 });
    const call = steps.findIndex((step) => step.text === 'ecall' && step.virtual === 'U');
    expect(call).toBeGreaterThan(0);
    const around = steps.slice(call, call + 2);
    expect(around.map((step) => holders[step.holder])).toEqual(['guest user', 'guest kernel']);
    expect(around.map((step) => step.real + step.virtual)).toEqual(['UU', 'SS']);
  });

  it('a guest: who held the hart agrees with the report; a trap is followed by its answer', () => {
    const plain = underHypervisor();
    plain.run();
    const hypervisor = underHypervisor();
    const run = record(hypervisor, { steps: 100_000 });
    expect(hypervisor.vm.console).toBe(plain.vm.console);
    expect(hypervisor.report()).toEqual(plain.report());
    const exits = plain.report().exits.reduce((sum, exit) => sum + exit.count, 0);
    const count = (holder: string, isTrap: boolean) =>
      run.steps.filter((step) => run.holders[step.holder] === holder && (step.trap !== '') === isTrap).length;
    expect(count('hypervisor', true) + count('hypervisor', false)).toBe(exits);
    expect(count('guest user', false)).toBe(plain.report().direct.user);
    expect(count('guest kernel', false)).toBe(plain.report().direct.kernel);
    const first = run.steps.findIndex((step) => step.trap !== '');
    expect(run.steps[first]).toMatchObject({
      text: 'csrw stvec, t0',
      trap: 'illegal instruction',
      real: 'U',
      virtual: 'S',
      changes: [],
    });
    const stvec = run.places.indexOf('virtual stvec');
    expect(run.steps[first + 1]).toMatchObject({ holder: 2, real: 'M' });
    expect(run.steps[first + 1].changes.map(([place]) => place)).toEqual([stvec]);
    expect(run.steps.some((step) => step.text.includes("gives the guest's kernel"))).toBe(true);
  });

  it.each(Object.keys(TECHNIQUES) as TechniqueName[])(
    '%s: recorded, a run is the same as without',
    (name) => {
      const make = () => {
        const hypervisor = TECHNIQUES[name](createMachine({ ram: 32 * MiB }));
        hypervisor.boot(guest('syscalls'));
        return hypervisor;
      };
      const plain = make();
      plain.run({ instructions: 3000 });
      const recorded = make();
      const run = record(recorded, { steps: 3000 });
      expect(recorded.vm.console).toBe(plain.vm.console);
      expect(recorded.report()).toEqual(plain.report());
      expect(recorded.vm.machine.cycles).toBe(plain.vm.machine.cycles);
      expect(run.steps.at(-1)?.cycles).toBe(plain.vm.machine.cycles);
      const values = valuesAfter(run);
      const x = [...recorded.vm.hart.x].slice(1);
      expect(values.slice(0, 31)).toEqual(x);
      if (name === 'full-emulation')
        expect(new Set(run.steps.map((step) => run.holders[step.holder]))).toEqual(new Set(['hypervisor']));
    },
  );

  it('a part of a run: `from` instructions are run first, and recording goes on where it ended', () => {
    const whole = record(bare(), { steps: 300 });
    const machine = bare();
    const later = record(machine, { from: 100, steps: 100 });
    expect(later.steps).toEqual(whole.steps.slice(100, 200));
    expect(record(machine, { steps: 50 }).steps).toEqual(whole.steps.slice(200, 250));
    expect(later.ending).toMatch(/^100 instructions are recorded; record again/);
  });

  it('nothing of the recording stays with the machine', () => {
    const machine = bare();
    const { host } = machine;
    record(machine, { steps: 10 });
    expect(machine.host).toBe(host);
  });

  it('limits are told', () => {
    expect(() => record(bare(), { steps: 1e6 })).toThrow(/from 0 to 100,000, and is 1000000\..*\{ from:/);
    expect(() => record(bare(), { from: -1 })).toThrow(/from must be a whole number/);
    const over = bare();
    over.run();
    expect(record(over, { steps: 10 }).steps).toEqual([]);
    expect(record(over, { from: 5, steps: 10 }).ending).toMatch(/^The run had ended before/);
  });
});

describe('the way to the page', () => {
  it('nothing is lost, and a step takes few bytes', () => {
    const run = record(underHypervisor(), { steps: 20_000 });
    const packed = packRun(run);
    expect(packed.bytes.length).toBeLessThan(20 * run.steps.length);
    const columns = unpackRun(packed, atob(packed.bytes));
    run.steps.forEach((step, n) => {
      const [first, end] = [columns.firstChange[n], columns.firstChange[n + 1]];
      const changes = [];
      for (let c = first; c < end; c++) changes.push([columns.place[c], columns.after[c]]);
      const texts = [columns.text, columns.real, columns.virtual, columns.trap].map(
        (c) => packed.texts[c[n]],
      );
      const { holder, pc, text, real, virtual, trap, cycles } = step;
      expect([columns.holder[n], columns.pc[n], ...texts, columns.cycles[n], changes]).toEqual([
        ...[holder, pc, text, real, virtual, trap, cycles],
        step.changes,
      ]);
    });
  });

  it('numbers at their limits', () => {
    const step = { holder: 0, text: '</script>', real: 'U', virtual: '', trap: '' };
    const limits = [-0x8000_0000, 0x7fff_ffff, 0, -1, 1];
    const steps = limits.map((value, n) => ({
      ...step,
      pc: value,
      cycles: n * 2 ** 40,
      changes: [[0, value]] as [number, number][],
    }));
    const run = { title: 'x', holders: ['a'], places: ['p'], start: [7], startCycles: 0, steps, ending: '' };
    const packed = packRun(run);
    const columns = unpackRun(packed, atob(packed.bytes));
    expect([...columns.pc]).toEqual(limits);
    expect(columns.after).toEqual(limits);
    expect(columns.before).toEqual([7, ...limits.slice(0, -1)]);
    expect([...columns.cycles]).toEqual(steps.map(({ cycles }) => cycles));
    expect(timelineHtml(run).match(/<\/script>/g)).toHaveLength(1);
  });
});

describe('without a script', () => {
  it('as text and stripped: the steps to open at, and the traps', () => {
    const run = record(underHypervisor());
    expect(timelineText(run, { at: 30 })).toMatch(
      /Steps 24 to 35 of [\d,]+[\s\S]*The first 12 of \d+ traps[\s\S]*csrw stvec, t0 {2}⚡ illegal/,
    );
    const html = stripped(timelineHtml(run));
    expect(html).toContain('Run this cell');
    expect(html).toContain('csrw stvec, t0');
    expect(html).not.toContain('<button');
  });

  it('what is no recording is told', () => {
    expect(() => timeline(bare() as unknown as Recording)).toThrow(/timeline\(record\(machine\)\)/);
  });

  it('a recording of nothing is shown, too', () => {
    const machine = bare();
    machine.run();
    expect(timelineText(record(machine))).toContain('The guest stopped the machine.');
    expect(Mode[machine.hart.mode]).toBe('S');
  });
});

describe('in a browser', () => {
  it('steps, jumps, filters, plays; by mouse and by keyboard', async (context) => {
    if (!findChromium()) context.skip(NO_CHROMIUM);
    const run = record(underHypervisor(), { steps: 20_000 });
    await withFigure([timelineHtml(run), timelineHtml(record(bare()), { at: 7 })], async (page) => {
      const figure = page.locator('.vmlab-timeline').first();
      const where = () => figure.locator('.vmlab-where').first().innerText();
      const told = () => figure.locator('.vmlab-told').innerText();
      const rows = figure.locator('tbody tr:visible');
      await expect.poll(() => figure.locator('.vmlab-asleep').count()).toBe(0);
      await expect.poll(where).toMatch(/^step 1 of 20,\d+ · /);
      await expect
        .poll(() => page.locator('.vmlab-timeline').nth(1).locator('.vmlab-where').first().innerText())
        .toMatch(/^step 7 of/);
      await figure.getByRole('button', { name: 'One step forward' }).click();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowLeft');
      await expect.poll(where).toMatch(/^step 2 of/);
      await page.keyboard.press('t');
      await expect.poll(told).toContain('Traps: illegal instruction.');
      await expect
        .poll(told)
        .toContain('guest kernel at 0x80400010: csrw stvec, t0 (real mode U, virtual mode S)');
      await page.keyboard.press('ArrowRight');
      await expect
        .poll(told)
        .toMatch(/^hypervisor at .*answers: illegal instruction.*Changes virtual stvec: 0x00000000 → 0x804/);
      await page.keyboard.press('Shift+T');
      await expect.poll(where).toMatch(/^step 5 of/);
      await page.keyboard.press('End');
      await expect.poll(where).toMatch(new RegExp(`^step ${run.steps.length.toLocaleString('en-GB')} of`));
      await page.keyboard.press('Home');
      await expect.poll(where).toMatch(/^step 1 of/);

      await figure.getByRole('checkbox', { name: 'guest user' }).uncheck();
      await figure.getByRole('checkbox', { name: 'guest kernel' }).uncheck();
      const column = async (n: number) => [
        ...new Set(await rows.locator(`td:nth-child(${n})`).allInnerTexts()),
      ];
      await expect.poll(() => column(2)).toEqual(['hypervisor']);
      await figure.getByRole('checkbox', { name: 'guest kernel' }).check();
      await figure.getByRole('searchbox').fill('SRET');
      await figure.getByRole('checkbox', { name: 'traps only' }).check();
      await expect.poll(() => column(6)).toEqual(['sret  ⚡ illegal instruction']);
      await figure.getByRole('searchbox').fill('no such thing');
      await expect.poll(() => figure.getByText('No step passes the filter.').isVisible()).toBe(true);
      await figure.getByRole('searchbox').fill('');
      await figure.getByRole('checkbox', { name: 'traps only' }).uncheck();

      await rows.nth(3).click();
      await expect.poll(() => rows.nth(3).getAttribute('aria-current')).toBe('step');
      await tabTo(page, 'All registers');
      await page.keyboard.press('Enter');
      await expect.poll(() => figure.locator('.vmlab-registers').innerText()).toMatch(/virtual sepc\s+0x/);
      await figure.locator('canvas').click({ position: { x: 400, y: 5 } });
      const middle = await where();
      await figure.getByRole('button', { name: 'Play' }).click();
      await expect.poll(where).not.toBe(middle);
      await page.keyboard.press('p');
      const stands = async () => {
        const before = await where();
        await page.waitForTimeout(300);
        return (await where()) === before;
      };
      await expect.poll(stands).toBe(true);
      await expectAccessible(page);
    });
  });

  it('every control keeps its keys from JupyterLab', async (context) => {
    if (!findChromium()) context.skip(NO_CHROMIUM);
    await withFigure([timelineHtml(record(bare()))], async (page) => {
      const open = await page
        .locator(
          '.vmlab-timeline :is(button, input, select, summary, [tabindex]):not([data-lm-suppress-shortcuts])',
        )
        .count();
      expect(open).toBe(0);
    });
  });
});
