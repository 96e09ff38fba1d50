# movs.para: the port of movs.
#
# What it shows: the return that did not trap is a call, which can't be missed.
#
# Entry: S mode, under a hypervisor with the hypercalls of hypervisor/paravirtual/abi.ts, version 1.

        .equ    EXTENSION,    0x09766d6c
        .equ    V_CALL,       -2048
        .equ    V_STATUS,     -2036     # SPP and SPIE
        .equ    V_EPC,        -2032
        .equ    V_CAUSE,      -2028
        .equ    V_TVEC,       -2020
        .equ    CALL_RETURN,  2
        .equ    CALL_CONSOLE, 12
        .equ    CALL_STOP,    6
        .equ    CAUSE_USER_ECALL, 8
        .equ    SBI_BASE,     0x10

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
        sw      zero, V_STATUS(zero)    # to user mode …
        la      t0, process
        sw      t0, V_EPC(zero)         # … there …
        hypercall CALL_RETURN           # … by what was the instruction in question

        .align  2
trap:   lw      t0, V_CAUSE(zero)
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
right:  .asciz  "the process called the kernel\n"
wrong:  .asciz  "the process was taken for the kernel\n"
