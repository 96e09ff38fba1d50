// check(): right solutions pass, wrong ones are told where the machine goes wrong, and nothing a
// learner writes throws at the notebook.
import { Cause, check, emulate, exerciseIds, type Instruction, Mode, type Trap, type Vm } from 'kernel-lib';
import { afterEach, describe, expect, it, vi } from 'vitest';

const SIE = 1 << 1;
const SPIE = 1 << 5;
const SPP = 1 << 8;

/** Right solutions, each with one thing that can be made wrong. */
function emulateCsr(vm: Vm, instruction: Instruction, wrong?: string): void {
  const { x } = vm.hart;
  const { name } = instruction.row;
  const operand = name.endsWith('i') && wrong !== 'immediate' ? instruction.imm : x[instruction.rs1];
  const old = vm.csr(instruction.csr);
  if (wrong === 'order' && instruction.rd !== 0) x[instruction.rd] = old;
  const value = wrong === 'order' && !name.endsWith('i') ? x[instruction.rs1] : operand;
  if (name.startsWith('csrrw')) vm.setCsr(instruction.csr, value);
  if (name.startsWith('csrrs')) vm.setCsr(instruction.csr, old | value);
  if (name.startsWith('csrrc')) vm.setCsr(instruction.csr, wrong === 'clear' ? value : old & ~value);
  if (instruction.rd !== 0 || wrong === 'x0') x[instruction.rd] = old;
  if (wrong !== 'pc') vm.hart.pc += 4;
}

function reflect(vm: Vm, trap: Trap, wrong?: string): void {
  vm.setCsr('sepc', wrong === 'sepc' ? vm.hart.pc + 4 : vm.hart.pc);
  vm.setCsr('scause', trap.cause);
  if (wrong !== 'stval') vm.setCsr('stval', trap.tval);
  const before = vm.csr('sstatus');
  let after = before & ~(SIE | SPIE | SPP);
  if (before & SIE && wrong !== 'SPIE') after |= SPIE;
  if (vm.hart.mode === Mode.S || wrong === 'SPP') after |= SPP;
  vm.setCsr('sstatus', wrong === 'SIE' ? after | (before & SIE) : after);
  vm.hart.mode = Mode.S;
  vm.hart.pc = vm.csr('stvec');
}

function sret(vm: Vm, wrong?: string): void {
  const before = vm.csr('sstatus');
  let after = before & ~(SIE | SPP);
  if (wrong !== 'SPIE') after |= SPIE;
  if (before & SPIE) after |= SIE;
  vm.setCsr('sstatus', wrong === 'SPP' ? after | (before & SPP) : after);
  vm.hart.mode = before & SPP && wrong !== 'mode' ? Mode.S : Mode.U;
  vm.hart.pc = vm.csr('sepc');
}

function dispatch(mode: Mode, cause: Cause, instruction: Instruction | undefined, wrong?: string) {
  if (cause === Cause.MachineTimerInterrupt) return 'timer';
  if (cause === Cause.LoadAccessFault || cause === Cause.StoreAccessFault) return 'emulate';
  if (cause === Cause.EcallFromU && (mode === Mode.S || wrong === 'calls')) return 'firmware';
  const isOwn = mode === Mode.S || wrong === 'process';
  return cause === Cause.IllegalInstruction && isOwn && instruction !== undefined ? 'emulate' : 'reflect';
}

/** What check() prints where there is no notebook. */
function verdict(id: string, solution: unknown): string {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  check(id, solution);
  const text = log.mock.calls.map((call) => call.join(' ')).join('\n');
  log.mockRestore();
  return text;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('lesson 03', () => {
  const right = {
    '03-emulate-csr': (vm: Vm, instruction: Instruction, wrong?: string) =>
      emulateCsr(vm, instruction, wrong),
    '03-reflect': (vm: Vm, trap: Trap, wrong?: string) => reflect(vm, trap, wrong),
    '03-sret': (vm: Vm, wrong?: string) => sret(vm, wrong),
    '03-dispatch': dispatch,
  };

  it.each(Object.entries(right))('%s: a right solution passes', (id, solution) => {
    expect(verdict(id, solution)).toMatch(/^✓ Right/);
  });

  it.each([
    ['03-emulate-csr', 'order', /csrrw a0, sscratch, a0[\s\S]*sscratch +0x00005678 +0x00001234/],
    ['03-emulate-csr', 'pc', /pc +0x80000004 +0x80000000/],
    ['03-emulate-csr', 'clear', /executes `csrrc/],
    ['03-emulate-csr', 'x0', /zero +0x00000000/],
    ['03-emulate-csr', 'immediate', /executes `csrr[wsc]i/],
    ['03-reflect', 'sepc', /sepc +0x80000000 +0x80000004/],
    ['03-reflect', 'stval', /stval/],
    ['03-reflect', 'SPIE', /sstatus = 0x00000002[\s\S]*sstatus/],
    ['03-reflect', 'SPP', /sstatus/],
    ['03-reflect', 'SIE', /sstatus/],
    ['03-sret', 'SPIE', /sstatus +0x00000020 +0x00000000/],
    ['03-sret', 'SPP', /sstatus/],
    ['03-sret', 'mode', /mode +virtual S +virtual U/],
    ['03-dispatch', 'calls', /virtual U[\s\S]*`'reflect'`, and your answer is `'firmware'`/],
    ['03-dispatch', 'process', /virtual U[\s\S]*`'reflect'`, and your answer is `'emulate'`/],
  ] as const)('%s: %s wrong is found and named', (id, wrong, message) => {
    const solution = right[id] as (...parts: unknown[]) => unknown;
    const broken = (...parts: unknown[]) => solution(...[...parts, wrong]);
    const text = verdict(id, broken);
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it('03-vmm: a hypervisor that forgets one thing is told at which exit', () => {
    const whole = (wrong?: string) => (vm: Vm, trap: Trap) => {
      const instruction = vm.instruction();
      const decision = dispatch(vm.hart.mode, trap.cause, instruction);
      if (decision === 'timer') return;
      if (decision === 'reflect') reflect(vm, trap, wrong);
      else if (decision === 'emulate' && instruction?.row.name === 'sret') sret(vm, wrong);
      else emulate(vm, trap);
    };
    expect(verdict('03-vmm', whole())).toMatch(/^✓ Right/);
    expect(verdict('03-vmm', whole('mode'))).toMatch(/^✓ Right/); // this guest's sret never returns to S
    expect(verdict('03-vmm', whole('sepc'))).toMatch(
      /^✗ Not yet[\s\S]*exit \d+ \(environment call from U-mode, ecall at 0x[\s\S]*sepc/,
    );
    expect(verdict('03-vmm', whole('SPIE'))).toMatch(/exit \d+ \(/);
  });
});

describe('whatever a learner writes', () => {
  it.each([
    ['nothing', () => undefined, /^○ To be solved/],
    [
      'a throw',
      () => {
        throw new TypeError('x is not iterable');
      },
      /✗[\s\S]*TypeError: x is not iterable/,
    ],
    [
      'a throw of no error',
      () => {
        throw 'bad';
      },
      /threw an error: bad/,
    ],
    ['no function', 7, /wants your function/],
    ['undefined', undefined, /wants your function/],
  ])('%s gets a verdict', (_, solution, message) => {
    for (const id of exerciseIds()) expect(verdict(id, solution)).toMatch(message);
  });

  it('an exercise that is not there is an error that names those that are', () => {
    expect(() => check('03-nothing', () => 1)).toThrow(
      /no exercise "03-nothing"\. There are: .*03-emulate-csr/,
    );
  });

  it('under strict, a wrong solution throws: for grading', () => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(() => check('03-sret', () => undefined, { strict: true })).toThrow(
      /03-sret: Your function changes nothing/,
    );
    vi.stubEnv('VMLAB_STRICT', '1');
    expect(() => check('03-sret', () => undefined)).toThrow(/CheckFailed|03-sret/);
    vi.restoreAllMocks();
  });
});
