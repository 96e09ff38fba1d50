/** GNU binutils, the outside judge of the assembler. Tests skip, and say so, where it is missing. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hex } from '../../kernel-lib/bits';
import type { Program } from '../../kernel-lib/code/program';

const PREFIXES = ['riscv64-unknown-elf-', 'riscv32-unknown-elf-', 'riscv64-linux-gnu-'];
const prefix = PREFIXES.find((each) => spawnSync(`${each}as`, ['--version']).status === 0);

/** Whether binutils for RISC-V is installed. */
export const hasGnu = prefix !== undefined;
if (!hasGnu)
  console.log('Skipped: comparison with GNU binutils; none of riscv64-unknown-elf-as … is installed.');

/** More than the machine may have yet: what it hasn't, no test writes. */
const march = (compressed: boolean) => `-march=rv32ima${compressed ? 'c' : ''}_zicsr_zifencei_h`;

const LD = ['-m', 'elf32lriscv', '--no-relax', '--no-warn-rwx-segments'];

/** Runs a tool on files of a folder that is removed afterwards. */
function inFolder<T>(work: (path: (name: string) => string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'vmlab-gnu-'));
  try {
    return work((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(tool: string, ...args: string[]): string {
  return execFileSync(`${prefix}${tool}`, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
}

/**
 * What GNU as and ld make of a text: the bytes of the sections that `like` has, at its addresses.
 * GNU as fills a section up to its alignment; what lies behind `like`'s end is left out.
 */
export function gnuAssemble(text: string, like: Program): Uint8Array[] {
  return inFolder((path) => {
    // With C, GNU as would compress what can be; only what is written as compressed shall be.
    const isCompressed = /\brvc\b/.test(text);
    writeFileSync(path('a.s'), `.option norelax\n${isCompressed ? '.option norvc\n' : ''}${text}\n`);
    run('as', march(isCompressed), '-mabi=ilp32', path('a.s'), '-o', path('a.o'));
    const places = like.segments.map(
      ({ name, address }) => `--section-start=${name}=0x${address.toString(16)}`,
    );
    run('ld', ...LD, ...places, '-e', '0', path('a.o'), '-o', path('a.elf'));
    return like.segments.map(({ name, bytes }) => {
      if (bytes.length === 0) return bytes;
      run('objcopy', '-O', 'binary', '-j', name, path('a.elf'), path('a.bin'));
      return new Uint8Array(readFileSync(path('a.bin'))).subarray(0, bytes.length);
    });
  });
}

/** objdump's text for each of the words, which lie one behind the other from `address` on. */
export function gnuDisassemble(
  words: readonly [word: number, bytes: 2 | 4][],
  address: number,
  aliases: boolean,
): string[] {
  const text = words.map(([word, bytes]) => `.insn ${bytes}, ${hex(word & (bytes === 2 ? 0xffff : -1))}`);
  return inFolder((path) => {
    writeFileSync(path('a.s'), `${text.join('\n')}\n`);
    run('as', march(true), '-mabi=ilp32', path('a.s'), '-o', path('a.o'));
    run('ld', ...LD, `-Ttext=${hex(address)}`, '-e', '0', path('a.o'), '-o', path('a.elf'));
    const options = aliases ? [] : ['-M', 'no-aliases'];
    return run('objdump', '-d', '-z', ...options, path('a.elf'))
      .split('\n')
      .filter((line) => /^\s*[0-9a-f]+:\t/.test(line))
      .map((line) => line.split('\t').slice(2).join(' '));
  });
}

/** CSRs of the manual's newer editions, which binutils 2.40 doesn't know. */
export const NEWER_CSRS = /\b(hedelegh|medelegh)\b/;

/** What a binutils tool prints about a file with these bytes. */
export function gnuInspect(
  tool: 'readelf' | 'objdump' | 'nm',
  bytes: Uint8Array,
  ...options: string[]
): string {
  return inFolder((path) => {
    writeFileSync(path('a.elf'), bytes);
    return run(tool, ...options, path('a.elf'));
  });
}

/** Links a text into an executable. */
export function gnuLink(text: string, ...options: string[]): Uint8Array {
  return inFolder((path) => {
    writeFileSync(path('a.s'), `${text}\n`);
    run('as', march(false), '-mabi=ilp32', path('a.s'), '-o', path('a.o'));
    if (options[0] === '-r') return new Uint8Array(readFileSync(path('a.o')));
    run('ld', ...LD, ...options, path('a.o'), '-o', path('a.elf'));
    return new Uint8Array(readFileSync(path('a.elf')));
  });
}
