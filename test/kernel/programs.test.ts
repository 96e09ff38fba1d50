// Programs that a cell starts, and standard input: what would go to the server's log, or wait for ever, is the cell's.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { printed, TestKernel, tracebackOf } from './client';

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await TestKernel.start();
  await kernel.run(
    "import { execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process';\nimport { writeFileSync } from 'node:fs';",
  );
});
afterAll(() => kernel?.stop());

it.each([
  ["execSync('echo out; echo err >&2', { stdio: 'inherit' })", 'out\n', 'err\n', 'null'],
  ["execSync('echo out', { stdio: ['ignore', 'inherit', 'ignore'] })", 'out\n', '', 'null'],
  [
    "execSync('echo out; echo err >&2', { stdio: ['pipe', 'pipe', 'inherit'] }) + ''",
    '',
    'err\n',
    "'out\\n'",
  ],
  ["execFileSync('echo', ['é'], { stdio: [0, 1, 2] })", 'é\n', '', 'null'],
  [
    "spawnSync('sh', ['-c', 'echo out; echo err >&2'], { stdio: 'inherit' }).stdout",
    'out\n',
    'err\n',
    'null',
  ],
  ["execSync('cat', { stdio: 'inherit' })", '', '', 'null'],
  ["execSync('echo out') + ''", '', '', "'out\\n'"],
])('%s', async (code, out, err, value) => {
  const ran = await kernel.run(code);
  expect([printed(ran), printed(ran, 'stderr')]).toEqual([out, err]);
  expect(ran.messages.at(-1)?.content.data?.['text/plain']).toBe(value?.replace('\\n', '\\n'));
});

it('one that fails has shown what it printed, and the error knows the line that called it', async () => {
  await kernel.run("function make() {\n  execSync('echo out; exit 3', { stdio: 'inherit' });\n}");
  const ran = await kernel.run('make();');
  expect(printed(ran)).toBe('out\n');
  expect(tracebackOf(ran)[0]).toMatch(/line 2, column 3$/);
  expect(tracebackOf(ran)).toContainEqual(expect.stringMatching(/^Error: Command failed: echo out; exit 3/));
});

it('one that runs beside the cell is shown as it prints, as that cell’s output', async () => {
  const beside =
    "spawn('sh', ['-c', 'echo out; echo err >&2; read line; echo \"late $line\"'], { stdio: ['pipe', 1, 'inherit'] })";
  const { id } = await kernel.do<{ id: string }>('send', { code: `const beside = ${beside};` });
  await kernel.do('wait', { id });
  const ran = await kernel.run(
    "const closed = new Promise((go) => beside.on('close', go));\nbeside.stdin!.end('line\\n');\n[await closed, beside.stdout, beside.stderr]",
  );
  expect(ran.messages.at(-1)?.content.data?.['text/plain']).toBe('[ 0, null, null ]');
  const late = ran.others.find(({ content }) => content.text?.includes('late line'));
  expect(late?.parent).toBe(id);
});

it('one that is forked, too', async () => {
  const forked =
    "writeFileSync('forked.cjs', \"console.log('forked'); process.send('told');\");\nconst child = fork('./forked.cjs');\nlet told: unknown;\nchild.on('message', (message) => { told = message; });\nawait new Promise((go) => child.on('close', go));\ntold";
  const ran = await kernel.run(forked);
  expect(printed(ran)).toBe('forked\n');
  expect(ran.messages.at(-1)?.content.data?.['text/plain']).toBe("'told'");
});

it('standard input is at its end, and who asks it is told of input()', async () => {
  expect(await kernel.value("require('node:fs').readFileSync(0, 'utf8')")).toBe("''");
  for (const reading of ['for await (const line of process.stdin) {}', question, question]) {
    const lines = await kernel.error(reading);
    expect(lines[0]).toMatch(/^cell \d+, line \d+, column \d+$/);
    expect(lines).toContain("Error: A kernel has no standard input: ask with `await input('…')`.");
  }
});

const question =
  "import { createInterface } from 'node:readline/promises';\nawait createInterface({ input: process.stdin, output: process.stdout }).question('? ');";
