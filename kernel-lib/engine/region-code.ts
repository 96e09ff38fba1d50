/**
 * Translates a region to a function in WebAssembly.
 *
 * The function takes fuel, how deep calls may still nest, and the address it is entered at; it
 * gives the fuel that is left and where to go on. Registers are local variables: loaded at the
 * entry, written back where control leaves. Each node takes what it counts from the fuel; the
 * fuel is tested at the entry, at heads of loops and behind calls, for all that can come until
 * the next test. A call in the guest is a call here, so a return is one, too: the caller checks
 * that it came back to where the guest's register says.
 *
 * What can't be done here ends at a *site*: everything is written back, and the caller is told
 * which instruction must be carried out otherwise. Read `region.ts`, `structure.ts`,
 * `register-flow.ts` and `storage.ts` first.
 */
import { hex } from '../bits';
import type { Instruction } from '../code/decode';
import type { Expression } from '../isa/meaning';
import { ABI_NAMES } from '../isa/registers';
import { AccessPrinter } from './access-code';
import { accessGroups, type Group } from './access-groups';
import type { Step } from './block-reader';
import { printCsr } from './csr-code';
import { ExpressionPrinter } from './emit-wasm';
import { type Edge, edgesOf, type Node, type Region } from './region';
import { type Flow, flowOf, type Registers, written, writtenBy } from './register-flow';
import { constantValue, type Shape } from './shape';
import { JUMP_ENTRIES, PAGE_SHIFT } from './spaces';
import { PC, REGISTERS, SITE, SLOT_TABLE, SPACE, type Storage } from './storage';
import { type Structure, structureOf } from './structure';
import { Code, Label } from './wasm';

/** The type of translated functions: (fuel, depth, pc) -> (fuel, pc); its number in every module. */
export const REGION_TYPE = 0;
export const REGION_SIGNATURE = { parameters: 3, results: 2 };
export const REGION_PARAMETERS = ['fuel', 'depth', 'target'];
/** The type of `admit`: (va, bytes; negative for a load) -> where the byte is in memory, or 0 to leave. */
export const ADMIT_TYPE = 1;
export const ADMIT_SIGNATURE = { parameters: 2, results: 1 };
/** The number of the first translated function: behind the only imported one. */
const FIRST = 1;

/**
 * In the place of an address: leave, SITE says where. Or at that site is an environment call (its
 * address is in PC) or a return from a trap, which can perhaps be taken without leaving. Addresses
 * of code are even.
 */
export const AT_SITE = 1;
export const AT_ENVIRONMENT_CALL = 3;
export const AT_SUPERVISOR_RETURN = 5;

/** A place where translated code leaves. */
export interface Site {
  /** The instruction that comes next. */
  pc: number;
  /** Instructions that have been taken from the fuel but not carried out. */
  uncounted: number;
  /** Whether the reason to leave was that fuel is short. */
  isDry: boolean;
  /** The instruction at pc, where it is for the reference engine. */
  instruction?: Instruction;
}

/** Another translation: a function of the same module, or an entry of the table. */
export type Link = { kind: 'function'; index: number } | { kind: 'slot'; slot: number };

/** What the emitter asks of the translator. */
export interface Linker {
  /** The translation of the code at an address, if there is one. */
  link(pc: number): Link | undefined;
  /** The number of a new site. */
  site(site: Site): number;
}

const FUEL = 0;
const DEPTH = 1;
const TARGET = 2;

type Access = Extract<Shape, { kind: 'load' | 'store' }>;

/** The function for a region. */
export function regionCode(region: Region, storage: Storage, linker: Linker, isReadable = false): Code {
  return new RegionPrinter(region, storage, linker, isReadable).print();
}

class RegionPrinter {
  private readonly code: Code;
  private readonly structure: Structure;
  private readonly flow: Flow;
  private readonly expressions: ExpressionPrinter;
  private readonly accesses: AccessPrinter;
  private readonly locals: number[] = [];
  private readonly site: number;
  private readonly address: number;
  private readonly entry: number;
  private readonly choice: number;
  /** The label of each node that is branched to. */
  private readonly labels = new Map<Node, Label>();
  /** Where all of a set of registers is written back before leaving at a site. */
  private readonly exits = new Map<Registers, Label>();
  private readonly leave = new Label('leave');
  /** Nodes that test the fuel, and what a test must ask for, by index. */
  private readonly tests: Set<Node>;
  private readonly need: number[] = [];

  constructor(
    private readonly region: Region,
    storage: Storage,
    private readonly linker: Linker,
    isReadable: boolean,
  ) {
    this.structure = structureOf(region);
    this.flow = flowOf(this.structure, region.nodes.length);
    this.code = new Code(REGION_PARAMETERS, isReadable);
    const { code } = this;
    this.expressions = new ExpressionPrinter(code);
    this.accesses = new AccessPrinter(code, storage, region, {
      value: (expression, step) => this.value(expression, step),
      localOf: (register) => this.localOf(register),
    });
    this.site = code.local('site');
    this.address = code.local('address');
    this.entry = code.local('entry');
    this.choice = code.local('choice');
    this.tests = this.testing();
    for (const node of this.structure.order) {
      this.exits.set(this.flow.dirty[node.index], new Label(`exit${this.exits.size}`));
    }
    if (!this.exits.has(0)) this.exits.set(0, new Label('exitClean'));
  }

  print(): Code {
    const { code, region, exits } = this;
    code.block(this.leave);
    for (const label of [...exits.values()].reverse()) code.block(label);
    if (!this.tests.has(region.entry)) this.testFuel(region.entry, 0);
    if (!region.flat) this.accesses.begin();
    this.load(this.flow.live[region.entry.index]);
    this.tree(region.entry);
    code.op('unreachable');
    for (const [dirty] of exits) {
      code.end();
      this.writeBack(dirty);
      code.branch(this.leave);
    }
    code.end();
    code.constant(0);
    code.get(this.site);
    code.memory('i32.store', SITE);
    code.get(FUEL);
    code.constant(AT_SITE);
    return code;
  }

  private localOf(register: number): number {
    return (this.locals[register] ??= this.code.local(ABI_NAMES[register]));
  }

  /** Puts the value of a register on the stack. */
  private register(number: number): void {
    if (number === 0) this.code.constant(0);
    else this.code.get(this.localOf(number));
  }

  /** Puts the value of an expression of a step on the stack. */
  private value(expression: Expression, { instruction, pc }: Step, old?: number): void {
    this.expressions.value(expression, {
      constant: (part) => this.code.constant(constantValue(part, instruction, pc)),
      leaf: (leaf) => {
        if (leaf === 'rs1') this.register(instruction.rs1);
        else if (leaf === 'rs2') this.register(instruction.rs2);
        else if (leaf === 'old' && old !== undefined) this.code.get(old);
        else throw new Error(`There is no ${leaf} here.`);
      },
    });
  }

  private load(registers: Registers): void {
    for (const register of each(registers)) {
      this.code.constant(0);
      this.code.memory('i32.load', REGISTERS + 4 * register);
      this.code.set(this.localOf(register));
    }
  }

  private writeBack(registers: Registers): void {
    for (const register of each(registers)) {
      this.code.constant(0);
      this.code.get(this.localOf(register));
      this.code.memory('i32.store', REGISTERS + 4 * register);
    }
  }

  /** Heads of loops test; a selecting head leaves it to the nodes that it selects. */
  private testing(): Set<Node> {
    const { order, isLoopHead } = this.structure;
    const tests = new Set<Node>();
    for (const node of order) {
      if (!isLoopHead[node.index]) continue;
      if (node.end.kind !== 'select') tests.add(node);
      else for (const { to } of node.end.choices) tests.add(to!);
    }
    for (const node of [...order].reverse()) this.needOf(node, tests);
    return tests;
  }

  /** The most instructions from a node on until the next test. */
  private needOf(node: Node, tests: ReadonlySet<Node>): number {
    const known = this.need[node.index];
    if (known !== undefined) return known;
    let most = 0;
    if (node.end.kind !== 'call')
      for (const { to } of edgesOf(node))
        if (to !== undefined && !tests.has(to)) most = Math.max(most, this.needOf(to, tests));
    return (this.need[node.index] = node.count + most);
  }

  /** Leaves at the start of `node` if there is not enough fuel, with `dirty` to be written back. */
  private testFuel(node: Node, dirty: Registers): void {
    const { code } = this;
    code.constant(this.linker.site({ pc: node.pc, uncounted: 0, isDry: true }));
    code.set(this.site);
    code.get(FUEL);
    code.constant(this.need[node.index]);
    code.op('i32.lt_s');
    code.branchIf(this.exits.get(dirty)!);
  }

  // Nesting: Ramsey 2022, section 4

  /** A node with all that it dominates. */
  private tree(node: Node): void {
    const { code, structure } = this;
    const merges = structure.children[node.index].filter((child) => structure.isMerge[child.index]);
    if (structure.isLoopHead[node.index]) {
      code.loop(this.label(node, 'loop'));
      this.within(node, merges);
      code.end();
    } else this.within(node, merges);
  }

  /** A node inside of blocks that end where the last of `merges` begin. */
  private within(node: Node, merges: readonly Node[]): void {
    const last = merges[merges.length - 1];
    if (last === undefined) {
      this.node(node);
      return;
    }
    this.code.block(this.label(last, 'to'));
    this.within(node, merges.slice(0, -1));
    this.code.end();
    this.labels.delete(last); // from here on its own loop, if it is one
    this.tree(last);
  }

  private label(node: Node, kind: string): Label {
    const label = new Label(`${kind}_${hex(node.pc).slice(2)}_${node.index}`);
    this.labels.set(node, label);
    return label;
  }

  /** Whether an edge is a mere branch: forward to a merge, or back to the head of a loop. */
  private isBranch(from: Node, { to }: Edge): boolean {
    const { place, isMerge } = this.structure;
    return to !== undefined && (place[to.index] <= place[from.index] || isMerge[to.index]);
  }

  private follow(from: Node, edge: Edge, dirty: Registers): void {
    const { to } = edge;
    if (to === undefined) {
      this.writeBack(dirty);
      this.chain(edge.pc);
      return;
    }
    if (to.end.kind === 'select') {
      this.code.constant(edge.choice);
      this.code.set(this.choice);
    }
    if (this.isBranch(from, edge)) this.code.branch(this.labels.get(to)!);
    else this.tree(to);
  }

  // Nodes

  private node(node: Node): void {
    const { code } = this;
    const dirty = this.flow.dirty[node.index];
    code.remark(`${hex(node.pc)}: ${node.count} instructions`);
    if (this.tests.has(node)) this.testFuel(node, dirty);
    if (node.count > 0) {
      code.get(FUEL);
      code.constant(node.count);
      code.op('i32.sub');
      code.set(FUEL);
    }
    this.steps(node, dirty);
    this.end(node, dirty | writtenBy(node));
  }

  /**
   * The steps of a node. Where one of them leaves at a site, the registers are written back that were
   * dirty before the node and those written since: the last written first, one behind the other.
   */
  private steps(node: Node, dirty: Registers): void {
    const { code } = this;
    const order: number[] = []; // registers as they become dirty
    const before: number[] = []; // how many had, before each step
    let now = dirty;
    for (const step of node.steps) {
      before.push(order.length);
      const fresh = written(step) & ~now;
      if (fresh !== 0) order.push(31 - Math.clz32(fresh));
      now |= fresh;
    }
    const groups = this.region.flat ? accessGroups(node.steps) : undefined;
    const levels = [...new Set(node.steps.flatMap((step, n) => (canLeave(step.shape) ? [before[n]] : [])))];
    const labels = new Map<number, Label>([[0, this.exits.get(dirty)!]]);
    const after = new Label('after');
    const chained = levels.filter((level) => level > 0);
    if (chained.length > 0) code.block(after);
    for (const level of chained) {
      const label = new Label(`written${level}`);
      labels.set(level, label);
    }
    for (const level of chained) code.block(labels.get(level)!);
    node.steps.forEach((step, n) => {
      const exit = { label: labels.get(before[n])!, uncounted: node.count - n };
      this.step(step, groups?.get(step), exit);
    });
    if (chained.length === 0) return;
    code.branch(after);
    for (let n = chained.length - 1; n >= 0; n--) {
      code.end();
      for (const register of order.slice(n > 0 ? chained[n - 1] : 0, chained[n]))
        this.writeBack(1 << register);
    }
    code.branch(this.exits.get(dirty)!);
    code.end();
  }

  private step(step: Step, group: Group | undefined, exit: Exit): void {
    const { code } = this;
    const { shape, instruction } = step;
    code.remark(`${hex(step.pc)} ${instruction.row.name}`);
    if (shape.kind === 'set') {
      if (instruction.rd === 0) return;
      this.value(shape.value, step);
      code.set(this.localOf(instruction.rd));
    } else if (shape.kind === 'csr') {
      this.setSite(step, exit);
      const before = printCsr(code, step, shape, exit.label, (value, old) => this.value(value, step, old));
      if (instruction.rd === 0) return;
      code.get(before);
      code.set(this.localOf(instruction.rd));
    } else if (isAccess(shape)) {
      this.setSite(step, exit);
      this.accesses.print(step, shape, group, exit.label);
    }
  }

  private setSite({ pc }: Step, { uncounted }: Exit): void {
    this.code.constant(this.linker.site({ pc, uncounted, isDry: false }));
    this.code.set(this.site);
  }

  // Ends

  private end(node: Node, dirty: Registers): void {
    const { code } = this;
    const { end } = node;
    switch (end.kind) {
      case 'go':
        this.follow(node, end.edge, dirty);
        return;
      case 'branch':
        this.branchEnd(node, end.step, end.taken, end.fallen, dirty);
        return;
      case 'call':
        this.callEnd(node, end.step, end.callee, end.back, dirty);
        return;
      case 'computed':
        this.computedEnd(end.step, end.isReturn, dirty);
        return;
      case 'leave':
        this.writeBack(dirty);
        if (end.trap !== undefined) {
          this.trapEnd(end.pc, end.trap);
          return;
        }
        code.constant(this.linker.site({ pc: end.pc, uncounted: 0, isDry: false }));
        code.set(this.site);
        code.branch(this.leave);
        return;
      case 'select': {
        const labels = end.choices.map(({ pc }) => new Label(`choice_${hex(pc).slice(2)}`));
        for (const label of [...labels].reverse()) code.block(label);
        code.get(this.choice);
        code.branchTable(labels);
        for (const edge of end.choices) {
          code.end();
          this.follow(node, edge, dirty);
        }
      }
    }
  }

  /** At an instruction that the dispatcher may have a fast path for. */
  private trapEnd(pc: number, trap: 'environmentCall' | 'supervisorReturn'): void {
    const { code } = this;
    code.constant(0);
    code.constant(pc);
    code.memory('i32.store', PC);
    code.constant(0);
    code.constant(this.linker.site({ pc, uncounted: 0, isDry: false }));
    code.memory('i32.store', SITE);
    code.get(FUEL);
    code.constant(trap === 'environmentCall' ? AT_ENVIRONMENT_CALL : AT_SUPERVISOR_RETURN);
    code.op('return');
  }

  private branchEnd(node: Node, step: Step, taken: Edge, fallen: Edge, dirty: Registers): void {
    const { code } = this;
    if (step.shape.kind !== 'branch') throw new Error('A branch without a condition.');
    code.remark(`${hex(step.pc)} ${step.instruction.row.name}`);
    this.value(step.shape.condition, step);
    const isPlain = (edge: Edge) => this.isBranch(node, edge) && edge.to!.end.kind !== 'select';
    if (isPlain(taken)) {
      code.branchIf(this.labels.get(taken.to!)!);
      this.follow(node, fallen, dirty);
    } else if (isPlain(fallen)) {
      code.op('i32.eqz');
      code.branchIf(this.labels.get(fallen.to!)!);
      this.follow(node, taken, dirty);
    } else {
      code.if(new Label('taken'));
      this.follow(node, taken, dirty);
      code.end();
      this.follow(node, fallen, dirty);
    }
  }

  /** A call: to a function of ours, and on behind it if that comes back there with enough fuel. */
  private callEnd(node: Node, step: Step, callee: number | undefined, back: Edge, dirty: Registers): void {
    const { code } = this;
    code.remark(`${hex(step.pc)} ${step.instruction.row.name}`);
    this.jumpTarget(step, callee);
    this.link(step);
    this.writeBack(dirty);
    const link = callee === undefined ? undefined : this.linkTo(callee);
    if (link === undefined) this.findSlot();
    code.get(DEPTH);
    code.op('i32.eqz');
    code.if(new Label('tooDeep'));
    this.jumpTo(link);
    code.end();
    code.get(FUEL);
    code.get(DEPTH);
    code.constant(1);
    code.op('i32.sub');
    code.get(TARGET);
    if (link?.kind === 'function') code.call(FIRST + link.index);
    else {
      this.slotOf(link);
      code.callIndirect(REGION_TYPE);
    }
    code.set(TARGET);
    code.set(FUEL);
    this.comeBack(node, back);
  }

  private comeBack(node: Node, back: Edge): void {
    const { code } = this;
    code.get(TARGET);
    code.constant(back.pc);
    code.op('i32.ne');
    code.if(new Label('elsewhere'));
    code.get(FUEL);
    code.get(TARGET);
    code.op('return');
    code.end();
    if (back.to === undefined) {
      this.chain(back.pc);
      return;
    }
    if (!this.tests.has(back.to) && back.to.end.kind !== 'select') this.testFuel(back.to, 0);
    this.load(this.flow.live[back.to.index]);
    this.follow(node, back, 0);
  }

  private computedEnd(step: Step, isReturn: boolean, dirty: Registers): void {
    const { code } = this;
    code.remark(`${hex(step.pc)} ${step.instruction.row.name}`);
    this.jumpTarget(step, undefined);
    this.link(step);
    this.writeBack(dirty);
    if (isReturn) {
      code.get(FUEL);
      code.get(TARGET);
      code.op('return');
      return;
    }
    this.findSlot();
    this.jumpTo(undefined);
  }

  private jumpTarget(step: Step, known: number | undefined): void {
    if (known !== undefined) this.code.constant(known);
    else if (step.shape.kind === 'jump') this.value(step.shape.target, step);
    this.code.set(TARGET);
  }

  private link({ instruction, pc }: Step): void {
    if (instruction.rd === 0) return;
    this.code.constant((pc + instruction.length) | 0);
    this.code.set(this.localOf(instruction.rd));
  }

  // From region to region

  /** Another translation, where it will be for good: not if its page could be mapped elsewhere. */
  private linkTo(pc: number): Link | undefined {
    const isNear = this.region.flat || (pc ^ this.region.entry.pc) >>> PAGE_SHIFT === 0;
    return isNear ? this.linker.link(pc) : undefined;
  }

  /** Goes on at a known address outside. */
  private chain(pc: number): void {
    const link = this.linkTo(pc);
    this.code.constant(pc);
    this.code.set(TARGET);
    if (link === undefined) this.findSlot();
    this.jumpTo(link);
  }

  /** Looks up the translation at TARGET and leaves it in `entry`; or returns: whoever called will find out. */
  private findSlot(): void {
    const { code, address } = this;
    code.get(TARGET);
    code.constant(2);
    code.op('i32.shl');
    code.constant(8 * (JUMP_ENTRIES - 1));
    code.op('i32.and');
    code.constant(0);
    code.memory('i32.load', SPACE);
    code.op('i32.add');
    code.op('local.tee', address);
    code.memory('i32.load', SLOT_TABLE);
    code.get(TARGET);
    code.op('i32.ne');
    code.if(new Label('unknown'));
    code.get(FUEL);
    code.get(TARGET);
    code.op('return');
    code.end();
    code.get(address);
    code.memory('i32.load', SLOT_TABLE + 4);
    code.set(this.entry);
  }

  /** Goes on in another translation, in the place of this one; it is in local `entry` if not known. */
  private jumpTo(link: Link | undefined): void {
    const { code } = this;
    code.get(FUEL);
    code.get(DEPTH);
    code.get(TARGET);
    if (link?.kind === 'function') code.returnCall(FIRST + link.index);
    else {
      this.slotOf(link);
      code.returnCallIndirect(REGION_TYPE);
    }
  }

  private slotOf(link: Extract<Link, { kind: 'slot' }> | undefined): void {
    if (link === undefined) this.code.get(this.entry);
    else this.code.constant(link.slot);
  }
}

/** Where a step goes that can't be done here. */
interface Exit {
  label: Label;
  /** Instructions that its node has counted, from the step on. */
  uncounted: number;
}

const canLeave = ({ kind }: Shape) => kind === 'load' || kind === 'store' || kind === 'csr';
const isAccess = (shape: Shape): shape is Access => shape.kind === 'load' || shape.kind === 'store';

/** The registers in a set. */
function* each(registers: Registers): Iterable<number> {
  for (let register = 1; register < 32; register++) if ((registers >>> register) & 1) yield register;
}
