/**
 * CSR instructions emulated inside the translation cache, on the words of the vCPU window.
 *
 * No trap, no hypervisor: reading `sepc` is one load, turning interrupts off one store. What
 * cannot be done here (rights change, something may have to be delivered, the register's value is
 * not kept) is left to the hypervisor: `canEmulate` says so beforehand, except for writes to
 * `sstatus`, which find out as they run. S1, Virtualization Techniques: virtual PSR; Adams &
 * Agesen 2006, section 3.
 */
import { csrMask } from '../../isa/csrs';
import { type CsrOperation, operationOf } from '../csr-operation';
import type { Emitter } from './emitter';
import { CACHED_CSRS, HEAVY_STATUS, LIGHT_STATUS, READABLE_CSRS, STATUS_SHIFT, windowOffset } from './layout';
import type { GuestInstruction } from './treatment';

const SIE = csrMask('sstatus', 'SIE');
const STATUS_WORD = windowOffset('sstatus');
const PENDING_WORD = windowOffset('pending');

/** Whether the cache can do this instruction by itself. */
export function canEmulate(guest: GuestInstruction): boolean {
  const operation = operationOf(guest.instruction);
  if (operation === undefined) return false;
  const { csr, change } = operation;
  if (csr.name === 'sstatus') return true;
  return CACHED_CSRS.has(csr.name) || (change === 'none' && READABLE_CSRS.has(csr.name));
}

/**
 * Emits what does the instruction `run[index]`; `canEmulate` must have said that it can be done.
 * The rest of the run is what the hypervisor will do if it is called after all.
 */
export function emulateInCache(emitter: Emitter, run: readonly GuestInstruction[], index: number): void {
  const operation = operationOf(run[index].instruction);
  if (operation === undefined) throw new Error('Not a CSR instruction: ask canEmulate first.');
  if (operation.csr.name !== 'sstatus') emulateWord(emitter, operation);
  else if (operation.operand.kind === 'constant' && operation.change !== 'write')
    emulateInterruptFlag(emitter, operation, run[index]);
  else emulateStatus(emitter, operation, run, index);
}

/** A register whose word in the window is all there is of it. */
function emulateWord(emitter: Emitter, { csr, rd, change, operand }: CsrOperation): void {
  const word = windowOffset(csr.name);
  const source = operand.kind === 'register' ? operand.register : 0;
  emitter.giveBack([rd, source]);
  if (change === 'none') {
    if (rd !== 0) emitter.put('lw', { rd, rs1: 0, imm: word });
    return;
  }
  const isPlain = csr.writable === -1 && change === 'write' && (source !== 0 || isZero(operand));
  if (isPlain && (rd !== source || rd === 0)) {
    if (rd !== 0) emitter.put('lw', { rd, rs1: 0, imm: word });
    emitter.put('sw', { rs2: source, rs1: 0, imm: word });
    return;
  }
  const [old, changed] = emitter.borrow(2, [rd, source]);
  emitter.put('lw', { rd: old, rs1: 0, imm: word });
  emitChange(emitter, change, operand, old, changed, 0);
  if (csr.writable !== -1) emitter.put('andi', { rd: changed, rs1: changed, imm: csr.writable });
  emitter.put('sw', { rs2: changed, rs1: 0, imm: word });
  if (rd !== 0) emitter.put('addi', { rd, rs1: old, imm: 0 });
}

const isZero = (operand: CsrOperation['operand']) => operand.kind === 'constant' && operand.value === 0;

/** changed = what the operation makes of `old`, whose bits are kept `shift` further left. */
function emitChange(
  emitter: Emitter,
  change: CsrOperation['change'],
  operand: CsrOperation['operand'],
  old: number,
  changed: number,
  shift: number,
): void {
  if (operand.kind === 'constant') emitter.constant(changed, operand.value << shift);
  else emitter.put('slli', { rd: changed, rs1: operand.register, imm: shift });
  if (change === 'set') emitter.put('or', { rd: changed, rs1: changed, rs2: old });
  if (change === 'clear') {
    emitter.put('xori', { rd: changed, rs1: changed, imm: -1 });
    emitter.put('and', { rd: changed, rs1: changed, rs2: old });
  }
}

/** `csrr`, `csrci` and `csrsi` of sstatus: of the five bits, only SIE exists. */
function emulateInterruptFlag(emitter: Emitter, operation: CsrOperation, guest: GuestInstruction): void {
  const { rd, change, operand } = operation;
  emitter.giveBack([rd]);
  if (rd !== 0) {
    emitter.put('lw', { rd, rs1: 0, imm: STATUS_WORD });
    emitter.put('srli', { rd, rs1: rd, imm: STATUS_SHIFT });
  }
  const concerns = operand.kind === 'constant' && (operand.value & SIE) !== 0;
  if (change === 'none' || !concerns) return;
  if (change === 'clear') {
    emitter.put('sb', { rs2: 0, rs1: 0, imm: STATUS_WORD });
    return;
  }
  const [flag] = emitter.borrow(1, [rd]);
  emitter.constant(flag, SIE << STATUS_SHIFT);
  emitter.put('sb', { rs2: flag, rs1: 0, imm: STATUS_WORD });
  emitter.pass(guest.pc + guest.length);
  askForInterrupt(emitter, flag);
}

/** Calls the hypervisor if an interrupt is pending, now that the guest takes interrupts. */
function askForInterrupt(emitter: Emitter, scratch: number): void {
  emitter.put('lw', { rd: scratch, rs1: 0, imm: PENDING_WORD });
  const quiet = emitter.branchAhead('beq', { rs1: scratch, rs2: 0 });
  emitter.callout({ kind: 'enabled' });
  emitter.land(quiet);
}

/** Any other change of sstatus: done here if rights don't change by it. */
function emulateStatus(
  emitter: Emitter,
  operation: CsrOperation,
  run: readonly GuestInstruction[],
  index: number,
): void {
  const { rd, change, operand } = operation;
  const guest = run[index];
  const source = operand.kind === 'register' ? operand.register : 0;
  const [difference, status, mask] = emitter.borrow(3, [rd, source]);
  emitter.put('lw', { rd: status, rs1: 0, imm: STATUS_WORD });
  emitChange(emitter, change, operand, status, difference, STATUS_SHIFT);
  emitter.put('xor', { rd: difference, rs1: difference, rs2: status });
  emitter.constant(mask, HEAVY_STATUS << STATUS_SHIFT);
  emitter.put('and', { rd: mask, rs1: mask, rs2: difference });
  const light = emitter.branchAhead('beq', { rs1: mask, rs2: 0 });
  emitter.callout({ kind: 'emulate', guests: run.slice(index) });
  emitter.land(light);
  emitter.constant(mask, LIGHT_STATUS << STATUS_SHIFT);
  emitter.put('and', { rd: difference, rs1: difference, rs2: mask });
  if (rd !== 0) emitter.put('srli', { rd, rs1: status, imm: STATUS_SHIFT });
  emitter.put('xor', { rd: status, rs1: status, rs2: difference });
  emitter.put('sw', { rs2: status, rs1: 0, imm: STATUS_WORD });
  if (change === 'clear') return;
  emitter.pass(guest.pc + guest.length);
  emitter.put('andi', { rd: status, rs1: status, imm: SIE << STATUS_SHIFT });
  const off = emitter.branchAhead('beq', { rs1: status, rs2: 0 });
  askForInterrupt(emitter, status);
  emitter.land(off);
}
