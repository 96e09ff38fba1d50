/**
 * The exercises of lesson 07: the smallest guest that shows a defect, one for each kind of defect.
 *
 * A guest passes if it finds all in order on every bare machine and in a VM on the sound one, and
 * does *not* in a VM on a machine that has the one defect and no other. `07-kseg` is about a defect
 * that is only dear: exits are counted. `07-detector` must name the profile that it runs on.
 */
import type { Program } from '../../code/program';
import { PROFILES, type Profile, type ProfileName } from '../../isa/profiles';
import { defineExercises, type Exercise, type Failure } from '../check';
import { record } from '../timeline/record';
import {
  type Place,
  runVerdict,
  type VerdictRun,
  verdictGuest,
  verdictMachine,
  verdictVm,
} from '../verdict-guest';
import { assemblerSays } from './assembler-says';
import { told } from './told';

type GuestExercise = Exercise<() => string>;

const RECORDED_STEPS = 300;

/** The guest, or why there is none. */
function guestOf(solution: () => string): Program | Failure {
  const body: unknown = solution();
  if (body === undefined || (typeof body === 'string' && body.trim() === ''))
    return { untouched: true, message: 'There is no guest yet: the text is empty.' };
  if (typeof body !== 'string')
    return { message: `Your function must give the guest’s text, in assembly. It gives ${told(body)}.` };
  try {
    return verdictGuest(body);
  } catch (error) {
    return assemblerSays('The assembler does not understand your guest.', error);
  }
}

const isFailure = (made: Program | Failure): made is Failure => 'message' in made;

/** A machine with one defect of a profile and no other. */
function alone(profile: ProfileName, standsFor: string): Profile {
  const defects = PROFILES[profile].defects.filter((defect) => defect.standsFor === standsFor);
  return { name: `${profile}, ${standsFor} alone`, defects };
}

/** How a run ended, as the end of a sentence. */
function foundText({ end, a0 }: VerdictRun): string {
  return a0 === undefined ? `it did not come to its end: ${end.message}` : `it ends with \`a0\` = ${a0}.`;
}

const where = (place: Place, { name }: Profile) =>
  place === 'VM' ? `in a VM on the profile \`${name}\`` : `on the bare machine, profile \`${name}\``;

/** A failure with the run in which it shows. */
function shown(program: Program, profile: Profile, message: string, place: Place = 'VM'): Failure {
  const run = place === 'VM' ? verdictVm(program, profile) : verdictMachine(program, profile);
  return {
    message,
    run: record(run, {
      steps: RECORDED_STEPS,
      title: `Your guest ${where(place, profile).replaceAll('`', '')}`,
    }),
  };
}

/** Whether all is in order where it should be: on bare machines, and in a VM on the sound machine. */
function failsWhereSound(program: Program, profiles: readonly Profile[], wanted = 1): Failure | undefined {
  const places = [
    ...profiles.map((profile) => ['bare machine', profile] as const),
    ['VM', PROFILES.riscv] as const,
  ];
  for (const [place, profile] of places) {
    const run = runVerdict(program, place, profile);
    if (run.a0 === wanted) continue;
    const message = `${capital(where(place, profile))} all is in order: your guest must end with \`a0\` = ${wanted}. But ${foundText(run)}`;
    return shown(program, profile, message, place);
  }
  return undefined;
}

const capital = (text: string) => text[0].toUpperCase() + text.slice(1);

interface Shows {
  id: string;
  title: string;
  profile: ProfileName;
  standsFor: string;
  hints: readonly string[];
}

/** An exercise whose guest must notice a defect. */
function shows({ id, title, profile, standsFor, hints }: Shows): GuestExercise {
  return {
    id,
    title,
    hints,
    passed: `Your guest finds all in order on the bare machines and in a VM on a sound one, and notices \`${standsFor}\` in a VM on \`${profile}\`.`,
    test(solution) {
      const program = guestOf(solution);
      if (isFailure(program)) return program;
      const one = alone(profile, standsFor);
      const failure = failsWhereSound(program, [PROFILES.riscv, PROFILES[profile], one]);
      if (failure !== undefined) return failure;
      const run = runVerdict(program, 'VM', one);
      if (run.a0 !== 1) return undefined;
      return shown(
        program,
        one,
        `${capital(where('VM', one))} your guest notices nothing: it ends with \`a0\` = 1, as on the bare machine.`,
      );
    },
  };
}

const FEWEST_EXITS = 50;
const timesText = (count: number) => (count === 1 ? 'once' : `${count} times`);

const kseg: GuestExercise = {
  id: '07-kseg',
  title: 'right, but dear',
  passed: 'The same result everywhere, and an exit for each access to the window on `mips`.',
  hints: [
    'Nothing goes wrong here, so `a0` is 1 everywhere. What counts is how often the guest leaves direct execution.',
    `Make ${FEWEST_EXITS} loads or more from the window. It lies at 0x80000000, and is 4 MiB long; on the other profiles it is plain RAM.`,
    'A loop: before it, an address of the window goes into a register; in it, a word is loaded from there, and a counter goes down to 0.',
  ],
  test(solution) {
    const program = guestOf(solution);
    if (isFailure(program)) return program;
    const one = alone('mips', 'KSEG');
    const failure = failsWhereSound(program, [PROFILES.riscv, PROFILES.mips]);
    if (failure !== undefined) return failure;
    const [sound, dear] = [PROFILES.riscv, one].map((profile) => runVerdict(program, 'VM', profile));
    if (dear.a0 !== 1)
      return shown(
        program,
        one,
        `${capital(where('VM', one))} the result must be right, too; but ${foundText(dear)}`,
      );
    if (dear.exits - sound.exits >= FEWEST_EXITS) return undefined;
    return shown(
      program,
      one,
      `Your guest leaves direct execution ${timesText(dear.exits)} on \`mips\` and ${timesText(sound.exits)} on \`riscv\`. It should be ${FEWEST_EXITS} times more.`,
    );
  },
};

/** What the detector must answer, by profile; it needn't know others. */
const DETECTED = {
  riscv: 0,
  x86: 1,
  itanium: 2,
  mips: 3,
  arm: 4,
} as const satisfies Partial<Record<ProfileName, number>>;
const NAMES = Object.keys(DETECTED) as (keyof typeof DETECTED)[];

const detector: GuestExercise = {
  id: '07-detector',
  title: 'what machine is this?',
  passed:
    'Your guest knows a VM on each of the four machines by its defects, and takes no bare machine for a VM.',
  hints: [
    'Use what you know of each machine: which of your guests notices something on one profile and on no other?',
    '`k0` changes on `mips` only, `sscratch` forgets on `arm` only. Reading `satp` is real on `x86` and on `itanium`; of these two, on `itanium` what you write to `stvec` is what you read.',
    'Ask in that order: after each question, load the answer into `a0` and branch to `verdict` if it is the one. Load it before the branch. At the end only `x86` is left.',
  ],
  test(solution) {
    const program = guestOf(solution);
    if (isFailure(program)) return program;
    const bare = NAMES.map((name) => PROFILES[name]);
    const failure = failsWhereSound(program, bare, DETECTED.riscv);
    if (failure !== undefined) return failure;
    for (const name of NAMES) {
      const run = runVerdict(program, 'VM', name);
      if (run.a0 === DETECTED[name]) continue;
      const message = `${capital(where('VM', PROFILES[name]))} your guest must end with \`a0\` = ${DETECTED[name]}, but ${foundText(run)}`;
      return shown(program, PROFILES[name], message);
    }
    return undefined;
  },
};

const EXERCISES: readonly Shows[] = [
  {
    id: '07-sidt',
    title: 'whose vectors are these?',
    profile: 'x86',
    standsFor: 'sidt, sgdt',
    hints: [
      'Write something to `stvec`, and read it back. On which machine is it still there?',
      'The write traps and goes to the virtual hart. The read, on the profile, does not trap, and gives the real register.',
      '`la t0, verdict`, `csrw stvec, t0`, `csrr t1, stvec`. Then `a0` is to be 1 if `t0` and `t1` are equal: `xor`, and `seqz`.',
    ],
  },
  {
    id: '07-pushf',
    title: 'are interrupts on?',
    profile: 'x86',
    standsFor: 'pushf',
    hints: [
      'Switch interrupts on, and look whether they are: bit 1 of `sstatus`, SIE. No interrupt need come.',
      '`csrsi` traps and sets the virtual bit. `csrr` does not trap on the profile, and gives the real one.',
      '`andi` with 2, then `snez` into `a0`.',
    ],
  },
  {
    id: '07-popf',
    title: 'a lost interrupt',
    profile: 'x86',
    standsFor: 'popf',
    hints: [
      'You need a handler (`stvec`), a timer (`call set_timer`), its interrupt enabled in `sie` (0x20), interrupts on in `sstatus` (2), and a loop that waits, but not for ever.',
      'The handler notes in a register of its own, `s0` for one, that it was called, switches the timer’s interrupt off (`csrw sie, zero`), and returns with `sret`.',
      'The loop counts down from 50000 and leaves early if `s0` is not 0. Then `mv a0, s0`, and `j verdict`. Align the handler: `.align 2`.',
    ],
  },
  {
    id: '07-thash',
    title: 'where is the page table?',
    profile: 'itanium',
    standsFor: 'thash',
    hints: [
      'Your guest has switched on no paging. What must `satp` be then? And what is the real one in a VM?',
      'Without paging `satp` is 0. The hypervisor’s shadow table makes the real one something else.',
      '`csrr t0, satp`, and `seqz a0, t0`. That is all.',
    ],
  },
  {
    id: '07-iva',
    title: 'nobody takes the trap',
    profile: 'itanium',
    standsFor: 'mov iva',
    hints: [
      'Set `stvec` to a handler of yours, and cause a trap: `ebreak`. Who gets it?',
      'On the profile the write reaches the real `stvec`, and the hypervisor is not told: it delivers the trap to where the virtual one points.',
      '`li a0, 1` in the handler, `li a0, 0` behind `ebreak`, and `j verdict` in both. Align the handler: `.align 2`.',
    ],
  },
  {
    id: '07-k0',
    title: 'a register changes by itself',
    profile: 'mips',
    standsFor: 'k0, k1',
    hints: [
      'Here `k0` and `k1` are `s10` and `s11`. Put something into one of them, and let something happen that is no trap on the bare machine and one in a VM.',
      'Any access to a CSR of supervisors will do: `csrr t0, sscratch`.',
      'Put 5 into `s10`, read `sscratch` into another register, then see whether `s10` is still 5: take 5 away, and ask with `seqz`.',
    ],
  },
  {
    id: '07-banked',
    title: 'a register that is not there',
    profile: 'arm',
    standsFor: 'ldm ^, stm ^',
    hints: [
      '`sscratch` stands for a register that only privileged modes have. Write to it, and read it back.',
      'On the profile, in U mode, what is written is lost, and what is read leaves the result register as it was. So see to it that this register holds something else before.',
      'Write 77 from one register into `sscratch`, make another register 0, read `sscratch` into that one, and compare the two.',
    ],
  },
  {
    id: '07-movs',
    title: 'a return that is only a jump',
    profile: 'arm',
    standsFor: 'movs pc, lr',
    hints: [
      'Enter a process by `sret`: clear SPP (0x100) in `sstatus`, put its address into `sepc`. How will the hypervisor know that the guest is in user mode now?',
      'In the process, do what has one effect for a process and another for a kernel: `ecall`. In your handler, `scause` tells who called: 8 is a process.',
      'For a kernel, `ecall` is a call to the firmware, and comes back: behind it, `li a0, 0`. `li a7, 0x10` and `li a6, 0` before it make it one that the firmware knows. In the handler `a0` is to be 1 if `scause` is 8.',
    ],
  },
];

defineExercises(...EXERCISES.map(shows), kseg, detector);
