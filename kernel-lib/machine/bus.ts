/**
 * The bus: what answers at a physical address. RAM first, then devices by range.
 */
import type { Memory } from './memory';
import type { StateStream } from './state';

/** What a device does with its interrupt line: high as long as it wants to be seen to. */
export type InterruptLine = (isHigh: boolean) => void;

/** A device with registers on the bus. Offsets are from its base. */
export interface Device {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  /** The register's value, or undefined if there is no such register: a load access fault. */
  read(width: 1 | 2 | 4, offset: number): number | undefined;
  /** False if there is no such register: a store access fault. */
  write(width: 1 | 2 | 4, offset: number, value: number): boolean;
  /** Saves or restores its state. */
  exchange(stream: StateStream): void;
}

export class Bus {
  /** In the order in which they were attached. */
  readonly devices: Device[] = [];

  constructor(readonly ram: Memory) {}

  /**
   * Puts a device on the bus.
   * @throws if its range meets RAM or another device
   */
  attach(device: Device): void {
    const overlaps = (other: { base: number; size: number }) =>
      device.base < other.base + other.size && other.base < device.base + device.size;
    const taken = overlaps(this.ram) ? 'RAM' : this.devices.find(overlaps)?.name;
    if (taken !== undefined) {
      throw new Error(
        `Device ${device.name} at 0x${device.base.toString(16)} overlaps ${taken}. Give it another base.`,
      );
    }
    this.devices.push(device);
  }

  /** Reads 1, 2 or 4 bytes; undefined where nothing answers. */
  read(width: 1 | 2 | 4, pa: number): number | undefined {
    if (this.ram.holds(pa, width)) return this.ram.read(width, pa);
    const device = this.deviceAt(pa, width);
    return device?.read(width, pa - device.base);
  }

  /** Writes 1, 2 or 4 bytes; false where nothing answers. */
  write(width: 1 | 2 | 4, pa: number, value: number): boolean {
    if (this.ram.holds(pa, width)) {
      this.ram.write(width, pa, value);
      return true;
    }
    const device = this.deviceAt(pa, width);
    return device?.write(width, pa - device.base, value) ?? false;
  }

  private deviceAt(pa: number, width: number): Device | undefined {
    for (const device of this.devices)
      if (pa >= device.base && pa + width <= device.base + device.size) return device;
    return undefined;
  }
}
