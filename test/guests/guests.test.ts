// The guests on the bare machine: what they print, that what they leave behind does not depend on
// time, and how their parameters are set.
import {
  assemble,
  COSTS,
  type CostTable,
  createMachine,
  Firmware,
  guest,
  guestParameters,
  guestSource,
  type Program,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { ENGINES, type EngineName, type RunnableOptions } from '../../kernel-lib/engine/create';
import { hartState } from '../../kernel-lib/lab/hart-state';
import { EXPECTED } from './expected';

const ENGINE_NAMES = Object.keys(ENGINES) as EngineName[];

interface RunOptions extends RunnableOptions {
  engine?: EngineName;
  instructions?: number;
}

function run(program: Program, { instructions = 20_000_000, ...options }: RunOptions = {}) {
  const machine = createMachine(options);
  new Firmware(machine).boot(program);
  const { reason, code } = machine.run({ instructions });
  return { machine, reason, code };
}

describe.each(Object.entries(EXPECTED))('%s', (name, { console, code = 0 }) => {
  it.each(ENGINE_NAMES)('prints what its header promises, with the engine %s', (engine) => {
    const result = run(guest(name), { engine });
    expect(result.machine.console).toBe(console);
    expect(result).toMatchObject({ reason: 'finished', code });
  });

  it('runs with the firmware in assembly, too', () => {
    const machine = createMachine();
    machine.load(guest(name));
    machine.load(guest('firmware'));
    expect(machine.run({ instructions: 20_000_000 })).toMatchObject({ reason: 'finished', code });
    expect(machine.console).toBe(console);
  });
});

const SLOW = { ...COSTS['arm-est'], name: 'slow', instruction: 7, pageTableRead: 31 };

it.each(Object.keys(EXPECTED))('what %s leaves behind does not depend on when its timer rings', (name) => {
  const program = guest(name);
  const [one, other] = [run(program).machine, run(program, { costs: SLOW }).machine];
  if (name === 'nano-os') expect(one.traps).not.toBe(other.traps); // it was preempted more often
  expect(other.console).toBe(one.console);
  expect(hartState(other.hart)).toEqual(hartState(one.hart));
  expect(Buffer.compare(other.ram.bytes, one.ram.bytes)).toBe(0);
});

it('what nano-os prints does not depend on how long a slice is', () => {
  const consoles = [40, 300, 100_000].map((SLICE) => run(guest('nano-os', { SLICE })).machine.console);
  expect(consoles).toEqual(consoles.map(() => EXPECTED['nano-os'].console));
});

it.each([1, 2] as const)('nano-os writes to a disk with the interface of version %i', (virtioVersion) => {
  const disk = new Uint8Array(64 * 512);
  const { machine } = run(guest('nano-os', { SECTORS: 3 }), { disk, virtioVersion });
  expect(machine.console).toContain('a disk\nprocess 1: .... sector sector sector done\n');
  expect(machine.console).toContain('self-check passed');
  const words = new Int32Array(disk.buffer);
  for (const sector of [1, 2, 3])
    expect([...words.subarray(128 * sector, 128 * sector + 3)]).toEqual([sector, sector + 7, sector + 14]);
  expect(words.subarray(128 * 4).every((word) => word === 0)).toBe(true);
});

describe('the self-check of nano-os', () => {
  // Its own faults, put in one by one: what it promises to find, it finds.
  const faults: [what: string, from: string, to: string, message: string][] = [
    [
      'interrupts stay on in critical sections',
      'interrupts_off\n        lw      t2, 0(t0)',
      'lw      t2, 0(t0)',
      'a critical section was not one',
    ],
    [
      'fork shares pages for good',
      '        andi    a0, a0, ~PTE_W\n        ori     a0, a0, PTE_COW',
      '        ori     a0, a0, PTE_COW',
      'a process was not content',
    ],
    ['a frame is kept', 'lw      a0, P_STACK(s0)\n        call    drop', 'nop', 'a frame was not given back'],
    [
      'a child executes what it may not',
      'child:  li      s3, CALLS',
      'child:  csrr    s3, sstatus',
      'a process was not content',
    ],
    [
      'a child reads the kernel',
      'child:  li      s3, CALLS',
      'child:  lui     s3, 0x80400; lw s3, 0(s3)',
      'a process was not content',
    ],
  ];
  it.each(faults)('finds that %s', (_, from, to, message) => {
    const source = guestSource('nano-os', { SLICE: 150, CALLS: 200, SECTIONS: 20, WORK: 10 });
    expect(source).toContain(from);
    const { machine, code } = run(assemble(source.replaceAll(from, to)));
    expect(machine.console).toContain(message);
    expect(code).toBe(1);
  });
});

describe('parameters', () => {
  it('change how much a guest does', () => {
    const { machine } = run(guest('nano-os', { FORKS: 2, PAGES: 3 }));
    expect(machine.console).toContain('process 2: .. done\n');
    expect(machine.console).toContain('self-check passed');
  });

  it('can be large, and must fit together', () => {
    const large = { PAGES: 200, FRAMES: 900, FORKS: 1, WORK: 2 };
    expect(run(guest('nano-os', large)).machine.console).toContain('self-check passed');
    const { machine, code } = run(guest('nano-os', { FRAMES: 20 }));
    expect(machine.console).toContain('out of frames');
    expect(code).toBe(1);
  });

  it('are known by name', () => {
    expect(guestParameters('nano-os')).toMatchObject({ FORKS: 4, FRAMES: 96 });
    expect(guestParameters('hello')).toEqual({});
    expect(() => guest('nano-os', { FORK: 2 })).toThrow(/no parameter "FORK".*FORKS, PAGES/s);
    expect(() => guest('nano-os', { UART: 2 })).toThrow(/no parameter "UART"/);
    expect(() => guest('hello', { FORKS: 2 })).toThrow('It has none.');
    expect(() => guest('nano-os', { FORKS: 0.5 })).toThrow('integer of 32 bits');
  });

  it('let hostile hog the hart', () => {
    const { reason, machine } = run(guest('hostile', { FOREVER: 1 }), { instructions: 300_000 });
    expect(machine.console).toMatch(/for ever\n$/);
    expect(reason).toBe('budget');
  });

  it('let rtos report how late it was', () => {
    const late = (costs: CostTable) => {
      const { machine } = run(guest('rtos', { REPORT: 1 }), { costs });
      const [, worst] = /lateness in ticks: ([0-9a-f]{8})\n.*missed: 00000000/.exec(machine.console) ?? [];
      return Number.parseInt(worst, 16);
    };
    expect(late(COSTS['arm-est'])).toBeLessThan(20);
    expect(late(SLOW)).toBeGreaterThan(late(COSTS['arm-est']));
  });

  it('make selfmod change itself more often', () => {
    const { machine, code } = run(guest('selfmod', { ROUNDS: 1000 }));
    expect(machine.console).toContain('a loop: 0007a314\n');
    expect(code).toBe(0);
  });

  it('leave every line where it was', () => {
    const lines = (source: string) => source.split('\n').length;
    expect(lines(guestSource('nano-os', { FORKS: 20 }))).toBe(lines(guestSource('nano-os')));
  });
});
