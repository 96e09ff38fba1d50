/**
 * Random programs that lead engines astray: they trap, change modes and mappings, write over their
 * own code, touch devices, and are interrupted. Around them stand handlers that go on behind
 * whatever trapped, so that a program runs for as long as one likes.
 */
import {
  assemble,
  createMachine,
  disassemble,
  type Engine,
  type EngineName,
  encode,
  hex,
  ISA,
  type Machine,
  type Program,
  type RunnableOptions,
} from 'kernel-lib';
import { Random, randomOperands } from '../code/random';

export interface RandomProgram {
  seed: number;
  /**
   * `calls`: a kernel and a user program that mind their own business, with many system calls.
   * `spaces`: a kernel that switches between address spaces and changes its rights, again and again.
   */
  kind: 'chaos' | 'calls' | 'spaces';
  /** The random part, from CODE on. Half-words, for compressed instructions. */
  code: Uint16Array;
}

const RAM_BYTES = 2 ** 16;
const BASE = 0x8000_0000;
const CODE = BASE + 0x1000;
const DATA = BASE + 0x4000;
const ROOT_TABLE = BASE + 0x8000;
const SMALL_TABLE = BASE + 0x9000;
/** In which the first two views have each other's small pages. */
const OTHER_ROOT = BASE + 0xb000;
const CLINT = 0x0200_0000;
const UART = 0x1000_0000;

/** Where the same RAM is, under paging: identity by small pages, scrambled small pages, one large page. */
const VIEWS = [0x8000_0000, 0x4000_0000, 0xc000_0000];

const HANDLERS: Program = assemble(
  `
        .macro  go_on epc                       # behind the instruction, or to the start of the code
        csrr    t6, \\epc
        addi    t6, t6, 4
        slli    t5, t6, 2
        srli    t5, t5, 2 + 14
        beqz    t5, 1f
        li      t6, ${CODE}
1:      csrw    \\epc, t6
        .endm

        .align 6
machine:                                # by MODE, interrupts come to their own word
        .rept   12
        j       1f
        .endr
1:      csrr    t6, mcause
        bgez    t6, 2f
        li      t6, ${CLINT + 0xbff8}
        lw      t5, 0(t6)
        addi    t5, t5, 9
        li      t6, ${CLINT + 0x4000}
        sw      t5, 0(t6)
        sw      zero, 4(t6)
        sw      zero, ${-0x4000 + 0x8000 - 0x4000}(t6)
        li      t6, ${CLINT}
        sw      zero, 0(t6)
        li      t6, 0x222
        csrc    mip, t6
        li      t6, 0x220
        csrc    mie, t6
        mret
2:      go_on   mepc
        mret

        .align 6
supervisor:
        .rept   12
        j       1f
        .endr
1:      csrr    t6, scause
        bgez    t6, 3f
        csrw    sie, zero
        csrw    sip, zero
        sret
3:      go_on   sepc
        sret
`,
  { origin: BASE },
);

/** Rows by how often they are wanted. */
const COMMON = ISA.filter(
  (row) => !/^(csr|mret|sret|wfi|sfence|hfence|h[ls]|ecall|ebreak|c\.ebreak)/.test(row.name),
);
const RARE = ISA.filter((row) => !COMMON.includes(row) && !/^(hfence|h[ls])/.test(row.name));
const FREQUENT = ISA.filter((row) => /^(addi|add|lw|sw|lbu|sb|beq|bne|bltu|jal|jalr)$/.test(row.name));

const wordsOf = (text: string): number[] => {
  const { bytes } = assemble(text).segments[0];
  return [...new Int32Array(bytes.slice().buffer)];
};
/** System calls, and what they must not disturb. */
const CALLS = [
  'ecall',
  'ecall\n ecall',
  'lr.w t0, (s7)\n ecall\n sc.w t1, t2, (s7)',
  'csrrw t0, sscratch, t1\n ecall',
  'csrr t0, sstatus\n ecall\n csrr t1, sstatus',
].map(wordsOf);

/** Switches to other page tables and other rights, and fences, as kernels make them. */
const SWITCHES = [
  ...[0, 1, 2].flatMap((asid) =>
    [ROOT_TABLE, OTHER_ROOT].map(
      (root) => `li t0, ${(0x8000_0000 | (asid << 22) | (root / 4096)) >>> 0}\n csrw satp, t0`,
    ),
  ),
  ...['csrs', 'csrc'].flatMap((change) =>
    [0x4_0000, 0x8_0000].map((right) => `li t0, ${right}\n ${change} sstatus, t0`),
  ),
  'sfence.vma',
  'sfence.vma s7',
  'li t0, 1\n sfence.vma zero, t0',
  'li t0, 2\n sfence.vma s8, t0',
].map(wordsOf);

/** A random program of about so many instructions. */
export function randomProgram(seed: number): RandomProgram {
  const random = new Random(seed);
  const kind = random.pick(['chaos', 'chaos', 'calls', 'spaces'] as const);
  const halves: number[] = [];
  const place = (word: number) => {
    halves.push(word & 0xffff);
    if ((word & 3) === 3) halves.push(word >>> 16);
  };
  const length = random.pick([12, 40, 120, 400]);
  const start = random.pick([0, 0, 0x1000 - 2 * length]); // some cross a page
  for (let n = 0; n < start / 2; n++) halves.push(n % 2 === 0 ? 0x13 : 0);
  for (let n = 0; n < length; n++) {
    const group = random.between(0, 19);
    if (kind === 'calls' && group === 19) for (const word of random.pick(CALLS)) place(word);
    else if (kind === 'spaces' && group > 17) for (const word of random.pick(SWITCHES)) place(word);
    else if (kind !== 'chaos' || group < 18)
      place(randomInstruction(random, random.pick(group < 10 ? FREQUENT : COMMON)));
    else if (group === 18 || random.between(0, 7) > 0) place(randomInstruction(random, random.pick(RARE)));
    else place(random.word());
  }
  return { seed, kind, code: Uint16Array.from(halves) };
}

function randomInstruction(random: Random, row: (typeof ISA)[number]): number {
  for (;;) {
    const operands = randomOperands(random, row);
    const isAccess = row.length === 4 && row.format.syntax.includes('imm(rs1)') && row.name !== 'jalr';
    if ('rd' in operands && row.length === 4)
      operands.rd = random.between(0, 3) === 0 ? random.between(0, 29) : random.between(5, 14);
    if (isAccess) {
      operands.rs1 = random.between(16, 27); // these mostly hold addresses
      operands.imm = random.between(-16, 16) * random.pick([1, 4, 4, 4]);
    }
    for (const field of row.format.fields) {
      if (field.kind !== 'offset') continue;
      const reach = Math.min(40, 2 ** (field.width - 2));
      operands.imm = 2 * random.between(-reach, reach);
    }
    if (row.name === 'jalr')
      Object.assign(operands, { rs1: random.between(16, 20), imm: 4 * random.between(-8, 8) });
    try {
      return encode(row, operands);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // a compressed form that excludes these operands
    }
  }
}

/** A machine about to run the program: memory, page tables, registers and CSRs from the seed. */
export function prepare(
  program: RandomProgram,
  engine: EngineName | Engine,
  more: RunnableOptions = {},
): Machine {
  const random = new Random(program.seed ^ 0x5eed);
  const options: RunnableOptions = {
    ram: RAM_BYTES,
    tlbEntries: random.pick([2, 3, 8, 64]),
    accessedDirty: random.pick(['hardware', 'hardware', 'fault'] as const),
  };
  const machine = createMachine({ ...options, ...more, engine });
  machine.load(HANDLERS);
  for (let n = 0; n < 0x1000; n++) machine.ram.write(4, DATA + 4 * n, random.word());
  machine.ram.copyIn(CODE, new Uint8Array(program.code.buffer));
  writePageTables(machine, random);
  setRegisters(machine, random);
  setCsrs(machine, random);
  if (program.kind === 'calls') setForCalls(machine, random);
  if (program.kind === 'spaces') setForSpaces(machine, random);
  machine.hart.pc = CODE | 0;
  return machine;
}

function writePageTables({ ram }: Machine, random: Random): void {
  const entry = (pa: number, flags: number) => ((pa / 4096) << 10) | flags;
  ram.copyIn(ROOT_TABLE, new Uint8Array(0x4000));
  const rwx = 0xcf;
  const put = (view: number, pte: number, otherPte = pte) => {
    ram.write(4, ROOT_TABLE + 4 * (view >>> 22), pte);
    ram.write(4, OTHER_ROOT + 4 * (view >>> 22), otherPte);
  };
  const [straight, scrambled] = [entry(SMALL_TABLE, 1), entry(SMALL_TABLE + 0x1000, 1)];
  put(VIEWS[0], straight, scrambled);
  put(VIEWS[1], scrambled, straight);
  put(VIEWS[2], entry(BASE + random.pick([0, 0, 0, 0x1000]), rwx | random.pick([0, 0x10]))); // or misaligned
  for (const device of [CLINT, UART])
    put(device, entry(device & ~0x3fffff, random.pick([rwx, rwx | 0x10, 0])));
  const flags = () => random.pick([0xcf, 0xcf, 0xdf, 0xdf, 0x0f, 0x1f, 0x47, 0xc3, 0xc9, 0xd9, 0x57, 0]);
  const codeFlags = random.pick([0xcf, 0xdf]);
  for (let page = 0; page < 16; page++) {
    const isCode = page < 3;
    ram.write(4, SMALL_TABLE + 4 * page, entry(BASE + 0x1000 * page, isCode ? codeFlags : flags()));
    const target = isCode ? page : random.between(0, 9);
    ram.write(
      4,
      SMALL_TABLE + 0x1000 + 4 * page,
      entry(BASE + 0x1000 * target, isCode ? codeFlags : flags()),
    );
  }
}

function setRegisters({ hart }: Machine, random: Random): void {
  const inCode = () => CODE + 2 * random.between(0, 200);
  const inData = () => DATA + 4 * random.between(0, 0xfff);
  const places = [
    inData,
    inData,
    () => inData() - BASE + random.pick(VIEWS),
    () => DATA + 0x1000 * random.between(0, 5) + random.between(-4, 3),
    inCode,
    () => CODE - random.between(1, 4),
    () => inCode() - BASE + random.pick(VIEWS),
    () => SMALL_TABLE + 4 * random.between(0, 0x405),
    () => random.pick([CLINT, CLINT + 0x4000, CLINT + 0xbff8, UART, UART + 5]),
  ];
  for (let n = 1; n < 32; n++) {
    const isCodeAddress = n >= 16 && n <= 20;
    const isAddress = n > 20 && n < 28;
    hart.x[n] = isCodeAddress
      ? inCode()
      : isAddress || random.between(0, 3) === 0
        ? random.pick(places)()
        : random.pick([random.word(), random.between(-9, 9), 1 << random.between(0, 31)]);
  }
}

function setCsrs(machine: Machine, random: Random): void {
  const { hart } = machine;
  machine.openMemory();
  if (random.between(0, 3) === 0) {
    hart.csrs.set('pmpaddr0', (DATA + 0x1000 * random.between(0, 2)) / 4 + random.pick([0, 0, 4]));
    hart.csrs.set('pmpaddr1', 0xffffffff);
    hart.csrs.set('pmpcfg0', random.pick([0x1f0f, 0x1f09, 0x1f8d, 0x1f0c]));
  }
  hart.csrs.set('mtvec', HANDLERS.labels.get('machine')! | random.between(0, 1));
  hart.csrs.set('stvec', HANDLERS.labels.get('supervisor')! | random.between(0, 1));
  hart.csrs.set('mcountinhibit', random.pick([0, 0, 1, 4, 5]));
  hart.csrs.set('medeleg', random.pick([0, -1, random.word()]));
  hart.csrs.set('mideleg', random.pick([0, -1, random.word()]));
  hart.csrs.set('mie', random.pick([0, -1, -1, random.word()]));
  hart.csrs.set('mstatus', random.word());
  hart.csrs.set('mcounteren', random.word());
  hart.csrs.set('menvcfgh', random.word());
  hart.csrs.set('stimecmp', random.between(1, 300));
  hart.csrs.set('stimecmph', 0);
  if (random.between(0, 2) > 0)
    hart.csrs.set('satp', 0x8000_0000 | (random.between(0, 2) << 22) | (ROOT_TABLE / 4096));
  machine.clint.setTimer(random.between(1, 300), 0);
  hart.mode = random.pick([0, 1, 1, 3]);
}

/** The kernel takes what traps; of interrupts at most the timer's comes; and there is no chaos. */
function setForCalls({ hart }: Machine, random: Random): void {
  hart.csrs.set('medeleg', -1);
  hart.csrs.set('mideleg', random.pick([0, -1]));
  hart.csrs.set('mie', random.pick([0, 0x80, 0x20]));
  hart.csrs.set('mstatus', random.pick([0x22, 0x40022, 0xa2]));
  if (random.between(0, 9) === 0) hart.csrs.set('stvec', CODE + 4 * random.between(0, 9));
  hart.mode = random.pick([0, 0, 1]);
}

/** A kernel under paging takes its own traps; its code is its own in all address spaces. */
function setForSpaces({ hart, ram }: Machine, random: Random): void {
  for (const table of [SMALL_TABLE, SMALL_TABLE + 0x1000])
    for (let page = 0; page < 3; page++) ram.write(4, table + 4 * page, ((BASE / 4096 + page) << 10) | 0xcf);
  hart.csrs.set('medeleg', -1);
  hart.csrs.set('mideleg', 0);
  hart.csrs.set('mie', random.pick([0, 0x80]));
  hart.csrs.set('mstatus', random.pick([0x22, 0x40022]));
  hart.csrs.set('satp', 0x8000_0000 | (ROOT_TABLE / 4096));
  hart.mode = 1;
}

/** The instructions of a program that do something, for reading. */
export function listing({ code }: RandomProgram): string {
  const lines: string[] = [];
  for (let n = 0; n < code.length; ) {
    const word = code[n] | ((code[n + 1] ?? 0) << 16);
    const address = CODE + 2 * n;
    if (word !== NOP && (word & 0xffff) !== SHORT_NOP)
      lines.push(`${hex(address)}  ${disassemble(word, address)}`);
    n += (word & 3) === 3 ? 2 : 1;
  }
  return lines.join('\n');
}

const NOP = 0x13;
const SHORT_NOP = 1;

/** The smallest program like this one that still `fails`: instructions are replaced by ones that do nothing. */
export function shrink(program: RandomProgram, fails: (smaller: RandomProgram) => boolean): RandomProgram {
  let best = program;
  for (let chunk = best.code.length >> 1; chunk >= 1; chunk >>= 1) {
    for (let at = 0; at < best.code.length; at += chunk) {
      const code = best.code.slice();
      code.fill(SHORT_NOP, at, at + chunk);
      if (code.every((half, n) => half === best.code[n])) continue;
      const smaller = { ...best, code };
      if (fails(smaller)) best = smaller;
    }
  }
  return best;
}
