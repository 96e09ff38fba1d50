// The exercises of lesson 08: right solutions pass; each plausible mistake is told with the place where it
// shows; what isn't begun is open.
import {
  check,
  type Detour,
  decode,
  encode,
  execute,
  type Instruction,
  isSensitive,
  type PatchedInstructions,
  type PatchSite,
  type ReadProgram,
  reflect,
  rowByName,
  type Trap,
  type Vm,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { verdict } from './verdict';

const jump = (from: number, to: number, rd = 0) => encode(rowByName('jal')!, { rd, imm: to - from });

function scan(begin: number, end: number, read: ReadProgram, wrong = ''): number[] {
  const found: number[] = [];
  for (let at = begin; at + (wrong === 'end' ? 2 : 4) <= end; ) {
    const instruction = decode(read(at, 4));
    if (
      instruction !== undefined &&
      (wrong === 'csr' ? instruction.row.name.startsWith('csr') : isSensitive(instruction))
    )
      found.push(at);
    at +=
      wrong === 'four'
        ? 4
        : wrong === 'everywhere'
          ? 2
          : wrong === 'skip'
            ? (instruction?.length ?? 4)
            : (instruction?.length ?? 2);
  }
  return wrong === 'twice' ? [...found, ...found.slice(0, 1)] : found;
}

function patch(
  sites: readonly PatchSite[],
  write: (address: number, word: number) => void,
  wrong = '',
): PatchedInstructions {
  const table = new Map<number, Instruction>();
  const name = wrong === 'ecall' ? 'ecall' : wrong === 'nop' ? 'addi' : 'ebreak';
  for (const { address, instruction } of wrong === 'first' ? sites.slice(1) : sites) {
    write(address, encode(rowByName(name)!, {}));
    if (wrong === 'behind') write(address + 4, 0);
    if (wrong !== 'table') table.set(wrong === 'key' ? address + 4 : address, instruction);
  }
  return table;
}

function answer(vm: Vm, trap: Trap, patched: PatchedInstructions, wrong = ''): void {
  const original = patched.get(vm.hart.pc >>> 0);
  if (original === undefined) {
    if (wrong === 'own') vm.hart.pc += 4;
    else reflect(vm, trap);
    return;
  }
  if (wrong === 'reflect') {
    reflect(vm, trap);
    return;
  }
  execute(vm.hart, original);
  if (wrong === 'pc') vm.hart.pc += 4;
  const raised = vm.hart.takeRaised();
  if (raised !== undefined && wrong !== 'crime') reflect(vm, raised);
  if (raised !== undefined && wrong === 'crime') vm.hart.pc += 4;
}

function detour(site: number, thunk: number, work: readonly number[], wrong = ''): Detour | undefined {
  const last = thunk + 4 * work.length;
  const back = site + (wrong === 'again' ? 0 : 4);
  const reach = (distance: number) => distance >= -(2 ** 20) && distance < 2 ** 20;
  if (!reach(thunk - site) || (wrong !== 'back' && !reach(back - last))) return undefined;
  const rd = wrong === 'link' ? 1 : 0;
  return {
    patch: jump(site, thunk, rd),
    thunk: [...work, jump(wrong === 'from' ? thunk : last, back)].slice(wrong === 'work' ? 1 : 0),
  };
}

const right: Record<string, [parameters: number, solution: (...parts: never[]) => unknown]> = {
  '08-scan': [3, scan],
  '08-patch': [2, patch],
  '08-answer': [3, answer],
  '08-detour': [3, detour],
};
/** The solution with one thing made wrong. */
const broken = (id: string, wrong: string) => {
  const [parameters, solution] = right[id];
  return (...parts: unknown[]) =>
    (solution as (...all: unknown[]) => unknown)(...parts.slice(0, parameters), wrong);
};

it.each(Object.keys(right))('%s: a right solution passes', (id) => {
  expect(verdict(id, broken(id, ''))).toMatch(/^✓ Right/);
});

it.each(Object.keys(right))('%s: what is not begun is open', (id) => {
  expect(verdict(id, () => undefined)).toMatch(/^○ To be solved/);
});

it('08-scan: an empty list, as the stub gives, is open', () => {
  expect(verdict('08-scan', () => [])).toMatch(/^○ To be solved/);
});

describe('a mistake is told with the place where it shows', () => {
  it.each([
    ['08-scan', 'csr', /`sret`[\s\S]*misses `sret` at 0x80400008/],
    ['08-scan', 'four', /`c\.addi a0, 1`[\s\S]*misses `csrw sepc, a0` at 0x80400002/],
    ['08-scan', 'skip', /`\.half 0`[\s\S]*misses `csrr a0, sstatus` at 0x80400002/],
    ['08-scan', 'everywhere', /finds something at 0x[0-9a-f]+[\s\S]*where the library's finds nothing/],
    [
      '08-scan',
      'end',
      /`csrr a0, sepc`, `c\.nop`, your scan reads 4 bytes at 0x80400004, and there are 2 bytes left/,
    ],
    ['08-scan', 'twice', /the same place twice/],
    ['08-patch', 'first', /hello: `csr[\s\S]*is as it was/],
    ['08-patch', 'ecall', /you can't tell them apart/],
    ['08-patch', 'nop', /needn't trap on every machine/],
    ['08-patch', 'behind', /which is no site|there is now no instruction/],
    ['08-patch', 'table', /your table has nothing for this address/],
    ['08-patch', 'key', /your table has nothing for this address/],
    ['08-answer', 'own', /a breakpoint of its own; instruction [\d,]+\)[\s\S]*scause/],
    ['08-answer', 'reflect', /breakpoint 1 \(at 0x[0-9a-f]+, once `csrrw`/],
    ['08-answer', 'pc', /breakpoint 1 [\s\S]*pc /],
    ['08-answer', 'crime', /syscalls: at breakpoint \d+/],
    ['08-detour', 'again', /should be back at 0x80200004/],
    ['08-detour', 'link', /ra is 0x[0-9a-f]+ at the end, and should be/],
    ['08-detour', 'from', /the hart is at 0x/],
    ['08-detour', 'work', /the hart is at|should be/],
    ['08-detour', 'back', /Site 0x[0-9a-f]+, thunk 0x[0-9a-f]+[\s\S]*(RangeError|no jump reaches that far)/],
  ] as const)('%s: %s', (id, wrong, message) => {
    const text = verdict(id, broken(id, wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });
});

it('begun is not open: a trap that is not taken, a jump that does not reach', () => {
  const noTrap = (vm: Vm, trap: Trap, patched: PatchedInstructions) => {
    const original = patched.get(vm.hart.pc >>> 0);
    if (original === undefined) reflect(vm, trap);
    else execute(vm.hart, original);
  };
  expect(verdict('08-answer', noTrap)).toMatch(/^✗ Not yet[\s\S]*syscalls: at breakpoint \d+/);
  const near = (site: number, thunk: number, work: number[]) =>
    Math.abs(site - thunk) < 2 ** 20 - 64 ? detour(site, thunk, work) : undefined;
  expect(verdict('08-detour', near)).toMatch(/^✗ Not yet[\s\S]*your function makes no detour/);
});

describe('whatever else a learner writes gets a verdict', () => {
  const odd: [string, (...parts: never[]) => unknown][] = [
    ['NaN', () => Number.NaN],
    ['null', () => null],
    ['huge numbers', () => [1e300]],
    ['a promise', async () => []],
    ['an object', () => ({ patch: 1.5, thunk: [Number.NaN] })],
    ['a table of nonsense', () => new Map([[1, undefined]])],
    [
      'a throw',
      () => {
        throw new TypeError('x is not iterable');
      },
    ],
    [
      'arguments destroyed',
      (first: unknown, ...rest: unknown[]) => {
        for (const part of [first, ...rest]) {
          if (Array.isArray(part)) part.length = 0;
          if (part instanceof Map) part.clear();
        }
      },
    ],
    [
      'the end of the program ignored',
      (begin: number, _: number, read: ReadProgram) => {
        for (let at = begin; ; at += 2)
          if (typeof read === 'function') read(at, 4);
          else return undefined;
      },
    ],
  ];
  it.each(odd)('%s', (_, solution) => {
    for (const id of Object.keys(right)) expect(verdict(id, solution)).toMatch(/^[✗○]/);
  });
});

it('in a notebook, instructions in a verdict are set as code', () => {
  const hook = Symbol.for('vmlab.kernel');
  const shown: Record<string, string>[] = [];
  Reflect.set(globalThis, hook, { display: (bundle: Record<string, string>) => shown.push(bundle) });
  try {
    check('08-scan', broken('08-scan', 'csr'));
  } finally {
    Reflect.deleteProperty(globalThis, hook);
  }
  expect(shown[0]['text/html']).toContain('misses <code>sret</code> at 0x80400008');
  expect(shown[0]['text/plain']).toContain('misses `sret` at');
});
