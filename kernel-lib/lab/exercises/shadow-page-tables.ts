/**
 * The exercise of lesson 05 in which a learner's lazy shadow runs an operating system. Read `page-tables.ts`
 * first.
 *
 * `05-shadow` runs nano-os under the learner's paging. After each page fault the guest's own tables and the
 * real ones are compared, at the address of the fault, by asking both harts.
 */
import { hex } from '../../bits';
import { assemble, DEFAULT_ORIGIN } from '../../code/assemble';
import type { Program } from '../../code/program';
import { createMachine } from '../../engine/create';
import { guestSource } from '../../guests/guests';
import type { FaultAnswer, GuestPaging, PagedVm } from '../../hypervisor/paging/paging';
import { accessOf } from '../../hypervisor/paging/shadow';
import { TrapAndEmulate } from '../../hypervisor/trap-and-emulate';
import { MiB } from '../../machine/machine';
import { makePte, PAGE_BYTES, Pte, ppnOf, SUPERPAGE_BYTES } from '../../machine/page-table';
import { Access } from '../../machine/pmp';
import type { Trap } from '../../machine/trap';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { recordStride, runInStrides } from './strides';
import { ACCESS_NAMES, entryText } from './tabled-guest';
import { told, toldText } from './told';

const { R, W, X, A, D } = Pte;

// ----------------------------------------------------------------------------------- 05-shadow

type MakePaging = (vm: PagedVm) => GuestPaging;

const SMALL = { FORKS: 1, PAGES: 2, WORK: 5, CALLS: 1, NAP: 1 };

/**
 * nano-os with A and D left to the hart (its own entries have them set from the start), and a look at a page of
 * data before it is written to: a load of a clean page.
 */
function guestProgram(): Program {
  const source = guestSource('nano-os', SMALL);
  const clean = source.replace(/(PTE_DATA, +)0xd7/, '$10x17').replace(/(PTE_PROGRAM, +)0x5b/, '$10x1b');
  const looking = clean.replace(/^main:/m, 'main:   li      t0, DATA\n        lw      zero, 0(t0)\n');
  return assemble(looking, { file: 'nano-os.s', origin: DEFAULT_ORIGIN });
}
const MOST_INSTRUCTIONS = 2_000_000;

/** A run of the guest under a learner's paging, up to the first fault that is answered wrongly. */
class Trial {
  failure: Failure | undefined;
  readonly hypervisor: TrapAndEmulate;
  private faults = 0;

  constructor(make: MakePaging) {
    this.hypervisor = new TrapAndEmulate(createMachine({ ram: 16 * MiB }), {
      paging: (vm) => this.watched(make(vm), vm),
    });
    this.hypervisor.boot(guestProgram());
  }

  /** The learner's paging, with an eye on what it answers. */
  private watched(paging: GuestPaging, vm: PagedVm): GuestPaging {
    if (typeof paging?.fault !== 'function') throw new NoPaging(paging);
    const fault = paging.fault.bind(paging);
    paging.fault = (trap) => {
      if (this.failure !== undefined || vm.guest.hart.csrs.get('satp') >= 0) return fault(trap);
      return this.judged(paging, vm, trap, fault);
    };
    return paging;
  }

  private judged(
    paging: GuestPaging,
    vm: PagedVm,
    trap: Trap,
    fault: (trap: Trap) => FaultAnswer,
  ): FaultAnswer {
    const { hart } = vm.guest;
    const access = accessOf(trap.cause);
    const before = hart.leafOf(trap.tval);
    const wanted = rightAnswer(vm, trap.tval, access);
    this.faults++;
    const where =
      `At page fault ${this.faults} (${ACCESS_NAMES[access]} at ${hex(trap.tval)}, ` +
      `instruction ${hart.instret.toLocaleString('en-GB')})`;
    const answer = inCase(`${where}:`, () => fault(trap));
    const own =
      before === undefined
        ? 'The guest has no entry there.'
        : `The guest's own entry is ${entryText(before.pte)}.`;
    let message: string | undefined;
    if (answer !== wanted)
      message = `your answer is ${answer === undefined ? 'nothing' : toldText(answer)}; it should be ${toldText(wanted)}.`;
    else if (answer === 'filled' && before !== undefined)
      message = faultInFill(paging, vm, trap.tval, access, before.pte);
    if (message !== undefined) {
      this.failure = { message: `${where} ${message} ${own}`, untouched: answer === undefined };
      vm.machine.stopped = { reason: 'host', message: 'The check has seen enough.' };
      vm.guest.stopped = vm.machine.stopped;
    }
    return answer ?? 'filled';
  }
}

class NoPaging extends Error {
  constructor(readonly found: unknown) {
    super('no paging');
  }
}

/** Whose the fault is, by the guest's own tables. (Nothing is watched in this run.) */
function rightAnswer(vm: PagedVm, va: number, access: Access): FaultAnswer {
  const gpa = vm.guest.hart.peek(va, access);
  if (gpa === undefined) return 'guest';
  return vm.gpaToPa(gpa) < 0 ? 'device' : 'filled';
}

/** What is wrong after a fill, if anything is: with the guest's entry, or with what the real hart sees. */
function faultInFill(
  paging: GuestPaging,
  vm: PagedVm,
  va: number,
  access: Access,
  before: number,
): string | undefined {
  const own = vm.guest.hart.leafOf(va)!;
  const wanted = before | A | (access === Access.Write ? D : 0);
  if (own.pte !== wanted)
    return `the guest's own entry became ${entryText(own.pte)}; a hart would have made it ${entryText(wanted)}.`;
  const shadow = inForce(paging, vm, va);
  const needed = { [Access.Read]: R, [Access.Write]: W, [Access.Execute]: X }[access];
  if (shadow === undefined || (shadow & needed) === 0)
    return 'the shadow still does not allow the access: the guest would fault there for ever.';
  const right = vm.gpaToPa(
    ppnOf(own.pte) * PAGE_BYTES + (own.isSuperpage ? va & (SUPERPAGE_BYTES - PAGE_BYTES) : 0),
  );
  if (ppnOf(shadow) !== right / PAGE_BYTES)
    return `your shadow leads to page ${hex((ppnOf(shadow) * PAGE_BYTES) | 0)}; the guest's page is at ${hex(right | 0)}.`;
  if ((shadow & W) !== 0 && (own.pte & W) === 0)
    return "your shadow entry maps the page writable; the guest's own entry is read-only.";
  if ((shadow & W) !== 0 && (own.pte & D) === 0)
    return "your shadow entry maps the page writable while the guest's own entry is clean: D will never be set.";
  return undefined;
}

/** The entry that the real hart would find for an address; undefined for none. 4 MiB are looked at as pages. */
function inForce(paging: GuestPaging, { machine: { hart } }: PagedVm, va: number): number | undefined {
  const before = hart.csrs.get('satp');
  hart.csrs.set('satp', paging.activate());
  const leaf = hart.leafOf(va);
  hart.csrs.set('satp', before);
  if (leaf === undefined) return undefined;
  const page = leaf.isSuperpage ? (va & (SUPERPAGE_BYTES - PAGE_BYTES)) / PAGE_BYTES : 0;
  return makePte(ppnOf(leaf.pte) + page, leaf.pte & 0x3ff);
}

const shadow: Exercise<MakePaging> = {
  id: '05-shadow',
  title: 'a lazy shadow for a whole operating system',
  passed:
    'nano-os boots, forks, copies on write and checks itself, and after each hidden fault both tables agree.',
  hints: [
    'The first page fault that goes wrong is named above. Is it the answer that is wrong, or what was filled?',
    'If a single part is wrong, its own check shows a smaller case.',
    'The entry to change in the guest’s memory is at `hart.leafOf(va).at`, and the entry itself is its `pte`. What is kept in the shadow goes through `this.tables.map`.',
  ],
  test(solution) {
    try {
      return testShadow(solution);
    } catch (error) {
      if (!(error instanceof NoPaging)) throw error;
      const { found } = error;
      const what =
        found === undefined ? 'Your function makes nothing yet.' : `Your function made ${told(found)}.`;
      return {
        untouched: found === undefined,
        message: `${what} It should return a paging: new MyShadow(vm).`,
      };
    }
  },
};

function testShadow(solution: MakePaging): Failure | undefined {
  const reference = new TrapAndEmulate(createMachine({ ram: 16 * MiB }));
  reference.boot(guestProgram());
  reference.run();
  const trial = new Trial(solution);
  const { end, last } = runInStrides(trial.hypervisor, MOST_INSTRUCTIONS, () => trial.failure !== undefined);
  const { failure } = trial;
  if (failure?.untouched) return failure;
  if (failure !== undefined) {
    const again = new Trial(solution);
    const title = 'nano-os under your shadow, up to the wrong fault';
    return { ...failure, ...recordStride(again.hypervisor, last, title, () => again.failure !== undefined) };
  }
  const { console } = trial.hypervisor.vm;
  if (console === reference.vm.console) return undefined;
  const printed = JSON.stringify(console.slice(-80));
  return {
    message:
      `After ${end.reason === 'budget' ? 'two million instructions' : `"${end.message}"`} the guest had printed …${printed}; ` +
      `the bare machine ends with …${JSON.stringify(reference.vm.console.slice(-80))}. ` +
      'Each fault was answered rightly: is every sfence.vma obeyed?',
  };
}

defineExercises(shadow);
