// Kernels that look into their own page tables, write them by other ways, and take pages away from code
// that runs: each leaves under every technique what it leaves on the bare machine.
import { describe, expect, it } from 'vitest';
import { onBareMachine, TECHNIQUE_NAMES, under, unlike } from './equivalence';
import { A, D, map, paged, R, V, W, X } from './paged-guest';

const RAM = 2 ** 23;
const BUDGET = 100_000;
const RWX = V | R | W | X | A | D;

const GUESTS: Record<string, string> = {
  'A and D, as the guest reads them in its tables': `${map(0, V | R | W | X)}${map(1, V | R | W)}${map(2, V | R | W)}${map(3, V | R | W | A)}
        lw   a0, 0(s1)
        lw   a1, 4(s1)
        lw   t0, 0(s2)
        lw   a2, 0(s1)
        li   t1, 0x1000
        add  t1, s2, t1
        sw   t0, 4(t1)
        lw   a3, 4(s1)
        li   t1, 0x2000
        add  t1, s2, t1
        lw   t0, 4(t1)
        lw   a4, 8(s1)
        amoadd.w t0, zero, (t1)
        lw   a5, 8(s1)
        li   t1, 0x3000
        add  t1, s2, t1
        lw   t0, 4(t1)
        lw   a6, 12(s1)
        # clear A and D, flush, touch again
        li   t0, 0xffffff3f
        lw   t2, 4(s1)
        and  t2, t2, t0
        sw   t2, 4(s1)
        sfence.vma
        li   t1, 0x1000
        add  t1, s2, t1
        lw   t0, 0(t1)
        lw   s4, 4(s1)
        sw   t0, 0(t1)
        lw   s5, 4(s1)
        # read-only store must not set D
        lw   t2, 8(s1)
        li   t0, ~(128|64|4)
        and  t2, t2, t0
        sw   t2, 8(s1)
        sfence.vma
        li   t1, 0x2000
        add  t1, s2, t1
        sw   t0, 0(t1)
        lw   s6, 8(s1)`,
  'page tables written through another mapping': `${map(0, RWX)}
        li   t0, TABLE >> 12 << 10 | 0xc7
        sw   t0, 20(s1)
        sfence.vma
        li   s4, WINDOW + 0x5000     # the table, seen through itself
        li   t0, PAGE >> 12 << 10 | 0x2000 | 0xc7
        sw   t0, 24(s4)
        sfence.vma
        li   s5, WINDOW + 0x6000
        li   t0, 0x1234
        sw   t0, 0(s5)
        lw   a0, 24(s4)
        amoor.w a1, zero, (s4)
        li   t0, -3
        amoand.w a2, t0, (s4)
        sh   zero, 24(s4)
        sfence.vma
        lw   a3, 0(s5)
        lw   a4, 0(s2)
        sb   zero, 20(s4)            # takes its own window away
        sfence.vma s4
        lw   a5, 20(s4)`,
  'code across two pages, and the second one goes': `${map(0, RWX)}${map(1, RWX)}
        li   t1, WINDOW + 0x1000
        li   t0, 0x0513
        sh   t0, -2(t1)
        li   t0, 0x0055
        sh   t0, 0(t1)
        li   t0, 0x8082
        sh   t0, 2(t1)
        fence.i
        li   a0, 1
        addi t3, t1, -2
        jalr t3
        mv   s4, a0
        sw   zero, 4(s1)
        sfence.vma t1
        la   s10, 1f
        jalr t3
1:      mv   s5, a0
        li   t0, ${V | R | W | A | D}
        li   t2, (PAGE + 0x1000) >> 12 << 10
        or   t0, t0, t2
        sw   t0, 4(s1)
        sfence.vma t1
        la   s10, 2f
        jalr t3
2:      li   t0, 0x80824505          # c.li a0,1; ret in the first page's end
        sw   t0, -4(t1)
        fence.i
        addi t3, t1, -4
        jalr t3
        mv   s6, a0`,
  'two address spaces that share tables, and fences by their number': `${map(0, RWX)}
        li   t0, 0x80520000          # second root
        li   t1, ROOT
        li   t2, 1024
1:      lw   t3, 0(t1)
        sw   t3, 0(t0)
        addi t0, t0, 4
        addi t1, t1, 4
        addi t2, t2, -1
        bnez t2, 1b
        li   t0, 0x80521000
        li   t1, 0x80521000 >> 12 << 10 | 1
        li   t2, 0x80520400
        sw   t1, 0(t2)
        li   t1, (PAGE + 0x1000) >> 12 << 10 | ${RWX}
        sw   t1, 0(t0)
        li   s4, 0x80000000 | ROOT >> 12
        li   s5, 0x80400000 | 0x80520
        li   s6, 6
2:      csrw satp, s5
        lw   t0, 0(s2)
        addi t0, t0, 3
        sw   t0, 0(s2)
        csrw satp, s4
        lw   t0, 0(s2)
        addi t0, t0, 5
        sw   t0, 0(s2)
        addi s6, s6, -1
        bnez s6, 2b
        csrw satp, s5
        li   t0, 0x80521000
        li   t1, (PAGE + 0x2000) >> 12 << 10 | ${RWX}
        sw   t1, 0(t0)
        li   t2, 1
        sfence.vma x0, t2
        lw   s7, 0(s2)
        sw   t2, 0(s2)
        sw   zero, 0(t0)
        sfence.vma s2, t2
        lw   s8, 0(s2)
        csrw satp, zero
        lw   s9, 0(s3)
        csrw satp, s4
        lw   a0, 0(s2)`,
};

describe.each(TECHNIQUE_NAMES)('%s', (technique) => {
  it.each(Object.entries(GUESTS))('%s', (_, body) => {
    const image = paged(body);
    const wanted = onBareMachine(image, BUDGET, RAM);
    expect(wanted).toMatchObject({ reason: 'finished', code: 0 });
    expect(unlike(wanted, under(technique, image, 20 * BUDGET, RAM))).toEqual([]);
  });
});
