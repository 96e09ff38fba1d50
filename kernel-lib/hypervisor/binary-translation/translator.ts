/**
 * The translator at work for one VM: finds or makes the block for the guest's pc, keeps the cache in
 * step with the guest's memory and page tables, and decides which instructions are guilty.
 *
 * The cache and the vCPU page lie in frames of the hypervisor, which the shadow tables show in the
 * views of the guest's kernel only: the cache to be executed, the page to be read and written, of
 * which PMP lets through the window. Pages that blocks were made from are traced, so that a store
 * to the guest's code is seen at once, as on a machine that fetches every instruction anew.
 */
import { encode } from '../../code/encode';
import { csrNumber } from '../../isa/csrs';
import { registersLostInTraps } from '../../isa/profiles';
import { FIND_BLOCK, TRANSLATE_INSTRUCTION } from '../../machine/cost';
import { oneOf } from '../../machine/given';
import type { Hart } from '../../machine/hart';
import { PAGE_BYTES } from '../../machine/page-table';
import { Access } from '../../machine/pmp';
import type { Trap } from '../../machine/trap';
import type { Vm } from '../vm';
import { Adaptation, type AdaptationOptions, type Verdicts } from './adaptation';
import { type Block, type Link, type SourcePart, TranslationCache } from './cache';
import { CodePages } from './code-pages';
import { discover } from './discover';
import { rowCalled } from './emitter';
import { type Explanation, explain } from './explain';
import type { GuardPolicy } from './guard';
import type { Glimpse } from './guess';
import { showCode, showVcpuPage } from './kernel-view';
import { TABLE, TABLE_BYTES, TABLE_SLOT_BYTES } from './layout';
import { Statistics } from './statistics';
import { type Emulation, type Policy, type Translation, translate } from './translate';
import { type GuestInstruction, partsOf } from './treatment';
import { VcpuPage } from './vcpu-page';
import { type BlockTranslator, translateBy } from './writer';

export interface TranslatorOptions {
  /** Bytes of the translation cache, a multiple of 4096: if left out 256 KiB, or a quarter of the VM's frames. */
  cacheBytes?: number;
  /** Which of the guest's loads and stores are kept from the vCPU window: `evidence` if left out. */
  guard?: GuardPolicy;
  /**
   * Whether a block that is over goes on in the next one, and indirect jumps are predicted and looked
   * up in the cache, without the hypervisor: yes if left out.
   */
  chaining?: boolean;
  /** Where sensitive instructions are carried out if there is a choice: `in-cache` if left out. */
  emulation?: Emulation;
  /** Whether runs of sensitive instructions are translated as one: yes if left out. */
  merging?: boolean;
  /** When a load or store that keeps faulting becomes a call, and when it is copied again: two numbers, or a judge. */
  adaptation?: AdaptationOptions | Verdicts;
  /** A translator of one's own instead of ours. Guards, convictions and the choices above are ours. */
  translate?: BlockTranslator;
}

const SATP = csrNumber('satp');
const DEFAULT_CACHE_BYTES = 2 ** 18;
/**
 * Needless traces in a row after which a page is trusted: its code is then looked at when the guest
 * executes `fence.i`, without which no hart need see what was stored. Unpriv, "Zifencei" Extension.
 */
const TRACES_TO_TRUST = 64;
/** The name under which pages are traced. */
const TRACER = 'binary translation';

export class Translator {
  readonly cache: TranslationCache;
  readonly page: VcpuPage;
  readonly statistics = new Statistics();
  /** An address of the cache where there is nothing but a call: a guest that is stopped is there. */
  readonly park = TABLE + TABLE_SLOT_BYTES - 4;
  /** Whether blocks lead to one another without the hypervisor. */
  readonly isChaining: boolean;
  private readonly adaptation: Verdicts;
  private readonly own: BlockTranslator | undefined;
  private readonly pages = new CodePages();
  /** Guest-physical pages with code and other things: stores there that hit no code, in a row. */
  private readonly needlessTraces = new Map<number, number>();
  /** Those that are no longer traced. */
  private readonly trusted = new Set<number>();
  private readonly policy: Pick<Policy, 'guard' | 'banished' | 'emulation' | 'merging'>;
  private space = 0;

  /** @throws RangeError if the VM has too few frames for the cache */
  constructor(
    private readonly vm: Vm,
    options: TranslatorOptions,
  ) {
    const { ram } = vm.machine;
    oneOf('guard', options.guard, [undefined, 'evidence', 'always', 'never']);
    oneOf('emulation', options.emulation, [undefined, 'in-cache', 'callout']);
    const quarter = Math.floor(vm.frames.available / 4) * PAGE_BYTES - TABLE_BYTES - PAGE_BYTES;
    const bytes = options.cacheBytes ?? Math.min(DEFAULT_CACHE_BYTES, quarter);
    if (bytes < PAGE_BYTES && options.cacheBytes === undefined)
      throw new RangeError(
        `${vm.frames.available} frames are too few for a translation cache. ` +
          'Give the machine more RAM, or the VM less.',
      );
    const pagePa = vm.frames.allocateInARow(1);
    const codePa = vm.frames.allocateInARow((bytes + TABLE_BYTES) / PAGE_BYTES);
    const banished = registersLostInTraps(vm.machine.hart.profile);
    const { guard = 'evidence', emulation = 'in-cache', merging = true } = options;
    this.policy = { guard, banished, emulation, merging };
    const { adaptation = {} } = options;
    this.adaptation = 'isGuilty' in adaptation ? adaptation : new Adaptation(adaptation);
    this.isChaining = options.chaining ?? true;
    this.own = options.translate;
    this.page = new VcpuPage(ram, pagePa, banished);
    const write = (width: 2 | 4, address: number, value: number) =>
      ram.write(width, codePa + address - (TABLE - bytes), value);
    this.cache = new TranslationCache({ write }, bytes);
    write(4, this.park, encode(rowCalled('ecall'), {}));
    this.show(pagePa, codePa, bytes + TABLE_BYTES);
    this.cache.dropped = (block) => {
      for (const gpa of this.pages.remove(block)) vm.paging.untrace(gpa, TRACER);
    };
    vm.guest.ram.watch((gpa, count) => this.written(gpa, count));
    const { fenced } = vm.hart;
    vm.hart.fenced = (va, asid) => {
      fenced?.(va, asid);
      this.revalidate(va);
    };
  }

  /** Shows cache and vCPU page to the guest's kernel. The ranges of PMP: the first that fits counts. */
  private show(pagePa: number, codePa: number, codeBytes: number): void {
    showVcpuPage(this.vm, pagePa);
    showCode(this.vm, this.cache.base, codePa, codeBytes);
  }

  // ----------------------------------------------------------------------------------- blocks

  /**
   * The block for the virtual hart's pc, made if need be, and chained to the link that led there.
   * @returns the trap, if the guest's hart would take one in fetching
   */
  blockFor(hart: Hart, from?: Link): Block | Trap {
    const { statistics, cache, vm } = this;
    const link = this.isChaining ? from : undefined;
    hart.fetch();
    const trap = hart.takeRaised();
    if (trap !== undefined) return trap;
    statistics.lookups++;
    vm.charge(FIND_BLOCK);
    const gpa = hart.peek(hart.pc, Access.Execute) ?? 0;
    const found = cache.find(hart.pc, gpa);
    if (found !== undefined) statistics.hits++;
    const block = found ?? this.make(hart, link);
    if (link?.from.isAlive) {
      cache.link(link, block);
      statistics.chained++;
    }
    return block;
  }

  private make(hart: Hart, link?: Link): Block {
    const { statistics, vm, cache, pages } = this;
    const va = hart.pc;
    this.dropMisplaced(va);
    const gpaOf = (at: number) => hart.peek(at, Access.Execute);
    const guests = discover((at) => {
      const gpa = gpaOf(at);
      return gpa === undefined ? undefined : vm.readGuest(2, gpa);
    }, va);
    const translation = this.translate(guests, hart);
    const parts = sourceParts(guests, gpaOf);
    const block = cache.insert(translation, parts, link);
    vm.charge(TRANSLATE_INSTRUCTION);
    for (let n = 1; n < guests.length; n++) vm.charge(TRANSLATE_INSTRUCTION);
    for (const gpa of pages.add(block)) if (!this.trusted.has(gpa)) vm.paging.trace(gpa, TRACER);
    statistics.translated(hart.instret);
    statistics.translatedInstructions += guests.length;
    statistics.sourceBytes += parts.reduce((sum, part) => sum + part.bytes, 0);
    statistics.codeBytes += translation.bytes;
    return block;
  }

  private translate(guests: readonly GuestInstruction[], hart: Hart): Translation {
    if (this.own !== undefined) return translateBy(this.own, guests);
    return translate(guests, {
      ...this.policy,
      isGuilty: ({ pc }) => this.adaptation.isGuilty(hart.peek(pc, Access.Execute) ?? 0),
      glimpse: this.glimpse(hart),
    });
  }

  /** What can be seen of the guest's state. */
  private glimpse(hart: Hart): Glimpse {
    return {
      registers: hart.x,
      load: (address, bytes) => {
        const gpa = hart.peek(address, Access.Read);
        return gpa === undefined || !isWidth(bytes) ? undefined : this.vm.readGuest(bytes, gpa);
      },
      csr: (number) => hart.csrs.read(number),
    };
  }

  /** The link whose call is at an address of the cache. */
  linkAt(block: Block | undefined, address: number): Link | undefined {
    return block?.links.find(({ exit }) => block.begin + exit.offset === address);
  }

  /** Whether the guest's state is whole at an address of the cache. */
  isWhole(address: number): boolean {
    const block = this.cache.blockAt(address);
    return block !== undefined && this.cache.emittedAt(block, address)?.isStart === true;
  }

  // ------------------------------------------------------------------------------- coherence

  /** The hypervisor has written to the guest's memory, for the guest or for a device. */
  private written(gpa: number, count: number): void {
    const hit = this.pages.madeFrom(gpa, count);
    for (const block of hit) this.invalidate(block);
    const page = gpa - (gpa % PAGE_BYTES);
    if (!this.pages.has(page) || this.trusted.has(page)) return;
    const needless = hit.length > 0 ? 0 : (this.needlessTraces.get(page) ?? 0) + 1;
    this.needlessTraces.set(page, needless);
    if (needless < TRACES_TO_TRUST) return;
    this.trusted.add(page);
    this.vm.paging.untrace(page, TRACER);
  }

  /** The guest has executed `fence.i`: what it has written to code before is code now. */
  fenceInstructions(): void {
    for (const page of this.trusted)
      for (const block of this.pages.madeFrom(page, PAGE_BYTES))
        if (!this.isCurrent(block)) this.invalidate(block);
  }

  /** Whether a block's code is still what it was made from. */
  private isCurrent({ translation, parts }: Block): boolean {
    const [first, second] = parts;
    this.vm.charge({ instruction: translation.guests.length, l1: translation.guests.length });
    return translation.guests.every(({ pc, word, length }) => {
      const halves = length === 2 ? [word] : [word, word >>> 16];
      return halves.every((half, n) => {
        const offset = pc + 2 * n - first.va;
        const gpa = offset < first.bytes ? first.gpa + offset : second.gpa + offset - first.bytes;
        return this.vm.readGuest(2, gpa) === (half & 0xffff);
      });
    });
  }

  private invalidate(block: Block): void {
    this.statistics.invalidations++;
    this.cache.drop(block);
    for (const { pc } of block.translation.guests)
      this.adaptation.forget(block.parts[0].gpa + (pc - block.va));
  }

  /** The guest's `satp` is this now: another one maps its code elsewhere, perhaps. */
  noticeSpace(satp: number): void {
    if (satp === this.space) return;
    this.space = satp;
    this.revalidate();
  }

  /** The guest has fenced translations: blocks are as good as the addresses that they are known by. */
  private revalidate(va?: number): void {
    this.vm.charge({ pageTableRead: va === undefined ? 2 * this.pages.size : 2 });
    this.dropMisplaced(va);
    this.space = this.vm.hart.csrs.values[SATP];
  }

  private dropMisplaced(va?: number): void {
    const lookUp = (at: number) => this.vm.hart.peek(at, Access.Execute);
    for (const block of this.pages.misplaced(lookUp, va)) {
      this.statistics.remappings++;
      this.cache.drop(block);
    }
  }

  // ------------------------------------------------------------------------------ adaptation

  /** The instruction at `pc` in a block has left the cache by a fault. */
  blame(block: Block, pc: number): void {
    const gpa = block.parts[0].gpa + (pc - block.va);
    if (!this.adaptation.fault(gpa)) return;
    this.statistics.convictions++;
    this.dropWith(gpa);
  }

  /** The hypervisor is about to execute an instruction: was the call needed? */
  judge({ pc, instruction }: GuestInstruction): void {
    const { vm, adaptation } = this;
    const gpa = vm.hart.peek(pc, Access.Execute);
    if (gpa === undefined || instruction === undefined || !adaptation.isGuilty(gpa)) return;
    const writes = partsOf(instruction.row.meaning).some((part) => part.kind !== 'setRd');
    const address = (vm.hart.x[instruction.rs1] + instruction.imm) | 0;
    const target = vm.hart.peek(address, writes ? Access.Write : Access.Read);
    const isPlain = target !== undefined && vm.gpaToPa(target) >= 0 && !vm.paging.isTraced(target);
    if (!adaptation.call(gpa, !isPlain)) return;
    this.statistics.acquittals++;
    this.dropWith(gpa);
  }

  /** Blocks with the instruction there are translated again when they are next needed. */
  private dropWith(gpa: number): void {
    for (const block of this.pages.madeFrom(gpa, 2)) this.cache.drop(block);
  }

  // --------------------------------------------------------------------------------- for showing

  /** The blocks in the cache, by the guest's address: each beside its translation, with reasons. */
  explain(va: number): Explanation[] | undefined {
    for (const block of this.cache.blocks())
      if (block.va === (va | 0)) return explain(block.translation, block.begin);
    return undefined;
  }
}

const isWidth = (bytes: number): bytes is 1 | 2 | 4 => bytes === 1 || bytes === 2 || bytes === 4;

/** Where the code of a unit is. */
function sourceParts(
  guests: readonly GuestInstruction[],
  gpaOf: (va: number) => number | undefined,
): SourcePart[] {
  const va = guests[0].pc;
  const last = guests[guests.length - 1];
  const bytes = last.pc + last.length - va;
  const onPage = PAGE_BYTES - (va & (PAGE_BYTES - 1));
  const first = { va, gpa: gpaOf(va) ?? 0, bytes: Math.min(bytes, onPage) };
  if (bytes <= onPage) return [first];
  const next = (va + onPage) | 0;
  return [first, { va: next, gpa: gpaOf(next) ?? 0, bytes: bytes - onPage }];
}
