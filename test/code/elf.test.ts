/** ELF files: ours read by others, others' read by us, and what is said about bad ones. */
import { describe, expect, it } from 'vitest';
import { assemble } from '../../kernel-lib/code/assemble';
import { ElfError, readElf, toElf } from '../../kernel-lib/code/elf';
import { bytesAt } from '../../kernel-lib/code/program';
import { gnuInspect, gnuLink, hasGnu } from './gnu';

const SOURCE = `
        .globl _start, message
        .equ LIMIT, 100
_start: la a0, message
.Lloop: j .Lloop
        .section .rodata
message: .asciz "hello"
        .data
counter: .word 5
        .bss
        .balign 16
stack:  .space 64
top:`;

const program = assemble(SOURCE);
const elf = toElf(program);

describe('ELF', () => {
  it('written is read back', () => {
    const back = readElf(elf);
    expect(back.entry).toBe(program.entry);
    const parts = ({ address, bytes, size, writable, executable }: (typeof back.segments)[number]) => ({
      address,
      bytes: [...bytes],
      size,
      writable,
      executable,
    });
    expect(back.segments.map(parts)).toEqual(program.segments.map(parts));
    const expected = new Map([...program.symbols].filter(([name]) => name !== '.Lloop'));
    expect(new Map([...back.symbols].sort())).toEqual(new Map([...expected].sort()));
  });

  describe.skipIf(!hasGnu)('and GNU binutils', () => {
    it('readelf has no complaints', () => {
      const text = gnuInspect('readelf', elf, '-a', '-W');
      expect(text).not.toMatch(/warning|error/i);
      expect(text).toMatch(/Class:\s+ELF32/);
      expect(text).toMatch(/Type:\s+EXEC/);
      expect(text).toMatch(/Machine:\s+RISC-V/);
      expect(text).toMatch(/Entry point address:\s+0x80400000/);
      expect(text).toMatch(/\.bss\s+NOBITS\s+80400020\s+\w+\s+000040/);
    });

    it('nm finds the names', () => {
      const lines = gnuInspect('nm', elf).trim().split('\n').sort();
      expect(lines).toEqual(
        [
          '80400000 T _start',
          '8040000c R message',
          '80400014 d counter',
          '80400020 b stack',
          '80400060 b top',
          '00000064 a LIMIT',
        ].sort(),
      );
    });

    it('objdump disassembles it', () => {
      const text = gnuInspect('objdump', elf, '-d');
      expect(text).toContain('80400000 <_start>:');
      expect(text).toMatch(/auipc\s+a0,0x0/);
    });

    it('what ld has linked is read', () => {
      const theirs = readElf(
        gnuLink(
          SOURCE,
          '-Ttext=0x80400000',
          '--section-start=.rodata=0x8040000c',
          '-Tdata=0x80400014',
          '--section-start=.bss=0x80400020',
        ),
      );
      expect(theirs.entry).toBe(0x80400000);
      for (const [name, value] of program.symbols)
        if (name !== '.Lloop') expect([name, theirs.symbols.get(name)]).toEqual([name, value]);
      // ld has its segments begin at pages.
      const memory = (binary: typeof theirs) =>
        Array.from({ length: 0x60 }, (_, offset) => bytesAt(binary, 0x80400000 + offset, 1)?.[0] ?? 0);
      expect(memory(theirs)).toEqual(memory(program));
    });

    it('an object file is refused', () => {
      expect(() => readElf(gnuLink('nop', '-r'))).toThrow(
        'not an executable. If it is an object file (.o), link it first.',
      );
    });
  });

  /** The file with some bytes changed. */
  function changed(...edits: [offset: number, value: number][]): Uint8Array {
    const bytes = elf.slice();
    for (const [offset, value] of edits) bytes[offset] = value;
    return bytes;
  }
  const FIRST = 52;
  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'This is not an ELF file: it does not begin with 7f 45 4c 46.'],
    [
      'text',
      new TextEncoder().encode('#!/bin/sh\n'),
      'This is not an ELF file: it does not begin with 7f 45 4c 46.',
    ],
    [
      'a 64-bit one',
      changed([4, 2]),
      'This ELF file is not 32-bit. Build it for rv32: -march=rv32imac -mabi=ilp32.',
    ],
    ['a big-endian one', changed([5, 2]), 'This ELF file is big-endian. The machine is little-endian.'],
    ['one for x86', changed([18, 3]), 'This ELF file is for another machine (number 3; RISC-V is 243).'],
    [
      'an object file',
      changed([16, 1]),
      'This ELF file is not an executable. If it is an object file (.o), link it first.',
    ],
    [
      'a core dump',
      changed([16, 4]),
      'This ELF file is not an executable. If it is an object file (.o), link it first.',
    ],
    [
      'half a header',
      elf.slice(0, 20),
      'The file is truncated: its header should be at byte 0 to 52, but it ends at 20.',
    ],
    ['one without program headers', changed([44, 0]), 'The file has nothing to load: no PT_LOAD segment.'],
    [
      'program headers that are too small',
      changed([42, 8]),
      'The file is damaged: a program header of 8 bytes (there must be 32).',
    ],
    [
      'cut program headers',
      elf.slice(0, 100),
      'The file is truncated: its program headers should be at byte 52 to 180, but it ends at 100.',
    ],
    [
      'a segment outside of the file',
      changed([FIRST + 7, 0x10]),
      'The file is truncated: its segment 0 should be at byte 268435636 to 268435648',
    ],
    [
      'a segment smaller in memory',
      changed([FIRST + 20, 4]),
      'The file is damaged: segment 0 has 12 bytes in the file, but 4 in memory.',
    ],
    [
      'a segment beyond the last address',
      changed([FIRST + 15, 0xff], [FIRST + 14, 0xff], [FIRST + 13, 0xff], [FIRST + 12, 0xff]),
      'The file is damaged: segment 0 goes beyond the last address of 32 bits.',
    ],
    [
      'one that starts outside of its segments',
      changed([24, 0x34], [25, 0x12], [26, 0], [27, 0]),
      "The entry 0x1234 is in none of the file's segments.",
    ],
    [
      'one for a dynamic linker',
      changed([FIRST, 3]),
      'The file needs a dynamic linker. Link it with -static.',
    ],
    [
      'a file without its end',
      elf.slice(0, -10),
      'The file is truncated: its section headers should be at byte',
    ],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => readElf(bytes)).toThrow(ElfError);
    expect(() => readElf(bytes)).toThrow(message);
  });

  it('may name its entry by the virtual or the physical address', () => {
    const asHigherHalf = changed([FIRST + 11, 0xc0]); // the virtual address of segment 0
    expect(readElf(asHigherHalf).entry).toBe(program.entry);
    const both = asHigherHalf.slice();
    both[27] = 0xc0;
    expect(readElf(both).entry).toBe(program.entry);
  });
});
