# thash.para: the port of thash.
#
# What it shows: the tables are the guest's own, and it computes from their address, not from a register.
#
# Entry: S mode, under a hypervisor with the hypercalls of hypervisor/paravirtual/abi.ts, version 1.

        .equ    EXTENSION,    0x09766d6c
        .equ    V_CALL,       -2048
        .equ    CALL_PIN,     8
        .equ    CALL_SWITCH,  7
        .equ    CALL_CONSOLE, 12
        .equ    CALL_STOP,    6
        .equ    SV32,         0x80000000# satp: paging on
        .equ    PTE_RAM,      0x200000cf# valid, all rights, accessed, dirty: 0x80000000
        .equ    SUPERPAGE,    0x100000  # 4 MiB, as it counts in an entry
        .equ    SUPERPAGES,   2         # enough for this guest

        .macro  hypercall number
        li      t6, \number
        sw      t6, V_CALL(zero)
        ecall
        .endm

        .section .text
        .globl  _start
_start: li      a7, EXTENSION           # from now on there is the shared page
        ecall
        la      t0, root
        call    map_all
        la      a0, root
        hypercall CALL_PIN
        la      s0, root
        srli    a0, s0, 12
        li      t1, SV32
        or      a0, a0, t1
        mv      s3, a0                  # who wants to know it keeps it
        hypercall CALL_SWITCH
        la      t0, _start              # which entry maps this address?
        srli    t0, t0, 22
        slli    t0, t0, 2
        slli    t1, s3, 12              # the table is where the kernel has put it …
        add     s1, t1, t0              # … and in it the entry
        la      t1, root
        add     s2, t1, t0
        la      a0, wrong
        bne     s1, s2, finish
        lw      t2, 0(s1)               # it can be read, though not written
        beqz    t2, finish
        la      a0, right
        j       finish

# map_all: a page table at t0 that maps the guest's memory onto itself, in superpages: no devices in it.
map_all:
        li      t1, SUPERPAGES
        li      t2, PTE_RAM
        li      t4, 4 * 512             # the entry for 0x80000000
        add     t0, t0, t4
1:      sw      t2, 0(t0)
        li      t4, SUPERPAGE
        add     t2, t2, t4
        addi    t0, t0, 4
        addi    t1, t1, -1
        bnez    t1, 1b
        ret

# finish: prints the text at a0 and stops the machine: two calls.
finish: mv      a1, a0
1:      lbu     t0, 0(a1)
        addi    a1, a1, 1
        bnez    t0, 1b
        sub     a1, a1, a0
        addi    a1, a1, -1              # without the zero
        hypercall CALL_CONSOLE
        li      a0, 0
        hypercall CALL_STOP

        .section .rodata
right:  .asciz  "the entry is in my page table\n"
wrong:  .asciz  "the entry is in another page table\n"

        .section .bss
        .align  12
root:   .space  4096
