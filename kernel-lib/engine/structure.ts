/**
 * From a graph to nested loops and blocks, which is all that WebAssembly has.
 *
 * A loop that can be entered at several nodes has no such form. So each of those gets a number,
 * and a *selecting* node in front of them that all ways in lead to. Afterwards every loop has one
 * head, and the tree of dominators says how to nest: Ramsey, "Beyond Relooper: Recursive
 * Translation of Unstructured Control Flow to Structured Control Flow", ICFP 2022.
 * Read `region.ts` first.
 */
import { edgesOf, type Node, type Region } from './region';

/** What the nesting needs to know of each node, by its index. */
export interface Structure {
  /** Nodes in reverse postorder. */
  order: Node[];
  /** Place in `order`, by index. */
  place: number[];
  /** Nodes that this one dominates directly, in order. */
  children: Node[][];
  /** Whether an edge comes back to it from inside its loop. */
  isLoopHead: boolean[];
  /** Whether more than one edge comes forward to it. */
  isMerge: boolean[];
}

/** Gives every loop of the region a single head, and works out the nesting. */
export function structureOf(region: Region): Structure {
  region.nodes.forEach((node, n) => {
    node.index = n;
  });
  splitEntries(region, region.nodes);
  return nesting(region);
}

/** Puts selecting nodes in front of loops with several entries, outermost first. */
function splitEntries(region: Region, nodes: readonly Node[]): void {
  const inside = new Set(nodes);
  for (const loop of components(nodes, inside)) {
    const members = new Set(loop);
    const entries = loop.filter(
      (node) =>
        node === region.entry || region.nodes.some((from) => !members.has(from) && leadsTo(from, node)),
    );
    if (entries.length > 1) addSelector(region, entries);
    const head = entries.length > 1 ? undefined : entries[0];
    splitEntries(
      region,
      loop.filter((node) => node !== head),
    );
  }
}

const leadsTo = (from: Node, node: Node) => edgesOf(from).some(({ to }) => to === node);

function addSelector(region: Region, entries: readonly Node[]): void {
  const selector: Node = {
    index: region.nodes.length,
    pc: entries[0].pc,
    steps: [],
    count: 0,
    behind: entries[0].pc,
    end: { kind: 'select', choices: [] },
  };
  for (const from of region.nodes)
    for (const edge of edgesOf(from)) {
      const choice = edge.to === undefined ? -1 : entries.indexOf(edge.to);
      if (choice < 0) continue;
      edge.to = selector;
      edge.choice = choice;
    }
  selector.end = { kind: 'select', choices: entries.map((to) => ({ pc: to.pc, to, choice: 0 })) };
  region.nodes.push(selector);
  if (entries.includes(region.entry)) {
    // The entry itself is inside the loop: the way in chooses it.
    const choice = entries.indexOf(region.entry);
    const pc = region.entry.pc;
    const entry: Node = {
      index: region.nodes.length,
      pc,
      steps: [],
      count: 0,
      behind: pc,
      end: { kind: 'go', edge: { pc, to: selector, choice } },
    };
    region.nodes.push(entry);
    region.entry = entry;
  }
}

/** Strongly connected components with an edge inside (Tarjan), of a part of the graph. */
function components(nodes: readonly Node[], inside: ReadonlySet<Node>): Node[][] {
  const number = new Map<Node, number>();
  const low = new Map<Node, number>();
  const stack: Node[] = [];
  const onStack = new Set<Node>();
  const found: Node[][] = [];
  const visit = (node: Node): void => {
    number.set(node, number.size);
    low.set(node, number.get(node)!);
    stack.push(node);
    onStack.add(node);
    for (const { to } of edgesOf(node)) {
      if (to === undefined || !inside.has(to)) continue;
      if (!number.has(to)) visit(to);
      if (onStack.has(to)) low.set(node, Math.min(low.get(node)!, low.get(to)!));
    }
    if (low.get(node) !== number.get(node)) return;
    const component = stack.splice(stack.indexOf(node));
    for (const member of component) onStack.delete(member);
    if (component.length > 1 || leadsTo(node, node)) found.push(component);
  };
  for (const node of nodes) if (!number.has(node)) visit(node);
  return found;
}

function nesting({ entry, nodes }: Region): Structure {
  const order = reversePostorder(entry);
  const place: number[] = nodes.map(() => -1);
  order.forEach((node, n) => {
    place[node.index] = n;
  });
  const before: Node[][] = nodes.map(() => []);
  for (const node of order)
    for (const { to } of edgesOf(node)) if (to !== undefined) before[to.index].push(node);
  const dominator = dominators(order, place, before);
  const children: Node[][] = nodes.map(() => []);
  for (const node of order.slice(1)) children[dominator[node.index].index].push(node);
  const forward = (to: Node) => before[to.index].filter((from) => place[from.index] < place[to.index]);
  return {
    order,
    place,
    children,
    isLoopHead: nodes.map((to) => forward(to).length < before[to.index].length),
    isMerge: nodes.map((to) => forward(to).length > 1),
  };
}

function reversePostorder(entry: Node): Node[] {
  const seen = new Set<Node>();
  const order: Node[] = [];
  const visit = (node: Node): void => {
    seen.add(node);
    for (const { to } of edgesOf(node)) if (to !== undefined && !seen.has(to)) visit(to);
    order.push(node);
  };
  visit(entry);
  return order.reverse();
}

/** Immediate dominators by index: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm", 2001. */
function dominators(order: readonly Node[], place: readonly number[], before: readonly Node[][]): Node[] {
  const found: Node[] = [];
  found[order[0].index] = order[0];
  const common = (one: Node, other: Node): Node => {
    let [a, b] = [one, other];
    while (a !== b) {
      while (place[a.index] > place[b.index]) a = found[a.index];
      while (place[b.index] > place[a.index]) b = found[b.index];
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of order.slice(1)) {
      const known = before[node.index].filter((from) => found[from.index] !== undefined);
      const next = known.reduce(common);
      if (found[node.index] !== next) {
        found[node.index] = next;
        changed = true;
      }
    }
  }
  return found;
}
