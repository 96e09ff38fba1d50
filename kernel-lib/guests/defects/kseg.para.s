# kseg.para: the port of kseg.
#
# What it shows: the port keeps away from the window: its table is above. No access traps any more.
#
# Entry: S mode, under a hypervisor with the hypercalls of hypervisor/paravirtual/abi.ts, version 1.

        .equ    EXTENSION,    0x09766d6c
        .equ    V_CALL,       -2048
        .equ    CALL_CONSOLE, 12
        .equ    CALL_STOP,    6
        .equ    WORDS,        64
        .equ    SUM,          64 * 65 / 2

        .macro  hypercall number
        li      t6, \number
        sw      t6, V_CALL(zero)
        ecall
        .endm

        .section .text
        .globl  _start
_start: li      a7, EXTENSION           # from now on there is the shared page
        ecall
        la      t0, table
        li      t1, WORDS
1:      sw      t1, 0(t0)
        addi    t0, t0, 4
        addi    t1, t1, -1
        bnez    t1, 1b

        la      t0, table
        li      t1, WORDS
        li      s0, 0
2:      lw      t2, 0(t0)               # does not trap: this is not in the window
        add     s0, s0, t2
        addi    t0, t0, 4
        addi    t1, t1, -1
        bnez    t1, 2b
        li      t3, SUM
        la      a0, right
        beq     s0, t3, finish
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
right:  .asciz  "the sum is right\n"
wrong:  .asciz  "the sum is wrong\n"

        .section .bss
        .align  2
table:  .space  4 * 64
