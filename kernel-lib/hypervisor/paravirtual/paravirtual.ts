/**
 * Para-virtualization: the guest knows that it is one, and has a better machine to run on.
 *
 * Its kernel asks for what it wants (a hypercall) instead of trying and being caught (a trap), asks
 * for much at a time, and keeps the state that it changes most in memory that both share.
 * `abi.ts` is the interface; this file answers the calls. What the guest does not ask for is
 * emulated as ever. S1, Para-Virtualization; S4; Barham et al. 2003. Read `../vm.ts` first.
 */
import { hex } from '../../bits';
import { Cause } from '../../isa/causes';
import { csrNumber } from '../../isa/csrs';
import { Mode, registerNumber } from '../../isa/registers';
import { HYPERCALL_IN, HYPERCALL_OUT, VCPU_ACCESS } from '../../machine/cost';
import { SECTOR_BYTES } from '../../machine/devices/virtio-block';
import type { BootOptions, Loadable, Machine, RunResult } from '../../machine/machine';
import { PAGE_BYTES, Pte } from '../../machine/page-table';
import { Access } from '../../machine/pmp';
import type { Trap } from '../../machine/trap';
import { View } from '../paging/paging';
import { ParavirtualPaging } from '../paging/paravirtual';
import { dispatch } from '../trap-and-emulate';
import { type Hypervisor, type Report, Vm, type VmOptions } from '../vm';
import {
  ABI_VERSION,
  EXTENSION,
  Hypercall,
  MOST_CALLS,
  MOST_CONSOLE_BYTES,
  MOST_REQUESTS,
  MOST_UPDATES,
  SHARED_VA,
  Shared,
} from './abi';
import { SharedPage } from './shared-page';

const A0 = registerNumber('a0')!;
const A6 = registerNumber('a6')!;
const A7 = registerNumber('a7')!;
const SATP = csrNumber('satp');
const REFUSED = -1;
const DONE = 0;
const KERNEL_VIEWS = [View.Kernel, View.KernelSum, View.KernelSumMxr];
const WORD = 4;

/** A call with its arguments; what it returns comes in a0, undefined if it leaves no answer. */
type Call = (args: readonly number[]) => number | undefined;

/** A call answered by somebody else: a0 to a3 come in, the new a0 goes out. */
export type OwnCall = (vm: Vm, args: readonly number[]) => number | undefined;

export interface ParavirtualOptions extends VmOptions {
  /** Calls of one's own by number: in place of those of the interface, or besides them. */
  calls?: Readonly<Record<number, OwnCall>>;
}

export class Paravirtual implements Hypervisor {
  readonly vm: Vm;
  /** Hypercalls by number, those inside of MULTICALLs too. */
  readonly calls = new Map<Hypercall, number>();
  private readonly shared = new SharedPage();
  private readonly paging: ParavirtualPaging;
  private readonly ownCalls: Readonly<Record<number, OwnCall>>;

  constructor(machine: Machine, options: ParavirtualOptions = {}) {
    this.ownCalls = options.calls ?? {};
    this.vm = new Vm(machine, 'para-virtualization', (_, trap) => this.answer(trap), {
      ...options,
      layout: this.shared,
      paging: (vm) => new ParavirtualPaging(vm),
      workOf: (trap) => (this.isHypercall(trap) ? { save: HYPERCALL_IN, restore: HYPERCALL_OUT } : undefined),
    });
    this.paging = this.vm.paging as ParavirtualPaging;
  }

  boot(image: Loadable, options?: BootOptions): void {
    this.vm.boot(image, options);
  }

  run(limits?: { instructions?: number }): RunResult {
    return this.vm.run(limits);
  }

  report(): Report {
    return this.vm.report();
  }

  /** What a word of the shared page holds now, believed by the virtual hart or not yet; 0 before there is a page. */
  word(which: Shared): number {
    return this.shared.word(which);
  }

  private isHypercall(trap: Trap): boolean {
    if (trap.cause !== Cause.EcallFromU || this.vm.hart.mode !== Mode.S) return false;
    return this.shared.isUsed ? this.shared.word(Shared.Call) !== 0 : this.vm.hart.x[A7] === EXTENSION;
  }

  /** The guest wants to be para-virtualized: it gets its shared page. */
  private begin(): void {
    const { machine, frames, hart } = this.vm;
    const pa = frames.allocate();
    if (pa === undefined) throw new RangeError('No frame is left for the shared page. Give the VM more.');
    this.shared.place(machine.ram, pa + (SHARED_VA % PAGE_BYTES));
    this.vm.expose({ base: pa, size: PAGE_BYTES, accesses: [Access.Read, Access.Write] });
    this.vm.openMemory();
    this.paging.tables.fix(SHARED_VA, { pa, rights: Pte.R | Pte.W | Pte.U, views: KERNEL_VIEWS });
    this.shared.begunBy(machine.hart);
    hart.x[A0] = ABI_VERSION;
  }

  /** A guest that was built for another version would go astray: its run ends before it begins. */
  private refuses(version: number): boolean {
    if (version === 0 || version === ABI_VERSION) return false;
    const { guest, hart } = this.vm;
    const message =
      `The guest's kernel was built for version ${version >>> 0} of the para-virtual interface (register a6 of ` +
      `its call at ${hex(hart.pc)}); this hypervisor has version ${ABI_VERSION}. Build the kernel with what ` +
      'abiSource() gives, or with 0 in a6 if it copes with any version: the answer in a0 tells which it got.';
    guest.stopped = { reason: 'host', message };
    return true;
  }

  private answer(trap: Trap): void {
    if (!this.isHypercall(trap)) {
      dispatch(this.vm, trap);
      return;
    }
    const { hart } = this.vm;
    if (!this.shared.isUsed && this.refuses(hart.x[A6])) return;
    hart.pc = (hart.pc + WORD) | 0;
    if (!this.shared.isUsed) {
      this.begin();
      return;
    }
    const number = this.shared.word(Shared.Call);
    this.shared.setWord(Shared.Call, 0);
    const answer = this.perform(number, [...hart.x.subarray(A0, A0 + 4)]);
    if (answer !== undefined) hart.x[A0] = answer;
  }

  private perform(number: Hypercall, args: readonly number[]): number | undefined {
    const own = Object.hasOwn(this.ownCalls, number) ? this.ownCalls[number] : undefined;
    const call: Call | undefined = own === undefined ? this.table[number] : (given) => own(this.vm, given);
    if (call === undefined) return REFUSED;
    this.calls.set(number, (this.calls.get(number) ?? 0) + 1);
    return call(args);
  }

  /** What each call does. */
  private readonly table: Record<Hypercall, Call> = {
    [Hypercall.Version]: () => ABI_VERSION,
    [Hypercall.Return]: () => {
      const { hart } = this.vm;
      hart.pc = hart.returnFromTrap(Mode.S);
      return undefined;
    },
    [Hypercall.Deliver]: () => undefined,
    [Hypercall.Enable]: ([mask]) => {
      this.vm.setCsr('sie', mask);
      return DONE;
    },
    [Hypercall.Wait]: () => {
      this.vm.hart.waitForInterrupt();
      return DONE;
    },
    [Hypercall.Stop]: ([code]) => {
      this.vm.guest.finisher.exitCode = code & 0xffff;
      return DONE;
    },
    [Hypercall.SwitchSpace]: ([satp]) => {
      if (satp < 0 && !this.paging.isSpace(satp)) return REFUSED;
      this.vm.setCsr(SATP, satp);
      return DONE;
    },
    [Hypercall.Pin]: ([root]) => (this.paging.pin(root >>> 0) ? DONE : REFUSED),
    [Hypercall.Unpin]: ([root]) => {
      const isPresent = this.vm.hart.csrs.values[SATP] << 12 === root;
      return !isPresent && this.paging.unpin(root >>> 0) ? DONE : REFUSED;
    },
    [Hypercall.Update]: ([list, count]) =>
      this.each(list, count, MOST_UPDATES, 3, ([where, pte, va]) => this.paging.update(where >>> 0, pte, va)),
    [Hypercall.Multicall]: ([list, count]) =>
      this.each(list, count, MOST_CALLS, 5, ([number, ...args]) => {
        const refused = number === Hypercall.Multicall || number === Hypercall.Return;
        return !refused && this.perform(number, args) !== REFUSED;
      }),
    [Hypercall.Console]: ([address, count]) => {
      const { ram, uart } = this.vm.guest;
      const from = address >>> 0;
      if (count < 0 || count > MOST_CONSOLE_BYTES || !ram.holds(from, count)) return REFUSED;
      for (let n = 0; n < count; n++) uart.send(ram.read(1, from + n));
      this.vm.charge({ instruction: 2 * count, deviceRegister: count });
      return DONE;
    },
    [Hypercall.DiskSize]: () => (this.vm.guest.disk?.content.length ?? 0) / SECTOR_BYTES,
    [Hypercall.Disk]: ([list, count]) =>
      this.each(list, count, MOST_REQUESTS, 4, ([sector, address, write], entry) => {
        const isDone = this.transfer(sector >>> 0, address >>> 0, write !== 0);
        this.vm.writeGuest(WORD, entry + 3 * WORD, isDone ? DONE : REFUSED);
        return isDone;
      }),
  };

  /** Does something for each entry of a list in guest memory, until one is refused. */
  private each(
    list: number,
    count: number,
    most: number,
    words: number,
    act: (entry: number[], address: number) => boolean,
  ): number {
    const { ram } = this.vm.guest;
    const base = list >>> 0;
    if (count < 0 || count > most || base % WORD !== 0 || !ram.holds(base, count * words * WORD))
      return REFUSED;
    for (let n = 0; n < count; n++) {
      const at = base + n * words * WORD;
      const entry = Array.from({ length: words }, (_, word) => ram.read(4, at + word * WORD));
      this.vm.charge({ instruction: 4 * words, l1: words });
      if (!act(entry, at)) return REFUSED;
    }
    return DONE;
  }

  /** One sector between the disk and guest memory. */
  private transfer(sector: number, address: number, isWrite: boolean): boolean {
    const { disk, ram } = this.vm.guest;
    const at = sector * SECTOR_BYTES;
    if (disk === undefined || at + SECTOR_BYTES > disk.content.length || !ram.holds(address, SECTOR_BYTES))
      return false;
    const memory = ram.bytes.subarray(address - ram.base, address - ram.base + SECTOR_BYTES);
    this.vm.charge(VCPU_ACCESS);
    if (isWrite) disk.content.set(memory, at);
    else ram.copyIn(address, disk.content.subarray(at, at + SECTOR_BYTES));
    return true;
  }
}
