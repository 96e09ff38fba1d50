/**
 * The device tree: what a kernel is told about the board, as QEMU's `virt` board tells it.
 *
 * `boardTree` says what is there, `flatten` writes it as the blob whose address the kernel finds
 * in a1. Devicetree Specification 0.4, Flattened Devicetree (DTB) Format.
 */
import { CYCLES_PER_TICK } from './devices/clint';
import { PLIC_SOURCES } from './devices/plic';

/** The value of a property: cells of 32 bits, text, several texts, or just being there. */
type Property = number | readonly number[] | string | readonly string[] | true;

/** A node of the tree. */
export interface TreeNode {
  name: string;
  properties: Record<string, Property>;
  children: readonly TreeNode[];
}

function node(name: string, properties: Record<string, Property>, ...children: TreeNode[]): TreeNode {
  return { name, properties, children };
}

/** Cycles per second of the simulated hart, and ticks of mtime. */
const HART_HERTZ = 100_000_000;
const TIMEBASE_HERTZ = HART_HERTZ / CYCLES_PER_TICK;

/** The hart's extensions that have no letter. */
const EXTENSIONS = ['zicntr', 'zicsr', 'zifencei', 'zihpm'];

/** Handles by which nodes refer to each other. */
enum Handle {
  HartInterrupts = 1,
  Plic = 2,
  Finisher = 3,
}

/** Interrupts of the hart, by cause number. */
const SOFTWARE = 3;
const TIMER = 7;
const MACHINE_EXTERNAL = 11;
const SUPERVISOR_EXTERNAL = 9;

/** A device as the tree names it. */
interface Place {
  base: number;
  size: number;
}

/** What the tree says about a board. */
export interface Board {
  ram: Place;
  clint: Place;
  plic: Place;
  uart: Place & { source: number };
  finisher: Place;
  virtio: readonly (Place & { source: number })[];
  /** What the kernel is to be told: the command line. */
  bootArguments: string;
  /** Where the initial RAM disk is. */
  initrd?: Place;
}

/** The tree of a board. */
export function boardTree(board: Board): TreeNode {
  const { ram, uart, initrd } = board;
  const chosen = {
    bootargs: board.bootArguments,
    'stdout-path': `/soc/serial@${uart.base.toString(16)}`,
    ...(initrd ? { 'linux,initrd-start': initrd.base, 'linux,initrd-end': initrd.base + initrd.size } : {}),
  };
  return node(
    '',
    { '#address-cells': 2, '#size-cells': 2, compatible: 'riscv-virtio', model: 'riscv-virtio,vmlab' },
    node('chosen', chosen),
    node(`memory@${ram.base.toString(16)}`, { device_type: 'memory', reg: reg(ram) }),
    cpus(),
    node(
      'soc',
      { '#address-cells': 2, '#size-cells': 2, compatible: 'simple-bus', ranges: true },
      ...devices(board),
    ),
    finisherUse('poweroff', 0x5555),
    finisherUse('reboot', 0x7777),
  );
}

function cpus(): TreeNode {
  const interrupts = node('interrupt-controller', {
    '#address-cells': 0,
    '#interrupt-cells': 1,
    'interrupt-controller': true,
    compatible: 'riscv,cpu-intc',
    phandle: Handle.HartInterrupts,
  });
  const hart = {
    device_type: 'cpu',
    reg: 0,
    status: 'okay',
    compatible: 'riscv',
    'riscv,isa': `rv32imac_${EXTENSIONS.join('_')}`,
    'riscv,isa-base': 'rv32i',
    'riscv,isa-extensions': ['i', 'm', 'a', 'c', ...EXTENSIONS],
    'mmu-type': 'riscv,sv32',
  };
  return node(
    'cpus',
    { '#address-cells': 1, '#size-cells': 0, 'timebase-frequency': TIMEBASE_HERTZ },
    node('cpu@0', hart, interrupts),
  );
}

function devices({ clint, plic, uart, finisher, virtio }: Board): TreeNode[] {
  const wire = (...causes: number[]) => causes.flatMap((cause) => [Handle.HartInterrupts, cause]);
  const source = (number: number) => ({ 'interrupt-parent': Handle.Plic, interrupts: number });
  return [
    node(at('test', finisher), {
      compatible: ['sifive,test1', 'sifive,test0', 'syscon'],
      reg: reg(finisher),
      phandle: Handle.Finisher,
    }),
    node(at('clint', clint), {
      compatible: ['sifive,clint0', 'riscv,clint0'],
      reg: reg(clint),
      'interrupts-extended': wire(SOFTWARE, TIMER),
    }),
    node(at('plic', plic), {
      compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
      reg: reg(plic),
      '#address-cells': 0,
      '#interrupt-cells': 1,
      'interrupt-controller': true,
      'interrupts-extended': wire(MACHINE_EXTERNAL, SUPERVISOR_EXTERNAL),
      'riscv,ndev': PLIC_SOURCES - 1,
      phandle: Handle.Plic,
    }),
    node(at('serial', uart), {
      compatible: 'ns16550a',
      reg: reg(uart),
      'clock-frequency': 3_686_400,
      ...source(uart.source),
    }),
    ...virtio.map((slot) =>
      node(at('virtio_mmio', slot), { compatible: 'virtio,mmio', reg: reg(slot), ...source(slot.source) }),
    ),
  ];
}

/** A way to end the run, by a store to the test finisher. */
function finisherUse(name: string, value: number): TreeNode {
  return node(name, { compatible: `syscon-${name}`, regmap: Handle.Finisher, offset: 0, value });
}

const at = (name: string, { base }: Place) => `${name}@${base.toString(16)}`;
const reg = ({ base, size }: Place) => [0, base, 0, size];

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE_VERSION = 16;
const HEADER_BYTES = 40;
const RESERVATIONS_BYTES = 16;

enum Token {
  BeginNode = 1,
  EndNode = 2,
  Property = 3,
  End = 9,
}

/** The tree as a blob: big-endian, everything aligned to words. */
export function flatten(root: TreeNode): Uint8Array {
  const names: string[] = [];
  const structure = Buffer.concat([...structureOf(root, names), cells(Token.End)]);
  const strings = Buffer.from(names.map((name) => `${name}\0`).join(''));
  const structureAt = HEADER_BYTES + RESERVATIONS_BYTES;
  const stringsAt = structureAt + structure.length;
  const total = Math.ceil((stringsAt + strings.length) / 8) * 8;
  const header = cells(
    MAGIC,
    total,
    structureAt,
    stringsAt,
    HEADER_BYTES,
    VERSION,
    LAST_COMPATIBLE_VERSION,
    0, // the hart that boots
    strings.length,
    structure.length,
  );
  const blob = new Uint8Array(total);
  blob.set(Buffer.concat([header, Buffer.alloc(RESERVATIONS_BYTES), structure, strings]));
  return blob;
}

function structureOf(tree: TreeNode, names: string[]): Uint8Array[] {
  const properties = Object.entries(tree.properties).map(([name, value]) => {
    const bytes = bytesOf(value);
    return Buffer.concat([cells(Token.Property, bytes.length, nameOffset(name, names)), aligned(bytes)]);
  });
  const children = tree.children.flatMap((child) => structureOf(child, names));
  const name = aligned(Buffer.from(`${tree.name}\0`));
  return [cells(Token.BeginNode), name, ...properties, ...children, cells(Token.EndNode)];
}

function bytesOf(value: Property): Uint8Array {
  if (value === true) return new Uint8Array();
  if (typeof value === 'number') return cells(value);
  if (typeof value === 'string') return Buffer.from(`${value}\0`);
  const isText = (list: readonly number[] | readonly string[]): list is readonly string[] =>
    typeof list[0] === 'string';
  return isText(value) ? Buffer.from(value.map((text) => `${text}\0`).join('')) : cells(...value);
}

/** Where a property's name is in the block of strings; it is added if it is new. */
function nameOffset(name: string, names: string[]): number {
  if (!names.includes(name)) names.push(name);
  const before = names.slice(0, names.indexOf(name));
  return before.reduce((sum, other) => sum + other.length + 1, 0);
}

function cells(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, n) => {
    bytes.writeUInt32BE(value >>> 0, 4 * n);
  });
  return bytes;
}

function aligned(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
