/**
 * `npm run boot -- KERNEL`: boots a kernel from a file, with the terminal as its console: on the bare
 * machine, or as a guest of any of the techniques.
 *
 * The kernel is an ELF executable or a flat image, of one's own or somebody else's: what boots on
 * QEMU's `virt` (RV32) boots here. Ctrl-A X ends the run; input that is no terminal is typed as it
 * comes, and `--type` types a line whenever the console shows the prompt.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import {
  type BootOptions,
  createMachine,
  ElfError,
  ENGINES,
  type EngineName,
  Firmware,
  type Loadable,
  loadable,
  MiB,
  PROFILES,
  type ProfileName,
  RAM_BASE,
  type RunnableOptions,
  TECHNIQUES,
  type TechniqueName,
  together,
} from 'kernel-lib';
import { commandLine, usageError, wholeNumber } from '../command-line';
import { type Booted, Session } from './session';

const USAGE = `Usage: npm run boot -- KERNEL [options]
  --technique NAME   run it as a guest: ${Object.keys(TECHNIQUES).join('; ')}
  --mode M|S         the mode it starts in; S (above our firmware) unless it has bytes at 0x80000000
  --bios FILE        firmware to start in M mode instead of ours
  --address ADDRESS  where a flat image is loaded; 0x80400000 if left out
  --disk FILE, --initrd FILE, --append TEXT    its disk (a copy in memory), initial RAM disk, command line
  --ram MIB          128 if left out, as on QEMU; a power of two
  --engine NAME      ${Object.keys(ENGINES).join(', ')}
  --profile NAME     the machine's defects: ${Object.keys(PROFILES).join(', ')}
  --virtio 1|2       the interface of its virtio devices
  --no-pmp           no physical memory protection: for kernels that enter S mode without programming it
  --prompt TEXT, --type LINE    what to type, a line for each time that the console ends with TEXT
  --budget N         most instructions to run; no limit if left out`;

const text = { type: 'string' } as const;
const { values, positionals } = commandLine(
  {
    allowPositionals: true,
    options: {
      technique: text,
      mode: text,
      bios: text,
      address: text,
      disk: text,
      initrd: text,
      append: text,
      ram: { ...text, default: '128' },
      engine: text,
      profile: text,
      virtio: text,
      'no-pmp': { type: 'boolean', default: false },
      prompt: text,
      type: { ...text, multiple: true },
      budget: text,
    },
  },
  USAGE,
);

/** One of the names of a table, or the end of the command. */
function oneOf<T extends string>(
  what: string,
  given: string | undefined,
  names: readonly T[],
): T | undefined {
  if (given === undefined || names.includes(given as T)) return given as T | undefined;
  usageError(`There is no ${what} "${given}". There are: ${names.join(', ')}.`, USAGE);
}

function bytesOf(what: string, path: string): Uint8Array {
  if (!existsSync(path)) usageError(`There is no file ${path} (${what}).`, USAGE);
  if (!statSync(path).isFile()) usageError(`${path} (${what}) is no file.`, USAGE);
  return new Uint8Array(readFileSync(path));
}

const S_MODE_IMAGE = 0x8040_0000;

function imageOf(what: string, path: string, address: number): Loadable {
  try {
    return loadable(bytesOf(what, path), address);
  } catch (error) {
    if (error instanceof ElfError || error instanceof RangeError)
      usageError(`${path} can't be booted. ${error.message}`, USAGE);
    throw error;
  }
}

/** Whether a program is where firmware would be if it needed one: then it runs in M mode, by itself. */
const isAtRamBase = ({ segments }: Loadable) =>
  segments.some(
    ({ address, bytes, size = bytes.length }) => address <= RAM_BASE && RAM_BASE < address + size,
  );

/** The machine, or the machine in which the kernel is a guest, with the kernel loaded. */
function boot(): Booted {
  const technique = oneOf('technique', values.technique, Object.keys(TECHNIQUES) as TechniqueName[]);
  const mode = oneOf('mode', values.mode, ['M', 'S']);
  const ram = wholeNumber('ram', values.ram, 1, USAGE) * MiB;
  const virtio = oneOf('virtio interface', values.virtio, ['1', '2']);
  const engine = oneOf('engine', values.engine, Object.keys(ENGINES) as EngineName[]);
  const profile = oneOf('profile', values.profile, Object.keys(PROFILES) as ProfileName[]);
  const options: RunnableOptions = {
    ...(engine && { engine }),
    ...(profile && { profile }),
    pmpEntries: values['no-pmp'] ? 0 : 16,
  };
  const board = {
    ...(values.disk !== undefined && { disk: bytesOf('--disk', values.disk) }),
    ...(virtio && { virtioVersion: virtio === '1' ? (1 as const) : (2 as const) }),
  };
  const given: BootOptions = {
    ...(values.initrd !== undefined && { initrd: bytesOf('--initrd', values.initrd) }),
    ...(values.append !== undefined && { bootArguments: values.append }),
  };
  const bios = values.bios === undefined ? undefined : imageOf('--bios', values.bios, RAM_BASE);
  const address = Number(values.address ?? S_MODE_IMAGE);
  if (!Number.isInteger(address) || address < 0 || address > 0xffff_ffff)
    usageError(`--address wants an address, like 0x80200000, and got "${values.address}".`, USAGE);
  const kernel = imageOf('the kernel', positionals[0], address);
  const image = bios === undefined ? kernel : together(bios, kernel);
  const inMachineMode = mode === 'M' || (mode === undefined && isAtRamBase(image));
  if (technique === undefined) {
    const machine = createMachine({ ...options, ...board, ram });
    if (inMachineMode)
      machine.load(image, bios === undefined ? given : { ...given, nextStage: kernel.entry });
    else new Firmware(machine).boot(image, given);
    return { uart: machine.uart, run: (instructions) => machine.run({ instructions }), machine };
  }
  if (inMachineMode)
    usageError(
      'A guest of a technique starts in S mode; a kernel for M mode runs on the bare machine.',
      USAGE,
    );
  const machine = createMachine({ ...options, ram: 2 * ram });
  const memory = { base: RAM_BASE + 4 * MiB, size: ram };
  const hypervisor = TECHNIQUES[technique](machine, { memory, board });
  hypervisor.boot(image, given);
  return {
    uart: hypervisor.vm.guest.uart,
    run: (instructions) => hypervisor.run({ instructions }),
    machine,
    hypervisor,
  };
}

if (positionals.length !== 1) usageError('Give one kernel.', USAGE);
if (values.type !== undefined && values.prompt === undefined)
  usageError('--type needs --prompt: the text after which to type.', USAGE);
const budget = values.budget === undefined ? undefined : wholeNumber('budget', values.budget, 1, USAGE);

let booted: Booted;
try {
  booted = boot();
} catch (error) {
  if (error instanceof RangeError) usageError(error.message, USAGE);
  throw error;
}
const session = new Session(booted, { budget, prompt: values.prompt, lines: values.type ?? [] });
process.exitCode = await session.run();
