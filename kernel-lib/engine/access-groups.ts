/**
 * Accesses that share their checks.
 *
 * Within a node, loads and stores at constant distances from the same register (`8(sp)`,
 * `12(sp)`) are checked once, at the first of them, for the whole span: that it is in RAM, and
 * for stores that no code is near. If the check fails, the first access is carried out
 * elsewhere, and so is what follows; being too strict costs time, never truth.
 */
import type { Step } from './block-reader';
import { constantValue, isConstant, type Shape } from './shape';

/** Accesses with one check: bytes `low` up to but without `high`, seen from their register. */
export interface Group {
  first: Step;
  low: number;
  high: number;
  /** The distance of each access from the register. */
  offsets: Map<Step, number>;
  /** The stores at which marks of code lines are looked at, with the span that is meant. */
  marks: Map<Step, { low: number; high: number }>;
  /** The local variable that holds the offset into RAM of byte `low`. The emitter's. */
  local: number;
}

/** A group spans this many bytes at most; a look at marks 64, so that two lines are enough. */
const MOST_BYTES = 1024;
const MOST_MARKED_BYTES = 64;

type Access = Extract<Shape, { kind: 'load' | 'store' }>;

/** The group of each access of a node. */
export function accessGroups(steps: readonly Step[]): Map<Step, Group> {
  const groups = new Map<Step, Group>();
  const open = new Map<number, Group>(); // by register, as long as it keeps its value
  const marked = new Map<Group, { low: number; high: number }>();
  for (const step of steps) {
    const { shape, instruction } = step;
    if (shape.kind === 'load' || shape.kind === 'store') {
      const place = placeOf(step, shape);
      const group = join(open, step, place, shape.bytes);
      groups.set(step, group);
      if (shape.kind === 'store') mark(marked, group, step, place.offset, shape.bytes);
    }
    if (shape.kind === 'set' || shape.kind === 'load' || shape.kind === 'csr') open.delete(instruction.rd);
  }
  return groups;
}

interface Place {
  /** -1 if the address isn't a register plus a constant. */
  register: number;
  offset: number;
}

function placeOf({ instruction, pc }: Step, { address }: Access): Place {
  const isSum = address.kind === 'binary' && address.operator === 'add';
  if (!isSum || !isConstant(address.right) || address.left.kind !== 'leaf' || address.left.leaf !== 'rs1')
    return { register: -1, offset: 0 };
  return { register: instruction.rs1, offset: constantValue(address.right, instruction, pc) };
}

function join(open: Map<number, Group>, step: Step, { register, offset }: Place, bytes: number): Group {
  const known = register < 0 ? undefined : open.get(register);
  const low = Math.min(offset, known?.low ?? offset);
  const high = Math.max(offset + bytes, known?.high ?? 0);
  if (known !== undefined && high - low <= MOST_BYTES) {
    Object.assign(known, { low, high });
    known.offsets.set(step, offset);
    return known;
  }
  const group: Group = {
    first: step,
    low: offset,
    high: offset + bytes,
    offsets: new Map([[step, offset]]),
    marks: new Map(),
    local: -1,
  };
  if (register >= 0) open.set(register, group);
  return group;
}

/** Lets a look that was taken before serve this store, too, or takes one here. */
function mark(
  marked: Map<Group, { low: number; high: number }>,
  group: Group,
  step: Step,
  offset: number,
  bytes: number,
): void {
  const last = marked.get(group);
  if (last !== undefined) {
    const low = Math.min(last.low, offset);
    const high = Math.max(last.high, offset + bytes);
    if (high - low <= MOST_MARKED_BYTES) {
      Object.assign(last, { low, high });
      return;
    }
  }
  const span = { low: offset, high: offset + bytes };
  group.marks.set(step, span);
  marked.set(group, span);
}
