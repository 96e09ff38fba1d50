// Binary translation, part by part: what becomes of a block, and how the cache keeps the guest
// unaware of it. Guests here leave what they leave on the bare machine, and what the translator
// counts shows that the part was at work.
import {
  asm,
  BinaryTranslator,
  type BinaryTranslatorOptions,
  createMachine,
  discover,
  type Explanation,
  explain,
  Firmware,
  guest,
  type Loadable,
  MiB,
  type Program,
  RAM_BASE,
  translate,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import type { Translator } from '../../kernel-lib/hypervisor/binary-translation/translator';
import { differences, hartState } from '../../kernel-lib/lab/hart-state';

const RAM = 8 * MiB;
const BUDGET = 1_000_000;
const FINISH = `
        li   t1, 0x100000
        li   t2, 0x5555
        sw   t2, 0(t1)`;

/** Runs a guest on the bare machine and translated, and wants the same of both. */
function translated(image: Loadable, options: BinaryTranslatorOptions = {}): BinaryTranslator {
  const bare = createMachine({ ram: RAM });
  new Firmware(bare).boot(image);
  const wanted = bare.run({ instructions: BUDGET });
  const hypervisor = new BinaryTranslator(createMachine({ ram: 2 * RAM }), {
    memory: { base: RAM_BASE + 4 * MiB, size: RAM },
    ...options,
  });
  hypervisor.boot(image);
  const found = hypervisor.run({ instructions: BUDGET });
  expect(found).toMatchObject({ reason: wanted.reason });
  const { vm } = hypervisor;
  expect(vm.console).toBe(bare.console);
  expect(differences(hartState(bare.hart), hartState(vm.hart))).toEqual([]);
  expect(Buffer.compare(bare.ram.bytes, vm.guest.ram.bytes)).toBe(0);
  return hypervisor;
}

/** The code of a program, as a translator reads it. */
function reader({ segments }: Program) {
  return (va: number) => {
    const address = va >>> 0;
    const segment = segments.find((one) => address >= one.address && address + 2 <= one.address + one.size);
    if (segment === undefined) return undefined;
    const at = address - segment.address;
    return segment.bytes[at] | (segment.bytes[at + 1] << 8);
  };
}

/** The unit at the beginning of a program, beside its translation. */
const unit = (program: Program) => discover(reader(program), program.entry | 0);
const explained = (program: Program): Explanation[] => explain(translate(unit(program)));
const mnemonics = (lines: readonly string[]) => lines.map((line) => line.split(/\s+/)[1]);

const counts = ({ translator }: { translator: Translator }) => translator.statistics;

describe('a block', () => {
  it('ends at a change of control flow, that included', () => {
    expect(
      unit(asm`add a0, a0, a1
      beqz a0, .+8
      add a0, a0, a0`).length,
    ).toBe(2);
    for (const end of ['j .', 'jr ra', 'ret', 'ebreak', 'sret', 'fence.i', 'sfence.vma', 'csrw satp, a0'])
      expect(
        unit(asm`nop
${end}
nop
nop`).length,
        end,
      ).toBe(2);
  });

  it('ends after twelve instructions', () => {
    expect(unit(asm`${'addi a0, a0, 1\n'.repeat(20)}`).length).toBe(12);
  });

  it('ends with its page; only the first instruction may reach into the next', () => {
    const atEnd = asm`.option norvc
      .org 0xff6
_start: addi a0, a0, 1
      addi a0, a0, 2
      .option rvc
      c.nop
      addi a1, a1, 1`;
    expect(unit(atEnd).map(({ pc }) => (pc >>> 0).toString(16))).toEqual([
      '80400ff6',
      '80400ffa',
      '80400ffe',
    ]);
    const across = asm`.option norvc
      .org 0xffe
_start: addi a1, a1, 1
      addi a2, a2, 1`;
    expect(unit(across)[0].length).toBe(4);
  });
});

describe('the translation of', () => {
  it('what is innocuous: identical copies, compressed ones as they are', () => {
    const program = asm`lw a0, 4(a1)
      c.addi a0, 1
      mul a0, a0, a2
      amoadd.w a3, a0, (a4)
      c.sw a0, 0(a1)
      ret`;
    const pieces = explained(program).slice(0, -1);
    expect(pieces.map(({ why }) => why)).toEqual(Array(5).fill('identical'));
    const text = (line: string) => line.replace(/^\S+\s+/, '');
    for (const { guest, translated: code } of pieces) expect(code.map(text)).toEqual(guest.map(text));
  });

  it('what uses its pc: the guest’s own value', () => {
    const [piece] = explained(asm`auipc a0, 0x12
      ret`);
    expect(piece.why).toMatch(/uses its pc: the value is known, 0x80412000/);
    expect(piece.translated.join()).toMatch(/lui\s+a0, 0x80412/);
  });

  it('sensitive instructions: a run is merged, in the cache if all of it can be', () => {
    const [inCache, callout] = [
      explained(asm`csrr a0, sepc
        csrw sscratch, a1
        csrci sstatus, 2
        ret`)[0],
      explained(asm`csrr a0, sepc
        csrw sie, a1
        csrr a2, scause
        ret`)[0],
    ];
    expect(inCache.guest.length).toBe(3);
    expect(inCache.why).toBe('sensitive: in the cache, on the vCPU window, 3 merged');
    expect(inCache.translated.join()).not.toMatch(/csr|ecall/);
    expect(callout).toMatchObject({ why: 'sensitive: callout, 3 merged' });
    expect(callout.translated).toHaveLength(1);
    expect(callout.translated[0]).toMatch(/ecall {2}# emulate/);
  });

  it('interrupts off: a single store; reading a register: a single load', () => {
    expect(
      mnemonics(
        explained(asm`csrci sstatus, 2
      ret`)[0].translated,
      ),
    ).toEqual(['sb']);
    expect(
      mnemonics(
        explained(asm`csrr a0, scause
      ret`)[0].translated,
      ),
    ).toEqual(['lw']);
  });

  it('jumps and branches: slots that say where the guest goes on', () => {
    const branch = explained(asm`c.beqz a0, .+8
      nop`)[0];
    expect(branch.why).toMatch(/branch/);
    expect(branch.translated.map((line) => line.replace(/^\S+\s+/, ''))).toEqual([
      expect.stringMatching(/^(bne|bnez)\s/),
      expect.stringMatching(/^ecall {2}# exit: goes on at 0x80400008/),
      expect.stringMatching(/^ecall {2}# exit: goes on at 0x80400002/),
    ]);
    const call = explained(asm`jal ra, .+0x100`)[0];
    expect(call.why).toMatch(/the link is the return address in the guest/);
    expect(call.translated.join('\n')).toMatch(/lui\s+ra, 0x80400[\s\S]*exit: goes on at 0x80400100/);
  });

  it('far jumps (auipc, jalr): where they go is known', () => {
    const pieces = explained(asm`auipc ra, 0x10
      jalr ra, 8(ra)`);
    expect(pieces[1].translated.join('\n')).toMatch(/goes on at 0x80410008/);
  });

  it('nothing that a guest could do in U mode: no sensitive instruction gets into the cache', () => {
    const hypervisor = translated(guest('nano-os', { FORKS: 1, WORK: 5, CALLS: 3 }));
    const code = [...hypervisor.translator.cache.blocks()].flatMap(({ translation, begin }) =>
      explain(translation, begin).flatMap((piece) => mnemonics(piece.translated)),
    );
    expect(code.length).toBeGreaterThan(1000);
    for (const name of code) expect(name).not.toMatch(/^(csr|sret|mret|wfi|sfence|fence\.i|ebreak)/);
  });
});

describe('return addresses', () => {
  it('are the guest’s, in every kind of call', () => {
    translated(asm`
_start: jal  ra, 1f
1:      mv   s0, ra
        la   ra, 2f
        jalr ra, ra
        nop
2:      mv   s1, ra
        la   t0, 3f
        jalr t0, t0
        nop
3:      mv   s2, t0
        la   t1, 4f
        jalr t1, 0(t1)
        nop
4:      mv   s3, t1
        la   ra, 5f + 16
        jalr ra, -16(ra)
        nop
5:      mv   s4, ra
        call 6f
        j    7f
6:      ret
7:      la   a0, 8f
        c.jalr a0
8:      mv   s5, ra
        auipc s6, 0
        ${FINISH}`);
  });

  it('may be odd or misaligned, as on the bare machine', () => {
    translated(asm`
_start: la   a0, 1f + 1
        jalr ra, a0
1:      mv   s0, ra
        la   a0, 2f
        jalr zero, 3(a0)
        c.nop
2:      c.li s1, 1
        c.li s2, 2
        ${FINISH}`);
  });
});

/** Fifty rounds of `body`. */
const rounds = (body: string, more = '') =>
  asm`
_start: li   s0, 50
again:  ${body}
        addi s0, s0, -1
        bnez s0, again
        ${FINISH}
        ${more}`;

describe('chaining', () => {
  it('leads from block to block without the hypervisor', () => {
    const hypervisor = translated(rounds('beqz s1, 1f\n nop\n1: j 2f\n nop\n2: addi s1, zero, 0'));
    const { callouts, chained } = counts(hypervisor);
    expect(chained).toBeGreaterThan(4);
    expect(callouts.exit).toBeLessThan(20); // not once per round
  });

  it('predicts an indirect jump’s first target, and looks others up', () => {
    const returns = rounds('call one\n call one\n call one', 'one: addi a0, a0, 1\n ret');
    const { callouts } = counts(translated(returns));
    expect(callouts.predict).toBe(1);
    expect(callouts['look up']).toBeGreaterThanOrEqual(2); // once for each of the other return addresses
    expect(callouts['look up']).toBeLessThan(10); // from then on the table has them
  });

  it('finds targets that share a slot of the table, too', () => {
    const far = Array.from(
      { length: 4 },
      (_, n) => `.org ${0x400 + 0x200 * n}\nfar${n}: addi a${n}, a${n}, 1\n ret`,
    );
    const calls = [0, 1, 2, 3].map((n) => `la t0, far${n}\n call hop`).join('\n');
    translated(rounds(calls, `hop: jr t0\n${far.join('\n')}`));
  });
});

describe('the guest’s code changes', () => {
  const patched = (fence: string) =>
    rounds(`
        la   t0, code
        lw   t1, 0(t0)
        li   t2, 0x00100000
        add  t1, t1, t2          # its immediate, one more
        sw   t1, 0(t0)
        ${fence}
code:   addi a0, a0, 1`);

  it('with fence.i: the block goes, the new one is made', () => {
    expect(counts(translated(patched('fence.i'))).invalidations).toBeGreaterThan(10);
  });

  it('in the block that is running, with fence.i, across a page', () => {
    translated(asm`
_start: la   t0, code
        li   t1, 0x00a00513      # li a0, 10
        sh   t1, 0(t0)
        srli t1, t1, 16
        sh   t1, 2(t0)
        fence.i
        j    code
        .org 0xffe
code:   .half 0x0513, 0x0010     # li a0, 1
        ${FINISH}`);
  });

  it('in a page with data: after needless traces it is trusted, and looked at by fence.i', () => {
    translated(asm`
_start: li   s0, 300
        la   s1, counter
1:      lw   t0, 0(s1)
        addi t0, t0, 1
        sw   t0, 0(s1)
        addi s0, s0, -1
        bnez s0, 1b
        call code
        la   t0, code
        li   t1, 0x00700513      # li a0, 7
        sw   t1, 0(t0)
        fence.i
        call code
        ${FINISH}
code:   .word 0x00500513         # li a0, 5
        ret
        .balign 4
counter: .word 0`);
  });
});

describe('precise exceptions', () => {
  it('in the midst of a block: registers, pc and tval are the guest’s', () => {
    translated(asm`
_start: la   t0, handler
        csrw stvec, t0
        li   t0, 1
        li   t1, 2
        li   t2, 3
        li   t3, 4
        li   t4, 5
        csrw sscratch, t3        # borrows registers …
        csrs sstatus, t0
        lw   a0, 0(zero)         # … and this faults
        csrw sscratch, t4
        lw   a1, -4(zero)
        ebreak
        .word 0
        sw   a0, 1(zero)
        ${FINISH}
        .align 2
handler: csrr s2, sepc
        csrr s3, scause
        csrr s4, stval
        add  s5, s5, s2
        xor  s6, s6, s3
        add  s7, s7, s4
        add  s8, s8, t0
        add  s8, s8, t4
        addi s2, s2, 4
        csrw sepc, s2
        sret`);
  });

  it('a handler sees each instruction step that user code makes', () => {
    translated(asm`
_start: la   t0, handler
        csrw stvec, t0
        la   t0, user
        csrw sepc, t0
        sret
user:   addi a0, a0, 1
        ecall
        addi a0, a0, 2
        csrr a1, sstatus         # not in user mode
        ebreak
        li   a7, 1
        ecall
        .align 2
handler: csrr s2, sepc
        csrr s3, scause
        add  s4, s4, s3
        addi s2, s2, 4
        csrw sepc, s2
        bnez a7, 1f
        sret
1:      ${FINISH}`);
  });
});

describe('interrupts', () => {
  it('come at heads of blocks only', () => {
    const program = asm`
_start: la   t0, handler
        csrw stvec, t0
        la   s4, body
        la   s5, done
        li   s6, 0
        call set_timer
        li   t0, 0x20
        csrw sie, t0
        csrsi sstatus, 2
body:   addi s0, s0, 1
        addi s1, s1, 1
        addi s2, s2, 1
        addi s3, s3, 1
        j    body
done:   ${FINISH}
set_timer:
        rdtime a0
        addi a0, a0, 40
        li   a1, 0
        li   a7, 0x54494d45
        li   a6, 0
        ecall
        ret
        .align 2
handler: csrr t0, sepc
        bne  t0, s4, bad         # in the midst of the loop's block
        addi s6, s6, 1
        li   t0, 20
        beq  s6, t0, good
        call set_timer
        sret
good:   li   s7, 1
        j    done
bad:    li   s7, 2
        j    done`;
    const hypervisor = new BinaryTranslator(createMachine({ ram: RAM }));
    hypervisor.boot(program);
    expect(hypervisor.run({ instructions: BUDGET }).reason).toBe('finished');
    expect(hypervisor.vm.hart.x[23]).toBe(1); // s7
    expect(counts(hypervisor).callouts.interrupt).toBeGreaterThan(5);
  });

  it('that are pending come as soon as they are turned on', () => {
    const hypervisor = translated(asm`
_start: la   t0, handler
        csrw stvec, t0
        csrsi sie, 2
        csrsi sip, 2             # a software interrupt, pending
        li   s0, 1
        csrsi sstatus, 2         # … now
        li   s0, 2
        .align 2
handler: csrr s1, sepc
        ${FINISH}`);
    expect(counts(hypervisor).callouts.enabled + counts(hypervisor).callouts.emulate).toBeGreaterThan(0);
  });
});

describe('adaptation', () => {
  /** Stores into the page at a1, which holds code, and into others: by one and the same instruction. */
  const stores = (traced: number, harmless: number) => asm`
_start: call code
        li   s0, ${traced}
        la   a1, code + 64
        call fill
        li   s0, ${harmless}
        la   a1, plain
        beqz s0, 1f
        call fill
1:      ${FINISH}
        .org 0x1000
fill:   sw   s0, 0(a1)
        addi s0, s0, -1
        bnez s0, fill
        ret
        .org 0x2000
code:   addi a0, a0, 1
        ret
        .org 0x3000
plain:  .word 0`;
  const faultsOf = (hypervisor: BinaryTranslator) =>
    hypervisor
      .report()
      .exits.filter(({ reason }) => reason === 'trace')
      .reduce((sum, { count }) => sum + count, 0);

  it('translates a store that keeps faulting again, as a call', () => {
    const hypervisor = translated(stores(40, 0));
    expect(counts(hypervisor).convictions).toBe(1);
    expect(faultsOf(hypervisor)).toBeLessThan(8);
  });

  it('is taken back when the calls turn out to be needless', () => {
    const hypervisor = translated(stores(40, 100));
    expect(counts(hypervisor)).toMatchObject({ convictions: 1, acquittals: 1 });
  });

  it('convicts loads and stores that go to devices', () => {
    const hypervisor = translated(rounds('li t0, 0x10000000\n lbu a0, 5(t0)'));
    expect(counts(hypervisor).convictions).toBe(1);
  });

  it('shows in the explanation', () => {
    const program = stores(40, 0);
    const hypervisor = translated(program);
    const [fill] = [...program.symbols].filter(([name]) => name === 'fill').map(([, value]) => value);
    const why = hypervisor.translator.explain(fill)?.map((piece) => piece.why);
    expect(why?.join()).toMatch(/keeps faulting: callout/);
  });
});

describe('the cache', () => {
  /** A hundred little functions, called in turn. */
  const many = (count: number) =>
    rounds(
      'jal ra, start',
      `start: mv s2, ra
        ${Array.from({ length: count }, (_, n) => `call f${n}`).join('\n')}
        jr s2
        ${Array.from({ length: count }, (_, n) => `f${n}: addi a${n % 6}, a${n % 6}, ${n}\n xor a6, a6, a${n % 6}\n ret`).join('\n')}`,
    );

  it('is bounded: old blocks make room, and the guest is right', () => {
    const hypervisor = translated(many(120), { cacheBytes: 4096 });
    const { cache } = hypervisor.translator;
    expect(cache.evictions).toBeGreaterThan(100);
    const halves = new Set<number>();
    for (const { begin, end } of cache.blocks()) for (let at = begin; at < end; at += 2) halves.add(at);
    expect(2 * halves.size).toBeLessThanOrEqual(4096);
    const roomy = translated(many(120));
    expect(roomy.translator.cache.evictions).toBe(0);
    expect(counts(roomy).translations).toBeLessThan(counts(hypervisor).translations);
  });

  it('evicts while a whole system runs', () => {
    const hypervisor = translated(guest('nano-os', { FORKS: 1, WORK: 5, CALLS: 3 }), { cacheBytes: 4096 });
    expect(hypervisor.translator.cache.evictions).toBeGreaterThan(50);
  });

  it('refuses sizes that make no sense', () => {
    const make = (cacheBytes: number) => () => new BinaryTranslator(createMachine(), { cacheBytes });
    for (const bytes of [0, 100, 4097, 2 ** 21, -4096, Number.NaN])
      expect(make(bytes), `${bytes}`).toThrow(/cache/i);
  });

  it('can be neither read nor written by the guest, nor entered by its user mode', () => {
    // What is there for the guest is its own memory, or nothing: as on the bare machine.
    const touch = (access: string) => asm`
_start: la   t0, handler
        csrw stvec, t0
        li   t0, 0xffff7000
        li   s1, 0x1234
        ${access}
        ${FINISH}
        .align 2
handler: csrr s2, sepc
        csrr s3, scause
        csrr s4, stval
        ${FINISH}`;
    for (const access of [
      'lw s1, 0(t0)',
      'sw s1, 0(t0)',
      'li t0, 0xfffff000\n lw s1, -1536(t0)',
      'lw s1, -1536(zero)',
      'sw s1, -1536(zero)',
      'lw s1, -1500(zero)',
      'sb s1, -1429(zero)',
      'amoadd.w s1, s1, (t0)',
      'jr t0',
    ])
      translated(touch(access), { guard: 'always' });
  });

  it('user code that jumps to it finds what is there for user code', () => {
    translated(asm`
_start: la   t0, handler
        csrw stvec, t0
        la   t0, user
        csrw sepc, t0
        sret
user:   li   t0, 0xffffc000
        jr   t0
        .align 2
handler: csrr s2, sepc
        csrr s3, scause
        csrr s4, stval
        ${FINISH}`);
  });
});

describe('user mode', () => {
  it('runs directly: nothing of it is translated, and it has no exits of its own', () => {
    const hypervisor = translated(asm`
_start: la   t0, handler
        csrw stvec, t0
        la   t0, user
        csrw sepc, t0
        sret
user:   li   s0, 20000
1:      add  a0, a0, s0
        addi s0, s0, -1
        bnez s0, 1b
        ecall
        .align 2
handler: ${FINISH}`);
    const { direct, exits } = hypervisor.report();
    expect(direct.user).toBeGreaterThan(60_000);
    expect(exits.filter(({ mode }) => mode === 0).reduce((sum, { count }) => sum + count, 0)).toBeLessThan(5);
    for (const block of hypervisor.translator.cache.blocks())
      expect(block.va).not.toBe(hypervisor.vm.hart.csrs.get('sepc'));
  });
});

describe('translations over time', () => {
  it('per ten thousand instructions fall after boot', () => {
    const hypervisor = translated(guest('nano-os', { FORKS: 2, WORK: 10, CALLS: 5 }));
    const progress = counts(hypervisor)
      .overTime(10_000)
      .map(({ translations }) => translations);
    const half = Math.floor(progress.length / 2);
    const sum = (part: number[]) => part.reduce((a, b) => a + b, 0);
    expect(sum(progress)).toBe(counts(hypervisor).translations);
    expect(sum(progress.slice(0, half))).toBeGreaterThan(5 * sum(progress.slice(half)));
  });
});
