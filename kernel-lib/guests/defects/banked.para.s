# banked.para: the port of banked.
#
# What it shows: the register that exists once per mode is a word in a page that exists in one mode only.
#
# Entry: S mode, under a hypervisor with the hypercalls of hypervisor/paravirtual/abi.ts, version 1.

        .equ    EXTENSION,    0x09766d6c
        .equ    V_CALL,       -2048
        .equ    V_SCRATCH,    -2016
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
        la      s0, frame
        sw      s0, V_SCRATCH(zero)     # the instructions in question: there …
        li      s1, 0
        lw      s1, V_SCRATCH(zero)     # … and back
        la      a0, right
        beq     s0, s1, finish
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
right:  .asciz  "the pointer is still there\n"
wrong:  .asciz  "the pointer is gone\n"

        .section .bss
        .align  2
frame:  .space  64
