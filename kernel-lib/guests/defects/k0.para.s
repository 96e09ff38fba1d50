# k0.para: the port of k0.
#
# What it shows: a trap handler without a single instruction that traps: k0 is safe in it, and so is
# every register. What was sepc is a word in memory. Only the way back is a call, and by then k0 is done with.
#
# Entry: S mode, under a hypervisor with the hypercalls of hypervisor/paravirtual/abi.ts, version 1.

        .equ    EXTENSION,    0x09766d6c
        .equ    V_CALL,       -2048
        .equ    V_EPC,        -2032
        .equ    V_TVEC,       -2020
        .equ    CALL_RETURN,  2
        .equ    CALL_CONSOLE, 12
        .equ    CALL_STOP,    6
        .equ    TRAPS,        10

        .macro  hypercall number
        li      t6, \number
        sw      t6, V_CALL(zero)
        ecall
        .endm

        .section .text
        .globl  _start
_start: li      a7, EXTENSION           # from now on there is the shared page
        ecall
        la      t0, trap
        sw      t0, V_TVEC(zero)
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
        lw      t0, V_EPC(zero)         # the instruction in question is a load
        addi    t0, t0, 4
        sw      t0, V_EPC(zero)
        mv      t0, s10
        hypercall CALL_RETURN

# finish: prints the text at a0 and stops the machine: two calls.
finish: mv      a1, a0
1:      lbu     t0, 0(a1)
        addi    a1, a1, 1
        bnez    t0, 1b
        sub     a1, a1, a0
        addi    a1, a1, -1              # without the zero
        hypercall CALL_CONSOLE
        li      a0, 0
        hypercall CALL_STOP

        .section .rodata
right:  .asciz  "nothing was lost\n"
wrong:  .asciz  "a register changed by itself\n"
