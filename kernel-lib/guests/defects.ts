/**
 * The smallest guest for each defect of a profile: right on the bare machine, wrong under
 * trap-and-emulate on a machine with the defect. Each prints one line that says which it was.
 * Where two machines have the same defect under different names, one guest shows both. Each has a
 * port for a para-virtualizing hypervisor beside it: `defects/popf.para`.
 */
import { type Profile, type ProfileName, profileOf } from '../isa/profiles';

/** Stands for -> guest. */
// biome-ignore format: a table
const GUESTS: Readonly<Record<string, string>> = {
  'popf':         'defects/popf',
  'pushf':        'defects/pushf',
  'push %cs':     'defects/push-cs',
  'smsw':         'defects/smsw',
  'sidt, sgdt':   'defects/sidt',
  'thash':        'defects/thash',
  'mov iva':      'defects/iva',
  'k0, k1':       'defects/k0',
  'KSEG':         'defects/kseg', // right everywhere, but dear
  'cps, msr':     'defects/popf',
  'mrs':          'defects/pushf',
  'ldm ^, stm ^': 'defects/banked',
  'mov lr':       'defects/lr',
  'movs pc, lr':  'defects/movs',
};

/** A defect, by the instruction that it stands for, and the guest that shows it. */
export interface DefectGuest {
  standsFor: string;
  /** The guest's name, for `guest()`. */
  guest: string;
}

/**
 * The guests that show the defects of a profile, in the order of its table; defects that no guest
 * shows (of tables of one's own) are left out.
 * @throws if there is no profile of this name
 */
export function defectGuests(profile: ProfileName | Profile): DefectGuest[] {
  const names = new Set(profileOf(profile).defects.map((defect) => defect.standsFor));
  return [...names].flatMap((standsFor) => {
    const found = GUESTS[standsFor];
    return found !== undefined ? [{ standsFor, guest: found }] : [];
  });
}
