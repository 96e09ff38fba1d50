/**
 * What things cost, in cycles. A run costs its instructions and what is charged on top of them.
 *
 * A preset is a table of unit costs with the source of its numbers. Nothing else in the library
 * knows a number of cycles: a handler says what it does (so many instructions, a CSR read, a
 * cache miss), and the table of the machine says what that costs.
 */

/** Cycles for one of each. What a memory access costs comes on top of its instruction. */
export interface CostTable {
  name: string;
  source: string;
  instruction: number;
  /** A load or store that hits the first-level cache, beyond its instruction. */
  l1: number;
  /** … that hits the second level. */
  l2: number;
  /** … that goes to memory. */
  memory: number;
  csrRead: number;
  csrWrite: number;
  deviceRegister: number;
  /** Entering and leaving a trap handler. */
  trapIn: number;
  trapOut: number;
  /** Entering it by `ecall`: processors have a faster way in for that. */
  callIn: number;
  /** Leaving a guest that runs with the hardware's help (H), and entering it. */
  vmExit: number;
  vmEntry: number;
  /** Reading and writing a register of such a guest: on some processors these are fields in memory. */
  guestRead: number;
  guestWrite: number;
  /** Reading one page-table entry, when the TLB does not know a page. */
  pageTableRead: number;
}

/** What can be charged: a kind of work and how often it was done. */
export type Work = Partial<Record<Exclude<keyof CostTable, 'name' | 'source'>, number>>;

/** Unit costs by preset. */
export const COSTS = {
  /**
   * Instruction 1, L1 2 to 3, L2 10 to 15, memory 50 to 150, CP15 read 10 to 20 and write 100 are
   * from Varanasi & Heiser 2011, table 1; "about a dozen" cycles for a trap from its section 3.1.
   * The device register and the choice within each range are fitted to their totals.
   */
  'arm-est': {
    name: 'arm-est',
    source: 'Varanasi & Heiser, Hardware-Supported Virtualization on ARM, APSys 2011, table 1',
    instruction: 1,
    l1: 2,
    l2: 12,
    memory: 100,
    csrRead: 15,
    csrWrite: 100,
    deviceRegister: 40,
    trapIn: 12,
    trapOut: 12,
    callIn: 12,
    vmExit: 50,
    vmEntry: 20,
    guestRead: 15,
    guestWrite: 100,
    pageTableRead: 12, // from the second level: Agesen et al. 2010 argue so for x86
  },
  /**
   * 3.8 GHz, the first generation with VT-x. Published: divzero 889 (trap in and out), syscall 242 (call in
   * and out), `in` 3209, cr8 write 150, entry 2409, page-fault exit 1931, VMCB read 178 and write 171.
   * The split of 889 and 242 is fitted; that reading a control register costs what writing does is
   * assumed; caches and page tables are as on arm-est, for want of figures.
   */
  'p4-vt': {
    name: 'p4-vt',
    source:
      'Adams & Agesen, A Comparison of Software and Hardware Techniques for x86 Virtualization, ASPLOS 2006, section 6 and table 1',
    instruction: 1,
    l1: 2,
    l2: 12,
    memory: 100,
    csrRead: 150,
    csrWrite: 150,
    deviceRegister: 3209,
    trapIn: 769,
    trapOut: 120,
    callIn: 122,
    vmExit: 1931,
    vmEntry: 2409,
    guestRead: 178,
    guestWrite: 171,
    pageTableRead: 12,
  },
  /**
   * The next generation. Published: entry 937, page-fault exit 1186, VMCB read 52 and write 44. Classic
   * traps and control registers are assumed at half of p4-vt's, devices at the same, for they are not
   * the processor's.
   */
  'core2-vt': {
    name: 'core2-vt',
    source: 'Adams & Agesen, ASPLOS 2006, table 1; what it does not give is half of p4-vt',
    instruction: 1,
    l1: 2,
    l2: 12,
    memory: 100,
    csrRead: 75,
    csrWrite: 75,
    deviceRegister: 3209,
    trapIn: 385,
    trapOut: 60,
    callIn: 61,
    vmExit: 1186,
    vmEntry: 937,
    guestRead: 52,
    guestWrite: 44,
    pageTableRead: 12,
  },
} as const satisfies Record<string, CostTable>;

export type CostPreset = keyof typeof COSTS;

/**
 * What a hypervisor does on every exit and entry, and to find out what a trapped instruction
 * wanted: instruction totals are those of Varanasi & Heiser 2011, table 2 (entry 89, exit 31,
 * decoding 73); how they split into cache hits and misses is fitted to the cycles given there.
 * Decoding begins with loading the instruction as data, which is a certain miss: code is in the
 * instruction cache.
 */
export const SAVE_GUEST: Work = { instruction: 89, l1: 32, memory: 2, csrRead: 3 };
export const RESTORE_GUEST: Work = { instruction: 31, l1: 29, csrWrite: 1 };
export const DECODE: Work = { instruction: 73, l2: 10, memory: 1 };

/**
 * Taking and leaving a hypercall, which saves only what a call may change: 60 instructions, 20 of
 * them on cached data, and two registers read, from which Varanasi & Heiser 2011 get 150 cycles.
 */
export const HYPERCALL_IN: Work = { instruction: 40, l1: 13, csrRead: 2 };
export const HYPERCALL_OUT: Work = { instruction: 20, l1: 7 };

export const NO_WORK: Work = {};

/** A load or store that goes to a device, beyond its instruction. */
export const DEVICE_ACCESS: Work = { deviceRegister: 1 };

/** Reading or writing one word of a virtual CPU, which the hypervisor keeps in memory. */
export const VCPU_ACCESS: Work = { instruction: 1, l1: 1 };

/** Changing a little virtual state, once it is known what to do: a few instructions on cached data. Ours. */
export const EMULATE: Work = { instruction: 12, l1: 4 };

/**
 * A call of the hypervisor from code that the hypervisor has made: it knows what is wanted, and which
 * registers the code had for itself. Half of the registers are saved, as in any call. Ours.
 */
export const SAVE_FOR_CALLOUT: Work = { instruction: 20, l1: 16, csrRead: 1 };
export const RESTORE_AFTER_CALLOUT: Work = { instruction: 18, l1: 16 };

/**
 * Translating one instruction: reading it (as data: a certain miss), decoding, choosing, writing. Fitted
 * to the 2300 cycles of the translator in Adams & Agesen 2006, section 3.
 */
export const TRANSLATE_INSTRUCTION: Work = { instruction: 1500, l1: 300, l2: 8, memory: 1 };

/** Looking for a block by the guest's address. Ours. */
export const FIND_BLOCK: Work = { instruction: 20, l1: 4, l2: 1 };

/** Finding out about a page fault and filling a shadow: Varanasi & Heiser 2011, table 2 (page fault: 236). */
export const FILL_SHADOW: Work = { instruction: 236, memory: 4, csrWrite: 1, l2: 9 };

/** Taking one entry of a guest's page table over into a shadow: reading, checking, writing. Ours. */
export const SYNC_ENTRY: Work = { instruction: 24, l1: 2, l2: 1 };

/** Clearing a frame of 4 KiB, 64 cache lines of it. Ours. */
export const CLEAR_FRAME: Work = { instruction: 128, l2: 64 };

/** Making the TLB forget something: the like of a write to a control register. Ours. */
export const FLUSH_TLB: Work = { csrWrite: 1 };

/** Putting another page table in force. */
export const SWITCH_TABLES: Work = { csrWrite: 1 };

/**
 * Giving the hart to another VM, from one exit to the next entry: choosing it (35 instructions, one
 * register: what is left of a world switch of Varanasi & Heiser's when saving and restoring are counted
 * elsewhere), and writing the registers that say which memory may be touched.
 */
export const WORLD_SWITCH: Work = { instruction: 35, l1: 8, csrRead: 1, csrWrite: 6 };

/** Exchanging the supervisor registers of two guests that have the real ones to themselves. */
export const SWITCH_SUPERVISOR_CSRS: Work = { instruction: 20, l1: 20, csrRead: 10, csrWrite: 10 };

/**
 * Carrying out one instruction in software: fetching it through the guest's page tables, decoding it and
 * calling the routine for it, all from the first-level cache. Ours; Bochs, a good interpreter, takes
 * some tens of cycles, too.
 */
export const INTERPRET: Work = { instruction: 40, l1: 8 };

/** The cycles that some work takes at these unit costs. */
export function cyclesOf(work: Work, costs: CostTable): number {
  let cycles = 0;
  for (const kind in work) cycles += (work[kind as keyof Work] ?? 0) * costs[kind as keyof Work];
  return cycles;
}

/** Two works, one after the other. */
export function sumOf(first: Work, second: Work): Work {
  const sum: Work = { ...first };
  for (const kind in second)
    sum[kind as keyof Work] = (first[kind as keyof Work] ?? 0) + second[kind as keyof Work]!;
  return sum;
}

/** Counts the cycles of a machine. */
export class Clock {
  cycles = 0;
  /** While set, work takes no time: for comparing two ways to do it step by step. */
  paused = false;

  /** What each work that was charged before costs. */
  private readonly known = new WeakMap<Work, number>();

  constructor(readonly costs: CostTable) {}

  /** Lets the time pass that some work takes. An object stands for the same work each time. */
  charge(work: Work): void {
    if (this.paused) return;
    let cycles = this.known.get(work);
    if (cycles === undefined) this.known.set(work, (cycles = cyclesOf(work, this.costs)));
    this.cycles += cycles;
  }
}
