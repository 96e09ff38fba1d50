// What the two commands say when something is missing: the message and the exit code, before anything is
// installed.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeProblem } from '../../scripts/node-version.mjs';
import { project } from '../../scripts/places.mjs';
import { firstPage } from '../../scripts/server.mjs';

const scripts = join(project, 'scripts');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmlab-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `scripts/start.mjs`, or a piece of module code beside it, with other variables. */
function run(args: string[], env: Record<string, string> = {}) {
  const answer = spawnSync(process.execPath, args, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    cwd: project,
  });
  return { code: answer.status, output: answer.stdout + answer.stderr };
}

/** The answer of findPython() with this PATH. */
function findPython(env: Record<string, string>) {
  const code = `
    import { findPython } from ${JSON.stringify(join(scripts, 'python.mjs'))};
    import { fail } from ${JSON.stringify(join(scripts, 'report.mjs'))};
    try { console.log('found', findPython().executable); } catch (error) { fail(error); }`;
  return run(['--input-type=module', '-e', code], env);
}

/** Puts a shell script on a PATH of its own. Returns that PATH. */
function program(name: string, lines: string): string {
  const bin = mkdtempSync(join(folder, 'bin-'));
  writeFileSync(join(bin, name), `#!/bin/sh\n${lines}\n`);
  chmodSync(join(bin, name), 0o755);
  return bin;
}

test('JupyterLab shows a new learner the first lesson, later the tabs that were open', () => {
  const lessons = mkdtempSync(join(folder, 'lessons-'));
  const memory = mkdtempSync(join(folder, 'memory-'));
  expect(firstPage(lessons, memory)).toBe('lab');
  for (const name of ['02-b.ipynb', '01-a b.ipynb', '00.txt']) writeFileSync(join(lessons, name), '');
  expect(firstPage(lessons, memory)).toBe('lab/tree/01-a%20b.ipynb');
  mkdirSync(join(memory, 'workspaces'));
  expect(firstPage(lessons, memory)).toBe('lab');
});

describe('Node', () => {
  test('is compared by its numbers', () => {
    for (const version of ['20.19.0', '20.20.2', '22.1.0', '100.0.0']) expect(nodeProblem(version)).toBe('');
    for (const version of ['20.18.9', '18.99.0', '9.0.0', '20.9.0'])
      expect(nodeProblem(version)).toContain('too old');
  });

  test.each(['start.mjs', 'test.mjs'])('%s refuses an old one, with the version and what to do', (script) => {
    const old = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"18.20.4"})';
    const { code, output } = run(['--import', old, join(scripts, script)]);
    expect(code).toBe(1);
    expect(output).toMatch(/Node\.js 18\.20\.4 is too old: vmlab needs 20\.19 or later/);
    expect(output).toContain('nodejs.org');
  });
});

describe('Python', () => {
  test('is missing', () => {
    const { code, output } = findPython({ PATH: mkdtempSync(join(folder, 'empty-')) });
    expect(code).toBe(1);
    expect(output).toMatch(/No Python found on the PATH[\s\S]*apt install python3 python3-venv/);
  });

  test('is too old', () => {
    const old = program(
      'python3',
      `echo '{"version": [3, 8, 10], "executable": "/old/python3", "missing": ""}'`,
    );
    const { code, output } = findPython({ PATH: old });
    expect(code).toBe(1);
    expect(output).toMatch(
      /too old for JupyterLab: found 3\.8\.10 \(\/old\/python3\); needed: Python 3\.10 or later/,
    );
  });

  test('has no venv module', () => {
    const without = mkdtempSync(join(folder, 'path-'));
    writeFileSync(join(without, 'ensurepip.py'), 'raise ImportError("No module named \'ensurepip\'")\n');
    const { code, output } = findPython({ PYTHONPATH: without });
    expect(code).toBe(1);
    expect(output).toMatch(
      /not its venv module: No module named 'ensurepip'[\s\S]*apt install python3\.\d+-venv/,
    );
  });

  test('a second one on the PATH will do where the first is too old', () => {
    const real = findPython({}).output.trim().split(' ').at(-1)!;
    const old = program(
      'python3',
      `echo '{"version": [3, 8, 10], "executable": "/old/python3", "missing": ""}'`,
    );
    symlinkSync(real, join(old, 'python'));
    expect(findPython({ PATH: old })).toMatchObject({ code: 0, output: expect.stringContaining('found') });
  });
});

describe('a JupyterLab on the PATH', () => {
  /** What chooseJupyter('path') says with such a jupyter-lab first on the PATH. */
  function choose(lines: string, wish = 'path') {
    const code = `
      import { chooseJupyter } from ${JSON.stringify(join(scripts, 'jupyter-choice.mjs'))};
      import { fail } from ${JSON.stringify(join(scripts, 'report.mjs'))};
      chooseJupyter(${JSON.stringify(wish)}).then((choice) => console.log('chosen', choice.where), fail);`;
    const path = program('jupyter-lab', lines) + delimiter + process.env.PATH;
    return run(['--input-type=module', '-e', code], { PATH: path });
  }

  test('of version 4 is used, and its place said', () => {
    const { code, output } = choose('echo 4.2.5', '');
    expect(output).toMatch(
      /JupyterLab 4\.2\.5 of this environment is used: \S+jupyter-lab[\s\S]*chosen \S+jupyter-lab/,
    );
    expect(code).toBe(0);
  });

  test('of version 3 is not', () => {
    expect(choose('echo 3.6.1')).toMatchObject({
      code: 1,
      output: expect.stringContaining('is JupyterLab 3.6.1, not 4'),
    });
  });

  test('that is broken is not', () => {
    const broken = choose('echo "ModuleNotFoundError: No module named jupyterlab" >&2; exit 1');
    expect(broken.output).toContain('does not work (ModuleNotFoundError: No module named jupyterlab)');
    expect(broken.code).toBe(1);
  });
});

describe('the command line', () => {
  const start = (...args: string[]) => run([join(scripts, 'start.mjs'), ...args]);
  let server: Server;
  let port = 0;

  beforeAll(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    port = address && typeof address === 'object' ? address.port : 0;
  });
  afterAll(() => server.close());

  test('--help names every option', () => {
    const { code, output } = start('--help');
    expect(code).toBe(0);
    for (const option of ['--no-browser', '--port', '--jupyter', '--notebooks'])
      expect(output).toContain(option);
  });

  test('an unknown option is named, with those that there are', () => {
    const { code, output } = start('--no-browsr');
    expect(code).toBe(1);
    expect(output).toMatch(/Unknown option '--no-browsr'[\s\S]*--no-browser, --port N/);
  });

  test.each(['http', '0', '65536', '80.5'])('--port %s is no port', (text) => {
    expect(start('--port', text)).toMatchObject({
      code: 1,
      output: expect.stringContaining('from 1 to 65535'),
    });
  });

  test('a port that is taken is said before anything is set up', async () => {
    const child = spawn(process.execPath, [
      join(scripts, 'start.mjs'),
      '--no-browser',
      '--port',
      String(port),
    ]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`port ${port} of 127.0.0.1 is taken[\\s\\S]*--port ${port + 10}`));
    expect(output).not.toContain('npm packages');
  });

  test('a place without a JupyterLab is said', () => {
    expect(start('--jupyter=/nowhere/at/all')).toMatchObject({ code: 1 });
    expect(start('--notebooks', '/nowhere/at/all').output).toContain('there is no folder');
  });
});
