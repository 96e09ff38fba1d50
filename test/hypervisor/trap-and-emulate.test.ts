// Trap-and-emulate: guests behave as on the bare machine, and bad guests do no harm.
import {
  asm,
  Cause,
  createMachine,
  dispatch,
  Firmware,
  guest,
  TrapAndEmulate,
  type TrapAndEmulateOptions,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { hartState } from '../../kernel-lib/lab/hart-state';
import { onBareMachine, underTrapAndEmulate } from './equivalence';

describe('exits', () => {
  it('are told apart by cause, mode and instruction, and nothing else is lost', () => {
    const { hypervisor } = underTrapAndEmulate(guest('syscalls'));
    const report = hypervisor.report();
    const find = (instruction: string, mode: number) =>
      report.exits
        .filter((exit) => exit.instruction === instruction && exit.mode === mode)
        .map((exit) => exit.count);
    expect(find('ecall', 0)).toEqual([10]); // 6 writes, 3 alarms, 1 exit
    expect(find('ecall', 1)).toEqual([6]); // set and clear the timer, 3 times
    expect(find('csrrs', 0)).toEqual([1]); // the crime
    expect(report.exits.find((exit) => exit.cause === Cause.MachineTimerInterrupt)?.count).toBe(3);
    const { direct, emulated, cycles } = report;
    const calls = 16;
    expect(direct.user + direct.kernel + emulated).toBe(hypervisor.vm.hart.instret);
    expect(hypervisor.vm.machine.traps).toBe(report.exits.reduce((sum, exit) => sum + exit.count, 0));
    const all = cycles.guestUser + cycles.guestKernel + cycles.hypervisor + cycles.idle;
    expect(all).toBe(hypervisor.vm.machine.cycles);
    expect(calls).toBe(find('ecall', 0)[0] + find('ecall', 1)[0]);
  });

  it('never lose a timer interrupt, whenever the alarm is due', () => {
    // The deadline passes at every place of an exit's work, the way back into the guest included.
    for (let ticks = 0; ticks < 200; ticks += 3) {
      const program = asm`
_start: la   t0, handler
        csrw stvec, t0
        rdtime a0
        addi a0, a0, ${ticks}
        li   a1, 0
        li   a7, 0x54494d45
        li   a6, 0
        ecall
        li   t0, 0x20
        csrw sie, t0
        csrsi sstatus, 2
wait:   j    wait
        .align 2
handler: li  t1, 0x100000
        li   t2, 0x5555
        sw   t2, 0(t1)
`;
      const { reason } = underTrapAndEmulate(program, 100_000);
      expect(`${ticks}: ${reason}`).toBe(`${ticks}: finished`);
    }
  });
});

describe('a compute loop', () => {
  it('runs directly, within 5 % of native cycles', () => {
    const program = asm`
_start: li t0, 20000
1:      add a0, a0, t0
        addi t0, t0, -1
        bnez t0, 1b
        li t1, 0x100000
        li t2, 0x5555
        sw t2, 0(t1)
`;
    const bare = createMachine();
    new Firmware(bare).boot(program);
    bare.run();
    const { hypervisor } = underTrapAndEmulate(program);
    const { direct, emulated } = hypervisor.report();
    expect(direct.kernel / (direct.kernel + emulated)).toBeGreaterThan(0.999);
    expect(hypervisor.vm.machine.cycles / bare.cycles).toBeLessThan(1.05);
  });
});

describe('a guest that waits', () => {
  it('lets time pass until its timer is due', () => {
    const program = asm`
_start: la   t0, handler
        csrw stvec, t0
        li   a0, 50000
        li   a1, 0
        li   a7, 0
        ecall
        li   t0, 0x20
        csrw sie, t0
        csrsi sstatus, 2
1:      wfi
        j    1b
        .align 2
handler: li  t1, 0x100000
        li   t2, 0x5555
        sw   t2, 0(t1)
`;
    const outcome = underTrapAndEmulate(program);
    expect(outcome.reason).toBe('finished');
    expect(outcome.hypervisor.report().cycles.idle).toBeGreaterThan(400_000);
  });

  it('for nothing ends the run as idle', () => {
    const program = asm`_start: wfi
        j _start`;
    expect(onBareMachine(program).reason).toBe('idle');
    expect(underTrapAndEmulate(program).reason).toBe('idle');
  });
});

describe('bad guests', () => {
  const bad = {
    'into the void': [
      asm`_start: li t0, 0x40000000
        jr t0`,
      'trap-loop',
    ],
    'for ever': [asm`_start: j _start`, 'budget'],
    'outside RAM': [
      asm`_start: li t0, 0x70000000
        sw t0, 0(t0)`,
      'trap-loop',
    ],
    garbage: [asm`_start: .word 0xffffffff, 0, 0x12345678`, 'trap-loop'],
  } as const;

  it.each(Object.entries(bad))('%s: the run ends with a reason', (_, [image, reason]) => {
    expect(onBareMachine(image, 10_000).reason).toBe(reason);
    expect(underTrapAndEmulate(image, 10_000).reason).toBe(reason);
  });

  it('can be stopped and another one booted on a new machine', () => {
    const hypervisor = new TrapAndEmulate(createMachine());
    hypervisor.boot(bad['for ever'][0]);
    expect(hypervisor.run({ instructions: 100 }).instructions).toBe(100);
    expect(hypervisor.run({ instructions: 50 }).instructions).toBe(50);
  });
});

describe('the fast path of an exit', () => {
  it.each(['nano-os', 'rtos', 'hostile', 'selfmod', 'syscalls', 'defects/popf'])(
    'gives %s the cycles, counts and state of the slow one',
    (name) => {
      const ran = (options: TrapAndEmulateOptions) => {
        const hypervisor = new TrapAndEmulate(createMachine(), options);
        hypervisor.boot(guest(name, name === 'nano-os' ? { FORKS: 2, WORK: 20 } : {}));
        const end = hypervisor.run({ instructions: 3_000_000 });
        const { vm } = hypervisor;
        return { end, report: hypervisor.report(), state: hartState(vm.hart), console: vm.console };
      };
      expect(ran({})).toEqual(ran({ dispatch })); // whoever has a dispatcher of his own sees every exit
    },
  );
});
