// The exercises of lesson 12: other right solutions than the notebook's pass, plausible wrong ones are told
// which line, which instruction or which state is wrong.
import {
  csrNumber,
  execute,
  type Instruction,
  type ProfileRun,
  type Site,
  SiteClass,
  type SourceLine,
  type Vm,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { verdict } from './verdict';

describe('12-pass', () => {
  const KINDS = new Map([
    ['sret', SiteClass.Return],
    ['sfence.vma', SiteClass.Fence],
    ['wfi', SiteClass.Wait],
  ]);
  const mark =
    (wrong?: string) =>
    ({ labels, statement, comment, instruction }: SourceLine, pad: number) => {
      const name = instruction?.row.name ?? '';
      let kind = name.startsWith('csr') ? SiteClass.Csr : KINDS.get(name);
      if (wrong === 'only csr' && kind !== SiteClass.Csr) kind = undefined;
      if (wrong === 'ecall' && name === 'ecall') kind = SiteClass.Csr;
      if (wrong === 'class' && kind !== undefined) kind = SiteClass.Csr;
      if (kind === undefined) return labels + statement + comment;
      const [begin, end] = wrong === 'labels' ? [1, 2] : [70001, 70002];
      const nops = ' ; nop'.repeat(wrong === 'one more' ? pad + 1 : pad);
      const filled = wrong === 'filled' ? nops.replaceAll('nop', 'addi t0, t0, 0') : nops;
      const record = `.pushsection .previrt ; .word ${begin}b, ${end}b, ${kind} ; .popsection`;
      const body =
        wrong === 'before' ? `${filled} ; ${begin}: ${statement}` : `${begin}: ${statement}${filled}`;
      const line = `${labels}${body} ; ${end}: ${record}`;
      if (wrong === 'no record') return `${labels}${statement}${nops}${comment}`;
      if (wrong === 'lines') return line.replaceAll(' ; ', '\n');
      return wrong === 'comment' ? `${labels}${comment}${line}` : line + comment;
    };

  it('passes', () => {
    expect(verdict('12-pass', mark())).toMatch(/^✓ Right/);
  });

  it.each([
    ['only csr', /line 2, `sret`, has no record/],
    ['ecall', /line 4, `ecall`, has a record\. A hypervisor does not care/],
    ['class', /line 2, `sret`, says class Csr; it is Return/],
    ['one more', /with a pad of 2: the record of line 1[\s\S]*the instruction and 2 no-ops, 12 bytes/],
    ['filled', /holds something else than no-ops/],
    ['labels', /, went to line \d+ and now goes to line \d+\. Is a label of yours in its way/],
    ['no record', /line 1, `_start: csrw stvec, t0`, has no record/],
    ['lines', /becomes several lines/],
    ['comment', /has no record|does not assemble/],
    ['before', /no-ops|record begins/],
  ])('%s wrong is named', (wrong, message) => {
    const text = verdict('12-pass', mark(wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it('a pass that loses a line, or gives no text, is told', () => {
    expect(
      verdict('12-pass', (line: SourceLine, pad: number) => (line.comment ? 7 : mark()(line, pad))),
    ).toMatch(/give the line as text[\s\S]*you gave 7/);
    expect(
      verdict('12-pass', ({ labels, statement, comment }: SourceLine) => labels + statement + comment),
    ).toMatch(/^○/);
  });
});

describe('12-wedge', () => {
  const WORDS = new Map([
    [csrNumber('sepc'), 'V_EPC'],
    [csrNumber('scause'), 'V_CAUSE'],
    [csrNumber('stval'), 'V_TVAL'],
    [csrNumber('sscratch'), 'V_SCRATCH'],
  ]);
  const wedge = (wrong?: string) => (instruction: Instruction) => {
    const { rd, rs1, imm, csr } = instruction;
    const { name } = instruction.row;
    if (csr === csrNumber('sstatus') && rd === 0 && imm === 2) {
      if (name === 'csrrci') return ['sw zero, V_ENABLED(zero)'];
      if (name !== 'csrrsi' || wrong === 'no csrsi') return undefined;
      if (wrong === 'sp') return ['sw sp, V_ENABLED(zero)'];
      if (wrong === 't6') return ['li t6, 1', 'sw t6, V_ENABLED(zero)'];
      return ['sw t5, V_SPARE(zero)', 'li t5, 4', 'sw t5, V_ENABLED(zero)', 'lw t5, V_SPARE(zero)'];
    }
    const word = WORDS.get(wrong === 'cause' && csr === csrNumber('sepc') ? csrNumber('scause') : csr);
    if (word === undefined) return wrong === 'nothing' ? [] : undefined;
    if (name === 'csrrs' && (rs1 === 0 || wrong === 'csrrs')) return [`lw x${rd}, ${word}(zero)`];
    if (name === 'csrrw' && (rd === 0 || wrong === 'csrrw')) return [`sw x${rs1}, ${word}(zero)`];
    return undefined;
  };

  it('passes', () => {
    expect(verdict('12-wedge', wedge())).toMatch(/^✓ Right/);
  });

  it.each([
    ['no csrsi', /makes a call of `csrsi sstatus, 2`/],
    [
      'sp',
      /`csrsi sstatus, 2` becomes `sw sp, V_ENABLED\(zero\)`\. Interrupts were off before\.[\s\S]*sstatus/,
    ],
    ['t6', /`csrsi sstatus, 2` becomes[\s\S]*t6 +0x/],
    ['cause', /`csrr a0, sepc` becomes `lw x10, V_CAUSE\(zero\)`[\s\S]*a0 +0x00000014 +0x00000018/],
    ['csrrs', /`csrrs a0, sepc, a1` becomes[\s\S]*sepc/],
    ['csrrw', /`csrrw a0, sscratch, a1` becomes[\s\S]*a0/],
    ['nothing', /becomes nothing at all/],
  ])('%s wrong is named', (wrong, message) => {
    const text = verdict('12-wedge', wedge(wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it.each([
    ['no list', () => 'lw a0, V_EPC(zero)', /give a list of instructions as texts[\s\S]*you gave the text/],
    ['no instruction', () => ['load a0'], /does not assemble/],
    [
      'too many',
      () => ['nop', 'nop', 'nop', 'nop', 'nop', 'nop'],
      /6 instructions: a usual pad has room for 5/,
    ],
  ])('%s gets a verdict', (_, solution, message) => {
    expect(verdict('12-wedge', solution)).toMatch(message);
  });
});

describe('12-feedback', () => {
  const learn = (wrong?: string) => (run: ProfileRun) => {
    const { trapped } = run(new Set());
    if (wrong === 'all') return new Set(trapped.keys());
    if (wrong === 'counts') return new Set(trapped.values());
    const { called } = run(wrong === 'unmarked' ? new Set() : new Set(trapped.keys()));
    const found = new Set<number>();
    for (const [line, count] of trapped) if (2 * count >= (called.get(line) ?? 0)) found.add(line);
    if (wrong === 'often') for (const [line, count] of trapped) if (count < 5) found.delete(line);
    return found;
  };

  it('passes', () => {
    expect(verdict('12-feedback', learn())).toMatch(/^✓ Right/);
    expect(verdict('12-feedback', (run: ProfileRun) => [...learn()(run)])).toMatch(/^✓ Right/);
  });

  it.each([
    [
      'all',
      /Line 525 of nano-os, `sw +zero, 4 \* \\n\(a0\)`, is in your set\. It trapped \d+ times, but is executed [\d,]+ times/,
    ],
    ['unmarked', /Line 525 of nano-os/],
    ['counts', /is not in your set/],
    ['often', /is not in your set\. Unmarked it trapped 1 time;/],
  ])('%s wrong is named', (wrong, message) => {
    const text = verdict('12-feedback', learn(wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it('addresses, no set, and a loop without end get a verdict', () => {
    expect(verdict('12-feedback', () => [0x8040_0010])).toMatch(/is not in your set|Is it an address/);
    expect(verdict('12-feedback', () => [])).toMatch(
      /^✗ Not yet[\s\S]*Line \d+ of hello[\s\S]*is not in your set/,
    );
    expect(verdict('12-feedback', () => 4)).toMatch(/Give a set of line numbers; you gave 4/);
    const endless = (run: ProfileRun) => {
      for (;;) run(new Set());
    };
    expect(verdict('12-feedback', endless)).toMatch(
      /has let the guest run 20 times: does its loop come to an end/,
    );
  });
});

describe('12-second', () => {
  const answer = (wrong?: string) => (vm: Vm, sites: ReadonlyMap<number, Site>) => {
    const site = sites.get(vm.hart.pc);
    if (site === undefined) {
      if (wrong === 'own') vm.hart.pc += 4;
      return wrong === 'own';
    }
    execute(vm.hart, site.original);
    if (wrong === 'twice') vm.hart.pc += 4;
    if (wrong === 'process') vm.hart.takeRaised();
    else {
      const trap = vm.hart.takeRaised();
      if (trap !== undefined) vm.reflect(trap);
    }
    return wrong !== 'false';
  };

  it('passes', () => {
    expect(verdict('12-second', answer())).toMatch(/^✓ Right/);
  });

  it.each([
    ['own', /of its own, where nothing is marked[\s\S]*pc +0x80000000 +0x80000004/],
    ['twice', /`csrw stvec, t0`[\s\S]*pc +0x80000004 +0x80000008/],
    ['process', /virtual U[\s\S]*mode +virtual S +virtual U/],
    ['false', /Your answer should be true, and is false/],
  ])('%s wrong is named', (wrong, message) => {
    const text = verdict('12-second', answer(wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });
});

it.each(['12-pass', '12-wedge', '12-feedback', '12-second'])('%s, not begun, is open', (id) => {
  expect(verdict(id, () => undefined)).toMatch(/^○ To be solved/);
});
