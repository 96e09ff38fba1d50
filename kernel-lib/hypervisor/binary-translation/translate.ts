/**
 * Translates a unit of the guest's code: guest instructions in, translated instructions with their
 * offset map out, and the places where the block ends, which the cache will chain to other blocks.
 *
 * An innocuous instruction is copied. A run of sensitive ones becomes code on the vCPU window, or,
 * if there is one among them that needs the hypervisor, a single call for all of them. How the
 * three kinds of jumps end a block is in `transfers.ts`. Nothing is written anywhere here.
 */
import { hex } from '../../bits';
import { type Emitted, Emitter, type Piece } from './emitter';
import { canEmulate, emulateInCache } from './in-cache';
import { type Exit, emitBranch, emitExit, emitIndirect, emitJump, type Prediction } from './transfers';
import { endsBlock, type GuestInstruction, knownResult, type Treatment, treatmentOf } from './treatment';

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

/** Instructions that only the hypervisor may execute, although they look innocent: stores that keep faulting. */
export type IsGuilty = (guest: GuestInstruction) => boolean;

export function translate(
  guests: readonly GuestInstruction[],
  isGuilty: IsGuilty = () => false,
): Translation {
  const emitter = new Emitter();
  const known = new Map<number, number>();
  const body: Translation = {
    guests,
    emitted: emitter.emitted,
    pieces: emitter.pieces,
    bytes: 0,
    exits: [],
    prediction: undefined,
    leaving: undefined,
  };
  for (let n = 0; n < guests.length; ) {
    const guest = guests[n];
    const treatment = isGuilty(guest) ? SENSITIVE : treatmentOf(guest, known);
    if (treatment.kind === 'sensitive') {
      const run = runFrom(guests, n, isGuilty);
      emitRun(emitter, run, isGuilty);
      for (const each of run) forget(known, each);
      n += run.length;
      continue;
    }
    if (treatment.kind === 'branch' || treatment.kind === 'jump' || treatment.kind === 'indirect')
      return finish(emitter, body, leave(emitter, guest, treatment));
    emitPlain(emitter, guest, treatment);
    learn(known, guest);
    n++;
  }
  const last = guests[guests.length - 1];
  if (endsBlock(last)) return finish(emitter, body, {});
  return finish(emitter, body, runOn(emitter, last));
}

const SENSITIVE: Treatment = { kind: 'sensitive' };

function finish(emitter: Emitter, body: Translation, end: Partial<Translation>): Translation {
  return { ...body, ...end, bytes: emitter.size };
}

/** The consecutive sensitive instructions from `guests[first]` on. */
function runFrom(
  guests: readonly GuestInstruction[],
  first: number,
  isGuilty: IsGuilty,
): readonly GuestInstruction[] {
  let end = first + 1;
  while (end < guests.length && (isGuilty(guests[end]) || treatmentOf(guests[end]).kind === 'sensitive'))
    end++;
  return guests.slice(first, end);
}

function emitRun(emitter: Emitter, run: readonly GuestInstruction[], isGuilty: IsGuilty): void {
  const merged = run.length > 1 ? `, ${run.length} merged` : '';
  if (!run.every((guest) => canEmulate(guest) && !isGuilty(guest))) {
    const guilty = run.some(isGuilty) ? 'store that keeps faulting' : 'sensitive';
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

function emitPlain(emitter: Emitter, guest: GuestInstruction, treatment: Treatment): void {
  if (treatment.kind === 'constant') {
    emitter.begin([guest], `uses its pc: the value is known, ${hex(treatment.value)}`);
    emitter.constant(guest.instruction?.rd ?? 0, treatment.value);
    return;
  }
  emitter.begin([guest], 'identical');
  emitter.copy(guest);
}

/** The end of a unit that ends with a jump. */
function leave(emitter: Emitter, guest: GuestInstruction, treatment: Treatment): Partial<Translation> {
  const leaving = { offset: emitter.size, guests: [guest], target: undefined };
  if (treatment.kind === 'branch') return { exits: emitBranch(emitter, guest, treatment.target), leaving };
  if (treatment.kind === 'jump') return { exits: [emitJump(emitter, guest, treatment.target)], leaving };
  return { prediction: emitIndirect(emitter, guest), leaving };
}

/** The end of a unit whose last instruction goes on to the next one. */
function runOn(emitter: Emitter, last: GuestInstruction): Partial<Translation> {
  const target = (last.pc + last.length) | 0;
  const leaving = { offset: emitter.size, guests: [], target };
  emitter.begin([], 'the unit is over: goes on in the next block');
  emitter.pass(target);
  return { exits: [emitExit(emitter, target)], leaving };
}

/** Follows what the block itself says about registers: `auipc` and `jalr` make a jump to a known place. */
function learn(known: Map<number, number>, guest: GuestInstruction): void {
  const value = knownResult(guest, known);
  forget(known, guest);
  const rd = guest.instruction?.rd ?? 0;
  if (value !== undefined && rd !== 0) known.set(rd, value);
}

function forget(known: Map<number, number>, guest: GuestInstruction): void {
  known.delete(guest.instruction?.rd ?? 0);
}
