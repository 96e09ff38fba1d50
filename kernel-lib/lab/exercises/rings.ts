/**
 * The exercises of lesson 04 on who sits in which ring: what each of two shadow roots may show when both
 * halves of a guest run in user mode, and which traps may go straight to a guest's kernel in "ring 1".
 *
 * The oracle of the first are two harts: the guest's, in its virtual mode, and one in real U mode that
 * follows the learner's entry. The second is the library's own layout, and a guest that runs under another.
 */
import { createMachine } from '../../engine/create';
import { guest } from '../../guests/guests';
import { LAYOUTS } from '../../hypervisor/layouts';
import { TrapAndEmulate } from '../../hypervisor/trap-and-emulate';
import { Cause, causeName } from '../../isa/causes';
import { csrNumber } from '../../isa/csrs';
import { Mode } from '../../isa/registers';
import { MiB } from '../../machine/machine';
import { flagsText, Pte } from '../../machine/page-table';
import { Access } from '../../machine/pmp';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { ACCESS_NAMES, isWord, pageOf, TabledGuest } from './tabled-guest';
import { told } from './told';

const { V, R, W, X, U, A, D } = Pte;
const SUM = 1 << 18;
const VA = 0x4000_0000;
const ACCESSES = [Access.Read, Access.Write, Access.Execute];

// --------------------------------------------------------------------------------- 04-compress

type Compress = (flags: number, mode: Mode, sum: boolean) => number | undefined;

/** Which of the three accesses a hart in this mode may make to a page with these flags. */
function allowed(flags: number, mode: Mode, sum: boolean): boolean[] {
  const { hart } = new TabledGuest([{ va: VA, pte: pageOf(1, flags | V | A | D) }]).vm;
  hart.csrs.set('sstatus', sum ? SUM : 0);
  hart.mode = mode;
  return ACCESSES.map((access) => hart.peek(VA, access) !== undefined);
}

function* pageCases(): Generator<[flags: number, mode: Mode, sum: boolean]> {
  yield [R | W | U, Mode.U, false];
  yield [R | W, Mode.U, false];
  yield [R | W, Mode.S, false];
  yield [R | W | U, Mode.S, false];
  yield [R | W | U, Mode.S, true];
  yield [R | X | U, Mode.S, true];
  for (const rights of [R, R | W, X, R | X, R | W | X])
    for (const owner of [0, U])
      for (const mode of [Mode.U, Mode.S]) for (const sum of [false, true]) yield [rights | owner, mode, sum];
}

const rightsText = (flags: number) => flagsText(flags).slice(3, 7);

function placeText(flags: number, mode: Mode, sum: boolean): string {
  const who = mode === Mode.U ? 'The guest’s process (virtual U)' : 'The guest’s kernel (virtual S)';
  const withSum = mode === Mode.S ? `, SUM ${sum ? 'set' : 'clear'},` : '';
  const page = (flags & U) !== 0 ? 'a page of users' : 'a page of the kernel';
  return `${who}${withSum} and ${page} with the flags ${rightsText(flags)}.`;
}

function compressed(flags: number, mode: Mode, sum: boolean, answer: unknown): Failure | undefined {
  const place = placeText(flags, mode, sum);
  if (answer === undefined) return { message: `${place} Your function returns nothing yet.` };
  if (!isWord(answer) || (answer & ~(R | W | X | U)) !== 0) {
    const what = isWord(answer) ? `0x${answer.toString(16)}` : told(answer);
    return { message: `${place} The answer must be made of R, W, X and U; yours is ${what}.` };
  }
  const wanted = allowed(flags, mode, sum);
  const found = allowed(answer, Mode.U, false);
  const wrong = ACCESSES.findIndex((_, n) => wanted[n] !== found[n]);
  if (wrong < 0) return undefined;
  const name = ACCESS_NAMES[ACCESSES[wrong]];
  const because = wanted[wrong]
    ? `On a bare machine a ${name} is allowed; in real user mode, with the flags ${rightsText(answer)}, it faults.`
    : `On a bare machine a ${name} faults; in real user mode, with the flags ${rightsText(answer)}, nothing stops it.`;
  return { message: `${place} ${because}` };
}

const compress: Exercise<Compress> = {
  id: '04-compress',
  title: 'two roots for two modes',
  passed:
    'In real user mode, each of the two worlds may do what it may do on a bare machine, and nothing else: 40 kinds of pages.',
  hints: [
    'Both worlds run in real U mode: of the shadow, the hart only shows pages with U. So U in the shadow no longer says whose page it is; which root is in force says that.',
    'In the root of the process: pages with U, as they are; nothing else. In the root of the kernel: pages without U, but with U added, or they could not be reached.',
    'With SUM, the kernel’s root has the users’ pages as well, without X: a kernel never executes them. Where nothing may be done, the answer is 0.',
  ],
  test(solution) {
    let isOpen = true; // until an answer is right
    for (const [flags, mode, sum] of pageCases()) {
      const where = placeText(flags, mode, sum);
      const answer: unknown = inCase(where, () => solution(flags, mode, sum));
      const failure = compressed(flags, mode, sum, answer);
      if (failure !== undefined) return { ...failure, untouched: isOpen && answer === undefined };
      isOpen = false;
    }
    return undefined;
  },
};

// --------------------------------------------------------------------------------- 04-delegate

type Delegate = (cause: Cause) => boolean | undefined;

const MEDELEG = csrNumber('medeleg');
/** Exceptions that a guest in real S mode can cause. Fetches from where no memory is can be seen either way. */
const CAUSES = [
  Cause.EcallFromU,
  Cause.EcallFromS,
  Cause.IllegalInstruction,
  Cause.LoadPageFault,
  Cause.StorePageFault,
  Cause.InstructionPageFault,
  Cause.Breakpoint,
  Cause.LoadAccessFault,
  Cause.StoreAccessFault,
  Cause.InstructionAddressMisaligned,
  Cause.LoadAddressMisaligned,
  Cause.StoreAddressMisaligned,
];

/** What must not be lost on the way, where an exception may not go straight to the guest. */
const NEEDED: Partial<Record<Cause, string>> = {
  [Cause.EcallFromS]: 'It is the kernel’s call to the firmware below it, and that is you.',
  [Cause.IllegalInstruction]:
    'Among them are the accesses to satp, sfence.vma and wfi that TVM and TW make trap: those you must carry out.',
  [Cause.LoadAccessFault]: 'There may be a virtual device at the address.',
  [Cause.StoreAccessFault]: 'There may be a virtual device at the address.',
};
const SHADOW_NEEDS = 'It may be a hidden fault: the page is only missing in your shadow tables.';

/** What ring 1 delegates for a guest that delegates all and has paging on. */
function delegatedByLibrary(): number {
  const { vm } = new TabledGuest([]);
  vm.hart.csrs.values[MEDELEG] = -1;
  LAYOUTS.ring1.enter(vm.machine.hart, vm.hart);
  return vm.machine.hart.csrs.get('medeleg');
}

/** How nano-os fares in ring 1 if `mask` is delegated. */
function runDelegating(mask: number): { end: string; exits: number } {
  const { ring1 } = LAYOUTS;
  const layout: typeof ring1 = {
    ...ring1,
    enter(real, virtual) {
      ring1.enter(real, virtual);
      const isPaging = virtual.csrs.get('satp') < 0;
      real.csrs.values[MEDELEG] = isPaging ? mask & virtual.csrs.values[MEDELEG] : 0;
    },
  };
  const hypervisor = new TrapAndEmulate(createMachine({ ram: 16 * MiB }), { layout });
  hypervisor.boot(guest('nano-os', { FORKS: 1, WORK: 1, NAP: 1 }));
  const { message } = hypervisor.run({ instructions: 1_000_000 });
  const { exits } = hypervisor.report();
  const [last] = hypervisor.vm.console.trim().split('\n').slice(-1);
  return {
    end: last === '' ? `prints nothing. ${message}` : `ends with ${JSON.stringify(last)}.`,
    exits: exits.reduce((sum, exit) => sum + exit.count, 0),
  };
}

function wronglyDelegated(cause: Cause, right: number): Failure {
  const { end } = runDelegating(right | (1 << cause));
  const why = NEEDED[cause] ?? SHADOW_NEEDS;
  // A guest that doesn't come upon it is no evidence.
  const seen = end === runDelegating(right).end ? '' : ` nano-os under such a hypervisor ${end}`;
  return {
    message: `You would give the guest’s kernel "${causeName(cause)}" without an exit. ${why}${seen}`,
  };
}

function wronglyKept(cause: Cause, right: number): Failure {
  const [with_, without] = [runDelegating(right), runDelegating(right & ~(1 << cause))];
  const more = without.exits - with_.exits;
  const cost = more > 0 ? ` For nano-os that makes ${more.toLocaleString('en-GB')} exits more.` : '';
  return {
    message: `You would take "${causeName(cause)}" yourself. But whatever it is about, it is the guest kernel’s, and you would only pass it on.${cost}`,
  };
}

const delegate: Exercise<Delegate> = {
  id: '04-delegate',
  title: 'which traps may bypass you',
  passed:
    'System calls and the guest’s own mistakes cost no exit, and nothing that you must see gets past you.',
  hints: [
    'For each exception ask: could it be about something that I do behind the guest’s back: its page tables, its devices, its firmware, its privileged instructions?',
    'A system call of the guest’s process (EcallFromU) is between the process and its kernel. A call of its kernel (EcallFromS) is to you. A page fault can be hidden, an access fault a device, an illegal instruction one that you made illegal.',
    'What remains, whatever it is about, the guest’s own: system calls, breakpoints, and misaligned addresses.',
  ],
  test(solution) {
    const right = delegatedByLibrary();
    let isOpen = true; // until an answer is right
    for (const cause of CAUSES) {
      const found: unknown = inCase(`For "${causeName(cause)}".`, () => solution(cause));
      const wanted = ((right >>> cause) & 1) !== 0;
      isOpen &&= found !== wanted;
      if (found === wanted) continue;
      if (isOpen && found === undefined) {
        const message = `Your function decides nothing yet. For one: "${causeName(cause)}".`;
        return { untouched: true, message };
      }
      if (typeof found !== 'boolean')
        return {
          message: `For "${causeName(cause)}" the answer must be true or false; yours is ${told(found)}.`,
        };
      return wanted ? wronglyKept(cause, right) : wronglyDelegated(cause, right);
    }
    return undefined;
  },
};

defineExercises(compress, delegate);
