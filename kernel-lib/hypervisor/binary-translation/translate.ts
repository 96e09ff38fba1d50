/**
 * Translates a unit of the guest's code: guest instructions in, translated instructions with their
 * offset map out, and the places where the block ends, which the cache will chain to other blocks.
 *
 * An innocuous instruction is copied. A run of sensitive ones becomes code on the vCPU window, or,
 * if there is one among them that needs the hypervisor, a single call for all of them. How the
 * three kinds of jumps end a block is in `transfers.ts`. Nothing is written anywhere here.
 */
import { hex } from '../../bits';
import { emitWithout, namesAny } from './banish';
import { type Emitted, Emitter, type Piece } from './emitter';
import { emitGuard, type GuardPolicy, hitsWindow, needsGuard } from './guard';
import { type Glimpse, Guess } from './guess';
import { canEmulate, emulateInCache } from './in-cache';
import { type Exit, emitBranch, emitExit, emitIndirect, emitJump, type Prediction } from './transfers';
import {
  endsBlock,
  type GuestInstruction,
  knownResult,
  type MemoryAccess,
  memoryAccessOf,
  type Treatment,
  treatmentOf,
} from './treatment';

/** The translation of a unit. */
export interface Translation {
  guests: readonly GuestInstruction[];
  emitted: readonly Emitted[];
  pieces: readonly Piece[];
  bytes: number;
  exits: readonly Exit[];
  /** Of a unit that ends with an indirect jump. */
  prediction: Prediction | undefined;
  /** Where the code begins that leaves the block, and what it stands for; undefined: a call does. */
  leaving: { offset: number; guests: readonly GuestInstruction[]; target: number | undefined } | undefined;
}

/** How the translator decides where it has a choice. */
export interface Policy {
  /** Instructions that only the hypervisor may execute, although they look innocent: stores that keep faulting. */
  isGuilty(guest: GuestInstruction): boolean;
  guard: GuardPolicy;
  /** Registers that the guest's kernel has in the vCPU window. */
  banished: readonly number[];
  /** The guest's state at the beginning of the unit. */
  glimpse: Glimpse | undefined;
  /** Where sensitive instructions are carried out for which the vCPU window would do. */
  emulation: Emulation;
  /** Whether sensitive instructions that follow one another are translated together. */
  merging: boolean;
}

/** `in-cache`: by code in the translation cache, on the vCPU window; `callout`: by a call of the hypervisor. */
export type Emulation = 'in-cache' | 'callout';

/** Everybody is innocent, and nothing is known. */
export const TRUSTING: Policy = {
  isGuilty: () => false,
  guard: 'never',
  banished: [],
  glimpse: undefined,
  emulation: 'in-cache',
  merging: true,
};

export function translate(guests: readonly GuestInstruction[], policy: Policy = TRUSTING): Translation {
  return new UnitTranslation(guests, policy).translate();
}

/** One unit being translated. */
class UnitTranslation {
  private readonly emitter = new Emitter();
  /** Registers that the unit itself has set: this is certain. */
  private readonly known = new Map<number, number>();
  private readonly guess: Guess | undefined;

  constructor(
    private readonly guests: readonly GuestInstruction[],
    private readonly policy: Policy,
  ) {
    this.guess = policy.glimpse && new Guess(policy.glimpse);
  }

  translate(): Translation {
    const { guests, known } = this;
    for (let n = 0; n < guests.length; ) {
      const guest = guests[n];
      if (this.isSensitive(guest)) {
        const run = this.runFrom(n);
        this.emitRun(run);
        for (const each of run) this.follow(each, false);
        n += run.length;
        continue;
      }
      const treatment = treatmentOf(guest, known);
      if (treatment.kind === 'branch' || treatment.kind === 'jump' || treatment.kind === 'indirect')
        return this.finish(leave(this.emitter, guest, treatment));
      this.emitPlain(guest, treatment);
      this.follow(guest, true);
      n++;
    }
    const last = guests[guests.length - 1];
    return this.finish(endsBlock(last) ? {} : runOn(this.emitter, last));
  }

  private finish(end: Partial<Translation>): Translation {
    const { guests, emitter } = this;
    const { emitted, pieces, size } = emitter;
    const nothing = { exits: [], prediction: undefined, leaving: undefined };
    return { guests, emitted, pieces, bytes: size, ...nothing, ...end };
  }

  /** Whether an instruction may not get into the cache as it is, nor with other registers. */
  private isSensitive(guest: GuestInstruction): boolean {
    return this.mustCall(guest) || treatmentOf(guest).kind === 'sensitive';
  }

  /** Whether only the hypervisor may execute it, sensitive or not. */
  private mustCall(guest: GuestInstruction): boolean {
    const { isGuilty, banished } = this.policy;
    if (isGuilty(guest)) return true;
    const access = memoryAccessOf(guest);
    if (access?.rs1 === 0 && hitsWindow(access.offset, access.bytes)) return true;
    if (!namesAny(guest, banished)) return false;
    const isGuarded = access !== undefined && access.rs1 !== 0 && this.policy.guard === 'always';
    return isGuarded || treatmentOf(guest).kind !== 'identical';
  }

  /** The consecutive sensitive instructions from `guests[first]` on. */
  private runFrom(first: number): readonly GuestInstruction[] {
    const { guests, policy } = this;
    let end = first + 1;
    while (
      policy.merging &&
      end < guests.length &&
      !endsBlock(guests[end - 1]) &&
      this.isSensitive(guests[end])
    )
      end++;
    return guests.slice(first, end);
  }

  private emitRun(run: readonly GuestInstruction[]): void {
    const { emitter, policy } = this;
    const merged = run.length > 1 ? `, ${run.length} merged` : '';
    const isInCache = policy.emulation === 'in-cache';
    if (!isInCache || !run.every((guest) => canEmulate(guest) && !this.mustCall(guest))) {
      const guilty = run.some(policy.isGuilty) ? 'keeps faulting' : 'sensitive';
      emitter.begin(run, `${guilty}: callout${merged}`);
      emitter.callout({ kind: 'emulate', guests: run });
      return;
    }
    emitter.begin(run, `sensitive: in the cache, on the vCPU window${merged}`);
    run.forEach((guest, index) => {
      emitter.start(guest.pc);
      emulateInCache(emitter, run, index);
    });
    emitter.giveBack();
  }

  private emitPlain(guest: GuestInstruction, treatment: Treatment): void {
    const { emitter, policy } = this;
    if (treatment.kind === 'constant') {
      emitter.begin([guest], `uses its pc: the value is known, ${hex(treatment.value)}`);
      emitter.constant(guest.instruction?.rd ?? 0, treatment.value);
      return;
    }
    if (namesAny(guest, policy.banished)) {
      emitter.begin([guest], 'names a register that traps destroy: works on its word in the vCPU window');
      emitWithout(emitter, guest, policy.banished);
      return;
    }
    const access = memoryAccessOf(guest);
    if (access !== undefined && !this.isHarmless(access)) {
      emitter.begin([guest], 'may hit the vCPU window: guarded');
      emitGuard(emitter, guest, access);
    } else emitter.begin([guest], 'identical');
    emitter.copy(guest);
  }

  /** Whether an access stays away from the vCPU window: for certain, or by the evidence. */
  private isHarmless(access: MemoryAccess): boolean {
    const base = this.known.get(access.rs1);
    if (base !== undefined) return !hitsWindow((base + access.offset) | 0, access.bytes);
    return !needsGuard(this.policy.guard, access, this.guess?.address(access));
  }

  /** Follows what the unit says about registers: `auipc` and `jalr` make a jump to a known place. */
  private follow(guest: GuestInstruction, isExecuted: boolean): void {
    const { known } = this;
    const value = isExecuted ? knownResult(guest, known) : undefined;
    const rd = guest.instruction?.rd ?? 0;
    known.delete(rd);
    if (value !== undefined && rd !== 0) known.set(rd, value);
    this.guess?.follow(guest);
  }
}

/** The end of a unit that ends with a jump. */
export function leave(emitter: Emitter, guest: GuestInstruction, treatment: Treatment): Partial<Translation> {
  const leaving = { offset: emitter.size, guests: [guest], target: undefined };
  if (treatment.kind === 'branch') return { exits: emitBranch(emitter, guest, treatment.target), leaving };
  if (treatment.kind === 'jump') return { exits: [emitJump(emitter, guest, treatment.target)], leaving };
  return { prediction: emitIndirect(emitter, guest), leaving };
}

/** The end of a unit whose last instruction goes on to the next one. */
export function runOn(emitter: Emitter, last: GuestInstruction): Partial<Translation> {
  const target = (last.pc + last.length) | 0;
  const leaving = { offset: emitter.size, guests: [], target };
  emitter.begin([], 'the unit is over: goes on in the next block');
  emitter.pass(target);
  return { exits: [emitExit(emitter, target)], leaving };
}
