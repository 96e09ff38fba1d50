/**
 * A 16550 UART: what is written to THR appears in `output`, what is put in with `input` is read
 * from RBR. It raises its line when it has a byte to give (RDA) or to take (THRE), if IER says so.
 *
 * Sending takes no time. What was typed is never lost: it waits, even if the guest empties the FIFO.
 * Register map as on QEMU's `virt` board, one byte each. National Semiconductor PC16550D.
 */
import type { Device, InterruptLine } from '../bus';
import type { StateStream } from '../state';

const RBR_THR = 0; // receive (read), transmit (write); the divisor's low byte while LCR.DLAB is set
const IER = 1; // interrupt enable; the divisor's high byte while LCR.DLAB is set
const IIR_FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCRATCH = 7;
const REGISTERS = 8;

const DLAB = 0x80;
const DATA_READY = 0x01;
const TRANSMITTER_EMPTY = 0x60;
const READY_FOR_DATA = 0xb0;
const LOOPBACK = 0x10;
const ENABLE_RECEIVED = 0x01;
const ENABLE_EMPTY = 0x02;
const IER_BITS = 0x0f;
/** IIR: why the line is high, in the order of priority; and whether FIFOs are on. */
const RECEIVED = 0x04;
const EMPTY = 0x02;
const NO_INTERRUPT_PENDING = 0x01;
const FIFOS_ON = 0xc0;

export class Uart implements Device {
  readonly name = 'uart';
  readonly base = 0x1000_0000;
  readonly size = 0x100;
  /** Where interrupts go. */
  line: InterruptLine = () => {};
  /** The bytes that the guest has written: the first `sentCount` of these. */
  private sent = new Uint8Array(256);
  private sentCount = 0;
  private received: number[] = [];
  private readonly registers = new Uint8Array(REGISTERS);
  private readonly divisor = new Uint8Array(2);
  /** The guest has not been told yet that THR is empty. */
  private emptyPending = false;

  /** All that was written so far, as text (UTF-8). */
  get output(): string {
    return Buffer.from(this.outputBytes).toString('utf8');
  }

  /** The bytes written so far. */
  get outputBytes(): Uint8Array {
    return this.outputFrom(0);
  }

  /** The bytes written so far, without the first `first`. */
  outputFrom(first: number): Uint8Array {
    return this.sent.slice(first, this.sentCount);
  }

  /** Types text at the guest. */
  input(text: string): void {
    this.received.push(...Buffer.from(text, 'utf8'));
    this.update();
  }

  /** Sends one byte, as a store to THR does. */
  send(byte: number): void {
    if (this.sentCount === this.sent.length) {
      const larger = new Uint8Array(2 * this.sent.length);
      larger.set(this.sent);
      this.sent = larger;
    }
    this.sent[this.sentCount++] = byte;
  }

  /** Takes one typed byte, or undefined if there is none. */
  receive(): number | undefined {
    const byte = this.received.shift();
    this.update();
    return byte;
  }

  /** A wider access is one to several registers, as on QEMU. */
  read(width: 1 | 2 | 4, offset: number): number | undefined {
    if (offset + width > REGISTERS) return undefined;
    let value = 0;
    for (let n = 0; n < width; n++) value |= this.readRegister(offset + n) << (8 * n);
    return value;
  }

  write(width: 1 | 2 | 4, offset: number, value: number): boolean {
    if (offset + width > REGISTERS) return false;
    for (let n = 0; n < width; n++) this.writeRegister(offset + n, (value >>> (8 * n)) & 0xff);
    this.update();
    return true;
  }

  exchange(stream: StateStream): void {
    const sent = stream.bytes(this.outputBytes);
    this.sent = new Uint8Array(sent.length + 1);
    this.sent.set(sent);
    this.sentCount = sent.length;
    this.received = [...stream.bytes(Uint8Array.from(this.received))];
    stream.array(this.registers);
    stream.array(this.divisor);
    this.emptyPending = stream.boolean(this.emptyPending);
  }

  private readRegister(register: number): number {
    const divisorShown = (this.registers[LCR] & DLAB) !== 0;
    switch (register) {
      case RBR_THR:
        return divisorShown ? this.divisor[0] : (this.receive() ?? 0);
      case IER:
        return divisorShown ? this.divisor[1] : this.registers[IER];
      case IIR_FCR:
        return this.identifyInterrupt();
      case LSR:
        return TRANSMITTER_EMPTY | (this.received.length > 0 ? DATA_READY : 0);
      case MSR:
        return this.modemStatus;
      default:
        return this.registers[register];
    }
  }

  private writeRegister(register: number, value: number): void {
    const divisorShown = (this.registers[LCR] & DLAB) !== 0;
    if (divisorShown && register <= IER) this.divisor[register] = value;
    else if (register === RBR_THR) this.transmit(value);
    else if (register === IER) {
      const isNew = (value & ~this.registers[IER] & ENABLE_EMPTY) !== 0;
      this.registers[IER] = value & IER_BITS;
      if (isNew) this.emptyPending = true;
    } else if (register === IIR_FCR || register === LCR || register === MCR || register === SCRATCH)
      this.registers[register] = value;
  }

  private transmit(byte: number): void {
    if ((this.registers[MCR] & LOOPBACK) !== 0) this.received.push(byte);
    else this.send(byte);
    this.emptyPending = true;
  }

  /** IIR. Reading it answers the interrupt of an empty THR. */
  private identifyInterrupt(): number {
    const reason = this.reason;
    if (reason === EMPTY) {
      this.emptyPending = false;
      this.update();
    }
    return reason | ((this.registers[IIR_FCR] & 1) !== 0 ? FIFOS_ON : 0);
  }

  private get reason(): number {
    const enabled = this.registers[IER];
    if ((enabled & ENABLE_RECEIVED) !== 0 && this.received.length > 0) return RECEIVED;
    return (enabled & ENABLE_EMPTY) !== 0 && this.emptyPending ? EMPTY : NO_INTERRUPT_PENDING;
  }

  /** MSR: ready for data; in loopback the outputs DTR, RTS, OUT1 and OUT2 come back as inputs. */
  private get modemStatus(): number {
    const control = this.registers[MCR];
    if ((control & LOOPBACK) === 0) return READY_FOR_DATA;
    return ((control & 0x0c) << 4) | ((control & 0x02) << 3) | ((control & 0x01) << 5);
  }

  private update(): void {
    this.line(this.reason !== NO_INTERRUPT_PENDING);
  }
}
