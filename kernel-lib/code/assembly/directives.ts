/**
 * Directives: the statements that begin with a dot, except those that make other statements
 * (macros.ts). A table: name -> what it does.
 */
import { encode } from '../encode';
import { evaluate } from './expressions';
import type { Section, SectionKind } from './layout';
import { failIfBad, span, splitAtCommas, stringBytes, type Token } from './lexer';
import { didYouMean, fail, Mistake } from './problems';
import { readSteps } from './pseudo';
import type { Place } from './source';
import { type Assembly, GiveUp, MOST_BYTES } from './state';

/** A directive with what stands behind it. */
interface Use {
  assembly: Assembly;
  name: Token;
  tokens: readonly Token[];
  operands: readonly Token[][];
  /** The statement's. */
  place: Place;
}

type Directive = (use: Use) => void;

const DATA = {
  1: ['.byte', '.1byte'],
  2: ['.half', '.short', '.hword', '.2byte'],
  4: ['.word', '.long', '.int', '.4byte'],
  8: ['.dword', '.quad', '.8byte'],
};

// What concerns linkers and debuggers: one program is all that there is here.
const IGNORED = [
  '.local',
  '.weak',
  '.hidden',
  '.protected',
  '.internal',
  '.type',
  '.size',
  '.file',
  '.ident',
  '.option',
  '.attribute',
  '.loc',
  '.version',
  '.title',
  '.sbttl',
  '.list',
  '.nolist',
  '.eject',
  '.psize',
  '.func',
  '.endfunc',
];

const DIRECTIVES = new Map<string, Directive>([
  ...Object.entries(DATA).flatMap(([bytes, names]) =>
    names.map((name): [string, Directive] => [name, (use) => data(use, Number(bytes))]),
  ),
  ...IGNORED.map((name): [string, Directive] => [name, () => {}]),
  ['.ascii', (use) => strings(use, [])],
  ['.asciz', (use) => strings(use, [0])],
  ['.string', (use) => strings(use, [0])],
  ['.align', (use) => align(use, 'power')],
  ['.p2align', (use) => align(use, 'power')],
  ['.balign', (use) => align(use, 'bytes')],
  ['.space', space],
  ['.skip', space],
  ['.zero', space],
  ['.fill', fill],
  ['.org', org],
  ['.equ', equ],
  ['.set', equ],
  ['.equiv', equ],
  ['.globl', globl],
  ['.global', globl],
  ['.comm', comm],
  ['.lcomm', comm],
  ['.text', (use) => enter(use, '.text')],
  ['.data', (use) => enter(use, '.data')],
  ['.bss', (use) => enter(use, '.bss')],
  ['.rodata', (use) => enter(use, '.rodata')],
  ['.section', section],
  [
    '.pushsection',
    (use) => {
      use.assembly.sectionStack.push(use.assembly.section);
      section(use);
    },
  ],
  ['.popsection', popSection],
  ['.previous', ({ assembly }) => assembly.enter(assembly.before)],
  ['.error', userError],
  ['.err', userError],
]);

/** All names of directives that this file knows. */
export const DIRECTIVE_NAMES: readonly string[] = [...DIRECTIVES.keys()];

/** Performs the directive `name`. `others` are names that stand elsewhere, for suggestions. */
export function performDirective(
  assembly: Assembly,
  name: Token,
  tokens: readonly Token[],
  place: Place,
  others: readonly string[],
): void {
  const lower = name.text.toLowerCase();
  const directive = DIRECTIVES.get(lower);
  if (directive === undefined) {
    if (lower.startsWith('.cfi_')) return;
    fail(
      name,
      `There is no directive called \`${name.text}\`.${didYouMean(name.text, [...DIRECTIVE_NAMES, ...others])}`,
    );
  }
  directive({ assembly, name, tokens, operands: splitAtCommas(tokens), place });
}

function wantOperands({ name, operands, place }: Use, low: number, high: number, form: string): void {
  if (operands.length >= low && operands.length <= high) return;
  fail(place, `\`${name.text}\` is written \`${name.text} ${form}\`.`);
}

// Data

function data(use: Use, bytes: number): void {
  const { assembly, name, place } = use;
  wantOperands(use, 1, Number.POSITIVE_INFINITY, 'value, value, …');
  for (const group of use.operands) {
    const expression = assembly.expression(group, place);
    const at = span(group, place);
    const emit = () => {
      const value = evaluate(expression, assembly.knowledge())?.value;
      if (value === undefined) return fail(at, 'This has no value that can be stored.');
      return numberBytes(value, bytes, name.text, at);
    };
    assembly.append({ size: bytes, place: at, isLine: true, emit });
  }
}

function numberBytes(value: bigint, bytes: number, name: string, place: Place): Uint8Array {
  const bits = BigInt(8 * bytes);
  const [low, high] = [-(1n << (bits - 1n)), (1n << bits) - 1n];
  if (value < low || value > high) fail(place, `${value} does not fit: \`${name}\` holds ${low} to ${high}.`);
  const buffer = new DataView(new ArrayBuffer(8));
  buffer.setBigUint64(0, BigInt.asUintN(64, value), true);
  return new Uint8Array(buffer.buffer, 0, bytes);
}

function strings(use: Use, terminator: readonly number[]): void {
  const { assembly, place } = use;
  wantOperands(use, 1, Number.POSITIVE_INFINITY, '"text"');
  for (const group of use.operands) {
    failIfBad(group);
    if (group.length === 0) fail(place, 'Here a string is missing.');
    const odd = group.find((token) => token.kind !== 'string');
    if (odd !== undefined) fail(odd, 'Here a string should stand, in double quotes.');
    const bytes = Uint8Array.from([...group.flatMap(stringBytes), ...terminator]);
    assembly.append({ size: bytes.length, place: span(group, place), isLine: true, emit: () => bytes });
  }
}

// Room

/** For holes in code: an instruction that does nothing, four bytes of it and (with C) two. */
const NOP = noOperation('addi zero, zero, 0');
const SHORT_NOP = noOperation('c.nop');

function noOperation(text: string): number {
  const [step] = readSteps(text) ?? [];
  return step === undefined ? 0 : encode(step.row, {});
}

function align(use: Use, unit: 'power' | 'bytes'): void {
  const { assembly, place, operands } = use;
  wantOperands(use, 1, 3, unit === 'power' ? 'power of two' : 'bytes');
  const most = unit === 'power' ? 24 : 2 ** 24;
  const number = assembly.numberBetween(operands[0], place, 'The alignment', 0, most);
  const alignment = unit === 'power' ? 2 ** number : Math.max(1, number);
  if (!Number.isInteger(Math.log2(alignment)))
    fail(span(operands[0], place), `${alignment} is not a power of two.`);
  const has = (index: number) => operands[index] !== undefined && operands[index].length > 0;
  const filler = has(1) ? assembly.numberBetween(operands[1], place, 'The filler', -128, 255) : undefined;
  const limit = has(2) ? assembly.numberBetween(operands[2], place, 'The limit', 0, most) : most;
  const { section } = assembly;
  const holeAt = (address: number) => {
    const hole = Math.ceil(address / alignment) * alignment - address;
    return hole > limit ? 0 : hole;
  };
  section.alignment = Math.max(section.alignment, alignment);
  const item = {
    size: holeAt(section.size),
    place,
    isLine: false,
    emit: (address: number) => holeBytes(holeAt(address), filler, section.kind),
  };
  assembly.append(section.isCertain ? item : { ...item, resize: holeAt });
}

/** What stands in a hole: in code instructions that do nothing, as far as they fit. */
function holeBytes(count: number, filler: number | undefined, kind: SectionKind): Uint8Array {
  const bytes = new Uint8Array(count).fill(filler ?? 0);
  if (filler !== undefined || kind !== 'code') return bytes;
  const view = new DataView(bytes.buffer);
  if (count & 2) view.setInt16(count & 1, SHORT_NOP, true);
  for (let offset = count % 4; offset < count; offset += 4) view.setInt32(offset, NOP, true);
  return bytes;
}

function space(use: Use): void {
  const { assembly, place, operands } = use;
  wantOperands(use, 1, 2, 'bytes, filler');
  const filler =
    operands[1] === undefined ? 0 : assembly.numberBetween(operands[1], place, 'The filler', -128, 255);
  room(use, operands[0], filler, (size) => size);
}

function org(use: Use): void {
  const { assembly, place, operands } = use;
  const { section } = assembly;
  wantOperands(use, 1, 2, 'offset');
  const start = section.label('.');
  const filler =
    operands[1] === undefined ? 0 : assembly.numberBetween(operands[1], place, 'The filler', -128, 255);
  const here = () => {
    const value = start.where();
    const base = section.address;
    return value === undefined ? 0n : value.value - BigInt(base ?? 0);
  };
  room(use, operands[0], filler, (to) => to - here());
}

/** Room whose size may depend on labels. `sizeOf` makes it from the operand's value. */
function room(use: Use, operand: readonly Token[], filler: number, sizeOf: (value: bigint) => bigint): void {
  const { assembly, place } = use;
  const { section } = assembly;
  const most = section.kind === 'zeros' ? 2 ** 31 : MOST_BYTES;
  const at = span(operand, place);
  const expression = assembly.expression(operand, place);
  const check = (value: bigint) => {
    const size = sizeOf(value);
    if (size < 0n || size > BigInt(most))
      fail(at, `${size} bytes is not a size: it must be from 0 to ${most}.`);
    return Number(size);
  };
  const known = evaluate(expression, assembly.knowledge());
  const emit = (size: number) => new Uint8Array(size).fill(filler);
  const item = {
    place,
    isLine: false,
    ...(section.kind === 'zeros' && filler === 0 ? {} : { emit: () => emit(check(now())) }),
  };
  const now = () => {
    const value = evaluate(expression, assembly.knowledge());
    return value === undefined ? fail(at, 'This has no value that can be a size.') : value.value;
  };
  if (known !== undefined && known.base === undefined && section.isCertain) {
    assembly.append({ ...item, size: check(known.value) });
    return;
  }
  const resize = () => {
    const value = evaluate(expression, assembly.knowledge());
    const size = value === undefined || value.base !== undefined ? 0n : sizeOf(value.value);
    return size < 0n || size > BigInt(most) ? 0 : Number(size);
  };
  assembly.append({ ...item, size: 0, resize, emit: () => emit(check(now())) });
}

function fill(use: Use): void {
  const { assembly, place, operands } = use;
  wantOperands(use, 1, 3, 'repeat, size, value');
  const number = (index: number, otherwise: number, what: string, low: number, high: number) =>
    operands[index] === undefined || operands[index].length === 0
      ? otherwise
      : assembly.numberBetween(operands[index], place, what, low, high);
  const size = number(1, 1, 'The size', 0, 8);
  const repeat = number(0, 0, 'The repeat', 0, Math.floor(MOST_BYTES / Math.max(1, size)));
  const value = number(2, 0, 'The value', -(2 ** 31), 2 ** 32 - 1);
  const unit = new DataView(new ArrayBuffer(8));
  unit.setInt32(0, value | 0, true);
  const emit = () => {
    const bytes = new Uint8Array(repeat * size);
    for (let at = 0; at < bytes.length; at += size) bytes.set(new Uint8Array(unit.buffer, 0, size), at);
    return bytes;
  };
  assembly.append({ size: repeat * size, place, isLine: false, emit });
}

// Names

function equ(use: Use): void {
  wantOperands(use, 2, 2, 'name, value');
  const [[name, ...rest], value] = use.operands;
  if (name?.kind !== 'name' || rest.length > 0)
    fail(use.place, `\`${use.name.text}\` is written \`${use.name.text} name, value\`.`);
  if (use.name.text === '.equiv' && use.assembly.names.has(name.text))
    fail(name, `\`${name.text}\` is already defined.`);
  use.assembly.setValue(name, use.assembly.expression(value, use.place));
}

function globl(use: Use): void {
  wantOperands(use, 1, Number.POSITIVE_INFINITY, 'name');
  for (const group of use.operands) {
    const [name] = group;
    if (group.length !== 1 || name.kind !== 'name') fail(span(group, use.place), 'Here a name should stand.');
    use.assembly.globals.add(name.text);
  }
}

function comm(use: Use): void {
  const { assembly, operands, place } = use;
  wantOperands(use, 2, 3, 'name, bytes, alignment');
  const [[name], bytes, alignment] = operands;
  if (name?.kind !== 'name') fail(place, 'Here a name should stand.');
  const size = assembly.numberBetween(bytes, place, 'The size', 0, 2 ** 31);
  const unit =
    alignment === undefined
      ? Math.min(16, 2 ** Math.ceil(Math.log2(Math.max(1, size))))
      : assembly.numberBetween(alignment, place, 'The alignment', 1, 2 ** 24);
  if (!Number.isInteger(Math.log2(unit))) fail(place, `${unit} is not a power of two.`);
  const bss = assembly.sectionNamed('.bss', 'zeros');
  bss.alignment = Math.max(bss.alignment, unit);
  const holeAt = (address: number) => Math.ceil(address / unit) * unit - address;
  assembly.append({ size: holeAt(bss.size), place, isLine: false, resize: holeAt }, bss);
  const present = assembly.section;
  assembly.section = bss;
  try {
    assembly.defineLabel(name);
  } finally {
    assembly.section = present;
  }
  if (use.name.text === '.comm') assembly.globals.add(name.text);
  assembly.append({ size, place, isLine: false }, bss);
}

// Sections

function enter(use: Use, name: string): void {
  use.assembly.enter(use.assembly.sectionNamed(name, kindOf(name, undefined, false)));
}

function section(use: Use): void {
  wantOperands(use, 1, 5, 'name');
  const [first, ...rest] = use.operands;
  failIfBad(first);
  const name = first
    .map((token) => (token.kind === 'string' ? token.text.slice(1, -1) : token.text))
    .join('');
  if (name === '') fail(use.place, 'Here the name of a section is missing.');
  const flags = rest[0]?.[0]?.kind === 'string' ? rest[0][0].text.slice(1, -1) : undefined;
  const isNobits = rest.flat().some((token) => token.text === 'nobits');
  use.assembly.enter(use.assembly.sectionNamed(name, kindOf(name, flags, isNobits)));
}

/** What a section holds: by its flags, or else by its name. */
function kindOf(name: string, flags: string | undefined, isNobits: boolean): SectionKind {
  if (isNobits || /^\.s?bss(\.|$)/.test(name)) return 'zeros';
  if (flags !== undefined && /[awx]/.test(flags))
    return flags.includes('x') ? 'code' : flags.includes('w') ? 'data' : 'constants';
  if (/^\.(text|init|fini)(\.|$)/.test(name)) return 'code';
  return /^\.s?data(\.|$)/.test(name) ? 'data' : 'constants';
}

function popSection({ assembly, place }: Use): void {
  const section: Section | undefined = assembly.sectionStack.pop();
  if (section === undefined) fail(place, 'There is no `.pushsection` for this `.popsection`.');
  assembly.enter(section);
}

function userError({ assembly, tokens, place }: Use): void {
  const text =
    tokens[0]?.kind === 'string'
      ? new TextDecoder().decode(Uint8Array.from(stringBytes(tokens[0])))
      : 'The program stops here with `.err`.';
  assembly.note(new Mistake(place, text));
  throw new GiveUp();
}
