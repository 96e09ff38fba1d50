/**
 * Guests that say in one number what they have noticed: `1` in a0, if all is as on a sound machine.
 *
 * A learner writes the body, in assembly; around it come a start, an end (`verdict`, which the body
 * runs into or jumps to) and a subroutine `set_timer`. `runVerdict` runs such a guest on the bare
 * machine or in a VM; `tryOnProfiles` does so on every profile and gives a table.
 */
import { assemble } from '../code/assemble';
import type { Program } from '../code/program';
import { createMachine } from '../engine/create';
import { TrapAndEmulate } from '../hypervisor/trap-and-emulate';
import { PROFILES, type Profile, type ProfileName } from '../isa/profiles';
import { registerNumber } from '../isa/registers';
import type { Machine, RunResult } from '../machine/machine';
import { Firmware } from '../machine/sbi';
import type { Table } from './table';

/** How a guest of this kind ended. */
export interface VerdictRun {
  end: Pick<RunResult, 'reason' | 'message'>;
  /** What it left in a0, int32; undefined if it did not come to its end. */
  a0: number | undefined;
  /** How often it left direct execution; 0 on the bare machine. */
  exits: number;
}

/** Where a guest runs. */
export type Place = 'bare machine' | 'VM';

const A0 = registerNumber('a0')!;
const MOST_CHARACTERS = 20_000;
const BUDGET = { instructions: 400_000 };

/** What comes behind the body. */
const END = `
        .align  2
verdict:                                # a0: what was found
        li      t0, 0x100000            # the finisher
        li      t1, 0x5555
        sw      t1, 0(t0)
1:      j       1b

set_timer:                              # the next timer interrupt, 500 ticks from now; uses a0, a1, a6, a7, t0
        rdtime  a0
        li      a1, 0
        li      t0, 500
        add     a0, a0, t0
        li      a7, 0x54494d45          # SBI: set the timer
        li      a6, 0
        ecall
        ret
`;

/**
 * The whole guest around a body. Lines of the body keep their numbers.
 * @throws AssemblyError with what is wrong; TypeError if the body isn't text, RangeError if it is too long
 */
export function verdictGuest(body: string): Program {
  if (typeof body !== 'string')
    throw new TypeError(`A guest's body is a text in assembly, not ${typeof body}.`);
  if (body.length > MOST_CHARACTERS)
    throw new RangeError(`A guest of ${body.length} characters is too long. Write it in ${MOST_CHARACTERS}.`);
  return assemble(`_start: ${body}\n${END}`, { file: 'your guest' });
}

/** The hypervisor that a guest runs under, for those who want to record the run. */
export function verdictVm(program: Program, profile: ProfileName | Profile): TrapAndEmulate {
  const hypervisor = new TrapAndEmulate(createMachine({ profile }));
  hypervisor.boot(program);
  return hypervisor;
}

/** The bare machine with such a guest, for those who want to record the run. */
export function verdictMachine(program: Program, profile: ProfileName | Profile): Machine {
  const machine = createMachine({ profile });
  new Firmware(machine).boot(program);
  return machine;
}

/** Runs a guest on a machine of this profile, until it ends or its budget is used up. */
export function runVerdict(program: Program, place: Place, profile: ProfileName | Profile): VerdictRun {
  if (place === 'VM') {
    const hypervisor = verdictVm(program, profile);
    const end = hypervisor.run(BUDGET);
    const exits = hypervisor.report().exits.reduce((sum, { count }) => sum + count, 0);
    return { end, exits, a0: end.reason === 'finished' ? hypervisor.vm.hart.x[A0] : undefined };
  }
  const machine = verdictMachine(program, profile);
  const end = machine.run(BUDGET);
  return { end, exits: 0, a0: end.reason === 'finished' ? machine.hart.x[A0] : undefined };
}

/**
 * What a guest finds on the bare machine and in a VM that traps and emulates, on every profile.
 * @param body of the guest, in assembly: it ends by running into, or jumping to, `verdict`
 * @throws as `verdictGuest`
 */
export function tryOnProfiles(body: string): Table {
  const program = verdictGuest(body);
  const told = ({ end, a0 }: VerdictRun) => (a0 === undefined ? end.reason : `a0 = ${a0}`);
  return {
    caption: 'What the guest finds',
    columns: [
      { title: 'profile' },
      { title: 'bare machine' },
      { title: 'VM' },
      { title: 'exits in the VM', numeric: true },
    ],
    rows: (Object.keys(PROFILES) as ProfileName[]).map((profile) => {
      const [bare, vm] = (['bare machine', 'VM'] as const).map((place) =>
        runVerdict(program, place, profile),
      );
      return [profile, told(bare), { text: told(vm), differs: told(vm) !== told(bare) }, vm.exits];
    }),
  };
}
