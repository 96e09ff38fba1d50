# sidt: reads back where its trap vectors are.
#
# What it shows: an instruction that tells a guest whether it is one. The vectors that it has set
# are the virtual hart's; those that it reads are the hypervisor's. (x86: sidt, sgdt.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555

        .section .text
        .globl  _start
_start: la      s0, trap
        csrw    stvec, s0
        csrr    s1, stvec               # <- the instruction in question
        la      a0, right
        beq     s0, s1, finish
        la      a0, wrong
        j       finish

        .align  2
trap:   j       trap

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
right:  .asciz  "the vectors are mine\n"
wrong:  .asciz  "these are not my vectors: this is a virtual machine\n"
