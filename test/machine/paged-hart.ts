// A hart in S mode under Sv32, with a page table that tests fill in.
import { createMachine, type MachineOptions, Mode } from 'kernel-lib';
import { makePte, Pte } from '../../kernel-lib/machine/page-table';

export const RAM = 0x8000_0000;
export const ROOT = RAM + 0x1000;
export const TABLE = RAM + 0x2000;
/** The page that tests work with, and where it leads. */
export const VA = 0x4000_0000;
export const PA = RAM + 0x4000;
export const RW = Pte.V | Pte.R | Pte.W | Pte.A | Pte.D;

export function pagedHart(options: MachineOptions = {}) {
  const machine = createMachine({ ram: 2 ** 20, ...options, engine: 'reference' });
  const { hart, ram } = machine;
  if (options.pmpEntries !== 0) machine.openMemory();
  ram.write(4, ROOT + 4 * (VA >>> 22), makePte(TABLE / 4096, Pte.V));
  hart.csrs.set('satp', 0x8000_0000 | (ROOT / 4096) | 0);
  hart.mode = Mode.S;
  /** Maps the page `n` after VA with these flags. */
  const map = (n: number, pa: number, flags: number) =>
    ram.write(4, TABLE + 4 * n, makePte(pa / 4096, flags));
  const entry = (n: number) => ram.read(4, TABLE + 4 * n);
  return { machine, hart, ram, map, entry };
}
