/**
 * The machine: a hart, RAM and devices wired as on QEMU's `virt` board.
 *
 * A machine without an engine is a board that nothing runs: hypervisors keep one per guest, as
 * what the guest believes to run on. `createMachine` (engine/) gives a machine that runs.
 * With `host` set, TypeScript plays the software of the highest privilege: it is handed each
 * trap that would enter M mode.
 */
import { csrMask, csrNumber } from '../isa/csrs';
import { Mode, registerNumber } from '../isa/registers';
import { Bus } from './bus';
import { Clock, type CostPreset, type CostTable, DEVICE_ACCESS, NO_WORK, type Work } from './cost';
import type { Board } from './device-tree';
import { Clint } from './devices/clint';
import { Finisher } from './devices/finisher';
import { Plic } from './devices/plic';
import { Uart } from './devices/uart';
import { VirtioBlock } from './devices/virtio-block';
import { VirtioConsole } from './devices/virtio-console';
import { VirtioMmio, type VirtioVersion } from './devices/virtio-mmio';
import { bytesOf, checkBudget, checkProgram, costTable, knownOptions, type Loadable, oneOf } from './given';
import { type BootOptions, handOver } from './handover';
import { Hart, type HartOptions } from './hart';
import { Memory } from './memory';
import { Access, type PmpRange, pmpConfigurationByte, pmpTopOfRanges } from './pmp';
import { StateReader, type StateStream, StateWriter, seal, unseal } from './state';
import { finishedWith, idleForEver, type RunResult, type Stop, trapLoop } from './stop';
import type { Trap } from './trap';

export type { Loadable } from './given';
export type { BootOptions } from './handover';
export type { RunResult, Stop, StopReason } from './stop';

const MIE = csrNumber('mie');
const STIMECMP = csrNumber('stimecmp');
const STIMECMPH = csrNumber('stimecmph');
const SUPERVISOR_TIMER_LINE = csrMask('mip', 'STIP');
const MACHINE_TIMER_LINE = csrMask('mip', 'MTIP');

/** Sources of the PLIC, and where virtio slots are: as on QEMU's `virt` board. */
const UART_SOURCE = 10;
const VIRTIO_FIRST_SOURCE = 1;
const VIRTIO_SLOTS = 8;
const VIRTIO_BASE = 0x1000_1000;
const VIRTIO_STRIDE = 0x1000;

/** Where RAM begins. */
export const RAM_BASE = 0x8000_0000;
export const MiB = 2 ** 20;

/** What executes instructions on a machine's hart. */
export interface Engine {
  readonly name: string;
  /** Runs until something stops the machine, or `budget` instructions and traps have passed. */
  run(machine: Machine, budget: number): Stop;
}

export interface MachineOptions extends HartOptions {
  /** Bytes of RAM; 16 MiB if left out. A power of two. */
  ram?: number | Memory;
  /** A disk: a virtio block device in slot 0, over these bytes, which it writes to. */
  disk?: Uint8Array;
  /** Whether there is a virtio console, in slot 1. */
  virtioConsole?: boolean;
  /** The interface of virtio devices: 1, the legacy one that QEMU has, if left out; or 2. */
  virtioVersion?: VirtioVersion;
  /** What things cost: a preset's name or a table of one's own. `arm-est` if left out. */
  costs?: CostPreset | CostTable;
  /** The clock to live by, if it is another machine's. */
  clock?: Clock;
  engine?: Engine;
}

const OPTIONS: Record<keyof MachineOptions, true> = {
  ram: true,
  disk: true,
  virtioConsole: true,
  virtioVersion: true,
  costs: true,
  clock: true,
  engine: true,
  pmpEntries: true,
  accessedDirty: true,
  tlbEntries: true,
  profile: true,
  storage: true,
};
const DEFAULT_RAM = 16 * MiB;
const A0 = registerNumber('a0')!;
const A1 = registerNumber('a1')!;
const A2 = registerNumber('a2')!;

export class Machine {
  readonly ram: Memory;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly hart: Hart;
  readonly clint: Clint;
  readonly plic = new Plic();
  readonly uart = new Uart();
  readonly finisher = new Finisher();
  readonly disk: VirtioBlock | undefined;
  readonly virtioConsole: VirtioConsole | undefined;
  /** The virtio slots, by number. */
  readonly virtio: readonly VirtioMmio[];
  /** TypeScript in the place of M mode; undefined: M mode is the guest's own. */
  host: ((trap: Trap) => void) | undefined;
  /** Set by whoever wants the run to end; the engine ends it before the next instruction. */
  stopped: Stop | undefined;
  /** Cycles during which the hart waited in `wfi`. */
  idleCycles = 0;
  /** Traps taken since reset, delegated ones included. */
  traps = 0;
  /** What executes instructions; a recording takes its place for a while. */
  engine: Engine | undefined;
  private lastTrap = { pc: -1, instret: -1 };
  /** What a snapshot must agree on. */
  private readonly kind: string;

  /** @throws if there is no such option, or no such value of one: each message says what there is */
  constructor(options: MachineOptions = {}) {
    knownOptions('A machine', options, Object.keys(OPTIONS));
    this.ram = options.ram instanceof Memory ? options.ram : new Memory(RAM_BASE, ramSize(options.ram));
    this.clock = options.clock ?? new Clock(costTable(options.costs ?? 'arm-est'));
    this.engine = options.engine;
    this.bus = new Bus(this.ram);
    this.clint = new Clint(this.clock);
    this.disk = options.disk && new VirtioBlock(bytesOf('A disk', options.disk));
    this.virtioConsole = options.virtioConsole ? new VirtioConsole() : undefined;
    this.virtio = this.virtioSlots(oneOf('virtioVersion', options.virtioVersion ?? 1, [1, 2]));
    for (const device of [this.clint, this.plic, this.uart, this.finisher, ...this.virtio])
      this.bus.attach(device);
    this.uart.line = (isHigh) => this.plic.setLine(UART_SOURCE, isHigh);
    this.hart = new Hart(this, options);
    this.hart.pc = this.ram.base | 0;
    this.kind = kindOf(this, options);
  }

  private virtioSlots(version: VirtioVersion): VirtioMmio[] {
    const purposes = [this.disk, this.virtioConsole];
    const slots = Array.from({ length: VIRTIO_SLOTS }, (_, slot) => {
      const device = new VirtioMmio(VIRTIO_BASE + slot * VIRTIO_STRIDE, this.ram, version, purposes[slot]);
      device.line = (isHigh) => this.plic.setLine(VIRTIO_FIRST_SOURCE + slot, isHigh);
      return device;
    });
    if (this.virtioConsole) this.virtioConsole.onInput = () => slots[1].serve();
    return slots;
  }

  get cycles(): number {
    return this.clock.cycles;
  }

  /** The words of mtime. */
  get timeLow(): number {
    return this.clint.timeLow;
  }

  get timeHigh(): number {
    return this.clint.timeHigh;
  }

  /** The lines that are high now, as bits of `mip`. */
  get interruptLines(): number {
    return this.clint.lines | this.plic.lines | (this.supervisorTimer === 0 ? SUPERVISOR_TIMER_LINE : 0);
  }

  /**
   * The cycle at which an interrupt line rises next by itself (those that are high have risen);
   * infinity for never. Until then lines change only through accesses to devices and CSRs.
   */
  get nextEvent(): number {
    const machineTimer = this.clint.nextEvent - this.cycles;
    const supervisorTimer = this.supervisorTimer;
    return (
      this.cycles +
      Math.min(
        machineTimer > 0 ? machineTimer : Number.POSITIVE_INFINITY,
        supervisorTimer > 0 ? supervisorTimer : Number.POSITIVE_INFINITY,
      )
    );
  }

  /** Cycles until the supervisor timer is due: 0 if it is; infinity if it is not in use. "Sstc". */
  private get supervisorTimer(): number {
    const { csrs } = this.hart;
    if (!csrs.hasSupervisorTimer) return Number.POSITIVE_INFINITY;
    return this.clint.cyclesUntil(csrs.values[STIMECMPH], csrs.values[STIMECMP]);
  }

  /** A board without an engine is a hypervisor's idea of one: its devices' registers are words in memory. */
  get deviceWork(): Work {
    return this.engine === undefined ? NO_WORK : DEVICE_ACCESS;
  }

  /** What the guest has printed. */
  get console(): string {
    return this.uart.output;
  }

  /**
   * Copies a program into RAM and points the hart at its entry, in M mode, with a0 and a1 as a
   * kernel expects them: the hart's number, and the address of the device tree (0 if there is no
   * room for it above the program); and a2 as firmware expects it: the address of what says where
   * it is to go on, if `nextStage` does, or 0.
   * @throws RangeError if the program or the initial RAM disk does not fit into RAM; TypeError if it is none
   */
  load(image: Loadable, options: BootOptions = {}): void {
    checkProgram(image);
    let end = this.ram.base;
    for (const { address, bytes, size = bytes.length } of image.segments) {
      this.ram.copyIn(address, bytes);
      this.ram.copyIn(address + bytes.length, new Uint8Array(size - bytes.length));
      end = Math.max(end, address + size);
    }
    this.hart.pc = image.entry | 0;
    this.hart.x[A0] = 0;
    const { deviceTree, nextStage } = handOver(this.ram, this.board, end, options);
    this.hart.x[A1] = deviceTree;
    this.hart.x[A2] = nextStage;
  }

  /** What the device tree says. */
  private get board(): Omit<Board, 'bootArguments'> {
    const { ram, clint, plic, uart, finisher } = this;
    return {
      ram,
      clint,
      plic,
      uart: { base: uart.base, size: uart.size, source: UART_SOURCE },
      finisher,
      virtio: this.virtio.map(({ base, size }, slot) => ({ base, size, source: VIRTIO_FIRST_SOURCE + slot })),
    };
  }

  /**
   * All of the machine's state, as bytes: equal states give equal bytes. What is TypeScript (the host
   * handler, the engine) is no part of it.
   */
  snapshot(): Uint8Array {
    const writer = new StateWriter();
    this.exchange(writer);
    return seal(this.kind, writer.written);
  }

  /**
   * Goes back to the state that a snapshot was taken in.
   * @throws SnapshotError if it is damaged, or of a machine that was made with other options
   */
  restore(snapshot: Uint8Array): void {
    const reader = new StateReader(unseal(this.kind, bytesOf('A snapshot', snapshot)));
    this.exchange(reader);
    reader.end();
    this.stopped = undefined;
  }

  private exchange(stream: StateStream): void {
    this.clock.cycles = stream.number(this.clock.cycles);
    this.hart.exchange(stream);
    this.ram.exchange(stream);
    for (const device of this.bus.devices) device.exchange(stream);
    this.idleCycles = stream.number(this.idleCycles);
    this.traps = stream.number(this.traps);
    const { pc, instret } = this.lastTrap;
    this.lastTrap = { pc: stream.number(pc), instret: stream.number(instret) };
  }

  /** Lets S and U mode touch `RWX` all of the address space, or only what `range` says (PMP entry 0). */
  openMemory(range = 0xffffffff): void {
    this.hart.csrs.set('pmpaddr0', range);
    this.hart.csrs.set('pmpcfg0', pmpConfigurationByte(Access.Read, Access.Write, Access.Execute));
  }

  /** Lets S and U mode touch nothing but these ranges, each as it says; the first that holds an address counts. */
  openRanges(ranges: readonly PmpRange[]): void {
    const { csrs } = this.hart;
    const { addresses, configurations } = pmpTopOfRanges(ranges);
    addresses.forEach((address, n) => {
      csrs.set(`pmpaddr${n}`, address);
    });
    configurations.forEach((bytes, n) => {
      csrs.set(`pmpcfg${n}`, bytes);
    });
  }

  /**
   * Runs until the guest stops the machine, or as many instructions have passed.
   * @param limits `instructions`: the budget; 100 million if left out. A trap counts as one, too.
   * @throws if the machine was made without an engine
   */
  run(limits: { instructions?: number } = {}): RunResult {
    if (this.engine === undefined) {
      throw new Error('This machine has no engine. Make it with createMachine() to run it.');
    }
    const budget = limits.instructions ?? 100_000_000;
    checkBudget(budget);
    const before = this.hart.instret;
    const stop = this.engine.run(this, budget);
    return { ...stop, instructions: this.hart.instret - before };
  }

  /** The hart takes a trap at its pc, which costs nothing by itself: to the host, if it is one for M mode and there is a host. */
  takeTrap(trap: Trap): void {
    const { hart } = this;
    this.traps++;
    hart.loseRegisters();
    hart.waiting = false;
    const target = hart.trapTarget(trap.cause);
    if (target === Mode.M && this.host !== undefined) {
      this.host(trap);
      return;
    }
    const faultingPc = hart.pc;
    hart.enterTrap(target, trap);
    const again = this.lastTrap.pc === faultingPc && this.lastTrap.instret === hart.instret;
    if (again && hart.pc === faultingPc) this.stopped = trapLoop(hart.pc, trap.cause);
    this.lastTrap = { pc: hart.pc, instret: hart.instret };
  }

  /**
   * Takes note of traps that an engine has taken itself.
   * @param pc where the last of them led, when `instret` instructions had been retired
   */
  noteTraps(count: number, pc: number, instret: number): void {
    this.traps += count;
    this.lastTrap = { pc, instret };
  }

  /** Lets time pass until an interrupt ends the wait; stops the machine if none ever will. */
  idle(): void {
    const { hart, clock, clint } = this;
    if (hart.interruptPending) {
      hart.waiting = false;
      return;
    }
    const enabled = hart.csrs.values[MIE];
    const wakeUps = [
      (enabled & MACHINE_TIMER_LINE) !== 0 ? clint.nextEvent : Number.POSITIVE_INFINITY,
      (enabled & SUPERVISOR_TIMER_LINE) !== 0
        ? clock.cycles + this.supervisorTimer
        : Number.POSITIVE_INFINITY,
    ];
    const next = Math.min(...wakeUps);
    if (!Number.isFinite(next)) {
      this.stopped = idleForEver();
      return;
    }
    const skipped = Math.max(0, next - clock.cycles);
    clock.cycles += skipped;
    this.idleCycles += skipped;
  }

  /** Whether the guest has asked the finisher to stop; then `stopped` says so. */
  get finished(): boolean {
    const code = this.finisher.exitCode;
    if (code === undefined) return false;
    this.stopped = finishedWith(code);
    return true;
  }
}

/**
 * The size of a machine's RAM, if it is left out, too.
 * @throws RangeError if there is no RAM of such a size
 */
export function ramSize(size = DEFAULT_RAM): number {
  if (!Number.isInteger(Math.log2(size)) || size < 4096 || size > 1024 * MiB) {
    throw new RangeError(`RAM of ${size} bytes: the size must be a power of two from 4 KiB to 1 GiB.`);
  }
  return size;
}

/** What a machine is, as far as its state depends on it. */
function kindOf({ ram, hart, disk, virtioConsole }: Machine, options: MachineOptions): string {
  const { pmpEntries = 16, accessedDirty = 'hardware', virtioVersion = 1 } = options;
  const parts = [
    `a machine with ${ram.size / MiB} MiB of RAM`,
    `${pmpEntries} PMP entries`,
    `a TLB of ${hart.tlb.entries} entries`,
    `A and D by ${accessedDirty}`,
    `profile ${hart.profile.name}`,
    `virtio version ${virtioVersion}`,
    ...(disk ? [`a disk of ${disk.content.length} bytes`] : []),
    ...(virtioConsole ? ['a virtio console'] : []),
  ];
  return parts.join(', ');
}
