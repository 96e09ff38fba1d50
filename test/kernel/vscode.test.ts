// VS Code without VS Code: where it looks for kernels, and a client over bare sockets that does what it does: asks for
// kernel_info until somebody answers, interrupts by message, ends the kernel over the control channel, reconnects.
import { type ChildProcess, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kernel as built, venv } from '../../scripts/places.mjs';
import { alone, writeKernelSpec } from '../../scripts/setup.mjs';
import { scratch } from './python';
import { RawClient, type RawConnection, startBySpec, writeConnection } from './raw-client';

const { kernelSpec } = createRequire(import.meta.url)(
  join(built, 'dist/spec.js'),
) as typeof import('../../kernel/spec');

let place: ReturnType<typeof scratch>;
let connection: RawConnection;
let running: ChildProcess;
let client: RawClient;
beforeAll(async () => {
  place = scratch();
  connection = await writeConnection(place.folder);
  running = startBySpec(kernelSpec().argv, connection, place.folder);
  client = new RawClient(connection);
});
afterAll(() => {
  client.close();
  running.kill('SIGKILL');
  place.remove();
});

const textOf = (content: object | undefined) =>
  (content as { data?: Record<string, string> })?.data?.['text/plain'];

// It waits while another test sets that environment up.
it("the kernel's specification is where VS Code looks: in the workspace's Python environment", {
  timeout: 300_000,
}, async () => {
  await alone(async () => {
    const wasThere = existsSync(venv);
    mkdirSync(venv, { recursive: true });
    writeKernelSpec();
    const file = join(venv, 'share/jupyter/kernels/vmlab/kernel.json');
    const spec = JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof kernelSpec>;
    expect(spec).toMatchObject({ language: 'typescript', interrupt_mode: 'message' });
    expect(spec.argv).toContain('{connection_file}');
    expect(spec.argv.filter((word) => word.startsWith('/')).every(existsSync)).toBe(true);
    if (!wasThere) rmSync(venv, { recursive: true });
  });
});

it('kernel_info is answered, however often and however early it is asked', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    ids.push(await client.send('shell', 'kernel_info_request', {}));
    ids.push(await client.send('control', 'kernel_info_request', {}));
    await new Promise((go) => setTimeout(go, 100));
  }
  for (const id of ids) {
    const { content } = await client.until(id, 'kernel_info_reply');
    expect(content).toMatchObject({ status: 'ok', language_info: { name: 'typescript' } });
    expect(String(content.protocol_version)).toMatch(/^5\.[3-9]/);
  }
  await expect.poll(() => client.received.some(({ type }) => type === 'iopub_welcome')).toBe(true);
  expect(await client.beats()).toBe(true);
});

it('cells run, ask, and are interrupted by a message', async () => {
  const caused = await client.execute("console.log('printed'); const kept = 41; kept + 1");
  const published = caused.filter(({ channel }) => channel === 'iopub');
  expect(published.map(({ type }) => type)).toEqual([
    'status',
    'execute_input',
    'stream',
    'execute_result',
    'status',
  ]);
  expect(textOf(published[3]?.content)).toBe('42');

  const asking = client.execute("await input('Name? ')", { allow_stdin: true });
  await expect.poll(() => client.received.some(({ type }) => type === 'input_request')).toBe(true);
  await client.send('stdin', 'input_reply', { status: 'ok', value: 'Ada' });
  expect(textOf((await asking).find(({ type }) => type === 'execute_result')?.content)).toBe("'Ada'");

  const looping = client.execute("console.log('loops'); while (true) {}");
  await expect.poll(() => client.received.some(({ content }) => content.text === 'loops\n')).toBe(true);
  const interrupt = await client.send('control', 'interrupt_request', {});
  expect((await client.until(interrupt, 'interrupt_reply')).content.status).toBe('ok');
  expect((await looping).find(({ type }) => type === 'error')?.content.ename).toBe('KeyboardInterrupt');
  expect(textOf((await client.execute('kept')).find(({ type }) => type === 'execute_result')?.content)).toBe(
    '41',
  );
});

it('another client may come, and the first one go without a word', async () => {
  const second = new RawClient(connection, 'another session');
  await second.until(await second.send('shell', 'kernel_info_request', {}), 'kernel_info_reply');
  const unanswered = client.send('shell', 'execute_request', {
    code: 'for (let i = 0; i < 1000; i++) console.log(i);',
  });
  await unanswered;
  client.close();
  const caused = await second.execute('kept');
  expect(textOf(caused.find(({ type }) => type === 'execute_result')?.content)).toBe('41');
  client = second;
});

it('what VS Code asks besides is answered', async () => {
  const asked: [type: string, content: object, expected: object][] = [
    ['comm_info_request', { target_name: 'jupyter.widget' }, { status: 'ok', comms: {} }],
    [
      'complete_request',
      { code: 'kep', cursor_pos: 3 },
      { matches: ['kept'], cursor_start: 0, cursor_end: 3 },
    ],
    ['inspect_request', { code: 'kept', cursor_pos: 2, detail_level: 0 }, { found: true }],
    ['is_complete_request', { code: 'if (1) {' }, { status: 'incomplete', indent: '  ' }],
    [
      'history_request',
      { hist_access_type: 'tail', n: 1, output: false, raw: true },
      { history: [[1, 6, 'kept']] },
    ],
  ];
  for (const [type, content, expected] of asked) {
    const id = await client.send('shell', type, content, { date: new Date().toISOString() });
    expect((await client.until(id, type.replace('request', 'reply'))).content, type).toMatchObject(expected);
  }
});

it('it ends by a message on the control channel, also in a loop, and leaves nothing', async () => {
  const ended = new Promise((resolve) => running.on('exit', resolve));
  void client.send('shell', 'execute_request', { code: 'while (true) {}' });
  await new Promise((go) => setTimeout(go, 300));
  const id = await client.send('control', 'shutdown_request', { restart: false });
  expect((await client.until(id, 'shutdown_reply')).content).toMatchObject({ status: 'ok', restart: false });
  await ended;
  const { stdout } = spawnSync('ps', ['-axww', '-o', 'args='], { encoding: 'utf8' });
  expect(stdout).not.toContain(connection.file);
});
