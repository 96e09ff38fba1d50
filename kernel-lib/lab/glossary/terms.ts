/**
 * The words of the course: what each means here, and the lesson in which it is met first.
 *
 * Hardware's words are the RISC-V manual's, techniques' those of their papers. An entry is
 * `term (other names), lesson: meaning`; lines that begin with a space go on with the one before.
 * The order does not matter: `glossary.ts` sorts.
 */

export interface Term {
  term: string;
  /** Two digits. */
  lesson: string;
  meaning: string;
  /** Other names, and forms that one would look for. */
  also: readonly string[];
}

/** The machine. */
const MACHINE = `
hart (CPU, processor), 01: A hardware thread: what executes instructions, with its registers, CSRs and
  mode. Our machine has one.
CSR (control and status register), 03: Control and status register: a register, with a number of its own,
  through which software reads and changes how the hart works.
mode (privilege mode, privilege level), 01: What the hart may do at the moment: machine (M), supervisor
  (S) or user (U), from most to least privileged.
trap, 01: The hart stops what it does and goes to a handler, in the same mode or a more privileged one,
  because of an exception or an interrupt.
exception (fault), 03: A trap caused by an instruction: it is illegal here, its memory access fails, or it
  asks for it (ecall, ebreak).
interrupt, 04: A trap caused from outside the instruction stream: by the timer, a device or software.
cause (mcause, scause, exception code), 03: The number that says why a trap was taken. It stands in mcause
  or scause.
trap vector (stvec, mtvec, exception vector), 03: The address at which a trap handler begins: mtvec,
  stvec.
ecall (environment call, system call), 03: The instruction with which software calls the next layer: a
  process its kernel, a kernel its firmware or hypervisor. It traps in every mode.
sret (return from trap), 03: The instruction that returns from a trap into supervisor mode: mode and
  interrupt enable come back from sstatus, pc from sepc.
sstatus (SIE, SPIE, SPP, status register), 03: The supervisor’s status register: among others whether
  interrupts are enabled (SIE), were before the trap (SPIE), and where the trap came from (SPP).
delegation (medeleg, mideleg, hedeleg, hideleg), 13: Traps that the hart hands to a less privileged mode
  at once: medeleg and mideleg from M to S, hedeleg and hideleg from HS to VS.
satp (page-table root), 05: The CSR that holds the physical page number of the page table’s root, and
  whether addresses are translated at all.
page table (Sv32), 05: The tree in memory that says which physical page a virtual page means, and who may
  do what there.
PTE (page-table entry), 05: Page-table entry: a page number with the bits V, R, W, X, U, G, A and D.
A and D bits (accessed, dirty), 05: Bits of a page-table entry: accessed and dirty. Hardware sets them, or
  faults so that software can.
TLB (translation lookaside buffer), 05: The cache of address translations. After a change of the page
  table it may be stale until sfence.vma.
sfence.vma (TLB flush), 05: The instruction that makes later translations see earlier writes to the page
  table.
fence.i (instruction-cache flush), 09: The instruction that makes later fetches see earlier writes to
  code.
wfi (idle), 04: Wait for interrupt: a hint that there is nothing to do. A hypervisor takes it as leave to
  run another guest.
MMIO (memory-mapped I/O, device register), 03: Memory-mapped input and output: device registers that are
  read and written by loads and stores.
firmware (SBI), 03: What runs in machine mode below a kernel: boots it, and answers its calls (the SBI),
  for example for the timer.
cost preset (cost model, unit cost), 03: A table of unit costs in cycles (instruction, memory access,
  trap, exit), from which the cycles of a run are made up.
profile (defect), 07: A machine with defects: instructions that don’t trap where RISC-V’s would, after
  x86, Itanium, MIPS or ARM.
DMA (direct memory access), 14: Direct memory access: a device reads and writes memory by itself, at
  physical addresses.
`;

/** What virtual machines are. */
const THEORY = `
virtual machine (VM), 01: An efficient, isolated duplicate of a real machine.
hypervisor (virtual-machine monitor, VMM), 01: The software that makes virtual machines. Here the same as
  a virtual-machine monitor.
guest (guest operating system), 01: What runs in a virtual machine: an operating system with its
  processes.
equivalence (duplicate, fidelity), 01: A program does in the virtual machine what it does on the real one,
  timing and the amount of resources aside.
isolation (resource control), 01: A guest touches nothing but its own, and cannot keep the machine for
  itself: the hypervisor controls the resources.
efficiency, 01: Most of a guest’s instructions run directly on the hardware, without the hypervisor. An
  emulator has not got this property.
direct execution (native execution), 01: Guest instructions run on the real hart as they are.
virtual CPU (VCPU, virtual hart, virtual processor), 01: The state of a hart as the guest believes it to
  be. Loaded when the guest gets the real hart, stored when it loses it.
interpreter (emulator, full emulation), 01: Software that reads instructions one by one and does what they
  say. Slow, and needs nothing of the hardware.
privileged instruction, 02: One that executes in privileged mode and traps in user mode. Doing nothing in
  user mode is not enough.
privileged state, 02: What decides over resources: mode, addressing context, trap vectors, interrupt
  enable.
sensitive instruction, 02: One that is control-sensitive or behaviour-sensitive.
control-sensitive (control sensitive), 02: Changes privileged state.
behaviour-sensitive (behaviour sensitive, behavior-sensitive), 02: Exposes privileged state: what it does
  depends on it. An instruction that is ignored in user mode is one.
innocuous, 02: Neither changes privileged state nor exposes it.
critical instruction, 02: Sensitive and not privileged: the hypervisor never hears of it.
witness (witness pair), 02: Two states that differ only in privileged state, and in which an instruction
  does different things: the proof that it is sensitive.
virtualizable (Popek and Goldberg, classically virtualizable), 02: Said of a machine all of whose
  sensitive instructions are privileged, so that trap-and-emulate works for every guest.
recursively virtualizable (nested virtualization, recursion), 16: Said of a machine on which a virtual
  machine can run a hypervisor that runs virtual machines, and so on.
`;

/** The classic technique, and what belongs to it. */
const CLASSIC = `
trap-and-emulate (trap and emulate, pure virtualization, full virtualization), 03: The guest runs
  unprivileged; its privileged instructions trap, and the hypervisor does on the virtual hart what they
  would have done.
emulate (emulation), 03: To do in software what an instruction would have done, to the virtual state
  instead of the real one.
reflect (reflection, inject a trap), 03: To hand a trap that the hypervisor got to the guest’s own kernel,
  as the hart would have done.
dispatch (dispatcher), 03: The decision whose trap it is: the hypervisor’s to emulate, or the guest
  kernel’s.
exit (VM exit, hypervisor entry), 03: The way from the guest to the hypervisor, with all that it costs.
virtual kernel mode (virtual supervisor mode), 03: The mode a guest’s kernel believes to be in, while the
  hart is in user mode.
virtual user mode, 03: The mode a guest’s process believes to be in, and is in.
ring (protection ring), 04: A level of privilege; the lower its number, the more it may do. Classic x86
  has four.
ring compression (deprivileging, ring deprivileging), 04: Guest kernel and guest user share one real mode,
  and are kept apart by page tables instead.
virtual interrupt (vIRQ, injection), 04: An interrupt that the hypervisor makes up for the guest. It waits
  until the guest has interrupts enabled.
virtual timer, 04: The guest’s timer, kept by the hypervisor on the real one.
shadow page table (shadow paging), 05: The page table that the hardware really uses, kept by the
  hypervisor so that it says what the guest’s table means. Some texts call it nested, which it is not.
trace (write trace), 05: A write protection on a page of the guest’s page table (or code), so that the
  hypervisor hears of changes to it.
hidden fault (lazy fill), 05: A page fault that the guest does not get to see: its table had an entry, the
  shadow table had not.
eager fill (eager validation), 05: Shadow entries are made when the guest writes its own, before anyone
  asks for them.
world switch, 01: The exchange of the whole state of the machine: of one guest for another, or of a hosted
  hypervisor for its host.
time slice (scheduler), 06: How long a guest may run before the next one gets the hart.
popf (silent failure, special instruction), 07: The x86 instruction that sets all flags in kernel mode,
  and some of them in user mode, without a trap: the guest kernel’s “interrupts off” gets lost.
`;

/** Changing the guest's code. */
const CODE = `
impure virtualization, 08: Any technique that changes the guest’s code: by rewriting the binary, or by
  porting the source.
load-time patching (scan and patch, binary rewriting), 08: Sensitive instructions are looked for when the
  guest is loaded, and replaced by trapping ones or by jumps.
thunk, 08: A piece of code to which a patched instruction jumps, and which jumps back behind it.
basic block (block), 09: A short straight run of instructions: entered at its beginning, left at its end.
binary translation (BT, translator), 09: The guest’s kernel code is rewritten, a block at a time, when it
  is about to run. Sensitive instructions become calls or emulation code.
translation unit (TU), 09: What is translated in one go: instructions up to a change of control flow, or a
  dozen.
translation cache (TC, code cache), 09: The memory that holds translated blocks, so that they need not be
  translated again.
identical copy (IDENT), 09: An instruction that the translation holds unchanged. Most are.
callout (call-out), 09: A call from translated code into the hypervisor.
chaining (chain), 09: A jump at the end of a translated block straight to the next one, without asking the
  hypervisor.
indirect jump (jalr), 09: A jump whose target stands in a register, as in a return: looked up at run time
  in translated code.
self-modifying code (SMC), 09: Code that writes code. Translations of what was there must be thrown away.
precise exception (precise trap), 09: A trap at which all instructions before it are done and none behind
  it, with the guest’s own pc: in translated code too.
in-cache emulation (in-TC emulation), 10: Emulation code inside the translated block, which works on the
  virtual CPU’s memory without an exit.
adaptive translation (adaptive binary translation), 10: “Innocent until proven guilty”: a store that keeps
  faulting is translated anew, so that it no longer does.
para-virtualization (paravirtualization, PV), 11: The guest’s source is ported to an interface that is
  easier to virtualize. Needs the source, and hands to do it.
hypercall, 11: A call from the guest’s kernel to the hypervisor, on purpose.
virtual status word (virtual PSR, VPSR, shared page), 11: The guest’s interrupt enable, and the like, in
  memory that guest and hypervisor share: changed without a trap.
lazy synchronisation (lazy state, lazy update), 11: The guest’s copy of its state may be ahead; the
  hypervisor looks at it when it is entered anyway.
multicall (batching, batch), 11: Several hypercalls in one, for the price of one exit.
event channel, 11: Pending events as bits in shared memory and one callback: interrupts for
  para-virtualized guests.
pre-virtualization (previrtualization), 12: A tool prepares the guest when it is compiled; it runs on bare
  hardware and on any hypervisor for which there is a wedge.
padding (pad, nop), 12: Room (no-ops) behind a sensitive instruction, for what will replace it.
wedge (in-place VMM), 12: The piece of hypervisor inside the guest’s address space that patches a
  pre-virtualized guest and translates to the real hypervisor’s interface.
profile feedback (annotation), 12: Sensitive stores are found by running the guest and seeing which ones
  fault.
`;

/** Hardware's help, devices, and what one does with a machine that is data. */
const LATER = `
hardware assistance (VT, VT-x, AMD-V, hypervisor extension, Hyp mode), 13: The hart knows about virtual
  machines: VT-x, AMD-V, ARM’s Hyp mode, RISC-V’s hypervisor extension.
VS mode (VU mode, HS mode, V=1), 13: Virtual supervisor mode of the hypervisor extension: a guest’s kernel
  at full speed, with supervisor CSRs of its own. VU is its user mode, HS the hypervisor’s.
two-stage translation (nested paging, two-stage paging, nested page tables, hgatp, G-stage), 13: The
  hardware goes through the guest’s page table and the hypervisor’s, and keeps the result in the TLB.
guest physical address (GPA, Gpa), 05: What the guest takes for a physical address.
virtual instruction exception (cause 22), 13: Cause 22: the guest used what would be allowed to the
  hypervisor, so it is to be emulated.
pass-through (passthrough), 14: The guest gets a real device for itself.
device emulation (emulated device), 14: The guest’s driver talks to registers that the hypervisor makes
  up; several guests can share the device behind them.
ring buffer (I/O ring, virtio, virtqueue), 14: A queue in shared memory, with which a para-virtual driver
  sends requests without an exit for each.
type 1 (native hypervisor, bare-metal, type I), 15: A hypervisor that runs on the bare machine.
type 2 (hosted hypervisor, hosted, type II), 15: A hypervisor that runs on an ordinary operating system,
  beside its applications, and uses its drivers.
microkernel, 15: A kernel that has only address spaces, threads and messages; all else are processes.
IPC (message passing), 15: Inter-process communication: a microkernel’s messages.
checkpoint (snapshot), 16: The state of a machine, kept, so that it can go on from there again.
live migration (migration), 16: A virtual machine moves to another host while it runs; pages that it
  writes meanwhile are sent again.
dirty log (dirty page), 16: The list of pages written since one last looked.
record and replay (replay, deterministic), 16: All that comes from outside is noted with its time, so that
  the run can be had again, instruction for instruction.
`;

/** All terms. */
export const TERMS: readonly Term[] = [MACHINE, THEORY, CLASSIC, CODE, LATER].flatMap(readTerms);

/** @throws Error for an entry that has another form */
export function readTerms(text: string): Term[] {
  const entries = text.trim().replace(/\n +/g, ' ').split('\n');
  return entries.map((entry) => {
    const [, term, also, lesson, meaning] = /^([^(:]+?)(?: \(([^)]+)\))?, (\d\d): (.+)$/.exec(entry) ?? [];
    if (term === undefined) throw new Error(`No entry of the glossary: ${entry}`);
    return { term, lesson, meaning, also: also?.split(', ') ?? [] };
  });
}
