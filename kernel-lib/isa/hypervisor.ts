/**
 * The hypervisor extension's instructions: access to a guest's memory, and fences for its
 * translations. On a hart without H they are illegal instructions. Priv, Hypervisor Instructions.
 */
import { HSV, LR, PAIR, row } from './formats';
import { requireExtension } from './meaning';

const hypervisorOnly = requireExtension('H');

// biome-ignore format: a table
export const HYPERVISOR = [
  row('hlv.b',       LR,   '0110000 00000 xxxxx 100 xxxxx 1110011', hypervisorOnly, 'Priv, Hypervisor Virtual-Machine Load and Store Instructions'),
  row('hlv.bu',      LR,   '0110000 00001 xxxxx 100 xxxxx 1110011', hypervisorOnly, 'Priv, Hypervisor Virtual-Machine Load and Store Instructions'),
  row('hlv.h',       LR,   '0110010 00000 xxxxx 100 xxxxx 1110011', hypervisorOnly, 'Priv, Hypervisor Virtual-Machine Load and Store Instructions'),
  row('hlv.hu',      LR,   '0110010 00001 xxxxx 100 xxxxx 1110011', hypervisorOnly, 'Priv, Hypervisor Virtual-Machine Load and Store Instructions'),
  row('hlvx.hu',     LR,   '0110010 00011 xxxxx 100 xxxxx 1110011', hypervisorOnly, 'Priv, Hypervisor Virtual-Machine Load and Store Instructions'),
  row('hlv.w',       LR,   '0110100 00000 xxxxx 100 xxxxx 1110011', hypervisorOnly, 'Priv, Hypervisor Virtual-Machine Load and Store Instructions'),
  row('hlvx.wu',     LR,   '0110100 00011 xxxxx 100 xxxxx 1110011', hypervisorOnly, 'Priv, Hypervisor Virtual-Machine Load and Store Instructions'),
  row('hsv.b',       HSV,  '0110001 xxxxx xxxxx 100 00000 1110011', hypervisorOnly, 'Priv, Hypervisor Virtual-Machine Load and Store Instructions'),
  row('hsv.h',       HSV,  '0110011 xxxxx xxxxx 100 00000 1110011', hypervisorOnly, 'Priv, Hypervisor Virtual-Machine Load and Store Instructions'),
  row('hsv.w',       HSV,  '0110101 xxxxx xxxxx 100 00000 1110011', hypervisorOnly, 'Priv, Hypervisor Virtual-Machine Load and Store Instructions'),
  row('hfence.vvma', PAIR, '0010001 xxxxx xxxxx 000 00000 1110011', hypervisorOnly, 'Priv, Hypervisor Memory-Management Fence Instructions'),
  row('hfence.gvma', PAIR, '0110001 xxxxx xxxxx 000 00000 1110011', hypervisorOnly, 'Priv, Hypervisor Memory-Management Fence Instructions'),
];
