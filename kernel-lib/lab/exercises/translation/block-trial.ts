/**
 * A trial of a translated block: the guest comes to a block in a known state, on the bare machine and
 * in a VM whose translator is the learner's, and its harts are compared where the block is left.
 *
 * The VM's machine is of the profile `x86`, where sensitive instructions don't all trap: one that gets
 * into the translation cache does what it must not, and is seen. All other blocks of the guest, those that make the
 * state among them, are translated by a plain translator of ours.
 */
import type { Program } from '../../../code/program';
import { createMachine } from '../../../engine/create';
import { step } from '../../../engine/reference';
import { treatmentOf } from '../../../hypervisor/binary-translation/treatment';
import type { BlockTranslator } from '../../../hypervisor/binary-translation/writer';
import { BinaryTranslator } from '../../../hypervisor/binary-translator';
import { ABI_NAMES } from '../../../isa/registers';
import type { Hart } from '../../../machine/hart';
import { type Machine, MiB } from '../../../machine/machine';
import { Firmware } from '../../../machine/sbi';
import type { HartState } from '../../hart-state';

const RAM = 8 * MiB;
/** Instructions and traps of a trial at most. */
const BUDGET = 3000;
/** The CSRs that are compared. */
const SEEN = ['sstatus', 'stvec', 'sscratch', 'sepc', 'scause', 'stval', 'sie', 'satp'];

/** How a trial ended. */
export interface Outcome {
  hart: HartState;
  /** The words at `scratch`. */
  memory: number[];
  /** Whether the hart has left the block, and how the run ended if not. */
  left: boolean;
  message: string;
  /** Whether the hypervisor had to step in because an instruction in the cache faulted. */
  faulted: boolean;
}

/** Where a trial is watched. Addresses are those of labels. */
export interface Trial {
  program: Program;
  /** Where the block begins, how many instructions it has, and in how many bytes. */
  block: number;
  instructions: number;
  bytes: number;
  /** Where its data is: four words. */
  scratch: number;
}

/** Translates as the lesson does: what is innocuous is copied, the rest is a call. */
export const plainTranslator: BlockTranslator = (block, write) => {
  for (const each of block) {
    const treatment = treatmentOf(each);
    if (treatment.kind === 'identical') write.copy(each);
    else if (treatment.kind === 'constant') write.constant(each, treatment.value);
    else if (treatment.kind === 'jump') write.jump(each, treatment.target);
    else if (treatment.kind === 'branch') write.branch(each, treatment.target);
    else if (treatment.kind === 'indirect') write.indirect(each);
    else write.callout(each);
  }
};

/** What the bare machine makes of the block. */
export function onBareMachine({ program, block, instructions, scratch }: Trial): Outcome {
  const machine = createMachine({ ram: RAM });
  new Firmware(machine).boot(program);
  for (let n = 0; n < BUDGET && machine.hart.pc !== (block | 0); n++) step(machine);
  for (let n = 0; n < instructions; n++) step(machine);
  return { ...stateOf(machine.hart, machine, scratch), left: true, message: '', faulted: false };
}

/** What a VM makes of it whose translator has translated this block. */
export function inVm({ program, block, bytes, scratch }: Trial, translator: BlockTranslator): Outcome {
  let seen: ReturnType<typeof stateOf> | undefined;
  let isBehind = false;
  const hypervisor = new BinaryTranslator(createMachine({ ram: RAM, profile: 'x86' }), {
    chaining: false,
    cacheBytes: 8192,
    translate(guests, write) {
      const { pc } = guests[0];
      const isInside = pc > (block | 0) && pc < (block | 0) + bytes;
      if (isBehind && !isInside && seen === undefined) seen = stateOf(vm.hart, vm.guest, scratch);
      if (seen !== undefined) vm.guest.stopped = { reason: 'host', message: 'The check has seen enough.' };
      if (pc !== (block | 0)) return plainTranslator(guests, write);
      isBehind = true;
      translator(
        guests.map((each) => ({ ...each })),
        write,
      );
    },
  });
  const { vm } = hypervisor;
  hypervisor.boot(program);
  const { message } = hypervisor.run({ instructions: BUDGET });
  const faulted = vm.report().exits.some(({ reason }) => reason === 'device');
  return { ...(seen ?? stateOf(vm.hart, vm.guest, scratch)), left: seen !== undefined, message, faulted };
}

function stateOf(hart: Hart, { ram }: Machine, scratch: number): { hart: HartState; memory: number[] } {
  const state: HartState = { pc: hart.pc, mode: hart.mode };
  ABI_NAMES.forEach((name, n) => {
    state[name] = hart.x[n];
  });
  for (const name of SEEN) state[name] = hart.csrs.get(name);
  return { hart: state, memory: [0, 4, 8, 12].map((offset) => ram.read(4, scratch + offset)) };
}
