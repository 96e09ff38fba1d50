// show() and chart.*: as text where there is no notebook, as HTML with a text alternative where there is.
import {
  chart,
  createMachine,
  Firmware,
  guest,
  type Report,
  show,
  showCsr,
  TrapAndEmulate,
} from 'kernel-lib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

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

describe('show', () => {
  it('a machine: mode, pc with its instruction, registers, CSRs, console', () => {
    const machine = createMachine();
    new Firmware(machine).boot(guest('hello'));
    machine.run();
    show(machine);
    expect(text()).toMatch(/mode +S \(supervisor\)/);
    expect(text()).toMatch(/pc +0x804000/);
    expect(text()).toMatch(/t0 \(x5\) +0x00100000 +1,048,576/);
    expect(text()).toContain('Hello from supervisor mode.');
    expect(html()).toContain('<caption>Hart</caption>');
  });

  it('a CSR field by field', () => {
    const machine = createMachine();
    machine.hart.csrs.set('sstatus', 0x122);
    showCsr(machine.hart, 'sstatus');
    expect(text()).toMatch(/sstatus = 0x00000122/);
    expect(text()).toMatch(/SPP +8 +1/);
    expect(() => showCsr(machine.hart, 'nonsense')).toThrow(/no CSR called "nonsense"/);
  });

  it('a VM beside the real hart, its report, and the end of a run', () => {
    const hypervisor = ran();
    show(hypervisor);
    show(hypervisor.report());
    show({ reason: 'finished', message: 'Over.', instructions: 1234 });
    expect(text()).toContain('What the guest believes');
    expect(text()).toMatch(/directly, user mode +17,\d+/);
    expect(text()).toMatch(/environment call from U-mode \(ecall\) +virtual U +10/);
    expect(text()).toMatch(/finished +Over\. +1,234/);
  });

  it('escapes what comes from a guest', () => {
    const machine = createMachine();
    for (const byte of Buffer.from('<script>alert(1)</script>')) machine.uart.send(byte);
    show(machine);
    expect(html()).not.toContain('<script>alert');
  });

  it('prints text without a notebook', () => {
    Reflect.deleteProperty(globalThis, HOOK);
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    show(createMachine());
    expect(log.mock.calls.join('')).toContain('Hart');
    log.mockRestore();
  });
});

describe('charts', () => {
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
