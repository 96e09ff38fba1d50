// The exercises of lesson 10: right solutions pass, in more than one way of writing them; each plausible
// mistake is told with the case in which it shows; what isn't begun is open.
import { Adaptation, type CsrOperation, type GuestInstruction, type Verdicts } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { verdict } from './verdict';

function inCache({ kind, rd, rs, word, spare, spareWord }: CsrOperation, wrong = ''): string[] {
  if (kind === 'read') return [`lw ${rd}, ${word}(zero)`];
  if (kind === 'write') return [`${wrong === 'byte' ? 'sb' : 'sw'} ${rs}, ${word}(zero)`];
  if (kind === 'interrupts off') return [`${wrong === 'word' ? 'sw' : 'sb'} zero, ${word}(zero)`];
  if (wrong === 'order') return [`lw ${rd}, ${word}(zero)`, `sw ${rs}, ${word}(zero)`];
  const swap = [`sw ${spare}, ${spareWord}(zero)`, `lw ${spare}, ${word}(zero)`, `sw ${rs}, ${word}(zero)`];
  const back = wrong === 'spare' ? [] : [`lw ${spare}, ${spareWord}(zero)`];
  return [...(wrong === 'keep' ? swap.slice(1) : swap), `mv ${rd}, ${spare}`, ...back];
}

function merge(
  block: readonly GuestInstruction[],
  isSensitive: (guest: GuestInstruction) => boolean,
  wrong = '',
) {
  const runs: GuestInstruction[][] = [];
  for (const guest of wrong === 'last' ? block.slice(0, -1) : block) {
    const last = runs.at(-1);
    const joins =
      wrong !== 'alone' &&
      last !== undefined &&
      (wrong === 'all' || (isSensitive(guest) && isSensitive(last[0])));
    if (joins) last.push(guest);
    else runs.push([guest]);
  }
  return wrong === 'order' ? runs.reverse() : runs;
}

function adapt(faultsToConvict: number, callsToAcquit: number, wrong = ''): Verdicts {
  const faults = new Map<number, number>();
  const needless = new Map<number, number>();
  const key = (gpa: number) => (wrong === 'all' ? 0 : gpa);
  const judge: Verdicts = {
    isGuilty: (gpa) => needless.has(key(gpa)),
    forget(gpa) {
      faults.delete(gpa);
      needless.delete(gpa);
    },
    fault(gpa) {
      const count = (faults.get(key(gpa)) ?? 0) + 1;
      faults.set(key(gpa), count);
      if (count < faultsToConvict + (wrong === 'late' ? 1 : 0) || needless.has(key(gpa))) return false;
      needless.set(key(gpa), 0);
      return true;
    },
    call(gpa, wasNeeded) {
      const before = needless.get(key(gpa));
      if (before === undefined) return wrong === 'innocent';
      const count = wasNeeded && wrong !== 'row' ? 0 : before + 1;
      needless.set(key(gpa), count);
      if (count < callsToAcquit) return false;
      if (wrong === 'grudge') needless.delete(gpa);
      else judge.forget(gpa);
      return true;
    },
  };
  return judge;
}

const right: Record<string, (...parts: never[]) => unknown> = {
  '10-in-cache': inCache,
  '10-merge': merge,
  '10-adapt': adapt,
};
/** The solution with one thing made wrong. */
const broken = (id: string, wrong: string) => {
  const solution = right[id] as (...parts: unknown[]) => unknown;
  return (...parts: unknown[]) => solution(...parts.slice(0, id === '10-in-cache' ? 1 : 2), wrong);
};

it.each(Object.keys(right))('%s: a right solution passes', (id) => {
  expect(verdict(id, broken(id, ''))).toMatch(/^✓ Right/);
});

it('another way is right, too', () => {
  const quick = (operation: CsrOperation) =>
    operation.kind === 'swap' && operation.rd !== operation.rs
      ? [`lw ${operation.rd}, ${operation.word}(zero)`, `sw ${operation.rs}, ${operation.word}(zero)`]
      : inCache(operation);
  expect(verdict('10-in-cache', quick)).toMatch(/^✓ Right/);
  const ours = (faultsToConvict: number, callsToAcquit: number) =>
    new Adaptation({ faultsToConvict, callsToAcquit });
  expect(verdict('10-adapt', ours)).toMatch(/^✓ Right/);
});

it.each(Object.keys(right))('%s: what is not begun is open', (id) => {
  expect(verdict(id, () => undefined)).toMatch(/^○ To be solved/);
});

it('stubs that give something empty are open', () => {
  expect(verdict('10-merge', () => [])).toMatch(/^○ To be solved/);
  expect(verdict('10-in-cache', () => [])).toMatch(/^○ To be solved/);
  const silent = { isGuilty: () => false, fault: () => false, call: () => false, forget: () => {} };
  expect(verdict('10-adapt', () => silent)).toMatch(/^○ To be solved/);
});

describe('a mistake is told with the case in which it shows', () => {
  it.each([
    ['10-in-cache', 'order', /`csrrw sp, sscratch, sp`[\s\S]*sscratch/],
    ['10-in-cache', 'word', /`csrci sstatus, 2`[\s\S]*sstatus/],
    ['10-in-cache', 'byte', /`csrw sepc, a1`[\s\S]*sepc/],
    ['10-in-cache', 'spare', /`csrrw a0, sscratch, a1`[\s\S]*t0 +0x00000011/],
    ['10-in-cache', 'keep', /`csrrw a0, sscratch, a1`[\s\S]*t0 /],
    ['10-merge', 'alone', /`csrr a1, scause` follows a sensitive instruction, and has a call of its own/],
    ['10-merge', 'all', /needs no privilege: it would be called for in vain/],
    ['10-merge', 'last', /is missing or out of order/],
    ['10-merge', 'order', /is missing or out of order/],
    ['10-adapt', 'late', /told: fault, fault\. Is it guilty from now on\? It should be true; you say false/],
    ['10-adapt', 'all', /event 2[\s\S]*should be false; you say true/],
    ['10-adapt', 'row', /needless call, needless call, needed call\. [\s\S]*should be false; you say true/],
    ['10-adapt', 'grudge', /needless call, fault\. [\s\S]*should be false; you say true/],
    ['10-adapt', 'innocent', /Is it innocent from now on\? It should be false; you say true/],
  ] as const)('%s: %s', (id, wrong, message) => {
    const text = verdict(id, broken(id, wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it('begun is not open, and an empty run is told', () => {
    const noSwap = (operation: CsrOperation) => (operation.kind === 'swap' ? undefined : inCache(operation));
    expect(verdict('10-in-cache', noSwap)).toMatch(
      /^✗ Not yet[\s\S]*`csrrw a0, sscratch, a1`: your function/,
    );
    const numbers = (...limits: [number, number]) => {
      const judge = adapt(...limits);
      return { ...judge, fault: (gpa: number) => Number(judge.fault(gpa)) };
    };
    expect(verdict('10-adapt', numbers)).toMatch(/^✗ Not yet[\s\S]*It should be false; you say 0/);
    expect(verdict('10-merge', (block: GuestInstruction[]) => [[], ...block.map((each) => [each])])).toMatch(
      /one of your runs has no instruction in it/,
    );
  });

  it('code that doesn’t belong in the cache, or is none', () => {
    expect(verdict('10-in-cache', () => ['ecall'])).toMatch(
      /`ecall` leaves the cache, or doesn't belong there/,
    );
    expect(verdict('10-in-cache', () => ['1: j 1b'])).toMatch(/leaves the cache/);
    expect(verdict('10-in-cache', () => ['load a0'])).toMatch(/The assembler doesn't take your code/);
    expect(verdict('10-in-cache', () => ['sw a0, 0(a1)'])).toMatch(/^✗/);
  });
});

describe('whatever else a learner writes gets a verdict', () => {
  const odd: [string, (...parts: never[]) => unknown][] = [
    ['NaN', () => Number.NaN],
    ['null', () => null],
    ['numbers', () => [1e300]],
    ['a promise', async () => []],
    ['lists of nonsense', () => [[null, 3]]],
    ['an object', () => ({ fault: 1 })],
    [
      'a throw',
      () => {
        throw new TypeError('x is not iterable');
      },
    ],
    [
      'arguments destroyed',
      (first: unknown) => {
        if (Array.isArray(first)) first.length = 0;
      },
    ],
  ];
  it.each(odd)('%s', (_, solution) => {
    for (const id of Object.keys(right)) expect(verdict(id, solution)).toMatch(/^[✗○]/);
  });
});
