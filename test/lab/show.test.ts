// show() and chart.*: as text where there is no notebook, as HTML with a text alternative where there is.
import {
  asm,
  classify,
  comparePort,
  createMachine,
  Firmware,
  guest,
  MiB,
  Mode,
  SeveralVms,
  show,
  showCsr,
  TrapAndEmulate,
} from 'kernel-lib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findChromium, NO_CHROMIUM } from './browser.js';
import { expectAccessible, tabTo, withFigure } from './figure.js';

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
    expect(text()).toMatch(/what the guest believes +what is\n +mode +S \(supervisor\) +● U \(user\)/);
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

const SPACE = 1 << 31;
const ROOT = 0x8000_1000;

/** A machine with a page table: two pages in a row, one more, a superpage, and a table that is nowhere. */
function paged() {
  const machine = createMachine({ ram: 4 * MiB });
  const { ram, hart } = machine;
  const entry = (table: number, index: number, pa: number, flags: number) =>
    ram.write(4, table + 4 * index, (pa / 4) | flags);
  entry(ROOT, 0, 0x8000_2000, 0x01);
  entry(0x8000_2000, 1, 0x8000_3000, 0xd7);
  entry(0x8000_2000, 2, 0x8000_4000, 0xd7);
  entry(0x8000_2000, 3, 0x8000_6000, 0xd7);
  entry(0x8000_2000, 4, 0x8000_7000, 0x02); // not valid
  entry(ROOT, 512, 0x8000_0000, 0xcf);
  entry(ROOT, 64, 0x1000_0000, 0xc7);
  entry(ROOT, 7, 0x4000_0000, 0x01);
  hart.csrs.set('satp', SPACE | (ROOT / 4096));
  hart.mode = Mode.S;
  machine.openMemory();
  return machine;
}

describe('page tables and memory', () => {
  it('a page table as a tree: runs of pages, superpages, names, flags', () => {
    show.pageTable(paged(), { names: [{ name: 'secret', base: 0x8000_6000, size: 4096 }] });
    const lines = text().split('\n');
    expect(lines[0]).toBe('Page table: root at 0x80001000, satp = 0x80080001');
    expect(lines.slice(1)).toEqual([
      '  0x00000000–0x003fffff  table at 0x80002000: 3 of 1024 pages',
      '      0x00001000–0x00002fff → 0x80003000  da-u-wrv  2 × 4 KiB  RAM',
      '      0x00003000–0x00003fff → 0x80006000  da-u-wrv  1 × 4 KiB  secret',
      '  0x01c00000–0x01ffffff  table at 0x40000000: not in RAM',
      '  0x10000000–0x103fffff → 0x10000000  da---wrv  1 × 4 MiB  uart',
      '  0x80000000–0x803fffff → 0x80000000  da--xwrv  1 × 4 MiB  RAM',
    ]);
    expect(html()).toContain('<details open><summary><code>0x00000000');
  });

  it('what is no page table is told', () => {
    show.pageTable(createMachine());
    expect(text()).toContain('addresses are not translated');
    const machine = createMachine();
    machine.hart.csrs.set('satp', SPACE | 5);
    show.pageTable(machine.hart);
    expect(text()).toContain('The root is not in RAM.');
  });

  it('of a hypervisor: the guest’s own table, and the one that the hart follows', () => {
    const hypervisor = new TrapAndEmulate(createMachine({ ram: 32 * MiB }));
    hypervisor.boot(guest('nano-os'));
    hypervisor.run({ instructions: 30_000 });
    show.pageTable(hypervisor);
    const { hart, machine } = hypervisor.vm;
    expect(text()).toContain(
      `The guest's own: root at 0x${((hart.csrs.get('satp') & 0x3fffff) * 4096).toString(16)}`,
    );
    expect(text()).toContain(`satp = 0x${(machine.hart.csrs.get('satp') >>> 0).toString(16)}`);
    expect(text().match(/pages$/gm)?.length).toBeGreaterThan(0);
  });

  it('the TLB', () => {
    const machine = paged();
    machine.hart.csrs.set('sstatus', 1 << 18); // SUM
    machine.hart.load(4, 0x1000);
    machine.hart.load(4, 0x8000_0000);
    show.tlb(machine);
    show.tlb(machine.hart, { most: 1 });
    expect(text()).toMatch(/data +0x80000000 +0x80000000 +4 MiB +da--xwrv +0/);
    expect(text()).toContain('the first 1 of them here; ');
  });

  it('memory: physical, virtual, missing, repeated', () => {
    const machine = paged();
    machine.ram.copyIn(0x8000_3ff8, Buffer.from('Hello, <world>!'));
    machine.hart.csrs.set('sstatus', 1 << 18); // SUM
    show.memory(machine.hart, 0x1ff8, 16);
    show.memory(machine, 0x7fff_fff8, 16);
    show.memory(machine.ram, 0x8000_8000, 160);
    expect(text()).toContain(
      '0x00001ff8  48 65 6c 6c 6f 2c 20 3c  77 6f 72 6c 64 3e 21 00  |Hello, <world>!.|',
    );
    expect(text()).toContain('·· ·· ·· ·· ·· ·· ·· ··  00 00');
    expect(text()).toMatch(/0x80008000 .*\n\*\n0x80008090 /);
    expect(html()).toContain('Hello, &#60;world&#62;');
    expect(() => show.memory(machine, 0, 1e6)).toThrow(/from 1 to 65536 bytes, not 1000000/);
  });
});

describe('side by side', () => {
  it('states: what differs from the first is marked, what is 0 in all is left out', () => {
    show.side({ wanted: { a0: 1, a1: 2, a2: 0 }, found: { a0: 1, a1: 3, a2: 0, why: 'because' } }, 'Cases');
    expect(text()).toBe(
      [
        'Cases',
        '  place  wanted      found',
        '  a0     0x00000001  0x00000001',
        '  a1     0x00000002  ● 0x00000003',
        '  why    –           ● because',
      ].join('\n'),
    );
    expect(html()).toContain('<td class="vmlab-differs">● 0x00000003</td>');
  });

  it('machines and harts', () => {
    const machine = createMachine();
    const other = createMachine();
    other.hart.x[10] = 7;
    show.side({ machine, hart: other.hart });
    expect(text()).toMatch(/a0 \(x10\) +0x00000000 +● 0x00000007/);
    expect(text()).not.toContain('a1');
  });

  it('a witness: the instruction, the states, the traps', () => {
    const finding = classify('x86').critical.find(({ name }) => name.includes('sstatus'));
    const witness = finding?.witnesses.mode ?? finding?.witnesses.configuration;
    expect(witness).toBeDefined();
    if (witness) show(witness);
    expect(text()).toMatch(/sstatus.* on the profile "x86" is \w+-sensitive: witness\n +place +in U mode/);
    expect(text()).toMatch(/trap +none/);
    expect(text()).toContain('●');
  });

  it('a block beside its translation', () => {
    show.blocks([
      { guest: '0x80400000  addi a0, a0, 1', translated: ['addi a0, a0, 1'], why: 'identical' },
      { guest: '0x80400004  csrw stvec, t0', translated: ['sw t0, -8(zero)', 'nop'], why: 'callout <x>' },
      { guest: '0x80400008  nop', translated: [], why: 'dropped' },
    ]);
    expect(text()).toMatch(/csrw stvec, t0 +sw t0, -8\(zero\) +callout <x>\n +nop\n/);
    expect(html()).toContain('<td>addi a0, a0, 1</td>');
    expect(html()).toContain('<td class="vmlab-differs">sw t0, -8(zero)<br>nop</td>');
    expect(text()).toContain('(nothing)');
    expect(html()).not.toContain('<x>');
  });
});

describe('programs, ports, several guests', () => {
  it('a listing, a port’s changes, a table of one’s own', () => {
    show(asm`_start: li t0, 5`);
    show(comparePort('nano-os', 'nano-os.para'));
    show({ caption: 'Mine', columns: [{ title: 'n', numeric: true }], rows: [[1234]] });
    expect(text()).toMatch(/0x80400000 {2}00500293 {2}li t0, 5/);
    expect(text()).toMatch(/lines added, \d+ removed, of \d+: [\d.]+ % of the guest/);
    expect(text()).toMatch(/^- +csrci +sstatus, STATUS_SIE$/m);
    expect(text()).toMatch(/Mine\n +n\n +1,234/);
  });

  it('the report of several VMs', () => {
    const several = new SeveralVms(createMachine({ ram: 32 * MiB }));
    several.add('one', guest('hello'));
    several.add('two', guest('syscalls'));
    several.run();
    show(several.report());
    expect(text()).toMatch(/Guests of one machine: \d+ switches/);
    expect(text()).toMatch(/two +[\d,]+ +[\d,]+/);
  });

  it('in a browser: a long text scrolls by keyboard, a tree unfolds, and axe is content', async (context) => {
    if (!findChromium()) context.skip(NO_CHROMIUM);
    show(comparePort('nano-os', 'nano-os.para'));
    show.pageTable(paged());
    show.side({ a: { x: 1 }, b: { x: 2 } });
    await withFigure([html()], async (page) => {
      await tabTo(page, 'lines added');
      await page.keyboard.press('End');
      const scrolled = () => page.evaluate(`document.querySelector('pre.vmlab-long').scrollTop`);
      await expect.poll(scrolled).toBeGreaterThan(100);
      const inside = page.getByText('0x00001000–0x00002fff');
      expect(await inside.isVisible()).toBe(true);
      await page.locator('.vmlab-tree summary').click();
      expect(await inside.isVisible()).toBe(false);
      await expectAccessible(page);
    });
  });
});
