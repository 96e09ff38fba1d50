/**
 * Load-time patching: the sensitive instructions of a program are found and replaced once, before it
 * runs; then it runs directly, deprivileged.
 *
 * Two replacements. `trap`: an instruction that traps on every machine (`ebreak`), so that it works
 * where sensitive ones don't trap; the rest is trap-and-emulate. `jump`: a jump to code that does
 * the work in the guest's stead (a *thunk*), which saves the trap where the vCPU window will do.
 * It is as good as the scan: what that misses runs as it is, what it takes for an instruction is
 * destroyed. Code that arrives later isn't seen; a guest that looks at its text sees the patches.
 * S4-02; S1, Impure Virtualization. Read `load-time-patching/` and `trap-and-emulate.ts` first.
 */
import type { Instruction } from '../code/decode';
import { encode } from '../code/encode';
import type { Program } from '../code/program';
import { execute, step } from '../engine/reference';
import { Cause, isInterrupt } from '../isa/causes';
import { Mode } from '../isa/registers';
import { EMULATE, FIND_BLOCK } from '../machine/cost';
import { oneOf } from '../machine/given';
import type { Hart } from '../machine/hart';
import type { BootOptions, Loadable, Machine, RunResult } from '../machine/machine';
import { PAGE_BYTES } from '../machine/page-table';
import { Access } from '../machine/pmp';
import type { Trap } from '../machine/trap';
import { type Emitted, rowCalled } from './binary-translation/emitter';
import { clearMxr, showCode, showVcpuPage, viewOf } from './binary-translation/kernel-view';
import { VcpuPage } from './binary-translation/vcpu-page';
import { CALLOUT_WORK } from './binary-translator';
import { LAYOUTS, type RingLayout } from './layouts';
import { judge, type ScanResult, type Site, type Sweep, scan } from './load-time-patching/scan';
import { JUMP_REACH, jump, makeThunks, type Thunk } from './load-time-patching/thunks';
import { dispatch } from './trap-and-emulate';
import { type Hypervisor, type Report, Vm, type VmOptions } from './vm';

/** What a sensitive instruction becomes. */
export type Replacement = 'trap' | 'jump';

export interface LoadTimePatcherOptions extends Omit<VmOptions, 'layout' | 'workOf'> {
  /** `trap` if left out. */
  replacement?: Replacement;
  /** How to find what is to be replaced: `linear` if left out, or a scan of one's own. */
  scan?: Sweep | ((image: Loadable) => Site[]);
}

const WORD = 4;
/** Instructions of a thunk at most. */
const LONGEST_THUNK = 64;

export class LoadTimePatcher implements Hypervisor {
  readonly vm: Vm;
  /** What has been replaced. */
  sites: readonly Site[] = [];
  private readonly byAddress = new Map<number, Site>();
  private readonly replacement: Replacement;
  private readonly find: (image: Loadable) => Site[];
  /** Of thunks: their code by address (unsigned), and the words that they work on. */
  private readonly code = new Map<number, Emitted>();
  private page: VcpuPage | undefined;
  /** The call of the hypervisor that the present exit is. */
  private call: Emitted | undefined;
  /** The guest's user mode has come to a thunk, which is the kernel's only. */
  private isBarred = false;

  /**
   * @param machine the real machine
   * @throws RangeError if the options don't fit it
   */
  constructor(machine: Machine, options: LoadTimePatcherOptions = {}) {
    const { replacement = 'trap', scan: how = 'linear', ...rest } = options;
    this.replacement = oneOf('replacement', replacement, ['trap', 'jump']);
    if (typeof how === 'string') oneOf('scan', how, ['linear', 'everywhere']);
    this.find = typeof how === 'string' ? (image) => scan(image, how) : how;
    this.vm = new Vm(machine, `load-time patching, ${replacement}`, (_, trap) => this.dispatch(trap), {
      ...rest,
      ...(replacement === 'trap' ? {} : { layout: this.layout() }),
      workOf: () => (this.call === undefined ? undefined : CALLOUT_WORK),
    });
  }

  /** Patches a program, loads it and starts it. */
  boot(image: Loadable, options?: BootOptions): void {
    this.vm.boot(this.patch(image), options);
  }

  run(limits?: { instructions?: number }): RunResult {
    return this.vm.run(limits);
  }

  report(): Report {
    return this.vm.report();
  }

  /** How good the scan was, by what the assembler knows of the program. */
  judge(program: Program): ScanResult {
    return judge(this.sites, program);
  }

  // ----------------------------------------------------------------------------------- patching

  /**
   * The program with its sensitive instructions replaced.
   * @throws RangeError if it begins so low, or is so long, that jumps don't reach from it to thunks before it
   */
  private patch(image: Loadable): Loadable {
    this.sites = this.find(image);
    for (const site of this.sites) this.byAddress.set(site.address, site);
    const words = new Map<number, number>();
    if (this.replacement === 'trap')
      for (const { address } of this.sites) words.set(address, encode(rowCalled('ebreak'), {}));
    else
      for (const { site, address } of this.placeThunks(image))
        words.set(site.address, jump(site.address, address));
    return { ...image, segments: image.segments.map((segment) => patchSegment(segment, words)) };
  }

  /** Puts thunks into pages of the hypervisor's that the guest's kernel sees below its text. */
  private placeThunks(image: Loadable): Thunk[] {
    const { vm, sites } = this;
    const { ram } = vm.machine;
    const text = Math.min(...image.segments.map(({ address }) => address));
    const bytes = makeThunks(sites, text).reduce((sum, { emitted }) => sum + WORD * emitted.length, 0);
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const base = text - (text % PAGE_BYTES) - pages * PAGE_BYTES;
    const last = Math.max(0, ...sites.map(({ address }) => address));
    if (last - base >= JUMP_REACH || base < vm.guest.ram.base)
      throw new RangeError(
        `There is no room for thunks within reach below 0x${text.toString(16)}. Use \`trap\`.`,
      );
    const pagePa = vm.frames.allocateInARow(1);
    this.page = new VcpuPage(ram, pagePa);
    showVcpuPage(vm, pagePa);
    const pa = pages === 0 ? 0 : vm.frames.allocateInARow(pages);
    if (pages > 0) showCode(vm, base, pa, pages * PAGE_BYTES);
    const thunks = makeThunks(sites, base);
    for (const thunk of thunks)
      for (const emitted of thunk.emitted) {
        this.code.set(thunk.address + emitted.offset, emitted);
        ram.write(WORD, pa + thunk.address + emitted.offset - base, emitted.word);
      }
    return thunks;
  }

  // --------------------------------------------------------------------------------------- exits

  private dispatch(trap: Trap): void {
    const { vm, call } = this;
    const isPatch = trap.cause === Cause.Breakpoint || (this.isBarred && !isInterrupt(trap.cause));
    const site = isPatch ? this.siteAt(vm.hart) : undefined;
    if (call !== undefined && trap.cause === Cause.EcallFromU) {
      vm.because('callout');
      if (call.callout?.kind === 'emulate') this.emulate(call.callout.guests[0]);
    } else if (site !== undefined) {
      vm.charge(FIND_BLOCK);
      this.emulate(site);
    } else if (this.call === undefined && this.isInThunk(vm.machine.hart)) this.finishThunk();
    else dispatch(vm, trap);
  }

  /** The instruction that was at the guest's pc when it was loaded. */
  private siteAt(hart: Hart): Site | undefined {
    const gpa = hart.peek(hart.pc, Access.Execute);
    return gpa === undefined ? undefined : this.byAddress.get(gpa);
  }

  private emulate({ instruction }: { instruction: Instruction | undefined }): void {
    const { vm } = this;
    if (instruction === undefined) return;
    vm.charge(EMULATE);
    execute(vm.hart, instruction);
    const own = vm.hart.takeRaised();
    if (own === undefined) vm.countEmulated();
    else vm.reflect(own);
  }

  // ---------------------------------------------------------------------------- thunks at work

  private layout(): RingLayout {
    return {
      switchWork: LAYOUTS.user.switchWork,
      begin: LAYOUTS.user.begin,
      view: viewOf,
      enter: (real, virtual) => {
        LAYOUTS.user.enter(real, virtual);
        if (virtual.mode === Mode.U) return;
        clearMxr(real);
        this.page?.store(virtual);
      },
      leave: (real, virtual) => this.leave(real, virtual),
      rest: () => this.rollOut(),
    };
  }

  /** The words of the window are the truth, and in a thunk so are registers that it has borrowed. */
  private leave(real: Hart, hart: Hart): void {
    this.call = undefined;
    const { page } = this;
    const emitted = this.code.get(real.pc >>> 0);
    this.isBarred = hart.mode === Mode.U && emitted !== undefined;
    if (this.isBarred && emitted !== undefined) hart.pc = emitted.pc;
    if (hart.mode === Mode.U || page === undefined) return;
    page.load(hart);
    if (emitted === undefined) return;
    for (const register of emitted.borrowed) hart.x[register] = page.borrowed(register);
    hart.pc = emitted.pc;
    if (emitted.callout !== undefined) this.call = emitted;
  }

  private isInThunk(real: Hart): boolean {
    return this.vm.hart.mode === Mode.S && this.code.has(real.pc >>> 0);
  }

  /** An interrupt has come in the midst of a thunk: the instruction is finished first. */
  private finishThunk(): void {
    const { vm } = this;
    this.rollOut();
    vm.hart.x.set(vm.machine.hart.x);
    vm.hart.pc = vm.machine.hart.pc;
    this.leave(vm.machine.hart, vm.hart);
    this.call = undefined;
  }

  /** Lets the real hart execute the rest of a thunk, up to a call. */
  private rollOut(): void {
    const { machine } = this.vm;
    for (let n = 0; n < LONGEST_THUNK && this.isInThunk(machine.hart); n++) {
      if (this.code.get(machine.hart.pc >>> 0)?.callout !== undefined) return;
      step(machine);
    }
  }
}

type Segment = Loadable['segments'][number];

function patchSegment(segment: Segment, words: ReadonlyMap<number, number>): Segment {
  const bytes = segment.bytes.slice();
  const view = new DataView(bytes.buffer);
  for (const [address, word] of words) {
    const offset = address - segment.address;
    if (offset >= 0 && offset + WORD <= bytes.length) view.setInt32(offset, word, true);
  }
  return { ...segment, bytes };
}
