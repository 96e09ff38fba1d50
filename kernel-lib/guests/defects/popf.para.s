# popf.para: the port of popf.
#
# What it shows: the flag that popf could not set is a word in the shared page. To turn interrupts on
# is a store and a look at whether one waits. Compare it with popf.s, line by line.
#
# Entry: S mode, under a hypervisor with the hypercalls of hypervisor/paravirtual/abi.ts, version 1.

        .equ    EXTENSION,    0x09766d6c
        .equ    V_CALL,       -2048
        .equ    V_ENABLED,    -2044     # not zero: interrupts on
        .equ    V_PENDING,    -2040     # not zero: one waits for that
        .equ    V_TVEC,       -2020
        .equ    CALL_RETURN,  2
        .equ    CALL_DELIVER, 3
        .equ    CALL_ENABLE,  4
        .equ    CALL_CONSOLE, 12
        .equ    CALL_STOP,    6
        .equ    STIE,         0x20      # the timer's interrupt, as in sie
        .equ    SBI_TIME,     0x54494d45
        .equ    INTERVAL,     2000      # ticks
        .equ    PATIENCE,     100000    # turns of the loop

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
        li      s0, 0                   # interrupts so far
        call    set_timer
        li      a0, STIE
        hypercall CALL_ENABLE
        li      t0, 1
        sw      t0, V_ENABLED(zero)     # interrupts on: the instruction in question is a store
        lw      t0, V_PENDING(zero)
        beqz    t0, 1f
        hypercall CALL_DELIVER

1:      li      s1, PATIENCE
        li      s2, 3
wait:   bgeu    s0, s2, enough
        addi    s1, s1, -1
        bnez    s1, wait
        la      a0, wrong
        j       finish
enough: li      a0, 0                   # that will do
        hypercall CALL_ENABLE
        la      a0, right
        j       finish

set_timer:                              # the next interrupt, INTERVAL from now
        rdtime  a0                      # a ported kernel may look at the clock
        li      a1, 0
        li      t0, INTERVAL
        add     a0, a0, t0
        li      a7, SBI_TIME
        li      a6, 0
        ecall                           # V_CALL is zero: to the firmware, as ever
        ret

        .align  2
trap:   addi    s0, s0, 1               # the loop above uses no a, t or ra: nothing to save
        call    set_timer
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
right:  .asciz  "three timer interrupts\n"
wrong:  .asciz  "interrupts were lost\n"
