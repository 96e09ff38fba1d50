// CLINT, PLIC, UART and finisher: their registers as a driver meets them, and interrupts from the
// device to the handler.
import { asm, Cause, createMachine, Mode } from 'kernel-lib';
import { describe, expect, it } from 'vitest';

const CLINT = 0x0200_0000;
const PLIC = 0x0c00_0000;
const UART = 0x1000_0000;
const [MEIP, SEIP, MTIP, STIP] = [1 << 11, 1 << 9, 1 << 7, 1 << 5];

describe('the CLINT', () => {
  it('counts a tick every ten cycles, from wherever software sets it, in 64 bits', () => {
    const { bus, clock, clint } = createMachine();
    bus.write(4, CLINT + 0xbff8, -3);
    bus.write(4, CLINT + 0xbffc, -1);
    clock.cycles += 20;
    expect([clint.timeHigh, clint.timeLow]).toEqual([-1, -1]);
    clock.cycles += 10;
    expect([bus.read(4, CLINT + 0xbffc), bus.read(4, CLINT + 0xbff8)]).toEqual([0, 0]);
  });

  it('raises the timer line when mtime reaches mtimecmp, compared as unsigned numbers', () => {
    const machine = createMachine();
    const { bus, clock } = machine;
    bus.write(4, CLINT + 0x4004, 0);
    bus.write(4, CLINT + 0x4000, 5);
    expect(machine.nextEvent).toBe(50);
    clock.cycles = 49;
    expect(machine.interruptLines & MTIP).toBe(0);
    clock.cycles = 50;
    expect(machine.interruptLines & MTIP).toBe(MTIP);
    bus.write(4, CLINT + 0x4004, -1);
    expect([machine.interruptLines & MTIP, machine.nextEvent]).toEqual([0, Infinity]);
  });

  it('refuses accesses that are not words', () => {
    const { bus } = createMachine();
    expect(bus.read(2, CLINT + 0xbff8)).toBeUndefined();
    expect(bus.write(1, CLINT, 1)).toBe(false);
    expect(bus.read(4, CLINT + 0x8000)).toBe(0);
  });
});

describe('Sstc', () => {
  it('raises STIP by stimecmp, once M mode allows it', () => {
    const machine = createMachine();
    const { hart, clock } = machine;
    const number = 0x14d;
    expect([hart.csrs.accessible(number, Mode.M, true), hart.csrs.accessible(number, Mode.S, true)]).toEqual([
      true,
      false,
    ]);
    hart.csrs.set('menvcfgh', -1);
    hart.csrs.set('mcounteren', 2);
    expect(hart.csrs.accessible(number, Mode.S, true)).toBe(true);
    hart.csrs.set('stimecmph', 0);
    hart.csrs.set('stimecmp', 7);
    expect(machine.nextEvent).toBe(70);
    clock.cycles = 70;
    expect(hart.csrs.get('mip') & STIP).toBe(STIP);
    hart.csrs.set('mip', 0);
    expect(hart.csrs.get('mip') & STIP).toBe(STIP);
  });
});

describe('the PLIC', () => {
  const withSources = (...sources: [source: number, priority: number][]) => {
    const machine = createMachine();
    const { bus, plic } = machine;
    for (const [source, priority] of sources) {
      bus.write(4, PLIC + 4 * source, priority);
      plic.setLine(source, true);
    }
    bus.write(4, PLIC + 0x2080, -1);
    return { machine, bus, plic, claim: () => bus.read(4, PLIC + 0x20_1004) };
  };

  it('gives the highest priority first, of equal ones the lowest number, and each once', () => {
    const { claim, machine } = withSources([3, 1], [5, 7], [4, 7], [6, 0]);
    expect(machine.interruptLines & (MEIP | SEIP)).toBe(SEIP);
    expect([claim(), claim(), claim(), claim()]).toEqual([4, 5, 3, 0]);
    expect(machine.interruptLines & SEIP).toBe(0);
  });

  it('offers a source again when the device raises its line again, but not while it is handled', () => {
    const { bus, plic, claim } = withSources([3, 1]);
    const complete = () => bus.write(4, PLIC + 0x20_1004, 3);
    expect([claim(), claim()]).toEqual([3, 0]);
    complete();
    expect(claim()).toBe(0);
    plic.setLine(3, true);
    expect(claim()).toBe(3);
    plic.setLine(3, true);
    expect(claim()).toBe(0);
    complete();
    expect(claim()).toBe(3);
    complete();
    plic.setLine(3, true);
    plic.setLine(3, false);
    expect(claim()).toBe(0);
  });

  it('keeps quiet up to the threshold, and about sources that are not enabled', () => {
    const { machine, bus } = withSources([3, 2]);
    const line = () => (machine.interruptLines & SEIP) !== 0;
    bus.write(4, PLIC + 0x20_1000, 2);
    expect(line()).toBe(false);
    bus.write(4, PLIC + 0x20_1000, 1);
    expect(line()).toBe(true);
    bus.write(4, PLIC + 0x2080, 1 << 4);
    expect(line()).toBe(false);
  });

  it('keeps what has as many bits as there are', () => {
    const { bus } = createMachine();
    bus.write(4, PLIC, 7);
    bus.write(4, PLIC + 4, -1);
    bus.write(4, PLIC + 0x2000, -1);
    expect([bus.read(4, PLIC), bus.read(4, PLIC + 4), bus.read(4, PLIC + 0x2000)]).toEqual([
      0, 7, 0xffff_fffe,
    ]);
  });
});

describe('SEIP', () => {
  it('is read with the controller’s line, and set and cleared without it', () => {
    const machine = createMachine();
    const { hart, bus, plic } = machine;
    bus.write(4, PLIC + 4, 1);
    bus.write(4, PLIC + 0x2080, 2);
    plic.setLine(1, true);
    machine.load(asm`csrrsi a0, mip, 2
                     csrr   a1, mip`);
    machine.run({ instructions: 2 });
    expect(hart.x[10] & SEIP).toBe(SEIP);
    plic.setLine(1, false);
    expect(hart.csrs.get('mip')).toBe(2);
  });
});

describe('the UART', () => {
  it('shows what it has in LSR and IIR, and reads of IIR answer THRE', () => {
    const { bus, uart } = createMachine();
    const reg = (n: number) => bus.read(1, UART + n);
    expect([reg(5), reg(2)]).toEqual([0x60, 1]);
    bus.write(1, UART + 1, 3);
    expect(reg(2)).toBe(2);
    expect(reg(2)).toBe(1);
    uart.input('ab');
    expect([reg(5), reg(2), reg(0), reg(0), reg(5)]).toEqual([0x61, 4, 97, 98, 0x60]);
    bus.write(1, UART, 'x'.charCodeAt(0));
    expect([reg(2), uart.output]).toEqual([2, 'x']);
  });

  it('has a divisor behind DLAB, FIFOs that show in IIR, and a loopback', () => {
    const { bus, uart } = createMachine();
    bus.write(1, UART + 3, 0x83);
    bus.write(2, UART, 0x0203);
    expect([bus.read(1, UART), bus.read(1, UART + 1), uart.output]).toEqual([3, 2, '']);
    bus.write(1, UART + 3, 3);
    bus.write(1, UART + 2, 7);
    expect(bus.read(1, UART + 2)).toBe(0xc1);
    bus.write(1, UART + 4, 0x1a);
    expect((bus.read(1, UART + 6) ?? 0) & 0xf0).toBe(0x90);
    bus.write(1, UART, 65);
    expect([bus.read(1, UART), uart.output]).toEqual([65, '']);
  });

  it('wakes a hart that waits, whenever something is typed: a run ends idle, and goes on', () => {
    const machine = createMachine();
    machine.load(asm`
        la   t0, handler
        csrw mtvec, t0
        li   t0, ${PLIC}
        li   t1, 1
        sw   t1, 40(t0)         # priority of source 10
        li   t1, 1 << 10
        li   t2, ${PLIC + 0x2000}
        sw   t1, 0(t2)
        li   s0, ${UART}
        li   t1, 1
        sb   t1, 1(s0)
        li   t1, ${MEIP}
        csrw mie, t1
        csrsi mstatus, 8
wait:   wfi
        j    wait
        .align 2
handler: li  t0, ${PLIC + 0x20_0004}
        lw   t1, 0(t0)
        lbu  t2, 0(s0)
        addi t2, t2, 1
        sb   t2, 0(s0)
        sw   t1, 0(t0)
        mret`);
    expect(machine.run().reason).toBe('idle');
    machine.uart.input('H');
    expect(machine.run().reason).toBe('idle');
    machine.uart.input('AL');
    expect(machine.run().reason).toBe('idle');
    expect(machine.console).toBe('IBM');
  });
});

it('a vectored handler is entered at four times the cause', () => {
  const machine = createMachine();
  const { hart } = machine;
  hart.csrs.set('mtvec', 0x8000_0101);
  hart.enterTrap(Mode.M, { cause: Cause.MachineTimerInterrupt, tval: 0 });
  expect(hart.pc >>> 0).toBe(0x8000_011c);
  hart.enterTrap(Mode.M, { cause: Cause.Breakpoint, tval: 0 });
  expect(hart.pc >>> 0).toBe(0x8000_0100);
});

it('the finisher ends the run with what it was told', () => {
  const end = (value: number) => {
    const machine = createMachine();
    machine.load(asm`li t0, 0x100000
                     li t1, ${value}
                     sw t1, 0(t0)`);
    const { reason, code } = machine.run();
    return [reason, code];
  };
  expect([end(0x5555), end(0x7777), end(0x2a_3333)]).toEqual([
    ['finished', 0],
    ['finished', 0],
    ['finished', 42],
  ]);
});
