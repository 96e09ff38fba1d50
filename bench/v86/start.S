# The start of a workload on v86: an image as the Multiboot Specification (version 1) has it, with the
# addresses in the header (flag 16), so that no firmware is needed; then main, and nothing more.

        .section .text.start
        .globl  _start
        .balign 4
header: .long   0x1badb002, 0x10000, -(0x1badb002 + 0x10000)
        .long   header, image_start, data_end, bss_end, _start
_start: mov     $stack_top, %esp
        call    main
1:      hlt
        jmp     1b

        .bss
        .balign 16
        .skip   65536
stack_top:
        .section .note.GNU-stack
