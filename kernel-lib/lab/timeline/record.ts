/**
 * `record(machine)` and `record(hypervisor)`: a run, step by step, as plain data.
 *
 * While it lasts, the recorder is the machine's engine: it notes what the hart is about to do, has the
 * reference engine do it, and notes what has changed. The run is the same as without. A trap that TypeScript answers (a hypervisor, the firmware) makes two steps:
 * the instruction that trapped, and the answer. Nothing here knows a technique: any `Hypervisor` can
 * be recorded, and any data in the form of a `Recording` can be shown.
 */
import { disassemble } from '../../code/disassemble';
import { reference } from '../../engine/reference';
import type { Hypervisor } from '../../hypervisor/vm';
import { causeName, isInterrupt } from '../../isa/causes';
import { csrByName } from '../../isa/csrs';
import { ABI_NAMES, Mode } from '../../isa/registers';
import type { Hart } from '../../machine/hart';
import { Machine, type Stop } from '../../machine/machine';
import { NO_TRAP, type Trap } from '../../machine/trap';

/** A run as it was recorded. */
export interface Recording {
  title: string;
  /** Who can hold the hart: `guest user`, `guest kernel`, `hypervisor`. */
  holders: string[];
  /** What is kept of the state: `a0`, `virtual sepc`, … */
  places: string[];
  /** The value of each place before the first step. int32. */
  start: number[];
  /** Cycles before the first step. */
  startCycles: number;
  steps: Step[];
  /** Why the recording ends. */
  ending: string;
}

/** One step of a run. */
export interface Step {
  /** Index into `holders`. */
  holder: number;
  /** The address of the instruction. int32. */
  pc: number;
  /** The instruction, or what was done. */
  text: string;
  /** The mode of the real hart: `U`. */
  real: string;
  /** The mode that the guest believes to be in; empty where there is no guest. */
  virtual: string;
  /** The trap that the step ends in, in words; empty: none. */
  trap: string;
  /** Cycles when the step is over. */
  cycles: number;
  /** What it changed: index into `places`, and the value from then on. int32. */
  changes: [place: number, value: number][];
}

export interface RecordOptions {
  /** Instructions to record: 5,000 if left out, 100,000 at most. */
  steps?: number;
  /** Instructions to run first, without recording them. */
  from?: number;
  /** Names of addresses, for targets of branches: `program.symbols`. */
  symbols?: ReadonlyMap<string, number>;
  title?: string;
}

const STEPS = 5000;
/** More would make the notebook's file unwieldy: about 15 bytes each. */
const MOST_STEPS = 100_000;

/** CSRs of S mode whose changes are recorded; those of M mode, where no TypeScript is in its place. */
const S_CSRS = ['sstatus', 'sie', 'sip', 'stvec', 'sscratch', 'sepc', 'scause', 'stval', 'satp'];
const M_CSRS = [
  'mstatus',
  'mie',
  'mip',
  'mtvec',
  'mscratch',
  'mepc',
  'mcause',
  'mtval',
  'mideleg',
  'medeleg',
];
/** Of the real hart below a guest. Those of the H extension are recorded where there are such. */
const REAL_CSRS = ['sstatus', 'stvec', 'sepc', 'scause', 'stval', 'satp'];
const H_CSRS = ['hstatus', 'hgatp', 'hvip', 'vsstatus', 'vstvec', 'vsepc', 'vscause', 'vstval', 'vsatp'];

/**
 * Runs a machine, or a hypervisor's guest, and records each step: who held the hart, the
 * instruction, the modes, what changed, the cycles.
 * @throws RangeError if `steps` or `from` make no sense
 */
export function record(what: Machine | Hypervisor, options: RecordOptions = {}): Recording {
  const steps = limit('steps', options.steps ?? STEPS, MOST_STEPS);
  const from = limit('from', options.from ?? 0, Number.MAX_SAFE_INTEGER);
  const early = from > 0 ? what.run({ instructions: from }) : undefined;
  const recorder = new Recorder(what, options);
  if (early !== undefined && early.reason !== 'budget') {
    const ran = early.instructions.toLocaleString('en-GB');
    return recorder.finish(
      `The run had ended before the recording began, after ${ran} instructions: ${early.message}`,
    );
  }
  return recorder.finish(recorder.run(steps));
}

/**
 * A part of a recording, as a recording of its own: the steps from index `from` (the first has 0) up to but
 * without `to`.
 */
export function excerpt(run: Recording, from: number, to: number): Recording {
  const start = [...run.start];
  for (const { changes } of run.steps.slice(0, from))
    for (const [place, value] of changes) start[place] = value;
  const startCycles = run.steps[from - 1]?.cycles ?? run.startCycles;
  const steps = run.steps.slice(from, to);
  const ending = `These are ${steps.length.toLocaleString('en-GB')} steps of a longer run.`;
  return { ...run, start, startCycles, steps, ending };
}

function limit(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  const hint = name === 'steps' ? ` To see what comes later, run up to there first: { from: 1000000 }.` : '';
  throw new RangeError(
    `record: ${name} must be a whole number from 0 to ${most.toLocaleString('en-GB')}, and is ${value}.${hint}`,
  );
}

/** What is about to happen. */
interface Moment {
  holder: number;
  pc: number;
  text: string;
  real: string;
  virtual: string;
}

class Recorder {
  /** What executes: the real machine, or the board of a guest of which every instruction is emulated. */
  private readonly board: Machine;
  /** The hart that the program believes to run on: the real one, or a guest's. */
  private readonly hart: Hart;
  private readonly real: Hart;
  private readonly isGuest: boolean;
  private readonly isEmulated: boolean;
  private readonly holders: string[];
  private readonly places: string[] = [];
  private readonly readers: (() => number)[] = [];
  private readonly values: number[];
  private readonly start: number[];
  private readonly startCycles: number;
  private readonly steps: Step[] = [];
  private readonly texts = new Map<number, { word: number; text: string }>();
  /** The trap of the step at hand that TypeScript has answered. */
  private answered: Trap | undefined;

  constructor(
    private readonly what: Machine | Hypervisor,
    private readonly options: RecordOptions,
  ) {
    this.isGuest = !(what instanceof Machine);
    const machine = what instanceof Machine ? what : what.vm.machine;
    this.isEmulated = !usesEngine(what, machine);
    this.board = this.isEmulated && !(what instanceof Machine) ? what.vm.guest : machine;
    this.real = machine.hart;
    this.hart = what instanceof Machine ? what.hart : what.vm.hart;
    this.holders = this.isGuest
      ? ['guest user', 'guest kernel', 'hypervisor']
      : ['user', 'kernel', 'firmware'];
    this.addPlaces();
    this.values = this.readers.map((read) => read());
    this.start = [...this.values];
    this.startCycles = this.board.cycles;
  }

  /** Runs `count` instructions. @returns why it ended */
  run(count: number): string {
    const { board, what } = this;
    const { host, engine } = board;
    if (host !== undefined)
      board.host = (trap) => {
        this.answered = trap;
        host(trap);
      };
    try {
      if (this.isEmulated)
        return this.ending(
          this.go(count, () => what.run({ instructions: 1 })),
          count,
        );
      const run = (_: Machine, budget: number) => this.go(budget, () => reference.run(board, 1));
      board.engine = { name: 'recorder', run };
      return this.ending(what.run({ instructions: count }), count);
    } finally {
      board.host = host;
      board.engine = engine;
    }
  }

  private ending({ reason, message }: Stop, count: number): string {
    if (reason !== 'budget') return message;
    const told = count.toLocaleString('en-GB');
    return `${told} instructions are recorded; record again to go on from here, or ask for more steps.`;
  }

  /** Takes up to `count` steps. */
  private go(count: number, advance: () => Stop): Stop {
    const { board } = this;
    let stop: Stop = { reason: 'budget', message: `${count} instructions are recorded.` };
    for (let n = 0; n < count && stop.reason === 'budget'; n++) {
      const { traps, cycles } = board;
      const moment = this.moment();
      this.answered = undefined;
      stop = advance();
      const hasTrapped = board.traps > traps;
      if (stop.reason !== 'budget' && board.cycles === cycles && !hasTrapped) break;
      if (this.answered !== undefined) this.addAnswered(moment, cycles, this.answered);
      else this.addDirect(moment, hasTrapped);
    }
    return stop;
  }

  finish(ending: string): Recording {
    const { holders, places, start, startCycles, steps } = this;
    const title = this.options.title ?? this.title();
    return { title, holders, places, start, startCycles, steps, ending };
  }

  private title(): string {
    return this.what instanceof Machine
      ? 'A run of the machine'
      : `A guest under ${this.what.report().technique}`;
  }

  private addPlaces(): void {
    const { hart, board, real } = this;
    // Between exits, the guest's registers are in the real hart.
    for (let n = 1; n < ABI_NAMES.length; n++) this.addPlace(ABI_NAMES[n], () => board.hart.x[n]);
    const add = (prefix: string, from: Hart, names: string[]) => {
      for (const name of names) this.addPlace(prefix + name, () => from.csrs.get(name));
    };
    if (!this.isGuest) {
      add('', hart, board.host === undefined ? [...S_CSRS.slice(1), ...M_CSRS] : S_CSRS);
      return;
    }
    add('virtual ', hart, S_CSRS);
    const extra = H_CSRS.filter((name) => csrByName(name) !== undefined && real.hasExtension('H'));
    add('real ', real, [...REAL_CSRS, ...extra]);
  }

  private addPlace(name: string, read: () => number): void {
    this.places.push(name);
    this.readers.push(read);
  }

  /** Notes what is about to happen. */
  private moment(): Moment {
    const { board, isGuest, isEmulated, what } = this;
    const mode = what instanceof Machine ? what.hart.mode : what.vm.mode;
    const isFirmware = mode === Mode.M && !isGuest;
    return {
      holder: isFirmware || isEmulated ? 2 : mode === Mode.U ? 0 : 1,
      pc: board.hart.pc,
      text: this.textOf(board.hart),
      real: isEmulated ? 'M' : Mode[board.hart.mode],
      virtual: isGuest ? Mode[mode] : '',
    };
  }

  private textOf(hart: Hart): string {
    if (hart.interruptToTake() !== NO_TRAP) return 'an interrupt comes';
    if (hart.waiting) return 'waits for an interrupt';
    const word = hart.peekInstruction();
    if (word === undefined) return 'no instruction to fetch';
    const known = this.texts.get(hart.pc);
    if (known?.word === word) return known.text;
    const { symbols } = this.options;
    const text = disassemble(word, hart.pc, symbols ? { symbols } : {});
    this.texts.set(hart.pc, { word, text });
    return text;
  }

  /** A step that no TypeScript had a part in. */
  private addDirect(moment: Moment, trapped: boolean): void {
    const { hart } = this.board;
    const cause = trapped ? hart.csrs.get(hart.mode === Mode.M ? 'mcause' : 'scause') : 0;
    this.add(moment, trapped ? causeName(cause >>> 0) : '');
  }

  /** A trap and its answer. */
  private addAnswered(moment: Moment, cyclesBefore: number, { cause }: Trap): void {
    const name = causeName(cause);
    if (!isInterrupt(cause)) this.steps.push({ ...moment, trap: name, cycles: cyclesBefore, changes: [] });
    const changes = this.changes();
    const text = `${this.answer(changes)}: ${name}`;
    const answer = {
      ...moment,
      holder: 2,
      text,
      real: 'M',
      virtual: this.isGuest ? Mode[this.hart.mode] : '',
    };
    this.add(answer, isInterrupt(cause) ? name : '', changes);
  }

  /** What a hypervisor's answer came to, as far as the virtual hart shows it. */
  private answer(changes: Step['changes']): string {
    if (!this.isGuest) return 'answers';
    const isCause = changes.some(([place]) =>
      ['virtual sepc', 'virtual scause'].includes(this.places[place]),
    );
    const vector = this.hart.csrs.get('stvec') & ~3;
    const isReflected = this.hart.mode === Mode.S && this.hart.pc === vector && isCause;
    return isReflected ? "gives the guest's kernel" : 'answers';
  }

  private changes(): Step['changes'] {
    const changes: Step['changes'] = [];
    this.readers.forEach((read, place) => {
      const value = read();
      if (value === this.values[place]) return;
      this.values[place] = value;
      changes.push([place, value]);
    });
    return changes;
  }

  /** Adds a step that is over now. */
  private add(moment: Moment, trap: string, changes = this.changes()): void {
    this.steps.push({ ...moment, trap, cycles: this.board.cycles, changes });
  }
}

/** Whether a hypervisor lets the guest run on the machine's hart, by its engine; a machine always does. */
function usesEngine(what: Machine | Hypervisor, machine: Machine): boolean {
  const { engine } = machine;
  let isUsed = what instanceof Machine;
  if (engine !== undefined)
    machine.engine = {
      name: 'none',
      run(asked, budget) {
        isUsed = true;
        return engine.run(asked, budget);
      },
    };
  try {
    what.run({ instructions: 0 });
  } finally {
    machine.engine = engine;
  }
  return isUsed;
}
