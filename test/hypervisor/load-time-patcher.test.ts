// Load-time patching: what a scan finds, and how guests fare that it has patched.
import {
  asm,
  createMachine,
  guest,
  judge,
  type Loadable,
  LoadTimePatcher,
  type LoadTimePatcherOptions,
  type Program,
  type Sweep,
  scan,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { EXPECTED } from '../guests/expected';

const ENOUGH = { instructions: 20_000_000 };

function patched(
  program: Program,
  options: LoadTimePatcherOptions = {},
  profile: 'riscv' | 'x86' | 'arm' = 'riscv',
) {
  const hypervisor = new LoadTimePatcher(createMachine({ profile }), options);
  hypervisor.boot(program);
  const { reason, code } = hypervisor.run(ENOUGH);
  return { reason, code, console: hypervisor.vm.console, report: hypervisor.report(), hypervisor };
}

const REPLACEMENTS = ['trap', 'jump'] as const;

describe('a scan', () => {
  const DATA_IN_TEXT = asm`
_start: csrr  a0, sepc
        j     1f
        .word 0x14102573            # data that looks like csrr a0, sepc
        .half 0x0003                # half of an instruction: what follows is out of step …
1:      csrr  a0, sepc
        c.nop
        csrw  sepc, a0
        wfi
`;
  const results = (sweep: Sweep) => judge(scan(DATA_IN_TEXT, sweep), DATA_IN_TEXT);

  it('takes data for instructions, and misses what is out of step', () => {
    const { found, missed, wrong } = results('linear');
    expect(found.length + missed.length).toBe(4);
    expect(wrong).toEqual([0x8040_0008]);
    expect(missed).toEqual([0x8040_000e]);
  });

  it('everywhere misses nothing, and is wrong no less often', () => {
    const { missed, wrong } = results('everywhere');
    expect(missed).toEqual([]);
    expect(wrong.length).toBeGreaterThanOrEqual(results('linear').wrong.length);
  });

  it('takes the letter s for an instruction: its code is that of the privileged ones', () => {
    const program = guest('nano-os');
    const { missed, wrong } = judge(scan(program), program);
    expect(missed).toEqual([]);
    const texts = wrong.map((address) =>
      [...program.lines]
        .filter(([at, { bytes }]) => at <= address && at + bytes > address)
        .map(([, { text }]) => text),
    );
    expect(texts.flat().join()).toMatch(/"process ".*" sector"/);
  });

  it.each(['syscalls', 'rtos'])('finds all that %s has, and nothing else', (name) => {
    const program = guest(name);
    const { found, missed, wrong } = judge(scan(program), program);
    expect({ missed, wrong }).toEqual({ missed: [], wrong: [] });
    expect(found.length).toBeGreaterThan(10);
  });
});

describe.each(REPLACEMENTS)('patched by %s', (replacement) => {
  it.each(['hello', 'syscalls', 'rtos'])('%s prints what it prints', (name) => {
    const { console, reason, code } = patched(guest(name), { replacement });
    expect(console).toBe(EXPECTED[name].console);
    expect({ reason, code }).toEqual({ reason: 'finished', code: 0 });
  });

  it('nano-os does not print what it prints, unless the scan knows instructions from texts', () => {
    const program = guest('nano-os');
    expect(patched(program, { replacement }).console).not.toBe(EXPECTED['nano-os'].console);
    const { found } = judge(scan(program), program);
    const exact = (image: Loadable) => scan(image).filter(({ address }) => found.includes(address));
    expect(patched(program, { replacement, scan: exact }).console).toBe(EXPECTED['nano-os'].console);
  });

  it('works where sensitive instructions do not trap', () => {
    for (const name of ['popf', 'pushf', 'push-cs', 'sidt'])
      expect(patched(guest(`defects/${name}`), { replacement }, 'x86').code).toBe(0);
    for (const name of ['banked', 'lr', 'movs'])
      expect(patched(guest(`defects/${name}`), { replacement }, 'arm').code).toBe(0);
  });

  it('is seen by a guest that sums up its text', () => {
    expect(patched(guest('selfsum'), { replacement }).console).toContain('CHANGED');
  });
});

describe('a thunk', () => {
  it('saves the trap', () => {
    const program = asm`
_start: li    s0, 1000
1:      csrci sstatus, 2
        csrsi sstatus, 2
        csrr  a0, sepc
        addi  s0, s0, -1
        bnez  s0, 1b
        li    t1, 0x100000
        li    t2, 0x5555
        sw    t2, 0(t1)
`;
    const [trap, jump] = REPLACEMENTS.map((replacement) => patched(program, { replacement }).report);
    const exits = ({ exits }: typeof trap) => exits.reduce((sum, { count }) => sum + count, 0);
    expect(exits(trap)).toBeGreaterThanOrEqual(3000);
    expect(exits(jump)).toBeLessThan(10);
    const cycles = ({ cycles }: typeof trap) => cycles.guestKernel + cycles.hypervisor;
    expect(cycles(trap) / cycles(jump)).toBeGreaterThan(20);
  });
});
