# selfsum: a program that sums up its own instructions while it runs, and says OK or CHANGED.
#
# What it shows: whether somebody has changed the program. Load-time patching does: it replaces
# sensitive instructions, and a program that looks at itself (a virus scanner, a boot check, copy
# protection) finds out. Binary translation runs a copy, and leaves the original as it was.
#   - The text stands here twice: once to be executed, once as it was assembled, to be compared.
#   - It has what patchers look for: csrr, csrw, csrrc on sstatus, stvec, sscratch, sepc and satp,
#     sfence.vma, fence.i, sret, and an ecall.
#   - Return addresses are looked at as well: a call must leave one that is in the text.
#
# Entry: S mode, paging off, SBI firmware. Board: QEMU virt. Exit code 0 if all is as it was, else 1.
# Memory: code and data from 80400000 on; the two texts are in pages of their own.

        .equ    UART,     0x10000000
        .equ    UART_LSR, 5             # line status register
        .equ    LSR_IDLE, 0x20          # transmit holding register empty
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    FAIL,     0x3333
        .equ    SBI_TIME, 0x54494d45    # SBI extension "TIME", call 0: set_timer(low, high)
        .equ    STATUS_SIE, 0x2
        .equ    STATUS_SPP, 0x100
        .equ    PAGE,     4096

# The text. Entered with a0: where it is, a1: the original, a2: how many bytes. It refers to nothing
# outside itself by distance, so the two copies consist of equal bytes.
        .macro  text
        mv      s0, a0
        mv      s1, a1
        add     s2, a0, a2
        li      s7, 0                   # s7: what is wrong

        csrw    stvec, s0               # sensitive things, to no effect
        csrr    t0, sstatus
        csrci   sstatus, STATUS_SIE
        csrrsi  t0, sstatus, 0
        csrw    sscratch, t0
        csrr    t0, satp
        csrw    satp, t0
        sfence.vma
        fence.i
        li      t0, STATUS_SPP
        csrs    sstatus, t0
        jal     t1, 2f                  # t1: the address behind this
2:      addi    t1, t1, 12              # three instructions on
        csrw    sepc, t1
        sret                            # to the next instruction
        li      a0, -1
        li      a1, -1
        li      a7, SBI_TIME
        li      a6, 0
        ecall

        li      a0, 0                   # compares, and sums both
        mv      t0, s0
        mv      t1, s1
        li      s3, 0                   # s3: words that differ
        li      s4, 0                   # s4: the sum of the running text
        li      s5, 0                   # s5: … and of the original
4:      lw      t2, 0(t0)
        lw      t3, 0(t1)
        slli    t4, s4, 1               # sums that notice exchanged words: rotate, then add
        srli    s4, s4, 31
        or      s4, s4, t4
        add     s4, s4, t2
        slli    t4, s5, 1
        srli    s5, s5, 31
        or      s5, s5, t4
        add     s5, s5, t3
        xor     t2, t2, t3
        snez    t2, t2
        add     s3, s3, t2
        addi    t0, t0, 4
        addi    t1, t1, 4
        bne     t0, s2, 4b

        jal     ra, 6f                  # prints the text that begins behind this: ra is its address
5:      .asciz  "selfsum: my text is "
        .balign 4, 0
6:      mv      t1, ra
        jal     ra, 20f
        bne     s4, s5, 7f
        bnez    s3, 7f
        jal     ra, 8f
        .asciz  "OK\n"
        .balign 4, 0
7:      ori     s7, s7, 1
        jal     ra, 8f
        .asciz  "CHANGED\n"
        .balign 4, 0
8:      mv      t1, ra
        jal     ra, 20f

        jal     ra, 9f
        .asciz  "selfsum: return addresses are "
        .balign 4, 0
9:      mv      t1, ra
        mv      s6, ra
        jal     ra, 20f
        bltu    s6, s0, 10f
        bgeu    s6, s2, 10f
        jal     ra, 11f
        .asciz  "mine\n"
        .balign 4, 0
10:     ori     s7, s7, 1
        jal     ra, 11f
        .asciz  "of somebody else\n"
        .balign 4, 0
11:     mv      t1, ra
        jal     ra, 20f

        csrw    sepc, zero
        csrw    sscratch, zero
        li      t0, FINISHER
        li      t1, PASS
        beqz    s7, 12f
        li      t1, 1 << 16 | FAIL
12:     sw      t1, 0(t0)
13:     wfi
        j       13b

20:     li      t0, UART                # writes the zero-terminated text at t1
21:     lbu     t2, 0(t1)
        beqz    t2, 23f
22:     lbu     t3, UART_LSR(t0)
        andi    t3, t3, LSR_IDLE
        beqz    t3, 22b
        sb      t2, 0(t0)
        addi    t1, t1, 1
        j       21b
23:     ret
        .endm

        .section .text
        .globl  _start
_start:
        csrw    sie, zero
        la      a0, running
        la      a1, original
        la      a2, running_end
        sub     a2, a2, a0
        jr      a0
        .balign PAGE
running:
        text
running_end:

        .section .rodata
        .balign PAGE
original:
        text
        .balign PAGE
