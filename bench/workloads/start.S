# The start of every workload: a stack, zeros in .bss, main, and the machine stops.
# Board: QEMU virt, M mode, no firmware. main's result is the exit code (0: all is well).

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
2:      call    main
        li      t0, 0x100000            # the test finisher: 0x5555 is success,
        li      t1, 0x5555
        beqz    a0, 3f
        slli    t1, a0, 16              # 0x3333 failure, with a code above it
        li      t2, 0x3333
        or      t1, t1, t2
3:      sw      t1, 0(t0)
4:      j       4b
