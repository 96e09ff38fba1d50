/**
 * What the five source documents of the course teach, row by row: the list that `npm run
 * coverage:sources` compares lessons and quizzes with.
 *
 * A row has the document (S0 to S4) and a number, its use, and what it is about in a few words of
 * ours. Uses: D demonstrated, M measured, Q asked in a quiz, N told. A row is covered by a cell
 * whose metadata name it (`"vmlab": { "covers": ["S1-08"] }`) or by a quiz question whose comment
 * does (`<!-- S1-08 -->`); one for Q only by a question. WAITING has the rows of lessons to come.
 */

/** S0: Techniques for Efficient Virtualization. S1: COMP9242 Virtualization. S2: VM Building Blocks. S3: Issues, and what to do. S4: Virtualization Techniques. */
export interface InventoryRow {
  /** `S1-08`; the questions of S0's quiz are `S0 Q1` to `S0 Q6`. */
  id: string;
  /** Letters from D, M, Q, N. */
  use: string;
  about: string;
}

const row = (id: string, use: string, about: string): InventoryRow => ({ id, use, about });

export const INVENTORY: readonly InventoryRow[] = [
  row('S0-01', 'D', 'type 1: the guest kernel is in virtual kernel mode, the hart in user mode'),
  row('S0-02', 'D', 'a privileged instruction traps; emulate for the kernel, refuse the application'),
  row('S0-03', 'D', 'before VT: binary translation and protection rings 0, 1, 3'),
  row('S0-04', 'D', 'kernel code is rewritten a basic block at a time'),
  row('S0-05', 'DM', 'sensitive instructions become calls; translated blocks are cached'),
  row('S0-06', 'DM', 'type 2 borrows the host’s drivers; a world switch puts everything back'),
  row('S0-07', 'M', 'VT traps a lot, traps are dear: sometimes software wins'),
  row('S0-08', 'M', 'really turning interrupts off is dear; a flag per guest is cheap'),
  row('S0 Q1', 'Q', 'what a basic block is'),
  row('S0 Q2', 'Q', 'the mode that a guest kernel runs in'),
  row('S0 Q3', 'Q', 'what hypervisors relied on before VT'),
  row('S0 Q4', 'Q', 'what replaces the sensitive instructions of a block'),
  row('S0 Q5', 'Q', 'how a type-2 hypervisor hands a hardware interrupt to its host'),
  row('S0 Q6', 'Q', 'whether VT beats translation'),
  row('S1-01', 'DM', 'an efficient, isolated duplicate; except for resources and timing'),
  row('S1-02', 'DM', 'isolated: no interference; efficient: most instructions run directly'),
  row('S1-03', 'DN', 'mainframes: several systems share a dear machine; out of fashion in the 80s'),
  row('S1-04', 'D', 'the renaissance: isolation, encapsulation, mediation'),
  row('S1-05', 'DM', 'embedded: real-time beside a standard system, instead of two boards'),
  row('S1-06', 'D', 'the hypervisor partitions, schedules, mediates, and may add hypercalls'),
  row('S1-07', 'M', 'native and hosted; hosted switches modes and contexts twice as often'),
  row('S1-08', 'DM', 'access, exception, emulation; most instructions don’t trap'),
  row('S1-09', 'DQ', 'privileged, sensitive (control, behaviour), innocuous; a NO-OP is not enough'),
  row('S1-10', 'D', 'inherently sensitive, or sensitive in context'),
  row('S1-11', 'D', 'virtualizable if all sensitive instructions are privileged'),
  row('S1-12', 'D', 'recursively virtualizable: a VMM without timing dependence'),
  row('S1-13', 'D', 'impure virtualization: why, and the two ways to replace instructions'),
  row('S1-14', 'DM', 'binary translation: on the fly, merges sequences, unmodified binary'),
  row('S1-15', 'N', 'para-virtualization: an old technique with a new name'),
  row('S1-16', 'M', 'para-virtualization: fewer traps; what the port costs'),
  row('S1-17', 'M', 'where the overhead is: state, page tables, dear and frequent traps'),
  row('S1-18', 'DM', 'a virtual status word in the guest’s memory'),
  row('S1-19', 'DM', 'state synchronised lazily, at the next forced entry'),
  row('S1-20', 'DM', 'every access to a page table traps and is translated'),
  row('S1-21', 'DM', 'shadow page tables: as weakly consistent as a TLB'),
  row('S1-22', 'D', 'x86: PUSH of the flags, tables in virtual memory, readable privilege'),
  row('S1-23', 'D', 'Itanium: vectors in virtual memory, THASH'),
  row('S1-24', 'DM', 'MIPS: k0 and k1, the price of KSEG'),
  row('S1-25', 'D', 'ARM: banked registers and CPSR from user mode, MOVS to pc'),
  row('S1-26', 'N', 'when the extensions came'),
  row('S1-27', 'D', 'Hyp mode above the kernel; VT-x root mode across the rings'),
  row('S1-28', 'DM', 'configurable traps'),
  row('S1-29', 'DM', 'emulation without and with help from the hardware'),
  row('S1-30', 'DM', 'two-stage translation, combined in the TLB'),
  row('S1-31', 'DM', 'virtual interrupts with a virtual interface for the guest'),
  row('S1-32', 'NM', 'how large hypervisors are'),
  row('S1-33', 'M', 'the table of overheads, pure against para-virtualized'),
  row('S1-34', 'DM', 'hypervisor and microkernel, resource by resource'),
  row('S1-35', 'MN', 'what each is good at, and its drawbacks'),
  row('S2-01', 'D', 'an exact duplicate is hard; the VCPU'),
  row('S2-02', 'D', 'virtual user and virtual kernel mode, both in real user mode'),
  row('S2-03', 'M', 'user code at full speed, kernel code slower'),
  row('S2-04', 'D', 'popf and the special instructions; compatibility'),
  row('S2-05', 'D', 'the rule of translation: who runs natively, what is translated'),
  row('S2-06', 'M', '950,000 translations of 3 µs when Windows XP boots'),
  row('S2-07', 'DM', 'tables of the VMM behind those of the guest (called nested; they are shadow tables)'),
  row('S2-08', 'D', 'VT-x and AMD-V: guest and host mode, the CPU keeps the VCPU'),
  row('S3-01', 'D', 'silent failure, and no clean separation'),
  row('S3-02', 'DM', 'rewriting silent failures; 80 to 95 % of native speed'),
  row('S3-03', 'DM', 'the guest knows; 1.36 % of Linux, 0.04 % of Windows'),
  row('S4-01', 'DM', 'full virtualization: state split, faults; keep traps few'),
  row('S4-02', 'DM', 'scanned and replaced at load time; what is hard about it'),
  row('S4-03', 'D', 'hypercalls or virtualised resources; what is lost'),
  row('S4-04', 'D', 'rsm psr.i becomes a flip in the virtual PSR'),
  row('S4-05', 'M', 'one call for five region registers'),
  row('S4-06', 'DM', 'devices: passed through, emulated, para-virtualized'),
  row('S4-07', 'DM', 'pre-virtualization: automatic, fast and faithful'),
];

/** Rows that no lesson covers yet, each with the lesson that will. */
export const WAITING: Readonly<Record<string, string>> = {
  'S0-06': '15',
  'S1-07': '15',
  'S1-12': '16',
  'S1-26': '13',
  'S1-27': '13',
  'S1-28': '13',
  'S1-29': '13',
  'S1-30': '13',
  'S1-31': '13',
  'S1-32': '13',
  'S1-33': '13',
  'S1-34': '15',
  'S1-35': '15',
  'S2-08': '13',
  'S4-06': '14',
};
