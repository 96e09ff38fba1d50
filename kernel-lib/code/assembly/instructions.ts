/**
 * Instructions and pseudo-instructions: from a statement's tokens to items of a section.
 *
 * What can be written is read off the rows and the table of pseudo-instructions. Operands are read
 * at once; their values, and with them the words, are made when all addresses are known.
 */
import type { Field, Operands, Row } from '../../isa/formats';
import { ISA } from '../../isa/isa';
import { ABI_NAMES } from '../../isa/registers';
import { encode, fieldRange, operandProblem, rowByName } from '../encode';
import { type Expression, evaluate, pcrelOperand } from './expressions';
import { lex, span, type Token } from './lexer';
import {
  type Bindings,
  bind,
  choosePattern,
  type Pattern,
  readCsrName,
  readFenceSet,
  readRegister,
  slotsOfRow,
} from './operands';
import { didYouMean, fail } from './problems';
import { LI, PSEUDOS, type Pseudo, readSteps, type Step } from './pseudo';
import type { Place } from './source';
import type { Assembly } from './state';

interface RowPattern extends Pattern {
  row: Row;
}

/** Every way to write every instruction. Rows come first: at a draw they win. */
const patterns = new Map<string, (RowPattern | Pseudo)[]>();
const rowPatterns = new Map<Row, RowPattern>();
for (const row of ISA) {
  const pattern = { name: row.name, slots: slotsOfRow(row), row };
  rowPatterns.set(row, pattern);
  patterns.set(row.name, [pattern]);
}
for (const pseudo of PSEUDOS) {
  const known = patterns.get(pseudo.name);
  if (known === undefined) patterns.set(pseudo.name, [pseudo]);
  else known.push(pseudo);
}

/** All words that an instruction can begin with. */
export const MNEMONICS: ReadonlySet<string> = new Set(patterns.keys());

/** An instruction whose operands are read but not yet worked out. */
interface Prepared {
  bytes: 2 | 4;
  encode(address: number): number;
  /** What its `%pcrel_hi` is the distance to, for the `%pcrel_lo` that refers to it. */
  pcrel: Expression | undefined;
}

/** Items with `%pcrel_hi`: what it refers to. */
export const pcrelTargets = new WeakMap<object, Expression>();

/** Assembles the instruction `name` with these operands into the present section. */
export function assembleInstruction(
  assembly: Assembly,
  name: Token,
  operands: readonly Token[],
  place: Place,
): void {
  const pattern = choosePattern(patterns.get(name.text) ?? unknownInstruction(name), operands, place);
  const bindings = bind(pattern, operands, place);
  if ('row' in pattern) {
    appendPrepared(assembly, prepare(assembly, pattern, bindings, place), place);
    return;
  }
  for (const slot of pattern.slots) {
    const register = slot.form === 'register' ? slot.name : slot.base;
    if (register !== undefined) readRegister(bindings.get(register) ?? [], pattern, register);
  }
  if (pattern.name === 'li') appendLi(assembly, bindings, place);
  else {
    for (const step of pattern.steps)
      appendPrepared(assembly, prepareStep(assembly, step, bindings, place), place);
  }
}

function unknownInstruction(name: Token): never {
  const lower = name.text.toLowerCase();
  const hint = patterns.has(lower)
    ? ` Write it in small letters: \`${lower}\`.`
    : didYouMean(name.text, MNEMONICS);
  return fail(name, `There is no instruction called \`${name.text}\`.${hint}`);
}

/** One instruction of a pseudo-instruction, with the statement's operands put in. */
function prepareStep(assembly: Assembly, step: Step, bindings: Bindings, place: Place): Prepared {
  const line = { file: place.line.file, number: place.line.number, text: step.operands };
  const tokens = lex(line, step.operands, 0, step.operands.length).flatMap((token) =>
    token.kind === 'name' && bindings.has(token.text)
      ? (bindings.get(token.text) ?? [])
      : [{ ...token, ...place }],
  );
  const pattern = rowPatterns.get(step.row);
  if (pattern === undefined) throw new Error(`${step.row.name} is no row of the instruction set.`);
  return prepare(assembly, pattern, bind(pattern, tokens, place), place);
}

/** Reads the operands of a row. */
function prepare(assembly: Assembly, pattern: RowPattern, bindings: Bindings, place: Place): Prepared {
  const { row } = pattern;
  const parts: { field: Field; value: number | Expression; place: Place }[] = [];
  for (const field of row.format.fields) {
    const group = bindings.get(field.operand) ?? [];
    const value = readOperand(assembly, pattern, field, group, bindings, place);
    parts.push({ field, value, place: span(group, place) });
  }
  checkFixedRegisters(pattern, bindings);
  const pcrel = parts.map(({ value }) => (typeof value === 'number' ? undefined : pcrelOperand(value)));
  return {
    bytes: row.length,
    pcrel: pcrel.find((expression) => expression !== undefined),
    encode(address) {
      const operands: Partial<Operands> = {};
      for (const part of parts) {
        operands[part.field.operand] =
          typeof part.value === 'number'
            ? part.value
            : operandValue(assembly, row, part.field, part.value, part.place, address);
      }
      return encode(row, operands);
    },
  };
}

function readOperand(
  assembly: Assembly,
  pattern: RowPattern,
  field: Field,
  group: readonly Token[],
  bindings: Bindings,
  place: Place,
): number | Expression {
  if (field.kind === 'fence') {
    const half = field.width / 2;
    return (readFenceSet(bindings.get('pred') ?? []) << half) | readFenceSet(bindings.get('succ') ?? []);
  }
  if (field.kind === 'register') {
    const number = readRegister(group, pattern, field.operand);
    if (operandProblem(pattern.row, field, number) !== undefined) wrongRegister(pattern.row, field, group[0]);
    return number;
  }
  if (field.kind === 'csr') {
    const number = readCsrName(group, (name) => assembly.names.has(name));
    if (number !== undefined) return number;
  }
  // In `(rs1)` the missing number is 0.
  if (group.length === 0) return 0;
  noRegister(group, pattern);
  return assembly.expression(group, place);
}

/** The instruction has no bits for this register, or means something else with it. */
function wrongRegister(row: Row, field: Field, token: Token): never {
  const { low, high } = fieldRange(field);
  if (field.from > 0)
    fail(
      token,
      `\`${row.name}\` can only name ${ABI_NAMES[low]} to ${ABI_NAMES[high]} (x${low} to x${high}) here.`,
    );
  return fail(token, `\`${row.name}\` does not work with \`${token.text}\` here.`);
}

/** For somebody who writes `addi a0, a0, a1`. */
function noRegister(group: readonly Token[], { row, name }: RowPattern): void {
  const { kind, text } = group[0];
  const other = name.replace(/i(u?)$/, '$1');
  if (group.length > 1 || kind !== 'name' || other === name || rowByName(other) === undefined) return;
  const isRegister =
    rowByName(other)?.format.syntax.split(',').length === row.format.syntax.split(',').length;
  if (isRegister && REGISTER_LIKE.test(text))
    fail(
      group[0],
      `\`${name}\` needs a number here, and \`${text}\` is a register. For a register there is \`${other}\`.`,
    );
}

const REGISTER_LIKE = /^(x\d+|a\d|s\d+|t\d|ra|sp|gp|tp|fp|zero)$/;

/** A register that the syntax names itself, like `sp` in `imm(sp)`, must be that one. */
function checkFixedRegisters(pattern: RowPattern, bindings: Bindings): void {
  const operands: readonly string[] = pattern.row.format.fields.map((field) => field.operand);
  for (const slot of pattern.slots) {
    const name = slot.form === 'memory' ? slot.base : slot.form === 'register' ? slot.name : undefined;
    const group = name === undefined ? undefined : bindings.get(name);
    if (name === undefined || group === undefined || operands.includes(name)) continue;
    const fixed: Token = { ...group[0], kind: 'name', text: name };
    if (readRegister(group, pattern, name) !== readRegister([fixed], pattern, name))
      fail(group[0], `\`${pattern.name}\` works with \`${name}\` only, not with \`${group[0].text}\`.`);
  }
}

/** The value of an operand in the instruction at `address`, checked against what fits. */
function operandValue(
  assembly: Assembly,
  row: Row,
  field: Field,
  expression: Expression,
  place: Place,
  address: number,
): number {
  const known = assembly.knowledge(address, (target, at) => pcrelDistance(assembly, target, at));
  const value = evaluate(expression, known)?.value;
  if (value === undefined) return fail(place, 'This has no value that an instruction can hold.');
  if (field.kind === 'offset') return offsetValue(row, field, value, place, address);
  if (value < -0x80000000n || value > 0xffffffffn)
    return fail(place, `${value} needs more than the 32 bits of a register.`);
  if (field.kind === 'upper') return upperValue(row, field, value, place);
  const number = field.kind === 'signed' ? Number(BigInt.asIntN(32, value)) : Number(value);
  if (operandProblem(row, field, number) !== undefined) outOfRange(row, field, number, place);
  return number;
}

/** The distance that the `%pcrel_hi` at an address stands for. */
function pcrelDistance(assembly: Assembly, address: bigint, at: Token): bigint {
  for (const section of assembly.sections.values()) {
    const offset = Number(address) - (section.address ?? 0);
    const item = itemAt(section.items, offset);
    const expression = item === undefined ? undefined : pcrelTargets.get(item);
    if (expression === undefined) continue;
    const target = evaluate(expression, assembly.knowledge(Number(address)));
    if (target !== undefined) return target.value - address;
  }
  return fail(
    at,
    '`%pcrel_lo` needs the label of an `auipc` with `%pcrel_hi`: `1: auipc a0, %pcrel_hi(x)` and then `%pcrel_lo(1b)`.',
  );
}

/** The item that begins at an offset and isn't empty. Items are in order: halve until found. */
function itemAt<T extends { offset: number; size: number }>(
  items: readonly T[],
  offset: number,
): T | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].offset + items[middle].size > offset) high = middle;
    else low = middle + 1;
  }
  return items[low]?.offset === offset ? items[low] : undefined;
}

/** The number is that of the upper bits: `lui a0, 1` is 4096. */
function upperValue(row: Row, field: Field, value: bigint, place: Place): number {
  const most = 2 ** (32 - field.zeros) - 1;
  if (value < 0n || value > BigInt(most)) {
    return fail(
      place,
      `${value} does not fit: \`${row.name}\` takes 0 to ${most} (0x${most.toString(16)}), the upper ${32 - field.zeros} bits. Use \`%hi(…)\`, or let \`li\` do it.`,
    );
  }
  const number = Number(BigInt.asIntN(32, value << BigInt(field.zeros)));
  if (operandProblem(row, field, number) !== undefined) {
    const high = fieldRange(field).high / 2 ** field.zeros;
    fail(
      place,
      `${value} does not fit: \`${row.name}\` takes 1 to ${high} and 0x${(most - high).toString(16)} to 0x${most.toString(16)}. Use \`lui\`.`,
    );
  }
  return number;
}

function offsetValue(row: Row, field: Field, target: bigint, place: Place, address: number): number {
  const distance = Number(BigInt.asIntN(32, target - BigInt(address)));
  const { low, high } = fieldRange(field);
  if (distance < low || distance > high) {
    const hint = row.format.syntax.includes('rs1')
      ? 'Branch around a jump: test the opposite, and put `j` to the far place behind it.'
      : 'Use `call` or `tail`, which reach everything.';
    return fail(
      place,
      `This is ${distance} bytes away, but \`${row.name}\` only reaches ${low} to ${high}. ${hint}`,
    );
  }
  if (operandProblem(row, field, distance) !== undefined)
    return fail(place, `This is ${distance} bytes away, but \`${row.name}\` can only go to even addresses.`);
  return distance;
}

function outOfRange(row: Row, field: Field, value: number, place: Place): never {
  const { low, high } = fieldRange(field);
  const takes = `\`${row.name}\` takes ${low} to ${high} here`;
  if (field.kind === 'csr')
    return fail(place, `There is no CSR number ${value}: they go from 0 to 0x${high.toString(16)}.`);
  if (row.excluded[field.operand]?.includes(value))
    return fail(place, `\`${row.name}\` does not take ${value} here.`);
  if (value >= low && value <= high)
    return fail(place, `${value} does not fit: \`${row.name}\` takes multiples of ${2 ** field.zeros} here.`);
  if (field.kind !== 'signed') return fail(place, `${value} does not fit: ${takes}.`);
  const isMemory = row.format.syntax.includes('(');
  const other = row.name.replace(/i(u?)$/, '$1');
  const hint = isMemory
    ? 'Put the address into a register with `li` or `la` first.'
    : other !== row.name && rowByName(other) !== undefined
      ? `Put the number into a register with \`li\` and use \`${other}\`.`
      : 'Put the number into a register with `li` first.';
  return fail(place, `${value} does not fit: ${takes}. ${hint}`);
}

function appendPrepared(assembly: Assembly, prepared: Prepared, place: Place): void {
  const item = {
    size: prepared.bytes,
    place,
    isLine: true,
    emit: (address: number) => wordBytes(prepared.encode(address), prepared.bytes),
  };
  assembly.append(item);
  const { items } = assembly.section;
  if (prepared.pcrel !== undefined) pcrelTargets.set(items[items.length - 1], prepared.pcrel);
}

function wordBytes(word: number, count: 2 | 4): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, word, true);
  return bytes.subarray(0, count);
}

/** The shortest of LI's ways; it may only become clear later which one that is. */
function appendLi(assembly: Assembly, bindings: Bindings, place: Place): void {
  const group = bindings.get('imm') ?? [];
  const expression = assembly.expression(group, place);
  const ways = new Map(
    Object.values(LI).map((way) => [
      way,
      (readSteps(way) ?? []).map((step) => prepareStep(assembly, step, bindings, place)),
    ]),
  );
  const value = () => {
    const now = evaluate(expression, assembly.knowledge());
    return now === undefined || now.base !== undefined ? undefined : now.value;
  };
  const known = value();
  if (known !== undefined) {
    checkWord(known, span(group, place));
    for (const step of ways.get(liWay(known)) ?? []) appendPrepared(assembly, step, place);
    return;
  }
  appendLateLi(assembly, ways, value, place);
}

function appendLateLi(
  assembly: Assembly,
  ways: Map<string, Prepared[]>,
  value: () => bigint | undefined,
  place: Place,
): void {
  // Only ever grows: otherwise two of them could go on changing each other for ever.
  let way = LI.small;
  let size = 4;
  const sizeOf = (steps: Prepared[] = []) => steps.reduce((sum, step) => sum + step.bytes, 0);
  assembly.append({
    size,
    place,
    isLine: true,
    resize() {
      const now = value();
      const wanted = now === undefined ? LI.any : liWay(now);
      if (sizeOf(ways.get(wanted)) >= size) way = wanted;
      size = sizeOf(ways.get(way));
      return size;
    },
    emit(address) {
      const now = value();
      if (now !== undefined) checkWord(now, place);
      if (now !== undefined && sizeOf(ways.get(liWay(now))) === size) way = liWay(now);
      const bytes = new Uint8Array(size);
      let offset = 0;
      for (const step of ways.get(way) ?? []) {
        bytes.set(wordBytes(step.encode(address + offset), step.bytes), offset);
        offset += step.bytes;
      }
      return bytes;
    },
  });
}

function liWay(value: bigint): string {
  const word = BigInt.asIntN(32, value);
  if (BigInt.asIntN(12, word) === word) return LI.small;
  return (word & 0xfffn) === 0n ? LI.round : LI.any;
}

function checkWord(value: bigint, place: Place): void {
  if (value < -0x80000000n || value > 0xffffffffn)
    fail(place, `${value} does not fit into a register: 32 bits hold -2147483648 to 4294967295.`);
}
