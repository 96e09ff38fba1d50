# rtos: a small real-time kernel with two tasks, one of which must not be late.
#
# What it shows: what time means to a guest. A periodic task is released by the timer every PERIOD
# ticks, does a little work, and has until its next release to be done; a background task has all
# the time that is left. The kernel notes how late each release was, in ticks of the machine's
# clock, and how many jobs were not done in time. Alone on a machine it is late by a few
# instructions. A hypervisor adds its own work; beside other guests it adds their slices.
#   - preemption by priority: the timer takes the hart from the background task at once
#   - timer interrupts, set_timer by firmware call, rdtime; `wfi` when there is nothing to do
#   - both tasks run in user mode and call the kernel by ecall
#
# Entry: S mode, paging off, SBI firmware (timer). Board: QEMU virt. Exit code 0.
# What it prints and leaves in memory does not depend on time, unless REPORT is 1: then it also
# prints the worst lateness and the number of missed deadlines, and leaves them in memory.

# Parameters: guest('rtos', { REPORT: 1 }) sets them.
        .equ    JOBS,     20            # releases of the periodic task; at least one
        .equ    PERIOD,   2000          # ticks from one to the next: the deadline
        .equ    WORK,     200           # rounds of work in each job; at least one
        .equ    BACKGROUND, 10000       # rounds of work of the background task; at least one
        .equ    REPORT,   0             # 1: print what depends on time

        .equ    UART,     0x10000000
        .equ    UART_LSR, 5             # line status register
        .equ    LSR_IDLE, 0x20          # transmit holding register empty
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    FAIL,     0x3333
        .equ    SBI_TIME, 0x54494d45    # SBI extension "TIME", call 0: set_timer(low, high)
        .equ    CAUSE_USER_ECALL, 8
        .equ    SIE_TIMER,   0x20
        .equ    STATUS_SPIE, 0x20       # interrupts on after sret
        .equ    STATUS_SPP,  0x100      # sret goes to S mode

# A task: pc, x1 to x31 at 4 * number, and how many jobs it has to do (it can run if there is one).
        .equ    T_PC,     0
        .equ    T_SP,     4 * 2
        .equ    T_A0,     4 * 10
        .equ    T_JOBS,   128
        .equ    TASK,     132
        .equ    STACK,    256

# System calls of the tasks, number in a7.
        .equ    CALL_WAIT, 0            # until the next release
        .equ    CALL_DONE, 1            # (result): the task is over

        .macro  save_all
        .irp    n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        sw      x\n, 4 * \n(sp)
        .endr
        .endm
        .macro  restore_all
        .irp    n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        lw      x\n, 4 * \n(sp)
        .endr
        .endm

        .section .text
        .globl  _start
_start:
        csrw    sstatus, zero
        csrw    sscratch, zero
        la      t0, trap
        csrw    stvec, t0
        li      t0, SIE_TIMER
        csrw    sie, t0
        la      t0, periodic            # the periodic task waits for its first release …
        la      t1, periodic_code
        sw      t1, T_PC(t0)
        la      t1, periodic_stack_top
        sw      t1, T_SP(t0)
        la      t0, background          # … the background task may begin
        la      t1, background_code
        sw      t1, T_PC(t0)
        la      t1, background_stack_top
        sw      t1, T_SP(t0)
        li      t1, 1
        sw      t1, T_JOBS(t0)
        li      t0, 2
        sw      t0, tasks, t1
        rdtimeh t1                      # (the halves may only disagree when the low one wraps: every
        rdtime  t0                      # 7 minutes)
        sw      t0, release, t2
        sw      t1, release + 4, t2
        call    next_release

# ---------------------------------------------------------------------- the kernel
# dispatch: runs the ready task of the highest priority. While it runs, sscratch is its address.
dispatch:
        la      sp, periodic
        lw      t0, T_JOBS(sp)
        bnez    t0, 1f
        la      sp, background
        lw      t0, T_JOBS(sp)
        bnez    t0, 1f
        lw      t0, tasks
        beqz    t0, over
        wfi                             # nobody: wait for the release
        call    timer
        j       dispatch
1:      lw      t0, T_PC(sp)
        csrw    sepc, t0
        li      t0, STATUS_SPP
        csrc    sstatus, t0
        li      t0, STATUS_SPIE
        csrs    sstatus, t0
        csrw    sscratch, sp
        restore_all
        lw      sp, T_SP(sp)
        sret

        .align  2
trap:   csrrw   sp, sscratch, sp        # always from user mode: the kernel lets nobody interrupt it
        save_all
        csrrw   t0, sscratch, zero
        sw      t0, T_SP(sp)
        csrr    t0, sepc
        sw      t0, T_PC(sp)
        csrr    t1, scause
        li      t2, CAUSE_USER_ECALL
        beq     t1, t2, call_of_task
        la      ra, dispatch
        bltz    t1, timer               # the only interrupt that we let in
        slli    t1, t1, 16              # anything else is a bug: stop with its cause
        li      t2, FAIL
        or      t1, t1, t2
        li      t0, FINISHER
        sw      t1, 0(t0)

call_of_task:
        addi    t0, t0, 4               # go on after the ecall
        sw      t0, T_PC(sp)
        la      t0, periodic
        bne     sp, t0, 2f
        lw      t0, T_JOBS(sp)          # was this job done before the next one was released …
        li      t1, 1
        bne     t0, t1, 1f
        lw      t0, release             # … or due to be?
        rdtime  t1
        sub     t0, t1, t0
        bltz    t0, 2f
1:      lw      t0, missed
        addi    t0, t0, 1
        sw      t0, missed, t1
2:      lw      t0, T_JOBS(sp)
        addi    t0, t0, -1
        sw      t0, T_JOBS(sp)
        beqz    a7, dispatch
        lw      t0, tasks               # done
        addi    t0, t0, -1
        sw      t0, tasks, t1
        j       dispatch

# timer: if the periodic task's time has come, notes how late it is, and releases it.
timer:  lw      t0, release
        rdtime  t1
        sub     t1, t1, t0
        bltz    t1, 2f                  # too early: something else ended the wait
        lw      t0, worst
        bgeu    t0, t1, 1f
        sw      t1, worst, t2
1:      lw      t0, jobs                # how many are left
        beqz    t0, 3f
        addi    t0, t0, -1
        sw      t0, jobs, t1
        lw      t0, periodic + T_JOBS   # more than one if it is still at the last
        addi    t0, t0, 1
        sw      t0, periodic + T_JOBS, t1
        j       next_release
2:      ret
3:      li      a0, -1                  # none: the timer is not needed any longer
        li      a1, -1
        j       set_timer

# next_release: PERIOD ticks after the one before, however late that was, so that lateness does
# not add up.
next_release:
        lw      a0, release
        lw      a1, release + 4
        li      t0, PERIOD
        add     a0, a0, t0
        sltu    t0, a0, t0
        add     a1, a1, t0
        sw      a0, release, t0
        sw      a1, release + 4, t0
set_timer:
        li      a7, SBI_TIME
        li      a6, 0
        ecall
        ret

# over: both tasks are done.
over:   li      a0, -1
        li      a1, -1
        call    set_timer
        csrw    sie, zero
        la      sp, kernel_stack_top
        la      a0, text_periodic
        lw      a1, periodic + T_A0
        call    line
        la      a0, text_background
        lw      a1, background + T_A0
        call    line
        li      t0, REPORT
        beqz    t0, 1f
        la      a0, text_worst
        lw      a1, worst
        call    line
        la      a0, text_missed
        lw      a1, missed
        call    line
        j       2f
1:      sw      zero, worst, t0         # nobody shall see them
        sw      zero, missed, t0
2:      sw      zero, release, t0
        sw      zero, release + 4, t0
        .irp    csr, sepc, scause, stval, sscratch, sstatus
        csrw    \csr, zero
        .endr
        .irp    n, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        li      x\n, 0
        .endr
        li      t0, FINISHER
        li      t1, PASS
        sw      t1, 0(t0)
3:      wfi
        j       3b

# ---------------------------------------------------------------------- the tasks, in user mode
# Both mix a number; what comes out depends on how often, and on nothing else.
periodic_code:
        li      s0, JOBS
        li      s1, 1                   # s1: the number
1:      li      t0, WORK
        mv      a0, s1
        call    mix
        mv      s1, a0
        addi    s0, s0, -1
        beqz    s0, 2f
        li      a7, CALL_WAIT
        ecall
        j       1b
2:      mv      a0, s1
        li      a7, CALL_DONE
        ecall

background_code:
        li      a0, 1
        li      t0, BACKGROUND
        call    mix
        li      a7, CALL_DONE
        ecall

# mix: t0 rounds of Marsaglia's xorshift on a0.
mix:    slli    t1, a0, 13
        xor     a0, a0, t1
        srli    t1, a0, 17
        xor     a0, a0, t1
        slli    t1, a0, 5
        xor     a0, a0, t1
        addi    t0, t0, -1
        bnez    t0, mix
        ret

# ---------------------------------------------------------------------- console
# line: writes the text at a0, and a1 as eight digits.
line:   addi    sp, sp, -16
        sw      ra, 0(sp)
1:      lbu     t2, 0(a0)
        beqz    t2, 2f
        call    put
        addi    a0, a0, 1
        j       1b
2:      li      t3, 28
3:      srl     t2, a1, t3
        andi    t2, t2, 15
        li      t0, 10
        bltu    t2, t0, 4f
        addi    t2, t2, 'a' - '0' - 10
4:      addi    t2, t2, '0'
        call    put
        addi    t3, t3, -4
        bgez    t3, 3b
        li      t2, '\n'
        call    put
        lw      ra, 0(sp)
        addi    sp, sp, 16
        ret

# put: sends the byte t2.
put:    li      t0, UART
1:      lbu     t1, UART_LSR(t0)
        andi    t1, t1, LSR_IDLE
        beqz    t1, 1b
        sb      t2, 0(t0)
        ret

        .section .rodata
text_periodic: .asciz "rtos: periodic task: "
text_background: .asciz "rtos: background task: "
text_worst: .asciz "rtos: worst lateness in ticks: "
text_missed: .asciz "rtos: deadlines missed: "

        .section .data
        .align  2
jobs:   .word   JOBS                    # releases to come

        .section .bss
        .align  4
tasks:  .space  4                       # tasks that are not done
release: .space 8                       # the tick of the next release
worst:  .space  4                       # lateness, in ticks
missed: .space  4                       # deadlines
periodic: .space TASK
background: .space TASK
        .align  4
        .space  STACK
periodic_stack_top:
        .space  STACK
background_stack_top:
        .space  STACK
kernel_stack_top:
