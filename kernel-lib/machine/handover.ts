/**
 * What a program is handed besides itself: an initial RAM disk, the device tree, and for firmware
 * where it is to go on. All of it lies at the end of RAM, and registers say where.
 */
import { type Board, boardTree, flatten } from './device-tree';
import { bytesOf } from './given';
import type { Memory } from './memory';

/** What a kernel is given besides itself. */
export interface BootOptions {
  /** The initial RAM disk. */
  initrd?: Uint8Array;
  /** The kernel's command line. */
  bootArguments?: string;
  /** For firmware: the address at which it is to start the kernel, in S mode. */
  nextStage?: number;
}

/** Where things were put: what a1 and a2 say at the program's first instruction. 0: nowhere. */
export interface HandedOver {
  deviceTree: number;
  nextStage: number;
}

const PAGE_BYTES = 4096;
const pageBelow = (address: number) => Math.floor(address / PAGE_BYTES) * PAGE_BYTES;

/** Firmware finds these words where a2 points. OpenSBI, FW_DYNAMIC: `struct fw_dynamic_info`, version 2. */
const NEXT_STAGE_MAGIC = 0x4942_534f;
const NEXT_STAGE_VERSION = 2;
const SUPERVISOR_MODE = 1;

function nextStageWords(address: number): Uint32Array {
  const [options, bootHart] = [0, 0];
  return Uint32Array.of(NEXT_STAGE_MAGIC, NEXT_STAGE_VERSION, address, SUPERVISOR_MODE, options, bootHart);
}

/**
 * Puts into RAM what a program is handed. The device tree is left out where there is no room for it
 * above `end`, where the program ends.
 * @throws RangeError if the initial RAM disk, or what firmware is told, doesn't fit; TypeError if it is none
 */
export function handOver(
  ram: Memory,
  board: Omit<Board, 'bootArguments' | 'initrd'>,
  end: number,
  { initrd, bootArguments = '', nextStage }: BootOptions,
): HandedOver {
  let top = ram.base + ram.size;
  /** Puts bytes into the pages below all others; 0 if the program is there. */
  const place = (bytes: Uint8Array): number => {
    const at = pageBelow(top - bytes.length);
    if (at < end) return 0;
    top = at;
    ram.copyIn(at, bytes);
    return at;
  };
  const placeOrThrow = (what: string, bytes: Uint8Array): number => {
    const at = place(bytes);
    if (at === 0) throw new RangeError(`No room for ${what} of ${bytes.length} bytes.`);
    return at;
  };
  const tree: Board = { ...board, bootArguments };
  if (initrd) {
    const { length: size } = bytesOf('An initial RAM disk', initrd);
    tree.initrd = { base: placeOrThrow('an initial RAM disk', initrd), size };
  }
  const words = nextStage === undefined ? undefined : nextStageWords(nextStage);
  return {
    nextStage: words ? placeOrThrow('the address of the next stage', new Uint8Array(words.buffer)) : 0,
    deviceTree: place(flatten(boardTree(tree))),
  };
}
