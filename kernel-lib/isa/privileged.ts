/** Instructions of the privileged architecture: returns from traps, waiting, fencing translations. */
import { NONE, PAIR, row } from './formats';
import { fenceTranslations, requireMode, returnFromTrap, seq, waitForInterrupt } from './meaning';
import { Mode } from './registers';

// biome-ignore format: a table
export const PRIVILEGED = [
  row('mret',       NONE, '0011000 00010 00000 000 00000 1110011', seq(requireMode(Mode.M), returnFromTrap(Mode.M)), 'Priv, Trap-Return Instructions'),
  row('sret',       NONE, '0001000 00010 00000 000 00000 1110011', seq(requireMode(Mode.S), returnFromTrap(Mode.S)), 'Priv, Trap-Return Instructions'),
  row('wfi',        NONE, '0001000 00101 00000 000 00000 1110011', waitForInterrupt,                                 'Priv, Wait for Interrupt'),
  row('sfence.vma', PAIR, '0001001 xxxxx xxxxx 000 00000 1110011', seq(requireMode(Mode.S), fenceTranslations),      'Priv, Supervisor Memory-Management Fence Instruction'),
];
