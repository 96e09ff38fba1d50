# selfmod: a program that writes programs, and changes itself while it runs.
#
# What it shows: what whoever keeps copies of code (translations, patched pages, caches of decoded
# instructions) must notice, at the next `fence.i` at the latest.
#   1. new code:    instructions written to an empty page, run, replaced by others, run again
#   2. a loop       whose body gets another constant in each round
#   3. across pages an instruction with one half in each of two pages; each half is replaced alone
#   4. next to data a function with a counter in the same cache line, written at each call: no
#                   code changes here, and nothing should be thrown away
#   5. just ahead   the very next instruction behind the `fence.i`, in the same basic block
#   6. moved        a function copied elsewhere, run there, while the original is overwritten
#   7. redirected   a jump that is made to go elsewhere and back
# New instructions are not encoded by hand: they are loaded from templates that the assembler made.
#
# Entry: S mode, paging off. Nothing is asked of the firmware. Board: QEMU virt. Traps: none are
# expected; one stops the machine with its cause as exit code.
# Prints a line per part with the result, and `wrong` behind it if it isn't the right one (then the
# exit code is 1). Memory: code, data and 8 KiB behind them, from 80400000 on.

# Parameters: guest('selfmod', { ROUNDS: 1000 }) sets them.
        .equ    ROUNDS, 50              # of parts 2, 4, 5 and 7; 1 to 2000

        .equ    UART,     0x10000000
        .equ    UART_LSR, 5             # line status register
        .equ    LSR_IDLE, 0x20          # transmit holding register empty
        .equ    FINISHER, 0x00100000
        .equ    PASS,     0x5555
        .equ    FAIL,     0x3333
        .equ    PAGE,     4096
        .equ    IMM,      20            # where the immediate of an I-type instruction begins
        .equ    MOVABLE_WORDS, 5        # of the function that part 6 moves

# part "name", right: prints the name, the result in s0, and whether it is the right one.
        .macro  part name, right
        .pushsection .rodata
name\@: .asciz  "\name: "
        .popsection
        la      a0, name\@
        li      a1, \right
        call    check
        .endm

        .section .text
        .globl  _start
_start:
        la      sp, stack_top
        la      t0, trap
        csrw    stvec, t0
        csrw    sie, zero
        li      s11, 0                  # s11: parts that went wrong

# 1. A function in an empty page: returns 7, then 11.
        la      s1, blank
        lw      t0, return_seven
        sw      t0, 0(s1)
        lw      t0, return_seven + 4
        sw      t0, 4(s1)
        fence.i
        jalr    s1
        mv      s0, a0
        lw      t0, return_eleven
        sw      t0, 0(s1)
        fence.i
        jalr    s1
        add     s0, s0, a0
        part    "new code", 18

# 2. Adds 1, then 2, then 3 …: the sum is that of the numbers up to ROUNDS.
        la      s1, patched
        lw      s2, add_nothing         # addi s0, s0, 0; the constant goes into its upper bits
        li      s0, 0
        li      s3, 1
1:      slli    t0, s3, IMM
        or      t0, t0, s2
        sw      t0, 0(s1)
        fence.i
patched:
        addi    s0, s0, 0
        addi    s3, s3, 1
        li      t0, ROUNDS + 1
        bne     s3, t0, 1b
        part    "a loop", ROUNDS * (ROUNDS + 1) / 2

# 3. Two halves. `add_nothing` with the constant 1 and with 2, its two halves stored one by one:
# the constant is in the upper one. Then `subtract_one` for its lower half is a whole new one.
        la      s1, border - 2
        li      s0, 0
        lw      t0, add_nothing
        li      t1, 1 << IMM
        or      t0, t0, t1
        call    put_halves
        call    across
        lw      t0, add_nothing
        li      t1, 2 << IMM
        or      t0, t0, t1
        srli    t0, t0, 16
        sh      t0, 2(s1)               # the half in the second page only
        fence.i
        call    across
        lw      t0, xor_nothing
        sh      t0, 0(s1)               # the half in the first page only: s0 ^ 2
        fence.i
        call    across
        part    "across pages", (1 + 2) ^ 2

# 4. The counter is behind the function's return.
        li      s0, 0
        li      s1, ROUNDS
1:      call    counting
        add     s0, s0, a0
        addi    s1, s1, -1
        bnez    s1, 1b
        part    "next to data", ROUNDS * (ROUNDS + 1) / 2

# 5. Straight on: store, fence.i, and the instruction that was stored.
        la      s1, ahead
        lw      s2, add_nothing
        li      s0, 0
        li      s3, ROUNDS
1:      slli    t0, s3, IMM
        or      t0, t0, s2
        sw      t0, 0(s1)
        fence.i
ahead:  .word   0                       # never executed as it stands
        addi    s3, s3, -1
        bnez    s3, 1b
        part    "just ahead", ROUNDS * (ROUNDS + 1) / 2

# 6. A function goes to another page; what it leaves behind is overwritten.
        la      s1, movable
        la      s2, blank + 64
        li      s3, MOVABLE_WORDS
1:      lw      t0, 0(s1)
        sw      t0, 0(s2)
        sw      zero, 0(s1)             # zero is no instruction
        addi    s1, s1, 4
        addi    s2, s2, 4
        addi    s3, s3, -1
        bnez    s3, 1b
        fence.i
        la      s1, blank + 64
        li      a0, 10
        jalr    s1
        mv      s0, a0
        part    "moved", 55

# 7. A jump that goes to one of two functions in turn.
        lw      s1, go_one
        lw      s2, go_two
        la      s4, junction
        li      s0, 0
        li      s3, ROUNDS
1:      sw      s1, 0(s4)
        fence.i
        call    junction
        add     s0, s0, a0
        sw      s2, 0(s4)
        fence.i
        call    junction
        add     s0, s0, a0
        addi    s3, s3, -1
        bnez    s3, 1b
        part    "redirected", 3 * ROUNDS

        li      t0, FINISHER
        li      t1, PASS
        beqz    s11, 1f
        li      t1, 1 << 16 | FAIL
1:      sw      t1, 0(t0)
2:      wfi
        j       2b

# ---------------------------------------------------------------------- what is written, and where
return_seven:
        addi    a0, zero, 7
        jalr    zero, 0(ra)
return_eleven:
        addi    a0, zero, 11
add_nothing:
        addi    s0, s0, 0
xor_nothing:
        xori    s0, s0, 0

movable:                                # the sum of the numbers up to a0; it needs nothing around it
        mv      t0, a0
1:      addi    t0, t0, -1
        add     a0, a0, t0
        bnez    t0, 1b
        ret

        .balign 64                      # one cache line
counting:
        la      t0, 1f
        lw      a0, 0(t0)
        addi    a0, a0, 1
        sw      a0, 0(t0)
        ret
1:      .word   0

# The jump at `junction` is replaced by those below. They are laid out as it is, so that the same
# distance leads from `junction` to `one` and `two`.
        .balign 64
junction:
        jal     zero, one
one:    li      a0, 1
        ret
two:    li      a0, 2
        ret
        .balign 64
go_one: jal     zero, . + 4             # as far as from junction to one …
go_two: jal     zero, . + 12            # … and to two

# put_halves: writes the instruction t0 to s1, half by half.
put_halves:
        sh      t0, 0(s1)
        srli    t0, t0, 16
        sh      t0, 2(s1)
        fence.i
        ret

# check: prints the text at a0 and s0, which should be a1.
check:  mv      s10, ra
        mv      s9, a1
        call    print
        mv      a0, s0
        call    print_hex
        la      a0, text_right
        beq     s0, s9, 1f
        addi    s11, s11, 1
        la      a0, text_wrong
1:      call    print
        jr      s10

print:  li      t0, UART
1:      lbu     t1, 0(a0)
        beqz    t1, 3f
2:      lbu     t2, UART_LSR(t0)
        andi    t2, t2, LSR_IDLE
        beqz    t2, 2b
        sb      t1, 0(t0)
        addi    a0, a0, 1
        j       1b
3:      ret

# print_hex: writes a0 as eight digits.
print_hex:
        li      t0, UART
        li      t3, 28
1:      srl     t1, a0, t3
        andi    t1, t1, 15
        li      t2, 10
        bltu    t1, t2, 2f
        addi    t1, t1, 'a' - '0' - 10
2:      addi    t1, t1, '0'
3:      lbu     t2, UART_LSR(t0)
        andi    t2, t2, LSR_IDLE
        beqz    t2, 3b
        sb      t1, 0(t0)
        addi    t3, t3, -4
        bgez    t3, 1b
        ret

        .align  2
trap:   csrr    t1, scause
        slli    t1, t1, 16
        li      t2, FAIL
        or      t1, t1, t2
        li      t0, FINISHER
        sw      t1, 0(t0)
1:      j       1b

# An instruction across two pages. The two bytes before it make it begin two bytes before the
# border: a compressed instruction that does nothing.
        .balign PAGE
        .space  PAGE - 4
across: .half   0x0001                  # c.nop
        .half   0, 0                    # written by part 3
border = . - 2
        .half   0x8082                  # c.jr ra
        .balign PAGE

        .section .rodata
text_right: .asciz "\n"
text_wrong: .asciz " wrong\n"

        .section .bss
        .balign PAGE
blank:  .space  PAGE                    # a page for new code
        .space  1024
stack_top:
