/** All rows together: the instruction set of the machine. */
import type { Row } from './formats';
import { HYPERVISOR } from './hypervisor';
import { PRIVILEGED } from './privileged';
import { RV32A } from './rv32a';
import { RV32C } from './rv32c';
import { RV32I } from './rv32i';
import { RV32M } from './rv32m';
import { ZICSR } from './zicsr';

export const ISA: readonly Row[] = [
  ...RV32I,
  ...RV32M,
  ...RV32A,
  ...RV32C,
  ...ZICSR,
  ...PRIVILEGED,
  ...HYPERVISOR,
];
