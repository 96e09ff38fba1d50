/**
 * WebAssembly modules as bytes: just what the translator needs of the binary format.
 *
 * `Code` collects the instructions of one function, as bytes and (for people) as text; labels
 * are objects, and how many blocks out a branch has to go is worked out here. `moduleBytes`
 * puts functions into a module. WebAssembly Core Specification, Binary Format.
 */

/** Instructions without immediates, and those with simple ones, by the specification's names. */
// biome-ignore format: a table
const OPCODES = {
  unreachable: 0x00, return: 0x0f, drop: 0x1a, select: 0x1b,
  'local.get': 0x20, 'local.set': 0x21, 'local.tee': 0x22,
  'i32.load': 0x28, 'i32.load8_s': 0x2c, 'i32.load8_u': 0x2d, 'i32.load16_s': 0x2e, 'i32.load16_u': 0x2f,
  'i32.store': 0x36, 'i32.store8': 0x3a, 'i32.store16': 0x3b,
  'i32.const': 0x41, 'i64.const': 0x42,
  'i32.eqz': 0x45, 'i32.eq': 0x46, 'i32.ne': 0x47, 'i32.lt_s': 0x48, 'i32.lt_u': 0x49, 'i32.gt_s': 0x4a,
  'i32.gt_u': 0x4b, 'i32.le_s': 0x4c, 'i32.le_u': 0x4d, 'i32.ge_s': 0x4e, 'i32.ge_u': 0x4f,
  'i32.add': 0x6a, 'i32.sub': 0x6b, 'i32.mul': 0x6c, 'i32.div_s': 0x6d, 'i32.div_u': 0x6e, 'i32.rem_s': 0x6f,
  'i32.rem_u': 0x70, 'i32.and': 0x71, 'i32.or': 0x72, 'i32.xor': 0x73, 'i32.shl': 0x74, 'i32.shr_s': 0x75,
  'i32.shr_u': 0x76,
  'i64.mul': 0x7e, 'i64.shr_u': 0x88, 'i32.wrap_i64': 0xa7, 'i64.extend_i32_s': 0xac, 'i64.extend_i32_u': 0xad,
} as const;

export type Opcode = keyof typeof OPCODES;

const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const BR = 0x0c;
const BR_IF = 0x0d;
const BR_TABLE = 0x0e;
const CALL = 0x10;
const CALL_INDIRECT = 0x11;
const RETURN_CALL = 0x12;
const RETURN_CALL_INDIRECT = 0x13;
const NO_RESULT = 0x40;
const I32 = 0x7f;
const FUNCTION = 0x60;

/** Pages of 64 KiB in 4 GiB. */
const MOST_PAGES = 0x1_0000;

/** A place that branches go to: the end of a block or an if, the start of a loop. */
export class Label {
  constructor(readonly name: string) {}
}

/** Growing bytes, with the format's variable-length numbers. */
class Bytes {
  private bytes = new Uint8Array(256);
  length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Makes room for so many bytes more. */
  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const old = this.bytes;
    this.bytes = new Uint8Array(2 * (this.length + count));
    this.bytes.set(old.subarray(0, this.length));
  }

  unsigned(value: number): void {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if (rest === (low & 0x40 ? -1 : 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  name(text: string): void {
    this.unsigned(text.length);
    for (const letter of text) this.byte(letter.charCodeAt(0));
  }

  append(other: Uint8Array): void {
    this.reserve(other.length);
    this.bytes.set(other, this.length);
    this.length += other.length;
  }

  taken(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

/** The body of a function under construction. */
export class Code {
  private readonly out = new Bytes();
  private readonly labels: Label[] = [];
  /** Names of the locals, as far as they have one. */
  private readonly names: (string | undefined)[];
  /** The instructions as text, one a line, if that is wanted. */
  readonly text: string[] | undefined;

  /** @param parameters names of the function's parameters, which are its first locals; all are i32 */
  constructor(
    private readonly parameters: readonly string[],
    isReadable = false,
  ) {
    this.names = [...parameters];
    this.text = isReadable ? [] : undefined;
  }

  /** A new local variable; the name is for the text. */
  local(name?: string): number {
    return this.names.push(name) - 1;
  }

  /** A line of text between the instructions. */
  remark(text: string): void {
    this.text?.push(`${this.indent()};; ${text}`);
  }

  /** An instruction without immediate, or with one: a local, or a constant. */
  op(name: Opcode, immediate?: number): void {
    this.out.byte(OPCODES[name]);
    if (immediate !== undefined) {
      if (name.endsWith('.const')) this.out.signed(immediate);
      else this.out.unsigned(immediate);
    }
    if (this.text === undefined) return;
    const isLocal = immediate !== undefined && name.startsWith('local.');
    const known = isLocal ? this.names[immediate] : undefined;
    const operand = known === undefined ? immediate : `$${known}`;
    this.write(operand === undefined ? name : `${name} ${operand}`);
  }

  get(local: number): void {
    this.op('local.get', local);
  }

  set(local: number): void {
    this.op('local.set', local);
  }

  constant(value: number): void {
    this.op('i32.const', value);
  }

  /** A load or store at the address on the stack plus `offset`, with no promise about alignment. */
  memory(name: Opcode, offset: number): void {
    this.out.byte(OPCODES[name]);
    this.out.byte(0);
    this.out.unsigned(offset);
    this.write(`${name} offset=${offset}`);
  }

  block(label: Label): void {
    this.open(BLOCK, 'block', label);
  }

  loop(label: Label): void {
    this.open(LOOP, 'loop', label);
  }

  if(label: Label): void {
    this.open(IF, 'if', label);
  }

  /** An `if` with an int32 result. */
  ifValue(): void {
    this.write('if (result i32)');
    this.labels.push(new Label('value'));
    this.out.byte(IF);
    this.out.byte(I32);
  }

  else(): void {
    const label = this.labels.pop()!;
    this.write('else');
    this.labels.push(label);
    this.out.byte(ELSE);
  }

  end(): void {
    this.labels.pop();
    this.out.byte(END);
    this.write('end');
  }

  branch(label: Label): void {
    this.out.byte(BR);
    this.out.unsigned(this.depth(label));
    this.write(`br $${label.name}`);
  }

  branchIf(label: Label): void {
    this.out.byte(BR_IF);
    this.out.unsigned(this.depth(label));
    this.write(`br_if $${label.name}`);
  }

  /** Branches to one of the labels by the number on the stack; the last one takes all greater numbers. */
  branchTable(labels: readonly Label[]): void {
    this.out.byte(BR_TABLE);
    this.out.unsigned(labels.length - 1);
    for (const label of labels) this.out.unsigned(this.depth(label));
    this.write(`br_table ${labels.map(({ name }) => `$${name}`).join(' ')}`);
  }

  call(index: number): void {
    this.out.byte(CALL);
    this.out.unsigned(index);
    this.write(`call ${index}`);
  }

  /** Calls a function in the place of the one that is running. */
  returnCall(index: number): void {
    this.out.byte(RETURN_CALL);
    this.out.unsigned(index);
    this.write(`return_call ${index}`);
  }

  /** Calls the function in table 0 whose number is on the stack. */
  callIndirect(type: number): void {
    this.indirect(CALL_INDIRECT, 'call_indirect', type);
  }

  /** The same, in the place of the function that is running. */
  returnCallIndirect(type: number): void {
    this.indirect(RETURN_CALL_INDIRECT, 'return_call_indirect', type);
  }

  /** The function's entry in the code section. */
  body(): Uint8Array {
    const whole = new Bytes();
    const locals = this.names.length - this.parameters.length;
    if (locals === 0) whole.unsigned(0);
    else {
      whole.unsigned(1);
      whole.unsigned(locals);
      whole.byte(I32);
    }
    whole.append(this.out.taken());
    whole.byte(END);
    return whole.taken();
  }

  private indirect(opcode: number, name: string, type: number): void {
    this.out.byte(opcode);
    this.out.unsigned(type);
    this.out.byte(0);
    this.write(`${name} (type ${type})`);
  }

  private open(opcode: number, name: string, label: Label): void {
    this.write(`${name} $${label.name}`);
    this.labels.push(label);
    this.out.byte(opcode);
    this.out.byte(NO_RESULT);
  }

  private depth(label: Label): number {
    const index = this.labels.lastIndexOf(label);
    if (index < 0) throw new Error(`A branch to ${label.name}, which is not around it.`);
    return this.labels.length - 1 - index;
  }

  private write(text: string): void {
    this.text?.push(this.indent() + text);
  }

  private indent(): string {
    return '  '.repeat(this.labels.length + 1);
  }
}

/** Parameters and results of a function, all i32. */
export interface Signature {
  parameters: number;
  results: number;
}

/** What a module imports from `host`: a memory of any size comes first, then the table. */
export interface ModuleParts {
  types: readonly Signature[];
  /** Entries of the imported table, or none is imported. */
  tableEntries?: number;
  /** Imported functions by name, with the number of their type. They come first in the numbering. */
  imports?: readonly { name: string; type: number }[];
  functions: readonly { name: string; type: number; code: Code }[];
}

/** The bytes of a module; all its functions are exported. */
export function moduleBytes(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const { types, imports = [], functions } = parts;
  const out = new Bytes();
  out.append(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  section(out, 1, types, (to, { parameters, results }) => {
    to.byte(FUNCTION);
    for (const count of [parameters, results]) {
      to.unsigned(count);
      for (let n = 0; n < count; n++) to.byte(I32);
    }
  });
  section(out, 2, importsOf(parts), (to, write) => write(to));
  section(out, 3, functions, (to, { type }) => to.unsigned(type));
  section(out, 7, functions, (to, { name }, n) => {
    to.name(name);
    to.byte(0);
    to.unsigned(imports.length + n);
  });
  section(out, 10, functions, (to, { code }) => {
    const body = code.body();
    to.unsigned(body.length);
    to.append(body);
  });
  return out.taken().slice();
}

function importsOf({ tableEntries, imports = [] }: ModuleParts): ((to: Bytes) => void)[] {
  const all: ((to: Bytes) => void)[] = [];
  const add = (name: string, write: (to: Bytes) => void) =>
    all.push((to) => {
      to.name('host');
      to.name(name);
      write(to);
    });
  const limits = (to: Bytes, least: number, most: number) => {
    to.byte(1);
    to.unsigned(least);
    to.unsigned(most);
  };
  add('memory', (to) => {
    to.byte(2);
    limits(to, 1, MOST_PAGES);
  });
  if (tableEntries !== undefined)
    add('table', (to) => {
      to.byte(1);
      to.byte(0x70);
      limits(to, tableEntries, tableEntries);
    });
  for (const { name, type } of imports)
    add(name, (to) => {
      to.byte(0);
      to.unsigned(type);
    });
  return all;
}

function section<T>(
  out: Bytes,
  number: number,
  items: readonly T[],
  write: (to: Bytes, item: T, n: number) => void,
): void {
  if (items.length === 0) return;
  const content = new Bytes();
  content.unsigned(items.length);
  items.forEach((item, n) => {
    write(content, item, n);
  });
  out.byte(number);
  out.unsigned(content.length);
  out.append(content.taken());
}
