// The guests that show the defects: right on the bare machine, wrong under trap-and-emulate on a
// machine with the defect, right again under every technique that doesn't rely on traps.
import {
  createMachine,
  defectGuests,
  Firmware,
  guest,
  PROFILES,
  type Profile,
  type ProfileName,
  type RunResult,
  TECHNIQUES,
  type TechniqueName,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';

/** Techniques under which guests are right on every profile. One more is one more line. */
const MENDING: readonly TechniqueName[] = ['full-emulation', 'binary-translation'];

/** What each guest prints where it is right, and under trap-and-emulate on a machine with the defect. */
const LINES: Readonly<Record<string, { right: string; wrong: string }>> = {
  'defects/popf': { right: 'three timer interrupts', wrong: 'interrupts were lost' },
  'defects/pushf': { right: 'interrupts are on again', wrong: 'interrupts stay off' },
  'defects/push-cs': {
    right: 'a breakpoint in the kernel',
    wrong: 'a breakpoint in a process: killed',
  },
  'defects/smsw': { right: 'paging by my own page table', wrong: 'whose page table is this?' },
  'defects/sidt': {
    right: 'the vectors are mine',
    wrong: 'these are not my vectors: this is a virtual machine',
  },
  'defects/thash': {
    right: 'the entry is in my page table',
    wrong: 'the entry is in another page table',
  },
  'defects/iva': { right: 'my handler took the trap', wrong: '' }, // it traps for ever
  'defects/k0': { right: 'nothing was lost', wrong: 'a register changed by itself' },
  'defects/banked': { right: 'the pointer is still there', wrong: 'the pointer is gone' },
  'defects/lr': {
    right: 'the trap was at the breakpoint',
    wrong: 'the trap was nowhere near the breakpoint',
  },
  'defects/movs': { right: 'the process called the kernel', wrong: 'the process was taken for the kernel' },
};

const BUDGET = { instructions: 2_000_000 };

type Ran = Pick<RunResult, 'reason'> & { line: string; exits: number };

function onBareMachine(name: string, profile: ProfileName | Profile): Ran {
  const machine = createMachine({ profile });
  new Firmware(machine).boot(guest(name));
  const { reason } = machine.run(BUDGET);
  return { reason, line: machine.console.trimEnd(), exits: 0 };
}

function under(technique: TechniqueName, name: string, profile: ProfileName | Profile): Ran {
  const hypervisor = TECHNIQUES[technique](createMachine({ profile }), {});
  hypervisor.boot(guest(name));
  const { reason } = hypervisor.run(BUDGET);
  const exits = hypervisor.report().exits.reduce((sum, { count }) => sum + count, 0);
  return { reason, line: hypervisor.vm.console.trimEnd(), exits };
}

const all = (Object.keys(PROFILES) as ProfileName[]).flatMap((profile) =>
  defectGuests(profile).map(({ standsFor, guest: name }) => ({ profile, standsFor, name })),
);

it('every defect has its guest', () => {
  for (const profile of Object.values(PROFILES))
    expect(defectGuests(profile).map(({ standsFor }) => standsFor)).toEqual([
      ...new Set(profile.defects.map(({ standsFor }) => standsFor)),
    ]);
});

describe.each(all.filter(({ name }) => name in LINES))('$standsFor on $profile ($name)', (row) => {
  const { profile, standsFor, name } = row;
  const { right, wrong } = LINES[name];
  /** A machine with this defect and no other. */
  const alone: Profile = {
    name: standsFor,
    defects: PROFILES[profile].defects.filter((defect) => defect.standsFor === standsFor),
  };

  it('is right on the bare machine, with the defect and without', () => {
    for (const one of [profile, 'riscv', alone] as const)
      expect(onBareMachine(name, one)).toMatchObject({ reason: 'finished', line: right });
  });

  it('is right under trap-and-emulate on a machine without the defect', () => {
    expect(under('trap-and-emulate', name, 'riscv')).toMatchObject({ reason: 'finished', line: right });
  });

  it('is wrong under trap-and-emulate on a machine with the defect', () => {
    for (const one of [profile, alone]) {
      const { line, reason } = under('trap-and-emulate', name, one);
      expect(line).toBe(wrong);
      expect(reason).toBe(wrong === '' ? 'trap-loop' : 'finished');
    }
  });

  it.each(MENDING)('is right under %s', (technique) => {
    for (const one of [profile, alone])
      expect(under(technique, name, one)).toMatchObject({ reason: 'finished', line: right });
  });
});

describe('KSEG on mips', () => {
  it('is right everywhere, but every access to the window is an exit', () => {
    const right = 'the sum is right';
    expect(onBareMachine('defects/kseg', 'mips').line).toBe(right);
    const [riscv, mips] = (['riscv', 'mips'] as const).map((profile) =>
      under('trap-and-emulate', 'defects/kseg', profile),
    );
    expect([riscv.line, mips.line]).toEqual([right, right]);
    const accesses = 2 * 64;
    expect(mips.exits - riscv.exits).toBeGreaterThanOrEqual(accesses - 2); // some pages needn't be filled in
    for (const technique of MENDING) expect(under(technique, 'defects/kseg', 'mips').line).toBe(right);
  });
});
