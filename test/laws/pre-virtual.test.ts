// Pre-virtualization's laws: random guests, prepared by the pass, leave under each wedge what the same
// binary leaves on the bare machine, and touch nothing outside of their VM. (Guests that look at
// their own text or jump into a pad are none that an assembler's source makes; they are left out.)
import {
  assemble,
  createMachine,
  DEFAULT_ORIGIN,
  Firmware,
  MiB,
  PreVirtual,
  type Program,
  previrtualize,
  RAM_BASE,
  SiteClass,
  WEDGES,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { differences, hartState } from '../../kernel-lib/lab/hart-state';
import { randomNumbers } from '../../kernel-lib/lab/random';
import { programs, seeded } from './campaign';
import { type Random, randomSteps, source as withPaging } from './paging-guests';
import { shrink } from './shrink';

const RUNS = Math.ceil(programs(160) / 4);
const RAM = 8 * MiB;
const BUDGET = 5_000;
const PATIENCE = { timeout: 60_000 + 1_000 * RUNS };
/** What is in the RAM before the guest's. */
const SECRET = Buffer.alloc(4 * MiB, 0x5a);
const wedges = Object.keys(WEDGES) as (keyof typeof WEDGES)[];

const prepared = (text: string, pad: number): Program => {
  const { source } = previrtualize(text, { pads: { [SiteClass.Csr]: pad } });
  return assemble(source, { origin: DEFAULT_ORIGIN });
};

/** What is left of a guest, its text aside: that the wedge has changed. */
function left(ram: Uint8Array, image: Program): Buffer {
  const bytes = Buffer.from(ram);
  for (const { address, size, executable } of image.segments)
    if (executable) bytes.fill(0, address - RAM_BASE, address - RAM_BASE + size);
  return bytes;
}

/** What differs under a wedge, in words. */
function wrongWith(wedge: keyof typeof WEDGES, image: Program): string[] {
  const bare = createMachine({ ram: RAM });
  new Firmware(bare).boot(image);
  const wanted = bare.run({ instructions: BUDGET });
  if (wanted.reason === 'budget') return [];
  const machine = createMachine({ ram: 2 * RAM });
  const outside = machine.ram.bytes.subarray(0, 4 * MiB).fill(SECRET[0]);
  const hypervisor = new PreVirtual(machine, { wedge, memory: { base: RAM_BASE + 4 * MiB, size: RAM } });
  hypervisor.boot(image);
  const found = hypervisor.run({ instructions: 20 * BUDGET });
  const { vm } = hypervisor;
  const wrong = differences(hartState(bare.hart), hartState(vm.hart));
  return [
    ...(found.reason === wanted.reason ? [] : [`ended with ${found.reason}, not ${wanted.reason}`]),
    ...wrong.map(({ place, wanted, found }) => `${place} is ${found}, not ${wanted}`),
    ...(left(bare.ram.bytes, image).equals(left(vm.guest.ram.bytes, image)) ? [] : ['memory differs']),
    ...(SECRET.equals(outside) ? [] : ['it wrote outside of its VM']),
  ];
}

function law(
  wedge: keyof typeof WEDGES,
  stepsOf: (random: Random) => string[],
  source: (s: readonly string[]) => string,
) {
  const random = randomNumbers(seeded(32));
  let ended = 0;
  for (let run = 0; run < RUNS; run++) {
    const steps = stepsOf(random);
    const pad = random.pick([0, 1, 2, 4, 8]);
    const fails = (some: readonly string[]) => wrongWith(wedge, prepared(source(some), pad));
    const wrong = fails(steps);
    ended++;
    if (wrong.length === 0) continue;
    const shortest = shrink(steps, (fewer) => fails(fewer).length > 0);
    throw new Error(
      `${wedge}, guest ${run}, pads of ${pad}: ${fails(shortest).join('; ')}\n${shortest.join('\n----\n')}`,
    );
  }
  expect(ended).toBe(RUNS);
}

const QUIET = ['sstatus', 'sscratch', 'sepc', 'scause', 'stval', 'sie'];
const OPERATIONS = ['csrrw', 'csrrs', 'csrrc'];
/** What may be done to `sip` at any time: the wedge "sharing" is late with interrupts, so a guest that makes one waits for it. */
const CALMING = ['csrrc', 'csrrci', 'csrr'];
let labels = 0;

/** One step of a guest that does what kernels do to their state: every CSR instruction, traps, interrupts, user mode. */
function step(random: Random): string {
  const register = () => random.pick(['a0', 'a1', 'a2', 'sp', 's2', 't5', 't6', 'zero']);
  const label = `l${labels++}`;
  switch (random.below(9)) {
    case 0: {
      const operation = random.pick(CALMING);
      const operand = { csrrc: `, ${register()}`, csrrci: `, ${random.below(32)}` }[operation] ?? '';
      return `${operation} ${register()}, sip${operand}`;
    }
    case 1:
    case 2:
    case 8:
      return `${random.pick(OPERATIONS)} ${register()}, ${random.pick(QUIET)}, ${register()}`;
    case 3:
      return `${random.pick(OPERATIONS)}i ${register()}, ${random.pick(QUIET)}, ${random.below(32)}`;
    case 4:
      return random.pick(['csrci sstatus, 2', 'csrsi sstatus, 2', 'csrr a3, sepc', 'csrw sscratch, sp']);
    case 5:
      return random.pick(['ebreak', 'sfence.vma', 'fence.i', '.word 0', 'lw a4, -4(zero)', 'mret']);
    case 6: // a software interrupt: however late it comes, it comes
      return `csrsi sie, 2\n lw s4, 0(s0)\n csrsi sip, 2\n csrsi sstatus, 2\n${label}: lw s5, 0(s0)\n beq s4, s5, ${label}\n csrw sepc, zero`;
    default: // user mode and back
      return `li t0, 0x100\n csrc sstatus, t0\n la t0, user\n csrw sepc, t0\n la s10, ${label}\n sret\n${label}:`;
  }
}

/** A kernel around steps: traps are counted and what they leave is added up, in memory. */
const withTraps = (steps: readonly string[]) => `
_start: la   t0, handler
        csrw stvec, t0
        la   s0, counts
        la   s1, log
${steps.join('\n')}
        csrci sstatus, 2
        csrw sie, zero
        li   t1, 0x100000
        li   t2, 0x5555
        sw   t2, 0(t1)
user:   addi a5, a5, 1
        csrr a5, sepc
        ecall
        .align 2
handler: csrr t3, scause
        bltz t3, interrupt
        lw   t4, 4(s0)
        add  t4, t4, t3
        sw   t4, 4(s0)
        csrr t3, stval
        lw   t4, 8(s0)
        xor  t4, t4, t3
        sw   t4, 8(s0)
        csrr t3, sepc
        li   t4, 0x100
        csrs sstatus, t4
        beqz s10, 1f
        mv   t3, s10
        li   s10, 0
        j    2f
1:      addi t3, t3, 4
2:      csrw sepc, t3
        sret
interrupt:
        csrci sip, 2
        lw   t4, 0(s0)
        addi t4, t4, 1
        sw   t4, 0(s0)
        sret
        .data
counts: .space 16
log:    .space 64
`;

describe.each(wedges)('under the wedge "%s"', (wedge) => {
  it(`${RUNS} random guests with traps and interrupts leave what the bare machine leaves`, PATIENCE, () => {
    law(wedge, (random) => Array.from({ length: 16 }, () => step(random)), withTraps);
  });

  it(`${RUNS} random guests with paging leave what the bare machine leaves`, PATIENCE, () => {
    law(wedge, randomSteps, withPaging);
  });
});
