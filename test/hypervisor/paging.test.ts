// Guests that use paging, under every way of virtualizing it: what they do to their tables, and
// what their tables do to them, is as on the bare machine.
import { asm, createMachine, MiB, RAM_BASE, TrapAndEmulate } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { onBareMachine, TECHNIQUE_NAMES, under, unlike } from './equivalence';
import { A, D, FINISHER, map, paged, R, U, V, W, X } from './paged-guest';

const GUESTS = {
  'loads and stores, and A and D bits': `
${map(0, V | R | W)}
        lw   a0, 0(s2)
        lw   a1, 0(s1)               # A is set
        sw   s2, 4(s2)
        lw   a2, 0(s1)               # D, too
        lw   a3, 4(s3)`,
  'rights that are missing': `
${map(0, V | R | A)}
        sw   s2, 0(s2)
${map(0, V | R | W | A | D)}
        sw   s2, 0(s2)
        lw   a0, 0(s2)
${map(0, 0)}
        lw   a1, 0(s2)
        la   s10, 1f
        jr   s2
1:      nop`,
  'pages of user mode, with SUM and without': `
${map(0, V | R | W | U | A)}
        lw   a0, 0(s2)
        li   t0, 0x40000
        csrs sstatus, t0
        sw   s2, 0(s2)
        lw   a1, 0(s2)
        csrc sstatus, t0
        lw   a2, 0(s2)
        lw   a3, 0(s1)`,
  'pages that can only be executed, with MXR and without': `
${map(0, V | X | A)}
        lw   a0, 0(s2)
        li   t0, 0x80000
        csrs sstatus, t0
        lw   a1, 0(s2)
        csrc sstatus, t0
        lw   a2, 0(s2)
${map(1, V | X | U | A)}
        li   t0, 0xc0000
        csrs sstatus, t0
        lw   a3, 0x10(s2)
        li   t1, 0x1000
        add  t1, t1, s2
        lw   a4, 0(t1)
        li   t0, 0x80000
        csrc sstatus, t0
        lw   a5, 0(t1)`,
  'user mode': `
        li   t0, 0x00000073          # ecall
        li   t1, 0x00052503          # lw a0, 0(a0)
        sw   t1, 0(s3)
        sw   t0, 4(s3)
${map(0, V | X | R | U)}
${map(1, V | R | W)}
        li   t0, 0x100
        csrc sstatus, t0
        csrw sepc, s2
        mv   a0, s2
        la   s10, 1f
        sret
1:      li   t0, 0x100
        csrc sstatus, t0
        csrw sepc, s2
        li   a0, WINDOW + 0x1000     # a page of the kernel's: faults, and the kernel goes on
        la   s10, 2f
        sret
2:      lw   a1, 0(s1)`,
  'an address space after another': `
${map(0, V | R | W)}
        sw   s2, 0(s2)
        li   t0, 0x80502800          # another root: the window leads elsewhere
        lw   t1, -2048(s0)
        sw   t1, -2048(t0)
        lw   t1, 4(s0)
        sw   t1, 4(t0)
        lw   t1, -2048(s0)
        sw   t1, -2048(t0)
        li   t1, 0x201440cf
        li   t2, 0x80503000 >> 12 << 10 | 1
        sw   t2, -1024(t0)
        li   t3, 0x80503000
        sw   t1, 0(t3)
        li   t4, 0x80400000 | 0x80502000 >> 12
        csrr s4, satp
        csrw satp, t4
        lw   a0, 0(s2)
        sw   s1, 0(s2)
        csrw satp, s4
        lw   a1, 0(s2)
        csrw satp, t4
        lw   a2, 0(s2)
        csrw satp, s4
        sfence.vma x0, s4
        lw   a3, 0(s2)
        csrw satp, x0
        lw   a4, 0(s3)
        csrw satp, s4
        sfence.vma s2, x0
        lw   a5, 0(s2)`,
  'accesses across pages, and atomics': `
${map(0, V | R | W)}
${map(1, V | R | W)}
        li   t1, WINDOW + 0xffe
        sw   s3, 0(t1)
        lw   a0, 0(t1)
        amoadd.w a1, s3, (s2)
        lr.w a2, (s2)
        sc.w a3, s1, (s2)
        lr.w a4, (s2)
        csrr t0, sscratch            # an exit in between
        sc.w a5, s1, (s2)
        lw   a6, 0(s1)`,
  'tables outside RAM, and pages': `
        li   t0, 0x3ffffc01
        sw   t0, -1020(s0)
        sfence.vma
        li   t1, 0x40400000
        lw   a0, 0(t1)
        li   t0, 0xfffffcc7
        sw   t0, 0(s1)
        sfence.vma
        lw   a1, 0(s2)
        la   s10, 1f
        jr   s2
1:      li   t0, 0x100000c7          # reserved: superpage out of line
        ori  t0, t0, 0x400
        sw   t0, -1020(s0)
        sfence.vma
        lw   a2, 0(t1)`,
  'the uart by a page of 4 KiB, read-only at first': `
        li   t0, 0x04000000 | ${V | R}
        sw   t0, 0(s1)
        sfence.vma
        li   t1, 'x'
        sb   t1, 0(s2)
        li   t0, 0x04000000 | ${V | R | W}
        sw   t0, 0(s1)
        sfence.vma
        sb   t1, 0(s2)
        lw   a0, 0(s1)`,
} as const;

describe.each(Object.entries(GUESTS))('%s', (_, body) => {
  it.each(TECHNIQUE_NAMES)('%s', (technique) => {
    const program = paged(body);
    const bare = onBareMachine(program);
    expect(bare.reason).toBe('finished');
    expect(unlike(bare, under(technique, program))).toEqual([]);
  });
});

describe('the identity map', () => {
  it('of a guest without paging is there from the start: no hidden faults', () => {
    const program = asm`
_start: li   t0, 0x80000000
        lw   a0, 0(t0)
        sw   a0, 4(t0)
        li   t1, ${FINISHER}
        li   t2, 0x5555
        sw   t2, 0(t1)
`;
    for (const memory of [
      { base: RAM_BASE, size: 12 * MiB },
      { base: RAM_BASE + 4 * MiB, size: 9 * MiB },
      { base: RAM_BASE + 5 * MiB, size: 6 * MiB },
    ]) {
      const hypervisor = new TrapAndEmulate(createMachine({ ram: 16 * MiB }), { memory });
      hypervisor.boot(program);
      expect(hypervisor.run().reason).toBe('finished');
      expect(hypervisor.report().exits.map((exit) => exit.count)).toEqual([1]);
    }
  });
});
