// Guests that wait in a loop of one instruction, as kernels do when they panic or have nothing to do:
// the loop runs directly under every technique, and an interrupt ends it.
import { asm, createMachine, TECHNIQUES } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { TECHNIQUE_NAMES } from './equivalence';

const LOOPS = {
  'j .': 'loop: j loop',
  'c.j .': '.option rvc\nloop: c.j loop\n.option norvc',
  'beqz zero, .': 'loop: beqz zero, loop',
  'jr to itself': 'la t2, loop\nloop: jr t2',
};

/** Waits for its timer 50,000 cycles long, in the handler stops the machine. */
const waiting = (loop: string) => asm`
_start: la   t0, handler
        csrw stvec, t0
        rdtime t0
        li   t1, 50000
        add  a0, t0, t1
        li   a1, 0
        li   a7, 0              # SBI set_timer, legacy
        ecall
        li   t0, 0x20
        csrs sie, t0
        csrsi sstatus, 2
        ${loop}
        .balign 4
handler: csrr a0, scause
        csrr a1, sepc
        li   t1, 0x100000
        li   t2, 0x5555
        sw   t2, 0(t1)
1:      j    1b
`;

const faithful = TECHNIQUE_NAMES.filter((name) => name !== 'full-emulation');

describe.each(Object.entries(LOOPS))('a guest in %s', (_, loop) => {
  it.each(faithful)('under %s runs directly until its interrupt comes', (technique) => {
    const hypervisor = TECHNIQUES[technique](createMachine());
    hypervisor.boot(waiting(loop));
    const { reason } = hypervisor.run({ instructions: 1_000_000 });
    expect(reason).toBe('finished');
    const { direct, emulated } = hypervisor.report();
    expect(direct.kernel).toBeGreaterThan(20_000);
    expect(emulated).toBeLessThan(50);
  });

  it.each(faithful)('under %s uses its budget up, and no exit per round', (technique) => {
    const machine = createMachine();
    const hypervisor = TECHNIQUES[technique](machine);
    hypervisor.boot(asm`_start: nop
        ${loop}`);
    const { reason, instructions } = hypervisor.run({ instructions: 100_000 });
    expect(reason).toBe('budget');
    expect(instructions).toBeGreaterThan(90_000);
    expect(machine.traps).toBeLessThan(100);
  });
});
