// A kernel that turns paging on and does what it is told there.
import { asm } from 'kernel-lib';

/** The finisher's address while paging is on. */
export const FINISHER = 0x0010_0000;

/**
 * A kernel that maps itself by a superpage, and devices and a few pages of its own besides; then runs `body`.
 * Each trap is noted: cause, stval and sepc go into a log in memory, and the instruction is skipped.
 */
export const paged = (body: string) => asm`${pagedSource(body)}`;

export const pagedSource = (body: string) => `
        .equ ROOT, 0x80500000
        .equ TABLE, 0x80501000
        .equ PAGE, 0x80510000
        .equ WINDOW, 0x40000000
_start: la   t0, handler
        csrw stvec, t0
        la   s11, log
        li   s0, ROOT + 0x800        # its middle: all entries are in reach
        li   s1, TABLE
        li   t0, 0x200000cf          # 4 MiB at 0x80000000: the kernel's, read, write and execute
        li   t1, 0x201000cf          # 4 MiB at 0x80400000
        sw   t0, 0(s0)
        sw   t1, 4(s0)
        li   t0, 0x000000c7          # devices: 4 MiB at 0 and at 0x10000000
        sw   t0, -2048(s0)
        li   t0, 0x040000c7
        sw   t0, -1792(s0)
        li   t0, TABLE >> 12 << 10 | 1
        sw   t0, -1024(s0)
        li   s2, WINDOW
        li   s3, PAGE
        li   t0, 0x80000000 | ROOT >> 12
        csrw satp, t0
        sfence.vma
${body}
        li   t1, ${FINISHER}
        li   t2, 0x5555
        sw   t2, 0(t1)

        .align 2
handler: csrr t6, scause
        sw   t6, 0(s11)
        csrr t6, stval
        sw   t6, 4(s11)
        csrr t6, sepc
        sw   t6, 8(s11)
        addi s11, s11, 12
        li   t5, 0x100
        csrs sstatus, t5             # whoever trapped, the kernel goes on
        beqz s10, 1f
        mv   t6, s10                 # at s10, if that is set
        li   s10, 0
        j    2f
1:      addi t6, t6, 4
2:      csrw sepc, t6
        sret
        .data
log:    .space 1024
`;

/** Maps page `page` of the window to the page of the same number, with these flags. */
export const map = (page: number, flags: number) => `
        li   t0, (PAGE + ${page} * 0x1000) >> 12 << 10 | ${flags}
        sw   t0, ${4 * page}(s1)
        sfence.vma`;

export const V = 1;
export const R = 2;
export const W = 4;
export const X = 8;
export const U = 16;
export const A = 64;
export const D = 128;
