/**
 * Fast path of `emulate` (in `trap-and-emulate.ts`) for what traps most: the guest's kernel reads or
 * writes a CSR that just keeps bits, or turns interrupts on or off.
 *
 * Nothing follows from that but one CSR of the virtual hart and one general register, which the real
 * hart still has: the guest's state is neither saved nor restored. What it costs the guest is the same
 * as on the slow path, and so is the outcome. Read `csr-operation.ts` first.
 */
import { decode } from '../code/decode';
import { Cause } from '../isa/causes';
import { csrLowestMode, csrMask, csrNumber } from '../isa/csrs';
import { Mode } from '../isa/registers';
import type { Hart } from '../machine/hart';
import { type CsrOperation, operationOf } from './csr-operation';
import type { ExitCount, ExitCounts } from './exits';

const SSTATUS = csrNumber('sstatus');
/** What the guest may see depends on these. */
const RIGHTS = csrMask('sstatus', 'SUM') | csrMask('sstatus', 'MXR');
const MOST_KNOWN = 1 << 12;

/** An instruction that has a fast path, and the counter of its exits. */
export interface QuickCsr extends CsrOperation {
  exits: ExitCount;
  /** Bytes in memory. */
  length: number;
}

export class QuickCsrs {
  private readonly known = new Map<number, QuickCsr | undefined>();

  constructor(private readonly counts: ExitCounts) {}

  /** The access that an instruction is; undefined if it takes the slow path. */
  find(word: number): QuickCsr | undefined {
    const known = this.known.get(word);
    return known !== undefined || this.known.has(word) ? known : this.look(word);
  }

  /** Does it on the virtual hart, with the general registers of the real one. False, and nothing is changed, if rights would change. */
  carryOut({ csr, rd, change, operand }: QuickCsr, virtual: Hart, { x }: Hart): boolean {
    const before = virtual.csrs.read(csr.number);
    if (change !== 'none') {
      const bits = operand.kind === 'register' ? x[operand.register] : operand.value;
      const after = change === 'write' ? bits : change === 'set' ? before | bits : before & ~bits;
      if (csr.number === SSTATUS && ((before ^ after) & RIGHTS) !== 0) return false;
      virtual.csrs.write(csr.number, after);
    }
    if (rd !== 0) x[rd] = before;
    return true;
  }

  private look(word: number): QuickCsr | undefined {
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    const instruction = decode(word);
    const operation = operationOf(instruction);
    const quick =
      instruction === undefined || operation === undefined || !isQuick(operation)
        ? undefined
        : { ...operation, length: instruction.length, exits: this.counterOf(instruction.row.name) };
    this.known.set(word, quick);
    return quick;
  }

  private counterOf(name: string): ExitCount {
    return this.counts.of(Cause.IllegalInstruction, Mode.S, name);
  }
}

function isQuick({ csr, change }: CsrOperation): boolean {
  const { live, guard, feature, shownBy, number } = csr;
  if (live || guard || feature || shownBy || csrLowestMode(number) > Mode.S) return false;
  return change === 'none' || csr.passive === true || number === SSTATUS;
}
