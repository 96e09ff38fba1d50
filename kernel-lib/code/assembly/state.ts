/**
 * What the assembler knows while it works: sections, names and what they stand for, and the mistakes
 * found so far. The statements of a program change it one after the other.
 */
import {
  type Expression,
  evaluate,
  type Knowledge,
  type Label,
  parseExpression,
  type Scope,
  type Value,
} from './expressions';
import { type Item, Section, type SectionKind, SectionLabel } from './layout';
import { span, type Token } from './lexer';
import { didYouMean, fail, Mistake } from './problems';
import type { Place } from './source';

/** What a name stands for. */
type Meaning =
  | { kind: 'label'; label: SectionLabel; at: Place }
  | { kind: 'value'; expression: Expression; at: Place };

/** Bytes that a program may have (zeros at the end not counted), and bytes of address space. */
export const MOST_BYTES = 16 * 1024 * 1024;
const MOST_ROOM = 2 ** 31;
const MOST_MISTAKES = 50;
/** Names whose values need the next one's. */
const LONGEST_CHAIN = 200;

/** Thrown when there is no use in going on. */
export class GiveUp extends Error {}

export class Assembly implements Scope {
  readonly sections = new Map<string, Section>();
  section: Section;
  /** The section before the present one, for `.previous`. */
  before: Section;
  readonly sectionStack: Section[] = [];
  readonly names = new Map<string, Meaning>();
  readonly globals = new Set<string>();
  readonly mistakes: Mistake[] = [];
  /** Names without a meaning that were complained about. */
  private readonly missing = new Set<string>();
  private readonly lastLocal = new Map<string, SectionLabel>();
  private readonly nextLocal = new Map<string, { label: SectionLabel; at: Token }>();
  /** Names whose values are being worked out: one that needs itself has no value. */
  private readonly visiting = new Set<string>();
  /** Whether everything is laid out: names without a meaning won't get one. */
  isLaidOut = false;
  private room = 0;
  private bytes = 0;

  constructor() {
    this.section = this.before = this.sectionNamed('.text', 'code');
  }

  /** Notes a mistake; gives up after too many. */
  note(mistake: Mistake): void {
    this.mistakes.push(mistake);
    if (this.mistakes.length >= MOST_MISTAKES) throw new GiveUp();
  }

  /** Runs `work`; a mistake in it is noted. */
  attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Mistake)) throw error;
      this.note(error);
      return undefined;
    }
  }

  // Sections

  sectionNamed(name: string, kind: SectionKind): Section {
    let section = this.sections.get(name);
    if (section === undefined) {
      section = new Section(name, kind);
      this.sections.set(name, section);
    }
    return section;
  }

  enter(section: Section): void {
    this.before = this.section;
    this.section = section;
  }

  /** Appends to the present section. */
  append(item: Omit<Item, 'offset'>, section = this.section): void {
    const isZeros = section.kind === 'zeros';
    this.room += item.size;
    if (!isZeros) this.bytes += item.size;
    if (this.bytes > MOST_BYTES || this.room > MOST_ROOM) {
      this.note(
        new Mistake(
          item.place,
          `The program is too large: this makes it more than ${isZeros ? '2 GiB' : '16 MiB'}.`,
        ),
      );
      throw new GiveUp();
    }
    section.append(item);
  }

  // Names

  /** Makes a label of this name at the present place. */
  defineLabel(name: Token): void {
    const previous = this.names.get(name.text);
    if (previous !== undefined)
      fail(
        name,
        `\`${name.text}\` is already defined on line ${previous.at.line.number}. Give one of them another name.`,
      );
    this.names.set(name.text, { kind: 'label', label: this.section.label(name.text), at: name });
  }

  /** Makes the label `1:` at the present place. */
  defineLocal(number: string): void {
    const promised = this.nextLocal.get(number);
    const label = promised?.label ?? new SectionLabel(`${number}:`);
    this.nextLocal.delete(number);
    this.section.bind(label);
    this.lastLocal.set(number, label);
  }

  /** Gives a name a value: `.equ`. */
  setValue(name: Token, expression: Expression): void {
    const previous = this.names.get(name.text);
    if (previous?.kind === 'label')
      fail(name, `\`${name.text}\` is already defined as a label on line ${previous.at.line.number}.`);
    const value = evaluate(expression, this.knowledge());
    const kept: Expression =
      value !== undefined && value.base === undefined ? { kind: 'number', value: value.value } : expression;
    this.names.set(name.text, { kind: 'value', expression: kept, at: name });
  }

  // Scope: what names mean in an expression that is being read

  lookup(name: string): Expression | undefined {
    const meaning = this.names.get(name);
    return meaning?.kind === 'value' ? meaning.expression : undefined;
  }

  local(reference: Token): Label {
    const number = String(BigInt(reference.text.slice(0, -1)));
    if (reference.text.endsWith('b')) {
      return (
        this.lastLocal.get(number) ??
        fail(
          reference,
          `There is no label \`${number}:\` above this line. (\`${number}f\` means the next one below.)`,
        )
      );
    }
    const promised = this.nextLocal.get(number);
    if (promised !== undefined) return promised.label;
    const label = new SectionLabel(`${number}:`);
    this.nextLocal.set(number, { label, at: reference });
    return label;
  }

  here(): Label {
    return this.section.label('.');
  }

  /** Complains about `1f` that no `1:` follows. */
  noteMissingLocals(): void {
    for (const [number, { at }] of this.nextLocal) {
      this.note(
        new Mistake(
          at,
          `There is no label \`${number}:\` below this line. (\`${number}b\` means the last one above.)`,
        ),
      );
    }
  }

  // Knowledge: what names are worth

  /** What is known now, for an expression in the instruction at address `pc`. */
  knowledge(pc?: number, pcrel?: Knowledge['pcrel']): Knowledge {
    const found = new Map<string, Value | undefined>();
    const names: Knowledge = { name: (name, at) => this.valueOf(name, at, names, found) };
    return {
      ...names,
      pc: pc === undefined ? undefined : BigInt(pc),
      ...(pcrel === undefined ? {} : { pcrel }),
    };
  }

  /** `found` has the values of names that this evaluation has met before. */
  private valueOf(
    name: string,
    at: Token,
    known: Knowledge,
    found: Map<string, Value | undefined>,
  ): Value | undefined {
    const meaning = this.names.get(name);
    if (meaning?.kind === 'label') return meaning.label.where();
    if (meaning === undefined) return this.layoutName(name) ?? this.missingName(name, at);
    if (found.has(name)) return found.get(name);
    if (this.visiting.has(name) || this.visiting.size > LONGEST_CHAIN) {
      if (!this.isLaidOut) return undefined;
      fail(
        meaning.at,
        this.visiting.has(name)
          ? `\`${name}\` is defined by itself.`
          : 'Too many `.equ`s are defined by each other.',
      );
    }
    this.visiting.add(name);
    try {
      const value = evaluate(meaning.expression, known);
      found.set(name, value);
      return value;
    } finally {
      this.visiting.delete(name);
    }
  }

  /** Names that a linker gives to the edges of what it has laid out. */
  private layoutName(name: string): Value | undefined {
    const last = (kinds: SectionKind[]) =>
      [...this.sections.values()]
        .filter((section) => kinds.includes(section.kind) && section.address !== undefined)
        .reduce<number | undefined>(
          (end, each) => Math.max(end ?? 0, (each.address ?? 0) + each.size),
          undefined,
        );
    const edges: Record<string, () => number | undefined> = {
      _etext: () => last(['code']),
      _edata: () => last(['code', 'constants', 'data']),
      __bss_start: () => this.sections.get('.bss')?.address ?? last(['code', 'constants', 'data']),
      _end: () => last(['code', 'constants', 'data', 'zeros']),
    };
    const edge = Object.hasOwn(edges, name) ? edges[name]() : undefined;
    return edge === undefined ? undefined : { value: BigInt(edge) };
  }

  private missingName(name: string, at: Token): undefined {
    if (!this.isLaidOut) return undefined;
    if (this.missing.has(name)) throw new Repeated(at);
    this.missing.add(name);
    return fail(at, `\`${name}\` is not defined anywhere.${didYouMean(name, this.names.keys())}`);
  }

  // Reading operands

  expression(tokens: readonly Token[], otherwise: Place): Expression {
    return parseExpression(tokens, this, otherwise);
  }

  /** A number that must be known where it stands. `what` says which, for the message. */
  numberNow(tokens: readonly Token[], otherwise: Place, what: string): bigint {
    const place = span(tokens, otherwise);
    const value = evaluate(this.expression(tokens, otherwise), this.knowledge());
    if (value === undefined || value.base !== undefined) {
      const unknown = tokens.find((token) => token.kind === 'name' && !this.names.has(token.text));
      const reason =
        unknown === undefined
          ? 'depends on addresses that are not known yet'
          : `needs \`${unknown.text}\`, which is not defined above this line`;
      return fail(place, `${what} must be known here, but it ${reason}.`);
    }
    return value.value;
  }

  /** As `numberNow`, from `low` to `high`. */
  numberBetween(tokens: readonly Token[], otherwise: Place, what: string, low: number, high: number): number {
    const value = this.numberNow(tokens, otherwise, what);
    if (value < BigInt(low) || value > BigInt(high))
      fail(span(tokens, otherwise), `${what} is ${value}; it must be from ${low} to ${high}.`);
    return Number(value);
  }
}

/** A mistake that was reported already, at another place. */
export class Repeated extends Mistake {
  constructor(place: Place) {
    super(place, '');
  }
}
