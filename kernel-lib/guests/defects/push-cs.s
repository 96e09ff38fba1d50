# push-cs: takes a trap and asks where it came from, the kernel or a process.
#
# What it shows: an instruction that tells the real privilege level. The kernel traps on a
# breakpoint of its own; sstatus.SPP says that it came from S mode. Where the real bit is read, it
# says U, since that is where the kernel really runs, and the kernel takes itself for a process.
# (x86: the lowest bits of the code segment on the stack.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    SPP,      0x100         # sstatus: the trap came from S mode

        .section .text
        .globl  _start
_start: la      t0, trap
        csrw    stvec, t0
        ebreak

        .align  2
trap:   csrr    t0, sstatus             # <- the instruction in question
        andi    t0, t0, SPP
        la      a0, right
        bnez    t0, finish
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
right:  .asciz  "a breakpoint in the kernel\n"
wrong:  .asciz  "a breakpoint in a process: killed\n"
