# pushf: remembers whether interrupts are on, as every critical section does.
#
# What it shows: an instruction that reads real state in user mode. The guest's interrupts are on,
# the hart's are not (the hypervisor sees to them), and the guest reads the hart's: when it puts
# back what it has read, its interrupts stay off for ever. (x86: pushf. ARM: mrs.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    SIE,      2             # sstatus: interrupts on

        .section .text
        .globl  _start
_start: csrw    sie, zero               # none will come; this is about the flag
        csrsi   sstatus, SIE
        csrr    s0, sstatus             # <- the instruction in question: enter …
        csrci   sstatus, SIE
        nop                             # … the critical section, and leave it
        andi    s0, s0, SIE
        csrs    sstatus, s0
        la      a0, right
        bnez    s0, finish
        la      a0, wrong
        j       finish

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
right:  .asciz  "interrupts are on again\n"
wrong:  .asciz  "interrupts stay off\n"
