# ticker: counts the timer interrupts that it gets in a given time.
#
# What it shows: how many interrupts are lost. They are due at fixed ticks, one every INTERVAL, and
# each that is taken is counted. Meanwhile either the kernel waits, with interrupts on in sstatus, or
# a process computes: while it is in user mode, the kernel's interrupts are on, whatever sstatus says.
#
# Entry: S mode, with SBI firmware (timer). Board: QEMU virt. Ends with the count in a0; prints nothing.

# Parameters: guest('defects/ticker', { PROCESS: 1 }) sets them.
        .equ    INTERVAL, 10000         # ticks from one interrupt to the next
        .equ    DURATION, 105000        # ticks that it runs
        .equ    PROCESS,  0             # 1: a process waits; 0: the kernel

        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    SIE,      2             # sstatus: interrupts on
        .equ    STIE,     0x20          # sie: the timer's
        .equ    COUNTERS, 7             # scounteren: a process may read the clock
        .equ    SBI_TIME, 0x54494d45

        .section .text
        .globl  _start
_start: la      t0, trap
        csrw    stvec, t0
        li      t0, COUNTERS
        csrw    scounteren, t0
        li      s0, 0                   # interrupts so far
        rdtime  s1                      # the beginning
        mv      s2, s1                  # when the timer is due
        call    set_timer
        li      t0, STIE
        csrw    sie, t0
        li      t0, PROCESS
        bnez    t0, enter
        csrsi   sstatus, SIE            # <- the kernel switches interrupts on (x86: popf)
        j       wait
enter:  la      t0, wait
        csrw    sepc, t0
        sret                            # <- into a process (ARM: movs pc, lr)

wait:   rdtime  t1
        sub     t1, t1, s1
        li      t2, DURATION
        bltu    t1, t2, wait
        mv      a0, s0
        li      t0, FINISHER
        li      t1, PASS
        sw      t1, 0(t0)
1:      j       1b

set_timer:                              # the next interrupt: INTERVAL behind the last
        li      t0, INTERVAL
        add     s2, s2, t0
        mv      a0, s2
        li      a1, 0
        li      a7, SBI_TIME
        li      a6, 0
        ecall
        ret

        .align  2
trap:   addi    s0, s0, 1               # the loop uses only t1 and t2: nothing to save
        call    set_timer
        sret
