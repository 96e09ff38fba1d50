// Several VMs on one machine: each guest gets exactly its own results, whatever the others do.
import { asm, createMachine, guest, MiB, SeveralVms } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { hartState } from '../../kernel-lib/lab/hart-state';
import { onBareMachine } from './equivalence';

const RAM = 8 * MiB;
const machine = () => createMachine({ ram: 64 * MiB });

/** Interrupts off, and never back. */
const SPINNER = asm`
_start: csrci sstatus, 2
        csrw sie, x0
1:      j    1b
`;

/** A short nano-os. */
const NANO_OS = guest('nano-os', { FORKS: 1, WORK: 10 });

/** Runs them until these guests have ended, or so many instructions and traps have passed. */
function runUntilEnd(several: SeveralVms, names: readonly string[], most = 6_000_000): void {
  const STEP = 50_000;
  for (let done = 0; done < most && names.some((name) => several.endOf(name) === undefined); done += STEP)
    several.run({ instructions: STEP });
}

const FINISH = `
        li   t1, 0x100000
        li   t2, 0x5555
        sw   t2, 0(t1)`;

describe.each(['user', 'ring1'] as const)('side by side, layout %s', (layout) => {
  it('each guest leaves what it leaves on a bare machine', () => {
    const guests = { hostile: guest('hostile'), syscalls: guest('syscalls'), one: NANO_OS, other: NANO_OS };
    const several = new SeveralVms(machine(), { slice: 3_000 });
    several.add('spinner', SPINNER, { layout });
    for (const [name, image] of Object.entries(guests)) {
      const paging = name === 'other' ? 'shadow-traced' : 'shadow';
      several.add(name, image, { ram: RAM, layout, paging });
    }
    runUntilEnd(several, Object.keys(guests));
    expect(several.endOf('spinner')).toBeUndefined();
    for (const [name, image] of Object.entries(guests)) {
      const bare = onBareMachine(image, 5_000_000, RAM);
      const { hart, guest: board, console } = several.vm(name);
      expect(several.endOf(name)).toMatchObject({ reason: 'finished', code: 0 });
      expect(console).toBe(bare.console);
      expect(hartState(hart)).toEqual(hartState(bare.hart));
      expect(Buffer.compare(board.ram.bytes, bare.ram)).toBe(0);
    }
    expect(several.report().switches).toBeGreaterThan(20);
  });
});

describe('the schedule', () => {
  it('gives the hart back after a slice, and shares it evenly', () => {
    const several = new SeveralVms(machine(), { slice: 2_000 });
    const names = ['a', 'b', 'c'];
    for (const name of names) several.add(name, SPINNER);
    several.run({ instructions: 150_000 });
    const retired = names.map((name) => several.vm(name).hart.instret);
    for (const count of retired) expect(Math.abs(count / 50_000 - 1)).toBeLessThan(0.1);
  });

  it('leaves the hart to others while a guest waits', () => {
    const sleeper = asm`
_start: la   t0, handler
        csrw stvec, t0
        li   a0, 20000               # ticks: 200,000 cycles
        li   a1, 0
        li   a7, 0
        ecall
        li   t0, 0x20
        csrw sie, t0
        csrsi sstatus, 2
1:      wfi
        j    1b
        .align 2
handler: ${FINISH}
`;
    const several = new SeveralVms(machine(), { slice: 10_000 });
    several.add('sleeper', sleeper);
    several.add('spinner', SPINNER);
    runUntilEnd(several, ['sleeper']);
    expect(several.endOf('sleeper')?.reason).toBe('finished');
    expect(several.report().idle).toBe(0);
    expect(several.vm('sleeper').guest.idleCycles).toBe(0);
  });

  it('ends when all guests have ended, and lets time pass when all wait', () => {
    const several = new SeveralVms(machine());
    several.add('one', guest('hello'));
    several.add('two', guest('hello'));
    expect(several.run().reason).toBe('finished');
    const waiting = new SeveralVms(machine());
    waiting.add(
      'waits for ever',
      asm`_start: wfi
        j _start`,
    );
    expect(waiting.run().reason).toBe('idle');
  });

  it('lets a guest of higher priority go first, at the cycle that it has asked for', () => {
    // It wakes every 1,000 ticks and keeps how late it was woken at worst, in a0.
    const realTime = asm`
_start: la   t0, handler
        csrw stvec, t0
        li   s0, 10
        li   s2, 0
        rdtime s1
        addi s1, s1, 1000
        mv   a0, s1
        li   a1, 0
        li   a7, 0
        ecall
        li   t0, 0x20
        csrw sie, t0
        csrsi sstatus, 2
1:      wfi
        j    1b
        .align 2
handler: rdtime t0
        sub  t0, t0, s1
        bgeu s2, t0, 2f
        mv   s2, t0
2:      addi s1, s1, 1000
        mv   a0, s1
        ecall
        addi s0, s0, -1
        beqz s0, 3f
        sret
3:      ${FINISH}
`;
    const latest = (priority: number) => {
      const several = new SeveralVms(machine(), { slice: 50_000 });
      several.add('spinner', SPINNER);
      several.add('real time', realTime, { priority });
      runUntilEnd(several, ['real time']);
      expect(several.endOf('real time')?.reason).toBe('finished');
      return several.vm('real time').hart.x[18]; // s2
    };
    expect(latest(1)).toBeLessThan(500); // ticks: a few exits and a world switch
    expect(latest(0)).toBeGreaterThan(2_500); // a slice of the other's
  });
});

describe('the console', () => {
  it('keeps what guests print apart, and shows all of it line by line', () => {
    const several = new SeveralVms(machine(), { slice: 2_000 });
    several.add('one', guest('syscalls'));
    several.add('two', guest('hello'));
    several.run();
    const bare = onBareMachine(guest('syscalls')).console;
    expect(several.vm('one').console).toBe(bare);
    const lines = several.console.split('\n');
    const of = (name: string) =>
      lines.filter((line) => line.startsWith(`${name}| `)).map((line) => line.slice(5));
    expect(of('one')).toEqual(bare.trimEnd().split('\n'));
    expect(of('two')).toEqual(['Hello from supervisor mode.']);
  });

  it('gives what is typed to the guest in focus', () => {
    const reader = asm`
_start: li   t0, 0x10000000
1:      lbu  t1, 5(t0)
        andi t1, t1, 1
        beqz t1, 1b
        lbu  a0, 0(t0)
        ${FINISH}
`;
    const several = new SeveralVms(machine());
    several.add('one', reader);
    several.add('two', reader);
    several.focus('two');
    several.input('k');
    several.run({ instructions: 100_000 });
    expect(several.endOf('one')).toBeUndefined();
    expect(several.endOf('two')?.reason).toBe('finished');
    expect(several.vm('two').hart.x[10]).toBe('k'.charCodeAt(0));
  });
});

describe('mistakes of the caller', () => {
  it('are said', () => {
    expect(() => new SeveralVms(machine(), { slice: 0 })).toThrow('slice of 0');
    const several = new SeveralVms(createMachine({ ram: 16 * MiB }));
    several.add('one', SPINNER);
    expect(() => several.add('one', SPINNER)).toThrow('already');
    expect(() => several.add('large', SPINNER, { ram: 16 * MiB })).toThrow('No 16 MiB');
    expect(() => several.vm('three')).toThrow('There are: one');
  });
});
