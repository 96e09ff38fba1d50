# iva.para: the port of iva.
#
# What it shows: the vector is a word in the shared page, which the hypervisor reads when it delivers.
#
# Entry: S mode, under a hypervisor with the hypercalls of hypervisor/paravirtual/abi.ts, version 1.

        .equ    EXTENSION,    0x09766d6c
        .equ    V_CALL,       -2048
        .equ    V_TVEC,       -2020
        .equ    CALL_CONSOLE, 12
        .equ    CALL_STOP,    6

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
        sw      t0, V_TVEC(zero)        # the instruction in question is a store
        ebreak
        la      a0, wrong
        j       finish

        .align  2
trap:   la      a0, right
        j       finish

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
right:  .asciz  "my handler took the trap\n"
wrong:  .asciz  "nobody took the trap\n"
