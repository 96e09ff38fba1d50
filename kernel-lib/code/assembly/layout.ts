/**
 * Sections and where things in them come to lie.
 *
 * The first pass appends items to sections. Most have a size that is certain at once; a few (`li` of
 * a label, `.space` up to something below, alignment after such) learn theirs here, by walking over
 * all items until nothing moves any more. Then every label has an address.
 */
import type { Base, Label, Value } from './expressions';
import { fail } from './problems';
import type { Place } from './source';

/** What a section holds, in the order in which they come to lie in memory. */
export const SECTION_KINDS = ['code', 'constants', 'data', 'zeros'] as const;
export type SectionKind = (typeof SECTION_KINDS)[number];

/** A piece of a section: an instruction, a datum, room. */
export interface Item {
  size: number;
  /** Where it stands in the source. */
  place: Place;
  /** For a size that isn't certain: the size if the item lies at `address`. */
  resize?(address: number): number;
  /** The bytes (`size` of them) if the item lies at `address`; without this: zeros. */
  emit?(address: number): Uint8Array;
  /** Set if `resize`, `emit` and labels have moved it. */
  offset: number;
  /** The item holds something that a listing shows as one instruction or datum. */
  isLine: boolean;
}

export class Section {
  readonly items: Item[] = [];
  readonly labels: SectionLabel[] = [];
  /** In bytes; what its address must be a multiple of. */
  alignment = 4;
  size = 0;
  /** Undefined before `layOut`. */
  address: number | undefined;
  private base: Base = {};
  /** Whether all sizes so far are certain. */
  isCertain = true;

  constructor(
    readonly name: string,
    readonly kind: SectionKind,
  ) {}

  append(item: Omit<Item, 'offset'>): void {
    this.items.push({ ...item, offset: this.size });
    this.size += item.size;
    if (item.resize !== undefined) {
      this.base = {};
      this.isCertain = false;
    }
  }

  /** A label at the section's present end. */
  label(name: string): SectionLabel {
    const label = new SectionLabel(name);
    this.bind(label);
    return label;
  }

  /** Puts a label that was referred to before at the section's present end. */
  bind(label: SectionLabel): void {
    label.bind(this, this.items.length, this.size, this.base);
    this.labels.push(label);
  }
}

/** A label in a section, possibly one that is referred to before it is placed. */
export class SectionLabel implements Label {
  section: Section | undefined;
  /** The item that it stands before. */
  item = 0;
  private offset = 0;
  private base: Base | undefined;

  constructor(readonly name: string) {}

  bind(section: Section, item: number, offset: number, base: Base): void {
    Object.assign(this, { section, item, offset, base });
  }

  /** Moves with the item that it stands before. */
  move(offset: number): void {
    this.offset = offset;
  }

  where(): Value | undefined {
    if (this.section === undefined) return undefined;
    const { address } = this.section;
    if (address === undefined) return { value: BigInt(this.offset), base: this.base };
    return { value: BigInt(address + this.offset) };
  }
}

/** No program needs more rounds than it has items that depend on each other, and few do. */
const MOST_ROUNDS = 50;

/**
 * Gives every section its address, from `origin` on, and every item its offset.
 * @returns the sections in the order of addresses
 */
export function layOut(sections: readonly Section[], origin: number): Section[] {
  const ordered = SECTION_KINDS.flatMap((kind) => sections.filter((section) => section.kind === kind));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (!walk(ordered, origin)) return ordered;
  }
  const moving = ordered.flatMap((section) => section.items).find((item) => item.resize !== undefined);
  if (moving === undefined) return ordered;
  return fail(
    moving.place,
    'The sizes here never settle: something is as long as a label says that moves when it grows.',
  );
}

/** One walk over everything. Returns whether anything moved. */
function walk(ordered: readonly Section[], origin: number): boolean {
  let hasMoved = false;
  let address = origin;
  for (const section of ordered) {
    address = Math.ceil(address / section.alignment) * section.alignment;
    if (section.address !== address) hasMoved = true;
    section.address = address;
    if (walkSection(section, address)) hasMoved = true;
    address += section.size;
  }
  return hasMoved;
}

function walkSection(section: Section, address: number): boolean {
  let hasMoved = false;
  let offset = 0;
  let label = 0;
  section.items.forEach((item, index) => {
    for (; section.labels[label]?.item === index; label++) section.labels[label].move(offset);
    if (item.resize !== undefined) {
      const size = item.resize(address + offset);
      if (size !== item.size) hasMoved = true;
      item.size = size;
    }
    if (item.offset !== offset) hasMoved = true;
    item.offset = offset;
    offset += item.size;
  });
  for (; label < section.labels.length; label++) section.labels[label].move(offset);
  section.size = offset;
  return hasMoved;
}
