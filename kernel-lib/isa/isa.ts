/** All rows together: the instruction set of the machine. */
import type { Row } from './formats';
import { PRIVILEGED } from './privileged';
import { RV32I } from './rv32i';
import { ZICSR } from './zicsr';

export const ISA: readonly Row[] = [...RV32I, ...ZICSR, ...PRIVILEGED];
