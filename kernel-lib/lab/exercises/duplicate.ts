/**
 * The other exercises of lesson 01: the map from the virtual machine's state to the real one's, and what
 * it means that two machines are equivalent.
 *
 * `01-map-state` compares the learner's map with what a hypervisor has really put into the machine.
 * `01-equivalent` is asked about pairs of machines that ran the same guest, of which some have been
 * tampered with.
 */
import { hex } from '../../bits';
import { createMachine } from '../../engine/create';
import { guest } from '../../guests/guests';
import { FullEmulation } from '../../hypervisor/full-emulation';
import { TrapAndEmulate } from '../../hypervisor/trap-and-emulate';
import type { Vm } from '../../hypervisor/vm';
import { CSRS } from '../../isa/csrs';
import { ABI_NAMES, Mode } from '../../isa/registers';
import type { Hart } from '../../machine/hart';
import { type Machine, MiB, RAM_BASE } from '../../machine/machine';
import { Firmware } from '../../machine/sbi';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { randomNumbers } from '../random';
import { placesTable } from './places-table';
import { told } from './told';

// -------------------------------------------------------------------------------- 01-map-state

/** The state of a machine, as far as programs see it directly. Memory: some words, by physical address. */
export interface MachineState {
  mode: Mode;
  /** int32, like registers. */
  pc: number;
  x: readonly number[];
  memory: ReadonlyMap<number, number>;
}

/** The part of the real RAM that a guest has. Addresses are unsigned. */
export interface Slice {
  base: number;
  size: number;
}

const SLICES: readonly Slice[] = [
  { base: RAM_BASE, size: 8 * MiB },
  { base: RAM_BASE + 8 * MiB, size: 8 * MiB },
  { base: RAM_BASE + 4 * MiB, size: 16 * MiB },
];
const STOPS = [0, 1, 60, 500, 3000, 9000];

/** Addresses at which the guest has RAM, and some at which it hasn't. */
const addressesIn = ({ size }: Slice) => [
  RAM_BASE,
  RAM_BASE + 4 * MiB,
  RAM_BASE + 4 * MiB + 0x40,
  RAM_BASE + size - 4,
  RAM_BASE + size,
  RAM_BASE - 4,
  0x1000_0000,
];

type MapState = (state: MachineState, slice: Slice) => MachineState;

/** Stops a VM somewhere in its run, and compares the learner's map of its state with the real machine. */
function mapFailure(slice: Slice, at: number, solution: MapState): Failure | undefined {
  const { vm } = new TrapAndEmulate(createMachine({ ram: 32 * MiB }), { memory: slice });
  vm.boot(guest('syscalls'));
  if (at > 0) vm.run({ instructions: at });
  const memory = new Map(addressesIn(slice).map((gpa) => [gpa, vm.readGuest(4, gpa) ?? 0]));
  const virtual: MachineState = { mode: vm.hart.mode, pc: vm.hart.pc, x: [...vm.hart.x], memory };
  // The learner's own copy: what is changed there is not what is compared with.
  const where = `The VM has ${slice.size / MiB} MiB of real RAM from ${hex(slice.base)} on, and has run ${at.toLocaleString('en-GB')} instructions. The guest is in virtual ${Mode[vm.hart.mode]} mode.`;
  const copy = { ...virtual, memory: new Map(memory) };
  const found: unknown = inCase(where, () => solution(copy, { ...slice }));
  if (found === undefined) return { untouched: true, message: 'Your function gives no state yet.' };
  if (!isState(found))
    return {
      message: `${where} Your answer must be { mode, pc, x, memory } with a Map for memory; it is ${told(found)}.`,
    };
  const wrong = [...wrongRegisters(vm.machine.hart, found), ...wrongMemory(vm, virtual.memory, found)];
  if (wrong.length === 0) return undefined;
  return { message: where, table: placesTable(wrong.slice(0, 12), 'The state of the real machine') };
}

const isList = (x: unknown) => Array.isArray(x) || x instanceof Int32Array;

function isState(found: unknown): found is MachineState {
  const { mode, pc, x, memory } = (found ?? {}) as Partial<MachineState>;
  return typeof mode === 'number' && typeof pc === 'number' && isList(x) && memory instanceof Map;
}

const wordText = (place: number | undefined) =>
  place === undefined ? 'nothing' : Number.isFinite(place) ? hex(place) : String(place);

function wrongRegisters(real: Hart, found: MachineState) {
  const modeText = (mode: Mode) => (Mode[mode] === undefined ? String(mode) : `real ${Mode[mode]}`);
  const rows = [
    { place: 'mode', wanted: modeText(real.mode), found: modeText(found.mode) },
    { place: 'pc', wanted: hex(real.pc), found: wordText(found.pc) },
    ...ABI_NAMES.map((place, n) => ({ place, wanted: hex(real.x[n]), found: wordText(found.x[n]) })),
  ];
  return rows.filter(({ wanted, found: is }) => wanted !== is);
}

/** Words that are missing or wrong in the learner's memory, and those that are not the guest's. */
function wrongMemory({ machine, memory: slice }: Vm, virtual: MachineState['memory'], found: MachineState) {
  const real = new Map<number, number>();
  for (const gpa of virtual.keys()) {
    const pa = gpa - RAM_BASE + slice.base;
    if (gpa >= RAM_BASE && gpa < RAM_BASE + slice.size) real.set(pa, machine.ram.read(4, pa));
  }
  const missing = [...real].filter(([pa, value]) => found.memory.get(pa) !== value);
  const foreign = [...found.memory].filter(([pa]) => !real.has(pa));
  return [
    ...missing.map(([pa, value]) => ({
      place: `word at ${hex(pa)}`,
      wanted: hex(value),
      found: wordText(found.memory.get(pa)),
    })),
    ...foreign.map(([pa, value]) => ({
      place: `word at ${wordText(pa)}`,
      wanted: pa >= slice.base && pa < slice.base + slice.size ? 'not asked for' : 'not the guest’s',
      found: wordText(value),
    })),
  ];
}

const mapState: Exercise<MapState> = {
  id: '01-map-state',
  title: 'from the virtual state to the real one',
  passed: `Your map agrees with what a hypervisor has put into the machine, for ${SLICES.length} slices of memory at ${STOPS.length} moments each.`,
  hints: [
    'Which of mode, pc, x and memory may the guest have as it believes them to be, and which would give it the machine?',
    'General registers and pc are the same. The mode is U, whatever the guest believes. Memory is moved: the guest’s first byte, at `RAM_BASE`, is the first byte of the slice.',
    'An address is the guest’s if it is from `RAM_BASE` up to, but without, `RAM_BASE + slice.size`. Others (a device, somebody else’s memory) get no real address: leave them out of the new Map.',
  ],
  test(solution) {
    for (const slice of SLICES)
      for (const at of STOPS) {
        const failure = mapFailure(slice, at, solution);
        if (failure !== undefined) return failure;
      }
    return undefined;
  },
};

// ------------------------------------------------------------------------------- 01-equivalent

interface Pair {
  what: string;
  /** Whether the machines count as equivalent, and why. */
  wanted: boolean;
  why: string;
  /** Makes the second machine different, and gives what undoes it. */
  tamper?: (board: Machine) => () => void;
}

const GUEST_RAM = 8 * MiB;
const TAMPERED_BYTES = 20;

/** Exchanges a value for a moment. */
function swap<T>(get: () => T, set: (value: T) => void, value: T): () => void {
  const kept = get();
  set(value);
  return () => set(kept);
}

const csrTampered = (
  name: string,
  bit = 4,
  what = `the CSR ${name} has another value in one of them`,
  why = 'The guest can read it.',
): Pair => ({
  what,
  wanted: false,
  why,
  tamper: ({ hart }) => {
    const { number } = CSRS.find((row) => row.name === name)!;
    return swap(
      () => hart.csrs.values[number],
      (value) => {
        hart.csrs.values[number] = value;
      },
      hart.csrs.values[number] ^ bit,
    );
  },
});

const registerTampered = (register: number): Pair => ({
  what: `${ABI_NAMES[register]} has another value in one of them`,
  wanted: false,
  why: 'A register is not what it should be.',
  tamper: ({ hart: { x } }) =>
    swap(
      () => x[register],
      (value) => {
        x[register] = value;
      },
      x[register] ^ 0x100,
    ),
});

const byteTampered = (address: number): Pair => ({
  what: `the byte at ${hex(address)} is another one in one of them`,
  wanted: false,
  why: 'Memory is part of the state.',
  tamper: ({ ram }) =>
    swap(
      () => ram.read(1, address),
      (value) => ram.write(1, address, value),
      ram.read(1, address) ^ 1,
    ),
});

function* pairs(): Generator<Pair> {
  yield {
    what: 'nothing is different but the time that it took',
    wanted: true,
    why: 'Cycles, the time, and how many instructions a guest retires while it waits for its timer are timing, which is exempt.',
  };
  yield registerTampered(10);
  yield {
    what: 'pc has another value in one of them',
    wanted: false,
    why: 'They would go on elsewhere.',
    tamper: ({ hart }) =>
      swap(
        () => hart.pc,
        (pc) => {
          hart.pc = pc;
        },
        hart.pc + 4,
      ),
  };
  yield {
    what: 'one is in S mode, the other in U mode',
    wanted: false,
    why: 'The mode decides what comes next.',
    tamper: ({ hart }) =>
      swap(
        () => hart.mode,
        (mode) => {
          hart.mode = mode;
        },
        hart.mode === Mode.S ? Mode.U : Mode.S,
      ),
  };
  yield csrTampered('sscratch');
  yield csrTampered('stvec');
  const soon = 'That one will be interrupted, the other will not.';
  yield csrTampered('mip', 2, 'a software interrupt is pending in one of them', soon);
  yield byteTampered(RAM_BASE + 4 * MiB);
  yield byteTampered(RAM_BASE + GUEST_RAM - 1);
  yield { what: 'one has printed a line more', wanted: false, why: 'What is printed is what others see.' };
  const random = randomNumbers(13);
  for (let n = 0; n < TAMPERED_BYTES; n++) {
    yield registerTampered(1 + random.below(31));
    yield byteTampered(RAM_BASE + random.below(GUEST_RAM));
  }
  for (const name of ['sepc', 'scause', 'stval', 'satp', 'mepc', 'medeleg']) yield csrTampered(name);
}

/** The same guest on the bare machine, and under two hypervisors; the last has printed a line more. */
function ranMachines() {
  const image = guest('syscalls');
  const native = createMachine({ ram: GUEST_RAM });
  new Firmware(native).boot(image);
  native.run();
  const vms = [TrapAndEmulate, FullEmulation].map((Technique) => {
    const hypervisor = new Technique(createMachine({ ram: 32 * MiB }), {
      memory: { base: RAM_BASE + 8 * MiB, size: GUEST_RAM },
    });
    hypervisor.boot(image);
    hypervisor.run();
    return hypervisor.vm.guest;
  });
  const talkative = createMachine({ ram: GUEST_RAM });
  new Firmware(talkative).boot(image);
  talkative.run();
  talkative.bus.write(1, talkative.uart.base, '!'.charCodeAt(0));
  return { native, vms, talkative };
}

const equivalent: Exercise<(native: Machine, guestBoard: Machine) => boolean> = {
  id: '01-equivalent',
  title: 'are they equivalent?',
  passed: `You tell true duplicates from ${pairsCount()} false ones, and you are not deceived by the clock.`,
  hints: [
    'What can a program on the machine, or somebody who looks at its console, tell apart? All registers, the mode, pc, the CSRs, memory, what was printed.',
    '`CSRS` has all rows; `hart.csrs.read(number)` the value. Those that count cycles, instructions and time are exempt: cycle, time, instret, mcycle, minstret, and each of them with an h behind it.',
    '`Buffer.compare(one.ram.bytes, other.ram.bytes)` is 0 if all bytes are the same. `CSRS.every(…)` and `[...hart.x].every(…)` do the registers.',
  ],
  test(solution) {
    const { native, vms, talkative } = ranMachines();
    let isOpen = true; // until an answer is right
    for (const pair of pairs()) {
      const others = pair.tamper || pair.wanted ? vms : [talkative];
      for (const other of others) {
        const undo = pair.tamper?.(other);
        const where = `Two machines ran the same guest, and ${pair.what}.`;
        const found: unknown = inCase(where, () => solution(native, other));
        undo?.();
        if (found === undefined)
          return {
            untouched: isOpen,
            message: 'Your function doesn’t say yet whether two machines are equivalent.',
          };
        isOpen &&= found !== pair.wanted;
        if (found === pair.wanted) continue;
        const say = typeof found === 'boolean' ? `you say ${found}` : `your answer is ${told(found)}`;
        return {
          message: `${where} Equivalent: ${pair.wanted}; ${say}. ${pair.why}`,
        };
      }
    }
    return undefined;
  },
};

function pairsCount(): number {
  return [...pairs()].filter(({ wanted }) => !wanted).length;
}

defineExercises(mapState, equivalent);
