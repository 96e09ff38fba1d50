/** Why a hart trapped: the values of `mcause` and `scause`. Priv, Machine Cause Register (mcause). */

/** Exception and interrupt causes, named as in the manual's table. */
export enum Cause {
  InstructionAddressMisaligned = 0,
  InstructionAccessFault = 1,
  IllegalInstruction = 2,
  Breakpoint = 3,
  LoadAddressMisaligned = 4,
  LoadAccessFault = 5,
  StoreAddressMisaligned = 6,
  StoreAccessFault = 7,
  EcallFromU = 8,
  EcallFromS = 9,
  EcallFromM = 11,
  InstructionPageFault = 12,
  LoadPageFault = 13,
  StorePageFault = 15,

  SupervisorSoftwareInterrupt = 0x80000001,
  MachineSoftwareInterrupt = 0x80000003,
  SupervisorTimerInterrupt = 0x80000005,
  MachineTimerInterrupt = 0x80000007,
  SupervisorExternalInterrupt = 0x80000009,
  MachineExternalInterrupt = 0x8000000b,
}

/** The bit of `xcause` that is set for interrupts. */
export const INTERRUPT = 0x80000000;

/** True for interrupts, false for exceptions. */
export function isInterrupt(cause: Cause): boolean {
  return cause >= INTERRUPT;
}

/** True for environment calls: traps that a program asks for. */
export function isCall(cause: Cause): boolean {
  return cause >= Cause.EcallFromU && cause <= Cause.EcallFromM;
}

/** The cause in words: `illegal instruction`, `supervisor timer interrupt`. */
export function causeName(cause: Cause): string {
  const name: string | undefined = Cause[cause];
  if (name === undefined) return `cause ${cause}`;
  if (name.startsWith('EcallFrom')) return `environment call from ${name.slice(-1)}-mode`;
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}
