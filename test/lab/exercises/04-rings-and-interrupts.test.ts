// The exercises of lesson 04: right solutions pass, and each that is wrong in one place is told where.
import { Cause, Mode, Pte, type TimerFacts, type Vm } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { verdict } from './verdict';

const { R, W, X, U } = Pte;
const SIE = 2;
const STIP = 1 << 5;

function compress(flags: number, mode: Mode, sum: boolean, wrong?: string): number {
  const isOwn = mode === Mode.U ? (flags & U) !== 0 : (flags & U) === 0;
  if (wrong === 'one root') return flags | U;
  if (isOwn) return wrong === 'no U' ? flags : flags | U;
  if (mode === Mode.U || (!sum && wrong !== 'SUM')) return 0;
  return wrong === 'execute' ? flags : flags & (R | W | U);
}

const OWN = [0, 3, 4, 6, 8];
function delegate(cause: Cause, wrong?: string): boolean {
  if (wrong === 'faults' && cause === Cause.LoadPageFault) return true;
  if (wrong === 'illegal' && cause === Cause.IllegalInstruction) return true;
  if (wrong === 'devices' && cause === Cause.StoreAccessFault) return true;
  if (wrong === 'firmware' && cause === Cause.EcallFromS) return true;
  if (wrong === 'calls' && cause === Cause.EcallFromU) return false;
  return OWN.includes(cause);
}

function timer({ now, deadline, isPending, isAllowed, sliceEnd }: TimerFacts, wrong?: string): number {
  if (isPending) {
    if (isAllowed && wrong !== 'pending') return now;
    return wrong === 'masked' ? Math.min(now, sliceEnd) : sliceEnd;
  }
  if (wrong === 'slice') return Math.max(now, deadline);
  return Math.min(sliceEnd, wrong === 'past' ? deadline : Math.max(now, deadline));
}

function inject(vm: Vm, wrong?: string): void {
  const pending = wrong === 'sie' ? vm.csr('sip') : vm.csr('sip') & vm.csr('sie');
  const isOn = (vm.csr('sstatus') & SIE) !== 0;
  const allowed = wrong === 'mode' ? isOn : wrong === 'always' || vm.hart.mode === Mode.U || isOn;
  if ((pending & STIP) === 0 || !allowed || wrong === 'never') return;
  const cause = wrong === 'cause' ? Cause.SupervisorSoftwareInterrupt : Cause.SupervisorTimerInterrupt;
  if (wrong === 'machine') vm.reflect({ cause: Cause.MachineTimerInterrupt, tval: 0 });
  else if (wrong !== 'clear') vm.reflect({ cause, tval: 0 });
  if (wrong === 'clear') vm.hart.csrs.modify(0x344, 0, STIP);
}

const right = {
  '04-compress': compress,
  '04-delegate': delegate,
  '04-timer': timer,
  '04-inject': inject,
  '04-interrupts': inject,
};

describe('lesson 04', () => {
  it.each(Object.entries(right))('%s: a right solution passes, an unsolved one is open', (id, solution) => {
    expect(verdict(id, solution)).toMatch(/^✓ Right/);
    expect(verdict(id, () => undefined)).toMatch(/^○ To be solved/);
  });

  it.each([
    [
      '04-compress',
      'one root',
      /process[\s\S]*page of the kernel[\s\S]*a load faults[\s\S]*nothing stops it/,
    ],
    ['04-compress', 'no U', /kernel[\s\S]*page of the kernel[\s\S]*a load is allowed[\s\S]*it faults/],
    ['04-compress', 'SUM', /SUM clear, and a page of users[\s\S]*nothing stops it/],
    ['04-compress', 'execute', /SUM set, and a page of users[\s\S]*a fetch faults[\s\S]*nothing stops it/],
    [
      '04-delegate',
      'faults',
      /"load page fault"[\s\S]*hidden fault[\s\S]*nano-os under such a hypervisor (prints|ends)/,
    ],
    ['04-delegate', 'illegal', /"illegal instruction"[\s\S]*sfence\.vma/],
    ['04-delegate', 'devices', /"store access fault"[\s\S]*virtual device/],
    ['04-delegate', 'firmware', /"environment call from S-mode"[\s\S]*firmware[^.]*\.$/m],
    ['04-delegate', 'calls', /"environment call from U-mode" yourself[\s\S]*makes [\d,]+ exits more/],
    [
      '04-timer',
      'pending',
      /its interrupt is pending; the guest allows interrupts[\s\S]*must ring at: cycle 1,000\. Your answer is never/,
    ],
    ['04-timer', 'masked', /turned off[\s\S]*must ring at: never\. Your answer is cycle 1,000/],
    [
      '04-timer',
      'slice',
      /hart back at cycle 3,000[\s\S]*must ring at: cycle 3,000\. Your answer is cycle 5,000/,
    ],
    ['04-timer', 'past', /must ring at: cycle 1,000\. Your answer is cycle 400/],
    ['04-inject', 'sie', /STIP is set, sie\.STIE clear[\s\S]*must not be interrupted/],
    [
      '04-inject',
      'mode',
      /virtual U; sip\.STIP is set, sie\.STIE set, sstatus\.SIE clear\. It must be interrupted/,
    ],
    [
      '04-inject',
      'always',
      /virtual S[\s\S]*SIE clear\. It must not be interrupted; the interrupt stays pending/,
    ],
    ['04-inject', 'machine', /It must be interrupted/],
    ['04-inject', 'cause', /scause +0x80000005 +0x80000001/],
    ['04-inject', 'clear', /sip/],
    [
      '04-interrupts',
      'always',
      /exit [\d,]+, after [\d,]+ instructions, the guest is in virtual S, and is interrupted/,
    ],
    ['04-interrupts', 'clear', /with its timer interrupt pending and allowed/],
  ] as const)('%s: %s wrong is found and named', (id, wrong, message) => {
    const solution = right[id] as (...parts: unknown[]) => unknown;
    const text = verdict(id, (...parts: unknown[]) => solution(...parts, wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it('the timeline stands at the interrupt that went wrong', () => {
    const text = verdict('04-interrupts', (vm: Vm) => inject(vm, 'always'));
    expect(text).toMatch(/up to the wrong interrupt[\s\S]*hypervisor/);
  });

  it.each(['04-compress', '04-delegate', '04-timer'])('%s: answers of the wrong kind get a verdict', (id) => {
    for (const answer of [null, Number.NaN, 1e300, 'text', [], {}, Promise.resolve(1)])
      expect(verdict(id, () => answer)).toMatch(/^✗ Not yet[\s\S]{60,}/);
  });

  it('a guest that is spoilt is told as well', () => {
    const spoil = (vm: Vm) => {
      vm.hart.pc = 0;
    };
    expect(verdict('04-inject', spoil)).toMatch(/^✗ Not yet[\s\S]*pc/);
    expect(verdict('04-interrupts', spoil)).toMatch(/^✗ Not yet/);
  });

  it('all of R, W, X and U are told apart', () => {
    expect(verdict('04-compress', (flags: number) => flags & (R | W | X | U))).toMatch(/^✗ Not yet/);
    expect(verdict('04-compress', () => 0x3ff)).toMatch(/must be made of R, W, X and U; yours is 0x3ff/);
  });
});
