/**
 * Firmware: the supervisor binary interface (SBI), in TypeScript in the place of M mode.
 *
 * It boots a kernel in S mode, delegates to it what is the kernel's own business, and answers its
 * `ecall`s. The bare machine has it as its firmware; a hypervisor gives the same to each guest.
 * Source: RISC-V Supervisor Binary Interface Specification 2.0.
 */
import { Cause } from '../isa/causes';
import { csrMask, csrNumber } from '../isa/csrs';
import { Mode, registerNumber } from '../isa/registers';
import type { Loadable, Machine } from './machine';
import type { Trap } from './trap';

const A0 = registerNumber('a0')!;
const A1 = registerNumber('a1')!;
const A2 = registerNumber('a2')!;
const A6 = registerNumber('a6')!;
const A7 = registerNumber('a7')!;

const MIP = csrNumber('mip');
const MIE = csrNumber('mie');
const STIP = csrMask('mip', 'STIP');
const MTIE = csrMask('mie', 'MTIE');

/** What SBI calls answer in a0. SBI, Binary Encoding. */
enum SbiError {
  Success = 0,
  NotSupported = -2,
  InvalidParameter = -3,
}

/** Extension numbers. SBI, one chapter each; the legacy calls are extensions of their own. */
enum Extension {
  LegacySetTimer = 0x0,
  LegacyPutchar = 0x1,
  LegacyGetchar = 0x2,
  LegacyShutdown = 0x8,
  Base = 0x10,
  Timer = 0x54494d45,
  SystemReset = 0x53525354,
  DebugConsole = 0x4442434e,
}

const SPECIFICATION_2_0 = 0x0200_0000;
/** Not a registered implementation number: the list has none for us. */
const IMPLEMENTATION_ID = 0x766d6c;

/** All exceptions but the supervisor's own environment call: the firmware wants only those. */
const DELEGATED_EXCEPTIONS = ~(1 << Cause.EcallFromS);

interface Answer {
  error: SbiError;
  value?: number;
}

export class Firmware {
  constructor(private readonly machine: Machine) {}

  /** Loads a kernel and leaves the hart at its entry in S mode: a0 the hart's number, a1 the device tree. */
  boot(image: Loadable): void {
    const { machine } = this;
    const { hart } = machine;
    machine.load(image);
    machine.openMemory();
    hart.csrs.set('medeleg', DELEGATED_EXCEPTIONS);
    hart.csrs.set('mideleg', -1);
    hart.csrs.set('mcounteren', -1);
    hart.mode = Mode.S;
    hart.x[A0] = 0;
    hart.x[A1] = 0;
    machine.host = (trap) => this.handle(trap);
  }

  /** Answers a trap that came to M mode. */
  handle(trap: Trap): void {
    const { hart, clint } = this.machine;
    if (trap.cause === Cause.EcallFromS) {
      this.call();
      hart.pc = (hart.pc + 4) | 0;
    } else if (trap.cause === Cause.MachineTimerInterrupt) {
      hart.csrs.modify(MIP, STIP, 0);
      hart.csrs.modify(MIE, 0, MTIE);
    } else {
      this.machine.stopped = {
        reason: 'host',
        message: `The firmware has no answer to ${Cause[trap.cause]} (mtimecmp ${clint.mtimecmp}).`,
      };
    }
  }

  private call(): void {
    const { x } = this.machine.hart;
    const extension = x[A7];
    const legacy = this.legacyCall(extension);
    if (legacy !== undefined) {
      x[A0] = legacy;
      return;
    }
    const answer = this.extensionCall(extension, x[A6]);
    x[A0] = answer.error;
    x[A1] = answer.value ?? 0;
  }

  /** SBI, Legacy Extensions: one number in a0, all else kept. Undefined if it isn't one. */
  private legacyCall(extension: number): number | undefined {
    const { hart, uart } = this.machine;
    switch (extension) {
      case Extension.LegacySetTimer:
        this.setTimer(hart.x[A0], hart.x[A1]);
        return SbiError.Success;
      case Extension.LegacyPutchar:
        uart.send(hart.x[A0]);
        return SbiError.Success;
      case Extension.LegacyGetchar:
        return uart.receive() ?? -1;
      case Extension.LegacyShutdown:
        this.machine.finisher.exitCode = 0;
        return SbiError.Success;
      default:
        return undefined;
    }
  }

  private extensionCall(extension: number, call: number): Answer {
    switch (extension) {
      case Extension.Base:
        return this.base(call);
      case Extension.Timer:
        if (call !== 0) break;
        this.setTimer(this.machine.hart.x[A0], this.machine.hart.x[A1]);
        return { error: SbiError.Success };
      case Extension.SystemReset:
        if (call !== 0) break;
        this.machine.finisher.exitCode = this.machine.hart.x[A1] === 0 ? 0 : 1;
        return { error: SbiError.Success };
      case Extension.DebugConsole:
        return this.debugConsole(call);
    }
    return { error: SbiError.NotSupported };
  }

  /** SBI, Base Extension. */
  private base(call: number): Answer {
    const { hart } = this.machine;
    const identity = ['mvendorid', 'marchid', 'mimpid'];
    const known = Object.values(Extension).includes(hart.x[A0]);
    const values = [SPECIFICATION_2_0, IMPLEMENTATION_ID, 1, known ? 1 : 0];
    if (call >= 0 && call < 4) return { error: SbiError.Success, value: values[call] };
    if (call >= 4 && call < 7) return { error: SbiError.Success, value: hart.csrs.get(identity[call - 4]) };
    return { error: SbiError.NotSupported };
  }

  /** SBI, Debug Console Extension: write, read, write byte. */
  private debugConsole(call: number): Answer {
    const { hart, uart, ram } = this.machine;
    if (call === 2) {
      uart.send(hart.x[A0]);
      return { error: SbiError.Success };
    }
    if (call !== 0 && call !== 1) return { error: SbiError.NotSupported };
    const count = hart.x[A0] >>> 0;
    const pa = hart.x[A1] >>> 0;
    if (hart.x[A2] !== 0 || !ram.holds(pa, count)) return { error: SbiError.InvalidParameter };
    let done = 0;
    for (; done < count; done++) {
      if (call === 0) uart.send(ram.read(1, pa + done));
      else {
        const byte = uart.receive();
        if (byte === undefined) break;
        ram.write(1, pa + done, byte);
      }
    }
    return { error: SbiError.Success, value: done };
  }

  /** SBI, Timer Extension: the deadline in ticks clears what is pending; all ones means never. */
  private setTimer(low: number, high: number): void {
    const { hart, clint } = this.machine;
    hart.csrs.modify(MIP, 0, STIP);
    hart.csrs.modify(MIE, MTIE, 0);
    clint.setTimer(low, high);
  }
}
