# lr: takes a trap and looks where it happened.
#
# What it shows: a register that holds the return address of a trap, and that user mode has, too.
# The virtual hart's is set by the hypervisor; the guest reads and writes the real one.
# (ARM: the link register r14.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555

        .section .text
        .globl  _start
_start: la      t0, trap
        csrw    stvec, t0
        la      s0, break
break:  ebreak

        .align  2
trap:   csrr    s1, sepc                # <- the instruction in question
        la      a0, right
        beq     s0, s1, finish
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
right:  .asciz  "the trap was at the breakpoint\n"
wrong:  .asciz  "the trap was nowhere near the breakpoint\n"
