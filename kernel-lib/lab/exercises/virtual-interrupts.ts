/**
 * The exercises of lesson 04 on interrupts that are not there: when the real timer must ring for a virtual
 * one, and when a virtual interrupt may be delivered.
 *
 * The oracle of each is the virtual hart, which knows by the manual's rules which interrupt it must take.
 * `04-interrupts` runs guests whose interrupts only the learner's function delivers.
 */
import { createMachine } from '../../engine/create';
import { guest } from '../../guests/guests';
import { LAYOUTS } from '../../hypervisor/layouts';
import { dispatch, TrapAndEmulate } from '../../hypervisor/trap-and-emulate';
import { Vm } from '../../hypervisor/vm';
import { Cause } from '../../isa/causes';
import { csrNumber } from '../../isa/csrs';
import { Mode } from '../../isa/registers';
import { CYCLES_PER_TICK } from '../../machine/devices/clint';
import { type Loadable, MiB, RAM_BASE } from '../../machine/machine';
import { Firmware } from '../../machine/sbi';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { differences, type HartState, hartState } from '../hart-state';
import { randomNumbers } from '../random';
import { placesTable } from './places-table';
import { recordStride, runInStrides } from './strides';
import { told } from './told';

const MIE = csrNumber('mie');
const MIP = csrNumber('mip');
const SIE = 1 << 1;
const TIMER = 1 << 5;
const SOFTWARE = 1 << 1;
const MACHINE_TIMER = 1 << 7;
const HANDLER = RAM_BASE + 0x100;

/** A guest that has booted and done nothing yet. */
function freshVm(): Vm {
  const vm = new Vm(createMachine({ ram: 4096 }), 'exercise', () => {});
  new Firmware(vm.guest).boot({ segments: [], entry: RAM_BASE });
  vm.hart.csrs.set('stvec', HANDLER);
  return vm;
}

// ------------------------------------------------------------------------------------ 04-timer

/** What a hypervisor knows of one guest's timer. Cycles. */
export interface TimerFacts {
  now: number;
  /** When the guest's timer is due; infinity: it has none set. */
  deadline: number;
  /** It was due, and its interrupt is pending: the guest has not taken it yet. */
  isPending: boolean;
  /** Whether the guest would take it where it is now. */
  isAllowed: boolean;
  /** When the hypervisor wants the hart back, for another guest. */
  sliceEnd: number;
}

type Timer = (facts: TimerFacts) => number | undefined;

function* timerCases(): Generator<TimerFacts> {
  const none = Number.POSITIVE_INFINITY;
  const usual = { now: 1000, deadline: 5000, isPending: false, isAllowed: true, sliceEnd: none };
  yield usual;
  yield { ...usual, sliceEnd: 3000 };
  yield { ...usual, sliceEnd: 8000 };
  yield { ...usual, deadline: none, sliceEnd: 8000 };
  yield { ...usual, deadline: none };
  yield { ...usual, deadline: 400 };
  yield { ...usual, deadline: 400, isPending: true };
  yield { ...usual, deadline: 400, isPending: true, isAllowed: false };
  yield { ...usual, deadline: 400, isPending: true, isAllowed: false, sliceEnd: 8000 };
  const random = randomNumbers(41);
  for (let n = 0; n < 100; n++) {
    const now = 1000 + random.below(100) * CYCLES_PER_TICK;
    const isPending = random.below(3) === 0;
    const ahead = random.below(4) === 0 ? none : random.below(500) * CYCLES_PER_TICK;
    const deadline = isPending ? now - random.below(50) * CYCLES_PER_TICK : now + ahead;
    const sliceEnd = random.below(3) === 0 ? none : now + random.below(5000);
    yield { now, deadline, isPending, isAllowed: random.below(2) === 0, sliceEnd };
  }
}

/** When the library's own VM wants to be woken in this state. */
function wakesAt({ now, deadline, isPending, isAllowed, sliceEnd }: TimerFacts): number {
  const vm = freshVm();
  vm.machine.clock.cycles = now;
  vm.guest.clint.riseAt(deadline);
  vm.hart.csrs.modify(MIE, isPending ? TIMER : TIMER | MACHINE_TIMER, -1);
  if (isPending) vm.hart.csrs.modify(MIP, TIMER, 0);
  vm.hart.csrs.set('sstatus', isAllowed ? SIE : 0);
  vm.hart.mode = Mode.S;
  return Math.min(sliceEnd, vm.wakesAt);
}

const cycle = (value: number) =>
  Number.isFinite(value) ? `cycle ${value.toLocaleString('en-GB')}` : 'never';

function factsText({ now, deadline, isPending, isAllowed, sliceEnd }: TimerFacts): string {
  const timer = Number.isFinite(deadline) ? `is due at ${cycle(deadline)}` : 'is not set';
  const state = isPending ? ', its interrupt is pending' : '';
  const may = isAllowed ? 'allows interrupts' : 'has interrupts turned off';
  const slice = Number.isFinite(sliceEnd)
    ? `you want the hart back at ${cycle(sliceEnd)}`
    : 'nobody else waits for the hart';
  return `It is ${cycle(now)}. The guest’s timer ${timer}${state}; the guest ${may}; ${slice}.`;
}

const timer: Exercise<Timer> = {
  id: '04-timer',
  title: 'one timer for two',
  passed: 'The real timer rings for whoever needs it first, and not once for nothing: 109 states.',
  hints: [
    'There is one real timer, and two who want to be woken: the guest at its deadline, and you at the end of the slice. Whose time comes first?',
    'A deadline that has passed, and has not been noticed, is now. One whose interrupt is pending already has rung: then it matters whether the guest takes it.',
    'Pending and allowed: now. Pending, but turned off: no timer is needed at all for that, since turning interrupts on again is a trap, and you will see it. `Math.min` and `Math.max` do the rest; infinity stands for never.',
  ],
  test(solution) {
    let isOpen = true; // until an answer is right
    for (const facts of timerCases()) {
      const wanted = wakesAt(facts);
      const found: unknown = inCase(factsText(facts), () => solution({ ...facts }));
      isOpen &&= found !== wanted;
      if (found === wanted) continue;
      const isNumber = typeof found === 'number' && !Number.isNaN(found);
      const is =
        found === undefined
          ? 'Your answer is nothing yet'
          : `Your answer is ${isNumber ? cycle(found) : told(found)}`;
      return {
        untouched: isOpen && found === undefined,
        message: `${factsText(facts)} The real timer must ring at: ${cycle(wanted)}. ${is}.`,
      };
    }
    return undefined;
  },
};

// ----------------------------------------------------------------------------------- 04-inject

type Inject = (vm: Vm) => void;

interface InjectCase {
  mode: Mode;
  pending: number;
  enabled: number;
  status: number;
  stvec: number;
}

function* injectCases(): Generator<InjectCase> {
  const usual = { mode: Mode.U, pending: TIMER, enabled: TIMER, status: 0, stvec: HANDLER };
  yield { ...usual, mode: Mode.S, status: SIE };
  yield usual;
  yield { ...usual, mode: Mode.S };
  yield { ...usual, pending: 0 };
  yield { ...usual, enabled: 0 };
  yield { ...usual, pending: SOFTWARE, enabled: TIMER };
  yield { ...usual, stvec: HANDLER | 1 };
  const random = randomNumbers(42);
  for (let n = 0; n < 100; n++)
    yield {
      mode: random.pick([Mode.U, Mode.S]),
      pending: random.pick([0, TIMER, TIMER]),
      enabled: random.pick([0, TIMER, TIMER | SOFTWARE]),
      status: random.word(),
      stvec: HANDLER | random.below(2),
    };
}

function vmIn({ mode, pending, enabled, status, stvec }: InjectCase): Vm {
  const vm = freshVm();
  vm.hart.csrs.modify(MIP, pending, TIMER | SOFTWARE);
  vm.hart.csrs.set('sie', enabled);
  vm.hart.csrs.set('sstatus', status);
  vm.hart.csrs.set('stvec', stvec);
  vm.hart.mode = mode;
  return vm;
}

/** What the virtual hart does by the manual's rules, of the supervisor's timer alone. */
function injectByRule(vm: Vm): void {
  const cause = vm.hart.interruptToTake();
  if (cause === Cause.SupervisorTimerInterrupt) vm.reflect({ cause, tval: 0 });
}

function stateText({ mode, pending, enabled, status }: InjectCase): string {
  const is = (mask: number, bits: number) => ((mask & bits) !== 0 ? 'set' : 'clear');
  return `The guest is in virtual ${Mode[mode]}; sip.STIP is ${is(pending, TIMER)}, sie.STIE ${is(enabled, TIMER)}, sstatus.SIE ${is(status, SIE)}.`;
}

const inject: Exercise<Inject> = {
  id: '04-inject',
  title: 'deliver a virtual interrupt',
  passed: 'The guest is interrupted when it allows it, and only then, in 107 states.',
  hints: [
    'Three things must be true: an interrupt is there, the guest wants interrupts of that kind, and it allows interrupts now.',
    'sip and sie have the timer’s bit at the same place. What of `sstatus.SIE` while the guest is in user mode? The manual: in U mode, interrupts for S mode are always enabled.',
    'If `sip & sie` has bit 5, and the mode is U or sstatus has SIE (bit 1): `vm.reflect({ cause: Cause.SupervisorTimerInterrupt, tval: 0 })`. Otherwise leave everything as it is: pending stays pending.',
  ],
  test(solution) {
    let isUntouched = true;
    let first: Failure | undefined;
    for (const theCase of injectCases()) {
      const [wanted, found] = [vmIn(theCase), vmIn(theCase)];
      const start = hartState(found.hart);
      injectByRule(wanted);
      inCase(stateText(theCase), () => solution(found));
      const after = hartState(found.hart);
      if (differences(start, after).length > 0 || found.guest.traps > 0) isUntouched = false;
      const wrong = differences(hartState(wanted.hart), after);
      if (wrong.length === 0) continue;
      const must = differences(start, hartState(wanted.hart)).length > 0;
      const message = `${stateText(theCase)} ${must ? 'It must be interrupted.' : 'It must not be interrupted; the interrupt stays pending.'}`;
      first ??= { message, table: placesTable(wrong) };
      if (!isUntouched) break;
    }
    if (first === undefined || !isUntouched) return first;
    return {
      ...first,
      untouched: true,
      message: `Your function changes nothing yet. For one: ${first.message}`,
    };
  },
};

// ------------------------------------------------------------------------------- 04-interrupts

const MOST_INSTRUCTIONS = 1_000_000;

/** A guest whose supervisor timer interrupts nobody delivers but the learner, after each exit. */
class Delivery {
  failure: Failure | undefined;
  hasActed = false;
  private exits = 0;
  readonly hypervisor: TrapAndEmulate;

  constructor(
    image: Loadable,
    private readonly inject: Inject,
  ) {
    const layout = { ...LAYOUTS.user, defers: (cause: Cause) => cause === Cause.SupervisorTimerInterrupt };
    this.hypervisor = new TrapAndEmulate(createMachine({ ram: 16 * MiB }), {
      layout,
      offerAgain: 1, // the firmware may make it pending after we were asked: ask again at once
      dispatch: (vm, trap) => {
        dispatch(vm, trap);
        this.ask(vm);
      },
    });
    this.hypervisor.boot(image);
  }

  private ask(vm: Vm): void {
    this.exits++;
    const must = vm.hart.interruptToTake() === Cause.SupervisorTimerInterrupt;
    const before = hartState(vm.hart);
    const { hart } = vm;
    const at = `At exit ${this.exits.toLocaleString('en-GB')}, after ${hart.instret.toLocaleString('en-GB')} instructions, the guest is in virtual ${Mode[before.mode]}`;
    inCase(`${at}.`, () => this.inject(vm));
    const after = hartState(hart);
    this.hasActed ||= differences(before, after).length > 0;
    const wrong = differences(must ? interrupted(after) : before, after);
    if (wrong.length === 0 || this.failure !== undefined) return;
    const what = must
      ? 'with its timer interrupt pending and allowed, and is not interrupted as it should be.'
      : 'and is interrupted, though it has no interrupt pending, or does not allow it.';
    this.failure = { message: `${at}, ${what}`, table: placesTable(wrong) };
    vm.machine.stopped = { reason: 'host', message: 'The check has seen enough.' };
    vm.guest.stopped = vm.machine.stopped;
  }
}

/** What a state must have been made, if it was interrupted. (These guests' vectors are direct.) */
const interrupted = (after: HartState): HartState => ({
  ...after,
  mode: Mode.S,
  scause: Cause.SupervisorTimerInterrupt | 0,
  pc: after.stvec & ~3,
});

const interrupts: Exercise<Inject> = {
  id: '04-interrupts',
  title: 'a guest that lives by its timer',
  passed: 'Two guests have run with no interrupts but those that you delivered, each at the right moment.',
  hints: [
    'The exit that goes wrong is named above. Does your function pass its own check?',
    'It is asked after every exit, not only after timer interrupts: an interrupt that was pending becomes deliverable when the guest turns interrupts on, or returns to user mode.',
    'So three things decide: whether it is pending and enabled by itself, which mode the guest believes to be in, and, in supervisor mode only, the guest’s own SIE.',
  ],
  test(solution) {
    const guests = {
      syscalls: guest('syscalls'),
      'nano-os': guest('nano-os', { FORKS: 1, WORK: 300, CALLS: 2 }),
    };
    for (const [name, image] of Object.entries(guests)) {
      const reference = new Delivery(image, injectByRule);
      reference.hypervisor.run({ instructions: MOST_INSTRUCTIONS });
      const trial = new Delivery(image, solution);
      const { last } = runInStrides(trial.hypervisor, MOST_INSTRUCTIONS, () => trial.failure !== undefined);
      const { failure, hasActed } = trial;
      if (failure !== undefined) {
        const message = `${name}: ${failure.message}`;
        if (!hasActed) return { untouched: true, message };
        const again = new Delivery(image, solution);
        const title = `${name}, up to the wrong interrupt`;
        const run = recordStride(again.hypervisor, last, title, () => again.failure !== undefined);
        return { ...failure, message, ...run };
      }
      if (trial.hypervisor.vm.console !== reference.hypervisor.vm.console)
        return {
          message: `${name} printed ${JSON.stringify(trial.hypervisor.vm.console.slice(-80))}; it should print ${JSON.stringify(reference.hypervisor.vm.console.slice(-80))}.`,
        };
    }
    return undefined;
  },
};

defineExercises(timer, inject, interrupts);
