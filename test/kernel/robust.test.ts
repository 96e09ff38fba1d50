// What must not end the kernel, and what must end it wholly.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { kernel as built } from '../../scripts/places.mjs';
import { TestKernel } from './client';
import { scratch } from './python';
import { RawClient, startBySpec, writeConnection } from './raw-client';

let kernel: TestKernel | undefined;
afterEach(async () => {
  await kernel?.stop();
  kernel = undefined;
});

/** The processes that have a text in their command line, apart from this one's. */
function processesWith(text: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

const HEX = (text: string) => Buffer.from(text).toString('hex');

it('outlives malformed messages and wrong signatures', async () => {
  kernel = await TestKernel.start();
  const bodies = ['{}', '[]', 'null', '{"msg_id": 1}', 'not json', '\uFFFF'.repeat(10)];
  for (const channel of ['shell', 'control', 'stdin']) {
    await kernel.do('raw', { channel, frames: [HEX('x')] });
    await kernel.do('raw', { channel, frames: [null] });
    for (const body of bodies)
      await kernel.do('raw', { channel, frames: [null, HEX('bad'), ...Array(4).fill(HEX(body))] });
  }
  await kernel.do('tampered', { code: "require('node:fs')" });
  await kernel.do('malformed_content');
  expect(await kernel.value('1 + 1')).toBe('2');
  expect(await kernel.do('alive')).toBe(true);
});

it('beats and answers while a cell keeps it busy', async () => {
  kernel = await TestKernel.start();
  await kernel.run('const busy = 1;');
  const { id } = await kernel.do<{ id: string }>('send', {
    code: 'const end = Date.now() + 3000; while (Date.now() < end);',
  });
  expect(await kernel.do('heartbeat', { seconds: 1.5 })).toBe(true);
  const answer = await kernel.do<{ content: { matches: string[] } }>('ask', {
    request: 'complete',
    code: 'bus',
    cursor_pos: 3,
  });
  expect(answer.content.matches).toEqual(['busy']);
  expect((await kernel.do<{ reply: { status: string } }>('wait', { id })).reply.status).toBe('ok');
});

it('outlives errors that nothing catches, and a call of process.exit', async () => {
  kernel = await TestKernel.start();
  await kernel.run("setTimeout(() => { throw new Error('later'); }, 100); void Promise.reject(1);");
  await kernel.run('await new Promise((go) => setTimeout(go, 300));');
  expect((await kernel.error('process.exit(1);')).join()).toMatch(/restart/);
  expect(await kernel.value('2')).toBe('2');
});

it.each([
  ['idle', '1'],
  ['in a loop', 'while (true) {}'],
  ['printing', "while (true) console.log('x');"],
])('killed while %s, leaves no process', async (_, code) => {
  kernel = await TestKernel.start();
  await kernel.do('send', { code });
  await new Promise((go) => setTimeout(go, 500));
  const mark = `kernel-${kernel.pid}`;
  const own = readFileSync(`/proc/${kernel.pid}/cmdline`, 'utf8').split('\0');
  const connectionFile = own.find((argument) => argument.endsWith('.json')) ?? mark;
  expect(processesWith(connectionFile)).toEqual([String(kernel.pid)]);
  await kernel.do('kill', { signal_name: 'SIGKILL' });
  expect(processesWith(connectionFile)).toEqual([]);
});

const { kernelSpec } = createRequire(import.meta.url)(
  join(built, 'dist/spec.js'),
) as typeof import('../../kernel/spec');

it('killed at a dozen moments, from its first instant on, leaves no process', async () => {
  const { folder, remove } = scratch();
  const busy =
    "await null; import * as lib from 'kernel-lib'; setInterval(() => console.log('x'), 1); while (true) await null;";
  const signals = ['SIGKILL', 'SIGTERM', 'SIGHUP'] as const;
  try {
    for (let moment = 0; moment < 12; moment++) {
      const connection = await writeConnection(folder);
      const running = startBySpec(kernelSpec().argv, connection, folder);
      const client = new RawClient(connection);
      void client.send('shell', 'execute_request', { code: busy });
      const after = Math.round((moment + Math.random()) * 120);
      await new Promise((go) => setTimeout(go, after));
      const ended = new Promise((resolve) => running.on('exit', resolve));
      const signal = signals[moment % signals.length]!;
      running.kill(signal);
      await ended;
      expect(processesWith(connection.file), `${signal} after ${after} ms`).toEqual([]);
      client.close();
    }
  } finally {
    remove();
  }
});

it('ends when it is told to, also in a loop, and when its parent is gone', async () => {
  const looping = await TestKernel.start();
  await looping.do('send', { code: 'while (true) {}' });
  await looping.do('shut_down_by_message');
  expect(processesWith(looping.folder)).toEqual([]);
  await looping.stop();
  kernel = await TestKernel.start();
  const { pid } = kernel;
  kernel.abandon();
  await expect.poll(() => processesWith('main.js').includes(String(pid))).toBe(false);
});
