# syscalls: a kernel with one user process. System calls, a timer, and a crime.
#
# What it shows: the two modes of a guest. The process in U mode computes (all of it directly),
# asks the kernel for services with `ecall`, is interrupted by the timer, and executes one
# instruction that it has no right to; the kernel refuses it and goes on.
#
# Entry: S mode, with SBI firmware (timer). Board: QEMU virt. No paging: kernel and process
# share the address space, as on a microcontroller.
#
# System calls (number in a7, result in a0):
#   1 write(address, bytes)   2 alarm(ticks): sets `alarm_rang` to 1 when they are over   3 exit(code)

        .equ    UART,     0x10000000
        .equ    UART_LSR, 5
        .equ    LSR_IDLE, 0x20
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    FAIL,     0x3333

        .equ    SYS_WRITE, 1
        .equ    SYS_ALARM, 2
        .equ    SYS_EXIT,  3

        .equ    CAUSE_ILLEGAL,    2
        .equ    CAUSE_USER_ECALL, 8
        .equ    CAUSE_TIMER,      5     # with the interrupt bit
        .equ    SIE_STIE,         0x20  # sie: supervisor timer interrupt enable
        .equ    SSTATUS_SPP,      0x100 # sstatus: the mode that sret returns to
        .equ    SSTATUS_SPIE,     0x20  # sstatus: interrupts on after sret

        .equ    SBI_TIME, 0x54494d45    # SBI extension "TIME", call 0: set_timer(low, high)

# The trap frame: registers of the process, x1 to x31 at 4 * number.
        .equ    FRAME, 128
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

        .section .rodata
banner: .asciz  "kernel: booted\n"
exited: .asciz  "kernel: the process has exited\n"
refused: .asciz "kernel: privileged instruction refused\n"
started: .ascii "user: hello\n"
        .equ    STARTED_BYTES, . - started
primes: .ascii  " primes below 1000\n"
        .equ    PRIMES_BYTES, . - primes
rang:   .ascii  "user: the alarm rang\n"
        .equ    RANG_BYTES, . - rang
        .align  2
powers: .word   100, 10, 1, 0

        .section .text
        .globl  _start
_start:
        la      sp, kernel_stack_top
        la      t0, trap
        csrw    stvec, t0
        la      a0, banner
        call    print
        li      t0, SIE_STIE
        csrw    sie, t0                 # timer interrupts, when interrupts are on
        li      t0, SSTATUS_SPP
        csrc    sstatus, t0             # sret goes to user mode …
        li      t0, SSTATUS_SPIE
        csrs    sstatus, t0             # … with interrupts on
        la      t0, process
        csrw    sepc, t0
        addi    sp, sp, -FRAME          # the process's frame is on top of the kernel's stack
        csrw    sscratch, sp            # while the process runs, sscratch holds the kernel's sp
        la      sp, process_stack_top
        sret

# ---------------------------------------------------------------------- trap: the kernel's entry
        .align  2
trap:
        csrrw   sp, sscratch, sp        # kernel's sp in, process's sp out
        save_all
        csrr    t0, sscratch
        sw      t0, 4 * 2(sp)           # the process's sp
        csrr    s0, scause
        csrr    s1, sepc
        bltz    s0, interrupt
        li      t0, CAUSE_USER_ECALL
        beq     s0, t0, system_call
        li      t0, CAUSE_ILLEGAL
        beq     s0, t0, illegal
        li      t0, FINISHER            # any other trap is a bug of ours: stop with its cause
        slli    t1, s0, 16
        li      t2, FAIL
        or      t1, t1, t2
        sw      t1, 0(t0)

system_call:
        addi    s1, s1, 4               # go on after the ecall
        lw      a7, 4 * 17(sp)
        lw      a0, 4 * 10(sp)
        lw      a1, 4 * 11(sp)
        li      t0, SYS_WRITE
        beq     a7, t0, sys_write
        li      t0, SYS_ALARM
        beq     a7, t0, sys_alarm
        li      t0, SYS_EXIT
        beq     a7, t0, sys_exit
        li      a0, -1                  # no such call
        j       done

sys_write:
        mv      s2, a1
        call    write
        mv      a0, s2
        j       done

sys_alarm:
        rdtime  t0                      # deadline = now + a0. Read as on any RV32: the high half
        rdtimeh a1                      # may only be off when the low half wraps, every 7 minutes.
        add     a0, a0, t0
        sltu    t0, a0, t0
        add     a1, a1, t0
        call    set_timer
        li      a0, 0
        j       done

sys_exit:
        mv      s2, a0
        la      a0, exited
        call    print
        li      t0, FINISHER
        li      t1, PASS
        beqz    s2, 1f
        slli    t1, s2, 16
        li      t2, FAIL
        or      t1, t1, t2
1:      sw      t1, 0(t0)
2:      wfi
        j       2b

# The process executed an instruction that is not its own to execute: say so, skip it.
illegal:
        la      a0, refused
        call    print
        addi    s1, s1, 4
        lw      a0, 4 * 10(sp)
        j       done

interrupt:
        andi    t0, s0, 0xff
        li      t1, CAUSE_TIMER
        bne     t0, t1, 1f
        li      a0, -1                  # no further alarm: the end of time
        li      a1, -1
        call    set_timer
        la      t0, alarm_rang
        li      t1, 1
        sw      t1, 0(t0)
1:      lw      a0, 4 * 10(sp)

done:
        sw      a0, 4 * 10(sp)
        csrw    sepc, s1
        restore_all
        csrw    sscratch, sp            # the kernel's sp waits in sscratch …
        lw      sp, 4 * 2(sp)           # … while the process has its own
        sret

# set_timer: the next timer interrupt at tick a1:a0.
set_timer:
        li      a7, SBI_TIME
        li      a6, 0
        ecall
        ret

# print: writes the zero-terminated string at a0; write: a1 bytes at a0.
print:
        mv      a1, a0
1:      lbu     t0, 0(a1)
        beqz    t0, 2f
        addi    a1, a1, 1
        j       1b
2:      sub     a1, a1, a0
write:
        li      t0, UART
        add     a1, a1, a0
1:      beq     a0, a1, 3f
        lbu     t1, 0(a0)
2:      lbu     t2, UART_LSR(t0)
        andi    t2, t2, LSR_IDLE
        beqz    t2, 2b
        sb      t1, 0(t0)
        addi    a0, a0, 1
        j       1b
3:      ret

# ---------------------------------------------------------------------- the process, in user mode
process:
        la      a0, started
        li      a1, STARTED_BYTES
        call    user_write

        csrr    t0, sstatus             # not allowed: the kernel will have a word with us

        call    count_primes            # a thousand numbers, directly executed
        call    print_number
        la      a0, primes
        li      a1, PRIMES_BYTES
        call    user_write

        li      s3, 3                   # three alarms
alarms: la      t0, alarm_rang
        sw      zero, 0(t0)
        li      a0, 500
        li      a7, SYS_ALARM
        ecall
1:      la      t0, alarm_rang          # busy, with interrupts on
        lw      t0, 0(t0)
        beqz    t0, 1b
        la      a0, rang
        li      a1, RANG_BYTES
        call    user_write
        addi    s3, s3, -1
        bnez    s3, alarms

        li      a0, 0
        li      a7, SYS_EXIT
        ecall

user_write:
        li      a7, SYS_WRITE
        ecall
        ret

# count_primes: how many primes there are below LIMIT, in a0, by the sieve of Eratosthenes.
        .equ    LIMIT, 1000
count_primes:
        la      t0, sieve
        li      t1, LIMIT
        li      t2, 2                   # candidate
        li      a0, 0
1:      add     t3, t0, t2
        lbu     t4, 0(t3)
        bnez    t4, 3f
        addi    a0, a0, 1
        add     t5, t2, t2              # cross out its multiples
2:      bgeu    t5, t1, 3f
        add     t6, t0, t5
        li      t4, 1
        sb      t4, 0(t6)
        add     t5, t5, t2
        j       2b
3:      addi    t2, t2, 1
        bltu    t2, t1, 1b
        ret

# print_number: writes a0 in decimal. No division on this machine: subtract powers of ten.
print_number:
        la      t0, digits
        la      t1, powers
        li      t6, 0                   # digits so far
1:      lw      t2, 0(t1)
        beqz    t2, 4f
        li      t3, '0'
2:      bltu    a0, t2, 3f
        sub     a0, a0, t2
        addi    t3, t3, 1
        j       2b
3:      add     t4, t0, t6
        sb      t3, 0(t4)
        addi    t6, t6, 1
        addi    t1, t1, 4
        j       1b
4:      mv      a0, t0
        mv      a1, t6
        li      a7, SYS_WRITE
        ecall
        ret

        .section .data
        .align  2
alarm_rang: .word 0
digits: .space  4

        .section .bss
sieve:  .space  LIMIT
        .align  4
        .space  2048
kernel_stack_top:
        .space  1024
process_stack_top:
