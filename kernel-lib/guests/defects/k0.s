# k0: a trap handler that needs a register before it has saved one.
#
# What it shows: registers that traps destroy. That is what k0 and k1 are for: processes don't use
# them, and a handler does, which is safe as long as nothing traps inside the handler. Under a
# hypervisor its first privileged instruction does. (MIPS: k0, k1; here s10 and s11.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    TRAPS,    10

        .section .text
        .globl  _start
_start: la      t0, trap
        csrw    stvec, t0
        li      t0, 0
        li      s0, TRAPS
loop:   ebreak
        addi    t0, t0, 1
        addi    s0, s0, -1
        bnez    s0, loop
        li      t1, TRAPS
        la      a0, right
        beq     t0, t1, finish
        la      a0, wrong
        j       finish

        .align  2
trap:   mv      s10, t0                 # k0 keeps what the handler needs room for
        csrr    t0, sepc                # <- traps where the kernel isn't privileged
        addi    t0, t0, 4
        csrw    sepc, t0
        mv      t0, s10
        sret

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
right:  .asciz  "nothing was lost\n"
wrong:  .asciz  "a register changed by itself\n"
