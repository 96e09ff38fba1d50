# pushf.para: the port of pushf.
#
# What it shows: what pushf could not read is a word in the shared page, and the guest's own.
#
# Entry: S mode, under a hypervisor with the hypercalls of hypervisor/paravirtual/abi.ts, version 1.

        .equ    EXTENSION,    0x09766d6c
        .equ    V_CALL,       -2048
        .equ    V_ENABLED,    -2044     # not zero: interrupts on
        .equ    CALL_ENABLE,  4
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
        li      a0, 0                   # none will come; this is about the flag
        hypercall CALL_ENABLE
        li      t0, 1
        sw      t0, V_ENABLED(zero)
        lw      s0, V_ENABLED(zero)     # enter a critical section: what it was before …
        sw      zero, V_ENABLED(zero)
        li      s1, 0                   # … work …
        sw      s0, V_ENABLED(zero)     # … and leave it
        lw      s1, V_ENABLED(zero)
        la      a0, right
        bnez    s1, finish
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
right:  .asciz  "interrupts are on again\n"
wrong:  .asciz  "interrupts stay off\n"
