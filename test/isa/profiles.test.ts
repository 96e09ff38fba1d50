// Profiles: what a defect overrides, and that it overrides nothing else.
import {
  assemble,
  Cause,
  createMachine,
  csrNumber,
  decode,
  defectsMet,
  encode,
  LEFT_BY_TRAP,
  Mode,
  PROFILES,
  type Profile,
  type ProfileName,
  profileOf,
  rowByName,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';

const SSTATUS = csrNumber('sstatus');
const SIE = 2;

/** A machine in U mode about to execute one instruction; a trap is noted and ends the run. */
function userMachine(profile: ProfileName | Profile, word: number) {
  const machine = createMachine({ profile });
  const causes: Cause[] = [];
  machine.host = ({ cause }) => {
    causes.push(cause);
    machine.stopped = { reason: 'host', message: 'trapped' };
  };
  machine.openMemory();
  machine.ram.write(4, 0x8040_0000, word);
  Object.assign(machine.hart, { pc: 0x8040_0000 | 0, mode: Mode.U });
  return { machine, causes };
}

const word = (name: string, operands: Parameters<typeof encode>[1]) => encode(rowByName(name)!, operands);

describe('on x86', () => {
  it('what is written to sstatus without privilege is lost, and what is read is real', () => {
    const { machine, causes } = userMachine(
      'x86',
      word('csrrwi', { rd: 5, csr: SSTATUS, imm: 0 }), // reads and writes
    );
    machine.hart.csrs.set('sstatus', SIE);
    machine.run({ instructions: 1 });
    expect(causes).toEqual([]);
    expect(machine.hart.x[5]).toBe(SIE);
    expect(machine.hart.csrs.get('sstatus')).toBe(SIE);
  });

  it('an instruction traps if one of its two accesses does', () => {
    const stvec = csrNumber('stvec');
    const read = userMachine('x86', word('csrrs', { rd: 5, csr: stvec, rs1: 0 }));
    const swap = userMachine('x86', word('csrrw', { rd: 5, csr: stvec, rs1: 6 }));
    for (const { machine } of [read, swap]) machine.run({ instructions: 1 });
    expect(read.causes).toEqual([]);
    expect(swap.causes).toEqual([Cause.IllegalInstruction]);
  });

  it('TVM makes no trap of what never traps', () => {
    const { machine, causes } = userMachine('x86', word('csrrs', { rd: 5, csr: csrNumber('satp'), rs1: 0 }));
    machine.hart.mode = Mode.S;
    machine.hart.csrs.set('mstatus', 1 << 20);
    machine.hart.csrs.set('satp', 0x1234);
    machine.run({ instructions: 1 });
    expect(causes).toEqual([]);
    expect(machine.hart.x[5]).toBe(0x1234);
  });
});

describe('on arm', () => {
  it('sret without privilege jumps, and does nothing else', () => {
    const { machine, causes } = userMachine('arm', word('sret', {}));
    machine.hart.csrs.set('sepc', 0x8040_0100);
    machine.hart.csrs.set('sstatus', 0x120); // SPP and SPIE
    machine.run({ instructions: 1 });
    expect(causes).toEqual([]);
    expect([machine.hart.pc >>> 0, machine.hart.mode]).toEqual([0x8040_0100, Mode.U]);
    expect(machine.hart.csrs.get('sstatus')).toBe(0x120);
  });

  it('a banked register is left alone, and so is the one that it should have gone to', () => {
    const { machine, causes } = userMachine(
      'arm',
      word('csrrw', { rd: 5, csr: csrNumber('sscratch'), rs1: 6 }),
    );
    machine.hart.csrs.set('sscratch', 1);
    machine.hart.x[5] = 2;
    machine.hart.x[6] = 3;
    machine.run({ instructions: 1 });
    expect(causes).toEqual([]);
    expect([machine.hart.x[5], machine.hart.x[6], machine.hart.csrs.get('sscratch')]).toEqual([2, 3, 1]);
  });
});

describe('on mips', () => {
  it('a trap destroys x26 and x27, whoever takes it', () => {
    const { machine, causes } = userMachine('mips', word('ecall', {}));
    machine.hart.x.set([1, 2, 3, 4], 25);
    machine.run({ instructions: 1 });
    expect(causes).toEqual([Cause.EcallFromU]);
    expect([...machine.hart.x.slice(25, 29)]).toEqual([1, LEFT_BY_TRAP, LEFT_BY_TRAP, 4]);
  });

  it.each([
    [0x7fff_fffc, true],
    [0x8000_0000, false],
    [0x803f_fffc, false],
    [0x8040_0000, true],
  ])('a load of U mode from 0x%x gets through: %s, and of S mode always', (va, isOpen) => {
    const load = word('lw', { rd: 5, rs1: 6, imm: 0 });
    for (const mode of [Mode.U, Mode.S]) {
      const { machine, causes } = userMachine('mips', load);
      machine.hart.mode = mode;
      machine.hart.x[6] = va | 0;
      machine.run({ instructions: 1 });
      const isRam = va >= 0x8000_0000;
      expect(causes).toEqual(isRam && (isOpen || mode === Mode.S) ? [] : [Cause.LoadAccessFault]);
    }
  });
});

describe('a table of one’s own', () => {
  // A defect of an old emulator: the fence that a hypervisor must hear of does nothing.
  const own: Profile = {
    name: 'deaf',
    defects: [
      {
        kind: 'instruction',
        standsFor: 'sfence.vma',
        instruction: 'sfence.vma',
        instead: 'nothing',
        source: 'RVirt',
      },
    ],
  };

  it('is a profile', () => {
    const { machine, causes } = userMachine(own, word('sfence.vma', {}));
    machine.run({ instructions: 1 });
    expect([causes, machine.hart.pc >>> 0]).toEqual([[], 0x8040_0004]);
    expect(profileOf(own)).toBe(own);
  });

  it('a name that is none is a mistake that says which there are', () => {
    expect(() => createMachine({ profile: 'vax' as ProfileName })).toThrow(
      /no profile "vax".*riscv, x86, itanium, mips, arm/s,
    );
  });
});

describe('the defects that an instruction meets', () => {
  const met = (profile: ProfileName, source: string) => {
    const { bytes } = assemble(`_start: ${source}`).segments[0];
    const instruction = decode(new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true))!;
    return defectsMet(PROFILES[profile], instruction).map(({ standsFor }) => standsFor);
  };

  it.each<[ProfileName, string, string[]]>([
    ['x86', 'csrci sstatus, 2', ['popf']],
    ['x86', 'csrr t0, sstatus', ['pushf', 'push %cs']],
    ['x86', 'csrrci t0, sstatus, 2', ['popf', 'pushf', 'push %cs']],
    ['x86', 'csrw stvec, t0', []],
    ['x86', 'addi t0, t0, 1', []],
    ['riscv', 'csrr t0, sstatus', []],
    ['itanium', 'csrr t0, satp', ['thash']],
    ['arm', 'sret', ['movs pc, lr']],
    ['mips', 'add s10, t0, t1', ['k0, k1']],
    ['mips', 'lw t0, 0(s11)', ['k0, k1']],
    ['mips', 'add s9, t0, t1', []],
  ])('%s: %s: %j', (profile, source, names) => {
    expect(met(profile, source)).toEqual(names);
  });
});
