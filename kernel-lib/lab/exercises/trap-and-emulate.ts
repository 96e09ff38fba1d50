/**
 * The exercises of lesson 03: the four parts of a hypervisor that traps and emulates, and all of
 * them together.
 *
 * Each part is compared with the reference on virtual harts in many states: first on simple cases
 * in an order that teaches, then on random ones. `03-vmm` runs a guest under the learner's
 * hypervisor and compares exit by exit with ours.
 */
import { hex } from '../../bits';
import type { Instruction } from '../../code/decode';
import { decode } from '../../code/decode';
import { encode, rowByName } from '../../code/encode';
import { createMachine } from '../../engine/create';
import { execute } from '../../engine/reference';
import { guest } from '../../guests/guests';
import { dispatch as referenceDispatch, TrapAndEmulate } from '../../hypervisor/trap-and-emulate';
import { type ExitHandler, Vm } from '../../hypervisor/vm';
import { Cause, causeName } from '../../isa/causes';
import { csrNumber } from '../../isa/csrs';
import { ABI_NAMES, Mode, registerNumber } from '../../isa/registers';
import { RAM_BASE } from '../../machine/machine';
import { Firmware } from '../../machine/sbi';
import type { Trap } from '../../machine/trap';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { differences, type HartState, hartState } from '../hart-state';
import { randomNumbers } from '../random';
import { placesTable } from './places-table';
import { toldText } from './told';

/** A virtual hart to try a function on, and what is to happen there. */
interface Case {
  /** What the guest does, in words: `csrrw a0, sscratch, a1`. */
  does: string;
  mode: Mode;
  word: number;
  /** Values that registers and CSRs have before. */
  before: Record<string, number>;
  trap: Trap;
}

const RANDOM_CASES = 200;
const WORD = (name: string, operands: Record<string, number>) => {
  const row = rowByName(name);
  if (row === undefined) throw new Error(`No row ${name}`);
  return encode(row, operands);
};

/** A guest in the state that a case says, on a board of its own. */
function vmOf({ mode, word, before }: Case): Vm {
  const vm = new Vm(createMachine({ ram: 4096 }), 'exercise', () => {});
  new Firmware(vm.guest).boot({ segments: [], entry: RAM_BASE });
  vm.guest.ram.write(4, RAM_BASE, word);
  vm.hart.mode = mode;
  for (const [place, value] of Object.entries(before)) {
    const number = registerNumber(place);
    if (number !== undefined) vm.hart.x[number] = value;
    else vm.hart.csrs.set(place, value);
  }
  return vm;
}

/** Compares what two ways to answer a case leave behind. */
function compare(
  cases: Iterable<Case>,
  reference: (vm: Vm, theCase: Case) => void,
  solution: (vm: Vm, theCase: Case) => void,
): Failure | undefined {
  let isOpen = true; // until a case is right
  for (const theCase of cases) {
    const wanted = vmOf(theCase);
    const found = vmOf(theCase);
    const start = hartState(found.hart);
    reference(wanted, theCase);
    inCase(caseText(theCase), () => solution(found, theCase));
    const after = hartState(found.hart);
    const wrong = differences(hartState(wanted.hart), after);
    isOpen &&= wrong.length > 0;
    if (wrong.length === 0) continue;
    return failureOf(theCase, wrong, isOpen && differences(start, after).length === 0);
  }
  return undefined;
}

function caseText({ mode, before, does }: Case): string {
  const given = Object.entries(before).map(([place, value]) => `${place} = ${hex(value)}`);
  const setting = given.length > 0 ? ` with ${given.join(', ')}` : '';
  return `The guest, in virtual ${Mode[mode]} at pc ${hex(RAM_BASE)}${setting}, ${does}.`;
}

function failureOf(theCase: Case, wrong: ReturnType<typeof differences>, untouched: boolean): Failure {
  const where = caseText(theCase);
  return {
    message: untouched ? `Your function changes nothing yet. For one: ${where}` : where,
    untouched,
    table: placesTable(wrong),
  };
}

// ------------------------------------------------------------------------------ 03-emulate-csr

const A0 = registerNumber('a0')!;
const A1 = registerNumber('a1')!;
const ILLEGAL: Trap = { cause: Cause.IllegalInstruction, tval: 0 };
const SHOWN = ['sscratch', 'sepc', 'scause', 'stval', 'stvec', 'sstatus', 'sie'];

function csrCase(
  name: string,
  csr: string,
  rd: number,
  source: number,
  before: Record<string, number>,
): Case {
  const immediate = name.endsWith('i');
  const word = WORD(name, { rd, csr: csrNumber(csr), ...(immediate ? { imm: source } : { rs1: source }) });
  const text = `${name} ${ABI_NAMES[rd]}, ${csr}, ${immediate ? source : ABI_NAMES[source]}`;
  return { does: `executes \`${text}\``, mode: Mode.S, word, before, trap: { ...ILLEGAL, tval: word } };
}

function* csrCases(): Generator<Case> {
  yield csrCase('csrrs', 'sscratch', A0, 0, { sscratch: 0x1234 });
  yield csrCase('csrrw', 'sscratch', 0, A1, { a1: 0x5678 });
  yield csrCase('csrrw', 'sscratch', A0, A1, { sscratch: 0x1234, a1: 0x5678 });
  yield csrCase('csrrw', 'sscratch', A0, A0, { sscratch: 0x1234, a0: 0x5678 });
  yield csrCase('csrrs', 'sstatus', 0, A1, { sstatus: 0x100, a1: 0x2 });
  yield csrCase('csrrc', 'sstatus', A0, A1, { sstatus: 0x122, a1: 0x2 });
  yield csrCase('csrrc', 'sie', A0, A0, { sie: 0x222, a0: 0x20 });
  yield csrCase('csrrsi', 'sstatus', 0, 2, {});
  yield csrCase('csrrci', 'sstatus', A0, 2, { sstatus: 0x122 });
  yield csrCase('csrrwi', 'sie', A0, 0, { sie: 0x222 });
  const random = randomNumbers(3);
  const names = ['csrrw', 'csrrs', 'csrrc', 'csrrwi', 'csrrsi', 'csrrci'];
  for (let n = 0; n < RANDOM_CASES; n++) {
    const csr = random.pick(SHOWN);
    const rd = random.below(32);
    const source = random.below(32);
    const before: Record<string, number> = { [csr]: random.word() };
    for (const register of [rd, source]) if (register !== 0) before[ABI_NAMES[register]] = random.word();
    yield csrCase(random.pick(names), csr, rd, source, before);
  }
}

const emulateCsr: Exercise<(vm: Vm, instruction: Instruction) => void> = {
  id: '03-emulate-csr',
  title: 'emulate a CSR instruction',
  passed: `All six CSR instructions do to the virtual hart what they do to a real one, in ${RANDOM_CASES + 10} states.`,
  hints: [
    'Three things change: the CSR, register rd, and pc. In which order must you read and write them if rd and rs1 are the same register?',
    'The name says what is written: csrrw the operand itself, csrrs the old value with the operand’s bits set, csrrc with them cleared. With an i at the end, the operand is `instruction.imm` instead of register rs1.',
    'Read the old value with `vm.csr(instruction.csr)` and take the operand before you write anything. x0 must stay 0: skip the write to rd if it is 0. Then go on after the instruction: the guest’s pc plus 4.',
  ],
  test: (solution) =>
    compare(
      csrCases(),
      (vm, { word }) => execute(vm.hart, decode(word)!),
      (vm, { word }) => solution(vm, decode(word)!),
    ),
};

// ---------------------------------------------------------------------------------- 03-reflect

function trapCase(mode: Mode, cause: Cause, tval: number, before: Record<string, number>): Case {
  const does = `must take the trap "${causeName(cause)}" (stval ${hex(tval)})`;
  return { does, mode, word: WORD('ecall', {}), before, trap: { cause, tval } };
}

function* trapCases(): Generator<Case> {
  const stvec = RAM_BASE + 0x100;
  yield trapCase(Mode.U, Cause.EcallFromU, 0, { stvec });
  yield trapCase(Mode.U, Cause.EcallFromU, 0, { stvec, sstatus: 0x2 });
  yield trapCase(Mode.U, Cause.IllegalInstruction, 0x1234, { stvec, sstatus: 0x20 });
  yield trapCase(Mode.S, Cause.Breakpoint, RAM_BASE, { stvec });
  yield trapCase(Mode.S, Cause.LoadAccessFault, 0x40, { stvec, sstatus: 0x2 });
  const random = randomNumbers(5);
  const causes = [
    Cause.InstructionAddressMisaligned,
    Cause.IllegalInstruction,
    Cause.Breakpoint,
    Cause.LoadAccessFault,
    Cause.StoreAccessFault,
    Cause.EcallFromU,
  ];
  for (let n = 0; n < RANDOM_CASES; n++) {
    const mode = random.pick([Mode.U, Mode.S]);
    const before = { stvec: RAM_BASE + 4 * random.below(1024), sstatus: random.word(), sepc: random.word() };
    yield trapCase(mode, random.pick(causes), random.word(), before);
  }
}

const reflect: Exercise<(vm: Vm, trap: Trap) => void> = {
  id: '03-reflect',
  title: 'reflect a trap into the guest',
  passed: `The virtual hart enters the guest’s trap handler as a real hart does, in ${RANDOM_CASES + 5} states.`,
  hints: [
    'You are the hardware now. What does a hart do by itself when it traps into S mode, before the handler’s first instruction runs? Three CSRs are written outright, one has three of its bits changed.',
    'sepc, scause and stval take pc, the cause and the value. In sstatus: SPP becomes the mode that the guest was in, SPIE becomes what SIE was, SIE becomes 0. Bits 8, 5 and 1.',
    'At last the guest’s mode becomes supervisor, and its pc the address in stvec. Clear the three bits of sstatus first, then set those that must be 1.',
  ],
  test: (solution) =>
    compare(
      trapCases(),
      (vm, { trap }) => vm.hart.enterTrap(Mode.S, trap),
      (vm, { trap }) => solution(vm, trap),
    ),
};

// ------------------------------------------------------------------------------------- 03-sret

function sretCase(before: Record<string, number>): Case {
  const word = WORD('sret', {});
  return { does: 'executes `sret`', mode: Mode.S, word, before, trap: { ...ILLEGAL, tval: word } };
}

function* sretCases(): Generator<Case> {
  const sepc = RAM_BASE + 0x200;
  yield sretCase({ sepc });
  yield sretCase({ sepc, sstatus: 0x100 });
  yield sretCase({ sepc, sstatus: 0x20 });
  yield sretCase({ sepc, sstatus: 0x122 });
  const random = randomNumbers(7);
  for (let n = 0; n < RANDOM_CASES; n++) yield sretCase({ sepc: random.word(), sstatus: random.word() });
}

const emulateSret: Exercise<(vm: Vm) => void> = {
  id: '03-sret',
  title: 'emulate sret',
  passed: `Your sret undoes a trap as the real one does, in ${RANDOM_CASES + 4} states.`,
  hints: [
    'sret is the trap backwards: the mode comes from one bit of sstatus, interrupts come back on from another, and pc from a CSR.',
    'Mode: SPP (bit 8), 1 for supervisor. SIE (bit 1) becomes what SPIE (bit 5) was. And then the stack is emptied: SPP becomes 0, SPIE becomes 1.',
    'Sample sstatus once. Compute the new value: clear SIE, SPIE and SPP, set SPIE, set SIE if SPIE was set. Write it, set `vm.hart.mode` by the old SPP, and `vm.hart.pc` to sepc.',
  ],
  test: (solution) =>
    compare(
      sretCases(),
      (vm, { word }) => execute(vm.hart, decode(word)!),
      (vm) => solution(vm),
    ),
};

// --------------------------------------------------------------------------------- 03-dispatch

/** What a hypervisor can decide about an exit. */
export type Decision = 'emulate' | 'reflect' | 'firmware' | 'timer';

interface ExitCase {
  mode: Mode;
  cause: Cause;
  instruction: Instruction | undefined;
  wanted: Decision;
}

/** Every combination that can occur, with the decision that the virtual hart itself makes. */
function* exitCases(): Generator<ExitCase> {
  const privileged = ['csrrw', 'csrrs', 'sret', 'wfi'];
  for (const mode of [Mode.S, Mode.U]) {
    for (const name of privileged) {
      yield exitCase(
        mode,
        Cause.IllegalInstruction,
        name === 'csrrw' || name === 'csrrs'
          ? WORD(name, { rd: A0, rs1: A1, csr: csrNumber('sscratch') })
          : WORD(name, {}),
      );
    }
    yield exitCase(mode, Cause.EcallFromU, WORD('ecall', {}));
    yield exitCase(mode, Cause.StoreAccessFault, WORD('sb', { rs1: A0, rs2: A1 }));
    yield exitCase(mode, Cause.LoadAccessFault, WORD('lbu', { rd: A1, rs1: A0 }));
    yield exitCase(mode, Cause.Breakpoint, WORD('ebreak', {}));
    yield exitCase(mode, Cause.IllegalInstruction, 0);
    yield { mode, cause: Cause.MachineTimerInterrupt, instruction: undefined, wanted: 'timer' };
  }
}

/** UART: an address at which the guest's board has a device and the real one lets nobody in. */
const DEVICE = 0x1000_0000;

function exitCase(mode: Mode, cause: Cause, word: number): ExitCase {
  const instruction = decode(word);
  const vm = vmOf({ does: '', mode, word, before: { a0: DEVICE }, trap: { cause, tval: 0 } });
  if (instruction === undefined) return { mode, cause, instruction, wanted: 'reflect' };
  execute(vm.hart, instruction);
  const raised = vm.hart.takeRaised();
  const wanted =
    raised === undefined ? 'emulate' : vm.hart.trapTarget(raised.cause) === Mode.M ? 'firmware' : 'reflect';
  return { mode, cause, instruction, wanted };
}

const dispatch: Exercise<(mode: Mode, cause: Cause, instruction: Instruction | undefined) => Decision> = {
  id: '03-dispatch',
  title: 'decide whose trap it is',
  passed: 'Each trap goes where it belongs: to you, to the guest’s kernel, or to the firmware below it.',
  hints: [
    'Ask what a real machine would do if it were in the mode that the guest believes to be in. Would the instruction have been allowed?',
    'A privileged instruction of the guest’s kernel is yours to emulate; the same instruction of a guest’s process is the guest kernel’s to judge. An ecall of the kernel is a call to the firmware; an ecall of a process is a system call of the guest.',
    'Access faults are emulated: there may be a virtual device at the address. The machine timer interrupt is "timer". What isn’t an instruction at all, and every other cause, is reflected.',
  ],
  test(solution) {
    let isOpen = true; // until an answer is right
    for (const { mode, cause, instruction, wanted } of exitCases()) {
      const what = instruction === undefined ? '' : ` at \`${instruction.row.name}\``;
      const where = `guest is in virtual ${Mode[mode]}, and the trap is "${causeName(cause)}"${what}`;
      const found = inCase(`The ${where}.`, () => solution(mode, cause, instruction));
      isOpen &&= found !== wanted;
      if (found === wanted) continue;
      const untouched = isOpen && found === undefined;
      return {
        message: `${untouched ? 'Your function decides nothing yet. For one: the' : 'The'} ${where}: that is a case for ${toldText(wanted)}, and your answer is ${found === undefined ? 'nothing' : toldText(found)}.`,
        untouched,
      };
    }
    return undefined;
  },
};

// -------------------------------------------------------------------------------------- 03-vmm

/** Exits until a hypervisor that answers wrongly is stopped. */
const MOST_INSTRUCTIONS = 100_000;

interface ExitRecord {
  at: string;
  before: HartState;
  after: HartState;
}

/** Runs the guest and keeps, after each exit, what the virtual hart is. */
function record(
  handler: ExitHandler,
  stopAt: (record: ExitRecord, n: number) => boolean,
): { records: ExitRecord[]; console: string } {
  const records: ExitRecord[] = [];
  const hypervisor = new TrapAndEmulate(createMachine(), {
    dispatch(vm, trap) {
      const word = vm.hart.peekInstruction();
      const name = word === undefined ? 'nothing to fetch' : (decode(word)?.row.name ?? 'no instruction');
      const at = `exit ${records.length + 1} (${causeName(trap.cause)}, ${name} at ${hex(vm.hart.pc)}, instruction ${vm.hart.instret.toLocaleString('en-GB')})`;
      const before = hartState(vm.hart);
      // What a handler charges would move the timer interrupts: here, it takes no time.
      vm.machine.clock.paused = true;
      inCase(`At ${at}.`, () => handler(vm, trap));
      vm.machine.clock.paused = false;
      const entry = { at, before, after: hartState(vm.hart) };
      records.push(entry);
      if (stopAt(entry, records.length - 1)) {
        vm.machine.stopped = { reason: 'host', message: 'The check has seen enough.' };
        vm.guest.stopped = vm.machine.stopped;
      }
    },
  });
  hypervisor.boot(guest('syscalls'));
  hypervisor.run({ instructions: MOST_INSTRUCTIONS });
  return { records, console: hypervisor.vm.console };
}

const vmm: Exercise<ExitHandler> = {
  id: '03-vmm',
  title: 'a whole hypervisor',
  passed:
    'The guest boots, runs its process, takes its timer interrupts and stops, and after every exit its hart is what it should be.',
  hints: [
    'The first exit that goes wrong is named above: look at the instruction there, and at which of your four functions answers it.',
    'If a single part is wrong, its own check shows a smaller case.',
    'If all parts are right, look at what connects them: each exit has one answer, and one that you leave out (a device, wfi, a call to the firmware) is the library’s emulate.',
  ],
  test(solution) {
    const reference = record(referenceDispatch, () => false);
    let failure: Failure | undefined;
    const found = record(solution, (entry, n) => {
      const wanted = reference.records[n];
      const wrong = wanted === undefined ? [] : differences(wanted.after, entry.after);
      if (wanted !== undefined && wrong.length === 0) return false;
      failure = {
        untouched: n === 0 && differences(entry.before, entry.after).length === 0,
        message:
          wanted === undefined
            ? `The guest should have stopped before ${entry.at}.`
            : `At ${entry.at}, the virtual hart goes astray.`,
        table: placesTable(wrong),
      };
      return true;
    });
    if (failure !== undefined) return failure;
    if (found.console === reference.console) return undefined;
    return {
      message: `The guest printed ${JSON.stringify(found.console)}; it should print ${JSON.stringify(reference.console)}.`,
    };
  },
};

defineExercises(emulateCsr, reflect, emulateSret, dispatch, vmm);
