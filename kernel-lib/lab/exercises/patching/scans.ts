/** Programs to look for sensitive instructions in: simple ones in an order that teaches, then random ones. */
import { assemble, DEFAULT_ORIGIN } from '../../../code/assemble';
import type { Program } from '../../../code/program';
import { guest } from '../../../guests/guests';
import { randomNumbers } from '../../random';

const program = (lines: readonly string[]): Program =>
  assemble(`_start:\n${lines.join('\n')}\n`, { file: 'scanned.s', origin: DEFAULT_ORIGIN });

const TEACHING = [
  ['csrr a0, sepc', 'add a0, a0, a1'],
  ['csrr a0, sepc', 'c.nop'],
  ['add a0, a0, a1', 'csrw stvec, a0', 'sret'],
  ['c.addi a0, 1', 'csrw sepc, a0', 'c.nop'],
  ['wfi', 'ecall', 'ebreak', 'sfence.vma', 'fence.i', 'fence'],
  ['.half 0', 'csrr a0, sstatus', '.word 0xffffffff', 'csrci sstatus, 2'],
  ['j 1f', '.word 0x14102573', '.half 0x0003', '1: csrr a0, sepc', 'c.nop', 'csrw sepc, a0'],
];

const LINES = [
  'add a0, a1, a2',
  'c.addi a0, 1',
  'c.mv a1, a2',
  'lw a0, 8(sp)',
  'lui a3, 0x14102',
  'csrr a0, sstatus',
  'csrrw a0, sscratch, a1',
  'csrsi sstatus, 2',
  'rdtime a0',
  'sret',
  'wfi',
  'sfence.vma',
  'c.ebreak',
  'ecall',
  '.half 0x3003',
  '.half 0',
  '.word 0x10500073',
];
const RANDOM_PROGRAMS = 60;

const nameOf = (lines: readonly string[]) => `the program ${lines.map((line) => `\`${line}\``).join(', ')}`;

/** All of them, with their names for a sentence. */
export function* scanned(): Generator<{ name: string; program: Program }> {
  for (const lines of TEACHING) yield { name: nameOf(lines), program: program(lines) };
  const random = randomNumbers(8);
  for (let n = 0; n < RANDOM_PROGRAMS; n++) {
    const lines = Array.from({ length: 1 + random.below(12) }, () => random.pick(LINES));
    yield { name: nameOf(lines), program: program(lines) };
  }
  for (const name of ['hello', 'nano-os']) yield { name: `the guest ${name}`, program: guest(name) };
}
