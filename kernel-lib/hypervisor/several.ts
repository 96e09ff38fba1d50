/**
 * Several VMs on one machine: who has the hart, and for how long; who has the console.
 *
 * Each VM has its part of the RAM and its frames; the hart is given from one to the next by a *world
 * switch*, when a slice of time is over, when the guest waits, or when a guest of higher priority has
 * something to do. Within a priority they take turns. Each guest prints on a console of its own;
 * the merged view shows whose each line is. What is typed goes to the guest in focus.
 * S1, Virtual Machine Monitor: partitions, schedules (world switch), mediates the console.
 */
import { type BootOptions, type Loadable, type Machine, MiB, type Stop } from '../machine/machine';
import { Asids, Frames } from './frames';
import { dispatch } from './trap-and-emulate';
import { type ExitHandler, type Report, Vm, type VmOptions } from './vm';

export interface GuestOptions extends Pick<VmOptions, 'layout' | 'paging' | 'board'>, BootOptions {
  /** Bytes of RAM; 8 MiB if left out: kernels are loaded at its 4 MiB. Rounded up to whole 4 MiB. */
  ram?: number;
  /** Guests of a higher priority go first, whatever the others do: for guests that keep a schedule. 0 if left out. */
  priority?: number;
  /** What is done about its exits: trap-and-emulate, if left out. */
  dispatch?: ExitHandler;
}

export interface SeveralOptions {
  /** Cycles that a guest has the hart for, while others of its priority want it. 50,000 if left out. */
  slice?: number;
}

/** A guest's place in the schedule. */
interface Member {
  name: string;
  vm: Vm;
  priority: number;
  /** How it ended; undefined while it goes on. */
  end: Stop | undefined;
  /** How much of its output the merged view has. */
  shown: number;
}

/** What the VMs together did. */
export interface SeveralReport {
  switches: number;
  /** Cycles in which all guests waited. */
  idle: number;
  guests: { name: string; report: Report }[];
}

const DEFAULT_GUEST_RAM = 8 * MiB;
const ALIGNMENT = 4 * MiB;
/** Room for the tables of one VM. */
const FRAMES_BYTES = MiB;
const DEFAULT_SLICE = 50_000;

export class SeveralVms {
  private readonly members: Member[] = [];
  private readonly asids: Asids;
  private readonly slice: number;
  private running: Member | undefined;
  private focused: Member | undefined;
  private merged = '';
  private readonly partialLines = new Map<Member, string>();
  private switches = 0;
  private idleCycles = 0;
  private nextBase: number;
  private lowestFrames: number;

  /** @throws RangeError if the slice makes no sense */
  constructor(
    readonly machine: Machine,
    { slice = DEFAULT_SLICE }: SeveralOptions = {},
  ) {
    if (!(slice >= 1)) throw new RangeError(`A slice of ${slice} cycles makes no sense. Give at least 1.`);
    this.slice = slice;
    this.asids = new Asids(machine.hart.tlb);
    this.nextBase = machine.ram.base;
    this.lowestFrames = machine.ram.base + machine.ram.size;
  }

  /**
   * Makes a VM, loads a kernel into it, and puts it last in the queue of its priority.
   * @throws RangeError if there is not enough RAM left; Error if the name is taken
   */
  add(name: string, image: Loadable, options: GuestOptions = {}): Vm {
    const {
      ram = DEFAULT_GUEST_RAM,
      priority = 0,
      dispatch: ownDispatch = dispatch,
      layout,
      paging,
      board,
    } = options;
    if (this.members.some((member) => member.name === name))
      throw new Error(`There is a guest called "${name}" already. Give this one another name.`);
    const size = Math.ceil(ram / ALIGNMENT) * ALIGNMENT;
    const tables = this.lowestFrames - FRAMES_BYTES;
    if (this.nextBase + size > tables)
      throw new RangeError(
        `No ${size / MiB} MiB of RAM are left for guest "${name}". Give the machine more.`,
      );
    const memory = { base: this.nextBase, size };
    const frames = new Frames(this.machine.ram, tables, FRAMES_BYTES);
    const vm = new Vm(this.machine, 'several', ownDispatch, {
      memory,
      frames,
      asids: this.asids,
      ...(layout && { layout }),
      ...(paging && { paging }),
      ...(board && { board }),
    });
    vm.load(image, options);
    this.nextBase += size;
    this.lowestFrames = tables;
    const member: Member = { name, vm, priority, end: undefined, shown: 0 };
    this.members.push(member);
    this.focused ??= member;
    return vm;
  }

  /** The VM of a guest. @throws Error if there is none of this name */
  vm(name: string): Vm {
    return this.member(name).vm;
  }

  /** How a guest ended; undefined while it goes on. */
  endOf(name: string): Stop | undefined {
    return this.member(name).end;
  }

  /** From now on what is typed goes to this guest. */
  focus(name: string): void {
    this.focused = this.member(name);
  }

  /** Types text at the guest in focus. */
  input(text: string): void {
    this.focused?.vm.guest.uart.input(text);
  }

  /** What all guests have printed: their whole lines as they came, each behind its guest's name. */
  get console(): string {
    return this.merged;
  }

  /**
   * Runs the guests until all have ended, or wait for what will not come, or the budget of
   * instructions and traps is used up.
   */
  run({ instructions: budget = 100_000_000 }: { instructions?: number } = {}): Stop {
    const { machine } = this;
    for (let left = budget; left > 0; ) {
      const next = this.choose();
      if (next === undefined) {
        const stop = this.wait();
        if (stop !== undefined) return stop;
        continue;
      }
      const [retired, traps] = [machine.hart.instret, machine.traps];
      this.give(next, left);
      left -= Math.max(1, machine.hart.instret - retired + machine.traps - traps);
    }
    return {
      reason: 'budget',
      message: `The budget of ${budget} instructions is used up; run again to go on.`,
    };
  }

  report(): SeveralReport {
    const guests = this.members.map(({ name, vm }) => ({
      name,
      report: { ...vm.report(), technique: name },
    }));
    return { switches: this.switches, idle: this.idleCycles, guests };
  }

  /** The guest that is to have the hart: of the highest priority, the one that has waited for it longest. */
  private choose(): Member | undefined {
    let best: Member | undefined;
    for (const member of this.members) {
      if (member.end !== undefined || member.vm.isWaiting) continue;
      if (best === undefined || member.priority > best.priority) best = member;
    }
    return best;
  }

  /** Gives a guest the hart for a slice. */
  private give(member: Member, budget: number): void {
    const { machine } = this;
    if (this.running !== member) {
      this.switches++;
      this.running = member;
      member.vm.takeOver();
    }
    const urgent = this.members.filter(
      ({ end, priority }) => end === undefined && priority > member.priority,
    );
    const called = Math.min(...urgent.map(({ vm }) => vm.wakesAt));
    member.end = member.vm.runSlice(Math.min(machine.cycles + this.slice, called), budget);
    this.showOutput(member);
    this.members.splice(this.members.indexOf(member), 1);
    this.members.push(member);
  }

  /** No guest wants the hart: lets time pass until one does. */
  private wait(): Stop | undefined {
    const waiting = this.members.filter(({ end }) => end === undefined);
    if (waiting.length === 0) return { reason: 'finished', message: 'All guests have ended.' };
    const next = Math.min(...waiting.map(({ vm }) => vm.wakesAt));
    if (!Number.isFinite(next))
      return { reason: 'idle', message: 'All guests wait, and nothing is left that could wake one.' };
    this.idleCycles += Math.max(0, next - this.machine.cycles);
    this.machine.clock.cycles = Math.max(next, this.machine.cycles);
    return undefined;
  }

  private showOutput(member: Member): void {
    const bytes = member.vm.guest.uart.outputBytes;
    if (bytes.length === member.shown) return;
    const text =
      (this.partialLines.get(member) ?? '') + Buffer.from(bytes.subarray(member.shown)).toString('utf8');
    member.shown = bytes.length;
    const lines = text.split('\n');
    this.partialLines.set(member, lines.pop() ?? '');
    for (const line of lines) this.merged += `${member.name}| ${line}\n`;
  }

  private member(name: string): Member {
    const member = this.members.find((candidate) => candidate.name === name);
    if (member !== undefined) return member;
    const names = this.members.map((candidate) => candidate.name).join(', ');
    throw new Error(`There is no guest called "${name}". There are: ${names}.`);
  }
}
