// The exercises of lesson 09: right solutions pass, in more than one way of writing them; each plausible
// mistake is told with the case in which it shows; what isn't begun is open.
import {
  type BlockCache,
  type BlockTranslator,
  type BlockWriter,
  encode,
  endsBlock,
  type FetchInstruction,
  type GuestBlock,
  type GuestInstruction,
  type LookUp,
  rowByName,
  treatmentOf,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { verdict } from './verdict';

function block(fetch: FetchInstruction, pc: number, wrong = ''): GuestInstruction[] {
  const found: GuestInstruction[] = [];
  while (found.length < (wrong === 'limit' ? 64 : 12)) {
    const guest = fetch(pc);
    if (wrong === 'last' && endsBlock(guest)) break;
    found.push(guest);
    if (wrong === 'branch' ? guest.instruction?.row.name === 'jal' : endsBlock(guest)) break;
    pc += wrong === 'length' ? 4 : guest.length;
  }
  return found;
}

function translate(guests: readonly GuestInstruction[], write: BlockWriter, wrong = ''): void {
  for (const guest of guests) {
    const { instruction, pc } = guest;
    const name = (instruction?.row.name ?? 'none').replace(
      /^c\.(j|b)/,
      wrong === 'compressed' ? 'c.$1' : '$1',
    );
    const target = pc + (instruction?.imm ?? 0);
    if (/^(csr|sret|sfence|fence\.i|wfi|ecall|ebreak|none|c\.ebreak)/.test(name)) {
      if (wrong === 'copied' && name.startsWith('csr')) write.copy(guest);
      else if (wrong === 'fence' && name === 'fence.i') write.copy(guest);
      else if (wrong !== 'dropped') write.callout(guest);
    } else if (name === 'auipc') {
      if (wrong === 'pc') write.copy(guest);
      else write.constant(guest, wrong === 'imm' ? (instruction?.imm ?? 0) : target);
    } else if (name === 'jal' || name === 'j') write.jump(guest, wrong === 'next' ? target + 4 : target);
    else if (/^(jalr|jr)/.test(name)) write.indirect(guest);
    else if (/^b(eq|ne|lt|ge)/.test(name)) write.branch(guest, target);
    else if (wrong === 'calls' && name === 'add') write.callout(guest);
    else write.copy(guest);
  }
}

function find(cache: BlockCache, pc: number, make: (pc: number) => GuestBlock, wrong = ''): GuestBlock {
  const found = cache.get(wrong === 'page' ? pc & ~15 : pc);
  if (found !== undefined) return found;
  const made = make(wrong === 'ahead' ? pc + 4 : pc);
  if (wrong !== 'forgets') cache.set(wrong === 'page' ? pc & ~15 : pc, made);
  return made;
}

function fence(cache: BlockCache, read: (at: number, bytes: 2 | 4) => number, wrong = ''): void {
  for (const [key, { pc, instructions }] of cache) {
    const compared = wrong === 'first' ? instructions.slice(0, 1) : instructions;
    const isSame = (each: GuestInstruction) =>
      read(each.pc, wrong === 'length' || each.length === 4 ? 4 : 2) === each.word;
    if (wrong === 'all' || !compared.every(isSame)) cache.delete(wrong === 'key' ? pc + 1 : key);
  }
}

function chain(slot: number, target: number, wrong = ''): number | undefined {
  const distance = wrong === 'back' ? slot - target : target - slot;
  const most = wrong === 'short' ? 0x8_0000 : 0x10_0000;
  if (wrong !== 'far' && (distance < -most || distance >= most)) return undefined;
  if (wrong === 'branch') return encode(rowByName('beq')!, { imm: (distance << 19) >> 19 });
  return encode(rowByName('jal')!, { rd: wrong === 'link' ? 1 : 0, imm: distance });
}

function indirect(x: Int32Array, guest: GuestInstruction, lookUp: LookUp, wrong = ''): number | undefined {
  const { rd, rs1, imm } = guest.instruction!;
  const early = (x[rs1] + imm) & (wrong === 'odd' ? -1 : -2);
  if (rd !== 0 || wrong === 'x0')
    x[rd] = guest.pc + (wrong === 'length' ? 4 : guest.length) + (wrong === 'cache' ? 0x7fbc_0000 : 0);
  return lookUp(wrong === 'order' ? (x[rs1] + imm) & -2 : early) ?? (wrong === 'guest' ? early : undefined);
}

const right: Record<string, (...parts: never[]) => unknown> = {
  '09-block': block,
  '09-translate': translate,
  '09-cache': find,
  '09-fence': fence,
  '09-chain': chain,
  '09-indirect': indirect,
};
const PARAMETERS: Record<string, number> = { '09-cache': 3, '09-indirect': 3 };
/** The solution with one thing made wrong. */
const broken = (id: string, wrong: string) => {
  const solution = right[id] as (...parts: unknown[]) => unknown;
  return (...parts: unknown[]) => solution(...parts.slice(0, PARAMETERS[id] ?? 2), wrong);
};

it.each(Object.keys(right))('%s: a right solution passes', (id) => {
  expect(verdict(id, broken(id, ''))).toMatch(/^✓ Right/);
});

it('09-translate: one that reads it off the meaning passes as well', () => {
  const other: BlockTranslator = (guests, write) => {
    for (const guest of guests) {
      const treatment = treatmentOf(guest);
      if (treatment.kind === 'constant') write.constant(guest, treatment.value);
      else if (treatment.kind === 'jump') write.jump(guest, treatment.target);
      else if (treatment.kind === 'branch') write.branch(guest, treatment.target);
      else if (treatment.kind === 'indirect') write.indirect(guest);
      else write[treatment.kind === 'identical' ? 'copy' : 'callout'](guest);
    }
  };
  expect(verdict('09-translate', other)).toMatch(/^✓ Right/);
});

it.each(Object.keys(right))('%s: what is not begun is open', (id) => {
  expect(verdict(id, () => undefined)).toMatch(/^○ To be solved/);
});

describe('a mistake is told with the case in which it shows', () => {
  it.each([
    ['09-block', 'last', /has 2 instructions; yours has 1[\s\S]*bnez/],
    ['09-block', 'limit', /has 12 instructions; yours has 21/],
    ['09-block', 'length', /c\.mv/],
    ['09-block', 'branch', /bnez a0[\s\S]*not in the block/],
    ['09-translate', 'copied', /`csrr a0, sstatus`[\s\S]*a0 /],
    ['09-translate', 'fence', /`fence\.i` puts the instruction itself into the cache\. It works, but/],
    ['09-translate', 'dropped', /`csrr a0, sstatus`[\s\S]*a0 /],
    ['09-translate', 'pc', /`auipc a0, 0x1`[\s\S]*a0 /],
    ['09-translate', 'imm', /`auipc a0, 0x1`[\s\S]*a0 /],
    ['09-translate', 'next', /pc /],
    ['09-translate', 'compressed', /`c\.j/],
    ['09-translate', 'calls', /`add a0, a1, a2` calls the hypervisor, which is right and slow/],
    ['09-cache', 'forgets', /translated before/],
    ['09-cache', 'ahead', /translates 0x[0-9a-f]+, where the guest may never come|gives the block at/],
    ['09-cache', 'page', /gives the block at/],
    [
      '09-fence',
      'first',
      /patches one instruction: At the fence\.i after [\d,]+ instructions, 1 of \d+ blocks are out of date\. The one at/,
    ],
    ['09-fence', 'all', /is no longer in the cache: it will be translated for nothing/],
    ['09-fence', 'length', /is as it was, but is no longer in the cache/],
    ['09-chain', 'back', /bytes on[\s\S]*the hart gets to/],
    ['09-chain', 'link', /destroys the guest's ra/],
    ['09-chain', 'short', /within reach/],
    ['09-chain', 'far', /RangeError|no jump reaches/],
    ['09-chain', 'branch', /the hart gets to/],
    ['09-indirect', 'order', /jalr ra, 0\(ra\)|jalr ra`|`jalr/],
    ['09-indirect', 'odd', /It goes to 0x80400200/],
    ['09-indirect', 'x0', /zero should be 0x00000000/],
    ['09-indirect', 'length', /c\.jalr[\s\S]*ra should be 0x80400002/],
    ['09-indirect', 'cache', /ra should be 0x80400004/],
    ['09-indirect', 'guest', /that is for the hypervisor/],
  ] as const)('%s: %s', (id, wrong, message) => {
    const text = verdict(id, broken(id, wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it('what is no instruction, and what waits, are called for', () => {
    const hasInstruction: BlockTranslator = (guests, write) => {
      for (const each of guests) {
        if (each.instruction === undefined) throw new TypeError('what is it?');
        if (each.instruction.row.name === 'wfi') write.copy(each);
        else (broken('09-translate', '') as BlockTranslator)([each], write);
      }
    };
    expect(verdict('09-translate', hasInstruction)).toMatch(
      /Your translation of `wfi` puts the instruction itself into the cache/,
    );
    const noWord: BlockTranslator = (guests, write) => {
      if (guests.some(({ instruction }) => instruction === undefined)) throw new TypeError('what is it?');
      (broken('09-translate', '') as BlockTranslator)(guests, write);
    };
    expect(verdict('09-translate', noWord)).toMatch(
      /The block `[^`]*`: Your function threw an error: TypeError/,
    );
  });

  it('begun is not open', () => {
    const nearly = (slot: number, target: number) =>
      Math.abs(target - slot) < 2 ** 20
        ? encode(rowByName('jal')!, { rd: 0, imm: target - slot })
        : undefined;
    expect(verdict('09-chain', nearly)).toMatch(/^✗ Not yet[\s\S]*1,048,576 bytes back, within reach/);
    expect(verdict('09-cache', async () => undefined)).toMatch(/gives a Promise \(is the function async\?\)/);
  });
});

describe('whatever else a learner writes gets a verdict', () => {
  const odd: [string, (...parts: never[]) => unknown][] = [
    ['NaN', () => Number.NaN],
    ['null', () => null],
    ['a text', () => 'jal'],
    ['a huge number', () => 1e300],
    ['a promise', async () => 1],
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
        if (first instanceof Map) first.clear();
        if (first instanceof Int32Array) first.fill(0);
        return undefined;
      },
    ],
  ];
  it.each(odd)('%s', (_, solution) => {
    for (const id of Object.keys(right)) expect(verdict(id, solution)).toMatch(/^[✗○]/);
  });

  it('jumps to nowhere', () => {
    const wild: BlockTranslator = (guests, write) => write.jump(guests[0], 0x40);
    expect(verdict('09-translate', wild)).toMatch(/^✗ Not yet/);
    const loop: BlockTranslator = (guests, write) => write.jump(guests[0], guests[0].pc);
    expect(verdict('09-translate', loop)).toMatch(/^✗ Not yet/);
    const raw: BlockTranslator = (guests, write) => {
      for (const each of guests) write.copy(each);
    };
    expect(verdict('09-translate', raw)).toMatch(/^✗ Not yet/);
    const nan: BlockTranslator = (guests, write) => write.jump(guests[0], Number.NaN);
    expect(verdict('09-translate', nan)).toMatch(/^✗ Not yet/);
  });
});
