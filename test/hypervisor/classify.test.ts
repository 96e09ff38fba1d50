// classify(): the verdicts on RISC-V are those of the literature, each profile's critical set is
// exactly its table of defects, and every verdict has a witness that can be run again.
import {
  ABI_NAMES,
  type Classification,
  CSRS,
  classify,
  type Defect,
  type Finding,
  type InstructionClass,
  ISA,
  PROFILES,
  type Profile,
  type ProfileName,
  replay,
  witnessRows,
} from 'kernel-lib';
import { describe, expect, it, vi } from 'vitest';
import { type Showable, show } from '../../kernel-lib/lab/show/show';

const NAMES = Object.keys(PROFILES) as ProfileName[];
const classified = new Map<ProfileName, Classification>(NAMES.map((name) => [name, classify(name)]));

function finding(profile: ProfileName | Classification, name: string): Finding {
  const { findings } = typeof profile === 'string' ? classified.get(profile)! : profile;
  const found = findings.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`There is no finding called "${name}".`);
  return found;
}

/** What was proved of a finding: `control configuration`. */
const proved = ({ witnesses }: Finding) => Object.keys(witnesses).sort().join(' ');
const exempt = (found: Finding) => Object.keys(found.exempt).sort().join(' ');

describe('RISC-V', () => {
  it('has a finding for every instruction, every access to every CSR, and every register', () => {
    const names = classified.get('riscv')!.findings.map((found) => found.name);
    expect(new Set(names).size).toBe(names.length);
    for (const row of ISA) if (row.meaning.kind !== 'csr') expect(names).toContain(row.name);
    for (const csr of CSRS)
      if (csr.feature !== 'H')
        for (const access of ['read', 'write', 'set', 'clear'])
          expect(names).toContain(`${access} ${csr.name}`);
    expect(names.filter((name) => name.endsWith('across a trap'))).toHaveLength(31);
  });

  it.each<[string, InstructionClass, string]>([
    // Registers of S mode: illegal from U mode by their number.
    ['read sstatus', 'privileged', 'configuration'],
    ['write sstatus', 'privileged', 'control'],
    ['set sie', 'privileged', 'configuration control'],
    ['clear sie', 'privileged', 'configuration control'],
    ['read stvec', 'privileged', 'configuration'],
    ['write stvec', 'privileged', 'control'],
    ['write sepc', 'privileged', 'control'],
    ['read sscratch', 'privileged', 'configuration'],
    ['read satp', 'privileged', 'configuration location'], // TVM; and it tells where the table is
    ['write satp', 'privileged', 'configuration control'],
    // Returning, translating, waiting.
    ['sret', 'privileged', 'configuration control'],
    ['sfence.vma', 'privileged', 'configuration control'],
    ['wfi', 'privileged', 'configuration control'],
    // Traps in both modes: not privileged to the letter, still safe.
    ['ecall', 'traps in both', 'mode'],
    ['ebreak', 'traps in both', ''],
    ['c.ebreak', 'traps in both', ''],
    ['mret', 'traps in both', ''],
    ['hfence.gvma', 'traps in both', ''],
    ['read misa', 'traps in both', ''],
    ['write mstatus', 'traps in both', ''],
    ['write cycle', 'traps in both', ''],
    ['CSR numbers without a register', 'traps in both', ''],
    // Counters: trap if scounteren says so.
    ['read cycle', 'configurable', 'configuration'],
    ['read time', 'configurable', 'configuration'],
    ['read instreth', 'configurable', 'configuration'],
    // The rest runs directly.
    ['fence.i', 'innocuous', ''],
    ['add', 'innocuous', ''],
    ['jalr', 'innocuous', ''],
    ['c.jr', 'innocuous', ''],
    ['lw', 'innocuous', ''],
    ['sc.w', 'innocuous', ''],
    ['fetch', 'innocuous', ''],
    ['s10 across a trap', 'innocuous', ''],
  ])('%s: %s (%s)', (name, kind, kinds) => {
    const found = finding('riscv', name);
    expect([found.class, proved(found)]).toEqual([kind, kinds]);
  });

  it('finds every instruction that only computes, jumps or accesses memory innocuous', () => {
    const guilty = classified
      .get('riscv')!
      .findings.filter(({ subject, class: kind }) => subject.kind === 'instruction' && kind !== 'innocuous')
      .map(({ name }) => name)
      .filter((name) => !/^(hlv|hsv|hfence)/.test(name));
    expect(guilty).toEqual(['ecall', 'ebreak', 'c.ebreak', 'mret', 'sret', 'wfi', 'sfence.vma']);
  });

  it('finds privileged exactly what needs S mode and is there in it', () => {
    const { findings } = classified.get('riscv')!;
    const wanted = CSRS.filter(({ number, feature }) => number >> 8 === 1 && feature === undefined).flatMap(
      ({ name }) => ['read', 'write', 'set', 'clear'].map((access) => `${access} ${name}`),
    );
    const found = findings.filter((one) => one.class === 'privileged').map(({ name }) => name);
    expect(found.sort()).toEqual([...wanted, 'sret', 'wfi', 'sfence.vma'].sort());
    for (const name of found) expect(finding('riscv', name).isSensitive, name).toBe(true);
  });

  it('knows what makes the counters trap', () => {
    const { trapsWith } = finding('riscv', 'read time');
    expect(trapsWith.map(({ csr }) => csr)).toEqual(['scounteren', 'mcounteren']);
    expect(finding('riscv', 'add').trapsWith).toEqual([]);
  });

  it('exempts loads, stores and fetches: they differ by memory traps and A and D bits only', () => {
    for (const name of ['lw', 'sb', 'lr.w', 'amoadd.w', 'c.lwsp'])
      expect(exempt(finding('riscv', name)), name).toBe('configuration dirty mode');
    expect(exempt(finding('riscv', 'fetch'))).toBe('mode');
    const { sides } = finding('riscv', 'sw').exempt.dirty!;
    const [entry] = Object.keys(sides[0].before).filter((place) => place.startsWith('page-table entry'));
    expect(sides[0].after[entry] & ~sides[0].before[entry]).toBe(0xc0); // A and D
  });

  it('is virtualizable, recursively and hybridly too', () => {
    const { virtualizable, recursivelyVirtualizable, hybridVirtualizable, critical, barred } =
      classified.get('riscv')!;
    for (const verdict of [virtualizable, recursivelyVirtualizable, hybridVirtualizable])
      expect(verdict).toEqual({ holds: true, because: [] });
    expect([critical, barred]).toEqual([[], []]);
  });
});

/** What a table of defects says must be critical: the accesses and instructions without a trap. */
function criticalBy(defects: readonly Defect[]): string[] {
  return [...new Set(defects.flatMap(criticalByOne))].sort();
}

function criticalByOne(defect: Defect): string[] {
  switch (defect.kind) {
    case 'csr': {
      const accesses = defect.access === 'read' ? ['read'] : ['write', 'set', 'clear'];
      return accesses.map((access) => `${access} ${defect.csr}`);
    }
    case 'instruction':
      return [defect.instruction];
    case 'registers':
      return defect.registers.map((n) => `${ABI_NAMES[n]} across a trap`);
    case 'window':
      return []; // traps
  }
}

describe.each(NAMES)('%s', (name) => {
  const { critical, barred, findings } = classified.get(name)!;
  const { defects } = PROFILES[name];

  it('its critical set is exactly its table of defects', () => {
    expect(critical.map((found) => found.name).sort()).toEqual(criticalBy(defects));
    for (const found of critical) expect(found.standsFor.length, found.name).toBeGreaterThan(0);
    const named = [...critical.flatMap((f) => f.standsFor), ...barred.flatMap((window) => window.standsFor)];
    expect(new Set(named)).toEqual(new Set(defects.map((defect) => defect.standsFor)));
  });

  it('all else is as on riscv', () => {
    const others = findings.filter((found) => found.class !== 'critical');
    const unlike = others.filter((found) => found.class !== finding('riscv', found.name).class);
    expect(unlike).toEqual([]);
  });

  it('finds its barred addresses', () => {
    const wanted = defects.flatMap((defect) =>
      defect.kind === 'window' ? [[defect.low, defect.bytes]] : [],
    );
    for (const access of ['load', 'store'])
      expect(barred.filter((one) => one.access === access).map(({ low, bytes }) => [low, bytes])).toEqual(
        wanted,
      );
  });

  it('every witness tells the truth: it comes out the same again', () => {
    let replayed = 0;
    for (const found of findings)
      for (const witness of [...Object.values(found.witnesses), ...Object.values(found.exempt)]) {
        if (found.subject.kind === 'csr' && found.subject.access !== 'read' && found.class !== 'critical')
          continue;
        if (replayed++ > 150) return;
        expect(replay(witness)).toEqual(witness);
        expect(witnessRows(witness).length, `${found.name}: ${witness.kind}`).toBeGreaterThan(0);
      }
    expect(replayed).toBeGreaterThan(30);
  });
});

describe('witnesses', () => {
  it('of control: privileged state changes', () => {
    const { kind, sides } = finding('riscv', 'write satp').witnesses.control!;
    expect([kind, sides.length]).toEqual(['control', 1]);
    expect(sides[0].trap).toBeUndefined();
    expect(sides[0].after.satp).not.toBe(sides[0].before.satp);
  });

  it('of mode: only the mode is different before, and more than that afterwards', () => {
    const { sides, text } = finding('x86', 'clear sstatus').witnesses.mode!;
    const before = Object.keys(sides[0].before).filter(
      (place) => sides[0].before[place] !== sides[1].before[place],
    );
    expect(before).toEqual(['mode']);
    expect(sides[0].after.mstatus).not.toBe(sides[1].after.mstatus);
    expect(text).toMatch(/^csrc/);
    expect(sides.map(({ title }) => title)).toEqual(['in U mode', 'in S mode']);
  });

  it('of configuration: one CSR is different before, and a register too afterwards', () => {
    const { sides } = finding('x86', 'read stvec').witnesses.configuration!;
    const before = Object.keys(sides[0].before).filter(
      (place) => sides[0].before[place] !== sides[1].before[place],
    );
    expect(before).toEqual(['stvec']);
    expect(sides[0].after.s1).not.toBe(sides[1].after.s1);
  });

  it('of location: memory has moved, and a register shows it', () => {
    const { sides } = finding('itanium', 'read satp').witnesses.location!;
    expect(sides.map(({ state }) => [state.mode, state.isMoved])).toEqual([
      [0, false],
      [0, true],
    ]);
    expect(sides.every(({ trap }) => trap === undefined)).toBe(true);
    expect(sides[1].after.s1 - sides[0].after.s1).toBe(0x400); // 4 MiB further, in pages
  });

  it('show the places that matter, side by side', () => {
    const rows = witnessRows(finding('mips', 's10 across a trap').witnesses.trap!);
    expect(
      rows.find(({ place }) => place === 's10')?.sides.map(({ before, after }) => before === after),
    ).toEqual([false, true]);
  });

  it('run on another profile show what is different there', () => {
    const witness = finding('x86', 'read stvec').witnesses.configuration!;
    expect(witness.sides.map(({ trap }) => trap)).toEqual([undefined, undefined]);
    expect(replay(witness, 'riscv').sides.every(({ trap }) => trap !== undefined)).toBe(true);
  });
});

describe('the theorems', () => {
  const holds = (profile: ProfileName | Profile) => {
    const result = typeof profile === 'string' ? classified.get(profile)! : classify(profile);
    const { virtualizable, recursivelyVirtualizable, hybridVirtualizable } = result;
    return [virtualizable, recursivelyVirtualizable, hybridVirtualizable].map((verdict) => verdict.holds);
  };

  it.each<[ProfileName, boolean[]]>([
    ['riscv', [true, true, true]],
    ['x86', [false, false, false]],
    ['itanium', [false, false, false]],
    ['mips', [false, false, true]], // interpreting the kernel takes k0 and k1 out of the traps' way
    ['arm', [false, false, false]],
  ])('%s: 1, 2, 3: %j', (name, verdicts) => {
    expect(holds(name)).toEqual(verdicts);
  });

  it('say because of what', () => {
    const { because } = classified.get('itanium')!.virtualizable;
    expect(because.map(({ name, standsFor }) => [name, standsFor])).toEqual([
      ['read stvec', ['mov iva']],
      ['write stvec', ['mov iva']],
      ['set stvec', ['mov iva']],
      ['clear stvec', ['mov iva']],
      ['read satp', ['thash']],
    ]);
  });

  // Popek & Goldberg's own example for theorem 3: the PDP-10's JRST 1 returns to user mode, and is
  // a mere jump there: sensitive in supervisor mode only.
  it('tell the PDP-10 from the x86: hybrid only', () => {
    const popf = PROFILES.x86.defects.filter(({ standsFor }) => standsFor === 'popf');
    const jrst: Defect = {
      kind: 'instruction',
      standsFor: 'JRST 1',
      instruction: 'sret',
      instead: 'nothing',
      source: 'Popek & Goldberg 1974, 8',
    };
    expect(holds({ name: 'pdp-10', defects: [jrst] })).toEqual([false, false, true]);
    expect(holds({ name: 'popf alone', defects: popf })).toEqual([false, false, true]);
  });

  // The manual lets a wfi that ends in bounded time run in U mode: then idling isn't seen.
  it('call a wfi that does nothing in U mode critical', () => {
    const defects: Defect[] = [
      {
        kind: 'instruction',
        standsFor: 'wfi',
        instruction: 'wfi',
        instead: 'nothing',
        source: 'Priv, Wait for Interrupt',
      },
    ];
    const found = finding(classify({ name: 'restless', defects }), 'wfi');
    expect([found.class, proved(found), found.isUserSensitive]).toEqual([
      'critical',
      'configuration control mode',
      false,
    ]);
  });
});

it('the same profile has the same classification', () => {
  expect(classify('arm')).toEqual(classified.get('arm'));
});

describe('shown', () => {
  const text = (thing: Showable) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    show(thing);
    const printed = log.mock.calls.map((call) => call.join(' ')).join('\n');
    log.mockRestore();
    return printed;
  };

  it('a classification says what is critical, and what the theorems make of it', () => {
    const shown = text(classified.get('itanium')!);
    expect(shown).toMatch(/1: virtualizable +no +read stvec, write stvec/);
    expect(shown).toMatch(/read satp +thash +location/);
    expect(text(classified.get('riscv')!)).toMatch(/3: hybrid virtualizable +yes/);
  });

  it('a witness has its states side by side', () => {
    const shown = text(finding('x86', 'clear sstatus').witnesses.mode!);
    expect(shown).toMatch(/^csrc sstatus, a0 on the profile "x86" is mode-sensitive/);
    expect(shown).toMatch(/place +in U mode +in S mode/);
    expect(shown).toMatch(/mode +U \(user\) +● S \(supervisor\)/);
    expect(shown).toMatch(/trap +none +none/);
    expect(shown).toMatch(/mstatus +0x00040022 +● 0x00040022 → 0x00000020/);
  });
});
