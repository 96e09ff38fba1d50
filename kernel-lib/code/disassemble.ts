/**
 * The disassembler: words to text that the assembler reads back into the same words.
 *
 * Operands are written as the row's syntax says, pseudo-instructions by reading the assembler's
 * table of them backwards. Names and forms are those of GNU's objdump, but for one thing: where its
 * aliases write `and a0,a0,1`, here stands `andi a0, a0, 1`.
 */
import { bits, hex } from '../bits';
import { csrByName, csrByNumber } from '../isa/csrs';
import type { Field, Operands, Row } from '../isa/formats';
import { ABI_NAMES, registerNumber } from '../isa/registers';
import { lex } from './assembly/lexer';
import { bind, FENCE_LETTERS, readFenceSet, type Slot, slotsOfRow } from './assembly/operands';
import { SHOWN_PSEUDOS } from './assembly/pseudo';
import { decode, type Instruction } from './decode';
import { bytesAt, type Program } from './program';

export interface DisassembleOptions {
  /** Whether to write `ret` for `jalr zero, 0(ra)`; true if left out. */
  aliases?: boolean;
  /** Names of addresses, for targets of branches. */
  symbols?: ReadonlyMap<string, number>;
}

/**
 * The instruction in `word`, which lies at `address`, as text: `beqz a0, 0x80400010`.
 * A word that encodes none comes as `.word 0x…` (16 bits: `.half 0x…`).
 */
export function disassemble(word: number, address = 0, options: DisassembleOptions = {}): string {
  const instruction = decode(word);
  if (instruction === undefined)
    return bits(word, 1, 0) === 3 ? `.word ${hex(word)}` : `.half ${hex(bits(word, 15, 0), 4)}`;
  const alias = options.aliases === false ? undefined : aliasOf(instruction);
  if (alias !== undefined)
    return show(alias.name, alias.slots, alias.operands, instruction, address, options);
  const operands = new Map<string, string>(Object.keys(NOTHING).map((name) => [name, name]));
  for (const half of ['pred', 'succ']) operands.set(half, half);
  return show(instruction.row.name, slotsOf(instruction.row), operands, instruction, address, options);
}

const NOTHING: Operands = { rd: 0, rs1: 0, rs2: 0, imm: 0, csr: 0 };

const slotsByRow = new Map<Row, Slot[]>();

function slotsOf(row: Row): Slot[] {
  let slots = slotsByRow.get(row);
  if (slots === undefined) slotsByRow.set(row, (slots = slotsOfRow(row)));
  return slots;
}

/** A pseudo-instruction as the disassembler needs it. */
interface Alias {
  name: string;
  slots: readonly Slot[];
  /** What the pseudo-instruction calls an operand -> what the row calls it. */
  operands: Map<string, string>;
  /** What the row's other operands must be. `pred` and `succ` are the halves of a fence. */
  fixed: [name: string, value: number][];
}

/** The single instructions that pseudo-instructions stand for. */
const aliasesByRow = new Map<Row, Alias[]>();
for (const { name, slots, steps } of SHOWN_PSEUDOS) {
  const [{ row, operands: text }, ...more] = steps;
  if (more.length > 0) continue;
  const names = new Set(slots.flatMap((slot) => [slot.name, slot.base]));
  const alias: Alias = { name, slots, operands: new Map(), fixed: [] };
  const line = { file: '', number: 0, text };
  const bindings = bind({ name, slots: slotsOf(row) }, lex(line, text, 0, text.length), {
    line,
    start: 0,
    end: 0,
  });
  for (const [operand, tokens] of bindings) {
    const written = tokens.map((token) => token.text).join('');
    if (names.has(written)) alias.operands.set(written, operand);
    else alias.fixed.push([operand, fixedValue(operand, written, () => readFenceSet(tokens))]);
  }
  aliasesByRow.set(row, [...(aliasesByRow.get(row) ?? []), alias]);
}

function fixedValue(operand: string, written: string, fenceSet: () => number): number {
  if (operand === 'pred' || operand === 'succ') return fenceSet();
  return registerNumber(written) ?? csrByName(written)?.number ?? Number(written);
}

/** The first pseudo-instruction that stands for just this. */
function aliasOf(instruction: Instruction): Alias | undefined {
  return aliasesByRow
    .get(instruction.row)
    ?.find(({ fixed }) => fixed.every(([name, value]) => operandOf(instruction, name) === value));
}

function operandOf(instruction: Instruction, name: string): number {
  if (name === 'pred') return bits(instruction.imm, 7, 4);
  if (name === 'succ') return bits(instruction.imm, 3, 0);
  return instruction[name as keyof Operands];
}

/** Writes an instruction: `operands` says which of the instruction's operands a slot's name is. */
function show(
  name: string,
  slots: readonly Slot[],
  operands: ReadonlyMap<string, string>,
  instruction: Instruction,
  address: number,
  options: DisassembleOptions,
): string {
  const one = (slotName: string) => {
    const operand = operands.get(slotName);
    // A register that the syntax names itself, like `sp` in `imm(sp)`.
    return operand === undefined ? slotName : showOperand(instruction, operand, address, options);
  };
  const written = slots.map((slot) => {
    const number = slot.name === undefined ? '' : one(slot.name);
    return slot.form === 'memory' ? `${number}(${one(slot.base ?? '')})` : number;
  });
  return `${name} ${written.join(', ')}`.trim();
}

function showOperand(
  instruction: Instruction,
  operand: string,
  address: number,
  { symbols }: DisassembleOptions,
): string {
  const value = operandOf(instruction, operand);
  if (operand === 'pred' || operand === 'succ') return showFenceSet(value);
  const field = instruction.row.format.fields.find((candidate) => candidate.operand === operand);
  return field === undefined ? operand : showValue(field, value, address, symbols);
}

function showValue(
  field: Field,
  value: number,
  address: number,
  symbols: ReadonlyMap<string, number> | undefined,
): string {
  switch (field.kind) {
    case 'register':
      return ABI_NAMES[value];
    case 'csr':
      return csrByNumber(value)?.name ?? hex(value, 3);
    case 'offset':
      return showTarget((address + value) >>> 0, symbols);
    case 'upper':
      return hex(bits(value, field.width - 1, field.zeros), 1);
    default:
      return String(value);
  }
}

function showTarget(target: number, symbols: ReadonlyMap<string, number> | undefined): string {
  for (const [name, value] of symbols ?? []) if (value === target) return name;
  return hex(target);
}

function showFenceSet(set: number): string {
  const letters = [...FENCE_LETTERS].filter((_, index) => (set >> index) & 1).reverse();
  return letters.length === 0 ? '0' : letters.join('');
}

/**
 * The program as a table of text: address, word, instruction, and the line of the source that it
 * comes from. Labels stand on lines of their own.
 */
export function listing(program: Program): string {
  const labelsAt = new Map<number, string[]>();
  for (const [name, address] of program.labels)
    labelsAt.set(address, [...(labelsAt.get(address) ?? []), name]);
  const rows: string[] = [];
  let lastLine = '';
  for (const [address, line] of program.lines) {
    for (const label of labelsAt.get(address) ?? []) rows.push(`${label}:`);
    const origin = `${line.line}: ${line.text.trim()}`;
    const segment = program.segments.find(
      (each) => address >= each.address && address < each.address + each.size,
    );
    const steps = segment?.executable
      ? instructionsOf(program, address, line.bytes)
      : dataOf(program, address, line.bytes);
    for (const [at, word, text] of steps) {
      const source = origin === lastLine ? '' : `# ${origin}`;
      rows.push(`  ${hex(at)}  ${word.padEnd(8)}  ${text.padEnd(32)}  ${source}`.trimEnd());
      lastLine = origin;
    }
  }
  return rows.join('\n');
}

type ListingStep = [address: number, word: string, text: string];

function instructionsOf(program: Program, address: number, count: number): ListingStep[] {
  const steps: ListingStep[] = [];
  for (let at = address; at < address + count; ) {
    const left = Math.min(4, address + count - at);
    const bytes = bytesAt(program, at, left) ?? new Uint8Array(left);
    const word = bytes.reduce((sum, byte, index) => sum | (byte << (8 * index)), 0);
    const length = bits(word, 1, 0) === 3 ? 4 : 2;
    if (length > left) return [...steps, ...dataOf(program, at, left)];
    steps.push([
      at,
      hex(length === 4 ? word : bits(word, 15, 0), 2 * length).slice(2),
      disassemble(word, at, { symbols: program.labels }),
    ]);
    at += length;
  }
  return steps;
}

/** Data, sixteen bytes to a line. */
function dataOf(program: Program, address: number, count: number): ListingStep[] {
  const steps: ListingStep[] = [];
  for (let at = address; at < address + count; at += 16) {
    const bytes = bytesAt(program, at, Math.min(16, address + count - at)) ?? new Uint8Array();
    const shown = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = String.fromCharCode(...bytes).replaceAll(/[^ -~]/g, '.');
    steps.push([
      at,
      bytes.length <= 4 ? shown.replaceAll(' ', '') : '',
      bytes.length <= 4 ? text : `${shown}  ${text}`,
    ]);
  }
  return steps;
}
