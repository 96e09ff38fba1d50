/**
 * What our engines are compared with, as far as it is installed here: QEMU on the same ELF files,
 * v86 on the same C built for its x86, and that C built for this computer and for WebAssembly. All of
 * it is measured by the CPU time of a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { elfOf, sourceOf } from './workloads';

export interface Competitor {
  name: string;
  version: string;
  /** Whether it can run workloads under Sv32. */
  paged: boolean;
  /** CPU milliseconds for a workload, without what it takes to start; and the checksum. */
  measure(workload: string, repeat: number): { cpu: number; checksum: string };
}

const folder = mkdtempSync(join(tmpdir(), 'vmlab-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** CPU milliseconds and output of a command. `times` tells of a shell's children, on every POSIX shell. */
function timed(command: string): { cpu: number; output: string } {
  const { stdout, status, stderr } = spawnSync(
    'sh',
    ['-c', `${command}\nstatus=$?\necho\ntimes\nexit $status`],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`This failed: ${command}\n${stderr}`);
  const lines = stdout.trimEnd().split('\n');
  const [user, system] = [...lines.pop()!.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => 60_000 * Number(minutes) + 1000 * Number(seconds),
  );
  return { cpu: user + system, output: lines.slice(0, -1).join('\n').trim() };
}

/** The first line that a command prints about itself; undefined if it isn't installed. */
function version(command: string): string | undefined {
  const { stdout, status } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}

/** Subtracts what a run takes that does next to nothing. */
function withoutStart(
  command: (repeat: number) => string,
  repeat: number,
): { cpu: number; checksum: string } {
  const start = timed(command(1));
  const whole = timed(command(repeat + 1));
  return { cpu: Math.max(1, whole.cpu - start.cpu), checksum: whole.output };
}

function qemu(): Competitor | undefined {
  const found = version('qemu-system-riscv32');
  if (found === undefined) return undefined;
  const command = (workload: string) => (repeat: number) => {
    const file = join(folder, `${workload}.elf`);
    writeFileSync(file, elfOf(workload, repeat).bytes);
    return `qemu-system-riscv32 -M virt -m 16 -bios none -kernel ${file} -display none -monitor none -serial stdio`;
  };
  const measure = (workload: string, repeat: number) => withoutStart(command(workload), repeat);
  return { name: 'QEMU', version: found, paged: true, measure };
}

const NATIVE_MAIN = `#include <stdio.h>
#include <stdlib.h>
unsigned work(unsigned n);
int main(int count, char **arguments) { printf("%08x\\n", work(strtoul(arguments[count - 1], 0, 10))); }
`;

function native(): Competitor | undefined {
  const found = version('gcc');
  if (found === undefined) return undefined;
  const measure = (workload: string, repeat: number) => {
    const program = join(folder, `${workload}-native`);
    writeFileSync(join(folder, 'main.c'), NATIVE_MAIN);
    timed(`gcc -O2 -o ${program} ${join(folder, 'main.c')} ${sourceOf(`${workload}.c`)}`);
    return withoutStart((n) => `${program} ${n}`, repeat);
  };
  return { name: 'native (gcc -O2)', version: found, paged: false, measure };
}

const WASM_MAIN = `const { readFileSync } = require('node:fs');
const { work } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(process.argv[2]))).exports;
console.log((work(Number(process.argv[3])) >>> 0).toString(16).padStart(8, '0'));
`;

function wasm(): Competitor | undefined {
  const found = version('clang');
  if (found === undefined || version('wasm-ld') === undefined) return undefined;
  const measure = (workload: string, repeat: number) => {
    const module = join(folder, `${workload}.wasm`);
    const main = join(folder, 'main.cjs');
    writeFileSync(main, WASM_MAIN);
    const flags = '--target=wasm32 -O2 -nostdlib -Wl,--no-entry -Wl,--export=work';
    timed(`clang ${flags} -o ${module} ${sourceOf(`${workload}.c`)} ${sourceOf('memory-functions.c')}`);
    return withoutStart((n) => `${process.execPath} ${main} ${module} ${n}`, repeat);
  };
  return { name: 'the same C as wasm (clang -O2)', version: found, paged: false, measure };
}

/**
 * v86, if it is installed (`npm install --no-save v86`), and GCC can build for 32-bit x86. It needs no
 * images: the workload is a Multiboot kernel. Its speed is counted in instructions of the RISC-V build.
 */
function v86(): Competitor | undefined {
  const folderOfV86 = join(import.meta.dirname, '..', 'node_modules', 'v86');
  const manifest = join(folderOfV86, 'package.json');
  if (!existsSync(manifest)) return undefined;
  const [library, module] = ['libv86.mjs', 'v86.wasm'].map((file) => join(folderOfV86, 'build', file));
  const own = (file: string) => join(import.meta.dirname, 'v86', file);
  const flags =
    '-m32 -march=i686 -O2 -ffreestanding -fno-builtin -fno-pic -fno-stack-protector -static -no-pie -nostdlib';
  const image = (workload: string, repeat: number) => {
    const file = join(folder, `${workload}-${repeat}.x86`);
    const sources = [
      own('start.S'),
      own('main.c'),
      sourceOf(`${workload}.c`),
      sourceOf('memory-functions.c'),
    ];
    const link = `-Wl,--no-warn-rwx-segments,--build-id=none,-T,${own('image.ld')}`;
    timed(`gcc ${flags} ${link} -DREPEAT=${repeat} -o ${file} ${sources.join(' ')}`);
    return file;
  };
  try {
    image('sieve', 1);
  } catch {
    return undefined; // no GCC, or none for this x86
  }
  const measure = (workload: string, repeat: number) => {
    const images = new Map([1, repeat + 1].map((n) => [n, image(workload, n)]));
    const command = (n: number) =>
      `${process.execPath} ${own('run.mjs')} ${library} ${module} ${images.get(n)}`;
    return withoutStart(command, repeat);
  };
  const { version: found } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return { name: 'v86', version: found, paged: false, measure };
}

/** All that is installed. */
export function competitors(): Competitor[] {
  return [qemu(), v86(), native(), wasm()].filter((found) => found !== undefined);
}
