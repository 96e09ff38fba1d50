# banked: keeps a pointer where only the kernel can see it, and fetches it back.
#
# What it shows: registers that exist once per mode. In user mode their names mean nothing: what is
# written is gone, and what is read is whatever was in the register that it should have been read
# into. (ARM: banked registers, by ldm and stm with ^.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555

        .section .text
        .globl  _start
_start: la      s0, frame
        csrw    sscratch, s0            # <- the instructions in question: there …
        li      s1, 0
        csrr    s1, sscratch            # … and back
        la      a0, right
        beq     s0, s1, finish
        la      a0, wrong
        j       finish

        .section .bss
        .align  2
frame:  .space  64
        .section .text

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
right:  .asciz  "the pointer is still there\n"
wrong:  .asciz  "the pointer is gone\n"
