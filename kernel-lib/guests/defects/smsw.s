# smsw: turns paging on and looks whether it is.
#
# What it shows: an instruction that reads the real state of paging. The guest finds the
# hypervisor's page table, or none at all, where it has put its own. (x86: smsw.)
#
# Entry: S mode, with SBI firmware. Board: QEMU virt.

        .equ    UART,     0x10000000
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    SV32,     0x80000000    # satp: paging on
        .equ    PTE_ALL,  0xcf          # valid, readable, writable, executable, accessed, dirty
        .equ    PTE_RAM,  0x200000cf    # the same for 0x80000000
        .equ    SUPERPAGE, 0x100000      # 4 MiB, as it counts in an entry

        .section .text
        .globl  _start
_start: la      t0, root
        call    map_all
        la      s0, root
        srli    s0, s0, 12
        li      t0, SV32
        or      s0, s0, t0
        csrw    satp, s0
        sfence.vma
        csrr    s1, satp                # <- the instruction in question
        la      a0, right
        beq     s0, s1, finish
        la      a0, wrong
        j       finish

# map_all: a page table at t0 that maps the first and third GiB onto themselves, in superpages.
map_all:
        li      t1, 256                 # entries for a GiB
        li      t2, PTE_ALL             # 0x00000000: devices
        li      t3, PTE_RAM             # 0x80000000: RAM
1:      sw      t2, 0(t0)
        li      t4, 4 * 512
        add     t4, t4, t0
        sw      t3, 0(t4)
        li      t4, SUPERPAGE
        add     t2, t2, t4
        add     t3, t3, t4
        addi    t0, t0, 4
        addi    t1, t1, -1
        bnez    t1, 1b
        ret

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
right:  .asciz  "paging by my own page table\n"
wrong:  .asciz  "whose page table is this?\n"

        .section .bss
        .align  12
root:   .space  4096
