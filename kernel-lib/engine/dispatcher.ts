/**
 * The small part of translated code that is always there: it goes from translation to
 * translation, as long as the next one is in the table of the present context.
 *
 * It also has fast paths for what system calls are made of: an environment call that S mode takes,
 * and the return from it. They do what `Hart.enterTrap` and `Hart.returnFromTrap` do, and only
 * where nothing else can come of it: no interrupt is pending that the change of mode would let
 * in, nobody watches, and the context that follows is known. Read `region-code.ts` and
 * `machine/hart.ts` first.
 */
import { Cause } from '../isa/causes';
import { csrByName, csrMask, csrNumber } from '../isa/csrs';
import { Mode } from '../isa/registers';
import {
  AT_ENVIRONMENT_CALL,
  AT_SITE,
  AT_SUPERVISOR_RETURN,
  REGION_PARAMETERS,
  REGION_SIGNATURE,
  REGION_TYPE,
} from './region-code';
import { JUMP_ENTRIES } from './spaces';
import {
  CSRS,
  LAST_TRAP_FUEL,
  LAST_TRAP_PC,
  MAY_TRAP,
  MODE,
  PC,
  RETURN_FUEL,
  RETURNS,
  SITE,
  SLOT_TABLE,
  SPACE,
  SPACES_BY_MODE,
  SPENT,
  TRAP_FUEL,
  TRAPS,
} from './storage';
import { Code, Label, moduleBytes, type Opcode } from './wasm';

/** The entry of the table that leads nowhere. */
export const MISS_SLOT = 0;

/** How deep calls may nest in translated code. */
const DEPTH = 200;

const ENTER_TYPE = 1;

/**
 * A module with two functions: `enter` (slot, fuel, pc) -> fuel that is left, with SITE or (if that is
 * 0) PC set; and `miss`, which stands in the table for translations that are gone.
 */
export function dispatcherBytes(tableEntries: number): Uint8Array {
  return moduleBytes({
    types: [REGION_SIGNATURE, { parameters: 3, results: 1 }],
    tableEntries,
    functions: [
      { name: 'enter', type: ENTER_TYPE, code: new Dispatcher().print() },
      { name: 'miss', type: REGION_TYPE, code: missCode() },
    ],
  });
}

function missCode(): Code {
  const code = new Code(REGION_PARAMETERS);
  code.get(0);
  code.get(2);
  return code;
}

const [SLOT, FUEL, TARGET] = [0, 1, 2];

const MSTATUS = CSRS + 4 * csrNumber('mstatus');
const SEPC = CSRS + 4 * csrNumber('sepc');
const EPC_BITS = csrByName('sepc')!.writable;
const STVEC_BASE = csrMask('stvec', 'BASE');
const SIE = csrMask('mstatus', 'SIE');
const SPIE = csrMask('mstatus', 'SPIE');
const SPP = csrMask('mstatus', 'SPP');
const TSR = csrMask('mstatus', 'TSR');
const MPRV = csrMask('mstatus', 'MPRV');

class Dispatcher {
  private readonly code = new Code(['slot', 'fuel', 'target']);
  private readonly entry = this.code.local('entry');
  private readonly space = this.code.local('space');
  private readonly status = this.code.local('status');
  private readonly cost = this.code.local('cost');
  /** Leaves with what is in SITE; leaves at TARGET; runs SLOT; looks TARGET up. */
  private readonly atSite = new Label('atSite');
  private readonly unknown = new Label('unknown');
  private readonly next = new Label('next');
  private readonly find = new Label('find');

  print(): Code {
    const { code } = this;
    code.block(this.atSite);
    code.block(this.unknown);
    code.loop(this.next);
    code.get(FUEL);
    code.constant(DEPTH);
    code.get(TARGET);
    code.get(SLOT);
    code.callIndirect(REGION_TYPE);
    code.set(TARGET);
    code.set(FUEL);
    code.block(this.find);
    code.get(TARGET);
    code.constant(1);
    code.op('i32.and');
    code.op('i32.eqz');
    code.branchIf(this.find);
    this.leaveIf(() => this.isTarget(AT_SITE));
    this.isTarget(AT_ENVIRONMENT_CALL);
    code.if(new Label('call'));
    this.environmentCall();
    code.branch(this.find);
    code.end();
    this.leaveIf(() => this.isTarget(AT_SUPERVISOR_RETURN), 'i32.eqz');
    this.supervisorReturn();
    code.end();
    this.lookUp();
    code.end();
    code.end();
    this.store(SITE, () => code.constant(0));
    this.store(PC, () => code.get(TARGET));
    code.end();
    code.get(FUEL);
    return code;
  }

  /** Goes on with the translation at TARGET if there is one. */
  private lookUp(): void {
    const { code, entry } = this;
    code.get(TARGET);
    code.constant(2);
    code.op('i32.shl');
    code.constant(8 * (JUMP_ENTRIES - 1));
    code.op('i32.and');
    this.read(SPACE);
    code.op('i32.add');
    code.op('local.tee', entry);
    code.memory('i32.load', SLOT_TABLE);
    code.get(TARGET);
    code.op('i32.ne');
    code.branchIf(this.unknown);
    code.get(entry);
    code.memory('i32.load', SLOT_TABLE + 4);
    code.set(SLOT);
    code.branch(this.next);
  }

  /** Fast path of `ecall` from U or S mode into S mode. */
  private environmentCall(): void {
    const { code } = this;
    this.beginChange(TRAP_FUEL);
    this.leaveIf(() => this.isMode(Mode.M));
    const delegated = () => {
      this.read(CSRS + 4 * csrNumber('medeleg'));
      this.cause();
      code.op('i32.shr_u');
      code.constant(1);
      code.op('i32.and');
    };
    this.leaveIf(delegated, 'i32.eqz');
    this.read(CSRS + 4 * csrNumber('stvec'));
    code.constant(STVEC_BASE);
    code.op('i32.and');
    code.set(TARGET);
    const isLoop = () => {
      code.get(TARGET);
      this.read(PC);
      code.op('i32.eq');
    };
    this.leaveIf(isLoop); // the machine has a word for that
    this.enterSpace(() => code.constant(Mode.S));
    this.store(SEPC, () => {
      this.read(PC);
      code.constant(EPC_BITS);
      code.op('i32.and');
    });
    this.store(CSRS + 4 * csrNumber('scause'), () => this.cause());
    this.store(CSRS + 4 * csrNumber('stval'), () => code.constant(0));
    this.store(MSTATUS, () => {
      this.statusWithout(SIE | SPIE | SPP);
      this.ifSet(SIE, SPIE);
      this.isMode(Mode.S);
      this.timesFlag(SPP);
    });
    this.store(MODE, () => code.constant(Mode.S));
    this.count(TRAPS);
    this.endChange(0);
    this.store(LAST_TRAP_PC, () => code.get(TARGET));
    this.store(LAST_TRAP_FUEL, () => {
      code.get(FUEL);
      this.read(SPENT);
      code.op('i32.add');
    });
  }

  /** Fast path of `sret` in S mode. */
  private supervisorReturn(): void {
    const { code } = this;
    this.beginChange(RETURN_FUEL);
    this.leaveIf(() => this.isMode(Mode.S), 'i32.eqz');
    this.leaveIf(() => {
      code.get(this.status);
      code.constant(TSR | MPRV);
      code.op('i32.and');
    });
    const mode = () => {
      code.get(this.status);
      code.constant(SPP);
      code.op('i32.and');
      code.constant(0);
      code.op('i32.ne'); // 1 is S, 0 is U
    };
    this.enterSpace(mode);
    this.store(MODE, mode);
    this.store(MSTATUS, () => {
      this.statusWithout(SIE | SPP);
      code.constant(SPIE);
      code.op('i32.or');
      this.ifSet(SPIE, SIE);
    });
    this.read(SEPC);
    code.constant(EPC_BITS);
    code.op('i32.and');
    code.set(TARGET);
    this.count(RETURNS);
    this.endChange(1);
  }

  /** Leaves unless a change of mode is a matter of ours, and there is fuel for it. */
  private beginChange(cost: number): void {
    const { code } = this;
    this.leaveIf(() => this.read(MAY_TRAP), 'i32.eqz');
    this.read(MSTATUS);
    code.set(this.status);
    this.read(cost);
    code.set(this.cost);
    this.leaveIf(() => {
      code.get(FUEL);
      code.get(this.cost);
      code.op('i32.lt_s');
    });
  }

  /** Takes the fuel for the change, in which so many instructions retire. */
  private endChange(retired: number): void {
    const { code } = this;
    code.get(FUEL);
    code.get(this.cost);
    code.op('i32.sub');
    code.set(FUEL);
    this.store(SPENT, () => {
      this.read(SPENT);
      code.get(this.cost);
      code.op('i32.add');
      code.constant(retired);
      code.op('i32.sub');
    });
  }

  /** Uses the tables of a mode, or leaves if it has none. */
  private enterSpace(mode: () => void): void {
    const { code } = this;
    mode();
    code.constant(2);
    code.op('i32.shl');
    code.memory('i32.load', SPACES_BY_MODE);
    code.op('local.tee', this.space);
    code.op('i32.eqz');
    code.branchIf(this.atSite);
    this.store(SPACE, () => code.get(this.space));
  }

  private cause(): void {
    this.read(MODE);
    this.code.constant(Cause.EcallFromU);
    this.code.op('i32.add');
  }

  private statusWithout(bits: number): void {
    this.code.get(this.status);
    this.code.constant(~bits);
    this.code.op('i32.and');
  }

  /** Adds a bit to the status on the stack, if another one is set. */
  private ifSet(bit: number, other: number): void {
    const { code } = this;
    code.get(this.status);
    code.constant(bit);
    code.op('i32.and');
    code.constant(0);
    code.op('i32.ne');
    this.timesFlag(other);
  }

  /** Adds a bit to the status on the stack, if the 0 or 1 above it is 1. */
  private timesFlag(bit: number): void {
    this.code.constant(bit);
    this.code.op('i32.mul');
    this.code.op('i32.or');
  }

  private isTarget(value: number): void {
    this.code.get(TARGET);
    this.code.constant(value);
    this.code.op('i32.eq');
  }

  private isMode(mode: Mode): void {
    this.read(MODE);
    this.code.constant(mode);
    this.code.op('i32.eq');
  }

  private count(at: number): void {
    this.store(at, () => {
      this.read(at);
      this.code.constant(1);
      this.code.op('i32.add');
    });
  }

  private leaveIf(condition: () => void, then?: Opcode): void {
    condition();
    if (then !== undefined) this.code.op(then);
    this.code.branchIf(this.atSite);
  }

  private read(at: number): void {
    this.code.constant(0);
    this.code.memory('i32.load', at);
  }

  private store(at: number, value: () => void): void {
    this.code.constant(0);
    value();
    this.code.memory('i32.store', at);
  }
}
