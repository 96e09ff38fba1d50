// Jupyter's messaging protocol: what clients see.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Message, printed, type Ran, TestKernel } from './client';

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await TestKernel.start();
});
afterAll(() => kernel?.stop());

const typesOf = (messages: Message[]) => messages.map(({ type }) => type);

describe('executing', () => {
  it('says what it runs, what comes of it, and counts', async () => {
    const first = await kernel.run('1 + 1');
    const second = await kernel.run("throw new Error('x')");
    expect(typesOf(first.messages)).toEqual(['execute_input', 'execute_result']);
    expect(first.messages[1]?.content.data).toEqual({ 'text/plain': '2' });
    expect(typesOf(second.messages)).toEqual(['execute_input', 'error']);
    expect(second.messages[1]?.content).toMatchObject({ ename: 'Error', evalue: 'x' });
    expect(second.reply).toMatchObject({ status: 'error', ename: 'Error', evalue: 'x' });
    expect(second.reply.execution_count).toBe(first.reply.execution_count + 1);
  });

  it('obeys silent and store_history', async () => {
    const before = await kernel.run('1');
    const silent = await kernel.run("console.log('unheard'); throw new Error('unseen')", { silent: true });
    expect(silent.messages).toEqual([]);
    expect(silent.reply.status).toBe('error');
    const unstored = await kernel.run('2', { store_history: false });
    expect(unstored.reply.execution_count).toBe(before.reply.execution_count);
    const tail = await kernel.do<{ content: { history: unknown[] } }>('ask', {
      request: 'history',
      hist_access_type: 'tail',
      n: 1,
      output: true,
      raw: true,
    });
    expect(tail.content.history).toEqual([[1, before.reply.execution_count, ['1', '1']]]);
  });

  it('obeys stop_on_error: what was sent before is dropped, what is sent after is run', async () => {
    const codes = ["throw new Error('stop')", '1', '2'];
    expect(await kernel.do('together', { codes })).toEqual(['error', 'aborted', 'aborted']);
    expect((await kernel.run('3')).reply.status).toBe('ok');
    expect(await kernel.do('together', { codes, stop_on_error: false })).toEqual(['error', 'ok', 'ok']);
    for (let i = 0; i < 5; i++) {
      await kernel.run('wrong wrong');
      expect((await kernel.run('4')).reply.status).toBe('ok');
    }
  });

  it('evaluates user expressions', async () => {
    const { reply } = await kernel.run('const u = 20;', {
      user_expressions: { good: 'u + 1', bad: 'nothing' },
    });
    expect(reply.user_expressions).toMatchObject({
      good: { status: 'ok', data: { 'text/plain': '21' } },
      bad: { status: 'error', ename: 'TypeScriptError' },
    });
  });
});

describe('rich output', () => {
  it("comes from toHtml(), from Symbol.for('Jupyter.display'), and is text always", async () => {
    const html = await kernel.run("({ toHtml: () => '<b>1</b>', toText: () => 'one' })");
    expect(html.messages[1]?.content.data).toEqual({ 'text/html': '<b>1</b>', 'text/plain': 'one' });
    const own = await kernel.run("({ [Symbol.for('Jupyter.display')]: () => ({ 'text/markdown': '*1*' }) })");
    expect(own.messages[1]?.content.data).toMatchObject({ 'text/markdown': '*1*' });
    expect(own.messages[1]?.content.data?.['text/plain']).toMatch(/\S/);
    const promised = await kernel.run("({ toHtml: async () => '<b>2</b>' })");
    expect(promised.messages[1]?.content.data?.['text/html']).toBe('<b>2</b>');
  });

  it('shows arrays of plain objects as a table', async () => {
    const { messages } = await kernel.run("[{ name: '<a>', n: 1 }, { name: 'b', more: [2] }]");
    const html = messages[1]?.content.data?.['text/html'];
    expect(html).toContain(
      '<tr><th scope="col">name</th><th scope="col">n</th><th scope="col">more</th></tr>',
    );
    expect(html).toContain('<tr><td>&lt;a&gt;</td><td>1</td><td></td></tr>');
    expect(messages[1]?.content.data?.['text/plain']).toContain("name: 'b'");
  });

  it('shows elements, one or an array of them', async () => {
    const make =
      "const element = (text: string) => ({ nodeType: 1, localName: 'b', outerHTML: '<b>' + text + '</b>', getAttribute: () => null });";
    const { messages } = await kernel.run(`${make}\n[element('1'), element('2')]`);
    expect(messages[1]?.content.data).toEqual({
      'text/html': '<b>1</b>\n<b>2</b>',
      'text/plain': '[ <b>, <b> ]',
    });
  });

  it('shows what is displayed once, also by the last line of a cell', async () => {
    const { messages } = await kernel.run("display('shown')");
    expect(typesOf(messages)).toEqual(['execute_input', 'display_data']);
  });

  it('updates and clears', async () => {
    const shown = await kernel.run(
      "const handle = display({ toHtml: () => 'one' }); clearOutput(true); handle.update(2);",
    );
    expect(typesOf(shown.messages)).toEqual([
      'execute_input',
      'display_data',
      'clear_output',
      'update_display_data',
    ]);
    const [, first, cleared, update] = shown.messages.map(({ content }) => content);
    expect(first?.transient).toEqual(update?.transient);
    expect(cleared?.wait).toBe(true);
    expect(update?.data).toEqual({ 'text/plain': '2' });
  });

  it("is offered to libraries under Symbol.for('vmlab.kernel'), and to tslab's notebooks", async () => {
    const face =
      "const face = (globalThis as any)[Symbol.for('vmlab.kernel')];\nface.display({ 'text/html': '<i>', 'text/plain': 'i' }, { displayId: 'me' });";
    const { messages } = await kernel.run(face);
    expect(messages[1]).toMatchObject({
      type: 'display_data',
      content: { data: { 'text/html': '<i>', 'text/plain': 'i' }, transient: { display_id: 'me' } },
    });
    const tslab = await kernel.run("import { display as show } from 'tslab'; show.html('<u>');");
    expect(tslab.messages[1]).toMatchObject({
      type: 'display_data',
      content: { data: { 'text/html': '<u>' } },
    });
  });
});

describe('input', () => {
  it('asks and goes on with the answer', async () => {
    const code =
      "const who = await input('Who? ');\nconst secret = await input('Word? ', { password: true });\n[who, secret]";
    const { messages } = await kernel.run(code, { stdin: ['Ada', 'x'] });
    const asked = messages.filter(({ type }) => type === 'input_request').map(({ content }) => content);
    expect(asked).toEqual([
      { prompt: 'Who? ', password: false },
      { prompt: 'Word? ', password: true },
    ]);
    expect(messages.at(-1)?.content.data?.['text/plain']).toBe("[ 'Ada', 'x' ]");
  });

  it('is an error where the client cannot answer', async () => {
    expect((await kernel.run("await input('?')")).reply.evalue).toMatch(/cannot answer/);
  });
});

describe('output', () => {
  /** Runs a cell that waits, in three ways, for `isOpen`, and one that opens it: what the first then says, the second's. */
  async function late(waiting: string): Promise<{ said: Message[]; next: Ran }> {
    await kernel.run('let isOpen = false, told = 0;');
    const once =
      'const once = (then: () => void) => {\n  const timer = setInterval(() => { if (isOpen) { clearInterval(timer); told++; then(); } }, 5);\n};\nconst opened = () => new Promise<void>(once);\n';
    const { id } = await kernel.do<{ id: string }>('send', { code: once + waiting });
    expect((await kernel.do<Ran>('wait', { id })).messages.map(({ type }) => type)).toEqual([
      'execute_input',
    ]);
    const next = await kernel.run(
      "isOpen = true;\nwhile (told < 3) await new Promise((go) => setTimeout(go, 5));\nawait new Promise((go) => setTimeout(go, 50));\nconsole.log('own');",
    );
    const said = next.others.filter(({ type }) => type !== 'status');
    expect(said.map(({ parent }) => parent)).toEqual(said.map(() => id));
    return { said, next };
  }

  it('that is late belongs to the cell that makes it', async () => {
    const { said, next } = await late(
      "once(() => console.log('timer'));\nvoid (async () => { await opened(); await null; console.log('await'); })();\nvoid setImmediate(() => once(() => display({ toHtml: () => 'late' })));",
    );
    expect(printed(next)).toBe('own\n');
    const texts = said.map(({ content }) => content.text ?? content.data?.['text/html']).join('');
    for (const text of ['timer\n', 'await\n', 'late']) expect(texts).toContain(text);
  });

  it('of late errors belongs to the cell that they come from, and ends no other', async () => {
    const { said, next } = await late(
      "once(() => { throw new Error('from a timer'); });\nvoid (async () => { await opened(); throw new Error('from a promise'); })();\nonce(() => process.nextTick(() => { throw new Error('from a tick'); }));",
    );
    expect(next.reply.status).toBe('ok');
    expect(said.every(({ content }) => content.name === 'stderr')).toBe(true);
    const texts = said.map(({ content }) => content.text).join('');
    for (const place of ['timer', 'promise', 'tick']) expect(texts).toContain(`Error: from a ${place}`);
  });

  it('of functions belongs to the cell that calls them', async () => {
    await kernel.run("function say() { console.log('said'); }");
    const ran = await kernel.run(
      'say(); setTimeout(say, 10); await new Promise((go) => setTimeout(go, 100));',
    );
    expect(printed(ran)).toBe('said\nsaid\n');
  });

  it('goes to stdout and stderr', async () => {
    const ran = await kernel.run(
      "console.log('a'); console.error('b'); process.stdout.write('c\\n'); console.table([{ x: 1 }]);",
    );
    expect(printed(ran)).toMatch(/^a\nc\n┌[\s\S]*x[\s\S]*┘\n$/);
    expect(printed(ran, 'stderr')).toBe('b\n');
  });

  it('is whole where a character comes in pieces', async () => {
    const pieces = '[0x61, 0xe2], [0x82, 0xac]';
    const ran = await kernel.run(
      `for (const piece of [${pieces}]) process.stdout.write(new Uint8Array(piece));`,
    );
    expect(printed(ran)).toBe('a€');
  });

  it('is not indented by a group that an earlier cell left open', async () => {
    const ran = await kernel.run("console.group('group'); console.group(); console.log('inside');");
    expect(printed(ran)).toBe('group\n    inside\n');
    expect(printed(await kernel.run("console.log('outside');"))).toBe('outside\n');
  });

  it('arrives, all 100,000 lines of it', async () => {
    const ran = await kernel.run("for (let i = 0; i < 100_000; i++) console.log('line ' + i);");
    const lines = printed(ran).split('\n');
    expect(lines.length).toBe(100_001);
    expect(lines.every((line, i) => line === (i < 100_000 ? `line ${i}` : ''))).toBe(true);
  });

  it('of 50 MB is cut, and says so', async () => {
    const ran = await kernel.run("console.log('x'.repeat(50e6));");
    expect(printed(ran).length).toBeGreaterThan(30e6);
    expect(printed(ran)).toMatch(/\n\[output cut: [^\n]*\]\n$/);
    const shown = await kernel.run("display({ toHtml: () => 'x'.repeat(50e6) });");
    expect(shown.messages[1]?.content.data?.['text/plain']).toMatch(/^\[output cut: /);
    expect(await kernel.value('1 + 1')).toBe('2');
  });
});

describe('comms', () => {
  it('whose handler fails say so, and answer', async () => {
    const fails = "comms.register('fails', () => { throw new Error('in the handler'); });";
    await kernel.run(`const comms = (globalThis as any)[Symbol.for('vmlab.kernel')].comms;\n${fails}`);
    const open = { type: 'comm_open', comm_id: 'f', target_name: 'fails', data: {} };
    const said = await kernel.do<Message[]>('comm', open);
    expect(said).toMatchObject([{ type: 'stream', content: { name: 'stderr' } }]);
    expect(said[0]?.content.text).toContain('Error: in the handler');
    await kernel.do('comm', { type: 'comm_close', comm_id: 'f', data: {} });
  });

  it('are opened, spoken over and closed', async () => {
    await kernel.run(
      "const comms = (globalThis as any)[Symbol.for('vmlab.kernel')].comms;\ncomms.register('echo', (comm: any, data: any) => {\n  comm.onMessage = (sent: any) => comm.send({ echo: sent });\n  comm.send({ hello: data });\n});",
    );
    const opened = await kernel.do<Message[]>('comm', {
      type: 'comm_open',
      comm_id: 'c1',
      target_name: 'echo',
      data: { n: 1 },
    });
    expect(opened).toMatchObject([
      { type: 'comm_msg', content: { comm_id: 'c1', data: { hello: { n: 1 } } } },
    ]);
    const said = await kernel.do<Message[]>('comm', { type: 'comm_msg', comm_id: 'c1', data: 'hi' });
    expect(said).toMatchObject([{ type: 'comm_msg', content: { data: { echo: 'hi' } } }]);
    const info = await kernel.do<{ content: object }>('ask', { request: 'comm_info' });
    expect(info.content).toMatchObject({ comms: { c1: { target_name: 'echo' } } });
    await kernel.do('comm', { type: 'comm_close', comm_id: 'c1', data: {} });
    expect((await kernel.do<{ content: object }>('ask', { request: 'comm_info' })).content).toMatchObject({
      comms: {},
    });
  });

  it('of an unknown target are closed', async () => {
    const answer = await kernel.do<Message[]>('comm', {
      type: 'comm_open',
      comm_id: 'c2',
      target_name: 'nobody',
      data: {},
    });
    expect(answer).toMatchObject([{ type: 'comm_close', content: { comm_id: 'c2' } }]);
  });
});

it('restarts with nothing kept', async () => {
  await kernel.run('const kept = 1;');
  await kernel.do('restart');
  const lines = await kernel.error('kept');
  expect(lines[0]).toBe('cell 1, line 1, column 1');
});
