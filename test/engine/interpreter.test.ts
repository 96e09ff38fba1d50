// The interpreter's emitted code: it can be read, it needs no strings compiled, and it gets by with the room it has.
import { spawnSync } from 'node:child_process';
import { createMachine, type EngineName, ISA, interpreterText, type Loadable } from 'kernel-lib';
import { expect, it } from 'vitest';

const RAM = 0x8000_0000;

it('shows its text: a case for every row that moves data or control', () => {
  const text = interpreterText();
  const remarks = text.split('\n').filter((line) => line.includes(';;'));
  const named = new Set(remarks.flatMap((line) => line.replace(/.*;; /, '').split(/[, ]+/)));
  const plain = ISA.filter(({ meaning }) => ['setRd', 'store', 'branch'].includes(meaning.kind));
  expect(plain.length).toBeGreaterThan(40);
  expect(plain.filter(({ name }) => !named.has(name)).map(({ name }) => name)).toEqual([]);
  expect(text).toContain('br_table');
});

it('runs where strings may not be compiled', () => {
  const program = `
    const { assemble, createMachine } = require('./kernel-lib/index.ts');
    for (const engine of ['interpreter', 'translator']) {
      const machine = createMachine({ engine });
      machine.load(assemble('li a0, 3\\nli a1, 20000\\n1: addi a0, a0, 2\\naddi a1, a1, -1\\nbnez a1, 1b\\nli t0, 0x100000\\nli t1, 0x5555\\nsw t1, (t0)', { origin: ${RAM} }));
      console.log(machine.run().reason, machine.hart.x[10]);
    }`;
  const flags = ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=commonjs'];
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', program], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual(['finished 40003', 'finished 40003']);
});

it('decodes anew when decoded code has filled its room', () => {
  // Blocks of one jump each: forty bytes of decoded code for two of the program's.
  const bytes = new Uint8Array(0x7800).fill(0).map((_, n) => (n % 2 === 0 ? 0x09 : 0xa0)); // c.j +2
  const back = 0x1_0000_0000 - (bytes.length - 4); // jal x0, to the start
  const jump =
    (((back >>> 20) & 1) << 31) |
    (((back >>> 1) & 0x3ff) << 21) |
    (((back >>> 11) & 1) << 20) |
    (back & 0xff000) |
    0x6f;
  new DataView(bytes.buffer).setInt32(bytes.length - 4, jump, true);
  const image: Loadable = { entry: RAM, segments: [{ address: RAM, bytes }] };
  const run = (engine: EngineName) => {
    const machine = createMachine({ engine, ram: 0x8000 });
    machine.load(image);
    machine.run({ instructions: 40_000 });
    machine.ram.write(2, RAM + 0x100, 0x0505); // c.addi a0, 1
    machine.run({ instructions: 20_001 });
    return [machine.hart.pc, machine.hart.instret, machine.cycles, machine.traps, machine.hart.x[10]];
  };
  const truth = run('reference');
  expect(truth[3]).toBe(0);
  expect(truth[4]).toBeGreaterThan(0);
  expect(run('interpreter')).toEqual(truth);
  expect(run('translator')).toEqual(truth);
});
