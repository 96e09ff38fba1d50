/**
 * Files to programs: what somebody else's build leaves, an ELF executable or a flat binary, as the
 * machine loads it. This is where `code` (which reads files) and `machine` (which runs them) meet.
 */
import { readElf } from '../code/elf';
import { type Loadable, RAM_BASE } from '../machine/machine';

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

/**
 * The program in a file: an ELF executable where it says, or bytes as they are at `address`, which is
 * also where they start.
 * @param address for a flat binary; where RAM begins, if left out. Firmware expects a kernel for S mode
 *   at 0x80200000 or 0x80400000
 * @throws ElfError if it is an ELF file, but none for this machine; RangeError if it is empty
 */
export function loadable(file: Uint8Array, address = RAM_BASE): Loadable {
  if (file.length === 0) throw new RangeError('The file is empty: there is no program in it.');
  if (ELF_MAGIC.every((byte, n) => file[n] === byte)) return readElf(file);
  return { entry: address, segments: [{ address, bytes: file }] };
}

/**
 * Several programs as one, to be loaded together; it starts where the first one does. For firmware
 * and the kernel that it starts.
 */
export function together(first: Loadable, ...others: readonly Loadable[]): Loadable {
  return { entry: first.entry, segments: [first, ...others].flatMap(({ segments }) => [...segments]) };
}
