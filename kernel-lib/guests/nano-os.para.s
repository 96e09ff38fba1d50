# nano-os.para: nano-os, ported by hand to the hypercalls of hypervisor/paravirtual/abi.ts.
#
# What it shows: what a port changes, and what that buys. Everything that is not marked PARA is
# nano-os.s, line by line. Changed are: critical sections (a store instead of a CSR access), traps
# and returns (state in the shared page), page tables (pinned, changed by calls, many at a time),
# address spaces (one call), console (a call for a line), disk (a call for a sector).
# It runs under `Paravirtual` and no longer on the bare machine.
#
# What follows is what nano-os.s says of itself.
#
# What it shows: what an operating system does all day, and what each of it costs under a
# hypervisor. Two processes, in address spaces of their own, fork children; parent and child then
# do the same work on what are now two copies of the same pages, and must come to the same result.
#   - page tables: Sv32, the kernel in every address space (without the U bit). `fork` copies the
#     table and shares the pages until one side writes (copy-on-write): stores to page tables by
#     the hundred, page faults, and `sfence.vma` after each change.
#   - preemption: a timer, round robin, a change of `satp` per switch. The kernel itself is
#     preempted too, hence …
#   - critical sections: interrupts off and on (`csrci`, `csrsi`) around everything that processes
#     share: frames, the table of processes, the consoles, a counter.
#   - system calls and copying to and from user memory (SUM on and off), which can itself fault.
#   - drivers: a 16550 UART, polled; a virtio block device (either interface), polled, if present.
# Look for: csrrw sscratch, sret, csrw satp, sfence.vma, csrci/csrsi sstatus, stores into tables
# (marked PT), loads and stores of device registers, rdtime, wfi.
#
# Entry: S mode, paging off, SBI firmware (timer) below. Board: QEMU virt.
# It ends by a self-check: every frame free again and zero, no counted section lost, all
# processes content. Exit code 0, or 1 with a message. Then all that depends on how long things
# took (order of switching, saved registers, CSRs) is wiped: equal runs leave equal memory.
#
# Physical memory                             Virtual memory
#   80400000  kernel code, program, data        00000000  megapage: test finisher  (kernel only)
#   …         frames: FRAMES pages              10000000  megapage: UART, virtio   (kernel only)
#                                               40000000  program: code
#                                               40010000  data: PAGES pages and one; 403ff000 stack
#                                               80400000  megapage: the kernel     (kernel only)

# Parameters: guest('nano-os', { FORKS: 20 }) sets them.
        .equ    FORKS,    4             # children that each of the two processes has, one by one
        .equ    PAGES,    8             # pages of data that each works on; at most 900
        .equ    WORK,     100           # rounds of work on these pages per child
        .equ    CALLS,    20            # system calls per child that only count
        .equ    SECTIONS, 4             # critical sections in each of these calls
        .equ    SECTORS,  2             # sectors written and read back, if there is a disk
        .equ    NAP,      2000          # ticks that each process sleeps at its end
        .equ    SLICE,    5000          # ticks that a process runs at most before others do
        .equ    MOST_UPDATES, 32        # PARA: changes of page tables that we collect before we ask
        .equ    FRAMES,   96            # physical pages to give away: 4 + PAGES per process, plus 8

# The board.
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    FAIL,     0x3333
        .equ    UART,     0x10000000
        .equ    UART_LSR, 5             # line status register
        .equ    LSR_IDLE, 0x20          # transmit holding register empty
        .equ    SBI_TIME, 0x54494d45    # SBI extension "TIME", call 0: set_timer(low, high)

# PARA: the shared page (offsets off x0) and the calls. See hypervisor/paravirtual/abi.ts.
        .equ    EXTENSION, 0x09766d6c   # the SBI call that begins it
        .equ    ABI_VERSION, 1
        .equ    V_CALL,    -2048
        .equ    V_ENABLED, -2044        # not zero: interrupts on
        .equ    V_PENDING, -2040
        .equ    V_STATUS,  -2036        # SPP and SPIE
        .equ    V_EPC,     -2032
        .equ    V_CAUSE,   -2028
        .equ    V_TVAL,    -2024
        .equ    V_TVEC,    -2020
        .equ    V_SCRATCH, -2016
        .equ    V_SPARE,   -2012
        .equ    CALL_RETURN,  2
        .equ    CALL_DELIVER, 3
        .equ    CALL_ENABLE,  4
        .equ    CALL_WAIT,    5
        .equ    CALL_STOP,    6
        .equ    CALL_SWITCH,  7
        .equ    CALL_PIN,     8
        .equ    CALL_UNPIN,   9
        .equ    CALL_UPDATE,  10
        .equ    CALL_CONSOLE, 12
        .equ    CALL_DISK_SIZE, 13
        .equ    CALL_DISK,    14
        .equ    LINE,         128       # bytes of console output that we collect

# CSRs.
        .equ    CAUSE_USER_ECALL, 8
        .equ    CAUSE_FETCH_FAULT, 12   # page faults
        .equ    CAUSE_LOAD_FAULT, 13
        .equ    CAUSE_STORE_FAULT, 15
        .equ    STATUS_SIE,  0x2        # interrupts on
        .equ    STATUS_SPIE, 0x20       # … after sret
        .equ    STATUS_SPP,  0x100      # sret goes to S mode; after a trap: it came from there
        .equ    STATUS_SUM,  0x40000    # the kernel may touch pages of users
        .equ    SIE_TIMER,   0x20
        .equ    SATP_SV32,   0x80000000

# Page-table entries. A and D are set from the start: no need for the hart to do so.
        .equ    PTE_V,       0x01
        .equ    PTE_W,       0x04
        .equ    PTE_COW,     0x100      # our own bit: to be copied when written
        .equ    PTE_KERNEL,  0xcf       # D A X W R V
        .equ    PTE_DEVICE,  0xc7       # D A   W R V
        .equ    PTE_PROGRAM, 0x5b       #   A U X R V
        .equ    PTE_DATA,    0xd7       # D A U W R V
        .equ    PAGE,        4096
        .equ    ENTRIES,     1024       # of a table

# User addresses, all under one entry of the root table.
        .equ    USER,        0x40000000
        .equ    USER_ENTRY,  0x400      # offset of that entry
        .equ    DATA,        0x40010000
        .equ    MAILBOX,     DATA + PAGE * PAGES  # a page that only the kernel writes
        .equ    DATA_END,    MAILBOX + PAGE
        .equ    STACK,       0x403ff000
        .equ    USER_END,    0x40400000

# A process, as the kernel knows it.
        .equ    P_STATE,  0
        .equ    P_ROOT,   4             # root page table
        .equ    P_STACK,  8             # kernel stack: one page; the trap frame is at its top
        .equ    P_SP,     12            # where that stack was left
        .equ    P_PARENT, 16
        .equ    P_VALUE,  20            # given to exit
        .equ    P_WAKE,   24            # sleeping: until this tick
        .equ    P_FAMILY, 28            # 1 or 2: which of the two it descends from
        .equ    P_SHIFT,  5
        .equ    PROCESSES, 8
        .equ    FREE,     0
        .equ    NEW,      1             # being made
        .equ    READY,    2             # runs, or could
        .equ    SLEEPING, 3             # until P_WAKE
        .equ    WAITING,  4             # for a child
        .equ    DEAD,     5             # until its parent has asked for its value

# The trap frame: pc, x1 to x31 at 4 * number, sstatus.
        .equ    F_PC,     0
        .equ    F_SP,     4 * 2
        .equ    F_A0,     4 * 10
        .equ    F_STATUS, 128
        .equ    FRAME,    144
        .equ    CONTEXT,  64            # what `schedule` keeps: ra, s0 to s11

# System calls: number in a7, arguments in a0 to a2, result in a0.
        .equ    CALL_COUNT, 7
        .equ    SYS_EXIT,  0            # (value)
        .equ    SYS_FORK,  1            # (): the child's number; 0 in the child; -1: too many
        .equ    SYS_WAIT,  2            # (number, address): stores the child's value there
        .equ    SYS_WRITE, 3            # (address, bytes): how many of them, at most 64
        .equ    SYS_SLEEP, 4            # (ticks)
        .equ    SYS_COUNT, 5            # (): a few critical sections, and nothing else
        .equ    SYS_DISK,  6            # (sector, address, 0 to read or 1 to write): 0, -1 if none

# Consoles: a ring of bytes for each family.
        .equ    RING,       256
        .equ    RING_TAKEN, 0           # bytes ever taken out
        .equ    RING_PUT,   4           # bytes ever put in
        .equ    RING_DATA,  8
        .equ    RING_SIZE,  8 + RING
        .equ    MOST_WRITTEN, 64        # bytes per call

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
# Critical sections don't nest. System calls run with interrupts on, `schedule` with interrupts off.
# PARA: t6 is for hypercalls; nothing else uses it.
        .macro  hypercall number
        li      t6, \number
        sw      t6, V_CALL(zero)
        ecall
        .endm
        .macro  interrupts_off
        sw      zero, V_ENABLED(zero)
        .endm
        .macro  interrupts_on
        sw      sp, V_ENABLED(zero)     # any value but zero
        lw      t6, V_PENDING(zero)
        beqz    t6, 1234f
        hypercall CALL_DELIVER
1234:
        .endm
# Functions keep s0 to s11 and tp; tp is the present process.
        .macro  enter
        addi    sp, sp, -32
        sw      ra, 0(sp)
        sw      s0, 4(sp)
        sw      s1, 8(sp)
        sw      s2, 12(sp)
        sw      s3, 16(sp)
        .endm
        .macro  leave
        lw      s3, 16(sp)
        lw      s2, 12(sp)
        lw      s1, 8(sp)
        lw      s0, 4(sp)
        lw      ra, 0(sp)
        addi    sp, sp, 32
        ret
        .endm

        .section .text
        .globl  _start

# ------------------------------------------------------------------------------------ boot
# The boot code becomes process 0: it has no user part, waits for the two others, and checks.
_start:
        la      sp, boot_stack_top
        la      t0, trap
        li      a7, EXTENSION           # PARA: from here on there is a shared page
        li      a6, ABI_VERSION
        ecall
        sw      t0, V_TVEC(zero)
        sw      zero, V_SCRATCH(zero)   # zero: we are in the kernel
        sw      zero, V_STATUS(zero)
        li      a0, SIE_TIMER
        hypercall CALL_ENABLE
        la      tp, processes
        sw      tp, current, t0
        li      t0, READY
        sw      t0, P_STATE(tp)
        call    alloc
        sw      a0, P_ROOT(tp)
        call    map_kernel
        lw      a0, P_ROOT(tp)
        hypercall CALL_PIN
        lw      a0, P_ROOT(tp)
        call    switch_space            # paging is on; the kernel is where it was
        call    disk_probe

        la      a0, text_booted
        call    print
        la      a0, text_no_disk
        lw      t0, disk_version
        beqz    t0, 1f
        la      a0, text_disk
1:      call    print

        li      a0, 1
        sw      a0, turn, t0            # the console is family 1's until it is done
        call    spawn
        mv      s0, a0
        li      a0, 2
        call    spawn
        mv      s1, a0
        interrupts_on
        mv      a0, s0
        call    reap                    # until process 1 is dead
        mv      s0, a0
        li      a0, 2
        sw      a0, turn, t0
        call    drain                   # what process 2 has said in the meantime
        mv      a0, s1
        call    reap
        mv      s1, a0
        interrupts_off

# ------------------------------------------------------------------------------------ self-check
# s0, s1: the values of the two processes; zero means that one of them was not content.
        li      a0, -1                  # no further ticks
        li      a1, -1
        call    set_timer
        li      a0, 0
        hypercall CALL_ENABLE
        li      a0, 0
        hypercall CALL_SWITCH           # paging off: the kernel is still where it was
        lw      a0, P_ROOT(tp)
        hypercall CALL_UNPIN
        lw      a0, P_ROOT(tp)
        call    drop
        interrupts_off

        la      a0, text_results
        call    print
        mv      a0, s0
        call    print_hex
        li      a0, ' '
        call    uart_put
        mv      a0, s1
        call    print_hex
        la      a0, text_newline
        call    print
        la      a0, text_bad_result
        beqz    s0, panic
        beqz    s1, panic

        la      a0, text_lost           # each child has counted in all of its critical sections
        lw      t0, counter
        li      t1, 2 * FORKS * CALLS * SECTIONS
        bne     t0, t1, panic

        la      a0, text_leak           # all references are given back
        la      t0, references
        li      t1, FRAMES
1:      lbu     t2, 0(t0)
        bnez    t2, panic
        addi    t0, t0, 1
        addi    t1, t1, -1
        bnez    t1, 1b

        la      a0, text_not_zero       # and nothing is left in the frames
        la      t0, frames
        la      t1, frames_end
        li      t3, 0
2:      lw      t2, 0(t0)
        or      t3, t3, t2
        addi    t0, t0, 4
        bne     t0, t1, 2b
        bnez    t3, panic

        la      a0, text_passed
        call    print

# Wipes what depends on time, and stops the machine.
        la      t0, processes
        sw      zero, P_STATE(t0)
        sw      zero, P_ROOT(t0)
        sw      zero, P_SP(t0)
        sw      zero, P_WAKE(t0)
        la      t0, boot_stack
        la      t1, boot_stack_top
3:      sw      zero, 0(t0)
        addi    t0, t0, 4
        bne     t0, t1, 3b
        la      t0, updates
        la      t1, line_end
7:      sw      zero, 0(t0)
        addi    t0, t0, 4
        bne     t0, t1, 7b
        .irp    word, V_STATUS, V_EPC, V_CAUSE, V_TVAL, V_SCRATCH, V_SPARE, V_ENABLED
        sw      zero, \word(zero)
        .endr
        .irp    n, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        li      x\n, 0
        .endr
4:      li      a0, 0
        hypercall CALL_STOP
        j       4b

# panic: prints the text at a0 and stops with code 1.
panic:  interrupts_off
        mv      s0, a0
        la      a0, text_panic
        call    print
        mv      a0, s0
        call    print
1:      li      a0, 1
        hypercall CALL_STOP
        j       1b

# ------------------------------------------------------------------------------------ traps
# From user mode: sscratch is the top of the kernel stack. From the kernel: it is zero.
        .align  2
trap:   sw      t6, V_SPARE(zero)
        mv      t6, sp
        lw      sp, V_SCRATCH(zero)
        bnez    sp, 1f
        mv      sp, t6                  # from the kernel: stay on its stack
1:      addi    sp, sp, -FRAME
        save_all
        lw      t0, V_SPARE(zero)
        sw      t0, 4 * 31(sp)          # t6
        sw      zero, V_SCRATCH(zero)   # now we are in the kernel
        sw      t6, F_SP(sp)            # the interrupted sp
        lw      t0, V_EPC(zero)
        sw      t0, F_PC(sp)
        lw      t0, V_STATUS(zero)
        sw      t0, F_STATUS(sp)
        lw      tp, current
        lw      s0, V_CAUSE(zero)
        bltz    s0, tick                # the timer's is the only interrupt that we let in
        li      t0, CAUSE_USER_ECALL
        beq     s0, t0, system_call
        li      t0, CAUSE_LOAD_FAULT
        beq     s0, t0, page_fault
        li      t0, CAUSE_STORE_FAULT
        beq     s0, t0, page_fault
        j       crime

trap_exit:                              # back to where the trap came from
        interrupts_off
        lw      t0, F_PC(sp)
        sw      t0, V_EPC(zero)
        lw      t0, F_STATUS(sp)
        sw      t0, V_STATUS(zero)
        andi    t0, t0, STATUS_SPP
        bnez    t0, 1f
        addi    t0, sp, FRAME
        sw      t0, V_SCRATCH(zero)     # to user mode: leave the way to the kernel stack
1:      li      t0, CALL_RETURN
        sw      t0, V_CALL(zero)
        restore_all
        lw      sp, F_SP(sp)
        ecall

# The slice is over: another process's turn. (`schedule` sets the timer again.)
tick:   call    schedule
        j       trap_exit

system_call:
        lw      t0, F_PC(sp)
        addi    t0, t0, 4               # go on after the ecall
        sw      t0, F_PC(sp)
        interrupts_on
        li      t0, CALL_COUNT
        bgeu    a7, t0, 1f
        la      t0, calls
        slli    t1, a7, 2
        add     t0, t0, t1
        lw      t0, 0(t0)
        jalr    t0                      # arguments are still in a0 to a2
        j       2f
1:      li      a0, -1                  # no such call
2:      sw      a0, F_A0(sp)
        j       trap_exit

page_fault:
        lw      a0, V_TVAL(zero)
        interrupts_on                   # users' pages are touched outside of critical sections only
        mv      s1, a0
        mv      a1, s0
        call    resolve
        beqz    a0, trap_exit           # try again
        li      t0, USER                # nothing can be done. On behalf of a process, its fault …
        li      t1, USER_END
        bltu    s1, t0, crime
        bltu    s1, t1, kill

crime:  lw      t0, F_STATUS(sp)        # … as is anything that comes from user mode
        andi    t0, t0, STATUS_SPP
        la      a0, text_crime
        bnez    t0, panic
        interrupts_on
kill:   li      a0, 0
        j       sys_exit

# ------------------------------------------------------------------------------------ scheduler
# schedule: gives the hart to the next process that is ready, round robin, for a slice of time;
# returns when it is the caller's turn again. Interrupts are off, and stay off.
schedule:
        addi    sp, sp, -CONTEXT
        sw      ra, 0(sp)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        sw      s\n, 4 + 4 * \n(sp)
        .endr
        sw      sp, P_SP(tp)
again:  rdtime  s0
        mv      s1, tp
        li      t3, PROCESSES
1:      addi    s1, s1, 1 << P_SHIFT
        la      t0, processes_end
        bltu    s1, t0, 2f
        la      s1, processes
2:      lw      t0, P_STATE(s1)
        li      t1, READY
        beq     t0, t1, found
        li      t1, SLEEPING
        bne     t0, t1, 3f
        lw      t1, P_WAKE(s1)
        sub     t1, s0, t1
        bgez    t1, found               # slept long enough
3:      addi    t3, t3, -1
        bnez    t3, 1b
        li      a0, SLICE               # nobody is ready: wait for the timer
        call    set_timer_in
        hypercall CALL_WAIT             # (it ends the wait though interrupts are off)
        j       again

found:  li      t0, READY
        sw      t0, P_STATE(s1)
        beq     s1, tp, 4f
        mv      tp, s1
        sw      tp, current, t0
        lw      a0, P_ROOT(tp)
        call    switch_space
        lw      sp, P_SP(tp)
# On a slow machine (one that is emulated, say) a slice is eight times what this switch took:
# else it could be over before the process has executed anything.
4:      rdtime  a0
        sub     a0, a0, s0
        slli    a0, a0, 3
        li      t0, SLICE
        bgeu    a0, t0, 5f
        mv      a0, t0
5:      call    set_timer_in
        lw      ra, 0(sp)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        lw      s\n, 4 + 4 * \n(sp)
        .endr
        addi    sp, sp, CONTEXT
        ret

# switch_space: the address space with the root table at a0 becomes the present one.
switch_space:
        srli    a0, a0, 12
        li      t0, SATP_SV32
        or      a0, a0, t0
        hypercall CALL_SWITCH
        ret

# update: the page-table entry at a0 becomes a1, for the page at a2; soon: see `flush`. PARA: new.
# flush: now. Callers are never interrupted between the two: others would find half of a change.
update: la      t0, updates
        lw      t1, updates_count
        li      t2, 12
        addi    t3, t1, 1
        sw      t3, updates_count, t2
        slli    t2, t1, 3
        slli    t1, t1, 2
        add     t1, t1, t2
        add     t0, t0, t1
        sw      a0, 0(t0)
        sw      a1, 4(t0)
        sw      a2, 8(t0)
        li      t0, MOST_UPDATES
        beq     t3, t0, flush
        ret
flush:  la      a0, updates
        lw      a1, updates_count
        sw      zero, updates_count, t0
        hypercall CALL_UPDATE
        bnez    a0, refused_update
        ret
refused_update:
        la      a0, text_refused
        j       panic

# yield: others first. From system calls.
yield:  enter
        interrupts_off
        call    schedule
        interrupts_on
        leave

# set_timer_in: the next timer interrupt in a0 ticks. set_timer: at tick a1:a0.
set_timer_in:
        rdtimeh a1                      # (off by one if the low half wraps just now: every 7 minutes)
        rdtime  t0
        add     a0, a0, t0
        sltu    t0, a0, t0
        add     a1, a1, t0
set_timer:
        li      a7, SBI_TIME
        li      a6, 0
        ecall
        ret

# ------------------------------------------------------------------------------------ frames
# A byte per frame says how many tables refer to it. Free frames are zero.

# alloc: a free frame (a0) with one reference.
alloc:  la      t0, references
        li      t1, FRAMES
        la      a0, frames
        li      t3, PAGE
        interrupts_off
1:      lbu     t2, 0(t0)
        beqz    t2, 2f
        addi    t0, t0, 1
        add     a0, a0, t3
        addi    t1, t1, -1
        bnez    t1, 1b
        la      a0, text_out_of_frames
        j       panic
2:      li      t2, 1
        sb      t2, 0(t0)
        interrupts_on
        ret

# share: one more reference to the frame at a0. (The program's code is no frame: always there.)
share:  la      t0, frames
        sub     t0, a0, t0
        srli    t0, t0, 12
        li      t1, FRAMES
        bgeu    t0, t1, 1f
        la      t1, references
        add     t0, t0, t1
        interrupts_off
        lbu     t1, 0(t0)
        addi    t1, t1, 1
        sb      t1, 0(t0)
        interrupts_on
1:      ret

# drop: one reference less. The last one wipes the frame before others can get it.
drop:   la      t0, frames
        sub     t0, a0, t0
        srli    t0, t0, 12
        li      t1, FRAMES
        bgeu    t0, t1, 3f
        la      t1, references
        add     t0, t0, t1
        li      t3, 1
        interrupts_off
        lbu     t1, 0(t0)
        beq     t1, t3, 1f
        addi    t1, t1, -1
        sb      t1, 0(t0)
        interrupts_on
        ret
1:      interrupts_on
        li      t1, PAGE
        add     t1, t1, a0
2:      .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        sw      zero, 4 * \n(a0)
        .endr
        addi    a0, a0, 32
        bne     a0, t1, 2b
        sb      zero, 0(t0)
3:      ret

# ------------------------------------------------------------------------------------ page tables
# map_kernel: puts the kernel and its devices into the root table at a0.
map_kernel:
        la      t0, kernel_map
        la      t1, kernel_map_end
1:      lw      t2, 0(t0)
        add     t2, t2, a0
        lw      t3, 4(t0)
        sw      t3, 0(t2)               # PT
        addi    t0, t0, 8
        bne     t0, t1, 1b
        ret

# table: the table (a0) that holds the user pages of the process at a0.
table:  lw      a0, P_ROOT(a0)
        lw      a0, USER_ENTRY(a0)
        srli    a0, a0, 10
        slli    a0, a0, 12
        ret

# resolve: makes the page at user address a0 accessible after a fault of cause a1: a new page of
# zeros, or a copy of a shared one. a0: 0, or -1 if the process has no right to it.
resolve:
        enter
        mv      s0, a0
        mv      s1, a1
        li      t0, DATA                # only data and stack may come and go
        bltu    s0, t0, refuse
        li      t0, DATA_END
        bltu    s0, t0, 1f
        li      t0, STACK
        bltu    s0, t0, refuse
        li      t0, USER_END
        bgeu    s0, t0, refuse
1:      mv      a0, tp
        call    table
        srli    t0, s0, 12
        andi    t0, t0, ENTRIES - 1
        slli    t0, t0, 2
        add     s2, a0, t0              # s2: the address of the entry
        lw      s3, 0(s2)               # s3: the entry
        beqz    s3, fresh
        li      t0, CAUSE_STORE_FAULT
        bne     s1, t0, refuse
        andi    t0, s3, PTE_COW
        beqz    t0, refuse

        srli    s3, s3, 10              # copy-on-write: s3 is the shared frame
        slli    s3, s3, 12
        la      t0, frames
        sub     t0, s3, t0
        srli    t0, t0, 12
        la      t1, references
        add     t0, t0, t1
        lbu     t0, 0(t0)
        li      t1, 1
        mv      a0, s3
        beq     t0, t1, enter_page      # nobody shares it any longer: it is ours
        call    alloc
        mv      t0, a0
        li      t1, PAGE
        add     t1, t1, s3
2:      .irp    n, 0, 1, 2, 3
        lw      a\n, 4 * \n(s3)
        .endr
        .irp    n, 0, 1, 2, 3
        sw      a\n, 4 * \n(t0)
        .endr
        addi    s3, s3, 16
        addi    t0, t0, 16
        bne     s3, t1, 2b
        li      t1, PAGE
        sub     s1, t0, t1              # s1: the copy
        sub     a0, s3, t1
        li      t0, PTE_DATA
        srli    t1, s1, 2
        or      a1, t0, t1
        mv      s1, a0
        mv      a0, s2
        mv      a2, s0
        interrupts_off
        call    update
        call    flush
        interrupts_on
        mv      a0, s1
        call    drop                    # the shared frame (a0) has lost us
        li      a0, 0
        leave

fresh:  call    alloc
enter_page:                             # frame a0 into entry s2
        srli    a0, a0, 2
        ori     a1, a0, PTE_DATA
        mv      a0, s2
        mv      a2, s0
        interrupts_off
        call    update
        call    flush
        interrupts_on
        li      a0, 0
        leave
refuse: li      a0, -1
        leave

# ------------------------------------------------------------------------------------ processes
# new_process: a process (a0) of family a0 with a kernel stack and an address space that has the
# kernel in it and an empty table for its own pages. a0 is 0 if there are too many.
new_process:
        enter
        mv      s1, a0
        la      s0, processes
        la      t1, processes_end
        interrupts_off
1:      lw      t0, P_STATE(s0)
        beqz    t0, 2f
        addi    s0, s0, 1 << P_SHIFT
        bne     s0, t1, 1b
        interrupts_on
        li      a0, 0
        leave
2:      li      t0, NEW
        sw      t0, P_STATE(s0)
        interrupts_on
        sw      tp, P_PARENT(s0)
        sw      s1, P_FAMILY(s0)
        call    alloc
        sw      a0, P_STACK(s0)
        call    alloc
        sw      a0, P_ROOT(s0)
        call    map_kernel
        call    alloc
        srli    a0, a0, 2
        ori     a0, a0, PTE_V
        lw      t0, P_ROOT(s0)
        sw      a0, USER_ENTRY(t0)      # PT
        mv      a0, s0
        leave

# start: makes the process at a0 ready to leave the kernel by its trap frame.
# PARA: from here on its tables are pinned.
start:  mv      t2, a0
        lw      a0, P_ROOT(t2)
        hypercall CALL_PIN
        bnez    a0, refused_update
        mv      a0, t2
        lw      t0, P_STACK(a0)
        li      t1, PAGE - FRAME - CONTEXT
        add     t0, t0, t1
        la      t1, trap_exit
        sw      t1, 0(t0)               # where `schedule` returns to
        sw      t0, P_SP(a0)
        li      t0, READY
        sw      t0, P_STATE(a0)
        ret

# spawn: a process (a0), the first of family a0, at the beginning of the program.
spawn:  enter
        mv      s1, a0
        call    new_process
        mv      s0, a0
        call    table
        la      t0, program
        srli    t0, t0, 2
        ori     t0, t0, PTE_PROGRAM
        sw      t0, 0(a0)               # PT
        lw      t0, P_STACK(s0)
        li      t1, PAGE - FRAME
        add     t0, t0, t1
        li      t1, USER
        sw      t1, F_PC(t0)
        li      t1, USER_END
        sw      t1, F_SP(t0)
        sw      s1, F_A0(t0)
        li      t1, STATUS_SPIE
        sw      t1, F_STATUS(t0)
        mv      a0, s0
        call    start
        mv      a0, s0
        leave

# reap: waits until the child at a0 is dead, frees what is left of it, and has its value in a0.
reap:   enter
        mv      s0, a0
1:      interrupts_off
        lw      t0, P_STATE(s0)
        li      t1, DEAD
        beq     t0, t1, 2f
        li      t0, WAITING
        sw      t0, P_STATE(tp)
        call    schedule
        interrupts_on
        j       1b
2:      interrupts_on
        lw      s1, P_VALUE(s0)
        lw      a0, P_ROOT(s0)
        hypercall CALL_UNPIN
        bnez    a0, refused_update
        lw      a0, P_ROOT(s0)
        call    drop
        lw      a0, P_STACK(s0)
        call    drop
        .irp    field, P_ROOT, P_STACK, P_SP, P_PARENT, P_VALUE, P_WAKE, P_FAMILY, P_STATE
        sw      zero, \field(s0)        # the state last: then others may have it
        .endr
        mv      a0, s1
        leave

# ------------------------------------------------------------------------------------ system calls
        .section .rodata
        .align  2
calls:  .word   sys_exit, sys_fork, sys_wait, sys_write, sys_sleep, sys_count, sys_disk
        .section .text

# exit: the process gives back its pages, tells its parent, and is never scheduled again. Its root
# table and its kernel stack are in use to the last, and left to `reap`.
sys_exit:
        sw      a0, P_VALUE(tp)
        mv      a0, tp
        call    table
        mv      s0, a0
        li      s1, ENTRIES
        li      s3, USER
1:      lw      s2, 0(s0)
        beqz    s2, 2f
        mv      a0, s0
        li      a1, 0
        mv      a2, s3
        interrupts_off
        call    update
        call    flush                   # before others can have the frame
        interrupts_on
        srli    a0, s2, 10
        slli    a0, a0, 12
        call    drop
2:      addi    s0, s0, 4
        li      t0, PAGE
        add     s3, s3, t0
        addi    s1, s1, -1
        bnez    s1, 1b
        lw      t0, P_ROOT(tp)
        addi    a0, t0, USER_ENTRY
        li      a1, 0
        li      a2, USER
        interrupts_off
        call    update
        call    flush
        interrupts_on
        li      t0, -PAGE
        add     a0, s0, t0              # the table itself
        call    drop
        interrupts_off
        li      t0, DEAD
        sw      t0, P_STATE(tp)
        lw      t0, P_PARENT(tp)
        lw      t1, P_STATE(t0)
        li      t2, WAITING
        bne     t1, t2, 3f
        li      t1, READY
        sw      t1, P_STATE(t0)
3:      j       schedule

# fork: the child gets a copy of the table, not of the pages. What was writable is so no longer,
# for both, until `resolve` copies it.
sys_fork:
        enter
        lw      a0, P_FAMILY(tp)
        call    new_process
        beqz    a0, 4f
        mv      s0, a0
        call    table
        mv      s2, a0                  # s2: the child's table
        mv      a0, tp
        call    table
        mv      s1, a0                  # s1: ours
        li      s3, ENTRIES
        li      s4, USER
1:      lw      a0, 0(s1)
        beqz    a0, 3f
        andi    t0, a0, PTE_W
        beqz    t0, 2f
        andi    a0, a0, ~PTE_W
        ori     a0, a0, PTE_COW
        mv      a1, a0
        mv      a2, s4
        mv      a0, s1
        sw      a1, 0(s2)               # PT: the child's tables are not pinned yet
        interrupts_off
        call    update                  # ours are
        interrupts_on
        lw      a0, 0(s2)
2:      sw      a0, 0(s2)               # PT
        srli    a0, a0, 10
        slli    a0, a0, 12
        call    share
3:      addi    s1, s1, 4
        addi    s2, s2, 4
        li      t0, PAGE
        add     s4, s4, t0
        addi    s3, s3, -1
        bnez    s3, 1b
        interrupts_off
        call    flush                   # we, too, have lost rights
        interrupts_on

        li      t0, PAGE - FRAME        # the child's trap frame is ours, but for a0
        lw      t1, P_STACK(tp)
        add     t1, t1, t0
        lw      t2, P_STACK(s0)
        add     t2, t2, t0
        mv      t3, t2
        li      t0, FRAME
5:      lw      t4, 0(t1)
        sw      t4, 0(t2)
        addi    t1, t1, 4
        addi    t2, t2, 4
        addi    t0, t0, -4
        bnez    t0, 5b
        sw      zero, F_A0(t3)
        mv      a0, s0
        call    start
        la      t0, processes
        sub     a0, s0, t0
        srli    a0, a0, P_SHIFT
        leave
4:      li      a0, -1
        leave

sys_wait:
        enter
        li      t0, PROCESSES
        bgeu    a0, t0, 1f
        mv      s0, a1
        slli    a0, a0, P_SHIFT
        la      t0, processes
        add     a0, a0, t0
        lw      t0, P_PARENT(a0)
        bne     t0, tp, 1f              # nobody's child of ours
        call    reap
        mv      s1, a0
        mv      a0, s0
        li      a1, 4
        call    is_user
        beqz    a0, 1f
        andi    t0, s0, 3
        bnez    t0, 1f
        sw      s1, 0(s0)               # may fault, and be resolved
        li      a0, 0
        leave
1:      li      a0, -1
        leave

# is_user: whether the a1 bytes at a0 are in user space (a0: 1 or 0).
is_user:
        li      t0, USER
        sub     a0, a0, t0
        li      t0, USER_END - USER
        bgtu    a0, t0, 1f
        sub     t0, t0, a0              # so many bytes are left
        sltu    a0, t0, a1
        xori    a0, a0, 1
        ret
1:      li      a0, 0
        ret

sys_write:
        enter
        addi    sp, sp, -MOST_WRITTEN
        li      t0, MOST_WRITTEN
        bleu    a1, t0, 1f
        mv      a1, t0
1:      mv      s0, a0
        mv      s1, a1
        call    is_user
        beqz    a0, 4f
        mv      t1, sp                  # first to our stack …
        mv      t2, s1
2:      beqz    t2, 3f
        lbu     t3, 0(s0)               # may fault
        sb      t3, 0(t1)
        addi    s0, s0, 1
        addi    t1, t1, 1
        addi    t2, t2, -1
        j       2b
3:      mv      s2, sp                  # … then to the console
        add     s3, sp, s1
        j       6f
5:      lbu     a0, 0(s2)
        call    put
        addi    s2, s2, 1
6:      bne     s2, s3, 5b
        lw      a0, P_FAMILY(tp)
        call    drain
        mv      a0, s1
        j       7f
4:      li      a0, -1
7:      addi    sp, sp, MOST_WRITTEN
        leave

sys_sleep:
        enter
        rdtime  t0
        add     t0, t0, a0
        interrupts_off
        sw      t0, P_WAKE(tp)
        li      t0, SLEEPING
        sw      t0, P_STATE(tp)
        call    schedule
        interrupts_on
        li      a0, 0
        leave

sys_count:
        la      t0, counter
        li      t1, SECTIONS
        j       2f
1:      interrupts_off
        lw      t2, 0(t0)               # whoever lets a tick in here loses a count
        addi    t2, t2, 1
        sw      t2, 0(t0)
        interrupts_on
        addi    t1, t1, -1
2:      bnez    t1, 1b
        li      a0, 0
        ret

# ------------------------------------------------------------------------------------ console
# put: byte a0 into the ring of the present family; waits while it is full.
put:    enter
        mv      s0, a0
        lw      a0, P_FAMILY(tp)
        call    ring
        mv      s1, a0
1:      interrupts_off
        lw      t0, RING_PUT(s1)
        lw      t1, RING_TAKEN(s1)
        sub     t1, t0, t1
        li      t2, RING
        bne     t1, t2, 2f
        interrupts_on
        lw      a0, P_FAMILY(tp)
        call    drain
        call    yield
        j       1b
2:      andi    t1, t0, RING - 1
        add     t1, t1, s1
        sb      s0, RING_DATA(t1)
        addi    t0, t0, 1
        sw      t0, RING_PUT(s1)
        interrupts_on
        leave

# drain: sends what is in the ring of family a0, if it is that family's turn.
drain:  enter
        lw      t0, turn
        bne     a0, t0, 2f
        call    ring
        mv      s1, a0
1:      interrupts_off
        lw      t0, RING_PUT(s1)
        lw      t1, RING_TAKEN(s1)
        beq     t0, t1, 3f
        andi    t0, t1, RING - 1
        add     t0, t0, s1
        lbu     a0, RING_DATA(t0)
        addi    t1, t1, 1
        sw      t1, RING_TAKEN(s1)
        call    uart_put                # in the section: bytes must not overtake each other
        interrupts_on
        j       1b
3:      interrupts_on
2:      leave

# ring: the ring (a0) of family a0.
ring:   la      t0, rings
        addi    a0, a0, -1
        beqz    a0, 1f
        addi    t0, t0, RING_SIZE
1:      mv      a0, t0
        ret

# uart_put: byte a0 to the console, a line at a time. PARA: no device, but a call per line.
uart_put:
        la      t0, line
        lw      t1, line_bytes
        add     t0, t0, t1
        sb      a0, 0(t0)
        addi    t1, t1, 1
        sw      t1, line_bytes, t0
        li      t0, '\n'
        beq     a0, t0, send
        li      t0, LINE
        beq     t1, t0, send
        ret
send:   la      a0, line
        lw      a1, line_bytes
        sw      zero, line_bytes, t0
        hypercall CALL_CONSOLE
        ret

# print: writes the zero-terminated text at a0 past the rings; print_hex: a0 as eight digits.
print:  enter
        mv      s0, a0
1:      lbu     a0, 0(s0)
        beqz    a0, 2f
        call    uart_put
        addi    s0, s0, 1
        j       1b
2:      leave

print_hex:
        enter
        mv      s0, a0
        li      s1, 28
1:      srl     a0, s0, s1
        andi    a0, a0, 15
        li      t0, 10
        bltu    a0, t0, 2f
        addi    a0, a0, 'a' - '0' - 10
2:      addi    a0, a0, '0'
        call    uart_put
        addi    s1, s1, -4
        bgez    s1, 1b
        leave

# ------------------------------------------------------------------------------------ disk
# PARA: no device either. disk_version is how many sectors there are.
        .equ    SECTOR,      512
disk_probe:
        hypercall CALL_DISK_SIZE
        sw      a0, disk_version, t0
        ret

# disk: one sector to or from user memory, by way of a buffer of the kernel's.
sys_disk:
        enter
        lw      t0, disk_version
        beqz    t0, 9f
        mv      s0, a0                  # s0: sector, s1: address, s2: 1 to write
        mv      s1, a1
        snez    s2, a2
        mv      a0, s1
        li      a1, SECTOR
        call    is_user
        beqz    a0, 9f
1:      interrupts_off                  # one at a time
        lw      t0, disk_busy
        beqz    t0, 2f
        interrupts_on
        call    yield
        j       1b
2:      li      t0, 1
        sw      t0, disk_busy, t1
        interrupts_on
        la      a0, disk_buffer
        mv      a1, s1
        beqz    s2, 3f
        call    copy_sector             # from the user
3:      mv      a0, s0
        mv      a1, s2
        call    disk_request
        mv      s3, a0
        mv      a0, s1
        la      a1, disk_buffer
        bnez    s2, 4f
        call    copy_sector             # to the user
4:      sw      zero, disk_busy, t0
        mv      a0, s3
        leave
9:      li      a0, -1
        leave

# copy_sector: copies a sector from a1 to a0; one of them is in user space. A process that dies of
# it takes the disk with it, which is the fate of those who pass bad pointers to drivers.
copy_sector:
        addi    t0, a0, SECTOR
1:      lbu     t2, 0(a1)
        sb      t2, 0(a0)
        addi    a0, a0, 1
        addi    a1, a1, 1
        bne     a0, t0, 1b
        ret

# disk_request: reads (a1 = 0) or writes sector a0 by way of disk_buffer. a0: 0, or -1 on failure.
disk_request:
        la      t0, disk_header         # a list of one request: sector, address, kind, answer
        sw      a0, 0(t0)
        la      t1, disk_buffer
        sw      t1, 4(t0)
        sw      a1, 8(t0)
        mv      a0, t0
        li      a1, 1
        hypercall CALL_DISK
        ret

# ------------------------------------------------------------------------------------ the program
# Runs in user mode at USER; a0 is the family, 1 or 2. Code and constants address each other
# relative to pc, so that it does not matter that they are also somewhere in the kernel.
        .balign PAGE
program:
        j       main
said_process: .ascii "process "
        .equ    SAID_PROCESS, . - said_process
said_colon: .ascii ": "
        .equ    SAID_COLON, . - said_colon
said_dot: .ascii "."
said_disk: .ascii " sector"
        .equ    SAID_DISK, . - said_disk
said_done: .ascii " done\n"
        .equ    SAID_DONE, . - said_done
        .align  2
main:   mv      s0, a0
        mv      s1, a0                  # s1: the result so far
        la      a0, said_process
        li      a1, SAID_PROCESS
        call    say
        addi    sp, sp, -16
        addi    t0, s0, '0'
        sb      t0, 0(sp)
        mv      a0, sp
        li      a1, 1
        call    say
        la      a0, said_colon
        li      a1, SAID_COLON
        call    say

        li      t0, DATA                # a word in each page, that differs
        li      t1, PAGES
        li      t2, PAGE
        mv      t3, s0
1:      sw      t3, 0(t0)
        addi    t3, t3, 2
        add     t0, t0, t2
        addi    t1, t1, -1
        bnez    t1, 1b

        li      s2, FORKS
        j       5f
2:      li      a7, SYS_FORK
        ecall
        beqz    a0, child
        bltz    a0, unhappy
        mv      s3, a0
        call    work
        mv      s4, a0
        mv      a0, s3
        li      a1, MAILBOX
        li      a7, SYS_WAIT
        ecall
        bnez    a0, unhappy
        li      t0, MAILBOX
        lw      t0, 0(t0)
        bne     t0, s4, unhappy         # the same work on the same pages has the same result
        xor     s1, s1, s4
        slli    t0, s1, 5
        add     s1, s1, t0
        addi    s2, s2, -1
5:      bnez    s2, 2b

        li      t0, 1
        bne     s0, t0, 6f
        call    use_disk
        bnez    a0, unhappy
6:      la      a0, said_done
        li      a1, SAID_DONE
        call    say
        li      a0, NAP
        li      a7, SYS_SLEEP
        ecall
        mv      a0, s1
        bnez    a0, 7f
        li      a0, 1                   # zero is kept for the unhappy
7:      li      a7, SYS_EXIT
        ecall
unhappy:
        li      a0, 0
        li      a7, SYS_EXIT
        ecall

child:  li      s3, CALLS
        j       2f
1:      li      a7, SYS_COUNT
        ecall
        addi    s3, s3, -1
2:      bnez    s3, 1b
        call    work
        mv      s3, a0
        la      a0, said_dot
        li      a1, 1
        call    say
        mv      a0, s3
        li      a7, SYS_EXIT
        ecall

# work: WORK times over the first words of all pages, each of which becomes a mixture of itself and
# the one before. The last of them is in a0.
work:   li      a0, 0
        li      t0, WORK
        li      t4, PAGE
        j       3f
1:      li      t1, DATA
        li      t2, PAGES
2:      lw      t3, 0(t1)
        add     a0, a0, t3
        slli    t3, a0, 13              # Marsaglia's xorshift
        xor     a0, a0, t3
        srli    t3, a0, 17
        xor     a0, a0, t3
        slli    t3, a0, 5
        xor     a0, a0, t3
        sw      a0, 0(t1)
        add     t1, t1, t4
        addi    t2, t2, -1
        bnez    t2, 2b
        addi    t0, t0, -1
3:      bnez    t0, 1b
        ret

# use_disk: writes a pattern to some sectors and reads it back. a0: 0, or 1 if it is not the same.
use_disk:
        mv      s5, ra
        li      s3, SECTORS
        j       5f
1:      li      t0, DATA                # the pattern depends on the sector
        addi    t1, t0, SECTOR
        mv      t2, s3
2:      sw      t2, 4(t0)
        addi    t2, t2, 7
        addi    t0, t0, 4
        bne     t0, t1, 2b
        mv      a0, s3
        li      a1, DATA + 4
        li      a2, 1
        li      a7, SYS_DISK
        ecall
        bnez    a0, 6f                  # no disk
        mv      a0, s3
        li      a1, DATA + 4 + SECTOR
        li      a2, 0
        li      a7, SYS_DISK
        ecall
        bnez    a0, 7f
        li      t0, DATA
        addi    t1, t0, SECTOR
3:      lw      t2, 4(t0)
        lw      t3, 4 + SECTOR(t0)
        bne     t2, t3, 7f
        addi    t0, t0, 4
        bne     t0, t1, 3b
        la      a0, said_disk
        li      a1, SAID_DISK
        call    say
        addi    s3, s3, -1
5:      bnez    s3, 1b
6:      li      a0, 0
        jr      s5
7:      li      a0, 1
        jr      s5

say:    li      a7, SYS_WRITE
        ecall
        ret

        .balign PAGE

# ------------------------------------------------------------------------------------ data
        .section .rodata
text_booted: .asciz "nano-os: paging is on, "
text_no_disk: .asciz "no disk\n"
text_disk: .asciz "a disk\n"
text_results: .asciz "kernel: results "
text_newline: .asciz "\n"
text_passed: .asciz "kernel: self-check passed\n"
text_panic: .asciz "kernel: panic: "
text_refused: .asciz "the hypervisor has refused an entry\n"
text_crime: .asciz "unexpected trap in the kernel\n"
text_out_of_frames: .asciz "out of frames\n"
text_bad_result: .asciz "a process was not content\n"
text_lost: .asciz "a critical section was not one\n"
text_leak: .asciz "a frame was not given back\n"
text_not_zero: .asciz "a free frame is not zero\n"
        .align  2
kernel_map:                             # offset in a root table, and the megapage there; PARA: no devices
        .word   0x804, 0x80400000 >> 2 | PTE_KERNEL     # the kernel
kernel_map_end:

        .section .bss
        .balign PAGE
frames: .space  FRAMES * PAGE
frames_end:
boot_stack: .space 2048
boot_stack_top:
processes: .space PROCESSES << P_SHIFT
processes_end:
rings:  .space  2 * RING_SIZE
disk_header: .space 16
disk_buffer: .space SECTOR
current: .space 4
turn:   .space  4                       # the family that the UART belongs to
counter: .space 4
disk_version: .space 4                  # 0: none, 1: legacy, 2
disk_busy: .space 4
        .align  2
updates: .space 12 * MOST_UPDATES
updates_count: .space 4
line_bytes: .space 4
line:   .space  LINE
line_end:
references: .space FRAMES
