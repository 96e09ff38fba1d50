/**
 * Which registers a region must load at its entry and write back where it leaves.
 *
 * In a region registers live in local variables. *Dirty* registers may differ from the hart's:
 * forward through the graph, from what instructions write. *Live* registers will be needed:
 * backward, from what instructions read and exits write back. Calls write back everything dirty
 * and load again what is live behind them. Sets of registers are bits of a word; x0 is in none.
 */

import type { Step } from './block-reader';
import { edgesOf, type Node } from './region';
import { expressionsOf, reads } from './shape';
import type { Structure } from './structure';

/** A set of registers. */
export type Registers = number;

export interface Flow {
  /** At the start of each node, by index. */
  dirty: Registers[];
  live: Registers[];
}

const setOf = (register: number): Registers => (register === 0 ? 0 : 1 << register);

/** The register that a step writes. */
export function written({ shape, instruction }: Step): Registers {
  const writes = ['set', 'load', 'jump', 'csr'].includes(shape.kind);
  return writes ? setOf(instruction.rd) : 0;
}

/** The registers that a step reads. */
export function read({ shape, instruction }: Step): Registers {
  let all = 0;
  for (const expression of expressionsOf(shape)) {
    if (reads(expression, 'rs1')) all |= setOf(instruction.rs1);
    if (reads(expression, 'rs2')) all |= setOf(instruction.rs2);
  }
  return all;
}

/** Steps of a node, the one in its end included. */
export function allSteps({ steps, end }: Node): Step[] {
  return 'step' in end ? [...steps, end.step] : steps;
}

/** All registers that a node writes. */
export function writtenBy(node: Node): Registers {
  return allSteps(node).reduce((all, step) => all | written(step), 0);
}

export function flowOf({ order }: Structure, count: number): Flow {
  const dirty: Registers[] = new Array(count).fill(0);
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of order) {
      const after = node.end.kind === 'call' ? 0 : dirty[node.index] | writtenBy(node);
      for (const { to } of edgesOf(node)) {
        if (to === undefined || (dirty[to.index] | after) === dirty[to.index]) continue;
        dirty[to.index] |= after;
        changed = true;
      }
    }
  }
  return { dirty, live: liveness(order, dirty, count) };
}

function liveness(order: readonly Node[], dirty: readonly Registers[], count: number): Registers[] {
  const live: Registers[] = new Array(count).fill(0);
  for (let changed = true; changed; ) {
    changed = false;
    for (let n = order.length - 1; n >= 0; n--) {
      const node = order[n];
      const before = liveBefore(node, dirty[node.index], live);
      if (before === live[node.index]) continue;
      live[node.index] = before;
      changed = true;
    }
  }
  return live;
}

/**
 * What is live at the start of a node. Any access and any head of a loop may be an exit, which
 * writes back all that is dirty there: so everything dirty at the start is live at it.
 */
function liveBefore(node: Node, dirty: Registers, live: readonly Registers[]): Registers {
  let now = 0;
  if (node.end.kind !== 'call')
    for (const { to } of edgesOf(node)) now |= to === undefined ? 0 : live[to.index];
  for (const step of allSteps(node).toReversed()) now = (now & ~written(step)) | read(step);
  return now | dirty;
}
