/**
 * A virtio device's registers in memory: the transport through which a driver finds a device,
 * agrees on features with it and sets up its queues. What the device *does* is its function
 * (`virtio-block.ts`, `virtio-console.ts`); a slot without one shows device number 0.
 *
 * Version 2 is the standard's; version 1, the legacy interface, is what QEMU's `virt` board shows
 * unless told otherwise. VIRTIO 1.2, Virtio Over MMIO, and Legacy interface.
 */
import type { Device, InterruptLine } from '../bus';
import type { Memory } from '../memory';
import type { StateStream } from '../state';
import { type Chain, QUEUE_SIZE_MAX, Virtqueue } from './virtqueue';

/** The interface that the driver sees: 1 is the legacy one. */
export type VirtioVersion = 1 | 2;

/** What a virtio device does. */
export interface VirtioFunction {
  readonly name: string;
  /** The device type's number. VIRTIO, Device Types. */
  readonly deviceId: number;
  readonly queues: number;
  /** The features that it offers, bits 31 to 0. */
  readonly features: number;
  /** Its own registers. */
  readonly configuration: Uint8Array;
  /** Answers a request of a queue; undefined: not now, the driver's buffer stays with the device. */
  serve(queue: number, chain: Chain): Uint8Array | undefined;
  /** Whether it could answer a request of this queue now. */
  isReady(queue: number): boolean;
  exchange(stream: StateStream): void;
}

const MAGIC = 0x74726976; // "virt"
const VENDOR = 0x554d4551; // QEMU's
const VERSION_1 = 1; // the only feature bit of word 1
const QUEUE_INTERRUPT = 1;
const NEEDS_RESET = 0x40;
const DRIVER_OK = 0x04;
const CONFIGURATION = 0x100;
const SLOT_BYTES = 0x1000;

/** Register offsets. */
enum Register {
  Magic = 0x00,
  Version = 0x04,
  DeviceId = 0x08,
  VendorId = 0x0c,
  DeviceFeatures = 0x10,
  DeviceFeaturesSelect = 0x14,
  DriverFeatures = 0x20,
  DriverFeaturesSelect = 0x24,
  GuestPageSize = 0x28, // legacy
  QueueSelect = 0x30,
  QueueSizeMax = 0x34,
  QueueSize = 0x38,
  QueueAlign = 0x3c, // legacy
  QueuePage = 0x40, // legacy
  QueueReady = 0x44,
  QueueNotify = 0x50,
  InterruptStatus = 0x60,
  InterruptAcknowledge = 0x64,
  Status = 0x70,
  Descriptors = 0x80,
  Available = 0x90,
  Used = 0xa0,
}

export class VirtioMmio implements Device {
  readonly name: string;
  readonly size = SLOT_BYTES;
  /** Where interrupts go. */
  line: InterruptLine = () => {};
  private readonly queues: Virtqueue[];
  private featuresSelect = 0;
  private driverFeaturesSelect = 0;
  private readonly driverFeatures = new Int32Array(2);
  private pageSize = 4096;
  private align = 4096;
  private selected = 0;
  private interruptStatus = 0;
  private status = 0;

  constructor(
    readonly base: number,
    private readonly ram: Memory,
    private readonly version: VirtioVersion,
    private readonly purpose?: VirtioFunction,
  ) {
    this.name = `virtio ${purpose?.name ?? 'slot'} at 0x${base.toString(16)}`;
    this.queues = Array.from({ length: purpose?.queues ?? 0 }, () => new Virtqueue());
  }

  read(width: 1 | 2 | 4, offset: number): number | undefined {
    if (offset >= CONFIGURATION) return this.readConfiguration(width, offset - CONFIGURATION);
    if (width !== 4 || (offset & 3) !== 0) return undefined;
    const queue = this.queues[this.selected];
    switch (offset) {
      case Register.Magic:
        return MAGIC;
      case Register.Version:
        return this.version;
      case Register.DeviceId:
        return this.purpose?.deviceId ?? 0;
      case Register.VendorId:
        return VENDOR;
      case Register.DeviceFeatures:
        return this.features;
      case Register.QueueSizeMax:
        return queue === undefined ? 0 : QUEUE_SIZE_MAX;
      case Register.QueueReady:
        return queue?.ready ? 1 : 0;
      case Register.QueuePage:
        return queue === undefined ? 0 : queue.descriptors / this.pageSize;
      case Register.InterruptStatus:
        return this.interruptStatus;
      case Register.Status:
        return this.status;
      default:
        return 0;
    }
  }

  write(width: 1 | 2 | 4, offset: number, value: number): boolean {
    if (offset >= CONFIGURATION) return true; // no device here has settings to change
    if (width !== 4 || (offset & 3) !== 0) return false;
    if (this.purpose !== undefined) this.writeRegister(offset, value);
    return true;
  }

  /** Serves what the driver has made available in all queues, as far as the device is ready. */
  serve(): void {
    this.queues.forEach((_, index) => {
      this.serveQueue(index);
    });
  }

  exchange(stream: StateStream): void {
    for (const queue of this.queues) queue.exchange(stream);
    this.featuresSelect = stream.number(this.featuresSelect);
    this.driverFeaturesSelect = stream.number(this.driverFeaturesSelect);
    stream.array(this.driverFeatures);
    this.pageSize = stream.number(this.pageSize);
    this.align = stream.number(this.align);
    this.selected = stream.number(this.selected);
    this.interruptStatus = stream.number(this.interruptStatus);
    this.status = stream.number(this.status);
    this.purpose?.exchange(stream);
  }

  private writeRegister(offset: Register, value: number): void {
    switch (offset) {
      case Register.DeviceFeaturesSelect:
        this.featuresSelect = value;
        return;
      case Register.DriverFeaturesSelect:
        this.driverFeaturesSelect = value;
        return;
      case Register.DriverFeatures:
        if (this.driverFeaturesSelect === 0 || this.driverFeaturesSelect === 1)
          this.driverFeatures[this.driverFeaturesSelect] = value;
        return;
      case Register.GuestPageSize:
        this.pageSize = value >>> 0 || this.pageSize;
        return;
      case Register.QueueSelect:
        this.selected = value >>> 0;
        return;
      case Register.QueueNotify:
        this.serveQueue(value >>> 0);
        return;
      case Register.InterruptAcknowledge:
        this.interruptStatus &= ~value;
        this.line(this.interruptStatus !== 0);
        return;
      case Register.Status:
        this.setStatus(value & 0xff);
        return;
      default:
        this.writeQueue(offset, value >>> 0);
    }
  }

  private writeQueue(offset: Register, value: number): void {
    const queue = this.queues[this.selected];
    if (queue === undefined) return;
    if (offset === Register.QueueSize) queue.size = value;
    if (this.version === 1) this.writeLegacyQueue(queue, offset, value);
    else this.writeModernQueue(queue, offset, value);
  }

  private writeModernQueue(queue: Virtqueue, offset: Register, value: number): void {
    switch (offset) {
      case Register.QueueReady:
        queue.ready = (value & 1) === 1;
        return;
      case Register.Descriptors:
        queue.descriptors = value;
        return;
      case Register.Available:
        queue.available = value;
        return;
      case Register.Used:
        queue.used = value;
    }
  }

  /**
   * Legacy: the rings follow each other from one page on, the used ring aligned, whichever of these was
   * written last. There are drivers that write both interfaces' registers; the other's are ignored.
   */
  private writeLegacyQueue(queue: Virtqueue, offset: Register, value: number): void {
    if (offset === Register.QueueAlign) this.align = value || this.align;
    if (offset === Register.QueuePage) queue.descriptors = value * this.pageSize;
    queue.available = queue.descriptors + 16 * queue.size;
    queue.used = Math.ceil((queue.available + 6 + 2 * queue.size) / this.align) * this.align;
    queue.ready = queue.descriptors !== 0;
    if (!queue.ready && offset === Register.QueuePage) queue.reset();
  }

  private setStatus(value: number): void {
    this.status = value;
    if (value !== 0) return;
    for (const queue of this.queues) queue.reset();
    this.driverFeatures.fill(0);
    this.interruptStatus = 0;
    this.line(false);
  }

  private serveQueue(index: number): void {
    const { purpose, ram } = this;
    const queue = this.queues[index];
    if (purpose === undefined || queue === undefined || (this.status & DRIVER_OK) === 0) return;
    let wantsInterrupt = false;
    while (purpose.isReady(index) && (this.status & NEEDS_RESET) === 0 && queue.hasNext(ram)) {
      const chain = queue.next(ram);
      const answer = chain === undefined ? undefined : purpose.serve(index, chain);
      if (chain === undefined || answer === undefined) this.status |= NEEDS_RESET;
      else wantsInterrupt = queue.giveBack(ram, chain, answer) || wantsInterrupt;
    }
    if (!wantsInterrupt) return;
    this.interruptStatus |= QUEUE_INTERRUPT;
    this.line(true);
  }

  private get features(): number {
    if (this.featuresSelect === 0) return this.purpose?.features ?? 0;
    return this.featuresSelect === 1 && this.version === 2 && this.purpose !== undefined ? VERSION_1 : 0;
  }

  private readConfiguration(width: number, offset: number): number {
    let value = 0;
    for (let n = 0; n < width; n++) value |= (this.purpose?.configuration[offset + n] ?? 0) << (8 * n);
    return value;
  }
}
