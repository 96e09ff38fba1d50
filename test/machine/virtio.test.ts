// virtio devices, driven by a driver in TypeScript, through both interfaces; and by a hostile one.
import { createMachine, type Machine } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../kernel-lib/lab/random';

const RAM = 0x8000_0000;
const QUEUE = RAM + 0x1000;
const BUFFERS = RAM + 0x8000;
const SIZE = 8;
const PAGE = 4096;
const [NEXT, WRITE] = [1, 2];

/** A driver for one queue of the device in a slot. */
class Driver {
  private readonly base: number;
  private available = 0;

  constructor(
    private readonly machine: Machine,
    slot: number,
    version: 1 | 2,
    private readonly queue = 0,
  ) {
    this.base = 0x1000_1000 + 0x1000 * slot;
    for (const status of [0, 1, 3]) this.write(0x70, status);
    this.write(0x30, queue);
    this.write(0x38, SIZE);
    if (version === 1) {
      this.write(0x28, PAGE);
      this.write(0x3c, PAGE);
      this.write(0x40, this.rings.descriptors / PAGE);
    } else {
      this.write(0x80, this.rings.descriptors);
      this.write(0x90, this.rings.available);
      this.write(0xa0, this.rings.used);
      this.write(0x44, 1);
    }
    this.write(0x70, version === 1 ? 7 : 15);
  }

  get rings() {
    const descriptors = QUEUE + 0x2000 * this.queue;
    return { descriptors, available: descriptors + 16 * SIZE, used: descriptors + PAGE };
  }

  read(offset: number): number {
    return this.machine.bus.read(4, this.base + offset) ?? Number.NaN;
  }

  write(offset: number, value: number): void {
    expect(this.machine.bus.write(4, this.base + offset, value)).toBe(true);
  }

  /** Makes a chain available: buffers with their first bytes, or just their lengths to be written. */
  offer(...parts: (Uint8Array | number)[]): void {
    const { ram } = this.machine;
    const { descriptors, available } = this.rings;
    parts.forEach((part, n) => {
      const pa = BUFFERS + 0x2000 * this.queue + 0x400 * n;
      const bytes = typeof part === 'number' ? part : part.length;
      if (typeof part !== 'number') ram.copyIn(pa, part);
      const at = descriptors + 16 * n;
      ram.write(4, at, pa);
      ram.write(4, at + 4, 0);
      ram.write(4, at + 8, bytes);
      ram.write(2, at + 12, (typeof part === 'number' ? WRITE : 0) | (n < parts.length - 1 ? NEXT : 0));
      ram.write(2, at + 14, n + 1);
    });
    ram.write(2, available + 4 + 2 * (this.available % SIZE), 0);
    this.available++;
    ram.write(2, available + 2, this.available);
    this.write(0x50, this.queue);
  }

  /** How many chains came back. */
  get done(): number {
    return this.machine.ram.read(2, this.rings.used + 2);
  }

  buffer(n: number, bytes: number): Buffer {
    const at = BUFFERS + 0x2000 * this.queue + 0x400 * n - RAM;
    return Buffer.from(this.machine.ram.bytes.slice(at, at + bytes));
  }
}

function header(type: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, type, true);
  new DataView(bytes.buffer).setUint32(8, sector, true);
  return bytes;
}

const [IN, OUT, FLUSH, IDENTITY, UNKNOWN] = [0, 1, 4, 8, 99];

describe.each([1, 2] as const)('version %i', (version) => {
  const withDisk = () => {
    const disk = new Uint8Array(4 * 512).map((_, n) => n >> 9);
    const machine = createMachine({ disk, virtioVersion: version, virtioConsole: true });
    return { machine, disk, driver: new Driver(machine, 0, version) };
  };

  it('tells who it is', () => {
    const { driver, machine } = withDisk();
    expect([0, 4, 8].map((offset) => driver.read(offset))).toEqual([0x74726976, version, 2]);
    expect(driver.read(0x100)).toBe(4);
    driver.write(0x14, 1);
    expect(driver.read(0x10)).toBe(version === 2 ? 1 : 0);
    const empty = new Driver(machine, 5, version);
    expect([empty.read(0), empty.read(8), empty.read(0x34)]).toEqual([0x74726976, 0, 0]);
  });

  it('reads and writes sectors, and interrupts until it is acknowledged', () => {
    const { driver, disk, machine } = withDisk();
    machine.bus.write(4, 0x0c00_0004, 1);
    driver.offer(header(IN, 3), 512, 1);
    expect([driver.done, driver.buffer(1, 512)[7], driver.buffer(2, 1)[0]]).toEqual([1, 3, 0]);
    expect(machine.bus.read(4, 0x0c00_1000)).toBe(2);
    expect(driver.read(0x60)).toBe(1);
    driver.write(0x64, 1);
    expect([driver.read(0x60), machine.bus.read(4, 0x0c00_1000)]).toEqual([0, 0]);
    driver.offer(header(OUT, 1), new Uint8Array(512).fill(9), 1);
    expect([driver.done, disk[512], disk[1024], driver.buffer(2, 1)[0]]).toEqual([2, 9, 2, 0]);
  });

  it("takes no notice of the other interface's registers", () => {
    const { driver } = withDisk();
    const others = version === 1 ? [0x44, 0x80, 0x90, 0xa0] : [0x3c, 0x40];
    for (const offset of others) driver.write(offset, 1);
    driver.offer(header(IN, 3), 512, 1);
    expect([driver.done, driver.buffer(1, 512)[7]]).toEqual([1, 3]);
  });

  it('reads zeros of one small buffer where no RAM is, as QEMU does, and no more', () => {
    const { driver, disk, machine } = withDisk();
    const write = machine.ram.write.bind(machine.ram);
    let isFar = (_pa: number) => false;
    machine.ram.write = (width, pa, value) => write(width, pa, isFar(pa) ? -1 : value);
    const highWords = [0, 1, 2].map((n) => driver.rings.descriptors + 16 * n + 4);
    disk.fill(5, 0, 512);
    isFar = (pa) => pa === highWords[0]; // the header, which says sector 3
    driver.offer(header(IN, 3), 512, 1);
    expect([driver.done, driver.buffer(1, 512)[7], driver.buffer(2, 1)[0]]).toEqual([1, 5, 0]);
    isFar = (pa) => highWords.includes(pa);
    driver.offer(header(IN, 3), 512, 1);
    expect([driver.done, driver.read(0x70) & 0x40]).toEqual([1, 0x40]);
  });

  it('refuses what it cannot do', () => {
    const { driver } = withDisk();
    const statusOf = (...parts: (Uint8Array | number)[]) => {
      driver.offer(...parts);
      return driver.buffer(parts.length - 1, 1)[0];
    };
    expect(statusOf(header(IN, 4), 512, 1)).toBe(1);
    expect(statusOf(header(OUT, 3), new Uint8Array(1024), 1)).toBe(1);
    expect(statusOf(header(IN, 0), 100, 1)).toBe(1);
    expect(statusOf(header(UNKNOWN, 0), 1)).toBe(2);
    expect(statusOf(header(FLUSH, 0), 1)).toBe(0);
    expect(statusOf(header(IDENTITY, 0), 20, 1)).toBe(0);
    expect(driver.buffer(1, 5).toString()).toBe('vmlab');
  });

  it('the console sends and receives', () => {
    const { machine } = withDisk();
    const receive = new Driver(machine, 1, version, 0);
    receive.offer(4);
    expect(receive.done).toBe(0);
    machine.virtioConsole?.input('hello');
    expect([receive.done, receive.buffer(0, 4).toString()]).toEqual([1, 'hell']);
    receive.offer(4);
    expect([receive.done, receive.buffer(0, 1).toString()]).toEqual([2, 'o']);
    const other = createMachine({ virtioConsole: true, virtioVersion: version });
    new Driver(other, 1, version, 1).offer(Buffer.from('from '), Buffer.from('the guest'));
    expect(other.virtioConsole?.output).toBe('from the guest');
  });

  it('bears every driver', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = randomNumbers(seed);
      const { driver, machine } = withDisk();
      for (let n = 0; n < 60; n++) {
        const { descriptors } = driver.rings;
        machine.ram.write(
          2,
          descriptors + 2 * random.below(150),
          random.below(3) ? random.below(10) : random.word(),
        );
        if (random.below(8) === 0)
          driver.write(random.pick([0x38, 0x40, 0x44, 0x80, 0x90, 0xa0]), random.word());
        if (random.below(4) === 0)
          driver.offer(
            random.below(3) ? header(random.below(9), random.below(6)) : new Uint8Array(3),
            512,
            1,
          );
        driver.write(0x50, random.below(3));
      }
      driver.write(0x70, 0);
      expect(driver.read(0x70)).toBe(0);
    }
  });
});

it('a disk is a whole number of sectors', () => {
  expect(() => createMachine({ disk: new Uint8Array(1000) })).toThrow(/multiple of 512/);
});
