# firmware: just enough of SBI, in assembly, to boot a kernel in S mode and give it a timer.
#
# What it shows: the software of the highest privilege, as machine code. `machine/sbi.ts` does the
# same (and more) in TypeScript. With this file the guests run where there is no TypeScript: on
# QEMU's virt board (`-bios firmware.bin -kernel guest.elf`), and on the bare machine without a host.
#
# Entry: M mode, a0 = hart number, a1 = device tree. The kernel is entered at 0x80400000.

        .equ    KERNEL,      0x80400000
        .equ    MTIMECMP,    0x02004000
        .equ    EXCEPTIONS,  0xb1ff     # all but the environment call from S mode go to S mode
        .equ    INTERRUPTS,  0x222      # as do all supervisor interrupts
        .equ    STIP,        0x20
        .equ    MTIE,        0x80
        .equ    MSTATUS_MPP, 0x1800
        .equ    MPP_S,       0x0800
        .equ    PMP_ALL,     0x1f       # naturally aligned, read, write, execute
        .equ    CAUSE_S_ECALL, 9
        .equ    SBI_TIME,    0x54494d45
        .equ    SBI_SET_TIMER, 0        # the same as a legacy call
        .equ    NOT_SUPPORTED, -2

        .section .text
        .globl  _start
_start:
        la      t0, trap
        csrw    mtvec, t0
        la      t0, frame
        csrw    mscratch, t0
        li      t0, -1
        csrw    pmpaddr0, t0
        li      t0, PMP_ALL
        csrw    pmpcfg0, t0
        li      t0, EXCEPTIONS
        csrw    medeleg, t0
        li      t0, INTERRUPTS
        csrw    mideleg, t0
        li      t0, -1
        csrw    mcounteren, t0
        li      t0, MSTATUS_MPP
        csrc    mstatus, t0
        li      t0, MPP_S
        csrs    mstatus, t0
        li      t0, KERNEL
        csrw    mepc, t0
        mret

        .align  2
trap:
        csrrw   t6, mscratch, t6        # t6 = our frame
        sw      t0, 0(t6)
        sw      t1, 4(t6)
        csrr    t0, mcause
        bltz    t0, timer               # the only interrupt that we let in
        li      t1, CAUSE_S_ECALL
        bne     t0, t1, stuck
        csrr    t0, mepc
        addi    t0, t0, 4
        csrw    mepc, t0
        li      t1, SBI_TIME
        beq     a7, t1, set_timer
        li      t1, SBI_SET_TIMER
        beq     a7, t1, set_timer
        li      a0, NOT_SUPPORTED
        li      a1, 0
        j       return

set_timer:                              # deadline a1:a0; never early while the halves change
        li      t0, MTIMECMP
        li      t1, -1
        sw      t1, 4(t0)
        sw      a0, 0(t0)
        sw      a1, 4(t0)
        li      t0, STIP
        csrc    mip, t0
        li      t0, MTIE
        csrs    mie, t0
        li      a0, 0
        beqz    a7, return              # the legacy call answers in a0 alone
        li      a1, 0
        j       return

timer:                                  # hand it on to S mode, and be quiet until the next call
        li      t0, STIP
        csrs    mip, t0
        li      t0, MTIE
        csrc    mie, t0

return:
        lw      t1, 4(t6)
        lw      t0, 0(t6)
        csrrw   t6, mscratch, t6
        mret

stuck:  wfi
        j       stuck

        .section .data
        .align  2
frame:  .word   0, 0
