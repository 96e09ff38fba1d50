/**
 * Pseudo-instructions: what assembly lets one write for other instructions. Unpriv, RISC-V Assembly
 * Programmer's Handbook; what GNU as accepts beyond it stands below each group.
 *
 * A line has what is written and what it stands for. Words of the left side that are operands are
 * replaced on the right by what the statement has in their place: `rd`, `rs`, `rt` are registers,
 * `csr` is a CSR, everything else is a number or a label. The disassembler reads the lines of the
 * table SHOWN backwards, the first that fits; lines of WRITTEN are for the assembler only.
 */
import type { Row } from '../../isa/formats';
import { rowByName } from '../encode';
import { type Form, type Pattern, type Slot, slotsOf } from './operands';

/** Written either way; shown by the disassembler. */
// biome-ignore format: a table
const SHOWN: [written: string, meaning: string][] = [
  ['nop',                      'addi zero, zero, 0'],
  ['li rd, imm',               'addi rd, zero, imm'],
  ['mv rd, rs',                'addi rd, rs, 0'],
  ['not rd, rs',               'xori rd, rs, -1'],
  ['neg rd, rs',               'sub rd, zero, rs'],
  ['zext.b rd, rs',            'andi rd, rs, 255'],
  ['seqz rd, rs',              'sltiu rd, rs, 1'],
  ['snez rd, rs',              'sltu rd, zero, rs'],
  ['sltz rd, rs',              'slt rd, rs, zero'],
  ['sgtz rd, rs',              'slt rd, zero, rs'],

  ['beqz rs, target',          'beq rs, zero, target'],
  ['bnez rs, target',          'bne rs, zero, target'],
  ['blez rs, target',          'bge zero, rs, target'],
  ['bgez rs, target',          'bge rs, zero, target'],
  ['bltz rs, target',          'blt rs, zero, target'],
  ['bgtz rs, target',          'blt zero, rs, target'],

  ['j target',                 'jal zero, target'],
  ['jal target',               'jal ra, target'],
  ['ret',                      'jalr zero, 0(ra)'],
  ['jr rs',                    'jalr zero, 0(rs)'],
  ['jr offset(rs)',            'jalr zero, offset(rs)'],
  ['jalr rs',                  'jalr ra, 0(rs)'],
  ['jalr offset(rs)',          'jalr ra, offset(rs)'],
  ['jalr rd, rs',              'jalr rd, 0(rs)'],

  ['unimp',                    'csrrw zero, cycle, zero'],
  ['rdcycle rd',               'csrrs rd, cycle, zero'],
  ['rdtime rd',                'csrrs rd, time, zero'],
  ['rdinstret rd',             'csrrs rd, instret, zero'],
  ['rdcycleh rd',              'csrrs rd, cycleh, zero'],
  ['rdtimeh rd',               'csrrs rd, timeh, zero'],
  ['rdinstreth rd',            'csrrs rd, instreth, zero'],
  ['csrr rd, csr',             'csrrs rd, csr, zero'],
  ['csrw csr, rs',             'csrrw zero, csr, rs'],
  ['csrs csr, rs',             'csrrs zero, csr, rs'],
  ['csrc csr, rs',             'csrrc zero, csr, rs'],
  ['csrwi csr, imm',           'csrrwi zero, csr, imm'],
  ['csrsi csr, imm',           'csrrsi zero, csr, imm'],
  ['csrci csr, imm',           'csrrci zero, csr, imm'],

  ['fence',                    'fence iorw, iorw'],
  ['sfence.vma',               'sfence.vma zero, zero'],
  ['sfence.vma rs',            'sfence.vma rs, zero'],
  ['hfence.vvma',              'hfence.vvma zero, zero'],
  ['hfence.vvma rs',           'hfence.vvma rs, zero'],
  ['hfence.gvma',              'hfence.gvma zero, zero'],
  ['hfence.gvma rs',           'hfence.gvma rs, zero'],
];

/** Only written. `.` is the address of the instruction in which it stands. */
// biome-ignore format: a table
const WRITTEN: [written: string, meaning: string][] = [
  ['la rd, symbol',            'auipc rd, %pcrel_hi(symbol); addi rd, rd, %pcrel_lo(. - 4)'],
  ['lla rd, symbol',           'auipc rd, %pcrel_hi(symbol); addi rd, rd, %pcrel_lo(. - 4)'],
  ['call symbol',              'auipc ra, %pcrel_hi(symbol); jalr ra, %pcrel_lo(. - 4)(ra)'],
  ['call rd, symbol',          'auipc t1, %pcrel_hi(symbol); jalr rd, %pcrel_lo(. - 4)(t1)'],
  ['tail symbol',              'auipc t1, %pcrel_hi(symbol); jalr zero, %pcrel_lo(. - 4)(t1)'],
  ['jump symbol, rt',          'auipc rt, %pcrel_hi(symbol); jalr zero, %pcrel_lo(. - 4)(rt)'],

  ['lb rd, symbol',            'auipc rd, %pcrel_hi(symbol); lb rd, %pcrel_lo(. - 4)(rd)'],
  ['lbu rd, symbol',           'auipc rd, %pcrel_hi(symbol); lbu rd, %pcrel_lo(. - 4)(rd)'],
  ['lh rd, symbol',            'auipc rd, %pcrel_hi(symbol); lh rd, %pcrel_lo(. - 4)(rd)'],
  ['lhu rd, symbol',           'auipc rd, %pcrel_hi(symbol); lhu rd, %pcrel_lo(. - 4)(rd)'],
  ['lw rd, symbol',            'auipc rd, %pcrel_hi(symbol); lw rd, %pcrel_lo(. - 4)(rd)'],
  ['sb rs, symbol, rt',        'auipc rt, %pcrel_hi(symbol); sb rs, %pcrel_lo(. - 4)(rt)'],
  ['sh rs, symbol, rt',        'auipc rt, %pcrel_hi(symbol); sh rs, %pcrel_lo(. - 4)(rt)'],
  ['sw rs, symbol, rt',        'auipc rt, %pcrel_hi(symbol); sw rs, %pcrel_lo(. - 4)(rt)'],

  ['bgt rs, rt, target',       'blt rt, rs, target'],
  ['ble rs, rt, target',       'bge rt, rs, target'],
  ['bgtu rs, rt, target',      'bltu rt, rs, target'],
  ['bleu rs, rt, target',      'bgeu rt, rs, target'],
  ['sgt rd, rs, rt',           'slt rd, rt, rs'],
  ['sgtu rd, rs, rt',          'sltu rd, rt, rs'],
  ['sext.b rd, rs',            'slli rd, rs, 24; srai rd, rd, 24'],
  ['sext.h rd, rs',            'slli rd, rs, 16; srai rd, rd, 16'],
  ['zext.h rd, rs',            'slli rd, rs, 16; srli rd, rd, 16'],

  ['move rd, rs',              'addi rd, rs, 0'],
  ['pause',                    'fence w, 0'],
  ['scall',                    'ecall'],
  ['sbreak',                   'ebreak'],
  ['jr rs, offset',            'jalr zero, offset(rs)'],
  ['jalr rs, offset',          'jalr ra, offset(rs)'],
  ['jalr rd, rs, offset',      'jalr rd, offset(rs)'],
  ['add rd, rs, imm',          'addi rd, rs, imm'],
  ['and rd, rs, imm',          'andi rd, rs, imm'],
  ['or rd, rs, imm',           'ori rd, rs, imm'],
  ['xor rd, rs, imm',          'xori rd, rs, imm'],
  ['slt rd, rs, imm',          'slti rd, rs, imm'],
  ['sltu rd, rs, imm',         'sltiu rd, rs, imm'],
  ['sll rd, rs, imm',          'slli rd, rs, imm'],
  ['srl rd, rs, imm',          'srli rd, rs, imm'],
  ['sra rd, rs, imm',          'srai rd, rs, imm'],
  ['csrw csr, imm',            'csrrwi zero, csr, imm'],
  ['csrs csr, imm',            'csrrsi zero, csr, imm'],
  ['csrc csr, imm',            'csrrci zero, csr, imm'],
  ['csrrw rd, csr, imm',       'csrrwi rd, csr, imm'],
  ['csrrs rd, csr, imm',       'csrrsi rd, csr, imm'],
  ['csrrc rd, csr, imm',       'csrrci rd, csr, imm'],
];

/** `li` stands for the shortest of these that gives the number. */
export const LI = {
  small: 'addi rd, zero, imm',
  round: 'lui rd, %hi(imm)',
  any: 'lui rd, %hi(imm); addi rd, rd, %lo(imm)',
};

/** An instruction of a pseudo-instruction's meaning: its row, and its operands as text. */
export interface Step {
  row: Row;
  operands: string;
}

export interface Pseudo extends Pattern {
  slots: readonly Slot[];
  steps: readonly Step[];
}

function formOf(name: string): Form {
  if (/^r[dst]$/.test(name)) return 'register';
  return name === 'csr' ? 'csr' : 'number';
}

/** The instructions of a meaning; undefined if the machine lacks one of them. */
export function readSteps(meaning: string): Step[] | undefined {
  const steps: Step[] = [];
  for (const part of meaning.split('; ')) {
    const [name] = part.split(' ', 1);
    const row = rowByName(name);
    if (row === undefined) return undefined;
    steps.push({ row, operands: part.slice(name.length) });
  }
  return steps;
}

function readTable(table: readonly [string, string][]): Pseudo[] {
  return table.flatMap(([written, meaning]) => {
    const steps = readSteps(meaning);
    if (steps === undefined) return [];
    const [name] = written.split(' ', 1);
    return [{ name, slots: slotsOf(written.slice(name.length).trim(), formOf), steps }];
  });
}

/** Those that the disassembler shows, in order of preference. */
export const SHOWN_PSEUDOS: readonly Pseudo[] = readTable(SHOWN);

/** All of them. */
export const PSEUDOS: readonly Pseudo[] = [...SHOWN_PSEUDOS, ...readTable(WRITTEN)];
