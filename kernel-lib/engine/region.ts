/**
 * Regions: the piece of guest code that is translated as one.
 *
 * From its entry a region follows jumps and branches as far as they lead to known places, and
 * the code behind calls; it leaves where an address is computed, where an instruction is the
 * reference engine's business, and where it gets too large. It comes out as a graph of nodes,
 * straight pieces of code, connected by edges. Read `block-reader.ts` first.
 */
import type { Memory } from '../machine/memory';
import { readBlock, type Step } from './block-reader';
import { isSimpleCsr } from './csr-code';
import { constantValue, isConstant, isPrivileged } from './shape';
import { PAGE_SHIFT } from './spaces';

/** A way from one node on: to a node of the region, or to an address outside. */
export interface Edge {
  pc: number;
  to: Node | undefined;
  /** Where `to` is a selecting node: which of its choices is meant. */
  choice: number;
}

/** How a node ends. The last step, if it takes part, is named in it. */
export type End =
  | { kind: 'go'; edge: Edge }
  | { kind: 'branch'; step: Step; taken: Edge; fallen: Edge }
  | { kind: 'call'; step: Step; callee: number | undefined; back: Edge } // undefined: computed
  | { kind: 'computed'; step: Step; isReturn: boolean }
  | { kind: 'leave'; pc: number; trap?: 'environmentCall' | 'supervisorReturn' } // for the reference engine, or its fast path
  | { kind: 'select'; choices: Edge[] };

export interface Node {
  /** Its place in `Region.nodes`. */
  index: number;
  pc: number;
  /** Instructions that are carried out one after the other; of a jump or branch at the end the link only. */
  steps: Step[];
  /** Instructions that it counts: its steps and the one in its end. */
  count: number;
  /** The address behind its last instruction. */
  behind: number;
  end: End;
}

export interface Region {
  entry: Node;
  nodes: Node[];
  flat: boolean;
  /** Parts of RAM that the code was read from: offsets, from start up to but without end. */
  sources: { start: number; end: number }[];
  instructions: number;
}

/** Registers that calls leave the return address in. Unpriv, Unconditional Jumps, return-address stack. */
const isLink = (register: number) => register === 1 || register === 5;

/** Instructions in a region, at most. */
const LIMIT = 400;

/**
 * The region from `pc` on, or undefined if there is no instruction for it.
 * @param ramOffset where `pc` is in RAM
 * @param flat whether addresses are physical; if not, the region stays in its page
 */
export function findRegion(ram: Memory, pc: number, ramOffset: number, flat: boolean): Region | undefined {
  const finder = new Finder(ram, pc, ramOffset, flat);
  return finder.find();
}

class Finder {
  private readonly steps = new Map<number, Step>();
  private readonly leaders = new Set<number>();
  private readonly queue: number[] = [];
  private readonly nodes = new Map<number, Node>();

  constructor(
    private readonly ram: Memory,
    private readonly pc: number,
    private readonly ramOffset: number,
    private readonly flat: boolean,
  ) {}

  find(): Region | undefined {
    this.lead(this.pc);
    for (let pc = this.queue.shift(); pc !== undefined; pc = this.queue.shift()) this.read(pc);
    if (!this.steps.has(this.pc)) return undefined;
    const entry = this.nodeAt(this.pc)!;
    for (const leader of this.leaders) this.nodeAt(leader);
    const nodes = reachable(entry);
    nodes.forEach((node, n) => {
      node.index = n;
    });
    const instructions = nodes.reduce((sum, node) => sum + node.count, 0);
    return { entry, nodes, flat: this.flat, sources: this.sources(nodes), instructions };
  }

  /** Where `pc` is in RAM, or -1 if the region may not go there. */
  private offsetOf(pc: number): number {
    const offset = this.ramOffset + ((pc - this.pc) | 0);
    if (this.flat) return offset >= 0 && offset < this.ram.size ? offset : -1;
    return (pc ^ this.pc) >>> PAGE_SHIFT === 0 ? offset : -1;
  }

  private lead(pc: number): void {
    if (this.leaders.has(pc)) return;
    this.leaders.add(pc);
    this.queue.push(pc);
  }

  private read(from: number): void {
    let pc = from;
    while (this.steps.size < LIMIT && !this.steps.has(pc)) {
      const offset = this.offsetOf(pc);
      if (offset < 0) return;
      const { steps } = readBlock(this.ram, pc, offset, { flat: this.flat, limit: 1 });
      const step = steps[0];
      if (step === undefined) return;
      this.steps.set(pc, step);
      for (const target of targetsOf(step)) this.lead(target);
      const { kind } = step.shape;
      if (kind === 'jump' || kind === 'branch' || leavesRegion(step)) return;
      pc = nextOf(step);
    }
  }

  /** The node at a leader, made if need be; undefined where nothing was read. */
  private nodeAt(pc: number): Node | undefined {
    const known = this.nodes.get(pc);
    if (known !== undefined || !this.steps.has(pc)) return known;
    const node: Node = { index: -1, pc, steps: [], count: 0, behind: pc, end: { kind: 'leave', pc } };
    this.nodes.set(pc, node);
    let at = pc;
    for (;;) {
      const step = this.steps.get(at);
      if (step === undefined || (at !== pc && this.leaders.has(at))) {
        node.end = { kind: 'go', edge: this.edge(at) };
        break;
      }
      const end = this.endAt(step);
      if (end !== undefined) {
        node.end = end;
        node.behind = nextOf(step);
        if (end.kind !== 'leave') node.count++;
        break;
      }
      node.steps.push(step);
      node.count++;
      at = node.behind = nextOf(step);
    }
    return node;
  }

  private endAt(step: Step): End | undefined {
    const { shape, instruction, pc } = step;
    switch (shape.kind) {
      case 'environmentCall':
      case 'supervisorReturn':
        return { kind: 'leave', pc, trap: shape.kind };
      case 'other':
        return { kind: 'leave', pc };
      case 'csr':
        return isSimpleCsr(instruction, shape) ? undefined : { kind: 'leave', pc };
      case 'branch': {
        const target = constantValue(shape.target, instruction, pc);
        return { kind: 'branch', step, taken: this.edge(target), fallen: this.edge(nextOf(step)) };
      }
      case 'jump': {
        const callee = isConstant(shape.target) ? constantValue(shape.target, instruction, pc) : undefined;
        if (isLink(instruction.rd)) return { kind: 'call', step, callee, back: this.edge(nextOf(step)) };
        if (callee !== undefined && instruction.rd === 0) return { kind: 'go', edge: this.edge(callee) };
        if (callee !== undefined) return { kind: 'leave', pc };
        return { kind: 'computed', step, isReturn: isLink(instruction.rs1) };
      }
      default:
        return undefined;
    }
  }

  private edge(pc: number): Edge {
    return { pc, to: this.nodeAt(pc), choice: 0 };
  }

  private sources(nodes: Node[]): { start: number; end: number }[] {
    return nodes
      .filter((node) => node.behind !== node.pc)
      .map((node) => {
        const start = this.offsetOf(node.pc);
        return { start, end: start + node.behind - node.pc };
      });
  }
}

/** Whether an instruction is not translated. */
function leavesRegion({ shape, instruction }: Step): boolean {
  return isPrivileged(shape) && !(shape.kind === 'csr' && isSimpleCsr(instruction, shape));
}

const nextOf = ({ pc, instruction }: Step) => (pc + instruction.length) | 0;

/** Addresses that a step leads to, besides the next one of a step that just goes on. */
function targetsOf(step: Step): number[] {
  const { shape, instruction, pc } = step;
  if (shape.kind === 'branch') return [nextOf(step), constantValue(shape.target, instruction, pc)];
  if (shape.kind !== 'jump') return [];
  if (isLink(instruction.rd)) return [nextOf(step)];
  return isConstant(shape.target) && instruction.rd === 0
    ? [constantValue(shape.target, instruction, pc)]
    : [];
}

/** The edges that a node ends in. */
export function edgesOf({ end }: Node): Edge[] {
  switch (end.kind) {
    case 'go':
      return [end.edge];
    case 'branch':
      return [end.taken, end.fallen];
    case 'call':
      return [end.back];
    case 'select':
      return end.choices;
    default:
      return [];
  }
}

/** Addresses that a region calls, or goes on at outside of itself. */
export function callees({ nodes }: Region): number[] {
  return nodes.flatMap((node) => {
    const outside = edgesOf(node).flatMap(({ to, pc }) => (to === undefined ? [pc] : []));
    const callee = node.end.kind === 'call' ? node.end.callee : undefined;
    return callee === undefined ? outside : [callee, ...outside];
  });
}

/** Nodes that can be reached from `entry`, itself first. */
function reachable(entry: Node): Node[] {
  const found = new Set([entry]);
  for (const node of found) for (const { to } of edgesOf(node)) if (to !== undefined) found.add(to);
  return [...found];
}
