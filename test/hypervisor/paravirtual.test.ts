// Para-virtualization: the ported guest does what the guest does, with fewer and cheaper exits; and
// a guest that asks for nonsense gets a refusal, never more.
import {
  ABI_VERSION,
  abiSource,
  asm,
  comparePort,
  createMachine,
  EXTENSION,
  Firmware,
  guest,
  guestSource,
  Hypercall,
  MiB,
  Paravirtual,
  type Report,
  SHARED_VA,
  Shared,
  TrapAndEmulate,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../kernel-lib/lab/random';

const PORT = 'nano-os.para';
const RAM = 32 * MiB;
const small = { FORKS: 2, WORK: 20, CALLS: 10 };

function ranPort(parameters = small, disk?: Uint8Array) {
  const hypervisor = new Paravirtual(createMachine({ ram: RAM }), disk ? { board: { disk } } : {});
  hypervisor.boot(guest(PORT, parameters));
  const end = hypervisor.run({ instructions: 20_000_000 });
  return { hypervisor, end };
}

/** A guest that begins with a version in a6, and then stops the machine. */
function asking(version: number) {
  const hypervisor = new Paravirtual(createMachine({ ram: RAM }));
  hypervisor.boot(asm`${abiSource()}
_start: li   a7, EXTENSION
        li   a6, ${version}
        ecall
        mv   s0, a0
        hypercall CALL_STOP`);
  return hypervisor;
}

const exitsOf = (report: Report) => report.exits.reduce((sum, exit) => sum + exit.count, 0);

describe('nano-os.para', () => {
  it('prints what nano-os prints on the bare machine', () => {
    const bare = createMachine();
    new Firmware(bare).boot(guest('nano-os', small));
    bare.run();
    const { hypervisor, end } = ranPort();
    expect(end).toMatchObject({ reason: 'finished', code: 0 });
    expect(hypervisor.vm.console).toBe(bare.console);
    expect(bare.console).toContain('self-check passed');
  });

  it('uses the disk, by calls', () => {
    const disk = new Uint8Array(64 * 512);
    const bare = createMachine({ disk: new Uint8Array(64 * 512) });
    new Firmware(bare).boot(guest('nano-os', small));
    bare.run();
    const { hypervisor } = ranPort(small, disk);
    expect(hypervisor.vm.console).toBe(bare.console);
    expect(hypervisor.vm.console).toContain('sector');
    expect(disk).toEqual(bare.disk?.content);
    expect(hypervisor.calls.get(Hypercall.Disk)).toBe(4);
  });

  it('leaves direct execution far less often than nano-os, and the hypervisor less to do', () => {
    const trapped = new TrapAndEmulate(createMachine({ ram: RAM }));
    trapped.boot(guest('nano-os', small));
    trapped.run();
    const ported = ranPort().hypervisor.report();
    expect(exitsOf(trapped.report()) / exitsOf(ported)).toBeGreaterThan(2.7); // ARMvisor: 20,602 -> 7,471
    expect(trapped.report().cycles.hypervisor / ported.cycles.hypervisor).toBeGreaterThan(2);
    expect(ported.exits.some((exit) => exit.instruction.startsWith('csr'))).toBe(false);
    expect(ported.emulated).toBe(0);
  });

  it('makes fewer calls for its page tables the more fit into one', () => {
    const updates = (most: number) => {
      const { hypervisor, end } = ranPort({ ...small, MOST_UPDATES: most } as typeof small);
      expect(end.code).toBe(0);
      return hypervisor.calls.get(Hypercall.Update) ?? 0;
    };
    const [one, eight, many] = [1, 8, 32].map(updates);
    expect(one).toBeGreaterThan(eight);
    expect(eight).toBeGreaterThan(many);
  });

  it('has the numbers of the interface', () => {
    const source = guestSource(PORT);
    const equ = (name: string) => Number(new RegExp(`\\.equ +${name}, +(-?\\d+)`).exec(source)?.[1]);
    const offset = (SHARED_VA | 0) - 0;
    expect(equ('V_CALL')).toBe(offset + Shared.Call);
    expect(equ('V_ENABLED')).toBe(offset + Shared.Enabled);
    expect(equ('V_PENDING')).toBe(offset + Shared.Pending);
    expect(equ('V_STATUS')).toBe(offset + Shared.Status);
    expect(equ('V_EPC')).toBe(offset + Shared.Epc);
    expect(equ('V_CAUSE')).toBe(offset + Shared.Cause);
    expect(equ('V_TVAL')).toBe(offset + Shared.Tval);
    expect(equ('V_TVEC')).toBe(offset + Shared.Tvec);
    expect(equ('V_SCRATCH')).toBe(offset + Shared.Scratch);
    expect(source).toContain(`EXTENSION, 0x0${EXTENSION.toString(16)}`);
    expect(equ('CALL_RETURN')).toBe(Hypercall.Return);
    expect(equ('CALL_SWITCH')).toBe(Hypercall.SwitchSpace);
    expect(equ('CALL_PIN')).toBe(Hypercall.Pin);
    expect(equ('CALL_UPDATE')).toBe(Hypercall.Update);
    expect(equ('CALL_CONSOLE')).toBe(Hypercall.Console);
    expect(equ('CALL_DISK')).toBe(Hypercall.Disk);
  });

  it('takes no interrupt between the number of a call and its ecall, though it may stop there', () => {
    // A handler's own calls would use the number up. Where a run ends and goes on, interrupts are offered.
    const program = asm`${abiSource()}
_start: li   sp, 1
        li   a7, EXTENSION
        ecall
        la   t0, tick
        sw   t0, V_TVEC(zero)
        li   a0, 0x20
        hypercall CALL_ENABLE
        li   a0, 0
        li   a1, 0
        li   a7, 0x54494d45             # the timer is due at once; interrupts are off
        li   a6, 0
        ecall
        sw   sp, V_ENABLED(zero)
        la   a0, text
        li   a1, 2
        hypercall CALL_CONSOLE
        li   a0, 0
        hypercall CALL_STOP
        .align 2
tick:   mv   s2, a0
        mv   s3, a1
        li   a0, -1
        li   a1, -1
        li   a7, 0x54494d45
        ecall
        mv   a0, s2
        mv   a1, s3
        li   s4, CALL_RETURN
        sw   s4, V_CALL(zero)
        ecall
text:   .ascii "ok"
    `;
    for (let first = 1; first < 40; first++) {
      const hypervisor = new Paravirtual(createMachine({ ram: RAM }));
      hypervisor.boot(program);
      hypervisor.run({ instructions: first });
      expect(hypervisor.run({ instructions: 300 }), `stopped after ${first}`).toMatchObject({ code: 0 });
      expect(hypervisor.vm.console).toBe('ok');
    }
  });

  it('is nano-os with a countable number of lines changed', () => {
    const { lines, added, removed, share, hunks } = comparePort('nano-os', PORT);
    expect(share).toBeCloseTo(added / lines, 10);
    expect(added).toBeGreaterThan(50);
    expect(share).toBeLessThan(0.3);
    expect(hunks.filter((hunk) => hunk.kind === 'same').flatMap((hunk) => hunk.lines).length).toBe(
      lines - removed,
    );
    expect(comparePort('nano-os', 'nano-os')).toMatchObject({ added: 0, removed: 0, share: 0 });
  });
});

/** A guest that makes one call and stops with the answer's low bits as its code. */
function answerOf(call: number, args: number[], before = ''): number | undefined {
  const program = asm`
_start: li   a7, ${EXTENSION}
        ecall
        ${before}
        li   a0, ${args[0] ?? 0}
        li   a1, ${args[1] ?? 0}
        li   a2, ${args[2] ?? 0}
        li   t6, ${call}
        sw   t6, -2048(zero)
        ecall
        andi a0, a0, 0xff
        li   t6, ${Hypercall.Stop}
        sw   t6, -2048(zero)
        ecall
        .data
        .balign 4096
table:  .space 4096
`;
  const hypervisor = new Paravirtual(createMachine({ ram: RAM }));
  hypervisor.boot(program);
  return hypervisor.run({ instructions: 10_000 }).code;
}

const REFUSED = 0xff;
const TABLE = 0x8040_1000;

describe('calls', () => {
  it('of one’s own stand in place of the interface’s, or besides them', () => {
    const asked: number[][] = [];
    const hypervisor = new Paravirtual(createMachine({ ram: RAM }), {
      calls: {
        [Hypercall.Version]: () => 7,
        100: (vm, args) => {
          asked.push([...args]);
          return vm.hart.mode;
        },
      },
    });
    hypervisor.boot(asm`${abiSource()}
_start: li   a7, EXTENSION
        ecall
        hypercall CALL_VERSION
        li   a1, 8
        hypercall 100
1:      j    1b`);
    hypervisor.run({ instructions: 30 });
    expect(asked.map((args) => args.slice(0, 2))).toEqual([[7, 8]]);
    expect(hypervisor.vm.hart.x[10]).toBe(1); // S
  });

  it('tells what a word of the shared page holds', () => {
    const hypervisor = new Paravirtual(createMachine({ ram: RAM }));
    hypervisor.boot(asm`${abiSource()}
_start: li   a7, EXTENSION
        ecall
        li   t0, 0x1234
        sw   t0, V_SCRATCH(zero)
1:      j    1b`);
    expect(hypervisor.word(Shared.Scratch)).toBe(0);
    hypervisor.run({ instructions: 20 });
    expect(hypervisor.word(Shared.Scratch)).toBe(0x1234);
  });

  it('answer with the version', () => {
    expect(answerOf(Hypercall.Version, [])).toBe(ABI_VERSION);
  });

  it.each([
    ['that says nothing', 0],
    ['of this version', ABI_VERSION],
  ])('are there for a guest %s', (_, version) => {
    const hypervisor = asking(version);
    expect(hypervisor.run({ instructions: 100 }).reason).toBe('finished');
    expect(hypervisor.vm.hart.x[8]).toBe(ABI_VERSION); // s0
  });

  it.each([2, 77, -1])('are not there for a guest of version %i: it is told so, each time', (version) => {
    const hypervisor = asking(version);
    for (let run = 0; run < 2; run++) {
      const { reason, message } = hypervisor.run({ instructions: 100 });
      expect(reason).toBe('host');
      expect(message).toContain(`version ${version >>> 0} of the para-virtual interface`);
      expect(message).toContain(`this hypervisor has version ${ABI_VERSION}`);
      expect(message).toContain('0x8040000c');
    }
    expect(hypervisor.vm.console).toBe('');
  });

  it.each([
    ['a call that is not there', 99, []],
    ['a list outside of RAM', Hypercall.Update, [0x1000, 1]],
    ['a list that is not aligned', Hypercall.Update, [TABLE + 2, 1]],
    ['a list of too many', Hypercall.Update, [TABLE, 1_000_000]],
    ['a list of less than none', Hypercall.Update, [TABLE, -1]],
    ['an update of no pinned table', Hypercall.Update, [TABLE, 1]],
    ['tables outside of RAM', Hypercall.Pin, [0x1000]],
    ['tables that don’t begin a page', Hypercall.Pin, [TABLE + 4]],
    ['what was not pinned', Hypercall.Unpin, [TABLE]],
    ['an address space that is not pinned', Hypercall.SwitchSpace, [0x8000_0000 | (TABLE >>> 12) | 0]],
    ['text outside of RAM', Hypercall.Console, [0x1000, 4]],
    ['too much text', Hypercall.Console, [TABLE, 1 << 20]],
    ['a disk where there is none', Hypercall.Disk, [TABLE, 1]],
  ] as const)('refuse %s', (_, call, args) => {
    expect(answerOf(call, [...args])).toBe(REFUSED);
  });

  it('refuse to pin tables with an entry outside of the guest’s RAM, and pin others', () => {
    const entry = (pte: number) => `la t0, table
        li t1, ${pte}
        sw t1, 0x400(t0)`;
    expect(answerOf(Hypercall.Pin, [TABLE], entry(0x8040_0000 / 4 + 0xcf))).toBe(0);
    expect(answerOf(Hypercall.Pin, [TABLE], entry(0x1000_0000 / 4 + 0xc7))).toBe(REFUSED);
    expect(answerOf(Hypercall.Pin, [TABLE], entry(0xfff0_00c7 | 0))).toBe(REFUSED);
  });

  it('whatever a guest asks for, nothing throws and its neighbours’ memory stays', () => {
    const random = randomNumbers(17);
    const values = [
      0,
      1,
      -1,
      4,
      TABLE,
      TABLE + 2,
      0x8000_0000,
      0x8040_0000,
      0xffff_f000,
      0x1000_0000,
      64,
      4096,
    ];
    for (let run = 0; run < 100; run++) {
      const machine = createMachine({ ram: 16 * MiB });
      const neighbour = machine.ram.bytes.subarray(8 * MiB, 12 * MiB).fill(0x5a);
      const hypervisor = new Paravirtual(machine, { memory: { base: machine.ram.base, size: 8 * MiB } });
      const calls = Array.from({ length: 6 }, () => {
        const argument = () => (random.below(2) === 0 ? random.pick(values) : random.word()) | 0;
        return `li a0, ${argument()}
        li a1, ${argument()}
        li a2, ${argument()}
        li t6, ${random.below(17)}
        sw t6, -2048(zero)
        ecall`;
      });
      hypervisor.boot(asm`_start: li a7, ${EXTENSION}
        ecall
        ${calls.join('\n        ')}
1:      j 1b`);
      expect(hypervisor.run({ instructions: 300 }).message.length).toBeGreaterThan(10);
      expect(neighbour.every((byte) => byte === 0x5a)).toBe(true);
    }
  });
});
