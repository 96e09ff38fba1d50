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
import type { BootOptions, Loadable, Machine } from './machine';
import type { Trap } from './trap';

const A0 = registerNumber('a0')!;
const A1 = registerNumber('a1')!;
const A2 = registerNumber('a2')!;
const A4 = registerNumber('a4')!;
const A6 = registerNumber('a6')!;
const A7 = registerNumber('a7')!;

const MIP = csrNumber('mip');
const MIE = csrNumber('mie');
const STIP = csrMask('mip', 'STIP');
const SSIP = csrMask('mip', 'SSIP');
const MTIE = csrMask('mie', 'MTIE');

/** What SBI calls answer in a0. SBI, Binary Encoding. */
enum SbiError {
  Success = 0,
  Failed = -1,
  NotSupported = -2,
  InvalidParameter = -3,
  AlreadyAvailable = -6,
}

/** Extension numbers. SBI, one chapter each; the legacy calls are extensions of their own. */
enum Extension {
  LegacySetTimer = 0x0,
  LegacyPutchar = 0x1,
  LegacyGetchar = 0x2,
  LegacyClearIpi = 0x3,
  LegacySendIpi = 0x4,
  LegacyFenceInstructions = 0x5,
  LegacyFence = 0x6,
  LegacyFenceAsid = 0x7,
  LegacyShutdown = 0x8,
  Base = 0x10,
  Timer = 0x54494d45,
  Ipi = 0x735049,
  RemoteFence = 0x52464e43,
  HartState = 0x48534d,
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

const SUCCESS: Answer = { error: SbiError.Success };
const NOT_SUPPORTED: Answer = { error: SbiError.NotSupported };
const INVALID: Answer = { error: SbiError.InvalidParameter };

export class Firmware {
  constructor(private readonly machine: Machine) {}

  /** Loads a kernel and leaves the hart at its entry in S mode: a0 the hart's number, a1 the device tree. */
  boot(image: Loadable, options: BootOptions = {}): void {
    const { machine } = this;
    const { hart } = machine;
    machine.load(image, options);
    machine.openMemory();
    hart.csrs.set('medeleg', DELEGATED_EXCEPTIONS);
    hart.csrs.set('mideleg', -1);
    hart.csrs.set('mcounteren', -1);
    hart.mode = Mode.S;
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
    const { hart, uart, finisher } = this.machine;
    switch (extension) {
      case Extension.LegacySetTimer:
        this.setTimer(hart.x[A0], hart.x[A1]);
        return SbiError.Success;
      case Extension.LegacyPutchar:
        uart.send(hart.x[A0]);
        return SbiError.Success;
      case Extension.LegacyGetchar:
        return uart.receive() ?? -1;
      case Extension.LegacyClearIpi:
        hart.csrs.modify(MIP, 0, SSIP);
        return SbiError.Success;
      case Extension.LegacySendIpi:
        if (this.legacyMask()) hart.csrs.modify(MIP, SSIP, 0);
        return SbiError.Success;
      case Extension.LegacyFenceInstructions:
        return SbiError.Success;
      case Extension.LegacyFence:
      case Extension.LegacyFenceAsid:
        if (this.legacyMask()) hart.forgetTranslations();
        return SbiError.Success;
      case Extension.LegacyShutdown:
        finisher.exitCode = 0;
        return SbiError.Success;
      default:
        return undefined;
    }
  }

  private extensionCall(extension: number, call: number): Answer {
    const { x } = this.machine.hart;
    switch (extension) {
      case Extension.Base:
        return this.base(call);
      case Extension.Timer:
        if (call !== 0) return NOT_SUPPORTED;
        this.setTimer(x[A0], x[A1]);
        return SUCCESS;
      case Extension.Ipi:
        return call === 0 ? this.sendInterrupt() : NOT_SUPPORTED;
      case Extension.RemoteFence:
        return this.remoteFence(call);
      case Extension.HartState:
        return this.hartState(call);
      case Extension.SystemReset:
        return call === 0 ? this.systemReset() : NOT_SUPPORTED;
      case Extension.DebugConsole:
        return this.debugConsole(call);
      default:
        return NOT_SUPPORTED;
    }
  }

  /** SBI, Base Extension. */
  private base(call: number): Answer {
    const { hart } = this.machine;
    const identity = ['mvendorid', 'marchid', 'mimpid'];
    const known = Extension[hart.x[A0]] !== undefined;
    const values = [SPECIFICATION_2_0, IMPLEMENTATION_ID, 1, known ? 1 : 0];
    if (call >= 0 && call < 4) return { error: SbiError.Success, value: values[call] };
    if (call >= 4 && call < 7) return { error: SbiError.Success, value: hart.csrs.get(identity[call - 4]) };
    return NOT_SUPPORTED;
  }

  /** SBI, IPI Extension: a software interrupt for the harts of the mask. */
  private sendInterrupt(): Answer {
    const mask = this.hartMask();
    if (mask === undefined) return INVALID;
    if (mask) this.machine.hart.csrs.modify(MIP, SSIP, 0);
    return SUCCESS;
  }

  /** SBI, RFENCE Extension: fence.i, sfence.vma, the same with an address space. Ranges count as all. */
  private remoteFence(call: number): Answer {
    const { hart } = this.machine;
    if (call < 0 || call > 2) return NOT_SUPPORTED;
    const mask = this.hartMask();
    if (mask === undefined) return INVALID;
    if (mask && call === 1) hart.forgetTranslations();
    if (mask && call === 2) hart.forgetTranslations(undefined, hart.x[A4]);
    return SUCCESS;
  }

  /** SBI, Hart State Management Extension: there is hart 0, and it is running, or it could not ask. */
  private hartState(call: number): Answer {
    const { hart } = this.machine;
    const isOurs = hart.x[A0] === 0;
    switch (call) {
      case 0: // start
        return isOurs ? { error: SbiError.AlreadyAvailable } : INVALID;
      case 1: // stop: nobody would be left to start it again
        return { error: SbiError.Failed };
      case 2: // state: 0 is started
        return isOurs ? SUCCESS : INVALID;
      case 3: // suspend: only the kind that keeps the hart's state
        if (hart.x[A0] !== 0) return NOT_SUPPORTED;
        hart.waiting = true;
        return SUCCESS;
      default:
        return NOT_SUPPORTED;
    }
  }

  /** SBI, System Reset Extension: shutdown, cold and warm reboot all end the run. */
  private systemReset(): Answer {
    const { hart, finisher } = this.machine;
    if (hart.x[A0] >>> 0 > 2) return INVALID;
    finisher.exitCode = hart.x[A1] === 0 ? 0 : 1;
    return SUCCESS;
  }

  /** SBI, Debug Console Extension: write, read, write byte. */
  private debugConsole(call: number): Answer {
    const { hart, uart, ram } = this.machine;
    if (call === 2) {
      uart.send(hart.x[A0]);
      return SUCCESS;
    }
    if (call !== 0 && call !== 1) return NOT_SUPPORTED;
    const count = hart.x[A0] >>> 0;
    const pa = hart.x[A1] >>> 0;
    if (hart.x[A2] !== 0 || !ram.holds(pa, count)) return INVALID;
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

  /** Whether hart 0 is in the mask a0 with base a1; undefined if the mask names harts that aren't there. */
  private hartMask(): boolean | undefined {
    const { x } = this.machine.hart;
    if (x[A1] === -1) return true;
    if (x[A1] !== 0 || (x[A0] & ~1) !== 0) return undefined;
    return x[A0] === 1;
  }

  /** Legacy: whether hart 0 is in the mask that a0 points to; no pointer means all harts. */
  private legacyMask(): boolean {
    const { hart, ram } = this.machine;
    if (hart.x[A0] === 0) return true;
    const pa = hart.peek(hart.x[A0]);
    return pa !== undefined && ram.holds(pa, 4) && (ram.read(4, pa) & 1) === 1;
  }
}
