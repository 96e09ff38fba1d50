/**
 * Jumps in the translation cache: chaining a block to the next, and going where a register says.
 * What a learner's function gives is executed on a hart.
 */
import { hex } from '../../../bits';
import { disassemble } from '../../../code/disassemble';
import { encode, rowByName } from '../../../code/encode';
import { createMachine } from '../../../engine/create';
import { execute, step } from '../../../engine/reference';
import { readInstruction } from '../../../hypervisor/binary-translation/discover';
import type { GuestInstruction } from '../../../hypervisor/binary-translation/treatment';
import { ABI_NAMES, Mode, registerNumber } from '../../../isa/registers';
import { RAM_BASE } from '../../../machine/machine';
import { type Exercise, type Failure, inCase } from '../../check';
import { randomNumbers } from '../../random';

// ------------------------------------------------------------------------------------ 09-chain

const REACH = 2 ** 20;

/** Where a word at an address of the cache leads a hart, and whether it leaves the registers alone. */
function executeAt(slot: number, word: number): { pc: number; changed: string | undefined } {
  const machine = createMachine({ ram: 4096 });
  const { hart } = machine;
  hart.mode = Mode.M;
  for (let n = 1; n < 32; n++) hart.x[n] = n * 0x101;
  // The slot's address is what counts: the word is at the start of RAM, and pc is shifted back.
  hart.pc = RAM_BASE | 0;
  machine.ram.write(4, RAM_BASE, word);
  step(machine);
  const changed = ABI_NAMES.find((_, n) => n > 0 && hart.x[n] !== n * 0x101);
  return { pc: (hart.pc - RAM_BASE + slot) >>> 0, changed };
}

function* links(): Generator<[slot: number, target: number]> {
  const slot = 0xfffc_0100;
  yield [slot, slot + 0x40];
  yield [slot, slot - 0x80];
  yield [slot, slot + 0x1_2346];
  yield [slot, slot - REACH];
  yield [slot, slot - REACH - 2];
  yield [slot - REACH, slot - 2];
  yield [slot - REACH, slot];
  const random = randomNumbers(11);
  for (let n = 0; n < 200; n++) {
    const from = 0xffc0_0000 + 2 * random.below(0xf_0000);
    yield [from, from + 2 * (random.below(REACH + 0x3_0000) - 0x9_0000)];
  }
}

export const chain: Exercise<(slot: number, target: number) => number | undefined> = {
  id: '09-chain',
  title: 'chain a block to the next',
  passed: `The hart gets from each of ${[...links()].length} slots to its block, with all registers as they were; where it can't, you say so.`,
  hints: [
    'The slot has four bytes. Which jump needs no register, and writes none?',
    '`jal` with rd = 0. Its immediate is the distance: target − slot.',
    '`encode(rowByName("jal")!, { rd: 0, imm: target - slot })`. From −1,048,576 up to 1,048,574 it reaches; beyond that return undefined.',
  ],
  test(solution) {
    for (const [n, [slot, target]] of [...links()].entries()) {
      const distance = target - slot;
      const reaches = distance >= -REACH && distance < REACH;
      const where = `The slot is at ${hex(slot)}, the block at ${hex(target)}, ${Math.abs(distance).toLocaleString('en-GB')} bytes ${distance < 0 ? 'back' : 'on'}`;
      const word = inCase(`${where}.`, () => solution(slot, target));
      if (word === undefined && !reaches) continue;
      if (!reaches) return { message: `${where}: no jump reaches that far. The slot must stay a call.` };
      if (word === undefined)
        return { untouched: n === 0, message: `${where}, within reach: your function gives no word.` };
      if (!Number.isInteger(word))
        return { message: `${where}: your function gives ${String(word)}, which is no word.` };
      const { pc, changed } = executeAt(slot, word);
      if (pc !== target)
        return {
          message: `${where}. Your word is \`${disassemble(word, slot)}\`, and the hart gets to ${hex(pc)}.`,
        };
      if (changed !== undefined)
        return {
          message: `${where}. Your word is \`${disassemble(word, slot)}\`: it gets there, and destroys the guest's ${changed}.`,
        };
    }
    return undefined;
  },
};

// --------------------------------------------------------------------------------- 09-indirect

/** Where the cache has the block for an address of the guest; undefined: nowhere. */
export type LookUp = (pc: number) => number | undefined;

interface IndirectCase {
  name: string;
  operands: { rd?: number; rs1: number; imm?: number };
  value: number;
  isKnown: boolean;
}

const RA = registerNumber('ra')!;
const A1 = registerNumber('a1')!;
const CODE = 0x8040_0000 | 0;

function* indirectCases(): Generator<IndirectCase> {
  const to = CODE + 0x200;
  yield { name: 'jalr', operands: { rd: 0, rs1: A1, imm: 0 }, value: to, isKnown: true };
  yield { name: 'jalr', operands: { rd: RA, rs1: A1, imm: 8 }, value: to, isKnown: true };
  yield { name: 'jalr', operands: { rd: RA, rs1: RA, imm: 0 }, value: to, isKnown: true };
  yield { name: 'jalr', operands: { rd: RA, rs1: A1, imm: 1 }, value: to, isKnown: true };
  yield { name: 'c.jalr', operands: { rs1: A1 }, value: to, isKnown: true };
  yield { name: 'c.jr', operands: { rs1: RA }, value: to, isKnown: false };
  yield { name: 'jalr', operands: { rd: RA, rs1: A1, imm: -4 }, value: to, isKnown: false };
  const random = randomNumbers(13);
  for (let n = 0; n < 200; n++)
    yield {
      name: 'jalr',
      operands: { rd: random.below(32), rs1: random.below(32), imm: random.below(4096) - 2048 },
      value: random.word(),
      isKnown: random.below(2) === 0,
    };
}

function judgeIndirect(
  { name, operands, value, isKnown }: IndirectCase,
  solution: (x: Int32Array, guest: GuestInstruction, lookUp: LookUp) => number | undefined,
): Failure | undefined {
  const word = encode(rowByName(name)!, operands);
  const { hart } = createMachine({ ram: 4096 });
  hart.pc = CODE;
  if (operands.rs1 !== 0) hart.x[operands.rs1] = value;
  const x = Int32Array.from(hart.x);
  const instruction = readInstruction((va) => (va === CODE ? word & 0xffff : word >>> 16), CODE)!;
  execute(hart, instruction.instruction!);
  const target = hart.pc;
  const place = 0xfffc_0000 + (target & 0xffe);
  const asked: number[] = [];
  const base = operands.rs1 === 0 ? '' : `, with ${ABI_NAMES[operands.rs1]} = ${hex(value)}`;
  const where = `The guest executes \`${disassemble(word, CODE)}\` at ${hex(CODE)}${base}.`;
  const lookUp: LookUp = (pc) => {
    asked.push(pc);
    return isKnown && (pc | 0) === target ? place : undefined;
  };
  const found = inCase(where, () => solution(x, { ...instruction }, lookUp));
  const untouched = asked.length === 0 && found === undefined;
  if (untouched) return { untouched, message: `${where} Your function doesn't look up where it goes.` };
  if (!asked.some((pc) => (pc | 0) === target))
    return {
      message: `${where} It goes to ${hex(target)} in the guest; your function looks up ${asked.length === 0 ? 'nothing' : hex(asked[0])}.`,
    };
  if (found !== (isKnown ? place : undefined))
    return {
      message: isKnown
        ? `${where} The cache has the block for ${hex(target)} at ${hex(place)}; your function gives ${String(found)}.`
        : `${where} The cache has no block for ${hex(target)}: that is for the hypervisor, so give undefined, not ${String(found)}.`,
    };
  const wrong = ABI_NAMES.findIndex((_, n) => x[n] !== hart.x[n]);
  if (wrong < 0) return undefined;
  return {
    message: `${where} Afterwards ${ABI_NAMES[wrong]} should be ${hex(hart.x[wrong])}; it is ${hex(x[wrong])}.`,
  };
}

export const indirect: Exercise<
  (x: Int32Array, guest: GuestInstruction, lookUp: LookUp) => number | undefined
> = {
  id: '09-indirect',
  title: 'an indirect jump',
  passed: `In ${[...indirectCases()].length} jumps your code goes to the right place in the cache, and the guest sees its own addresses only.`,
  hints: [
    'Two things happen: a register gets the return address, and the hart goes to rs1 + imm. Both are addresses of the guest. Which must be computed first if rd and rs1 are the same?',
    'The target is rs1 + imm with bit 0 cleared. The link is `guest.pc + guest.length`: the guest may look at it, so it must not be an address of the cache.',
    '`const target = (x[rs1] + imm) & ~1`; then, if rd isn’t 0, `x[rd] = guest.pc + guest.length`; then `return lookUp(target)`. x0 is always 0: never write it.',
  ],
  test(solution) {
    for (const theCase of indirectCases()) {
      const failure = judgeIndirect(theCase, solution);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};
