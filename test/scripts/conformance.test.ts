// `npm run conformance`: tests of our own that pass, fail and hang, in every engine; signatures; and
// what it says of a command line that makes no sense.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asm, ENGINES, toElf } from 'kernel-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { project } from '../../scripts/places.mjs';

/** A test that counts to 1000, writes the count as its signature, and ends with an exit code. */
const test = (code: number) => asm`
_start: li   t0, 1000
1:      addi a0, a0, 1
        bne  a0, t0, 1b
        la   t1, begin_signature
        sw   a0, 0(t1)
        la   t1, tohost
        li   t2, ${(code << 1) | 1}
        sw   t2, 0(t1)
2:      j    2b
        .balign 64
        .global tohost
tohost: .word 0, 0
        .global begin_signature
begin_signature: .word 0
        .global end_signature
end_signature:
`;
const HANGS = asm`
_start: j _start
        .global tohost
tohost: .word 0, 0
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmlab-conformance-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function conformance(...args: string[]) {
  const command = ['--import', 'tsx', join('scripts', 'conformance', 'main.ts'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: project, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('a folder of tests', () => {
  const engines = Object.keys(ENGINES);

  it('is run in every engine: what passes, what fails, and what hangs', () => {
    writeFileSync(join(folder, 'good'), toElf(test(0)));
    expect(conformance(folder)).toMatchObject({ status: 0, stderr: '' });
    writeFileSync(join(folder, 'bad'), toElf(test(7)));
    writeFileSync(join(folder, 'hangs'), toElf(HANGS));
    writeFileSync(join(folder, 'broken'), toElf(test(0)).subarray(0, 60));
    const { status, stdout } = conformance(folder, '--budget', '20000', '--heat', '1');
    expect(status).toBe(1);
    for (const engine of engines) {
      expect(stdout).toContain(`${engine}: 1 of 4 pass`);
      expect(stdout).toContain(`${engine}: test 7 failed`);
      expect(stdout).toContain(`${engine}: no end after 20000 instructions, at pc 0x80400000`);
      expect(stdout).toMatch(new RegExp(`${engine}: ElfError: The file is truncated`));
    }
  });

  it('has its signatures written, and compared with the reference where there is one', () => {
    for (const name of ['bad', 'hangs', 'broken']) rmSync(join(folder, name));
    const out = join(folder, 'out');
    expect(conformance(folder, '--signature', out).status).toBe(0);
    expect(readFileSync(join(out, 'good.signature'), 'utf8')).toBe('000003e8\n');
    writeFileSync(join(folder, 'good.reference_output'), '000003e9\n');
    const { status, stdout } = conformance(folder, '--signature', out);
    expect(status).toBe(1);
    expect(stdout).toContain('signature word 0 is 000003e8, and the reference says 000003e9');
    writeFileSync(join(folder, 'good.reference_output'), '# what the test leaves\n000003E8 # 1,000\n');
    expect(conformance(folder, '--signature', out).status).toBe(0);
  });
});

it.each([
  [[], 'The folder with the tests is missing.'],
  [['/nowhere'], 'There is no folder /nowhere.'],
  [['package.json'], 'package.json is a file; give the folder that it is in.'],
  [['test', 'scripts'], 'One folder at a time: scripts is too much.'],
  [['test'], 'There are no ELF files in test.'],
  [
    ['test', '--engine', 'steam'],
    'There is no engine "steam". There are: reference, interpreter, translator.',
  ],
  [['test', '--budget', 'much'], '--budget wants a whole number from 1 up, and got "much".'],
  [['test', '--speed', '3'], "Unknown option '--speed'."],
])('of the command line %j it says what is wrong, and how the command is used', (args, problem) => {
  const { status, stdout, stderr } = conformance(...args);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^[^\n]+\nUsage: npm run conformance [^\n]+\n$/);
  expect(stderr).toContain(`${problem}\n`);
});
