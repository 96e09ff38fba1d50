// The guests that show the defects: right on the bare machine, wrong under trap-and-emulate on a
// machine with the defect, right again under every technique that doesn't rely on traps; and the
// same with a whole kernel. What a technique can't mend is listed, with the reason.
import {
  assemble,
  createMachine,
  DEFAULT_ORIGIN,
  defectGuests,
  Firmware,
  guest,
  guestSource,
  type Hypervisor,
  type Loadable,
  LoadTimePatcher,
  type Machine,
  PROFILES,
  PreVirtual,
  type Profile,
  type ProfileName,
  previrtualize,
  profile as profileGuest,
  type RunResult,
  TECHNIQUES,
  type TechniqueName,
  USUAL_PADS,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';

/** A technique that doesn't rely on traps: who runs the guest, and the form of it that it needs. */
interface Mending {
  make: (machine: Machine) => Hypervisor;
  form?: 'para' | 'previrt';
}

/** One more is one more line. */
const MENDING: Readonly<Record<string, Mending>> = {
  'full-emulation': { make: (machine) => TECHNIQUES['full-emulation'](machine) },
  'binary-translation': { make: (machine) => TECHNIQUES['binary-translation'](machine) },
  'para-virtualization': { make: (machine) => TECHNIQUES['para-virtualization'](machine), form: 'para' },
  'pre-virtualization, sharing': {
    make: (machine) => new PreVirtual(machine, { wedge: 'sharing' }),
    form: 'previrt',
  },
  'pre-virtualization, calling': {
    make: (machine) => new PreVirtual(machine, { wedge: 'calling' }),
    form: 'previrt',
  },
  'load-time patching, trap': { make: (machine) => new LoadTimePatcher(machine, { replacement: 'trap' }) },
  'load-time patching, jump': { make: (machine) => new LoadTimePatcher(machine, { replacement: 'jump' }) },
};

/** What a technique can't mend, and what the guest prints then. */
const BEYOND: readonly { technique: string; guest: string; line: string; because: string }[] = [
  {
    technique: 'pre-virtualization, calling',
    guest: 'defects/k0',
    line: 'a register changed by itself',
    because: 'the wedge calls for sepc, in the handler, and a call is a trap: k0 is gone',
  },
  {
    technique: 'load-time patching, trap',
    guest: 'defects/k0',
    line: 'a register changed by itself',
    because: 'what it puts in the place of sensitive instructions traps, too',
  },
];

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

const under = (technique: TechniqueName, name: string, profile: ProfileName | Profile): Ran =>
  ran(TECHNIQUES[technique](createMachine({ profile })), guest(name));

/** Runs the form of a guest that a technique needs. */
const mended = ({ make, form }: Mending, name: string, profile: ProfileName | Profile): Ran =>
  ran(make(createMachine({ profile })), guest(form === undefined ? name : `${name}.${form}`));

function ran(hypervisor: Hypervisor, image: Loadable): Ran {
  hypervisor.boot(image);
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

  it.each(Object.keys(MENDING))('under %s it is right, or what is beyond it is known', (technique) => {
    const line = BEYOND.find((one) => one.technique === technique && one.guest === name)?.line ?? right;
    for (const one of [profile, alone])
      expect(mended(MENDING[technique], name, one)).toMatchObject({ reason: 'finished', line });
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
    for (const technique of Object.values(MENDING))
      expect(mended(technique, 'defects/kseg', 'mips').line).toBe(right);
  });

  it('costs nothing where the guest was ported, and calls instead of traps where a run was its guide', () => {
    const machine = () => createMachine({ profile: 'mips' });
    const ported = mended(MENDING['para-virtualization'], 'defects/kseg', 'mips');
    expect(ported.exits).toBeLessThan(10);
    const name = 'defects/kseg';
    const memoryLines = profileGuest(guest(name), machine());
    const { source, marked } = previrtualize(guestSource(name), { memoryLines, pads: USUAL_PADS });
    expect(marked.length).toBeGreaterThanOrEqual(2);
    const hypervisor = new PreVirtual(machine(), { wedge: 'sharing' });
    hypervisor.boot(assemble(source, { origin: DEFAULT_ORIGIN }));
    hypervisor.run(BUDGET);
    expect(hypervisor.vm.console).toBe('the sum is right\n');
    const calls = hypervisor.report().exits.filter(({ instruction }) => instruction === 'ecall');
    expect(calls.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThanOrEqual(2 * 64);
  });
});

/** How a whole kernel ends under trap-and-emulate; on mips it is right, for it does without k0 and the window. */
const WHOLE: Readonly<Partial<Record<ProfileName, RunResult['reason'] | 'right'>>> = {
  x86: 'trap-loop', // its vectors, read back, are the hypervisor's
  itanium: 'trap-loop', // its vectors never get to the virtual hart
  arm: 'budget', // its return from a trap is a jump: it waits for a process that never was
  mips: 'right',
};

describe.each(Object.entries(WHOLE))('nano-os on %s', (profile, ending) => {
  const machine = () => createMachine({ profile: profile as ProfileName });
  const small = { FORKS: 1, WORK: 10, CALLS: 5 };
  const boot = (hypervisor: Hypervisor, image: Loadable) => {
    hypervisor.boot(image);
    const { reason } = hypervisor.run({ instructions: 3_000_000 });
    return { reason, console: hypervisor.vm.console };
  };
  const native = () => {
    const bare = machine();
    new Firmware(bare).boot(guest('nano-os', small));
    const { reason } = bare.run({ instructions: 3_000_000 });
    return { reason, console: bare.console };
  };

  it(`under trap-and-emulate: ${ending}`, () => {
    const outcome = boot(TECHNIQUES['trap-and-emulate'](machine()), guest('nano-os', small));
    if (ending === 'right') expect(outcome).toEqual(native());
    else {
      expect(outcome.reason).toBe(ending);
      expect(outcome.console).not.toContain('self-check passed');
    }
  });

  const whole = Object.entries(MENDING).filter(([name]) => !name.startsWith('load-time'));
  it.each(whole)('under %s: as on the bare machine', (_, { make, form }) => {
    const image = guest(form === undefined ? 'nano-os' : `nano-os.${form}`, small);
    expect(native().console).toContain('self-check passed');
    expect(boot(make(machine()), image)).toEqual(native());
  });
});

describe('ticker', () => {
  const counted = (profile: ProfileName, PROCESS: number) => {
    const program = guest('defects/ticker', { PROCESS });
    const bare = createMachine({ profile });
    new Firmware(bare).boot(program);
    expect(bare.run(BUDGET).reason).toBe('finished');
    const { vm } = TECHNIQUES['trap-and-emulate'](createMachine({ profile }), {});
    vm.boot(program);
    const { reason } = vm.run(BUDGET);
    return { bare: bare.hart.x[10], vm: reason === 'finished' ? vm.hart.x[10] : reason };
  };

  it.each<[ProfileName, number, number | string]>([
    ['riscv', 0, 10],
    ['riscv', 1, 10],
    ['x86', 0, 0],
    ['x86', 1, 10],
    ['itanium', 0, 'trap-loop'],
    ['mips', 0, 10],
    ['arm', 0, 0],
    ['arm', 1, 0],
  ])('on %s, with PROCESS %i, counts %s in a VM, and ten on the bare machine', (profile, PROCESS, wanted) => {
    expect(counted(profile, PROCESS)).toEqual({ bare: 10, vm: wanted });
  });
});
