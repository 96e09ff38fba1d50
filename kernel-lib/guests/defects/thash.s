# thash: computes where the page-table entry for an address is.
#
# What it shows: an instruction that gives away where the hardware's page table is. The guest gets
# an address in the hypervisor's table, or where there is nothing, in the place of one in its own.
# (Itanium: thash.)
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
        la      t0, root
        srli    t0, t0, 12
        li      t1, SV32
        or      t0, t0, t1
        csrw    satp, t0
        sfence.vma

        la      s0, _start              # which entry maps this address?
        csrr    t1, satp                # <- the instruction in question
        slli    t1, t1, 12              # where the table is …
        srli    t0, s0, 22
        slli    t0, t0, 2
        add     s1, t1, t0              # … and in it the entry
        la      t1, root
        add     s2, t1, t0
        la      a0, right
        beq     s1, s2, finish
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
right:  .asciz  "the entry is in my page table\n"
wrong:  .asciz  "the entry is in another page table\n"

        .section .bss
        .align  12
root:   .space  4096
