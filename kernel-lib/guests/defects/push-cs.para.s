# push-cs.para: the port of push-cs.
#
# What it shows: the mode that a trap came from is in the shared page: the guest's own idea of it.
#
# Entry: S mode, under a hypervisor with the hypercalls of hypervisor/paravirtual/abi.ts, version 1.

        .equ    EXTENSION,    0x09766d6c
        .equ    V_CALL,       -2048
        .equ    V_STATUS,     -2036     # SPP and SPIE
        .equ    V_TVEC,       -2020
        .equ    CALL_CONSOLE, 12
        .equ    CALL_STOP,    6
        .equ    SPP,          0x100     # the trap came from the kernel

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
        ebreak

        .align  2
trap:   lw      t0, V_STATUS(zero)      # the instruction in question is a load
        andi    t0, t0, SPP
        la      a0, right
        bnez    t0, finish
        la      a0, wrong
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
right:  .asciz  "a breakpoint in the kernel\n"
wrong:  .asciz  "a breakpoint in a process: killed\n"
