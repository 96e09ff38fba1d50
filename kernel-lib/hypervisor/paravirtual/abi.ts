/**
 * The interface between a para-virtualized guest and its hypervisor, version 1.
 *
 * **To begin**, the guest's kernel makes an SBI call of the extension EXTENSION (a7), with the version that
 * it was built for in a6: if that is another one than ours, the run ends there. With 0 it gets ours,
 * which the answer in a0 tells. Before that, it is on a machine like any other, and need not be ported at all.
 *
 * **The shared page** is from then on at the top of the guest's address space, in its kernel mode only. Its words
 * are within reach of a load or store off x0, so that the guest's kernel reads and changes its
 * *virtual status word* with single instructions that don't trap. What the guest writes there is
 * believed at its next exit, whatever that is about: state is synchronised lazily.
 *
 * **A hypercall** is an `ecall` while the word CALL is not zero: it holds the number of the call.
 * Arguments are in a0 to a3, the answer comes in a0: 0, or -1 if the hypervisor refuses. All other
 * registers are kept. With CALL zero, an `ecall` is one to the firmware (SBI), as on a bare machine.
 *
 * Addresses in calls are guest-physical. S1, Para-Virtualization; Barham et al. 2003, section 3.
 */

export const ABI_VERSION = 1;

/** The call that begins it all: an SBI extension in the space for vendors. */
export const EXTENSION = 0x0976_6d6c;

/** Where the shared words begin: 2 KiB below the top, as far down as a load off x0 reaches. */
export const SHARED_VA = 0xffff_f800;

/** Words of the shared page: offsets in bytes from SHARED_VA. */
export enum Shared {
  /** The number of the hypercall that the next `ecall` is; the hypervisor sets it back to 0. */
  Call = 0,
  /** Not 0: the guest takes interrupts. The virtual status word's most-used bit, in a word of its own. */
  Enabled = 4,
  /** Not 0: an interrupt waits for `Enabled`. Whoever sets that must look here, and call DELIVER. */
  Pending = 8,
  /** SPP and SPIE, as in `sstatus`. */
  Status = 12,
  /** What a trap into the guest's kernel leaves: `sepc`, `scause`, `stval`. */
  Epc = 16,
  Cause = 20,
  Tval = 24,
  /** Where traps go: `stvec`. */
  Tvec = 28,
  /** The guest's own, like `sscratch`. */
  Scratch = 32,
  /** The guest's own. */
  Spare = 36,
}

/** All of the shared words. */
export const SHARED_BYTES = Shared.Spare + 4;

/** Hypercalls. */
export enum Hypercall {
  /** a0: the version of this interface. */
  Version = 1,
  /** Back from a trap: pc, mode and interrupts come from Epc and Status. What `sret` is on a bare machine. */
  Return = 2,
  /** Nothing but an exit: a pending interrupt is delivered. */
  Deliver = 3,
  /** (mask): which interrupts can come, as in `sie`. */
  Enable = 4,
  /** (): until an interrupt is pending. */
  Wait = 5,
  /** (code): ends the machine. */
  Stop = 6,
  /** (satp): another address space, all of it in one call. Its tables must be pinned. */
  SwitchSpace = 7,
  /** (root): checks all entries of these tables; from now on only UPDATE changes them. */
  Pin = 8,
  /** (root): they are the guest's to write again, and no address space. */
  Unpin = 9,
  /** (list, count): page-table entries, three words each: where it is, its value, the page it is for. */
  Update = 10,
  /** (list, count): several calls in one: five words each, number and arguments. */
  Multicall = 11,
  /** (address, bytes): console output. */
  Console = 12,
  /** (): a0: how many sectors the disk has; 0 if there is none. */
  DiskSize = 13,
  /** (list, count): disk requests, four words each: sector, address, 0 to read or 1 to write, answer. */
  Disk = 14,
}

/** What one call may ask for at most: a guest must not keep the hypervisor busy. */
export const MOST_UPDATES = 2048;
export const MOST_CALLS = 64;
export const MOST_REQUESTS = 64;
export const MOST_CONSOLE_BYTES = 4096;

/**
 * The interface for a guest in assembly: EXTENSION, ABI_VERSION, a name per word (`V_ENABLED`: its address, for a load or store
 * off x0) and per call (`CALL_SWITCH_SPACE`), and the macro `hypercall NUMBER`, which changes t6.
 */
export function abiSource(): string {
  const offset = (which: number) => (SHARED_VA + which) | 0;
  const names = (table: object) => Object.keys(table).filter((name) => Number.isNaN(Number(name)));
  return [
    `        .equ EXTENSION, ${EXTENSION}`,
    `        .equ ABI_VERSION, ${ABI_VERSION}`,
    ...names(Shared).map(
      (name) => `        .equ V_${upper(name)}, ${offset(Shared[name as keyof typeof Shared])}`,
    ),
    ...names(Hypercall).map(
      (name) => `        .equ CALL_${upper(name)}, ${Hypercall[name as keyof typeof Hypercall]}`,
    ),
    '        .macro hypercall number',
    '        li   t6, \\number',
    '        sw   t6, V_CALL(zero)',
    '        ecall',
    '        .endm',
    '',
  ].join('\n');
}

/** `SwitchSpace` -> `SWITCH_SPACE`. */
const upper = (name: string) => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
