# movs: returns from the kernel to a process, which makes a system call.
#
# What it shows: a return from a trap that is a mere jump in user mode. The process runs, but the
# hypervisor isn't told that the guest has left its kernel: for it the process *is* the kernel. Its
# system call becomes a call to the firmware, and no instruction is refused to it.
# (ARM: movs pc, lr.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt. The call is one that the firmware knows, too.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    SPP,      0x100         # sstatus: the mode that sret returns to
        .equ    CAUSE_USER_ECALL, 8
        .equ    SBI_BASE, 0x10

        .section .text
        .globl  _start
_start: la      t0, trap
        csrw    stvec, t0
        li      t0, SPP
        csrc    sstatus, t0             # to user mode …
        la      t0, process
        csrw    sepc, t0                # … there …
        sret                            # <- the instruction in question

        .align  2
trap:   csrr    t0, scause
        li      t1, CAUSE_USER_ECALL
        la      a0, right
        beq     t0, t1, finish
        la      a0, wrong
        j       finish

process:
        li      a7, SBI_BASE
        li      a6, 0
        ecall                           # comes back only if it wasn't the kernel who got it
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
right:  .asciz  "the process called the kernel\n"
wrong:  .asciz  "the process was taken for the kernel\n"
