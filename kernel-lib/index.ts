/** The public face of the library, in reading order. */
export * from './bits';
export { decode, type Instruction } from './code/decode';
export { encode, rowByName } from './code/encode';
export { Cause, causeName, isInterrupt } from './isa/causes';
export { CSRS, type Csr, csrByName, csrByNumber, csrFieldValues } from './isa/csrs';
export { ISA } from './isa/isa';
export { ABI_NAMES, Mode, registerNumber } from './isa/registers';
export { displayHtml } from './lab/display';
export { quiz } from './lab/quiz/quiz';
