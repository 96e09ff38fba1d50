/**
 * The interpreter's code: one loop in WebAssembly with a case for each meaning of a row, printed at
 * load time. `interpreterText()` shows it.
 *
 * It runs *decoded code*, which `decoded-code.ts` puts into the same memory. A block there is a head
 * (how many instructions it counts, how hot it is) and then eight bytes per instruction: the case
 * and the registers, a byte each, and the constant that the meaning needs (immediate, target, …).
 * Where a block may go on elsewhere it has links: an address and the place of the block found there.
 * All counting is done at heads: `fuel` says how many instructions may still be executed.
 * Read `shape.ts`, `storage.ts` and `emit-wasm.ts` first.
 */
import { ISA } from '../isa/isa';
import type { Action, Expression } from '../isa/meaning';
import { LINE_SHIFT } from './code-lines';
import { ExpressionPrinter, loadOf, type OperandPrinter, storeOf } from './emit-wasm';
import {
  constantsIn,
  expressionsOf,
  isConstant,
  isPrivileged,
  type Shape,
  shapeOf,
  TARGET_MISALIGNED,
} from './shape';
import { JUMP_ENTRIES, LINE_ENTRIES, PAGE_ENTRIES, PAGE_SHIFT } from './spaces';
import {
  JUMP_TABLE,
  LEFT_AT,
  LEFT_BLOCK,
  LEFT_FUEL,
  MARKS,
  MIXED_TABLE,
  READ_LINES,
  READ_TABLE,
  REGISTERS,
  SPACE,
  WRITE_LINES,
  WRITE_TABLE,
} from './storage';
import { Code, Label, moduleBytes } from './wasm';

/** Bytes of a block's head (instructions counted, heat), of an instruction, and where a final one's links are. */
export const HEAD_BYTES = 8;
export const STEP_BYTES = 8;
export const TAKEN = 8; // address, place
export const FALLEN = 16; // address, place
export const LAST_BYTES = 24;
const HEAT = 4;
const PLACE = 4; // of a link

/** Bytes of an instruction: its case, its registers as distances in bytes from x0, and the constant. */
const [CASE, RD, RS1, RS2, CONSTANT] = [0, 1, 2, 3, 4];

/** Cases that no row has: carry out by the reference engine; do nothing; go on at the fallen link. */
export const CASE_OTHER = 0;
export const CASE_NOTHING = 1;
export const CASE_GO_ON = 2;

/** Why the interpreter came back, as its value. LEFT_AT and LEFT_FUEL say where and with how much fuel. */
export enum Left {
  /** At the head of a block, which counts more instructions than there is fuel, or is hot. */
  AtHead,
  /** At a link whose block is not known yet; all before it is done. */
  AtLink,
  /** At an address, of which it is not known what is there. */
  AtAddress,
  /** At an instruction for the reference engine, in the block at LEFT_BLOCK. */
  AtInstruction,
  /** Behind an access, of which the slow path has said all there is to say. */
  BehindAccess,
}

/** A case: what an instruction does, and what its second word holds. */
interface Case {
  number: number;
  shape: Shape;
  constant: Expression | undefined;
  /** Whether rd is x0, so that nothing is written. */
  intoZero: boolean;
  /** The rows that it is for. */
  rows: string[];
}

const special = (number: number, kind: 'other' | 'nothing'): Case => ({
  number,
  shape: { kind },
  constant: undefined,
  intoZero: true,
  rows: [],
});
const OTHER = special(CASE_OTHER, 'other');
const NOTHING = special(CASE_NOTHING, 'nothing');

/** The case for an instruction with this meaning and this rd. */
export function caseOf(meaning: Action, rd: number): Pick<Case, 'number' | 'constant'> {
  const known = casesByMeaning.get(meaning);
  if (known === undefined) return OTHER;
  return rd === 0 ? known.intoZero : known.plain;
}

/** Cases with code of their own, by what they do. */
const cases = new Map<string, Case>();
const casesByMeaning = new Map<Action, { plain: Case; intoZero: Case }>();
for (const { meaning, name } of ISA) {
  const shape = shapeOf(meaning);
  const plain = caseFor(shape, false, name);
  casesByMeaning.set(meaning, { plain, intoZero: caseIntoZero(shape, plain, name) });
}

/** x0 stays 0: instructions that would write it have cases of their own. */
function caseIntoZero(shape: Shape, plain: Case, row: string): Case {
  if (shape.kind === 'set') return NOTHING;
  if (shape.kind === 'load') return OTHER; // it may still fault
  return shape.kind === 'jump' ? caseFor(shape, true, row) : plain;
}

/** The case for a shape, new or shared with the rows before that do the same. */
function caseFor(shape: Shape, intoZero: boolean, row: string): Case {
  if (isPrivileged(shape)) return OTHER;
  if (shape.kind === 'nothing') return NOTHING;
  const hasTarget = shape.kind === 'branch' || shape.kind === 'jump';
  // A target that is known is the address in a link.
  const computed = expressionsOf(shape).filter((e) => !(hasTarget && e === shape.target && isConstant(e)));
  const constants = computed.flatMap(constantsIn);
  if (constants.length > 1) return OTHER;
  const key = JSON.stringify([shape, intoZero]);
  let found = cases.get(key);
  if (found === undefined) {
    found = { number: CASE_GO_ON + 1 + cases.size, shape, constant: constants[0], intoZero, rows: [] };
    cases.set(key, found);
  }
  if (!found.rows.includes(row)) found.rows.push(row);
  return found;
}

const titleOf = ({ rows, intoZero }: Case) => rows[0] + (intoZero ? 'IntoZero' : '');

/** The functions that the interpreter calls: for an access that its fast path won't do, and a link that leads nowhere yet. */
const ACCESS = 0;
const FOLLOW = 1;
const [RUN_TYPE, ACCESS_TYPE, FOLLOW_TYPE] = [0, 1, 2];

/**
 * The interpreter as a module with two functions (place of a block's head, fuel) -> why it left:
 * `run`, and `runCounting`, which counts down how hot each block is and leaves at those that are.
 */
export function interpreterBytes(): Uint8Array<ArrayBuffer> {
  return moduleBytes({
    types: [
      { parameters: 2, results: 1 },
      { parameters: 5, results: 1 },
      { parameters: 1, results: 1 },
    ],
    imports: [
      { name: 'access', type: ACCESS_TYPE }, // (place, block, fuel, va, is it a store) -> whether to go on
      { name: 'follow', type: FOLLOW_TYPE }, // (place of a link) -> place of the block it leads to, or 0
    ],
    functions: [
      { name: 'run', type: RUN_TYPE, code: new InterpreterPrinter(false, false).print() },
      { name: 'runCounting', type: RUN_TYPE, code: new InterpreterPrinter(true, false).print() },
    ],
  });
}

/** The interpreter as text, for reading. */
export function interpreterText(): string {
  return new InterpreterPrinter(false, true).print().text!.join('\n');
}

class InterpreterPrinter {
  private readonly code: Code;
  private readonly place = 0;
  private readonly fuel = 1;
  private readonly block: number;
  private readonly address: number;
  private readonly entry: number;
  private readonly tables: number;
  private readonly expressions: ExpressionPrinter;
  private readonly nextBlock = new Label('nextBlock');
  private readonly nextInstruction = new Label('nextInstruction');
  private readonly atHead = new Label('atHead');
  private readonly atLink = new Label('atLink');
  private readonly atAddress = new Label('atAddress');
  private readonly atInstruction = new Label('atInstruction');
  private readonly operands: OperandPrinter = {
    leaf: (leaf) => this.register(leaf === 'rs1' ? RS1 : RS2),
    constant: () => this.field(CONSTANT),
  };

  /** @param counting whether each block counts down how hot it is, and leaves when it is */
  constructor(
    private readonly counting: boolean,
    isReadable: boolean,
  ) {
    this.code = new Code(['place', 'fuel'], isReadable);
    this.block = this.code.local('block');
    this.address = this.code.local('address');
    this.entry = this.code.local('entry');
    this.tables = this.code.local('tables');
    this.expressions = new ExpressionPrinter(this.code);
  }

  print(): Code {
    const { code } = this;
    code.constant(0);
    code.memory('i32.load', SPACE);
    code.set(this.tables);
    const exits = [this.atHead, this.atLink, this.atAddress, this.atInstruction];
    for (const label of [...exits].reverse()) code.block(label);
    code.loop(this.nextBlock);
    this.head();
    code.loop(this.nextInstruction);
    this.dispatch();
    code.end();
    code.end();
    code.op('unreachable');
    for (const why of [Left.AtHead, Left.AtLink, Left.AtAddress, Left.AtInstruction]) {
      code.end();
      this.leave(why);
    }
    return code;
  }

  /** Takes what the block counts from the fuel. */
  private head(): void {
    const { code } = this;
    code.remark('the head of a block');
    code.get(this.place);
    code.set(this.block);
    code.get(this.fuel);
    this.field(0);
    code.op('i32.sub');
    code.op('local.tee', this.fuel);
    code.constant(0);
    code.op('i32.lt_s');
    code.branchIf(this.atHead);
    if (this.counting) {
      code.get(this.place);
      this.field(HEAT);
      code.constant(1);
      code.op('i32.sub');
      code.op('local.tee', this.entry);
      code.memory('i32.store', HEAT);
      code.get(this.entry);
      code.constant(0);
      code.op('i32.lt_s');
      code.branchIf(this.atHead);
    }
    this.advance(HEAD_BYTES);
  }

  private dispatch(): void {
    const { code } = this;
    const all = [...cases.values()];
    const labels = ['others', 'nothing', 'goesOn', ...all.map(titleOf)].map((title) => new Label(title));
    for (const each of [...labels].reverse()) code.block(each);
    code.get(this.place);
    code.memory('i32.load8_u', CASE);
    code.branchTable(labels);
    code.end();
    code.remark('all others: the reference engine carries them out');
    code.branch(this.atInstruction);
    code.end();
    code.remark('nothing to do');
    this.next();
    code.end();
    code.remark('the block goes on in another one');
    this.advance(FALLEN);
    this.follow();
    for (const each of all) {
      code.end();
      code.remark(each.rows.join(', ') + (each.intoZero ? ' into x0' : ''));
      this.body(each);
    }
  }

  private body({ shape, intoZero }: Case): void {
    const { code } = this;
    switch (shape.kind) {
      case 'set':
        this.setRegister(() => this.expressions.value(shape.value, this.operands));
        this.next();
        return;
      case 'load':
        this.load(shape);
        return;
      case 'store':
        this.store(shape);
        return;
      case 'branch':
        this.expressions.value(shape.condition, this.operands);
        code.if(new Label('taken'));
        this.advance(TAKEN);
        code.else();
        this.advance(FALLEN);
        code.end();
        this.follow();
        return;
      case 'jump':
        this.jump(shape.target, intoZero);
        return;
      default:
        throw new Error(`A meaning of shape ${shape.kind} has no case of its own.`);
    }
  }

  // Operands

  /** Puts a field of the instruction on the stack: a word, or a register's distance from x0. */
  private field(at: number): void {
    this.code.get(this.place);
    this.code.memory(at === RD || at === RS1 || at === RS2 ? 'i32.load8_u' : 'i32.load', at);
  }

  private register(field: number): void {
    this.field(field);
    this.code.memory('i32.load', REGISTERS);
  }

  private setRegister(value: () => void): void {
    this.field(RD);
    value();
    this.code.memory('i32.store', REGISTERS);
  }

  private advance(bytes: number): void {
    const { code } = this;
    code.get(this.place);
    code.constant(bytes);
    code.op('i32.add');
    code.set(this.place);
  }

  private next(): void {
    this.advance(STEP_BYTES);
    this.code.branch(this.nextInstruction);
  }

  // Memory

  /** Puts on the stack whether the page is in the table, whose entry is left in `entry`. */
  private isInTable(address: Expression, bytes: number, table: number): void {
    const { code } = this;
    this.expressions.value(address, this.operands);
    code.op('local.tee', this.address);
    code.constant(PAGE_SHIFT - 3);
    code.op('i32.shr_u');
    code.constant(8 * (PAGE_ENTRIES - 1));
    code.op('i32.and');
    code.get(this.tables);
    code.op('i32.add');
    code.op('local.tee', this.entry);
    code.memory('i32.load', table);
    this.tag(bytes);
    code.op('i32.eq');
  }

  /** The tag that the entry must have, of a page or of a line, with the bits that are 0 in an aligned access. */
  private tag(bytes: number, shift = PAGE_SHIFT): void {
    this.code.get(this.address);
    this.code.constant((-1 << shift) | (bytes - 1));
    this.code.op('i32.and');
  }

  /** Lets the hart do the access, and leaves or goes on behind it. */
  private slowly(isStore: boolean): void {
    const { code } = this;
    for (const local of [this.place, this.block, this.fuel, this.address]) code.get(local);
    code.constant(isStore ? 1 : 0);
    code.call(ACCESS);
    code.op('i32.eqz');
    code.if(new Label('leave'));
    code.constant(Left.BehindAccess);
    code.op('return');
    code.end();
    this.next();
  }

  private ramAddress(table: number): void {
    const { code } = this;
    code.get(this.address);
    code.get(this.entry);
    code.memory('i32.load', table + 4);
    code.op('i32.add');
  }

  /** Puts on the stack whether the line is in the table, whose entry is left in `entry`; behind `isInTable`. */
  private isInLines(bytes: number, table: number): void {
    const { code } = this;
    code.get(this.address);
    code.constant(LINE_SHIFT - 3);
    code.op('i32.shr_u');
    code.constant(8 * (LINE_ENTRIES - 1));
    code.op('i32.and');
    code.get(this.tables);
    code.op('i32.add');
    code.op('local.tee', this.entry);
    code.memory('i32.load', table);
    this.tag(bytes, LINE_SHIFT);
    code.op('i32.eq');
  }

  /** Fast paths: the page is in the table, or the line. Slow path: the hart loads. */
  private load(shape: Extract<Shape, { kind: 'load' }>): void {
    const { code } = this;
    const read = (table: number) => {
      this.setRegister(() => {
        this.ramAddress(table);
        code.memory(loadOf(shape), 0);
      });
      this.next();
    };
    this.isInTable(shape.address, shape.bytes, READ_TABLE);
    code.if(new Label('known'));
    read(READ_TABLE);
    code.end();
    this.isInLines(shape.bytes, READ_LINES);
    code.if(new Label('line'));
    read(READ_LINES);
    code.end();
    this.slowly(false);
  }

  /** Fast paths: there is no code in the page, or none in the line, or the line is in the table. Slow path: the hart stores. */
  private store(shape: Extract<Shape, { kind: 'store' }>): void {
    const { code } = this;
    const write = () => {
      this.expressions.value(shape.value, this.operands);
      code.memory(storeOf(shape), 0);
      this.next();
    };
    this.isInTable(shape.address, shape.bytes, WRITE_TABLE);
    code.if(new Label('known'));
    this.ramAddress(WRITE_TABLE);
    write();
    code.end();
    const hart = new Label('hart');
    code.block(hart);
    code.get(this.entry);
    code.memory('i32.load', MIXED_TABLE);
    this.tag(shape.bytes);
    code.op('i32.eq');
    code.if(new Label('nearCode'));
    this.ramAddress(MIXED_TABLE);
    code.op('local.tee', this.entry);
    code.constant(LINE_SHIFT);
    code.op('i32.shr_u');
    code.memory('i32.load8_u', MARKS);
    code.branchIf(hart);
    code.get(this.entry);
    write();
    code.end();
    this.isInLines(shape.bytes, WRITE_LINES);
    code.if(new Label('line'));
    this.ramAddress(WRITE_LINES);
    write();
    code.end();
    code.end();
    this.slowly(true);
  }

  // Ways on

  /** Goes on at the link at `place`, if it leads somewhere. */
  private follow(): void {
    const { code } = this;
    this.field(PLACE);
    code.op('local.tee', this.entry);
    code.op('i32.eqz');
    code.if(new Label('unknown'));
    code.get(this.place);
    code.call(FOLLOW);
    code.op('local.tee', this.entry);
    code.op('i32.eqz');
    code.branchIf(this.atLink);
    code.end();
    code.get(this.entry);
    code.set(this.place);
    code.branch(this.nextBlock);
  }

  /** A jump to a misaligned address traps: the reference engine's business. */
  private jump(target: Expression, intoZero: boolean): void {
    const { code } = this;
    const isKnown = isConstant(target);
    if (!isKnown) {
      this.expressions.value(target, this.operands);
      code.op('local.tee', this.address);
      code.constant(TARGET_MISALIGNED);
      code.op('i32.and');
      code.branchIf(this.atInstruction);
    }
    if (!intoZero) this.setRegister(() => this.field(FALLEN));
    if (!isKnown) {
      this.find();
      return;
    }
    this.advance(TAKEN);
    this.follow();
  }

  /** Goes on at `address`, if it is known what is there. */
  private find(): void {
    const { code } = this;
    code.get(this.address);
    code.constant(2);
    code.op('i32.shl');
    code.constant(8 * (JUMP_ENTRIES - 1));
    code.op('i32.and');
    code.get(this.tables);
    code.op('i32.add');
    code.op('local.tee', this.entry);
    code.memory('i32.load', JUMP_TABLE);
    code.get(this.address);
    code.op('i32.ne');
    code.branchIf(this.atAddress);
    code.get(this.entry);
    code.memory('i32.load', JUMP_TABLE + 4);
    code.set(this.place);
    code.branch(this.nextBlock);
  }

  private leave(why: Left): void {
    const { code } = this;
    const at = why === Left.AtAddress ? this.address : this.place;
    const said = [
      [LEFT_AT, at],
      [LEFT_BLOCK, this.block],
      [LEFT_FUEL, this.fuel],
    ] as const;
    for (const [where, local] of said) {
      code.constant(0);
      code.get(local);
      code.memory('i32.store', where);
    }
    code.constant(why);
    code.op('return');
  }
}
