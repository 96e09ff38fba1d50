/**
 * One WebAssembly memory for everything that translated code touches: the hart's registers, the
 * tables of fast paths, the marks of code lines, and RAM.
 *
 * Translated code and TypeScript see the same bytes; nothing is copied on the way in or out.
 */
import { REGISTERS as CSR_NUMBERS } from '../machine/csr-file';
import { Memory } from '../machine/memory';
import { LINE_BYTES } from './code-lines';
import { JUMP_ENTRIES, MOST_SPACES, PAGE_ENTRIES, type Tables } from './spaces';
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
export const CSRS = 0x1000; // the bits of the CSRs, a word each
const SPACES = 0x5000;
const PAGE = 0x1_0000;

/** The tables of a context: pages to read, pages to write, translations by address. */
export const READ_TABLE = 0;
export const WRITE_TABLE = READ_TABLE + 8 * PAGE_ENTRIES;
export const SLOT_TABLE = WRITE_TABLE + 8 * PAGE_ENTRIES;
const SPACE_BYTES = SLOT_TABLE + 8 * JUMP_ENTRIES;
const MARKS = SPACES + SPACE_BYTES * MOST_SPACES;

export class Storage {
  readonly memory: WasmMemory;
  readonly pages: number;
  /** x0 to x31 and the CSRs. */
  readonly hart: { x: Int32Array; csrs: Int32Array };
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
    this.hart = {
      x: new Int32Array(buffer, REGISTERS, 32),
      csrs: new Int32Array(buffer, CSRS, CSR_NUMBERS),
    };
    this.control = new Int32Array(buffer, 0, CSRS / 4);
    this.marks = new Uint8Array(buffer, MARKS, lines);
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
      write: words(WRITE_TABLE, SLOT_TABLE),
      slots: words(SLOT_TABLE, SPACE_BYTES),
    };
  }
}
