/**
 * One WebAssembly memory for everything that emitted code touches: the hart's registers, the
 * tables of fast paths, the marks of code lines, RAM, and decoded code.
 *
 * Emitted code and TypeScript see the same bytes; nothing is copied on the way in or out. What emitted
 * code must know of places is the same for RAM of any size, so that it is compiled once.
 */
import { REGISTERS as CSR_NUMBERS } from '../machine/csr-file';
import { Memory } from '../machine/memory';
import { LINE_BYTES } from './code-lines';
import { JUMP_ENTRIES, LINE_ENTRIES, MOST_SPACES, PAGE_ENTRIES, RECENT_ENTRIES, type Tables } from './spaces';
import { WASM, type WasmMemory } from './wasm-api';

/** Where things are, in bytes from the start. */
export const REGISTERS = 0; // x0 to x31, a word each
export const SITE = 128; // where translated code left that can't go on
export const PC = 132; // where it goes on, if it can
export const SPACE = 136; // where the tables of the present context begin
export const MODE = 140; // the hart's mode
export const SPACES_BY_MODE = 144; // where the tables of U mode and of S mode begin, or 0
export const MAY_TRAP = 152; // whether translated code may take environment calls and return from them
export const TRAP_FUEL = 156; // what an environment call, and a return from a trap, take from the fuel
export const RETURN_FUEL = 160;
export const TRAPS = 164; // environment calls taken, and returns
export const RETURNS = 168;
export const SPENT = 172; // fuel taken beyond that for instructions
export const LAST_TRAP_PC = 176; // where the last environment call led
export const LAST_TRAP_FUEL = 180; // the fuel left then, and what had been spent
export const LEFT_AT = 184; // where the interpreter left: its place in decoded code, the block's, the fuel
export const LEFT_BLOCK = 188;
export const LEFT_FUEL = 192;
export const CSRS = 0x1000; // the bits of the CSRs, a word each
const SPACES = 0x5000;
const PAGE = 0x1_0000;
/** Decoded code has room for this much; when that is full, all is forgotten and decoded anew. */
const MOST_DECODED_BYTES = 1 << 23;

/** The tables of a context: pages to read, to write, to write with care; translations and decoded blocks by address; lines to read and to write. */
export const READ_TABLE = 0;
export const WRITE_TABLE = READ_TABLE + 8 * PAGE_ENTRIES;
export const MIXED_TABLE = WRITE_TABLE + 8 * PAGE_ENTRIES;
export const RECENT_TABLE = MIXED_TABLE + 8 * PAGE_ENTRIES;
export const SLOT_TABLE = RECENT_TABLE + 8 * RECENT_ENTRIES;
export const JUMP_TABLE = SLOT_TABLE + 8 * JUMP_ENTRIES;
export const READ_LINES = JUMP_TABLE + 8 * JUMP_ENTRIES;
export const WRITE_LINES = READ_LINES + 8 * LINE_ENTRIES;
const SPACE_BYTES = WRITE_LINES + 8 * LINE_ENTRIES;
/** Marks: a byte for each line of this memory, first to last. */
export const MARKS = SPACES + SPACE_BYTES * MOST_SPACES;

export class Storage {
  readonly memory: WasmMemory;
  /** x0 to x31 and the CSRs. */
  readonly hart: { x: Int32Array; csrs: Int32Array };
  readonly control: Int32Array;
  readonly marks: Uint8Array;
  /** Where RAM begins, and the marks for it. */
  readonly ramAt: number;
  readonly marksAt: number;
  readonly ram: Memory;
  /** Where decoded code begins, and its bytes; and all of memory as words. */
  readonly decodedAt: number;
  readonly decodedBytes: number;
  readonly words: Int32Array;
  private spaces = 0;

  /** Room for RAM of `size` bytes, which will begin at physical address `base`. */
  constructor(base: number, size: number) {
    const upTo = (bytes: number) => Math.ceil(bytes / PAGE) * PAGE;
    const lines = Math.ceil(size / LINE_BYTES);
    this.ramAt = upTo(MARKS + (MARKS + size + PAGE) / (LINE_BYTES - 1)); // the marks have lines, too
    this.marksAt = MARKS + this.ramAt / LINE_BYTES;
    this.decodedAt = upTo(this.ramAt + size);
    this.decodedBytes = Math.min(4 * upTo(size), MOST_DECODED_BYTES);
    const pages = (this.decodedAt + this.decodedBytes) / PAGE;
    this.memory = new WASM.Memory({ initial: pages, maximum: pages });
    const { buffer } = this.memory;
    this.hart = {
      x: new Int32Array(buffer, REGISTERS, 32),
      csrs: new Int32Array(buffer, CSRS, CSR_NUMBERS),
    };
    this.control = new Int32Array(buffer, 0, CSRS / 4);
    this.marks = new Uint8Array(buffer, this.marksAt, lines);
    this.words = new Int32Array(buffer);
    this.ram = new Memory(base, size, new Uint8Array(buffer, this.ramAt, size));
  }

  /** The tables for one more context. */
  allocate(): Tables {
    if (this.spaces === MOST_SPACES) throw new Error('There is no room for one more context.');
    const at = SPACES + SPACE_BYTES * this.spaces++;
    const words = (from: number, to: number) =>
      new Int32Array(this.memory.buffer, at + from, (to - from) / 4);
    return {
      at,
      read: words(READ_TABLE, WRITE_TABLE),
      write: words(WRITE_TABLE, MIXED_TABLE),
      mixed: words(MIXED_TABLE, RECENT_TABLE),
      recent: words(RECENT_TABLE, SLOT_TABLE),
      slots: words(SLOT_TABLE, JUMP_TABLE),
      jumps: words(JUMP_TABLE, READ_LINES),
      readLines: words(READ_LINES, WRITE_LINES),
      writeLines: words(WRITE_LINES, SPACE_BYTES),
      ramAt: this.ramAt,
    };
  }
}
