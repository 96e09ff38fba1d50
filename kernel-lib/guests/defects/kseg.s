# kseg: adds up a table that is in the kernel's own window of addresses.
#
# What it shows: what isn't wrong can still be dear. Loads and stores in that window are for the
# kernel alone, whatever a page table says: under a hypervisor each of them traps. The result is
# right. (MIPS: KSEG; here the 4 MiB from 0x80000000.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    WINDOW,   0x80001000
        .equ    WORDS,    64
        .equ    SUM,      64 * 65 / 2

        .section .text
        .globl  _start
_start: li      t0, WINDOW
        li      t1, WORDS
1:      sw      t1, 0(t0)
        addi    t0, t0, 4
        addi    t1, t1, -1
        bnez    t1, 1b

        li      t0, WINDOW
        li      t1, WORDS
        li      s0, 0
2:      lw      t2, 0(t0)               # <- traps where the kernel isn't privileged
        add     s0, s0, t2
        addi    t0, t0, 4
        addi    t1, t1, -1
        bnez    t1, 2b
        li      t3, SUM
        la      a0, right
        beq     s0, t3, finish
        la      a0, wrong
        j       finish

# finish: prints the text at a0 and stops the machine.
finish: li      t0, UART
1:      lbu     t1, 0(a0)
        beqz    t1, 2f
        sb      t1, 0(t0)
        addi    a0, a0, 1
        j       1b
2:      li      t0, FINISHER
        li      t1, PASS
        sw      t1, 0(t0)
3:      j       3b

        .section .rodata
right:  .asciz  "the sum is right\n"
wrong:  .asciz  "the sum is wrong\n"
