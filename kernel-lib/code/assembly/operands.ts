/**
 * Operands: from the way a row (or a pseudo-instruction) says they are written, `rd, imm(rs1)`, to
 * what a statement has in their places.
 */
import { CSRS, csrByName } from '../../isa/csrs';
import type { Row } from '../../isa/formats';
import { ABI_NAMES, registerNumber } from '../../isa/registers';
import { failIfBad, span, splitAtCommas, type Token } from './lexer';
import { didYouMean, fail } from './problems';
import type { Place } from './source';

/** How an operand is written. */
export type Form = 'register' | 'csr' | 'number' | 'set' | 'memory';

/** An operand's place in a pattern. */
export interface Slot {
  form: Form;
  /** The operand's name; of `imm(rs1)` that of the number, or undefined for a plain `(rs1)`. */
  name: string | undefined;
  /** Of `imm(rs1)`: `rs1`. */
  base?: string;
  /** As messages show it. */
  text: string;
}

/** The slots of `syntax`; `form` says how the operand of a name is written. */
export function slotsOf(syntax: string, form: (name: string) => Form): Slot[] {
  if (syntax === '') return [];
  return syntax.split(',').map((part): Slot => {
    const text = part.trim();
    const memory = /^(\w*)\((\w+)\)$/.exec(text);
    if (memory === null) return { form: form(text), name: text, text };
    return { form: 'memory', name: memory[1] || undefined, base: memory[2], text };
  });
}

/** The slots of an instruction's operands. A fence's two sets are two slots of one field. */
export function slotsOfRow(row: Row): Slot[] {
  const kindOf = (name: string) => row.format.fields.find((field) => field.operand === name)?.kind;
  return slotsOf(row.format.syntax, (name): Form => {
    const kind = kindOf(name);
    if (kind === 'csr' || kind === 'register') return kind;
    if (kind === 'fence') return 'set';
    return kind === undefined ? 'register' : 'number';
  }).flatMap((slot) =>
    slot.form === 'set'
      ? [
          { ...slot, name: 'pred', text: 'pred' },
          { ...slot, name: 'succ', text: 'succ' },
        ]
      : [slot],
  );
}

/** The tokens in the places of a pattern's names. */
export type Bindings = Map<string, Token[]>;

const isRegister = (token: Token | undefined) =>
  token?.kind === 'name' && registerNumber(token.text) !== undefined;

/** Whether an operand is written as `…(register)`. */
function isMemory(group: readonly Token[]): boolean {
  const [open, register, close] = group.slice(-3);
  if (open?.text !== '(' || close?.text !== ')' || register.kind !== 'name') return false;
  if (group.length === 3) return true;
  const before = group[group.length - 4];
  const isOperator = before.kind === 'operator' && before.text !== ')';
  return isRegister(register) || !isOperator;
}

/** How well an operand's looks fit a slot: 0 not at all, 2 as it should. */
function fits(slot: Slot, group: readonly Token[]): number {
  const single = group.length === 1 ? group[0] : undefined;
  switch (slot.form) {
    case 'register':
      return isRegister(single) ? 2 : single?.kind === 'name' ? 1 : 0;
    case 'memory':
      return isMemory(group) ? 2 : 0;
    case 'set':
    case 'csr':
      return single === undefined ? 0 : 1;
    case 'number':
      return isRegister(single) || isMemory(group) ? 0 : 2;
  }
}

/** A way to write an instruction. */
export interface Pattern {
  name: string;
  slots: readonly Slot[];
}

/** Of the ways to write an instruction, the one that a statement comes nearest to. */
export function choosePattern<T extends Pattern>(
  patterns: readonly T[],
  operands: readonly Token[],
  place: Place,
): T {
  const groups = splitAtCommas(operands);
  const rightCount = patterns.filter(({ slots }) => slots.length === groups.length);
  if (rightCount.length === 0) return failCount(patterns, groups, place);
  const score = ({ slots }: T) =>
    slots.reduce(
      (sum, slot, index) => sum * (fits(slot, groups[index]) ? 1 : 0.5) + fits(slot, groups[index]),
      0,
    );
  return rightCount.reduce((best, each) => (score(each) > score(best) ? each : best));
}

/** `add rd, rs1, rs2`. */
export function showPattern({ name, slots }: Pattern): string {
  return `${name} ${slots.map((slot) => slot.text).join(', ')}`.trim();
}

function failCount(patterns: readonly Pattern[], groups: readonly Token[][], place: Place): never {
  const { name } = patterns[0];
  const counts = [...new Set(patterns.map(({ slots }) => slots.length))].sort((a, b) => a - b);
  const wanted = counts.length === 1 && counts[0] === 0 ? 'no' : counts.join(' or ');
  const forms = [...new Set(patterns.map(showPattern))].map((form) => `\`${form}\``);
  const has =
    groups.length === 0 ? 'there is none' : `there ${groups.length === 1 ? 'is 1' : `are ${groups.length}`}`;
  const lastCount = counts[counts.length - 1];
  const extra = groups.length > lastCount ? span(groups[lastCount], place) : place;
  return fail(
    extra,
    `\`${name}\` takes ${wanted} operand${wanted === '1' ? '' : 's'}, but here ${has}. It is written ${forms.join(' or ')}.`,
  );
}

/** Puts a statement's operands into a pattern's slots. */
export function bind(pattern: Pattern, operands: readonly Token[], place: Place): Bindings {
  const bindings: Bindings = new Map();
  splitAtCommas(operands).forEach((group, index) => {
    const slot = pattern.slots[index];
    failIfBad(group);
    if (group.length === 0)
      fail(place, `An operand is empty here. \`${pattern.name}\` is written \`${showPattern(pattern)}\`.`);
    if (slot.form !== 'memory') bindings.set(slot.name ?? '', group);
    else bindMemory(pattern, slot, group, bindings);
  });
  return bindings;
}

function bindMemory(pattern: Pattern, slot: Slot, group: Token[], bindings: Bindings): void {
  const place = span(group, group[0]);
  if (!isMemory(group)) {
    const shown = `\`${slot.text}\``;
    const hint = slot.name === undefined ? '(a0)' : '8(a0)';
    fail(place, `Here \`${pattern.name}\` needs an address of the form ${shown}, for example \`${hint}\`.`);
  }
  const [, register] = group.slice(-3);
  const offset = group.slice(0, -3);
  bindings.set(slot.base ?? '', [register]);
  if (slot.name !== undefined) bindings.set(slot.name, offset);
  else if (offset.length > 0 && !offset.every((token) => token.value === 0n))
    fail(span(offset, place), `\`${pattern.name}\` takes no offset: write \`(${register.text})\`.`);
}

/** The number of the register that an operand is. */
export function readRegister(group: readonly Token[], pattern: Pattern, slotText: string): number {
  const place = span(group, group[0]);
  const single = group.length === 1 ? group[0] : undefined;
  const number = single?.kind === 'name' ? registerNumber(single.text) : undefined;
  if (number !== undefined) return number;
  const written = single?.text ?? '';
  if (single?.kind === 'name') {
    const names = [...ABI_NAMES, 'fp', ...ABI_NAMES.map((_, index) => `x${index}`)];
    return fail(place, `There is no register called \`${written}\`.${didYouMean(written, names)}`);
  }
  const shown = place.line.text.slice(place.start, place.end);
  return fail(
    place,
    `\`${shown}\` is not a register. In \`${showPattern(pattern)}\`, ${slotText} is a register, for example \`a0\`.`,
  );
}

/** The number of the CSR that an operand names; undefined if it isn't a name. */
export function readCsrName(
  group: readonly Token[],
  isDefined: (name: string) => boolean,
): number | undefined {
  const [token] = group;
  if (group.length !== 1 || token.kind !== 'name') return undefined;
  const row = csrByName(token.text);
  if (row !== undefined) return row.number;
  if (isDefined(token.text)) return undefined;
  const names = CSRS.map((csr) => csr.name);
  return fail(token, `There is no CSR called \`${token.text}\`.${didYouMean(token.text, names)}`);
}

/** What a fence orders: device input and output, reads and writes of memory, one bit each. */
export const FENCE_LETTERS = 'wroi';

/** The bits of a set like `rw`; `0` is the empty one. */
export function readFenceSet(group: readonly Token[]): number {
  const text = group.length === 1 ? group[0].text : '';
  if (text === '0') return 0;
  if (!/^(?=.)i?o?r?w?$/.test(text))
    return fail(
      span(group, group[0]),
      'Here stands which accesses are ordered: letters of `iorw`, in this order, for example `rw`.',
    );
  return [...text].reduce((set, letter) => set | (1 << FENCE_LETTERS.indexOf(letter)), 0);
}
