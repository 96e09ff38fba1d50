# iva: sets its trap vectors and takes a trap.
#
# What it shows: vectors that one can move without privilege. The guest moves the real ones, and
# the hypervisor, which isn't told, goes on to deliver the guest's traps to where the virtual ones
# are: nowhere. (Itanium: the interrupt vector table is in virtual memory.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555

        .section .text
        .globl  _start
_start: la      t0, trap
        csrw    stvec, t0               # <- the instruction in question
        ebreak
        la      a0, wrong
        j       finish

        .align  2
trap:   la      a0, right
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
right:  .asciz  "my handler took the trap\n"
wrong:  .asciz  "nobody took the trap\n"
