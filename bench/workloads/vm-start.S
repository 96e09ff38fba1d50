# The start of workloads under paging: M mode opens memory, makes the page tables (vm-kernel.c) and
# goes to S mode with Sv32 on; the kernel there enters the user program in U mode.

        .section .text.start
        .globl  _start
_start:
        la      sp, stack_top
        la      t0, bss_start
        la      t1, bss_end
1:      bgeu    t0, t1, 2f
        sw      zero, 0(t0)
        addi    t0, t0, 4
        j       1b
2:      li      t0, -1
        csrw    pmpaddr0, t0
        li      t0, 0x1f                # PMP: all of memory, for reading, writing, executing
        csrw    pmpcfg0, t0
        li      t0, 0xffff              # the kernel takes all exceptions of the user program
        csrw    medeleg, t0
        call    make_tables             # gives what satp is to be
        csrw    satp, a0
        sfence.vma
        la      t0, trap
        csrw    stvec, t0
        la      t0, kernel_stack_top
        csrw    sscratch, t0
        la      t0, user_main
        csrw    mepc, t0
        li      t0, 0x1800              # mstatus.MPP = U
        csrc    mstatus, t0
        la      sp, user_stack_top
        mret

# trap: the user program's registers that C may change are kept on the kernel's stack.
        .align  2
trap:   csrrw   sp, sscratch, sp
        addi    sp, sp, -80
        sw      ra, 0(sp)
        sw      t0, 4(sp)
        sw      t1, 8(sp)
        sw      t2, 12(sp)
        sw      a0, 16(sp)
        sw      a1, 20(sp)
        sw      a2, 24(sp)
        sw      a3, 28(sp)
        sw      a4, 32(sp)
        sw      a5, 36(sp)
        sw      a6, 40(sp)
        sw      a7, 44(sp)
        sw      t3, 48(sp)
        sw      t4, 52(sp)
        sw      t5, 56(sp)
        sw      t6, 60(sp)
        csrr    t0, sepc
        sw      t0, 64(sp)
        csrr    a1, scause
        mv      a0, sp
        call    handle_trap
        lw      t0, 64(sp)
        csrw    sepc, t0
        lw      ra, 0(sp)
        lw      t0, 4(sp)
        lw      t1, 8(sp)
        lw      t2, 12(sp)
        lw      a0, 16(sp)
        lw      a1, 20(sp)
        lw      a2, 24(sp)
        lw      a3, 28(sp)
        lw      a4, 32(sp)
        lw      a5, 36(sp)
        lw      a6, 40(sp)
        lw      a7, 44(sp)
        lw      t3, 48(sp)
        lw      t4, 52(sp)
        lw      t5, 56(sp)
        lw      t6, 60(sp)
        addi    sp, sp, 80
        csrrw   sp, sscratch, sp
        sret
