/** The test finisher of QEMU's `virt` board (SiFive test device): a store to it ends the run. */
import type { Device } from '../bus';
import type { StateStream } from '../state';

const FAIL = 0x3333; // the exit code is in the upper half
const PASS = 0x5555;
const RESET = 0x7777;
const NONE = -1;

export class Finisher implements Device {
  readonly name = 'finisher';
  readonly base = 0x0010_0000;
  readonly size = 0x1000;
  /** Undefined until the guest has stopped the machine; then 0 for success, or the guest's code. */
  exitCode: number | undefined;

  read(): number {
    return 0;
  }

  write(width: 1 | 2 | 4, offset: number, value: number): boolean {
    if (offset !== 0 || width === 1) return true;
    const command = value & 0xffff;
    if (command === PASS || command === RESET) this.exitCode = 0;
    if (command === FAIL) this.exitCode = value >>> 16;
    return true;
  }

  exchange(stream: StateStream): void {
    const code = stream.number(this.exitCode ?? NONE);
    this.exitCode = code === NONE ? undefined : code;
  }
}
