// Lesson 07's exercises: guests that show a defect pass, those that show another one, or none, don't.
import { show, tryOnProfiles } from 'kernel-lib';
import { describe, expect, it, vi } from 'vitest';
import { verdict } from './verdict';

const COMPARE = `
        xor     a0, t0, t1
        seqz    a0, a0`;

const SIDT = `
        la      t0, verdict
        csrw    stvec, t0
        csrr    t1, stvec${COMPARE}`;
const PUSHF = `
        csrsi   sstatus, 2
        csrr    t0, sstatus
        andi    t0, t0, 2
        snez    a0, t0`;
const POPF = `
        la      t0, trap
        csrw    stvec, t0
        li      s0, 0
        call    set_timer
        li      t0, 0x20
        csrw    sie, t0
        csrsi   sstatus, 2
        li      s1, 50000
wait:   bnez    s0, over
        addi    s1, s1, -1
        bnez    s1, wait
over:   csrw    sie, zero
        mv      a0, s0
        j       verdict
        .align  2
trap:   li      s0, 1
        csrw    sie, zero
        sret`;
const THASH = `
        csrr    t0, satp
        seqz    a0, t0`;
const IVA = `
        la      t0, trap
        csrw    stvec, t0
        ebreak
        li      a0, 0
        j       verdict
        .align  2
trap:   li      a0, 1`;
const K0 = `
        li      s10, 5
        csrr    t0, sscratch
        addi    t1, s10, -5
        seqz    a0, t1`;
const BANKED = `
        li      t0, 77
        csrw    sscratch, t0
        li      t1, 0
        csrr    t1, sscratch${COMPARE}`;
const MOVS = `
        la      t0, trap
        csrw    stvec, t0
        li      t0, 0x100
        csrc    sstatus, t0
        la      t0, process
        csrw    sepc, t0
        sret
        .align  2
trap:   csrr    t0, scause
        addi    t0, t0, -8
        seqz    a0, t0
        j       verdict
process: li     a7, 0x10
        li      a6, 0
        ecall
        li      a0, 0`;
const KSEG = `
        li      t0, 0x80001000
        li      t1, 64
1:      lw      t2, 0(t0)
        addi    t1, t1, -1
        bnez    t1, 1b
        li      a0, 1`;
const DETECTOR = `
        li      s10, 5
        csrr    t0, sscratch
        li      a0, 3
        li      t1, 5
        bne     s10, t1, verdict
        li      t0, 77
        csrw    sscratch, t0
        li      t1, 0
        csrr    t1, sscratch
        li      a0, 4
        bne     t0, t1, verdict
        csrr    t0, satp
        li      a0, 0
        beqz    t0, verdict
        la      t0, verdict
        csrw    stvec, t0
        csrr    t1, stvec
        li      a0, 2
        beq     t0, t1, verdict
        li      a0, 1`;

const right = {
  '07-sidt': SIDT,
  '07-pushf': PUSHF,
  '07-popf': POPF,
  '07-thash': THASH,
  '07-iva': IVA,
  '07-k0': K0,
  '07-kseg': KSEG,
  '07-banked': BANKED,
  '07-movs': MOVS,
  '07-detector': DETECTOR,
};

describe.each(Object.entries(right))('%s', (id, body) => {
  it('a right guest passes', () => {
    expect(verdict(id, () => body)).toMatch(/^✓ Right/);
  });

  it.each([
    ['nothing', undefined, /^○ To be solved/],
    ['an empty text', ' \n ', /^○ To be solved/],
    ['a number', 7, /^✗[\s\S]*It gives 7/],
    ['a Promise', Promise.resolve('nop'), /^✗[\s\S]*It gives a Promise/],
    ['no assembly', 'popf', /^✗[\s\S]*The assembler does not understand your guest[\s\S]*popf/],
    ['a guest that loops', '1: j 1b', /^✗[\s\S]*it did not come to its end: The budget/],
    ['a guest that jumps away', 'jr zero', /^✗[\s\S]*did not come to its end/],
    ['far too much', 'nop\n'.repeat(10_000), /^✗[\s\S]*too long/],
  ])('%s gets a verdict', (_, given, message) => {
    expect(verdict(id, () => given)).toMatch(message);
  });

  it('a guest that is always content notices nothing', () => {
    expect(verdict(id, () => 'li a0, 1')).toMatch(
      /^✗[\s\S]*(notices nothing|It should be 50 times more|must end with `a0` = 0)/,
    );
  });
});

it.each([
  ['07-sidt', 'li a0, 0', /On the bare machine, profile `riscv` all is in order[\s\S]*`a0` = 0/],
  ['07-sidt', THASH, /in a VM on the profile `x86, sidt, sgdt alone`[\s\S]*notices nothing/i],
  ['07-pushf', PUSHF.replace('csrsi', 'csrci'), /On the bare machine[\s\S]*`a0` = 0/],
  ['07-popf', POPF.replace('csrsi   sstatus, 2', 'nop'), /On the bare machine[\s\S]*`a0` = 0/],
  ['07-popf', POPF.replace('csrw    stvec, t0', 'nop'), /On the bare machine[\s\S]*did not come to its end/],
  ['07-thash', SIDT, /notices nothing/],
  ['07-iva', IVA.replace('ebreak', 'j trap'), /notices nothing/],
  ['07-k0', K0.replaceAll('s10', 's9'), /notices nothing/],
  [
    '07-kseg',
    KSEG.replace('64', '8'),
    /leaves direct execution \d+ times on `mips` and (once|\d+ times) on `riscv`/,
  ],
  ['07-kseg', KSEG.replace('0x80001000', '0x80500000'), /It should be 50 times more/],
  ['07-banked', BANKED.replace('li      t1, 0', 'li      t1, 77'), /notices nothing/],
  ['07-movs', MOVS.replace('ecall', 'csrr t0, sstatus'), /On the bare machine[\s\S]*`a0` = 0/],
  [
    '07-detector',
    DETECTOR.replace('li      a0, 4', 'li      a0, 5'),
    /profile `arm` your guest must end with `a0` = 4/,
  ],
  [
    '07-detector',
    `        rdcycle t0
        csrr    t2, sscratch
        rdcycle t1
        sub     t1, t1, t0
        sltiu   a0, t1, 100
        xori    a0, a0, 1`,
    /In a VM on the profile `riscv` all is in order: your guest must end with `a0` = 0\. But it ends with `a0` = 1/,
  ],
] as const)('%s: what does not show it is refused (%#)', (id, body, message) => {
  const text = verdict(id, () => body);
  expect(text).toMatch(/^✗ Not yet/);
  expect(text).toMatch(message);
});

it('tryOnProfiles shows a guest on all machines, bare and in a VM', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  show(tryOnProfiles(K0));
  const text = log.mock.calls.join('\n');
  log.mockRestore();
  expect(text).toMatch(/riscv +a0 = 1 +a0 = 1/);
  expect(text).toMatch(/mips +a0 = 1 +● a0 = 0/);
});
