// Guests that an examiner would write: each does something that hypervisors get wrong, and leaves under
// every technique what it leaves on the bare machine. What it leaves doesn't depend on time.
import { asm } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { onBareMachine, TECHNIQUE_NAMES, under, unlike } from './equivalence';
import { A, D, map, paged, R, U, V, W, X } from './paged-guest';

const RAM = 2 ** 23;
const BUDGET = 300_000;
const FINISH = `
        li   t1, 0x100000
        li   t2, 0x5555
        sw   t2, 0(t1)`;
const RWX = V | R | W | X | A | D;

/** A kernel without paging whose handler logs cause, sepc and stval, and skips what trapped (4 bytes). */
const bare = (body: string, data = '') => asm`
_start: la   t0, handler
        csrw stvec, t0
        la   s11, log
${body}
        ${FINISH}
        .align 2
handler: csrr t6, scause
        sw   t6, 0(s11)
        csrr t6, stval
        sw   t6, 4(s11)
        csrr t6, sepc
        sw   t6, 8(s11)
        addi s11, s11, 12
        addi t6, t6, 4
        csrw sepc, t6
        sret
        .data
log:    .space 1024
${data}`;

/** Sets the timer so many ticks ahead, by SBI. */
const timerIn = (ticks: number) => `
        rdtime a0
        li   a1, 0
        addi a0, a0, ${ticks}
        li   a7, 0x54494d45
        li   a6, 0
        ecall`;

const GUESTS: Record<string, ReturnType<typeof asm>> = {
  'a trap in the trap handler': asm`
_start: la   t0, outer
        csrw stvec, t0
        ebreak
        ${FINISH}
        .align 2
outer:  csrr s0, sepc
        csrr s1, scause
        csrr s2, sstatus
        la   t0, inner
        csrw stvec, t0
        .word 0                       # in the handler: SPP, SPIE and sepc are overwritten
        csrr s3, sstatus
        csrw sepc, s0
        li   t0, 0x100
        csrs sstatus, t0
        csrr t0, sepc
        addi t0, t0, 4
        csrw sepc, t0
        sret
        .align 2
inner:  csrr s4, sepc
        csrr s5, scause
        csrr s6, stval
        csrr s7, sstatus
        addi t0, s4, 4
        csrw sepc, t0
        sret`,

  'misaligned loads and stores, across pages too': bare(
    `
        la   a0, data
        li   t0, 0x12345678
        sw   t0, 1(a0)
        lw   a1, 1(a0)
        lh   a2, 3(a0)
        lw   a3, 2047(a0)
        li   a4, 4094
        add  a4, a4, a0
        sw   t0, 0(a4)
        lw   a5, 0(a4)
        lr.w a6, (a4)
        amoadd.w a7, t0, (a4)
        sc.w s5, t0, (a4)`,
    `.balign 4096
data:   .space 8192`,
  ),

  'a vectored stvec': asm`
_start: la   t0, vectors
        addi t0, t0, 1
        csrw stvec, t0
        csrr s0, stvec
        li   t0, 2
        csrs sie, t0
        csrs sip, t0
        csrsi sstatus, 2
        ebreak
        ${FINISH}
        .balign 256
vectors: j exception
        j    software
        j    bad
        j    bad
        j    bad
        j    timer
exception: csrr s1, scause
        csrr t0, sepc
        addi t0, t0, 4
        csrw sepc, t0
        sret
software: li s2, 1
        csrci sip, 2
        ${timerIn(20)}
        li   t0, 0x20
        csrs sie, t0
        csrsi sstatus, 2
1:      j    1b
timer:  li   s3, 1
        csrw sie, zero
        ${FINISH}
bad:    li   s4, 1
        ${FINISH}`,

  'wfi with interrupts off': asm`
_start: la   t0, bad
        csrw stvec, t0
        li   t0, 0x20
        csrw sie, t0
        ${timerIn(50)}
        wfi                            # ends the wait, and takes no trap
        csrr s0, sip
        li   s1, 1
        csrw sie, zero
        ${FINISH}
        .align 2
bad:    li   s2, 1
        ${FINISH}`,

  'a storm of timers': asm`
_start: la   t0, handler
        csrw stvec, t0
        li   s0, 0
        li   s1, 200
        li   t0, 0x20
        csrw sie, t0
        ${timerIn(0)}
        csrsi sstatus, 2
1:      blt  s0, s1, 1b
        csrw sie, zero
        li   a0, 0
        li   a1, 0
        csrw sepc, zero
        ${FINISH}
        .align 2
handler: addi s0, s0, 1
        ${timerIn(0)}
        blt  s0, s1, 2f
        li   a0, -1
        li   a1, -1
        ecall
2:      sret`,

  'stimecmp, where there is one': asm`
_start: la   t0, handler
        csrw stvec, t0
        csrr s0, time
        li   t0, -1
        csrw 0x14d, t0
        csrw 0x15d, t0
        csrr s1, 0x15d
        rdtime t1
        addi t1, t1, 30
        csrw 0x14d, t1
        csrw 0x15d, zero
        li   t0, 0x20
        csrw sie, t0
        csrsi sstatus, 2
        li   t2, 20000
1:      addi t2, t2, -1
        bnez t2, 1b
        j    2f
        .align 2
handler: csrr s2, scause
        li   t0, 2
        beq  s2, t0, skip
        csrw sie, zero
2:      csrw sepc, zero
        csrw stval, zero
        li   t0, -1
        csrw 0x14d, t0
        csrw 0x15d, t0
        li   s0, 0
        li   t1, 0
        li   t2, 0
        li   t0, 0
        csrw sstatus, zero
        ${FINISH}
skip:   csrr t3, sepc
        addi t3, t3, 4
        csrw sepc, t3
        sret`,

  'code that changes in the next page, without a fence in between pages': asm`
        .option norvc
_start: la   t0, next
        li   t1, 0x00158593            # addi a1, a1, 1
        sw   t1, 0(t0)
        fence.i
        j    last
        .org 0xffc
last:   addi a0, a0, 1
next:   .word 0
        ${FINISH}`,

  'compressed code up to the last byte of a page, and across it': asm`
        .option norvc
_start: li   s0, 3
        j    last
        .org 0xffa
        .option rvc
last:   c.addi a0, 1
        c.addi a0, 2
        .option norvc
        addi a1, a1, 0x123             # two bytes here, two there
        addi s0, s0, -1
        bnez s0, last
        ${FINISH}`,
};

const PAGED: Record<string, string> = {
  'SUM and MXR, in turn': `${map(0, RWX | U)}${map(1, V | X | A | D)}${map(2, V | R | U | A | D)}
        lw   a0, 0(s2)                 # a fault without SUM
        li   t0, 0x40000
        csrs sstatus, t0
        lw   a0, 0(s2)
        sw   a0, 4(s2)
        li   t1, 4096
        add  t1, t1, s2
        lw   a1, 0(t1)                 # execute-only: a fault …
        li   t0, 0x80000
        csrs sstatus, t0
        lw   a1, 0(t1)                 # … not with MXR
        sw   a1, 0(t1)
        li   t0, 0x40000
        csrc sstatus, t0
        lw   a2, 0(s2)
        lw   a3, 0(t1)
        li   t0, 0xc0000
        csrc sstatus, t0
        lw   a4, 0(t1)`,
  'sfence by address and by address space': `${map(0, RWX)}${map(1, RWX)}
        sw   s1, 0(s2)
        li   t0, (PAGE + 0x3000) >> 12 << 10 | ${RWX}
        sw   t0, 0(s1)                 # another page there
        sfence.vma s2, zero
        lw   a0, 0(s2)
        li   t0, (PAGE + 0x2000) >> 12 << 10 | ${RWX}
        sw   t0, 0(s1)
        li   t1, 0
        sfence.vma s2, t1              # of address space 0
        lw   a1, 0(s2)
        li   t0, 0x80400000 | ROOT >> 12
        csrw satp, t0                  # address space 1, the same table
        sfence.vma
        lw   a2, 0(s2)
        li   t0, 0
        sw   t0, 0(s1)
        li   t1, 1
        sfence.vma zero, t1
        lw   a3, 0(s2)`,
  'a kernel that takes its own page away': `
        sw   zero, 4(s0)               # 4 MiB at 0x80400000: the code itself, and the handler
        sfence.vma
        nop`,
  'superpages, with A and D clear': `
        li   t0, 0x20100000 | ${V | R | W}   # 4 MiB at 0x40000000, of RAM from 0x80400000 on
        sw   t0, -1024(s0)
        sfence.vma
        lw   a0, 0(s2)
        lw   a1, -1024(s0)             # accessed
        li   t0, 0x200000
        add  t0, t0, s2
        sw   zero, 0(t0)
        lw   a2, -1024(s0)             # dirty
        li   t0, 0x20100400 | ${RWX}   # a misaligned superpage: a fault
        sw   t0, -1024(s0)
        sfence.vma
        lw   a3, 0(s2)`,
  'two addresses of one page, and code under both': `${map(0, RWX)}
        li   t0, (PAGE + 0) >> 12 << 10 | ${RWX}
        sw   t0, 4(s1)
        sfence.vma
        li   t1, 4096
        add  t1, t1, s2
        li   t0, 0x00008067            # ret
        li   t2, 0x00150513            # addi a0, a0, 1
        sw   t2, 0(s2)
        sw   t0, 4(s2)
        fence.i
        jalr s2
        jalr t1
        li   t2, 0x00250513            # addi a0, a0, 2, by the other address
        sw   t2, 0(t1)
        fence.i
        jalr s2
        jalr t1`,
  'the top of the address space, where hypervisors like to be': `
        li   t0, TABLE >> 12 << 10 | 1
        sw   t0, 2044(s0)              # the last 4 MiB through the table
        li   t0, (PAGE + 0x1000) >> 12 << 10 | ${RWX}
        li   t1, 4092
        add  t1, t1, s1
        sw   t0, 0(t1)                 # the last page
        sfence.vma
        li   t1, 0xfffff000
        li   t0, 0x1234
        sw   t0, 0(t1)
        lw   a0, 0(t1)
        sw   t0, -4(zero)
        lw   a1, -4(zero)
        li   t2, 0x00008067
        sw   t2, 0x100(t1)
        fence.i
        addi t1, t1, 0x100
        jalr t1`,
};

describe.each(TECHNIQUE_NAMES)('%s', (technique) => {
  const same = (image: ReturnType<typeof asm>) => {
    const wanted = onBareMachine(image, BUDGET, RAM);
    expect(wanted.reason).not.toBe('budget');
    expect(unlike(wanted, under(technique, image, 20 * BUDGET, RAM))).toEqual([]);
  };

  it.each(Object.entries(GUESTS))('%s', (_, image) => same(image));
  it.each(Object.entries(PAGED))('%s', (_, body) => same(paged(body)));
});
