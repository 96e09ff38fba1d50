// Interrupts: whatever a cell does, it ends, and what it had done is kept. That it ends within a second is measured on a
// quiet machine, by `npm run bench:kernel`.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkLibrary, type Message, TestKernel } from './client';

const forever = 'await new Promise(() => {});';

/** What keeps the kernel busy -> the cell. */
const LOOPS: Record<string, string> = {
  'a loop': 'while (true) {}',
  'a loop that catches': 'while (true) { try { while (true) {} } catch {} finally {} }',
  'a loop behind an await': 'await null; while (true) {}',
  'a loop after a timer': 'await sleep(5); while (true) {}',
  'a flood of promises': 'while (true) await null;',
  'a flood of ticks': `const tick = () => process.nextTick(tick); tick(); ${forever}`,
  "a loop in a timer's callback": `setTimeout(() => { while (true) {} }, 5); ${forever}`,
  "a loop in an interval's callback": `setInterval(() => { while (true) {} }, 5); ${forever}`,
  'a loop in an immediate': `setImmediate(() => { while (true) {} }); ${forever}`,
  'a loop in a callback of the file system': `fs.stat('/', () => { while (true) {} }); ${forever}`,
  'a flood of output': "while (true) console.log('again');",
  'a wait for nothing': forever,
  'a wait in a loop': 'while (true) { await sleep(10); count++; }',
  'a loop over files': "while (true) { await fs.promises.stat('/'); count++; }",
  'a question': "await input('?')",
  'a program that it waits for': "execSync('sleep 1000');",
  'a program that ignores interrupts': `execSync("trap '' INT; while :; do sleep 1; done");`,
  'a sleeping thread': 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
};

const LOOP = "console.log('begins'); while (true) {}";

/** What goes on after its cell is over -> the cell. */
const LATE: Record<string, string> = {
  'a timer': `setTimeout(() => { ${LOOP} }, 20);`,
  'an interval': `setInterval(() => { ${LOOP} }, 20);`,
  'an interval that prints': "setInterval(() => console.log('begins'), 200);",
  'an immediate': `setTimeout(() => setImmediate(() => { ${LOOP} }), 20);`,
  'a tick': `setTimeout(() => process.nextTick(() => { ${LOOP} }), 20);`,
  'a promise': `void sleep(20).then(() => { ${LOOP} });`,
  'a promise of the file system': `void fs.promises.stat('/').then(() => sleep(20)).then(() => fs.promises.stat('/')).then(() => { ${LOOP} });`,
};

describe.each(['message', 'signal'])('by %s', (mode) => {
  let kernel: TestKernel;
  beforeAll(async () => {
    kernel = await TestKernel.start(linkLibrary);
    await kernel.run(
      "import * as fs from 'node:fs';\nimport { execSync } from 'node:child_process';\nlet count = 0, kept = 'kept';\nconst sleep = (ms: number) => new Promise((go) => setTimeout(go, ms));",
    );
  });
  afterAll(() => kernel?.stop());

  it.each(Object.keys(LOOPS))('%s ends', async (name) => {
    const options = { interrupt_at: 'begins', signals: mode === 'signal', stdin: [] };
    const code = `kept = ${JSON.stringify(name)}; console.log('begins');\n${LOOPS[name]}`;
    const ran = await kernel.run(code, options);
    expect(ran.reply).toMatchObject({ status: 'error', ename: 'KeyboardInterrupt' });
    const before = await kernel.value('[kept, count]');
    expect(before).toContain(name);
    await kernel.run('await sleep(50);');
    expect(await kernel.value('[kept, count]')).toBe(before);
  });

  it('a long run of the machine ends, and the machine is kept', async () => {
    await kernel.run(
      "import { assemble, createMachine } from 'kernel-lib';\nconst machine = createMachine();",
    );
    const ran = await kernel.run(
      "console.log('begins');\nmachine.load(assemble('loop: j loop'));\nmachine.run({ instructions: 1e12 });",
      {
        interrupt_at: 'begins',
        signals: mode === 'signal',
      },
    );
    expect(ran.reply).toMatchObject({ status: 'error', ename: 'KeyboardInterrupt' });
    expect(await kernel.value('typeof machine')).toBe("'object'");
  });

  it.each(Object.keys(LATE))(
    '%s of a cell that is over ends, its cell says so, and the next one runs',
    async (name) => {
      const code = `kept = ${JSON.stringify(name)};\n${LATE[name]}`;
      const late = await kernel.do<Message[]>('interrupt_late', { code, signals: mode === 'signal' });
      expect(late.map(({ content }) => [content.name, content.text])).toEqual([
        ['stdout', 'begins\n'],
        ['stderr', 'KeyboardInterrupt: What this cell had left running was interrupted.\n'],
      ]);
      expect(await kernel.value('kept')).toBe(`'${name}'`);
    },
  );
});
