/**
 * The translator: hot code as WebAssembly.
 *
 * Code begins in the interpreter, which counts how often blocks run. A block that is hot becomes
 * the entry of a region; the region and those it calls are made into one module, a *batch*.
 * Translations are found by physical place and virtual address; each has an entry in a table,
 * through which others reach it. When any code that a batch was made from is written to, all of
 * the batch is dropped: its entries lead back to here.
 * Read `interpreter.ts`, `region-code.ts` and `storage.ts` first.
 */
import { decode } from '../code/decode';
import { Mode } from '../isa/registers';
import type { CostTable } from '../machine/cost';
import type { Machine } from '../machine/machine';
import { Access } from '../machine/pmp';
import { type Copy, LINE_SHIFT } from './code-lines';
import { type DecodedBlock, keyOf } from './decoded-code';
import { dispatcherBytes, MISS_SLOT } from './dispatcher';
import { fuelUntil, Interpreter } from './interpreter';
import { carryOut } from './reference';
import { callees, findRegion, type Region } from './region';
import {
  ADMIT_SIGNATURE,
  type Link,
  type Linker,
  REGION_SIGNATURE,
  REGION_TYPE,
  regionCode,
  type Site,
} from './region-code';
import { PAGE_BYTES, PAGE_SHIFT, type Space } from './spaces';
import {
  LAST_TRAP_FUEL,
  LAST_TRAP_PC,
  MAY_TRAP,
  MODE,
  PC,
  RETURN_FUEL,
  RETURNS,
  SITE,
  SPACE,
  SPACES_BY_MODE,
  SPENT,
  type Storage,
  TRAP_FUEL,
  TRAPS,
} from './storage';
import { StoredEngine } from './stored-engine';
import { moduleBytes } from './wasm';
import { WASM, type WasmFunction, type WasmTable } from './wasm-api';

/** How often a block runs before it is translated, and before it comes along with its caller. */
const HEAT = 1000;
const WARM = 50;
/** The most instructions until translated code must leave, where faster code may take its place. */
const MOST_FUEL = 1 << 22;
/** Entries of the table: translations at a time. */
const SLOTS = 1024;
/** Instructions in a batch, about. */
const BATCH_LIMIT = 1500;
/** How often translations of a block may die before it is left to the interpreter. */
const MOST_DEATHS = 8;

/** What things cost while the clock stands still. */
const FREE = { instruction: 0, trapIn: 0, trapOut: 0 };

/** What is translated as one, and dies as one. */
interface Batch extends Copy {
  keys: number[];
}

/** A translated region. */
interface Translation {
  slot: number;
  pc: number;
  instructions: number;
}

export class Translator {
  private readonly inner: Interpreter;
  private readonly table: WasmTable;
  private readonly enter: WasmFunction;
  private readonly miss: WasmFunction;
  private readonly translations = new Map<number, Translation>();
  private readonly deaths = new Map<number, number>();
  private readonly sites: Site[] = [{ pc: 0, uncounted: 0, isDry: true }];
  private free: number[] = [];
  /** What translating has cost so far. */
  readonly statistics = { regions: 0, instructions: 0, bytes: 0, milliseconds: 0 };

  constructor(
    readonly machine: Machine,
    private readonly storage: Storage,
    private readonly heat = HEAT,
  ) {
    this.inner = new Interpreter(machine, storage, heat);
    this.table = new WASM.Table({ initial: SLOTS, maximum: SLOTS, element: 'anyfunc' });
    const dispatcher = this.instance(dispatcherBytes(SLOTS));
    this.enter = dispatcher.enter;
    this.miss = dispatcher.miss;
    this.clear();
  }

  /** Executes from pc on, up to where an interrupt may have become pending. @returns the turns taken */
  go(left: number): number {
    const { inner, machine } = this;
    const space = inner.spaces.current();
    const { pc } = machine.hart;
    const slot = space.slot(pc) || this.find(space, pc);
    if (slot !== 0) return this.runTranslated(space, slot, left) || inner.go(left, true);
    const turns = inner.go(left);
    if (inner.leftHot) this.heed(inner.space, inner.decoded.blockAt(inner.at));
    return turns;
  }

  /** The translation at `pc`, if the context has led to that page already: it knows it from now on. Else 0. */
  private find(space: Space, pc: number): number {
    if (space.jump(pc) !== 0) return 0; // it runs in the interpreter
    const offset = space.codeAt(pc);
    const translation = offset < 0 ? undefined : this.translations.get(keyOf(space.flat, pc, offset));
    if (translation === undefined) return 0;
    space.rememberSlot(pc, translation.slot);
    return translation.slot;
  }

  /** The translation of the region at `pc` as text, made anew; undefined if there is no code. */
  explain(pc: number): string | undefined {
    const space = this.inner.spaces.current();
    const offset = this.machine.hart.peek(pc, Access.Execute);
    if (offset === undefined) return undefined;
    const region = findRegion(this.machine.ram, pc | 0, offset - this.machine.ram.base, space.flat);
    if (region === undefined) return undefined;
    const linker: Linker = { link: () => undefined, site: () => 0 };
    return regionCode(region, this.storage, linker, true).text?.join('\n');
  }

  private instance(bytes: Uint8Array): Record<string, WasmFunction> {
    const host = {
      memory: this.storage.memory,
      table: this.table,
      admit: (va: number, bytes: number) => this.admit(va, bytes),
    };
    return new WASM.Instance(new WASM.Module(bytes), { host }).exports;
  }

  /** @returns the turns taken; none if the fuel is too short for the translation */
  private runTranslated(space: Space, slot: number, left: number): number {
    const { machine, storage } = this;
    const { hart, clock } = machine;
    const { control } = storage;
    const costs = clock.paused ? FREE : clock.costs;
    const fuel = fuelUntil(machine, costs.instruction, Math.min(left, MOST_FUEL));
    control[SPACE / 4] = space.tables.at;
    this.prepareTraps(costs);
    const rest = this.enter(slot, fuel, hart.pc);
    const at = control[SITE / 4];
    const site = this.sites[at];
    hart.pc = at === 0 ? control[PC / 4] : site.pc;
    const retired = fuel - rest - site.uncounted - control[SPENT / 4];
    const [traps, returns] = [control[TRAPS / 4], control[RETURNS / 4]];
    if (traps + returns > 0) this.settleTraps(fuel);
    hart.instret += retired;
    clock.cycles += retired * costs.instruction + traps * costs.trapIn + returns * costs.trapOut;
    const turns = retired + traps;
    if (at === 0 || site.isDry || rest + site.uncounted === 0) return turns;
    return turns + this.carryOut(site);
  }

  /** Says whether translated code may take environment calls, what they cost, and where they lead. */
  private prepareTraps(costs: Pick<CostTable, 'instruction' | 'trapIn' | 'trapOut'>): void {
    const { hart } = this.machine;
    const { control } = this.storage;
    const { instruction, trapIn, trapOut } = costs;
    const isExact = Number.isInteger(trapIn) && Number.isInteger(trapOut);
    const mayTrap = isExact && !hart.trapsAreSpecial && !hart.interruptPending;
    control[MODE / 4] = hart.mode;
    control[MAY_TRAP / 4] = mayTrap ? 1 : 0;
    control[TRAPS / 4] = control[RETURNS / 4] = control[SPENT / 4] = 0;
    if (!mayTrap) return;
    control[TRAP_FUEL / 4] = Math.max(1, Math.ceil(trapIn / (instruction || 1)));
    control[RETURN_FUEL / 4] = 1 + Math.ceil(trapOut / (instruction || 1));
    for (const mode of [Mode.U, Mode.S])
      control[SPACES_BY_MODE / 4 + mode] = this.inner.spaces.of(mode)?.tables.at ?? 0;
  }

  /** The hart and the machine learn of the environment calls and returns that translated code has taken. */
  private settleTraps(fuel: number): void {
    const { machine, storage } = this;
    const { control } = storage;
    const { hart } = machine;
    hart.mode = control[MODE / 4];
    hart.forgetReservation();
    const traps = control[TRAPS / 4];
    if (traps === 0) return;
    const retiredThen = fuel - control[LAST_TRAP_FUEL / 4];
    machine.noteTraps(traps, control[LAST_TRAP_PC / 4], hart.instret + retiredThen);
  }

  /** The instruction at a site, which translated code leaves to the reference engine. */
  private carryOut(site: Site): number {
    const { machine } = this;
    if (site.instruction === undefined) return 0;
    carryOut(machine, site.instruction);
    return 1;
  }

  /** Slow path of accesses: lets a page through that the hart knows. @param bytes negative: of a load @returns where the byte is in memory, or 0 */
  private admit(va: number, bytes: number): number {
    const { hart, ram } = this.machine;
    hart.mode = this.storage.control[MODE / 4];
    const access = bytes < 0 ? Access.Read : Access.Write;
    if ((va & (Math.abs(bytes) - 1)) !== 0) return 0;
    const pa = hart.translateKnown(va, access);
    const { spaces, codeLines } = this.inner;
    if (pa < 0 || !spaces.admit(spaces.current(), access, va, pa, codeLines)) return 0;
    const offset = pa - ram.base;
    const isMarked = access === Access.Write && this.storage.marks[offset >> LINE_SHIFT] !== 0;
    return isMarked ? 0 : this.storage.ramAt + offset;
  }

  /** A block is hot: it gets its translation, if it doesn't have one. */
  private heed(space: Space, block: DecodedBlock | undefined): void {
    if (block === undefined) return;
    const { pc, ramOffset, flat } = block;
    const key = keyOf(flat, pc, ramOffset);
    if (!this.translations.has(key)) {
      const deaths = this.deaths.get(key) ?? 0;
      if (deaths > 0 && block.heat < this.heat << deaths) {
        this.inner.decoded.cool(block, deaths > MOST_DEATHS ? 0x7fff_ffff : this.heat << deaths);
        return;
      }
      this.translate(pc, ramOffset, flat);
    }
    const translation = this.translations.get(key);
    if (translation === undefined) this.inner.decoded.cool(block, 0x7fff_ffff);
    else space.rememberSlot(pc, translation.slot);
  }

  private translate(pc: number, ramOffset: number, flat: boolean): void {
    const start = performance.now();
    const regions = this.batch(pc, ramOffset, flat);
    if (regions.length === 0) return;
    if (this.free.length < regions.length) this.clear();
    const offsetAt = (at: number) => ramOffset + ((at - pc) | 0);
    const functions = new Map<number, number>(regions.map((region, n) => [region.entry.pc, n]));
    const linker: Linker = {
      link: (at) => this.link(functions.get(at), keyOf(flat, at, offsetAt(at))),
      site: (site) => this.site(site, offsetAt(site.pc)),
    };
    const codes = regions.map((region) => regionCode(region, this.storage, linker));
    const bytes = moduleBytes({
      types: [REGION_SIGNATURE, ADMIT_SIGNATURE],
      tableEntries: SLOTS,
      imports: [{ name: 'admit', type: 1 }],
      functions: codes.map((code, n) => ({ name: `region${n}`, type: REGION_TYPE, code })),
    });
    const exports = this.instance(bytes);
    const batch: Batch = { keys: [], drop: () => this.drop(batch) };
    functions.forEach((n, at) => {
      const slot = this.free.pop()!;
      const key = keyOf(flat, at, offsetAt(at));
      this.table.set(slot, exports[`region${n}`]);
      this.translations.set(key, { slot, pc: at, instructions: regions[n].instructions });
      batch.keys.push(key);
    });
    for (const { sources } of regions)
      for (const part of sources) this.inner.codeLines.watch(part.start, part.end, batch);
    this.statistics.regions += regions.length;
    this.statistics.bytes += bytes.length;
    for (const { instructions } of regions) this.statistics.instructions += instructions;
    this.statistics.milliseconds += performance.now() - start;
  }

  /** The region at `pc`, and those that it calls and that are warm. */
  private batch(pc: number, ramOffset: number, flat: boolean): Region[] {
    const regions = new Map<number, Region>();
    const queue = [pc];
    let instructions = 0;
    for (const at of queue) {
      const offset = ramOffset + ((at - pc) | 0);
      const key = keyOf(flat, at, offset);
      const isNear = flat ? offset >= 0 && offset < this.machine.ram.size : (at ^ pc) >>> PAGE_SHIFT === 0;
      if (!isNear || regions.has(at) || this.translations.has(key) || instructions > BATCH_LIMIT) continue;
      if (at !== pc && (this.inner.decoded.runs(key) < WARM || this.deaths.has(key))) continue;
      const region = findRegion(this.machine.ram, at, offset, flat);
      if (region === undefined) continue;
      regions.set(at, region);
      instructions += region.instructions;
      queue.push(...callees(region));
    }
    return [...regions.values()];
  }

  private link(index: number | undefined, key: number): Link | undefined {
    if (index !== undefined) return { kind: 'function', index };
    const known = this.translations.get(key);
    return known === undefined ? undefined : { kind: 'slot', slot: known.slot };
  }

  private site(site: Site, offset: number): number {
    const { ram } = this.machine;
    const inPage = offset % PAGE_BYTES;
    const isWhole = inPage <= PAGE_BYTES - 4;
    const word = isWhole && !site.isDry ? ram.read(4, ram.base + offset) : undefined;
    const instruction = word === undefined ? undefined : decode(word);
    this.sites.push(instruction === undefined ? site : { ...site, instruction });
    return this.sites.length - 1;
  }

  /** The batch's code is no longer what it was made from. */
  private drop(batch: Batch): void {
    for (const key of batch.keys) {
      const translation = this.translations.get(key);
      if (translation === undefined) continue;
      this.translations.delete(key);
      this.deaths.set(key, (this.deaths.get(key) ?? 0) + 1);
      this.inner.spaces.forgetSlot(translation.pc);
      this.table.set(translation.slot, this.miss);
    }
    batch.keys = [];
  }

  /** Forgets all translations. */
  private clear(): void {
    this.inner.codeLines.clear();
    this.translations.clear();
    this.deaths.clear();
    this.sites.length = 1;
    this.free = [];
    for (let slot = SLOTS - 1; slot >= 0; slot--) {
      this.table.set(slot, this.miss);
      if (slot > MISS_SLOT) this.free.push(slot);
    }
  }
}

/** The translator, as one machine takes it. */
export class TranslatorEngine extends StoredEngine<Translator> {
  readonly name = 'translator';

  /** @param options `heat`: how often a block runs before it is translated */
  constructor(private readonly options: { heat?: number } = {}) {
    super();
  }

  protected make(machine: Machine, storage: Storage): Translator {
    return new Translator(machine, storage, this.options.heat);
  }
}
