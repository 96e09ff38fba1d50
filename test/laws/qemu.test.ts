// The machine and QEMU do the same: random programs in all modes, with paging, delegation and
// traps, leave the same registers, CSRs, page tables, memory and log of traps. Each engine.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine, disassemble, hex } from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { ENGINES, type EngineName } from '../../kernel-lib/engine/create';
import { programs, seeded } from './campaign';
import { type Outcome, outcomes, PROGRAMS, type RandomImage, randomImage } from './qemu-image';

const QEMU = 'qemu-system-riscv32';
const installed = spawnSync(QEMU, ['--version']).status === 0;
if (!installed) console.log(`skipped: random programs against QEMU, because ${QEMU} is not installed`);

const IMAGES = Math.ceil(programs(100) / PROGRAMS);
const SEED = seeded(1);
const BUDGET = 5_000_000;

function onQemu(image: RandomImage): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'vmlab-'));
  try {
    writeFileSync(join(folder, 'image.bin'), image.bytes);
    // To a file: from a pipe that is full QEMU's UART drops bytes.
    const options =
      '-machine virt -cpu rv32,f=false,d=false,h=false -m 64M -display none -serial file:printed -monitor none -bios image.bin';
    execFileSync(QEMU, options.split(' '), { cwd: folder, input: '', timeout: 600_000 });
    return new Uint8Array(readFileSync(join(folder, 'printed')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function onOurs(image: RandomImage, engine: EngineName): Uint8Array {
  const machine = createMachine({ engine });
  machine.load({ entry: 0x8000_0000, segments: [{ address: 0x8000_0000, bytes: image.bytes }] });
  expect(machine.run({ instructions: BUDGET }).reason).toBe('finished');
  return machine.uart.outputBytes;
}

/** The first trap that differs says most; then everything else that does. */
function unlike(ours: Outcome, theirs: Outcome): string[] {
  const names = [...new Set([...theirs.keys(), ...ours.keys()])].filter(
    (name) => ours.get(name) !== theirs.get(name),
  );
  const traps = names.filter((name) => name.startsWith('trap '));
  const show = (value: number | undefined) => (value === undefined ? 'nothing' : hex(value));
  return [...traps.slice(0, 4), ...names.filter((name) => !traps.includes(name))].map(
    (name) => `${name} is ${show(ours.get(name))}, on QEMU ${show(theirs.get(name))}`,
  );
}

const listing = ({ bodies, setups }: RandomImage, n: number) =>
  bodies[n]
    .map((word, at) => `${hex(setups[n].body + 4 * at)}  ${disassemble(word, setups[n].body + 4 * at)}`)
    .join('\n');

describe.skipIf(!installed)('machine and QEMU', () => {
  it(`agree on ${IMAGES * PROGRAMS} random programs`, () => {
    for (let seed = SEED; seed < SEED + IMAGES; seed++) {
      const image = randomImage(seed);
      const theirs = outcomes(onQemu(image));
      expect(theirs.length).toBe(PROGRAMS);
      for (const engine of Object.keys(ENGINES) as EngineName[]) {
        const ours = outcomes(onOurs(image, engine));
        theirs.forEach((outcome, n) => {
          const wrong = unlike(ours[n] ?? new Map(), outcome);
          if (wrong.length === 0) return;
          const { mode, satp, exceptions, registers } = image.setups[n];
          throw new Error(
            `${engine}, seed ${seed}, program ${n} (mode ${mode}, satp ${hex(satp)}, medeleg ${hex(exceptions)}):\n${wrong.join('\n')}\n` +
              `registers ${registers.map((value) => hex(value)).join(' ')}\n${listing(image, n)}`,
          );
        });
      }
    }
  });
});
