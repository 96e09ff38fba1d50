// `npm run boot`: our guests from files, bare and as guests, with what they print, how they end, what
// is typed at them; and what it says of command lines and files that make no sense.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asm, assemble, guest, RAM_BASE, toElf } from 'kernel-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { project } from '../../scripts/places.mjs';

let folder: string;
const file = (name: string) => join(folder, name);

/** Prints a prompt and what is typed, line after line; `q` stops the machine with code 3. */
const ECHO = asm`
_start: li   s0, 0x10000000
        li   s1, 'q'
prompt: li   a0, '>'
        call send
next:   lbu  t0, 5(s0)
        andi t0, t0, 1
        beqz t0, next
        lbu  a0, 0(s0)
        beq  a0, s1, quit
        li   t1, 13
        beq  a0, t1, prompt
        call send
        j    next
send:   sb   a0, 0(s0)
        ret
quit:   li   t0, 0x100000
        li   t1, 0x33333
        sw   t1, 0(t0)
1:      j    1b
`;

/** Reads a CSR of M mode, and stops the machine with code 7; it doesn't start at its first word. */
const MACHINE_MODE = assemble(
  `
        .word 0
_start: csrr t0, mhartid
        li   t0, 0x100000
        li   t1, 0x73333
        sw   t1, 0(t0)
1:      j    1b
`,
  { origin: RAM_BASE },
);

/** Goes on in S mode at the address that a2 leads to, which S mode may use. */
const FIRMWARE = assemble(
  `
_start: lw   t0, 8(a2)
        csrw mepc, t0
        li   t0, 0x800
        csrw mstatus, t0
        li   t0, -1
        csrw pmpaddr0, t0
        li   t0, 0x1f
        csrw pmpcfg0, t0
        mret
`,
  { origin: RAM_BASE },
);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmlab-boot-'));
  writeFileSync(file('hello.elf'), toElf(guest('hello')));
  writeFileSync(file('echo.elf'), toElf(ECHO));
  writeFileSync(file('flat'), ECHO.segments[0].bytes);
  writeFileSync(file('half.elf'), toElf(ECHO).subarray(0, 60));
  writeFileSync(file('machine-mode.elf'), toElf(MACHINE_MODE));
  writeFileSync(file('firmware.elf'), toElf(FIRMWARE));
  writeFileSync(file('text'), 'not a kernel');
  writeFileSync(file('empty'), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function boot(args: string[], input = '') {
  const command = ['--import', 'tsx', join('scripts', 'boot', 'main.ts'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: project,
    encoding: 'utf8',
    input,
  });
  return { status, stdout, stderr };
}

describe('a kernel from a file', () => {
  it('prints on the terminal, and ends with its own exit code', () => {
    const { status, stdout, stderr } = boot([file('hello.elf')]);
    expect(stdout).toContain('Hello');
    expect(stderr).toMatch(/^\nThe guest stopped the machine\. [\d,]+ instructions\.\n$/);
    expect(status).toBe(0);
  });

  it.each(['trap-and-emulate', 'binary-translation'])('runs as a guest under %s', (technique) => {
    const { status, stdout, stderr } = boot([file('hello.elf'), '--technique', technique]);
    expect(stdout).toContain('Hello');
    expect(stderr).toMatch(/ \d+ exits to the hypervisor\.\n$/);
    expect(status).toBe(0);
  });

  it('starts in M mode where firmware would be, wherever in there its entry is', () => {
    const { status } = boot([file('machine-mode.elf')]);
    expect(status).toBe(7);
  });

  it('is started by firmware that is told where', () => {
    const { status } = boot([file('flat'), '--bios', file('firmware.elf')], 'q');
    expect(status).toBe(3);
  });

  it('gets what is typed: from a pipe, or a line for each prompt', () => {
    const piped = boot([file('echo.elf')], 'ab\rc\rq');
    expect(piped).toMatchObject({ stdout: '>ab>c>', status: 3 });
    const typed = boot([file('echo.elf'), '--prompt', '>', '--type', 'one', '--type', 'two']);
    expect(typed).toMatchObject({ stdout: '>one>two>', status: 0 });
    expect(typed.stderr).toContain('All lines were typed and answered.');
  });

  it('may be a flat image, and may run out of its budget', () => {
    const { status, stdout, stderr } = boot([file('flat'), '--budget', '5000000']);
    expect(stdout).toBe('>');
    expect(stderr).toContain('The budget of 5000000 is used up. 5,000,000 instructions.');
    expect(status).toBe(1);
  });
});

it.each([
  [[], 'Give one kernel.'],
  [['nowhere.elf'], 'There is no file nowhere.elf (the kernel).'],
  [['test'], 'test (the kernel) is no file.'],
  [['hello.elf', '--disk', 'nowhere.img'], 'There is no file nowhere.img (--disk).'],
  [['hello.elf', '--technique', 'magic'], 'There is no technique "magic".'],
  [['hello.elf', '--engine', 'steam'], 'There is no engine "steam".'],
  [['hello.elf', '--profile', 'z80'], 'There is no profile "z80".'],
  [['hello.elf', '--ram', '48'], 'the size must be a power of two'],
  [['hello.elf', '--mode', 'U'], 'There is no mode "U".'],
  [['hello.elf', '--mode', 'M', '--technique', 'full-emulation'], 'A guest of a technique starts in S mode'],
  [['hello.elf', '--type', 'x'], '--type needs --prompt'],
  [['hello.elf', '--address', 'here'], '--address wants an address'],
  [['hello.elf', '--no-pmp=1'], "Option '--no-pmp' does not take an argument"],
  [['hello.elf', '--speed'], "Unknown option '--speed'"],
  [['half.elf'], 'The file is truncated'],
  [['empty'], 'The file is empty'],
  [['text', '--address', '0x1000'], '0x1000'],
])('of %j it says what is wrong, and how the command is used', (args, problem) => {
  const places = args.map((arg) => (/^(hello|half|empty|text)/.test(arg) ? file(arg) : arg));
  const { status, stdout, stderr } = boot(places);
  expect(stderr).toContain(problem);
  expect(stderr).toContain('\nUsage: npm run boot -- KERNEL');
  expect(stdout).toBe('');
  expect(status).toBe(2);
});
