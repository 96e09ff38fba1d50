/**
 * Loads and stores in translated code.
 *
 * Where all of RAM is open at its physical addresses, accesses that belong together share a check
 * (`access-groups.ts`). Under paging each asks the tables of `spaces.ts`; an access that goes along
 * in small steps (its base register grows by constants) first asks one entry that is kept for its
 * register: of the page where such accesses were the last time. What no fast path lets
 * through is left to the hart: `admit` puts the page into a table, or control goes to the exit.
 */
import type { Expression } from '../isa/meaning';
import type { Group } from './access-groups';
import type { Step } from './block-reader';
import { LINE_SHIFT } from './code-lines';
import { loadOf, storeOf } from './emit-wasm';
import type { Region } from './region';
import { isConstant, type Shape } from './shape';
import { LINE_ENTRIES, PAGE_ENTRIES, PAGE_SHIFT } from './spaces';
import {
  MARKS,
  MIXED_TABLE,
  READ_LINES,
  READ_TABLE,
  RECENT_TABLE,
  SPACE,
  type Storage,
  WRITE_LINES,
  WRITE_TABLE,
} from './storage';
import { type Code, Label } from './wasm';

/** The number of the imported function. */
const ADMIT = 0;

type Access = Extract<Shape, { kind: 'load' | 'store' }>;

/** What the printer of a region does for accesses. */
interface Host {
  /** Puts the value of an expression of a step on the stack. */
  value(expression: Expression, step: Step): void;
  localOf(register: number): number;
}

/** The longest step of a register that is said to go along, in bytes. */
const LONGEST_STEP = 64;

export class AccessPrinter {
  private readonly address: number;
  private readonly entry: number;
  private readonly tables: number;
  private readonly steady: ReadonlySet<number>;

  constructor(
    private readonly code: Code,
    private readonly storage: Storage,
    region: Region,
    private readonly host: Host,
  ) {
    this.address = code.local('address');
    this.entry = code.local('entry');
    this.tables = code.local('tables');
    this.steady = steadyRegisters(region);
  }

  /** Prepares accesses under paging, at the entry of the region. */
  begin(): void {
    const { code } = this;
    code.constant(0);
    code.memory('i32.load', SPACE);
    code.set(this.tables);
  }

  /** Prints an access. Where it must be left to the hart, control goes to `exit`; the site must be set. */
  print(step: Step, shape: Access, group: Group | undefined, exit: Label): void {
    if (group !== undefined) this.flat(step, shape, group, exit);
    else this.paged(step, shape, exit);
  }

  // All of RAM is open

  private flat(step: Step, shape: Access, group: Group, exit: Label): void {
    const { code } = this;
    if (group.first === step) this.checkGroup(step, shape, group, exit);
    const at = group.offsets.get(step)! - group.low;
    if (shape.kind === 'load') {
      code.get(group.local);
      code.memory(loadOf(shape), this.storage.ramAt + at);
      this.setLoaded(step);
      return;
    }
    const marks = group.marks.get(step);
    if (marks !== undefined) {
      this.mark(group.local, marks.low - group.low);
      if (marks.high - marks.low > 1) {
        this.mark(group.local, marks.high - 1 - group.low);
        code.op('i32.or');
      }
      code.branchIf(exit);
    }
    code.get(group.local);
    this.host.value(shape.value, step);
    code.memory(storeOf(shape), this.storage.ramAt + at);
  }

  private checkGroup(step: Step, shape: Access, group: Group, exit: Label): void {
    const { code } = this;
    group.local = code.local();
    this.host.value(shape.address, step);
    code.constant(group.low - group.offsets.get(step)! - this.storage.ram.base);
    code.op('i32.add');
    code.op('local.tee', group.local);
    code.constant(this.storage.ram.size - (group.high - group.low));
    code.op('i32.gt_u');
    code.branchIf(exit);
  }

  /** The mark of the line that holds byte `local + offset` of RAM. */
  private mark(local: number, offset: number): void {
    const { code } = this;
    code.get(local);
    if (offset !== 0) {
      code.constant(offset);
      code.op('i32.add');
    }
    code.constant(LINE_SHIFT);
    code.op('i32.shr_u');
    code.memory('i32.load8_u', this.storage.marksAt);
  }

  // Under paging

  private paged(step: Step, shape: Access, exit: Label): void {
    const { code, address } = this;
    this.host.value(shape.address, step);
    code.set(address);
    const recent = this.recentOf(step, shape);
    const line = lineOf(step, shape);
    if (line !== undefined) this.lookInLines(shape, line, exit);
    else if (recent === undefined) this.lookUp(shape, undefined, exit);
    else {
      code.get(this.tables);
      code.memory('i32.load', recent);
      this.tagOf(shape);
      code.op('i32.eq');
      code.if(new Label('samePage'));
      this.addDistance(this.tables, recent);
      code.else();
      this.lookUp(shape, recent, exit);
      code.end();
    }
    code.get(address);
    if (shape.kind === 'load') {
      code.memory(loadOf(shape), 0);
      this.setLoaded(step);
      return;
    }
    this.host.value(shape.value, step);
    code.memory(storeOf(shape), 0);
  }

  /** An access off x0: its line may be in the table of lines, in an entry that is known here. Else as others. */
  private lookInLines(shape: Access, line: number, exit: Label): void {
    const { code } = this;
    code.get(this.tables);
    code.memory('i32.load', line);
    this.tagOf(shape, LINE_SHIFT);
    code.op('i32.eq');
    code.if(new Label('line'));
    this.addDistance(this.tables, line);
    code.else();
    this.lookUp(shape, undefined, exit);
    code.end();
  }

  /** Fast path: the page is in the table. It leaves in `address` where the byte is in memory. */
  private lookUp(shape: Access, recent: number | undefined, exit: Label): void {
    const { code, address, entry } = this;
    const table = shape.kind === 'store' ? WRITE_TABLE : READ_TABLE;
    code.get(address);
    code.constant(PAGE_SHIFT - 3);
    code.op('i32.shr_u');
    code.constant(8 * (PAGE_ENTRIES - 1));
    code.op('i32.and');
    code.get(this.tables);
    code.op('i32.add');
    code.op('local.tee', entry);
    code.memory('i32.load', table);
    this.tagOf(shape);
    code.op('i32.eq');
    code.if(new Label('known'));
    if (recent !== undefined) this.remember(recent, table);
    this.addDistance(entry, table);
    code.else();
    this.admit(shape, exit);
    code.end();
  }

  /** Slow path: stores next to code, whose line must have no mark; and what the hart must decide. */
  private admit(shape: Access, exit: Label): void {
    const { code, address, entry } = this;
    const isStore = shape.kind === 'store';
    if (isStore) {
      code.get(entry);
      code.memory('i32.load', MIXED_TABLE);
      this.tagOf(shape);
      code.op('i32.eq');
      code.if(new Label('nearCode'));
      this.addDistance(entry, MIXED_TABLE);
      code.get(address);
      code.constant(LINE_SHIFT);
      code.op('i32.shr_u');
      code.memory('i32.load8_u', MARKS);
      code.branchIf(exit);
      code.else();
    }
    code.get(address);
    code.constant(isStore ? shape.bytes : -shape.bytes);
    code.call(ADMIT);
    code.op('local.tee', address);
    code.op('i32.eqz');
    code.branchIf(exit);
    if (isStore) code.end();
  }

  /** The tag that the entry must have, of a page or of a line, with the bits that are 0 in an aligned access. */
  private tagOf({ bytes }: Access, shift = PAGE_SHIFT): void {
    this.code.get(this.address);
    this.code.constant((-1 << shift) | (bytes - 1));
    this.code.op('i32.and');
  }

  private addDistance(entry: number, table: number): void {
    const { code, address } = this;
    code.get(address);
    code.get(entry);
    code.memory('i32.load', table + 4);
    code.op('i32.add');
    code.set(address);
  }

  /** Makes the page in the table the one that such accesses were in the last time. */
  private remember(recent: number, table: number): void {
    const { code } = this;
    for (const word of [0, 4]) {
      code.get(this.tables);
      code.get(this.entry);
      code.memory('i32.load', table + word);
      code.memory('i32.store', recent + word);
    }
  }

  /** Where the entry is for accesses of this kind off this register; undefined if it doesn't go along. */
  private recentOf({ instruction: { rs1 } }: Step, shape: Access): number | undefined {
    const isSteady = baseOf(shape) === 'rs1' && this.steady.has(rs1);
    return isSteady ? RECENT_TABLE + 8 * (2 * rs1 + (shape.kind === 'store' ? 1 : 0)) : undefined;
  }

  private setLoaded({ instruction: { rd } }: Step): void {
    if (rd === 0) this.code.op('drop');
    else this.code.set(this.host.localOf(rd));
  }
}

/** The register field that an address is counted from, if it is a register plus a constant. */
function baseOf({ address }: Access): string | undefined {
  const base = address.kind === 'binary' && isConstant(address.right) ? address.left : address;
  return base.kind === 'leaf' ? base.leaf : undefined;
}

/** Where in the tables the entry is for the line of an access at a constant address; undefined if it isn't one. */
function lineOf({ instruction: { rs1, imm } }: Step, shape: Access): number | undefined {
  if (rs1 !== 0 || baseOf(shape) !== 'rs1') return undefined;
  const table = shape.kind === 'store' ? WRITE_LINES : READ_LINES;
  return table + 8 * ((imm >>> LINE_SHIFT) % LINE_ENTRIES);
}

/** Registers that only ever go along: in some node they are written, but take nothing but small steps. */
function steadyRegisters({ nodes }: Region): Set<number> {
  const found = new Set<number>();
  for (const { steps } of nodes) {
    const moving = steps.filter(({ shape }) => ['set', 'load', 'csr'].includes(shape.kind));
    for (const { instruction } of moving) {
      const writes = moving.filter((step) => step.instruction.rd === instruction.rd);
      if (writes.every(isSmallStep)) found.add(instruction.rd);
    }
  }
  return found;
}

/** Whether a step adds a small constant to a register. */
function isSmallStep({ shape, instruction }: Step): boolean {
  if (shape.kind !== 'set' || shape.value.kind !== 'binary' || shape.value.operator !== 'add') return false;
  const { left, right } = shape.value;
  const isOwn = left.kind === 'leaf' && left.leaf === 'rs1' && instruction.rs1 === instruction.rd;
  return isOwn && right.kind === 'leaf' && right.leaf === 'imm' && Math.abs(instruction.imm) <= LONGEST_STEP;
}
