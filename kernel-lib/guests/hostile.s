# hostile: a guest that tries to escape, to snoop and to hog, and reports what it got for each.
#
# What it shows: isolation. Each attempt is a few instructions; behind its name stands the cause
# of the trap that it met (scause), or `none`. Under a hypervisor every line must be the same as
# on the bare machine: a trap that is missing is a hole, one too many is a crack that shows.
#   - memory that is not there, from load, store and fetch; without paging and with
#   - page tables of its own that lead out of the machine: wild frames, wild tables, tables that
#     are their own sub-tables, reserved kinds of entries
#   - instructions and CSRs of higher modes, from S and from U mode; bytes that are no instruction
#   - devices: the timer's compare register, an unknown command for the test finisher
#   - all of RAM that is not its own, word by word: who left something there?
#   - floods: of traps, of firmware calls, of timer interrupts, of the console, and of nothing at
#     all: it turns interrupts off and spins. FOREVER: it does not stop doing so.
#
# Entry: S mode, paging off, SBI firmware. Board: QEMU virt; nothing may be at 00200000, in the 256 MiB
# at f0000000, and 4, 8 and 12 GiB behind these. Memory: RAM up to SNOOP_END is read where it exists, and only code,
# data and 16 KiB of page tables from 80400000 on are written.

# Parameters: guest('hostile', { FOREVER: 1 }) sets them.
        .equ    FOREVER, 0              # 1: hogs the hart at the end, with interrupts off
        .equ    SPIN,    20000          # rounds of spinning with interrupts off; at least one
        .equ    FLOOD,   200            # traps, firmware calls and interrupts, of each so many (1 to 2000)
        .equ    LETTERS, 500            # written to the console without a pause; at least one
        .equ    SWEEP,   128            # wild frames that are tried (1 to 128)

        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    UNKNOWN_COMMAND, 0x1234
        .equ    UART,     0x10000000
        .equ    UART_LSR, 5             # line status register
        .equ    LSR_IDLE, 0x20          # transmit holding register empty
        .equ    MTIMECMP, 0x02004000
        .equ    SBI_TIME, 0x54494d45    # SBI extension "TIME", call 0: set_timer(low, high)
        .equ    SBI_NONE, 0x0bad        # no extension
        .equ    NOWHERE,  0xf0000000    # an address where nothing is
        .equ    NOWHERE_LOW, 0x00200000
        .equ    SNOOP,    0x80800000
        .equ    SNOOP_END, 0x80c00000
        .equ    SNOOP_STEP, 256

        .equ    STATUS_SIE,  0x2
        .equ    STATUS_SPIE, 0x20
        .equ    STATUS_SPP,  0x100
        .equ    SIE_TIMER,   0x20
        .equ    SATP_SV32,   0x80000000
        .equ    PAGE,        4096
        .equ    PTE_TABLE,   0x01       #           V
        .equ    PTE_READ_ONLY, 0x43     #   A     R V
        .equ    PTE_KERNEL,  0xcf       # D A   X W R V
        .equ    PTE_USER,    0xdf       # D A U X W R V
        .equ    PTE_DEVICE,  0xc7       # D A     W R V
        .equ    PTE_NO_READ, 0xc5       # D A     W   V: reserved
        .equ    WINDOW,      0x40000000 # the address that our tables map to the forbidden
        .equ    WINDOW_ENTRY, 0x400     # offset of its entry in the root table
        .equ    USER_SLOT,   64         # bytes from one way to run the user's page to the next
        .equ    WILD,        0x3fffff   # the last frame of the physical address space: 16 GiB
        .equ    NO_TRAP,     8          # "environment call from U mode": how attempts in U mode end

# attempt "name" … report: prints the name, tries what stands between, prints the cause of its trap.
# While it runs, s11 is the address to go on at and s10 the cause; it may change all but these, sp
# and s9. `report` turns paging off and is in S mode again.
        .macro  attempt name
        .pushsection .rodata
name\@: .asciz  "\name: "
        .popsection
        la      a0, name\@
        call    print
        li      s10, NO_TRAP
        la      s11, 9f
        .endm
        .macro  report
9:      call    reported
        .endm
        .macro  say text
        .pushsection .rodata
text\@: .asciz  "\text"
        .popsection
        la      a0, text\@
        call    print
        .endm

        .section .text
        .globl  _start
_start:
        la      sp, stack_top
        csrw    sie, zero
        csrw    sstatus, zero
        csrw    satp, zero
        la      t0, trap
        csrw    stvec, t0
        la      t0, root                # our own 4 MiB, where they are
        li      t1, 0x80400000 >> 2 | PTE_KERNEL
        li      t2, 0x804
        add     t0, t0, t2
        sw      t1, 0(t0)
        say     "hostile: causes of traps\n"

# ---------------------------------------------------------------------- memory, without paging
        attempt "load from nowhere"
        li      t0, NOWHERE
        lw      t0, 0(t0)
        report
        attempt "store to nowhere"
        li      t0, NOWHERE
        sw      t0, 0(t0)
        report
        attempt "byte from below RAM"
        li      t0, NOWHERE_LOW
        lbu     t0, 3(t0)
        report
        attempt "jump to nowhere"
        li      t0, NOWHERE
        jr      t0
        report
        attempt "jump below RAM"
        li      t0, NOWHERE_LOW
        jr      t0
        report

# ---------------------------------------------------------------------- memory, with page tables
        attempt "load from a wild frame"
        li      a0, WILD << 10 | PTE_KERNEL
        call    map_page
        lw      t0, 0(a0)
        report
        attempt "store to a wild frame"
        li      a0, WILD << 10 | PTE_KERNEL
        call    map_page
        sw      t0, 0(a0)
        report
        attempt "jump to a wild frame"
        li      a0, WILD << 10 | PTE_KERNEL
        call    map_page
        jr      a0
        report
        attempt "megapage, not aligned"
        li      a0, 0x80401000 >> 2 | PTE_KERNEL
        call    map_megapage
        lw      t0, 0(a0)
        report
        attempt "page for writing only"
        li      a0, 0x80400000 >> 2 | PTE_NO_READ
        call    map_page
        lw      t0, 0(a0)
        report
        attempt "store to a read-only page"
        li      a0, 0x80400000 >> 2 | PTE_READ_ONLY
        call    map_page
        sw      t0, 0(a0)
        report
        attempt "page of users, from S mode"
        li      a0, 0x80400000 >> 2 | PTE_USER
        call    map_page
        lw      t0, 0(a0)
        report
        attempt "code of users, in S mode"
        li      a0, 0x80400000 >> 2 | PTE_USER
        call    map_page
        jr      a0
        report
        attempt "nothing there"
        li      a0, 0
        call    map_page
        lw      t0, 0(a0)
        report
        attempt "table inside itself"    # the entry for the window is no leaf
        call    map_root
        li      t0, PAGE * (WINDOW >> 22)
        add     a0, a0, t0
        lw      t0, 0(a0)
        report
        attempt "table as its own subtable" # its entry for our 4 MiB as one for 4 KiB
        call    map_root
        li      t0, PAGE * (0x80400000 >> 22)
        add     a0, a0, t0
        lw      t0, 0(a0)
        report

        la      a0, text_sweep
        call    print
        li      s9, 0                   # s9: frames that answered
        li      s8, 0                   # s8: which one is tried
1:      li      s10, NO_TRAP
        la      s11, 2f
        li      t0, NOWHERE >> 12       # somewhere in the 256 MiB at NOWHERE …
        slli    t1, s8, 9
        add     t0, t0, t1
        andi    t1, s8, 3               # … or one, two or three times 4 GiB behind them
        slli    t1, t1, 20
        add     t0, t0, t1
        slli    a0, t0, 10
        ori     a0, a0, PTE_KERNEL
        call    map_page
        lw      t0, 0(a0)
        addi    s9, s9, 1
2:      addi    s8, s8, 1
        li      t0, SWEEP
        bne     s8, t0, 1b
        csrw    satp, zero
        sfence.vma
        mv      a0, s9
        call    print_small
        call    newline

# ---------------------------------------------------------------------- privileges
        .irp    csr, mstatus, mhartid, mepc, pmpaddr0, 0x8ff
        attempt "read \csr"
        csrr    t0, \csr
        report
        .endr
        .irp    csr, mtvec, mideleg, pmpcfg0, mip, cycle
        attempt "write \csr"
        csrw    \csr, zero
        report
        .endr
        attempt "mret"
        mret
        report
        attempt "word of ones"
        .word   0xffffffff
        report
        attempt "word of zeros"
        .word   0
        report
        .irp    csr, sstatus, satp, stvec, mstatus
        attempt "user reads \csr"
        call    to_user
        csrr    t0, \csr
        ecall
        report
        .endr
        .irp    csr, sscratch, sepc, satp, sie
        attempt "user writes \csr"
        call    to_user
        csrw    \csr, zero
        ecall
        report
        .endr
        attempt "user sret"
        call    to_user
        sret
        report
        attempt "user sfence.vma"
        call    to_user
        sfence.vma
        ecall
        report
        attempt "user reads the kernel"
        la      a0, user_page
        call    as_user
        report
        attempt "user writes the kernel"
        la      a0, user_page
        call    as_user_writing
        report
        attempt "user jumps into the kernel"
        la      a0, user_page
        call    as_user_jumping
        report

# ---------------------------------------------------------------------- devices
        attempt "timer's compare register"
        li      t0, MTIMECMP
        li      t1, -1
        sw      t1, 4(t0)
        report
        attempt "finisher, unknown command"
        li      t0, FINISHER
        li      t1, UNKNOWN_COMMAND
        sw      t1, 0(t0)
        report

# ---------------------------------------------------------------------- what others left behind
        la      a0, text_snoop
        call    print
        li      s9, 0
        la      s11, 2f                 # RAM may end here
        li      t0, SNOOP
        li      t1, SNOOP_END
        li      t2, SNOOP_STEP
1:      lw      t3, 0(t0)
        snez    t3, t3
        add     s9, s9, t3
        add     t0, t0, t2
        bne     t0, t1, 1b
2:      mv      a0, s9
        call    print_small
        call    newline

# ---------------------------------------------------------------------- floods
        li      s9, 0
        la      s11, 2f
1:      .word   0xffffffff
2:      addi    s9, s9, 1
        li      t0, FLOOD
        bne     s9, t0, 1b
        say     "flood of traps: over\n"

        li      s9, FLOOD
        li      s8, 0                   # s8: other answers than a refusal
1:      li      a7, SBI_NONE
        ecall
        addi    a0, a0, 2               # SBI: -2 is "not supported"
        snez    a0, a0
        add     s8, s8, a0
        addi    s9, s9, -1
        bnez    s9, 1b
        say     "flood of firmware calls, not refused: "
        mv      a0, s8
        call    print_small
        call    newline

        la      t0, storm
        csrw    stvec, t0
        li      s9, 0                   # s9: interrupts taken
        li      t0, SIE_TIMER
        csrw    sie, t0
        li      a0, 0
        call    set_timer               # due at once, and again each time
        csrsi   sstatus, STATUS_SIE
        li      t0, FLOOD
1:      bne     s9, t0, 1b
        csrci   sstatus, STATUS_SIE
        say     "storm of interrupts: over\n"

        li      a0, 0                   # an interrupt waits all the time …
        call    set_timer
        li      s9, FLOOD - 1           # … and is the last one
        li      t0, SPIN
1:      addi    t0, t0, -1
        bnez    t0, 1b
        addi    s8, s9, 1 - FLOOD
        li      t0, FLOOD
        csrsi   sstatus, STATUS_SIE
2:      bne     s9, t0, 2b
        csrci   sstatus, STATUS_SIE
        csrw    sie, zero
        la      t0, trap
        csrw    stvec, t0
        say     "spinning with interrupts off, interrupted: "
        mv      a0, s8
        call    print_small
        call    newline

        li      s9, LETTERS
1:      li      a0, 'x'
        call    put
        addi    s9, s9, -1
        bnez    s9, 1b
        call    newline

        li      t0, FOREVER
        beqz    t0, 2f
        say     "hostile: for ever\n"
        li      t0, SIE_TIMER           # even the wish to be interrupted is feigned
        csrw    sie, t0
1:      j       1b

2:      say     "hostile: done\n"
        .irp    csr, sepc, scause, stval, sscratch, sstatus
        csrw    \csr, zero
        .endr
        .irp    n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        li      x\n, 0
        .endr
        li      t0, FINISHER
        li      t1, PASS
        sw      t1, 0(t0)
3:      wfi
        j       3b

# ---------------------------------------------------------------------- traps
# trap: notes the cause and goes on at s11, in S mode with interrupts off, as it was.
        .align  2
trap:   csrr    s10, scause
        li      t0, STATUS_SPP          # so that `to_user` finds things as they were
        csrc    sstatus, t0
        jr      s11

# storm: the next interrupt is due at once, until there were enough of them.
        .align  2
storm:  addi    s9, s9, 1
        mv      s7, t0
        li      a0, 0
        li      t0, FLOOD
        bne     s9, t0, 1f
        li      a0, -1                  # never
1:      mv      s6, ra
        call    set_timer
        mv      ra, s6
        mv      t0, s7
        sret

# set_timer: the next timer interrupt at tick a0, or never for -1.
set_timer:
        srai    a1, a0, 31
        li      a7, SBI_TIME
        li      a6, 0
        ecall
        ret

# reported: the end of an attempt.
reported:
        csrw    satp, zero
        sfence.vma
        addi    sp, sp, -16
        sw      ra, 0(sp)
        li      t0, NO_TRAP
        la      a0, text_none
        beq     s10, t0, 1f
        mv      a0, s10
        call    print_small
        la      a0, text_newline
1:      call    print
        lw      ra, 0(sp)
        addi    sp, sp, 16
        ret

# ---------------------------------------------------------------------- page tables and modes
# map_page: paging with entry a0 for the page at WINDOW; map_megapage: for the 4 MiB there;
# map_root: with the root table as the table of the window. a0 is WINDOW then.
map_page:
        la      t0, leaves
        sw      a0, 0(t0)
        srli    a0, t0, 2
        ori     a0, a0, PTE_TABLE
        j       map_megapage
map_root:
        la      a0, root
        srli    a0, a0, 2
        ori     a0, a0, PTE_TABLE
map_megapage:
        la      t0, root
        sw      a0, WINDOW_ENTRY(t0)
        srli    t0, t0, 12
        li      t1, SATP_SV32
        or      t0, t0, t1
        csrw    satp, t0
        sfence.vma
        li      a0, WINDOW
        ret

# to_user: returns in U mode.
to_user:
        csrw    sepc, ra
        sret

# as_user …: runs the page at a0 in U mode, at WINDOW; as_user_writing and as_user_jumping begin
# further down in it.
as_user:
        li      s7, 0
        j       1f
as_user_writing:
        li      s7, USER_SLOT
        j       1f
as_user_jumping:
        li      s7, 2 * USER_SLOT
1:      mv      s6, ra
        srli    a0, a0, 2
        ori     a0, a0, PTE_USER
        call    map_page
        add     a0, a0, s7
        csrw    sepc, a0
        sret                            # SPP is zero: U mode

# ---------------------------------------------------------------------- console
put:    li      t0, UART
1:      lbu     t1, UART_LSR(t0)
        andi    t1, t1, LSR_IDLE
        beqz    t1, 1b
        sb      a0, 0(t0)
        ret

newline:
        la      a0, text_newline
# print: writes the zero-terminated text at a0.
print:  mv      s6, ra
        mv      s7, a0
1:      lbu     a0, 0(s7)
        beqz    a0, 2f
        call    put
        addi    s7, s7, 1
        j       1b
2:      jr      s6

# print_small: writes the number at a0, 0 to 99; what is greater (interrupts, for one) as `many`.
print_small:
        la      t0, text_many
        li      t1, 100
        bltu    a0, t1, 1f
        mv      a0, t0
        j       print
1:      mv      s6, ra
        mv      s7, a0
        li      a0, '0' - 1
        li      t0, 10
        bltu    s7, t0, 3f
2:      addi    a0, a0, 1
        addi    s7, s7, -10
        bgez    s7, 2b
        addi    s7, s7, 10
        call    put
3:      addi    a0, s7, '0'
        call    put
        jr      s6

        .balign PAGE
user_page:
        li      t0, 0x80400000
        lw      t0, 0(t0)
        ecall
        .balign USER_SLOT               # as_user_writing
        li      t0, 0x80400000
        sw      t0, 0(t0)
        ecall
        .balign USER_SLOT               # as_user_jumping
        li      t0, 0x80400000
        jr      t0
        .balign PAGE

        .section .rodata
text_none: .asciz "none\n"
text_newline: .asciz "\n"
text_many: .asciz "many"
text_sweep: .asciz "wild frames that answered: "
text_snoop: .asciz "words that others left behind: "

        .section .bss
        .balign PAGE
root:   .space  PAGE
leaves: .space  PAGE
        .space  1024
stack_top:
