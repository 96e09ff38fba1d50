/**
 * One WebAssembly memory for everything that translated code touches: the hart's registers, the
 * tables of fast paths, the marks of code lines, and RAM.
 *
 * Translated code and TypeScript see the same bytes; nothing is copied on the way in or out.
 */
import { Memory } from '../machine/memory';
import { LINE_BYTES } from './code-lines';
import { JUMP_ENTRIES, PAGE_ENTRIES, type Tables } from './spaces';
import { WASM, type WasmMemory } from './wasm-api';

/** Where things are, in bytes from the start. */
export const REGISTERS = 0; // x0 to x31, a word each
export const SITE = 128; // where translated code left that can't go on
export const PC = 132; // where it goes on, if it can
export const SPACE = 136; // where the tables of the present context begin
const SPACES = 0x1000;
const MARKS = 0x2_0000;
const PAGE = 0x1_0000;

/** The tables of a context: pages to read, pages to write, translations by address. */
export const READ_TABLE = 0;
export const WRITE_TABLE = READ_TABLE + 8 * PAGE_ENTRIES;
export const SLOT_TABLE = WRITE_TABLE + 8 * PAGE_ENTRIES;
const SPACE_BYTES = SLOT_TABLE + 8 * JUMP_ENTRIES;
const MOST_SPACES = Math.floor((MARKS - SPACES) / SPACE_BYTES);

export class Storage {
  readonly memory: WasmMemory;
  readonly pages: number;
  readonly registers: Int32Array;
  readonly control: Int32Array;
  readonly marks: Uint8Array;
  /** Where RAM begins. */
  readonly ramAt: number;
  readonly marksAt = MARKS;
  readonly ram: Memory;
  private spaces = 0;

  /** Room for RAM of `size` bytes, which will begin at physical address `base`. */
  constructor(base: number, size: number) {
    const lines = Math.ceil(size / LINE_BYTES);
    this.ramAt = Math.ceil((MARKS + lines) / PAGE) * PAGE;
    this.pages = Math.ceil((this.ramAt + size) / PAGE);
    this.memory = new WASM.Memory({ initial: this.pages, maximum: this.pages });
    const { buffer } = this.memory;
    this.registers = new Int32Array(buffer, REGISTERS, 32);
    this.control = new Int32Array(buffer, 0, SPACES / 4);
    this.marks = new Uint8Array(buffer, MARKS, lines);
    this.ram = new Memory(base, size, new Uint8Array(buffer, this.ramAt, size));
  }

  /** The tables for one more context. */
  allocate(): Tables {
    if (this.spaces === MOST_SPACES)
      throw new Error('There are more contexts than combinations of two modes.');
    const at = SPACES + SPACE_BYTES * this.spaces++;
    const words = (from: number, to: number) =>
      new Int32Array(this.memory.buffer, at + from, (to - from) / 4);
    return {
      at,
      read: words(READ_TABLE, WRITE_TABLE),
      write: words(WRITE_TABLE, SLOT_TABLE),
      slots: words(SLOT_TABLE, SPACE_BYTES),
    };
  }
}
