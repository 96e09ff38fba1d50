/** Blocks of guest code to try a translator on: simple ones in an order that teaches, then random ones. */
import { assemble, DEFAULT_ORIGIN } from '../../../code/assemble';
import type { Program } from '../../../code/program';
import { discover, UNIT_LIMIT } from '../../../hypervisor/binary-translation/discover';
import type { GuestInstruction } from '../../../hypervisor/binary-translation/treatment';
import { randomNumbers } from '../../random';
import type { Trial } from './block-trial';

const REGISTERS = ['ra', 't0', 't1', 't2', 's0', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5'];

/** A block as text, with the state that the guest comes to it in: values by register. */
export interface Case {
  text: readonly string[];
  registers: Readonly<Record<string, number>>;
}

/** The program around a block: it makes the state and jumps there. `far` and `near` are places to go to. */
export function trialOf({ text, registers }: Case): Trial {
  const settings = Object.entries(registers).map(([register, value]) => `li ${register}, ${value}`);
  const program = assemble(
    `_start: la    s11, handler
        csrw  stvec, s11
        li    s11, 0x100
        csrs  sstatus, s11
        csrsi sstatus, 2
        la    s11, far
        csrw  sepc, s11
        csrw  sscratch, s11
        la    s10, scratch
        la    s9, far
        la    s8, near
        ${settings.join('\n')}
        j     block
        .balign 4
near:   c.nop
        j     end
        .balign 64
block:  ${text.join('\n')}
        j     end
handler: j    end
end:    j     end
        .balign 2048
far:    c.nop
        j     end
        .balign 16
scratch: .word 0x11223344, 0x80000001, 7, 0
`,
    { file: 'trial.s', origin: DEFAULT_ORIGIN },
  );
  const at = (label: string) => program.labels.get(label) ?? program.entry;
  const block = at('block');
  const guests = blockAt(program, block);
  const bytes = guests.reduce((sum, { length }) => sum + length, 0);
  return { program, block, scratch: at('scratch'), instructions: guests.length, bytes };
}

/** The instructions of a program from an address on, up to the end of the basic block. */
export function blockAt(program: Program, address: number): GuestInstruction[] {
  return discover((va) => halfAt(program, va), address | 0);
}

/** The 16 bits at an address; undefined where the program has nothing. */
export function halfAt({ segments }: Program, va: number): number | undefined {
  for (const { address, bytes } of segments) {
    const offset = (va >>> 0) - address;
    if (offset >= 0 && offset + 2 <= bytes.length) return bytes[offset] | (bytes[offset + 1] << 8);
  }
  return undefined;
}

const BEFORE = { a0: 0x1234, a1: 0x5678, a2: -3, a3: 4, t0: 0x10 };

/** One kind of instruction after the other. */
export const TEACHING: readonly Case[] = [
  ['add a0, a1, a2'],
  ['lw a0, 4(s10)', 'sw a1, 8(s10)'],
  ['c.addi a0, 5', 'c.mv a2, a0'],
  ['csrr a0, sstatus'],
  ['csrci sstatus, 2'],
  ['csrw sscratch, a1'],
  ['csrw stvec, s9'],
  ['auipc a0, 1'],
  ['j far'],
  ['jal ra, far'],
  ['c.j near'],
  ['c.jal near'],
  ['beq a0, a0, far'],
  ['beq a0, a1, far'],
  ['c.bnez a0, near'],
  ['jr s9'],
  ['jalr ra, 0(s9)'],
  ['c.jr s8'],
  ['c.jalr s9'],
  ['sret'],
  ['sfence.vma'],
  ['fence.i'],
  // An interrupt is waiting already, and stays so: else wfi would.
  ['csrci sstatus, 2', 'csrsi sie, 2', 'csrsi sip, 2', 'wfi', 'j far'],
  ['ebreak'],
  ['.word 0x0000000b'],
  ['mul a0, a1, a2', 'csrr a1, sstatus', 'auipc a2, 0', 'sw a1, 0(s10)', 'bne a0, a1, far'],
].map((text) => ({ text, registers: BEFORE }));

const RANDOM_CASES = 30;

/** All of them, and random ones. */
export function* cases(): Generator<Case> {
  yield* TEACHING;
  const random = randomNumbers(9);
  for (let n = 0; n < RANDOM_CASES; n++) yield randomCase(random);
}

type Random = ReturnType<typeof randomNumbers>;

function randomCase(random: Random): Case {
  const count = random.below(UNIT_LIMIT - 1);
  const body = Array.from({ length: count }, () => plainInstruction(random));
  const registers = Object.fromEntries(REGISTERS.map((register) => [register, random.word()]));
  return { text: [...body, lastInstruction(random)], registers };
}

function plainInstruction(random: Random): string {
  const [rd, rs1, rs2] = [0, 1, 2].map(() => random.pick(REGISTERS));
  const small = random.below(31) - 15;
  return random.pick([
    `add ${rd}, ${rs1}, ${rs2}`,
    `xori ${rd}, ${rs1}, ${small}`,
    `mulh ${rd}, ${rs1}, ${rs2}`,
    `c.mv ${rd}, ${rs1}`,
    `lw ${rd}, ${4 * random.below(4)}(s10)`,
    `sh ${rs2}, ${2 * random.below(8)}(s10)`,
    `amoadd.w ${rd}, ${rs2}, (s10)`,
    `lui ${rd}, ${random.below(2 ** 20)}`,
    `auipc ${rd}, ${random.below(2 ** 20)}`,
    `csrr ${rd}, ${random.pick(['sstatus', 'stvec', 'sscratch', 'sepc'])}`,
    `csrrw ${rd}, sscratch, ${rs1}`,
    `csrrsi ${rd}, sstatus, 2`,
    `csrrci ${rd}, sstatus, 2`,
  ]);
}

function lastInstruction(random: Random): string {
  const [rs1, rs2] = [random.pick(REGISTERS), random.pick(REGISTERS)];
  return random.pick([
    `${random.pick(['beq', 'bne', 'blt', 'bgeu'])} ${rs1}, ${rs2}, ${random.pick(['near', 'far'])}`,
    'j far',
    `jal ${random.pick(['ra', 't0'])}, near`,
    `jalr ${random.pick(['ra', 't0'])}, 0(${random.pick(['s8', 's9'])})`,
    'c.jalr s8',
    'sret',
    'fence.i',
  ]);
}
