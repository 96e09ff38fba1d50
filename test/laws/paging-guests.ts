// Random guests with paging: lists of steps, each some lines of assembly, on a kernel that survives
// whatever they do. They map pages of their own, their own table, devices and nothing at all, touch
// them from both modes, and change SUM, MXR and the address space.
import type { randomNumbers } from '../../kernel-lib/lab/random';
import { paged, pagedSource } from '../hypervisor/paged-guest';

const PAGES = 4;
/** Where a guest with 8 MiB has nothing, but its hypervisor's machine may: behind its RAM, and far behind. */
const WILD = ['0x80800000', '0x80c00000', '0x80fff000', '0x81000000', '0x81234000', '0xfffff000'];
const STEPS = 24;

export type Random = ReturnType<typeof randomNumbers>;

/** A register to load into: a0 to a5 make what was read part of the result. */
const target = (random: Random) => `a${random.below(6)}`;
const page = (random: Random) => random.below(PAGES);
const word = (random: Random) => 4 * random.below(16);
/** An address in the window, in t1; now and then across the end of a page. */
const address = (random: Random) =>
  `li t1, WINDOW + ${page(random) * 4096 + (random.below(8) === 0 ? 4094 : word(random))}`;
const aligned = (random: Random) => `li t1, WINDOW + ${page(random) * 4096 + word(random)}`;

const fence = (random: Random, at: number) =>
  random.pick([
    'sfence.vma',
    'sfence.vma x0, x0',
    `li t1, WINDOW + ${at * 4096}\n sfence.vma t1`,
    `li t1, WINDOW + ${at * 4096}\n csrr t2, satp\n srli t2, t2, 22\n andi t2, t2, 0x1ff\n sfence.vma t1, t2`,
  ]);

/** Where a page of the window may lead: a page of its own, the table itself, a device, or nowhere. */
function entry(random: Random): string {
  const flags =
    random.pick([0x01, 0x03, 0x07, 0x09, 0x0b, 0x0f, 0xcf, 0xc7, 0x05]) | (random.below(2) * 0x10);
  const ad = random.pick([0, 0x40, 0xc0]);
  const to = random.below(16);
  if (to === 0) return `0x10000000 >> 2 | ${flags | ad}`; // the uart
  if (to >= 12) return `${random.pick(WILD)} >> 2 | ${flags | ad}`;
  if (to === 1) return `0x70000000 >> 2 | ${flags | ad}`; // nothing
  if (to === 2) return `(TABLE >> 2) | ${flags | ad}`;
  return `((PAGE + ${page(random) * 4096}) >> 2) | ${flags | ad}`;
}

let labels = 0;

/** One step of a guest, as assembly. */
function step(random: Random): string {
  const label = `l${labels++}`;
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2: {
      const at = page(random);
      return `li t0, ${entry(random)}\n sw t0, ${4 * at}(s1)\n ${fence(random, at)}`;
    }
    case 3: // twice: a hypervisor may do the first for the guest, and let it do the second itself
      return `${address(random)}\n${`${random.pick(['lw', 'lh', 'lbu'])} ${target(random)}, 0(t1)\n`.repeat(2)}`;
    case 4:
      return `${address(random)}\n${`${random.pick(['sw', 'sh', 'sb'])} ${target(random)}, 0(t1)\n`.repeat(2)}`;
    case 5:
      return `${aligned(random)}\n ${random.pick(['amoadd.w', 'amoswap.w', 'amomaxu.w'])} ${target(random)}, s1, (t1)`;
    case 6:
      return `${aligned(random)}\n lr.w ${target(random)}, (t1)\n ${random.pick(['nop', 'csrr t0, sepc'])}\n sc.w ${target(random)}, s2, (t1)`;
    case 7:
      return `li t0, ${random.pick(['0x40000', '0x80000', '0xc0000'])}\n ${random.pick(['csrs', 'csrc'])} sstatus, t0`;
    case 8: // into user mode, to the code that is at the start of every page
    case 9:
      return `li t0, 0x100\n csrc sstatus, t0\n li t0, WINDOW + ${page(random) * 4096}\n csrw sepc, t0\n li a0, WINDOW + ${page(random) * 4096 + word(random)}\n la s10, ${label}\n sret\n${label}:`;
    case 10: // a jump there, in the kernel
      return `li t0, WINDOW + ${page(random) * 4096}\n li a0, WINDOW + ${page(random) * 4096}\n la s10, ${label}\n jr t0\n${label}:`;
    case 11: // the other address space, or none: the tables are the same, but for the ASID
      return `li t0, ${random.pick(['0x80000000 | ROOT >> 12', '0x80400000 | ROOT >> 12', '0'])}\n csrw satp, t0\n sfence.vma`;
    case 12: // the window as one superpage, or as pages again
      return `li t0, ${random.pick(['0x200000cf', '0x200000df', '0x20000007', '0x20000400 | 0xcf', 'TABLE >> 2 | 1', 'TABLE >> 2 | 1'])}\n sw t0, -1024(s0)\n sfence.vma`;
    default: // read its table
      return `lw ${target(random)}, ${4 * page(random)}(s1)`;
  }
}

const START = `
        li   t0, 0x00052503          # lw a0, 0(a0)
        li   t1, 0x00a52223          # sw a0, 4(a0)
        li   t2, 0x00000073          # ecall
        li   t3, ${PAGES}
        mv   t4, s3
1:      sw   t0, 0(t4)
        sw   t1, 4(t4)
        sw   t2, 8(t4)
        li   t5, 4096
        add  t4, t4, t5
        addi t3, t3, -1
        bnez t3, 1b
`;

/** At the end: paging off, so that the log and the finisher can be reached whatever was done. */
const body = (steps: readonly string[]) => `${START}\n${steps.join('\n')}\n csrw satp, x0\n`;

export const program = (steps: readonly string[]) => paged(body(steps));

/** The same as source text, for those who work on that. */
export const source = (steps: readonly string[]) => pagedSource(body(steps));

/** What a random guest does, step by step. */
export const randomSteps = (random: Random): string[] => Array.from({ length: STEPS }, () => step(random));
