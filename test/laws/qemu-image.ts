// Random programs for two machines to run: one image with many of them, which run one after the
// other, log every trap and dump what they leave behind to the UART. Machines that print the same
// have done the same.
//
// Each program is a page of random instructions in M, S or U mode. Three pointers into data pages
// (s0, s1, sp), the log (gp), a constant (tp) and two registers of the trap handlers (t5, t6) are
// left alone; everything else may happen, and whatever traps is logged and skipped. S and U mode
// run under Sv32 with random rights, which PMP may narrow; the handler in S mode reaches memory
// through an alias of 4 MiB at tp + its physical address. Interrupts may be vectored.
import {
  ABI_NAMES,
  assemble,
  csrMask,
  csrNumber,
  encode,
  ISA,
  Mode,
  type Program,
  type Row,
  registerNumber,
} from 'kernel-lib';
import type { Field, Operands } from '../../kernel-lib/isa/formats';
import { randomNumbers } from '../../kernel-lib/lab/random';
import { makePte, Pte } from '../../kernel-lib/machine/page-table';

type Random = ReturnType<typeof randomNumbers>;

const BASE = 0x8000_0000;
const PAGE = 4096;
const INSTRUCTIONS = 60;
/** Pages per program: body, two of data, the tables of both levels. */
const PAGES = { body: 0, data: 1, root: 3, table: 4, count: 5 };
const FIRST_PAGE = 16;
const ALIAS = 0x4000_0000;
/** From a physical address to where a program may see it by a large page of random rights, if at all. */
const LARGE_VIEW = 0x2000_0000;
export const PROGRAMS = 24;

/** A program's surroundings. */
interface Setup {
  mode: Mode;
  status: number;
  exceptions: number;
  interrupts: number;
  satp: number;
  body: number;
  /** Where the page-table entries of its pages are, and its data. */
  entries: number;
  data: number;
  /** Whether interrupts are vectored: MODE of mtvec and stvec. */
  vectored: number;
  /** What S and U mode may do with the data: R, W and X of a PMP entry. */
  protection: number;
  registers: number[];
}

export interface RandomImage {
  /** From 0x80000000 on. */
  bytes: Uint8Array;
  /** The instructions of each program, for messages. */
  bodies: number[][];
  setups: Setup[];
}

const number = (name: string) => registerNumber(name)!;
const [SP, S0, S1] = ['sp', 's0', 's1'].map(number);
/** Registers that hold what may be written to mstatus: anything (s10), or set and cleared (s11). */
const [S10, S11] = ['s10', 's11'].map(number);
/** And one that holds what may be written to mie and mip: QEMU 7.2 has bits of H there, H or not. */
const S9 = number('s9');
/** Registers that programs may write. */
const KEPT = ['sp', 's0', 's1', 'gp', 'tp', 't5', 't6', 's9', 's10', 's11'].map(number);
const FREE = Array.from({ length: 32 }, (_, n) => n).filter((n) => !KEPT.includes(n));

/** What programs may read, and what of it they may write without pulling the rug from the harness. */
const WRITABLE = 'mstatus sstatus mcause mtval scause stval mie sie mip sip'.split(' ');
const READABLE = [
  ...WRITABLE,
  ...'mepc sepc medeleg mideleg satp misa mhartid mcountinhibit senvcfg'.split(' '),
];
const STATUS = [csrNumber('mstatus'), csrNumber('sstatus')];
const INTERRUPTS = ['mie', 'mip', 'sie', 'sip'].map(csrNumber);
const S_INTERRUPTS = 0x222;
const writableNumbers = WRITABLE.map(csrNumber);

/**
 * PMP: entry 0 only says where the data begins, entry 1 what may be done with it, entry 2 opens all of
 * memory. (Whether an access across the end of a range counts as one is free; none goes there.)
 */
const ALL_RIGHTS = 7;
const UP_TO_HERE = 0x8;
const ALL_OF_MEMORY = 0x1f;
const pmpConfiguration = (protection: number) => (ALL_OF_MEMORY << 16) | ((UP_TO_HERE | protection) << 8);

/** The image of `PROGRAMS` random programs. */
export function randomImage(seed: number): RandomImage {
  const random = randomNumbers(seed);
  const bytes = new Uint8Array(PAGE * (FIRST_PAGE + PROGRAMS * PAGES.count));
  const view = new DataView(bytes.buffer);
  const programs = Array.from({ length: PROGRAMS }, (_, n) => {
    const first = BASE + PAGE * (FIRST_PAGE + n * PAGES.count);
    const setup = randomSetup(random, first);
    const body = Array.from({ length: INSTRUCTIONS }, () => randomInstruction(random, setup));
    writeBody(view, first - BASE, body);
    for (let at = 0; at < 2 * PAGE; at += 4) view.setInt32(setup.data - BASE + at, random.word(), true);
    writeTables(view, random, first, setup.mode);
    return { setup, body };
  });
  const setups = programs.map(({ setup }) => setup);
  for (const segment of harness(setups).segments) bytes.set(segment.bytes, segment.address - BASE);
  return { bytes, setups, bodies: programs.map(({ body }) => body) };
}

function randomSetup(random: Random, first: number): Setup {
  const mode = random.pick([Mode.M, Mode.S, Mode.U]);
  const bits = (...names: string[]) =>
    names.reduce((all, name) => all | (random.below(2) * csrMask('mstatus', name)), 0);
  const anywhere = () => bits('SUM', 'MXR', 'SPP', 'SPIE', 'SIE', 'MPIE', 'MIE', 'TVM', 'TW', 'TSR', 'MPRV');
  const data = first + PAGES.data * PAGE;
  const satp =
    mode === Mode.M && random.below(2) === 0
      ? 0
      : (0x8000_0000 | (random.below(4) << 22) | ((first + PAGES.root * PAGE) / PAGE)) >>> 0;
  const betweenPages = data + PAGE - 2;
  const inLargePage = data + PAGE + 1022 + LARGE_VIEW;
  const kept = new Map([
    [SP, data + PAGE + 1024],
    [S0, data + 512],
    [S1, mode !== Mode.M && random.below(3) === 0 ? inLargePage : betweenPages],
    [S9, random.word() & S_INTERRUPTS],
    [S10, anywhere() | random.pick([0, 0x800, 0x1800])],
    [S11, anywhere() | random.pick([0, 0x1800])],
    [number('t6'), 0],
  ]);
  return {
    mode,
    status: (mode << 11) | bits('SUM', 'MXR', 'MPIE', 'SPIE') | (mode === Mode.S ? bits('TVM') : 0),
    exceptions: random.pick([0, 0xb1ff, random.word() & 0xb1ff]),
    interrupts: random.word() & S_INTERRUPTS,
    satp,
    body: first,
    entries: first + PAGES.table * PAGE + 4 * ((first >>> 12) & 1023),
    data,
    vectored: random.below(2),
    protection: random.pick([ALL_RIGHTS, ALL_RIGHTS, 5, 1, 3, 4, 0]),
    registers: Array.from(
      { length: 32 },
      (_, n) =>
        (kept.get(n) ??
          (random.below(3) > 0 ? random.word() : random.pick([0, 1, -1, 1 << 31, ~(1 << 31)]))) >>> 0,
    ),
  };
}

/** The instructions, each in a place of four bytes, and the call that ends the program. */
function writeBody(view: DataView, offset: number, body: number[]): void {
  const compressedNop = 1;
  body.forEach((word, n) => {
    const isLong = (word & 3) === 3;
    view.setInt32(offset + 4 * n, isLong ? word : word | (compressedNop << 16), true);
  });
  const last = assemble('nop\n nop\n nop\n li t6, 0x600d\n ecall').segments[0].bytes;
  last.forEach((byte, n) => {
    view.setUint8(offset + 4 * body.length + n, byte);
  });
}

/** Random rights for the data; the body and the harness can be executed. The alias is all of the 4 MiB. */
function writeTables(view: DataView, random: Random, first: number, mode: Mode): void {
  const user = mode === Mode.U ? Pte.U : 0;
  const kernel = Pte.V | Pte.A | Pte.D;
  const root = first + PAGES.root * PAGE - BASE;
  const table = first + PAGES.table * PAGE;
  const entry = (pa: number, flags: number) =>
    view.setInt32(table - BASE + 4 * ((pa >>> 12) & 1023), makePte(pa / PAGE, flags), true);
  const rootEntry = (va: number, pa: number, flags: number) =>
    view.setInt32(root + 4 * (va >>> 22), makePte(pa / PAGE, flags), true);
  rootEntry(BASE, table, Pte.V);
  rootEntry(BASE + ALIAS, BASE, kernel | Pte.R | Pte.W | Pte.G);
  const isAligned = random.below(4) > 0;
  const largeRights = random.below(4) === 0 ? random.below(256) : kernel | Pte.R | Pte.W | user;
  rootEntry(BASE + LARGE_VIEW, isAligned ? BASE : BASE + PAGE * random.below(1024), largeRights);
  for (let page = 0; page < FIRST_PAGE; page++) entry(BASE + PAGE * page, kernel | Pte.R | Pte.X);
  entry(first, Pte.V | Pte.X | user | random.pick([0, Pte.A, Pte.R, Pte.A | Pte.R]));
  for (let page = 0; page < 2; page++) {
    const rights = random.below(4) === 0 ? random.below(256) : Pte.V | Pte.R | Pte.W | user;
    entry(first + PAGE * (PAGES.data + page), rights | (random.word() & (Pte.A | Pte.D)));
  }
}

/** Any instruction that leaves the harness alive and takes no notice of time. */
function randomInstruction(random: Random, setup: Setup): number {
  for (;;) {
    const row = random.pick(ISA);
    if (!isUsable(row, setup)) continue;
    const operands: Partial<Operands> = {};
    for (const field of row.format.fields) operands[field.operand] = randomOperand(random, row, field);
    const isExcluded = row.format.fields.some(({ operand }) =>
      row.excluded[operand]?.includes(operands[operand] ?? 0),
    );
    if (isExcluded || !isHarmless(row, operands)) continue;
    return encode(row, operands);
  }
}

/**
 * No waiting, no jump to where a register says. Whether `sc` faults that fails, and whether a store
 * of one's own breaks a reservation, is free: reservations only where neither happens. And QEMU 7.2
 * has wrong causes for the faults of atomic instructions.
 */
function isUsable(row: Row, { satp }: Setup): boolean {
  const name = row.base?.name ?? row.name;
  if (row.format.name === 'AMO' || row.format.name === 'LR') return satp === 0 || name.startsWith('h');
  if (row.name === 'c.swsp' && satp === 0) return false;
  return !['wfi', 'jalr', 'mret', 'sret', 'c.addi16sp'].includes(name) && row.name !== 'c.addi16sp';
}

const MEMORY_FORMATS = ['L', 'S', 'AMO', 'LR', 'HSV', 'C_LW', 'C_SW', 'C_LWSP', 'C_SWSP'];
const isMemory = (row: Row) => MEMORY_FORMATS.includes(row.format.name);
const isReservation = (row: Row) => row.name.startsWith('lr.w') || row.name.startsWith('sc.w');

function randomOperand(random: Random, row: Row, field: Field): number {
  const isCompact = field.from > 0;
  switch (field.operand) {
    case 'rd':
      return isCompact ? 10 + random.below(6) : random.pick(FREE);
    case 'rs1':
      if (isReservation(row)) return SP;
      if (row.format.name === 'AMO') return S0;
      if (isMemory(row)) return random.pick([S0, S1]);
      return isCompact ? 8 + random.below(8) : random.below(32);
    case 'rs2':
      return isCompact ? 8 + random.below(8) : random.below(32);
    case 'csr':
      return csrNumber(random.pick(READABLE));
    case 'imm':
      return randomImmediate(random, row, field);
  }
}

function randomImmediate(random: Random, row: Row, field: Field): number {
  const step = 2 ** field.zeros;
  if (field.kind === 'offset') return 4 * (1 + random.below(3));
  if (isMemory(row)) return field.kind === 'signed' ? random.below(64) - 32 : step * random.below(8);
  const span = 2 ** Math.min(field.width, 31);
  const value = step * random.below(Math.max(1, span / step));
  if (field.kind === 'upper' && field.width === 32) return random.word() & -step;
  return field.kind === 'signed' || field.kind === 'upper' ? value - span / 2 : value;
}

/** Whether an access to a CSR writes only what may be written there. */
function isHarmless(row: Row, { csr, rs1 = 0, imm = 0 }: Partial<Operands>): boolean {
  if (csr === undefined) return true;
  const writes = row.name.startsWith('csrrw') || rs1 !== 0 || imm !== 0;
  if (!writes) return true;
  if (!writableNumbers.includes(csr)) return false;
  if (INTERRUPTS.includes(csr)) return row.name.endsWith('i') ? (imm & ~S_INTERRUPTS) === 0 : rs1 === S9;
  if (!STATUS.includes(csr) || row.name.endsWith('i')) return true;
  return rs1 === (row.name === 'csrrw' ? S10 : S11);
}

/** What is compared after a program, besides its log. */
const SHOWN_REGISTERS = Array.from({ length: 31 }, (_, n) => n + 1).filter(
  (n) => !['gp', 'tp', 't5', 't6'].map(number).includes(n),
);
const LOG = BASE + 14 * PAGE;
const LOG_WORDS = 5;
/** What the harness knows of a program: words, of which the registers x0 to x31 are the last. */
const REGISTERS_AT = 4 * 10;
const SETUP_BYTES = REGISTERS_AT + 4 * 32;

/** Causes that interrupts can have, from 0 on. */
const VECTORS = 12;

/** The program around the programs: sets one up, starts it, logs its traps, prints what it left. */
function harness(setups: readonly Setup[]): Program {
  const table = setups.map(
    ({ status, exceptions, interrupts, satp, body, entries, data, vectored, protection, registers }) => {
      const pmp = [data / 4, pmpConfiguration(protection)];
      const words = [status, exceptions, interrupts, satp, body, entries, data, vectored, ...pmp];
      return `.word ${[...words, ...registers].join(', ')}`;
    },
  );
  const loads = Array.from({ length: 30 }, (_, n) => `lw x${n + 1}, ${REGISTERS_AT + 4 * (n + 1)}(t6)`);
  const saves = SHOWN_REGISTERS.map((n, index) => `sw x${n}, ${4 * index}(t5)`);
  const saveCsrs = READABLE.map(
    (name, n) => `csrr t6, ${name}\n sw t6, ${4 * (SHOWN_REGISTERS.length + n)}(t5)`,
  );
  return assemble(
    `
_start: li   t0, -1
        csrw pmpaddr2, t0
        csrw mcounteren, zero
        csrw scounteren, zero
        li   t0, 0x02004000             # mtimecmp: never
        li   t1, -1
        sw   t1, 0(t0)
        sw   t1, 4(t0)
next:   la   t0, current
        lw   t1, 0(t0)
        li   t2, ${setups.length}
        bgeu t1, t2, finish
        li   t2, ${SETUP_BYTES}
        mul  t2, t1, t2
        la   t6, setups
        add  t6, t6, t2
        csrw mie, zero
        csrw mip, zero
        ${['mcause', 'mtval', 'scause', 'stval', 'sepc', 'senvcfg'].map((name) => `csrw ${name}, zero`).join('\n')}
        ${['mstatus', 'medeleg', 'mideleg', 'satp', 'mepc'].map((name, n) => `lw t0, ${4 * n}(t6)\n csrw ${name}, t0`).join('\n')}
        la   t0, machine_vectors
        lw   t1, 28(t6)
        or   t0, t0, t1
        csrw mtvec, t0
        la   t0, supervisor_vectors
        or   t0, t0, t1
        csrw stvec, t0
        lw   t0, 32(t6)
        csrw pmpaddr0, t0
        li   t1, ${(2 * PAGE) / 4}
        add  t0, t0, t1
        csrw pmpaddr1, t0
        lw   t0, 36(t6)
        csrw pmpcfg0, t0
        sfence.vma
        ${loads.join('\n')}
        li   gp, ${LOG}
        li   tp, ${ALIAS}
        li   t6, 0
        mret

        .align 6                        # t5 says which way the trap came in
machine_vectors:
        ${'jal t5, machine_trap\n'.repeat(VECTORS)}
machine_trap:
        sw   t5, 16(gp)
        csrr t5, mcause                 # what mtval is after ebreak is free
        addi t5, t5, -3
        bnez t5, 1f
        csrw mtval, zero
1:      ${['mcause', 'mepc', 'mtval', 'mstatus'].map((name, n) => `csrr t5, ${name}\n sw t5, ${4 * n}(gp)`).join('\n')}
        addi gp, gp, ${4 * LOG_WORDS}
        li   t5, 0x600d
        beq  t5, t6, done
        csrr t5, mcause
        bltz t5, 3f
        csrr t5, mepc
        lhu  t6, 0(t5)
        andi t6, t6, 3
        addi t6, t6, -3
        addi t5, t5, 2
        bnez t6, 2f
        addi t5, t5, 2
2:      csrw mepc, t5
        li   t6, 0
        mret
3:      csrw mie, zero
        csrw mip, zero
        li   t6, 0
        mret

        .align 6
supervisor_vectors:
        ${'jal t5, supervisor_trap\n'.repeat(VECTORS)}
supervisor_trap:
        add  gp, gp, tp
        sw   t5, 16(gp)
        csrr t5, scause
        addi t5, t5, -3
        bnez t5, 1f
        csrw stval, zero
1:      ${['scause', 'sepc', 'stval', 'sstatus'].map((name, n) => `csrr t5, ${name}\n sw t5, ${4 * n}(gp)`).join('\n')}
        addi gp, gp, ${4 * LOG_WORDS}
        sub  gp, gp, tp
        li   t5, 0x600d
        bne  t5, t6, 1f
        ecall
1:      csrr t5, scause
        bltz t5, 3f
        csrr t5, sepc
        add  t5, t5, tp
        lhu  t6, 0(t5)
        andi t6, t6, 3
        addi t6, t6, -3
        sub  t5, t5, tp
        addi t5, t5, 2
        bnez t6, 2f
        addi t5, t5, 2
2:      csrw sepc, t5
        li   t6, 0
        sret
3:      csrw sie, zero
        csrci sip, 2
        li   t6, 0
        sret

done:   la   t5, saved
        ${saves.join('\n')}
        ${saveCsrs.join('\n')}
        la   t0, current
        lw   t1, 0(t0)
        addi t2, t1, 1
        sw   t2, 0(t0)
        li   t2, ${SETUP_BYTES}
        mul  t2, t1, t2
        la   s2, setups
        add  s2, s2, t2
        li   a2, ${SHOWN_REGISTERS.length + READABLE.length}
        la   a1, saved
        call print
        lw   a1, 20(s2)
        li   a2, 3
        call print
        lw   a1, 24(s2)                 # the data: a checksum
        li   a2, ${(2 * PAGE) / 4}
        li   t0, 0
        li   t2, 31
1:      lw   t1, 0(a1)
        mul  t0, t0, t2
        add  t0, t0, t1
        addi a1, a1, 4
        addi a2, a2, -1
        bnez a2, 1b
        la   a1, saved
        sw   t0, 0(a1)
        li   t1, ${LOG}
        sub  t1, gp, t1
        srli t1, t1, 2
        sw   t1, 4(a1)
        mv   s3, t1
        li   a2, 2
        call print
        li   a1, ${LOG}
        mv   a2, s3
        call print
        j    next

print:  li   t0, 0x10000000             # a2 words from a1 on, as bytes
        slli a2, a2, 2
        add  a2, a2, a1
1:      beq  a1, a2, 3f
2:      lbu  t1, 5(t0)
        andi t1, t1, 0x20
        beqz t1, 2b
        lbu  t1, 0(a1)
        sb   t1, 0(t0)
        addi a1, a1, 1
        j    1b
3:      ret

finish: li   t0, 0x100000
        li   t1, 0x5555
        sw   t1, 0(t0)
1:      j    1b

        .align 2
setups: ${table.join('\n')}
current: .word 0
saved:  .space ${4 * (SHOWN_REGISTERS.length + READABLE.length)}
`,
    { origin: BASE },
  );
}

/** What a program left: names and values, in the order in which the harness prints them. */
export type Outcome = Map<string, number>;

/** The outcomes of the programs, from what the harness has printed. */
export function outcomes(printed: Uint8Array): Outcome[] {
  const words = new Int32Array(printed.slice(0, printed.length & ~3).buffer);
  const names = [
    ...SHOWN_REGISTERS.map((n) => ABI_NAMES[n]),
    ...READABLE,
    "the body page's entry",
    "the first data page's entry",
    "the second data page's entry",
    'the checksum of the data',
    'the words of the log',
  ];
  const list: Outcome[] = [];
  for (let at = 0; at < words.length; ) {
    const outcome: Outcome = new Map(names.map((name, n) => [name, words[at + n] >>> 0]));
    at += names.length;
    const logged = words[at - 1] ?? 0;
    for (let n = 0; n < logged; n++)
      outcome.set(
        `trap ${Math.floor(n / LOG_WORDS)} ${['cause', 'epc', 'tval', 'status', 'vector'][n % LOG_WORDS]}`,
        words[at + n] >>> 0,
      );
    at += logged;
    list.push(outcome);
  }
  return list;
}
