/**
 * What registers will hold: a block is translated when it is about to run, so the values are there
 * to look at, and what the block computes from them can be computed now. This is evidence and no
 * proof: when the block runs again, the values are others.
 */
import type { GuestInstruction } from './treatment';
import { knownResult, memoryAccessOf } from './treatment';

/** The guest's state at the moment, for those who only look. */
export interface Glimpse {
  /** The registers now. */
  readonly registers: ArrayLike<number>;
  /** What a load would give; undefined where it would fault or is a device's. */
  load(address: number, bytes: number): number | undefined;
  csr(number: number): number;
}

export class Guess {
  private readonly values = new Map<number, number>();

  constructor(private readonly glimpse: Glimpse) {
    for (let register = 1; register < 32; register++) this.values.set(register, glimpse.registers[register]);
  }

  /** The address that an instruction will access, as far as can be guessed. int32. */
  address({ rs1, offset }: { rs1: number; offset: number }): number | undefined {
    const base = rs1 === 0 ? 0 : this.values.get(rs1);
    return base === undefined ? undefined : (base + offset) | 0;
  }

  /** The instruction is over. */
  follow(guest: GuestInstruction): void {
    const rd = guest.instruction?.rd ?? 0;
    if (rd === 0) return;
    const value = knownResult(guest, this.values) ?? this.loaded(guest) ?? this.csr(guest);
    if (value === undefined) this.values.delete(rd);
    else this.values.set(rd, value);
  }

  private loaded(guest: GuestInstruction): number | undefined {
    const access = memoryAccessOf(guest);
    if (access === undefined || access.isSigned === undefined) return undefined;
    const address = this.address(access);
    const value = address === undefined ? undefined : this.glimpse.load(address, access.bytes);
    if (value === undefined) return undefined;
    const unused = 32 - 8 * access.bytes;
    return access.isSigned ? (value << unused) >> unused : value;
  }

  private csr({ instruction }: GuestInstruction): number | undefined {
    return instruction?.row.meaning.kind === 'csr' ? this.glimpse.csr(instruction.csr) : undefined;
  }
}
