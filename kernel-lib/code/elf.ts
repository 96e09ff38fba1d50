/**
 * ELF files, 32-bit, little-endian, RISC-V: reading executables, and writing assembled programs so
 * that QEMU, gdb and objdump read them.
 *
 * System V ABI, chapters 4 (object files) and 5 (program loading); RISC-V ELF psABI. A file comes
 * from outside: every offset and size in it is checked before it is used.
 */
import type { Binary, Program, Segment } from './program';

/** The bytes are no executable for this machine; the message says why and what would be. */
export class ElfError extends Error {
  override readonly name = 'ElfError';
}

const MAGIC = 0x464c457f;
const MACHINE_RISCV = 243;
const TYPE_EXECUTABLE = 2;
const TYPE_SHARED = 3;
const SEGMENT_LOAD = 1;
const SEGMENT_INTERPRETER = 3;
const SECTION_PROGRAM = 1;
const SECTION_SYMBOLS = 2;
const SECTION_STRINGS = 3;
const SECTION_ZEROS = 8;
const [EXECUTABLE, WRITABLE, READABLE] = [1, 2, 4];
const ABSOLUTE = 0xfff1;
const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const SECTION_HEADER_BYTES = 40;
const SYMBOL_BYTES = 16;
/** Symbols of sections and files are no names of addresses. */
const LAST_NAMED_TYPE = 2;

/**
 * Reads an executable. Segments are placed where they are to be loaded (their physical addresses);
 * the entry is translated likewise, unless it is a physical address itself.
 * @throws ElfError if it is none, or none for this machine, or damaged
 */
export function readElf(bytes: Uint8Array): Binary {
  const file = new Reader(bytes);
  checkHeader(file);
  const segments: Segment[] = [];
  let entry = file.word(24);
  let entryIsPhysical = false;
  for (const at of table(file, 28, 42, 44, PROGRAM_HEADER_BYTES, 'program header')) {
    const type = file.word(at);
    if (type === SEGMENT_INTERPRETER)
      throw new ElfError('The file needs a dynamic linker. Link it with -static.');
    if (type !== SEGMENT_LOAD) continue;
    const segment = readSegment(file, at, segments.length);
    const virtual = file.word(at + 8);
    if (!entryIsPhysical && entry >= virtual && entry - virtual < segment.size) {
      entry = entry - virtual + segment.address;
      entryIsPhysical = true;
    }
    if (segment.size > 0) segments.push(segment);
  }
  if (segments.length === 0) throw new ElfError('The file has nothing to load: no PT_LOAD segment.');
  const isInside = segments.some(({ address, size }) => entry >= address && entry - address < size);
  if (!isInside)
    throw new ElfError(
      `The entry 0x${entry.toString(16)} is in none of the file's segments. Say where it starts: ld -e _start.`,
    );
  return { entry, segments, symbols: readSymbols(file) };
}

/** Bytes with checks, little-endian. */
class Reader {
  private readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Throws unless the file has all of `size` bytes at `offset`. */
  need(offset: number, size: number, what: string): void {
    if (offset + size > this.bytes.length) {
      throw new ElfError(
        `The file is truncated: its ${what} should be at byte ${offset} to ${offset + size}, but it ends at ${this.bytes.length}.`,
      );
    }
  }

  half(offset: number): number {
    this.need(offset, 2, 'header');
    return this.view.getUint16(offset, true);
  }

  word(offset: number): number {
    this.need(offset, 4, 'header');
    return this.view.getUint32(offset, true);
  }
}

function checkHeader(file: Reader): void {
  const { bytes } = file;
  if (bytes.length < 4 || file.word(0) !== MAGIC)
    throw new ElfError('This is not an ELF file: it does not begin with 7f 45 4c 46.');
  file.need(0, HEADER_BYTES, 'header');
  if (bytes[4] !== 1)
    throw new ElfError('This ELF file is not 32-bit. Build it for rv32: -march=rv32imac -mabi=ilp32.');
  if (bytes[5] !== 1) throw new ElfError('This ELF file is big-endian. The machine is little-endian.');
  const machine = file.half(18);
  if (machine !== MACHINE_RISCV)
    throw new ElfError(
      `This ELF file is for another machine (number ${machine}; RISC-V is ${MACHINE_RISCV}).`,
    );
  const type = file.half(16);
  if (type !== TYPE_EXECUTABLE && type !== TYPE_SHARED)
    throw new ElfError('This ELF file is not an executable. If it is an object file (.o), link it first.');
}

/**
 * The offsets of a table's entries, all of them inside of the file.
 * The header's fields at `place`, `size` and `count` say where the table is.
 */
function table(
  file: Reader,
  place: number,
  size: number,
  count: number,
  least: number,
  what: string,
): number[] {
  const [start, entryBytes, entries] = [file.word(place), file.half(size), file.half(count)];
  if (entries === 0) return [];
  if (entryBytes < least)
    throw new ElfError(`The file is damaged: a ${what} of ${entryBytes} bytes (there must be ${least}).`);
  file.need(start, entryBytes * entries, `${what}s`);
  return Array.from({ length: entries }, (_, index) => start + index * entryBytes);
}

function readSegment(file: Reader, at: number, index: number): Segment {
  const [offset, address, fileBytes, size, flags] = [4, 12, 16, 20, 24].map((field) => file.word(at + field));
  file.need(offset, fileBytes, `segment ${index}`);
  if (fileBytes > size)
    throw new ElfError(
      `The file is damaged: segment ${index} has ${fileBytes} bytes in the file, but ${size} in memory.`,
    );
  if (address + size > 2 ** 32)
    throw new ElfError(`The file is damaged: segment ${index} goes beyond the last address of 32 bits.`);
  return {
    name: `segment ${index}`,
    address,
    bytes: file.bytes.slice(offset, offset + fileBytes),
    size,
    writable: (flags & WRITABLE) !== 0,
    executable: (flags & EXECUTABLE) !== 0,
  };
}

function readSymbols(file: Reader): Map<string, number> {
  const symbols = new Map<string, number>();
  const sections = table(file, 32, 46, 48, SECTION_HEADER_BYTES, 'section header');
  for (const at of sections) {
    if (file.word(at + 4) !== SECTION_SYMBOLS) continue;
    const [offset, size, link] = [file.word(at + 16), file.word(at + 20), file.word(at + 24)];
    file.need(offset, size, 'symbol table');
    const strings = sections[link];
    if (strings === undefined) throw new ElfError('The file is damaged: its symbols have no names.');
    const names = file.bytes.subarray(
      file.word(strings + 16),
      file.word(strings + 16) + file.word(strings + 20),
    );
    for (let symbol = offset; symbol + SYMBOL_BYTES <= offset + size; symbol += SYMBOL_BYTES) {
      const name = nameAt(names, file.word(symbol));
      const isNamed = (file.bytes[symbol + 12] & 0xf) <= LAST_NAMED_TYPE && file.half(symbol + 14) !== 0;
      if (isNamed && name !== '' && !name.startsWith('$')) symbols.set(name, file.word(symbol + 4));
    }
  }
  return symbols;
}

/** The text up to the next zero. Longer ones than any name are cut. */
function nameAt(names: Uint8Array, offset: number): string {
  const LONGEST = 1000;
  const rest = names.subarray(offset, offset + LONGEST);
  const end = rest.indexOf(0);
  return new TextDecoder().decode(end < 0 ? rest : rest.subarray(0, end));
}

/** Collects bytes and the offsets at which they are put. */
class Writer {
  private readonly parts: Uint8Array[] = [];
  size = 0;

  /** Puts bytes at the next multiple of 4; returns where that is. */
  put(bytes: Uint8Array): number {
    const padding = -this.size & 3;
    this.parts.push(new Uint8Array(padding), bytes);
    const offset = this.size + padding;
    this.size = offset + bytes.length;
    return offset;
  }

  all(): Uint8Array {
    const bytes = new Uint8Array(this.size);
    let offset = 0;
    for (const part of this.parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    return bytes;
  }
}

/** Words one behind the other. A pair `[value, bytes]` is narrower. */
function words(...values: (number | [value: number, bytes: 1 | 2])[]): Uint8Array {
  const bytes = values.flatMap((each) => {
    const [value, width] = Array.isArray(each) ? each : [each, 4];
    return Array.from({ length: width }, (_, index) => (value >>> (8 * index)) & 0xff);
  });
  return Uint8Array.from(bytes);
}

/** Names one behind the other, each ending with a zero, as ELF's string tables are. */
class StringTable {
  private text = '\0';

  add(name: string): number {
    const offset = this.text.length;
    this.text += `${name}\0`;
    return offset;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.text, (letter) => letter.charCodeAt(0));
  }
}

/** An ELF section header. */
interface SectionHeader {
  name: string;
  type: number;
  flags: number;
  address: number;
  offset: number;
  size: number;
  link: number;
  info: number;
  entryBytes: number;
}

/** Writes a program as an executable ELF file with a section per segment and a symbol table. */
export function toElf(program: Program): Uint8Array {
  const file = new Writer();
  const { segments } = program;
  file.put(new Uint8Array(HEADER_BYTES + segments.length * PROGRAM_HEADER_BYTES));
  const offsets = segments.map((segment) => file.put(segment.bytes));
  const sections: SectionHeader[] = segments.map((segment, index) => ({
    name: segment.name,
    type: segment.bytes.length === 0 ? SECTION_ZEROS : SECTION_PROGRAM,
    flags: 2 | (segment.writable ? 1 : 0) | (segment.executable ? 4 : 0),
    address: segment.address,
    offset: offsets[index],
    size: segment.size,
    link: 0,
    info: 0,
    entryBytes: 0,
  }));
  sections.push(...symbolSections(file, program));
  const sectionsAt = putSectionHeaders(file, sections);
  const bytes = file.all();
  bytes.set(elfHeader(program, sectionsAt, sections.length + 2));
  segments.forEach((segment, index) => {
    bytes.set(programHeader(segment, offsets[index]), HEADER_BYTES + index * PROGRAM_HEADER_BYTES);
  });
  return bytes;
}

function elfHeader(program: Program, sectionsAt: number, sectionCount: number): Uint8Array {
  // Magic; 32 bits, little-endian, version 1; then nothing up to byte 16.
  const identification = [MAGIC, 0x00010101, 0, 0];
  const kind: [number, 2][] = [
    [TYPE_EXECUTABLE, 2],
    [MACHINE_RISCV, 2],
  ];
  const programHeaders: [number, 2][] = [
    [PROGRAM_HEADER_BYTES, 2],
    [program.segments.length, 2],
  ];
  const sectionHeaders: [number, 2][] = [
    [SECTION_HEADER_BYTES, 2],
    [sectionCount, 2],
    [sectionCount - 1, 2],
  ];
  return words(
    ...identification,
    ...kind,
    1,
    program.entry,
    HEADER_BYTES,
    sectionsAt,
    0,
    [HEADER_BYTES, 2],
    ...programHeaders,
    ...sectionHeaders,
  );
}

function programHeader(segment: Segment, offset: number): Uint8Array {
  const flags = READABLE | (segment.writable ? WRITABLE : 0) | (segment.executable ? EXECUTABLE : 0);
  const { address, bytes, size } = segment;
  return words(SEGMENT_LOAD, offset, address, address, bytes.length, size, flags, 4);
}

/** Puts the symbols and their names; returns the headers of the two sections. */
function symbolSections(file: Writer, program: Program): SectionHeader[] {
  const names = new StringTable();
  const isGlobal = (name: string) => program.globals.has(name) || name === '_start';
  const visible = [...program.symbols].filter(([name]) => !name.startsWith('.L'));
  const local = visible.filter(([name]) => !isGlobal(name));
  const symbols = [...local, ...visible.filter(([name]) => isGlobal(name))].map(([name, value]) =>
    words(
      names.add(name),
      value,
      0,
      [isGlobal(name) ? 0x10 : 0, 1],
      [0, 1],
      [sectionOf(program, name, value), 2],
    ),
  );
  const table = new Writer();
  for (const symbol of [new Uint8Array(SYMBOL_BYTES), ...symbols]) table.put(symbol);
  const tableAt = file.put(table.all());
  const namesAt = file.put(names.bytes());
  const none = { flags: 0, address: 0, link: 0, info: 0, entryBytes: 0 };
  const namesIndex = program.segments.length + 2;
  return [
    {
      ...none,
      name: '.symtab',
      type: SECTION_SYMBOLS,
      offset: tableAt,
      size: table.size,
      link: namesIndex,
      info: local.length + 1,
      entryBytes: SYMBOL_BYTES,
    },
    { ...none, name: '.strtab', type: SECTION_STRINGS, offset: namesAt, size: names.bytes().length },
  ];
}

/** The number of the section that a label is in; numbers (`.equ`) are in none. */
function sectionOf(program: Program, name: string, value: number): number {
  if (!program.labels.has(name)) return ABSOLUTE;
  const inside = program.segments.findIndex(
    ({ address, size }) => value >= address && value < address + size,
  );
  const atEnd = program.segments.findIndex(({ address, size }) => value === address + size);
  const index = inside >= 0 ? inside : atEnd;
  return index < 0 ? ABSOLUTE : index + 1;
}

/** Puts the section headers, the empty one first and the one with their names last. */
function putSectionHeaders(file: Writer, sections: readonly SectionHeader[]): number {
  const names = new StringTable();
  const nameOffsets = [...sections, { name: '.shstrtab' }].map(({ name }) => names.add(name));
  const namesAt = file.put(names.bytes());
  const last: SectionHeader = {
    name: '.shstrtab',
    type: SECTION_STRINGS,
    flags: 0,
    address: 0,
    offset: namesAt,
    size: names.bytes().length,
    link: 0,
    info: 0,
    entryBytes: 0,
  };
  const start = file.put(new Uint8Array(SECTION_HEADER_BYTES));
  [...sections, last].forEach((each, index) => {
    const { type, flags, address, offset, size, link, info, entryBytes } = each;
    file.put(words(nameOffsets[index], type, flags, address, offset, size, link, info, 4, entryBytes));
  });
  return start;
}
