# hello: the smallest kernel. Boots in S mode, prints through the UART, stops the machine.
#
# What it shows: which instructions of a kernel a hypervisor ever gets to see. Two CSR accesses
# and the device registers trap; the loop around them does not.
#
# Entry: S mode, any hart state; the firmware (SBI) has set up memory protection. Nothing is
# asked of the firmware. Board: QEMU virt (UART at 0x10000000, test finisher at 0x00100000).

        .equ    UART,     0x10000000
        .equ    UART_LSR, 5             # line status register
        .equ    LSR_IDLE, 0x20          # transmit holding register empty
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555

        .section .text
        .globl  _start
_start:
        la      sp, stack_top
        la      t0, trap                # privileged: where do traps go?
        csrw    stvec, t0
        csrwi   sie, 0                  # privileged: no interrupts wanted
        la      a0, message
        call    print
        li      t0, FINISHER            # success: the machine stops at this store
        li      t1, PASS
        sw      t1, 0(t0)
1:      wfi
        j       1b

# print: writes the zero-terminated string at a0 to the UART.
print:
        li      t0, UART
1:      lbu     t1, 0(a0)
        beqz    t1, 3f
2:      lbu     t2, UART_LSR(t0)        # a device register: a load that faults under a hypervisor
        andi    t2, t2, LSR_IDLE
        beqz    t2, 2b
        sb      t1, 0(t0)               # and a store that does
        addi    a0, a0, 1
        j       1b
3:      ret

# trap: nothing should trap here. Stops with the cause as the exit code.
        .align  2
trap:
        csrr    t1, scause
        slli    t1, t1, 16
        li      t2, 0x3333
        or      t1, t1, t2
        li      t0, FINISHER
        sw      t1, 0(t0)
1:      j       1b

        .section .rodata
message:
        .asciz  "Hello from supervisor mode.\n"

        .section .bss
        .align  4
        .space  1024
stack_top:
