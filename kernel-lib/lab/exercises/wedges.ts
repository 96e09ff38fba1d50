/**
 * The exercises of lesson 12 on the hypervisors' side: a wedge for a hypervisor that shares a page
 * with its guest, and the answer of another hypervisor, which is called, for the same binary.
 *
 * A replacement is judged by what it does: a guest of a few instructions runs on the bare machine, and
 * under the hypervisor with the learner's wedge in it; then the harts are compared. Read
 * `pre-virtualization-pass.ts` first.
 */
import { assemble } from '../../code/assemble';
import { decode, type Instruction } from '../../code/decode';
import { encode, rowByName } from '../../code/encode';
import type { Program } from '../../code/program';
import { createMachine } from '../../engine/create';
import { execute } from '../../engine/reference';
import { guest } from '../../guests/guests';
import { abiSource } from '../../hypervisor/paravirtual/abi';
import { previrtualize, SiteClass } from '../../hypervisor/pre-virtual/pass';
import { PreVirtual } from '../../hypervisor/pre-virtual/pre-virtual';
import type { Site } from '../../hypervisor/pre-virtual/wedge';
import { Vm } from '../../hypervisor/vm';
import { Mode } from '../../isa/registers';
import { MiB, RAM_BASE } from '../../machine/machine';
import { Firmware } from '../../machine/sbi';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { differences, hartState } from '../hart-state';
import { randomNumbers } from '../random';
import { assemblerSays } from './assembler-says';
import { placesTable } from './places-table';
import { told } from './told';

// ------------------------------------------------------------------------------------ 12-wedge

/** The assembly that does in place what an instruction does; undefined if that takes a call. */
type TextWedge = (instruction: Instruction) => readonly string[] | undefined;

const RAM = 8 * MiB;
/** Instructions that a usual pad has room for, with the original's own place. */
const ROOM = 5;

/** What has to be done in place, and what may be. */
const IN_PLACE = [
  'csrr a0, sepc',
  'csrr t0, scause',
  'csrr t6, stval',
  'csrr sp, sscratch',
  'csrw sepc, a1',
  'csrw sscratch, zero',
  'csrw sscratch, t6',
  'csrw scause, t0',
  'csrw stval, s0',
  'csrci sstatus, 2',
  'csrsi sstatus, 2',
];
const AS_YOU_LIKE = [
  'csrr zero, sepc',
  'csrrw a0, sscratch, a1',
  'csrrw sp, sscratch, sp',
  'csrrw t6, sscratch, t6',
  'csrrs a0, sepc, a1',
  'csrrc a0, stval, a1',
  'csrrwi a0, sscratch, 3',
  'csrwi sscratch, 0',
  'csrr a0, sstatus',
  'csrrci a0, sstatus, 2',
  'csrsi sstatus, 0',
  'csrw sstatus, a0',
  'csrr a0, satp',
  'csrr a0, stvec',
  'csrw sie, zero',
  'rdtime a0',
  'sfence.vma',
];

const REGISTERS = Array.from({ length: 31 }, (_, n) => n + 1);

/** A kernel that executes an instruction once, with something in all registers. */
function once(text: string, isOn: boolean): { program: Program; site: number } {
  const before = `_start: ${['sepc', 'scause', 'stval', 'sscratch'].map((csr, n) => `li t0, ${4 * (n + 5)}\n csrw ${csr}, t0`).join('\n ')}
 csrwi sstatus, ${isOn ? 2 : 0}
${REGISTERS.map((n) => ` li x${n}, ${n === 2 ? 0 : 0x1000 + 4 * n}`).join('\n')}
`;
  const source = `${before}here: ${text}\nend: j end\n`;
  const { source: marked } = previrtualize(source, {
    pads: { [SiteClass.Csr]: ROOM - 1, [SiteClass.Fence]: ROOM - 1 },
  });
  const program = assemble(marked);
  return { program, site: program.symbols.get('here')! };
}

const textWedge: Exercise<TextWedge> = {
  id: '12-wedge',
  title: 'a wedge for a hypervisor that shares a page',
  passed: `What your wedge puts in place does what the instruction did, in ${IN_PLACE.length + AS_YOU_LIKE.length} cases; and nano-os runs with it.`,
  hints: [
    "`instruction.csr` says which register it is: compare it with `csrNumber('sepc')` and so on. The row’s name says what is done: `csrr` is `csrrs` with rs1 = 0, `csrw` is `csrrw` with rd = 0. All else may be a call: undefined.",
    'A read becomes `lw xD, V_EPC(zero)`, a write `sw xS, V_EPC(zero)`, where D is `instruction.rd` and S is `instruction.rs1`. `csrci sstatus, 2` is `csrrci` with rd = 0 and imm = 2: a store of zero to `V_ENABLED`.',
    '`csrsi` needs a register that is not zero, and must give it back: `sw t6, V_SPARE(zero)`; `li t6, 1`; `sw t6, V_ENABLED(zero)`; `lw t6, V_SPARE(zero)`. Four instructions: the pad has room for five. Mind rd = 0 in csrrw and rs1 = 0 in csrrs: anything else is another instruction.',
  ],
  test(solution) {
    const texts = [...IN_PLACE, ...AS_YOU_LIKE];
    const all = texts.map((text) => inCase(`For \`${text}\`.`, () => solution(decodeText(text)) as unknown));
    if (all.every((given) => given === undefined))
      return {
        message: 'Your wedge makes a call of everything. For one: `csrr a0, sepc` could read the word V_EPC.',
        untouched: true,
      };
    for (const text of texts) {
      const failure = wedgeFailure(solution, text, IN_PLACE.includes(text));
      if (failure !== undefined) return failure;
    }
    return wholeFailure(solution);
  },
};

function decodeText(text: string): Instruction {
  const { segments } = assemble(text);
  const { bytes } = segments[0];
  return decode(new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true))!;
}

/** The words of a replacement; a Failure if it is none. */
function wordsOf(given: unknown, what: string): number[] | undefined | Failure {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || !given.every((line) => typeof line === 'string'))
    return {
      message: `For \`${what}\`, give a list of instructions as texts, or undefined for a call; you gave ${told(given)}.`,
    };
  try {
    const { segments } = assemble(`${abiSource()}\n${given.join('\n')}\n`, { file: 'replacement.s' });
    const { bytes } = segments[0] ?? { bytes: new Uint8Array() };
    if (segments.length > 1 || bytes.length % 4 !== 0)
      return { message: `For \`${what}\`, your replacement is more than instructions of 4 bytes.` };
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: bytes.length / 4 }, (_, n) => view.getInt32(4 * n, true));
  } catch (error) {
    return assemblerSays(`For \`${what}\`, your replacement does not assemble.`, error);
  }
}

const isFailure = (made: number[] | undefined | Failure): made is Failure =>
  made !== undefined && 'message' in made;

function wedgeFailure(solution: TextWedge, text: string, isRequired: boolean): Failure | undefined {
  const given: unknown = solution(decodeText(text));
  const words = wordsOf(given, text);
  if (isFailure(words)) return words;
  if (words === undefined)
    return isRequired
      ? { message: `Your wedge makes a call of \`${text}\`: what it wants is in the shared page.` }
      : undefined;
  const replacement =
    words.length === 0
      ? 'nothing at all'
      : (given as string[]).map((line) => `\`${line.trim()}\``).join(', ');
  const said = `\`${text}\` becomes ${replacement}.`;
  if (words.length > ROOM)
    return { message: `${said} These are ${words.length} instructions: a usual pad has room for ${ROOM}.` };
  for (const isOn of [false, true]) {
    const { program, site } = once(text, isOn);
    const wanted = bareState(program);
    const hypervisor = new PreVirtual(createMachine({ ram: RAM }), {
      wedge: (each) => (each.word === decodeText(text).word ? words : undefined),
    });
    hypervisor.boot(program);
    hypervisor.run({ instructions: 400 });
    const how = hypervisor.sites.get(site | 0)?.how;
    const wrong = differences(wanted, hartState(hypervisor.vm.hart));
    if (wrong.length > 0 && how === 'in place')
      return { message: `${said} Interrupts were ${isOn ? 'on' : 'off'} before.`, table: placesTable(wrong) };
  }
  return undefined;
}

function bareState(program: Program) {
  const machine = createMachine({ ram: RAM });
  new Firmware(machine).boot(program);
  machine.run({ instructions: 400 });
  return hartState(machine.hart);
}

const PARAMETERS = { FORKS: 1, WORK: 2, CALLS: 2 };

/** A whole kernel with the wedge in it. */
function wholeFailure(solution: TextWedge): Failure | undefined {
  const bare = createMachine();
  new Firmware(bare).boot(guest('nano-os', PARAMETERS));
  bare.run();
  const hypervisor = new PreVirtual(createMachine(), {
    wedge(instruction) {
      const words = wordsOf(solution(instruction), instruction.row.name);
      return Array.isArray(words) ? words : undefined;
    },
  });
  hypervisor.boot(guest('nano-os.previrt', PARAMETERS));
  const end = hypervisor.run({ instructions: 5_000_000 });
  if (end.code === 0 && hypervisor.vm.console === bare.console) return undefined;
  return {
    message: `Each replacement alone is right, but nano-os does not come to its end with them: ${end.message} It has printed ${JSON.stringify(hypervisor.vm.console)}.`,
  };
}

// ----------------------------------------------------------------------------------- 12-second

/** Answers an ecall: true if it was made at a marked instruction. */
type SiteAnswer = (vm: Vm, sites: ReadonlyMap<number, Site>) => boolean;

interface SiteCase {
  text: string;
  mode: Mode;
  before: Record<string, number>;
  /** Whether the ecall is at a marked instruction. */
  isSite: boolean;
}

function* siteCases(): Generator<SiteCase> {
  const S = Mode.S;
  yield { text: 'csrw stvec, t0', mode: S, before: { t0: 0x8040_0300 }, isSite: true };
  yield { text: 'csrr a0, scause', mode: S, before: { scause: 8 }, isSite: true };
  yield { text: 'csrw sepc, t0', mode: S, before: { t0: 0x4000_0000 }, isSite: false };
  yield {
    text: 'csrw sepc, t0',
    mode: Mode.U,
    before: { t0: 0x4000_0000, stvec: RAM_BASE + 0x100 },
    isSite: true,
  };
  yield { text: 'sret', mode: S, before: { sepc: RAM_BASE + 0x80, sstatus: 0x20 }, isSite: true };
  yield { text: 'sfence.vma', mode: S, before: {}, isSite: true };
  yield { text: 'sret', mode: Mode.U, before: { sepc: RAM_BASE, stvec: RAM_BASE + 0x200 }, isSite: true };
  const random = randomNumbers(41);
  for (let n = 0; n < 100; n++) {
    const text = `${random.pick(['csrrw', 'csrrs', 'csrrc'])} ${random.pick(['a0', 'zero', 't0'])}, ${random.pick(['sepc', 'sscratch', 'stvec', 'sstatus'])}, ${random.pick(['t0', 'zero'])}`;
    const before = {
      t0: random.word(),
      sscratch: random.word(),
      stvec: RAM_BASE + 4 * random.below(64),
      sstatus: random.word() & 0x122,
    };
    yield { text, mode: random.pick([S, S, Mode.U]), before, isSite: random.below(5) > 0 };
  }
}

const second: Exercise<SiteAnswer> = {
  id: '12-second',
  title: 'another hypervisor, the same binary',
  passed:
    'Each marked instruction is carried out where it stood; calls of the guest’s own are left alone; and its processes get what they deserve.',
  hints: [
    '`sites.get(vm.hart.pc)` is the marked instruction whose place the guest is at, or undefined: then the ecall is one of the guest’s own. Answer false, and change nothing.',
    '`execute(vm.hart, site.original)` carries the instruction out on the virtual hart, and moves its pc on. That is all of it, for a kernel.',
    'A process can jump to a marked place, too. There the row refuses: `vm.hart.takeRaised()` then gives the trap, and `vm.reflect(trap)` hands it to the guest’s kernel. If it gives undefined, nothing was refused.',
  ],
  test(solution) {
    let hasDone = false;
    for (const theCase of siteCases()) {
      const [ours, yours] = [siteVm(theCase), siteVm(theCase)];
      const sites = theCase.isSite
        ? new Map([[ours.hart.pc, siteOf(theCase, ours.hart.pc)]])
        : new Map<number, Site>();
      const start = hartState(yours.hart);
      if (theCase.isSite) carryOut(ours, sites.get(ours.hart.pc)!);
      const message = siteMessage(theCase);
      const given: unknown = inCase(`The ${message}`, () => solution(yours, new Map(sites)));
      const wrong = differences(hartState(ours.hart), hartState(yours.hart));
      const isSame = differences(start, hartState(yours.hart)).length === 0;
      hasDone ||= !isSame;
      if (given === undefined && !hasDone)
        return { message: `Your function answers nothing yet. For one: the ${message}`, untouched: true };
      if (wrong.length > 0) return { message: `The ${message}`, table: placesTable(wrong) };
      if (given !== theCase.isSite)
        return { message: `The ${message} Your answer should be ${theCase.isSite}, and is ${told(given)}.` };
    }
    return undefined;
  },
};

/** The case, as a sentence after its article. */
function siteMessage({ text, mode, isSite }: SiteCase): string {
  const where = isSite ? `at a marked instruction, \`${text}\`` : 'of its own, where nothing is marked';
  return `guest, in virtual ${Mode[mode]}, has made an ecall ${where}.`;
}

function carryOut(vm: Vm, site: Site): void {
  execute(vm.hart, site.original);
  const own = vm.hart.takeRaised();
  if (own !== undefined) vm.reflect(own);
}

function siteOf({ text }: SiteCase, pc: number): Site {
  return { begin: pc >>> 0, end: (pc >>> 0) + 4, original: decodeText(text), how: 'call' };
}

const ECALL = encode(rowByName('ecall')!, {});

function siteVm({ mode, before }: SiteCase): Vm {
  const vm = new Vm(createMachine({ ram: MiB }), 'exercise', () => {});
  new Firmware(vm.guest).boot({ segments: [], entry: RAM_BASE });
  vm.guest.ram.write(4, RAM_BASE, ECALL);
  vm.hart.mode = mode;
  for (const [place, value] of Object.entries(before)) {
    if (place === 't0') vm.hart.x[5] = value;
    else vm.hart.csrs.set(place, value);
  }
  return vm;
}

defineExercises(textWedge, second);
