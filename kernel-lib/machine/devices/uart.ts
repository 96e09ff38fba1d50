/**
 * A 16550 UART, polled: what is written to THR appears in `output`, what is put into `input`
 * is read from RBR. Register map as on QEMU's `virt` board, one byte each.
 */
import type { Device } from '../bus';

const RBR_THR = 0; // receive (read), transmit (write); the divisor's low byte while LCR.DLAB is set
const IER = 1; // interrupt enable; the divisor's high byte while LCR.DLAB is set
const IIR_FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCRATCH = 7;

const DLAB = 0x80;
const DATA_READY = 0x01;
const TRANSMITTER_EMPTY = 0x60;
const NO_INTERRUPT_PENDING = 0x01;
const READY_FOR_DATA = 0xb0;

export class Uart implements Device {
  readonly name = 'uart';
  readonly base = 0x1000_0000;
  readonly size = 0x100;
  /** The bytes that the guest has written. */
  private readonly sent: number[] = [];
  private readonly received: number[] = [];
  private readonly registers = new Uint8Array(8);
  private readonly divisor = new Uint8Array(2);

  /** All that was written so far, as text (UTF-8). */
  get output(): string {
    return Buffer.from(this.sent).toString('utf8');
  }

  /** The bytes written so far. */
  get outputBytes(): Uint8Array {
    return Uint8Array.from(this.sent);
  }

  /** Types text at the guest. */
  input(text: string): void {
    this.received.push(...Buffer.from(text, 'utf8'));
  }

  /** Sends one byte, as a store to THR does. */
  send(byte: number): void {
    this.sent.push(byte & 0xff);
  }

  /** Takes one typed byte, or undefined if there is none. */
  receive(): number | undefined {
    return this.received.shift();
  }

  read(width: 1 | 2 | 4, offset: number): number | undefined {
    if (width !== 1 || offset >= this.registers.length) return undefined;
    const divisorShown = (this.registers[LCR] & DLAB) !== 0;
    switch (offset) {
      case RBR_THR:
        return divisorShown ? this.divisor[0] : (this.receive() ?? 0);
      case IER:
        return divisorShown ? this.divisor[1] : this.registers[IER];
      case IIR_FCR:
        return NO_INTERRUPT_PENDING;
      case LSR:
        return TRANSMITTER_EMPTY | (this.received.length > 0 ? DATA_READY : 0);
      case MSR:
        return READY_FOR_DATA;
      default:
        return this.registers[offset];
    }
  }

  write(width: 1 | 2 | 4, offset: number, value: number): boolean {
    if (width !== 1 || offset >= this.registers.length) return false;
    const divisorShown = (this.registers[LCR] & DLAB) !== 0;
    if (divisorShown && offset <= IER) this.divisor[offset] = value;
    else if (offset === RBR_THR) this.send(value);
    else if (offset === IER || offset === LCR || offset === MCR || offset === SCRATCH)
      this.registers[offset] = value;
    return true;
  }
}
