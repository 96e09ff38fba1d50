# popf: turns interrupts on and waits for three of the timer's.
#
# What it shows: an instruction that silently does nothing in user mode. The kernel sets
# sstatus.SIE; where that write neither works nor traps, the hypervisor never hears that the guest
# wants interrupts, and they are lost. (x86: popf. ARM: cps, msr.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt. The wait is bounded, so that it ends either way.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    SIE,      2             # sstatus: interrupts on
        .equ    STIE,     0x20          # sie: the timer's
        .equ    SBI_TIME, 0x54494d45
        .equ    INTERVAL, 2000          # ticks
        .equ    PATIENCE, 100000        # turns of the loop

        .section .text
        .globl  _start
_start: la      t0, trap
        csrw    stvec, t0
        li      s0, 0                   # interrupts so far
        call    set_timer
        li      t0, STIE
        csrw    sie, t0
        csrsi   sstatus, SIE            # <- the instruction in question: interrupts on

        li      s1, PATIENCE
        li      s2, 3
wait:   bgeu    s0, s2, enough
        addi    s1, s1, -1
        bnez    s1, wait
        la      a0, wrong
        j       finish
enough: csrw    sie, zero               # that will do
        la      a0, right
        j       finish

set_timer:                              # the next interrupt, INTERVAL from now
        rdtime  a0
        li      a1, 0
        li      t0, INTERVAL
        add     a0, a0, t0
        li      a7, SBI_TIME
        li      a6, 0
        ecall
        ret

        .align  2
trap:   addi    s0, s0, 1               # the loop above uses no a, t or ra: nothing to save
        call    set_timer
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
right:  .asciz  "three timer interrupts\n"
wrong:  .asciz  "interrupts were lost\n"
