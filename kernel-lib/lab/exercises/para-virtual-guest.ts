/**
 * The exercises of lesson 11 on the guest's side: critical sections without an exit, and a port.
 *
 * What the learner gives is assembly; it is run on the machine. The
 * hypervisor is `Paravirtual`, the original that a port is compared with runs on the bare machine.
 * Read `para-virtualization.ts` first, the hypervisor's side; calls for page tables are in `batched-updates.ts`.
 */
import { hex } from '../../bits';
import { assemble } from '../../code/assemble';
import type { Program } from '../../code/program';
import { createMachine } from '../../engine/create';
import { guest, guestSource } from '../../guests/guests';
import { compareSources } from '../../guests/port';
import { abiSource, Hypercall } from '../../hypervisor/paravirtual/abi';
import { Paravirtual } from '../../hypervisor/paravirtual/paravirtual';
import type { Report } from '../../hypervisor/vm';
import { Cause, causeName } from '../../isa/causes';
import { ABI_NAMES, registerNumber } from '../../isa/registers';
import { MiB } from '../../machine/machine';
import { Firmware } from '../../machine/sbi';
import { defineExercises, type Exercise, type Failure } from '../check';
import { randomNumbers } from '../random';
import { type Recording, record } from '../timeline/record';
import { assemblerSays } from './assembler-says';
import { told } from './told';

const RAM = 8 * MiB;

/** A program, or what is wrong with its text. */
function assembled(text: string, file: string): Program | Failure {
  try {
    return assemble(text, { file });
  } catch (error) {
    return assemblerSays('Your text does not assemble.', error);
  }
}

const isProgram = (made: Program | Failure): made is Program => 'segments' in made;

function ported(program: Program): Paravirtual {
  const hypervisor = new Paravirtual(createMachine({ ram: RAM }));
  hypervisor.boot(program);
  return hypervisor;
}

/** The value of a place of a recording after each step, from the first. */
function* valuesOf({ places, start, steps }: Recording, name: string): Generator<number> {
  const place = places.indexOf(name);
  let value = start[place];
  for (const { changes } of steps) {
    value = changes.find(([changed]) => changed === place)?.[1] ?? value;
    yield value;
  }
}

// ----------------------------------------------------------------------------- 11-status-word

/** The text of the two macros. */
export interface CriticalSection {
  off: string;
  on: string;
}

const SECTIONS = 40;
/** How many paces of the timer are tried. */
const PACES = 25;
const MOST_INSTRUCTIONS = 60_000;

/** A kernel that counts its timer's ticks: all of them (s2), those within a section (s3), those that wait though they need not (s8). s10: how often interrupts stayed off. */
const sections = ({ off, on }: CriticalSection, period: number, inside: number) => `${abiSource()}
        .macro interrupts_off
${off}
        .endm
        .macro interrupts_on
${on}
        .endm
_start: li   sp, 0x80500000
        li   a7, EXTENSION
        ecall
        la   t0, tick
        sw   t0, V_TVEC(zero)
        li   a0, 0x20
        hypercall CALL_ENABLE
        li   a0, ${period}
        call set_timer
        li   s0, ${SECTIONS}
loop:   interrupts_off
        li   s1, 1                      # in the section
        li   t0, ${inside}
1:      addi t0, t0, -1
        bnez t0, 1b
        li   s1, 0                      # out of it
        interrupts_on
after:  lw   t0, V_PENDING(zero)
        li   t1, 12                     # the hypervisor may be about to deliver it: the timer counts tens of cycles
1:      addi t1, t1, -1
        bnez t1, 1b
        lw   t1, V_PENDING(zero)
        and  t0, t0, t1
        add  s8, s8, t0
        lw   t0, V_ENABLED(zero)
        seqz t0, t0
        add  s10, s10, t0
        addi s0, s0, -1
        bnez s0, loop
        li   a0, 0
        hypercall CALL_STOP
        .align 2
tick:   sw   t0, V_SCRATCH(zero)
        add  s3, s3, s1
        addi s2, s2, 1
        mv   s4, a0
        mv   s5, a1
        mv   s6, a6
        mv   s7, a7
        mv   s9, ra
        li   a0, ${period}
        call set_timer
        mv   a0, s4
        mv   a1, s5
        mv   a6, s6
        mv   a7, s7
        mv   ra, s9
        li   t0, CALL_RETURN
        sw   t0, V_CALL(zero)
        lw   t0, V_SCRATCH(zero)
        ecall
set_timer:                              # in a0 ticks
        rdtime a1
        add  a0, a0, a1
        li   a1, 0
        li   a6, 0
        li   a7, 0x54494d45
        ecall
        ret
`;

const statusWord: Exercise<() => CriticalSection> = {
  id: '11-status-word',
  title: 'turn interrupts off without telling anybody',
  passed: `No tick in any of the sections, none forgotten after one, and not an exit more than it takes: ${SECTIONS} sections, at ${PACES} paces of the timer.`,
  hints: [
    '`off` is one instruction: it makes a word zero. Which word does the hypervisor look at before it delivers?',
    '`on` makes that word not zero. But an interrupt may have come in the meantime: then the word `V_PENDING` is not zero, and you must ask for it with a hypercall.',
    'Set the word first, look at `V_PENDING` afterwards; the other way round, an interrupt can slip in between. Load V_PENDING into `t6`, skip with `beqz`, and call `CALL_DELIVER` in between. Use a numeric label (`1: … beqz t6, 1f`).',
  ],
  test(solution) {
    const given: unknown = solution();
    if (given === undefined) return { message: 'Your function gives nothing yet.', untouched: true };
    if (!isSection(given))
      return { message: `Give the texts of both macros, { off: '…', on: '…' }; you gave ${told(given)}.` };
    if (given.off.trim() === '' && given.on.trim() === '')
      return {
        message: 'Both of your macros are empty: the timer ticks within the sections.',
        untouched: true,
      };
    const spoilt = spoiltRegister(given);
    if (spoilt !== undefined) return spoilt;
    const random = randomNumbers(13);
    for (let n = 0; n < PACES; n++) {
      const [period, inside] = n === 0 ? [300, 300] : [150 + random.below(400), 1 + random.below(500)];
      const failure = sectionFailure(given, period, inside);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

const isSection = (given: unknown): given is CriticalSection =>
  typeof given === 'object' &&
  given !== null &&
  'off' in given &&
  'on' in given &&
  typeof given.off === 'string' &&
  typeof given.on === 'string';

/** The macros must leave all registers but t6 as they were. */
function spoiltRegister({ off, on }: CriticalSection): Failure | undefined {
  const kept = ABI_NAMES.map((_, n) => n).filter((n) => n !== 0 && n !== registerNumber('t6'));
  const program = assembled(
    `${abiSource()}
_start: li a7, EXTENSION
        ecall
${kept.map((n) => `        li x${n}, ${1000 + n}`).join('\n')}
${off}
${on}
end:    j end
`,
    'macros.s',
  );
  if (!isProgram(program)) return program;
  const hypervisor = ported(program);
  hypervisor.run({ instructions: 200 });
  const { x, pc } = hypervisor.vm.hart;
  if (pc >>> 0 !== program.symbols.get('end'))
    return {
      message: `With nothing to deliver, your macros should simply come to their end; the guest is at ${hex(pc)} instead.`,
    };
  const wrong = kept.find((n) => x[n] !== 1000 + n);
  if (wrong === undefined) return undefined;
  return {
    message: `Your macros change ${ABI_NAMES[wrong]}, in which the kernel may have something. Use t6, which is kept free for this.`,
  };
}

function sectionFailure(macros: CriticalSection, period: number, inside: number): Failure | undefined {
  const program = assembled(sections(macros, period, inside), 'sections.s');
  if (!isProgram(program)) return program;
  const hypervisor = ported(program);
  const end = hypervisor.run({ instructions: MOST_INSTRUCTIONS });
  const { x } = hypervisor.vm.hart;
  const [ticks, within, late, stayedOff] = ['s2', 's3', 's8', 's10'].map((name) => x[registerNumber(name)!]);
  const timer = `The timer rings every ${10 * period} cycles, a section lasts about ${2 * inside} instructions.`;
  const told = (message: string, place: string): Failure => ({
    message: `${timer} ${message}`,
    ...stepOf(program, place),
  });
  const trapped = exitsBy(hypervisor.report(), Cause.IllegalInstruction);
  if (trapped > 0) return told(`An instruction of yours is privileged: ${trapped} exits for it.`, 'trap');
  if (within > 0) return told(`${within} of ${ticks} ticks came within a section.`, 's3');
  if (end.reason !== 'finished') return told(`The guest did not come to its end: ${end.message}`, '');
  if (stayedOff > 0) return told(`After ${stayedOff} of ${SECTIONS} sections interrupts stay off.`, 's10');
  if (late > 0)
    return told(
      `After ${late} of ${SECTIONS} sections a tick was still waiting, with interrupts on: nobody told the hypervisor.`,
      's8',
    );
  const calls = hypervisor.calls.get(Hypercall.Deliver) ?? 0;
  if (calls > ticks)
    return told(`${calls} calls for ${ticks} ticks: most of them had nothing to deliver.`, '');
  return undefined;
}

const exitsBy = (report: Report, cause: Cause) =>
  report.exits.filter((exit) => exit.cause === cause).reduce((sum, exit) => sum + exit.count, 0);

/** The run, opened where a place first stops being zero, or where an instruction is refused. */
function stepOf(program: Program, place: string): Pick<Failure, 'run' | 'at'> {
  if (place === '') return {};
  const run = record(ported(program), { symbols: program.labels, steps: 4000 });
  const isIt =
    place === 'trap'
      ? run.steps.map(({ trap }) => trap === causeName(Cause.IllegalInstruction))
      : [...valuesOf(run, place)].map((value) => value !== 0);
  const at = isIt.indexOf(true);
  return at < 0 ? {} : { run, at: at + 1 };
}

// ------------------------------------------------------------------------------------ 11-port

const MOST_CALLS = 4;
const ENOUGH = 20_000;

const port: Exercise<() => string> = {
  id: '11-port',
  title: 'port a guest',
  passed: 'It prints the same, and the hypervisor hears of it three times: hello, this text, good-bye.',
  hints: [
    'Begin with the first exit that the message names, and replace what causes it. Which of the calls in `abi.ts` does what that instruction was for?',
    'The page comes first: `li a7, EXTENSION` and `ecall`, before anything else. Then `stvec` is a store to `V_TVEC`; `sie` is 0 anyway when a guest starts. `print` becomes one `CALL_CONSOLE` with address and length, the end `CALL_STOP` with code 0.',
    '`source.replace(/csrw +stvec, t0/, …)` and the like. For the length, put a label behind the text: `message_end`, and `li a1, message_end - message`.',
  ],
  test(solution) {
    const given: unknown = solution();
    const original = guestSource('hello');
    if (given === undefined) return { message: 'Your function gives nothing yet.', untouched: true };
    if (typeof given !== 'string')
      return { message: `Give the source of the port, a text; you gave ${told(given)}.` };
    if (compareSources(original, given.replace(abiSource(), '')).added === 0)
      return {
        message: 'Your port is still the original, which traps at every access to a device.',
        untouched: true,
      };
    const program = assembled(given, 'hello.para.s');
    return isProgram(program) ? portFailure(program) : program;
  },
};

function portFailure(program: Program): Failure | undefined {
  const bare = createMachine({ ram: RAM });
  new Firmware(bare).boot(guest('hello'));
  bare.run();
  const hypervisor = ported(program);
  const end = hypervisor.run({ instructions: ENOUGH });
  const run = () => record(ported(program), { symbols: program.labels, steps: 400 });
  const refused = firstTrap(run(), program);
  if (refused !== undefined) return refused;
  const { console: printed } = hypervisor.vm;
  if (printed !== bare.console)
    return {
      message: `The port prints ${JSON.stringify(printed)}; the original prints ${JSON.stringify(bare.console)}.`,
      run: run(),
    };
  if (end.reason !== 'finished' || end.code !== 0)
    return {
      message: `The port prints what it should, but does not stop the machine with code 0: ${end.message}`,
      run: run(),
    };
  const calls = exitsBy(hypervisor.report(), Cause.EcallFromU);
  if (calls <= MOST_CALLS) return undefined;
  return { message: `The port does all by calls, but by ${calls} of them. How many can be one?`, run: run() };
}

/** The first instruction that is refused: a privileged one, or one that goes to a device. */
function firstTrap(run: Recording, { lines }: Program): Failure | undefined {
  const at = run.steps.findIndex((step, n) => step.trap !== '' && isRefused(run, n));
  if (at < 0) return undefined;
  const { pc, text, trap } = run.steps[at];
  const line = lines.get(pc >>> 0)?.line;
  const place = line === undefined ? '' : `, line ${line} of your text,`;
  return { message: `\`${text.trim()}\` at ${hex(pc)}${place} still traps: ${trap}.`, run, at: at + 1 };
}

const REFUSED = [Cause.IllegalInstruction, Cause.LoadAccessFault, Cause.StoreAccessFault].map(causeName);
const FAULTS = [Cause.LoadPageFault, Cause.StorePageFault].map(causeName);

/** A page fault is the hypervisor's own affair if the guest simply tries again afterwards. */
function isRefused({ steps }: Recording, n: number): boolean {
  if (REFUSED.includes(steps[n].trap)) return true;
  return FAULTS.includes(steps[n].trap) && steps[n + 2] !== undefined && steps[n + 2].pc !== steps[n].pc;
}

defineExercises(statusWord, port);
