/**
 * Writes translated code: instructions by name, and beside each of them what the hypervisor must
 * know if execution leaves the cache there: the guest's pc, and which of the guest's registers are
 * in the vCPU window in place of the register. That table is the *offset map*, by which traps are
 * precise. A place where nothing is borrowed and an instruction of the guest begins is a *start*.
 */
import { encode, rowByName } from '../../code/encode';
import type { Operands, Row } from '../../isa/formats';
import { BORROWED, slotOf } from './layout';
import type { GuestInstruction } from './treatment';

/** Why translated code calls the hypervisor. */
export type Callout =
  /** Execute these on the virtual hart: they were not translated. */
  | { kind: 'emulate'; guests: readonly GuestInstruction[] }
  /** An indirect jump that nothing is predicted for yet. */
  | { kind: 'predict'; guests: readonly GuestInstruction[] }
  /** An indirect jump whose target the table doesn't have: the target is in the first borrowed register. */
  | { kind: 'look up' }
  /** Interrupts have been turned on, and one is pending. */
  | { kind: 'enabled' }
  /** The block is over; the guest goes on at another one, which is not chained. */
  | { kind: 'exit'; target: number }
  /** The block is over, and an interrupt waits for that. */
  | { kind: 'interrupt'; target: number | undefined; guests: readonly GuestInstruction[] };

export type CalloutKind = Callout['kind'];

/** One translated instruction. */
export interface Emitted {
  /** Bytes from the block's begin. */
  offset: number;
  word: number;
  length: 2 | 4;
  /** The guest's pc while this instruction has not been executed. */
  pc: number;
  /** The guest's registers that are in the window now. */
  borrowed: readonly number[];
  /** Whether the guest's state is whole here: its instruction at `pc` begins. */
  isStart: boolean;
  /**
   * What the hypervisor shall do. In the cache there stands an `ecall`; `word` is then what will
   * take its place, if that is something else.
   */
  callout?: Callout;
}

/** One or several instructions of the guest and what has become of them. */
export interface Piece {
  guests: readonly GuestInstruction[];
  why: string;
  emitted: Emitted[];
}

/** A branch whose target is not known yet: an index into what has been emitted. */
export type OpenBranch = number;

export class Emitter {
  readonly emitted: Emitted[] = [];
  readonly pieces: Piece[] = [];
  /** Bytes so far. */
  size = 0;
  private borrowed: number[] = [];
  private pc = 0;
  private isStart = false;

  /** From here on the translation of these; of none, where a block ends without a jump. */
  begin(guests: readonly GuestInstruction[], why: string): void {
    this.pieces.push({ guests, why, emitted: [] });
    if (guests.length > 0) this.start(guests[0].pc);
  }

  /** The guest's instruction at `pc` begins here. */
  start(pc: number): void {
    this.pc = pc;
    this.isStart = true;
  }

  /** The guest is at `pc` now, but this is no place to begin at. */
  pass(pc: number): void {
    this.pc = pc;
    this.isStart = false;
  }

  /** The instruction as it is in the guest. */
  copy(guest: GuestInstruction): void {
    this.add(guest.word, guest.length === 2 ? 2 : 4);
  }

  /** An instruction. @returns its index among all emitted ones */
  put(name: string, operands: Partial<Operands> = {}): number {
    return this.add(encode(rowCalled(name), operands), 4);
  }

  /** An instruction that is encoded already. */
  word(word: number): void {
    this.add(word, 4);
  }

  /** rd = value, in one instruction or two. */
  constant(rd: number, value: number): void {
    const [upper, lower] = splitConstant(value);
    if (upper !== 0) this.put('lui', { rd, imm: upper });
    if (upper === 0 || lower !== 0) this.put('addi', { rd, rs1: upper === 0 ? 0 : rd, imm: lower });
  }

  /** rd = value, in two instructions whatever the value: one that will be replaced. */
  wideConstant(rd: number, value: number): void {
    const [upper, lower] = splitConstant(value);
    this.put('lui', { rd, imm: upper });
    this.put('addi', { rd, rs1: rd, imm: lower });
  }

  /** Calls the hypervisor. */
  callout(callout: Callout): number {
    const index = this.put('ecall');
    this.emitted[index].callout = callout;
    return index;
  }

  /** A branch to what will be emitted after `land`. */
  branchAhead(name: string, operands: Partial<Operands>): OpenBranch {
    return this.put(name, { ...operands, imm: 0 });
  }

  land(branch: OpenBranch): void {
    const emitted = this.emitted[branch];
    const blank = BRANCH_OFFSET(0);
    emitted.word = (emitted.word & ~blank) | BRANCH_OFFSET(this.size - emitted.offset);
  }

  /**
   * Registers for the translation's own use, none of those in `avoid`. Those borrowed already are
   * taken first, so that a run of instructions saves and restores them once.
   */
  borrow(count: number, avoid: readonly number[]): number[] {
    this.giveBack(avoid);
    const candidates = [...this.borrowed, ...BORROWED.filter((each) => !this.borrowed.includes(each))];
    const chosen = candidates.filter((each) => !avoid.includes(each)).slice(0, count);
    for (const register of chosen) if (!this.borrowed.includes(register)) this.save(register);
    return chosen;
  }

  /** Puts the guest's value into the window: from here on the register is ours. @returns the index */
  save(register: number): number {
    const index = this.put('sw', { rs2: register, rs1: 0, imm: slotOf(register) });
    this.borrowed = [...this.borrowed, register];
    return index;
  }

  /** Gives back those of `registers` that are borrowed; all, if left out. */
  giveBack(registers: readonly number[] = this.borrowed): void {
    for (const register of registers) {
      if (!this.borrowed.includes(register)) continue;
      this.put('lw', { rd: register, rs1: 0, imm: slotOf(register) });
      this.borrowed = this.borrowed.filter((each) => each !== register);
    }
  }

  /** The borrowed registers go to where they are given back: nothing more follows here. */
  abandon(): void {
    this.borrowed = [];
  }

  private add(word: number, length: 2 | 4): number {
    const isStart = this.isStart && this.borrowed.length === 0;
    this.isStart = false;
    const emitted = { offset: this.size, word, length, pc: this.pc, borrowed: this.borrowed, isStart };
    this.size += length;
    this.pieces.at(-1)?.emitted.push(emitted);
    return this.emitted.push(emitted) - 1;
  }
}

/** The operands of `lui` and of the `addi` after it that together make `value`. */
export function splitConstant(value: number): [upper: number, lower: number] {
  const lower = (value << 20) >> 20;
  return [(value - lower) | 0, lower];
}

/** @throws if there is no such row: a mistake of ours */
export function rowCalled(name: string): Row {
  const row = rowByName(name);
  if (row === undefined) throw new Error(`There is no instruction called "${name}".`);
  return row;
}

const BRANCH = rowCalled('beq');
const BRANCH_OFFSET = (bytes: number) => encode(BRANCH, { imm: bytes }) & ~BRANCH.match;
