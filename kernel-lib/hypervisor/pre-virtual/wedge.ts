/**
 * A wedge: what stands between a pre-virtualized guest and one hypervisor. At load time it finds the
 * guest's records and replaces each marked instruction, so that the same binary runs on a bare
 * machine (no wedge), under a hypervisor that is called for everything (`calling`), and under one
 * that shares a status word with its guest (`sharing`).
 *
 * A replacement goes in place, into the instruction and its pad. Where it doesn't fit, the
 * instruction becomes an `ecall`, which needs no pad at all, and the hypervisor looks up what was
 * there. Read `pass.ts` and `../paravirtual/abi.ts` first.
 */
import { decode, type Instruction } from '../../code/decode';
import { encode, rowByName } from '../../code/encode';
import { csrMask, csrNumber } from '../../isa/csrs';
import type { Operands } from '../../isa/formats';
import { registerNumber } from '../../isa/registers';
import type { Loadable } from '../../machine/machine';
import { SHARED_VA, Shared } from '../paravirtual/abi';
import { RECORDS } from './pass';

/** A marked instruction of a guest. */
export interface Site {
  begin: number;
  /** Behind its pad. */
  end: number;
  original: Instruction;
  /** How it was replaced. */
  how: 'in place' | 'call';
}

/** The code that does in place what an instruction does; undefined if that takes a call. */
export type Emulation = (instruction: Instruction) => number[] | undefined;

export interface WedgeOptions {
  /** Refuse a guest in which a replacement doesn't fit into its pad, instead of calling. */
  strict?: boolean;
}

const WORD_BYTES = 4;
const RECORD_WORDS = 3;
const NOP = word('addi', {});
const CALL = word('ecall', {});

/** For hypervisors that share nothing: each instruction is a call. */
export const calling: Emulation = () => undefined;

const T6 = registerNumber('t6')!;
const T5 = registerNumber('t5')!;
const SSTATUS = csrNumber('sstatus');
const SIE = csrMask('sstatus', 'SIE');
/** CSRs that are words of the shared page. `stvec` is not: its low bits mean something. */
const WORDS = new Map([
  [csrNumber('sscratch'), Shared.Scratch],
  [csrNumber('sepc'), Shared.Epc],
  [csrNumber('scause'), Shared.Cause],
  [csrNumber('stval'), Shared.Tval],
]);

/** For hypervisors with a shared status word: what is in it is read and written there. */
export const sharing: Emulation = (instruction) => {
  const { rd, rs1, imm, csr } = instruction;
  const { name } = instruction.row;
  if (csr === SSTATUS && rd === 0 && imm === SIE) {
    if (name === 'csrrci') return [store(0, Shared.Enabled)];
    // Lazily: whatever waits for interrupts to be on is delivered by the hypervisor, a little later.
    if (name === 'csrrsi')
      return [
        store(T6, Shared.Spare),
        word('addi', { rd: T6, imm: 1 }),
        store(T6, Shared.Enabled),
        load(T6, Shared.Spare),
      ];
    return undefined;
  }
  const shared = WORDS.get(csr);
  if (shared === undefined) return undefined;
  if (name === 'csrrs' && rs1 === 0) return [load(rd, shared)];
  if (name === 'csrrwi' && imm === 0)
    return rd === 0 ? [store(0, shared)] : [load(rd, shared), store(0, shared)];
  if (name !== 'csrrw') return undefined;
  if (rd === 0) return [store(rs1, shared)];
  if (rd !== rs1) return [load(rd, shared), store(rs1, shared)];
  const spare = rd === T6 ? T5 : T6;
  return [
    store(spare, Shared.Spare),
    load(spare, shared),
    store(rd, shared),
    word('addi', { rd, rs1: spare }),
    load(spare, Shared.Spare),
  ];
};

/**
 * Puts a wedge into a guest: a copy of it with all marked instructions replaced.
 * @throws Error if the guest has no records, a record makes no sense, or (strict) a pad is too small
 */
export function wedged(
  image: Loadable,
  emulation: Emulation,
  options: WedgeOptions = {},
): { image: Loadable; sites: Site[] } {
  const segments = image.segments.map((segment) => ({ ...segment, bytes: segment.bytes.slice() }));
  const records = segments.find((segment) => 'name' in segment && segment.name === RECORDS);
  if (records === undefined)
    throw new Error(
      `This guest is not pre-virtualized: it has no section ${RECORDS}. Give its source to previrtualize().`,
    );
  const view = new DataView(records.bytes.buffer, records.bytes.byteOffset, records.bytes.length);
  const sites: Site[] = [];
  for (let at = 0; at + RECORD_WORDS * WORD_BYTES <= view.byteLength; at += RECORD_WORDS * WORD_BYTES) {
    const begin = view.getUint32(at, true);
    const end = view.getUint32(at + WORD_BYTES, true);
    if (begin === 0 && end === 0) break;
    sites.push(replace(segments, begin, end, emulation, options.strict ?? false));
  }
  return { image: { segments, entry: image.entry }, sites };
}

function replace(
  segments: { address: number; bytes: Uint8Array }[],
  begin: number,
  end: number,
  emulation: Emulation,
  strict: boolean,
): Site {
  const segment = segments.find(({ address, bytes }) => begin >= address && end <= address + bytes.length);
  const place = `0x${begin.toString(16)}`;
  if (segment === undefined || end < begin + WORD_BYTES || begin % 2 !== 0)
    throw new Error(
      `A record of ${RECORDS} says ${place} to 0x${end.toString(16)}: there is no code of the guest's.`,
    );
  const code = new DataView(
    segment.bytes.buffer,
    segment.bytes.byteOffset + begin - segment.address,
    end - begin,
  );
  const original = decode(code.getInt32(0, true));
  if (original === undefined)
    throw new Error(`A record of ${RECORDS} says ${place}: there is no instruction.`);
  const emulated = emulation(original);
  const room = (end - begin) / WORD_BYTES;
  if (emulated !== undefined && emulated.length > room && strict)
    throw new Error(
      `${original.row.name} at ${place} takes ${emulated.length} instructions in place, and its pad leaves room for ${room}. ` +
        'Make the pads of its class larger, or let the wedge call the hypervisor.',
    );
  const how = emulated !== undefined && emulated.length <= room ? 'in place' : 'call';
  const words = how === 'in place' ? emulated! : [CALL];
  for (let n = 0; n < Math.floor(room); n++) code.setInt32(n * WORD_BYTES, words[n] ?? NOP, true);
  return { begin, end, original, how };
}

function word(name: string, operands: Partial<Operands>): number {
  return encode(rowByName(name)!, operands);
}

const offsetOf = (which: Shared): number => (SHARED_VA + which) | 0;
const load = (rd: number, which: Shared): number => word('lw', { rd, imm: offsetOf(which) });
const store = (rs2: number, which: Shared): number => word('sw', { rs2, imm: offsetOf(which) });
