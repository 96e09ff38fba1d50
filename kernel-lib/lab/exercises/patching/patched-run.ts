/**
 * A guest whose sensitive instructions are breakpoints, and how its virtual hart fares exit by exit
 * under an answer to them. Nothing that handlers charge counts, so that two runs can be compared.
 */
import { hex } from '../../../bits';
import { decode, type Instruction } from '../../../code/decode';
import { encode, rowByName } from '../../../code/encode';
import { createMachine } from '../../../engine/create';
import { scan } from '../../../hypervisor/load-time-patching/scan';
import { dispatch, TrapAndEmulate } from '../../../hypervisor/trap-and-emulate';
import type { Vm } from '../../../hypervisor/vm';
import { Cause, causeName } from '../../../isa/causes';
import type { ProfileName } from '../../../isa/profiles';
import type { Loadable } from '../../../machine/machine';
import type { Trap } from '../../../machine/trap';
import { type HartState, hartState } from '../../hart-state';

/** What was at an address before it was patched. Addresses are unsigned. */
export type PatchedInstructions = Map<number, Instruction>;

/** Answers a breakpoint of the guest. */
export type BreakpointHandler = (vm: Vm, trap: Trap, patched: PatchedInstructions) => void;

export const EBREAK = encode(rowByName('ebreak')!, {});
const MOST_INSTRUCTIONS = 60_000;

/** The virtual hart before and after an exit that was a breakpoint. */
export interface Answer {
  at: string;
  before: HartState;
  after: HartState;
}

/** Runs a patched guest; `stopAt` is asked after each breakpoint. */
export function runPatched(
  image: Loadable,
  profile: ProfileName,
  handler: BreakpointHandler,
  stopAt: (answer: Answer, n: number) => boolean,
): { answers: Answer[]; console: string } {
  const answers: Answer[] = [];
  const sites = scan(image);
  const hypervisor = new TrapAndEmulate(createMachine({ profile }), {
    dispatch(vm, trap) {
      if (trap.cause !== Cause.Breakpoint) return dispatch(vm, trap);
      const patched = new Map(sites.map(({ address, instruction }) => [address, { ...instruction }]));
      const before = hartState(vm.hart);
      const original = patched.get(vm.hart.pc >>> 0);
      vm.machine.clock.paused = true;
      handler(vm, trap, patched);
      vm.machine.clock.paused = false;
      const what = original === undefined ? 'a breakpoint of its own' : `once \`${original.row.name}\``;
      const at = `breakpoint ${answers.length + 1} (at ${hex(before.pc)}, ${what}; instruction ${vm.hart.instret.toLocaleString('en-GB')})`;
      const answer = { at, before, after: hartState(vm.hart) };
      answers.push(answer);
      if (!stopAt(answer, answers.length - 1)) return;
      vm.guest.stopped = { reason: 'host', message: 'The check has seen enough.' };
      vm.machine.stopped = vm.guest.stopped;
    },
  });
  hypervisor.boot(patchedImage(image, new Map(sites.map(({ address }) => [address, EBREAK]))));
  hypervisor.run({ instructions: MOST_INSTRUCTIONS });
  return { answers, console: hypervisor.vm.console };
}

/** The image with some words replaced. */
export function patchedImage(image: Loadable, words: ReadonlyMap<number, number>): Loadable {
  const segments = image.segments.map((segment) => {
    const bytes = segment.bytes.slice();
    const view = new DataView(bytes.buffer);
    for (const [address, word] of words) {
      const offset = address - segment.address;
      if (offset >= 0 && offset + 4 <= bytes.length) view.setInt32(offset, word, true);
    }
    return { ...segment, bytes };
  });
  return { ...image, segments };
}

/** What a word at an address would do to a hart in user mode, in words. */
export function inUserMode(word: number): string {
  const name = decode(word)?.row.name;
  if (name === undefined)
    return `no instruction, ${causeName(Cause.IllegalInstruction)}: so is a mistake of the guest's`;
  if (name === 'ecall')
    return "`ecall`, which traps; but the guest has calls of its own, and you can't tell them apart";
  return `\`${name}\`, which needn't trap on every machine`;
}
