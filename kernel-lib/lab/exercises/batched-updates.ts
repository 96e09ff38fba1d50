/**
 * An exercise of lesson 11 on the guest's side: changes of page tables, collected into few calls.
 *
 * The learner's function says, event by event, what to send. A guest that sends just that is
 * assembled and run under the hypervisor, and what it reads from its pages after each fence is
 * compared with what the bare machine reads there.
 */

import { hex } from '../../bits';
import { assemble } from '../../code/assemble';
import type { Program } from '../../code/program';
import { createMachine } from '../../engine/create';
import { abiSource } from '../../hypervisor/paravirtual/abi';
import { Paravirtual } from '../../hypervisor/paravirtual/paravirtual';
import { csrMask } from '../../isa/csrs';
import { MiB } from '../../machine/machine';
import { Firmware } from '../../machine/sbi';
import { defineExercises, type Exercise, type Failure, inCase } from '../check';
import { randomNumbers } from '../random';
import { told } from './told';

const RAM = 8 * MiB;

/** A page-table entry that a kernel wants changed. */
export interface PageChange {
  /** Where the entry is. */
  where: number;
  pte: number;
  /** The page that it is for. */
  page: number;
}

/** What happens in a kernel: a change, or the point from which on all changes must be in force. */
export type PageEvent = PageChange | 'fence';

type Queue = (queue: PageChange[], event: PageEvent, most: number) => PageChange[];

const PAGES = 6;
const FRAMES = 8;
const VA = 0x4000_0000;
const PAGE = 4096;
const PTE_KERNEL = 0xcf;

/** Where a program's tables come to lie; the code in front of them takes less. */
const CODE = 0x8000;

/** The program's pages: root, table and frames lie one behind the other. */
const TABLES = `
        .data
        .balign ${CODE}
root:   .space 4096
table:  .space 4096
frames:
${Array.from({ length: FRAMES }, (_, n) => `        .word ${0xf0 + n}\n        .space 4092`).join('\n')}
log:    .space 4096
`;

/** An event of a plan: which page shall show which frame from now on, or a fence. */
type PlannedEvent = { page: number; frame: number } | 'fence';

const TEACHING: PlannedEvent[][] = [
  [{ page: 0, frame: 1 }, 'fence'],
  [{ page: 0, frame: 1 }, { page: 1, frame: 2 }, 'fence'],
  [{ page: 0, frame: 1 }, 'fence', { page: 1, frame: 3 }, 'fence'],
  [{ page: 2, frame: 4 }, { page: 2, frame: 5 }, 'fence'],
  ['fence', { page: 3, frame: 6 }, 'fence', 'fence'],
  [...[0, 1, 2, 3, 4, 5].map((page) => ({ page, frame: page + 1 })), 'fence'],
];

function* plans(): Generator<{ events: PlannedEvent[]; most: number }> {
  for (const events of TEACHING) yield { events, most: 4 };
  const random = randomNumbers(19);
  for (let n = 0; n < 12; n++) {
    const events: PlannedEvent[] = Array.from({ length: 3 + random.below(14) }, () =>
      random.below(4) === 0 ? 'fence' : { page: random.below(PAGES), frame: random.below(FRAMES) },
    );
    yield { events: [...events, 'fence'], most: 1 + random.below(5) };
  }
}

const ROOT = 0x8040_0000 + CODE;
const TABLE = ROOT + PAGE;
const FRAME = TABLE + PAGE;

const changeOf = ({ page, frame }: { page: number; frame: number }): PageChange => ({
  where: TABLE + 4 * page,
  pte: ((FRAME + PAGE * frame) >>> 2) | PTE_KERNEL,
  page: VA + PAGE * page,
});

const batch: Exercise<Queue> = {
  id: '11-batch',
  title: 'collect changes of page tables',
  passed: 'After each fence the guest sees all of its changes, and no plan would do with fewer calls.',
  hints: [
    'Nothing has to happen at a change: translations may be out of date until the kernel fences. So keep it, and send at the fence.',
    'A call takes `most` changes at the most. When that many have gathered, don’t wait for the fence. And a fence with nothing in the queue needs no call.',
    'If the event is no fence, push it to the queue. If it is one, or the queue has `most` entries, return them all and leave the queue empty: `queue.splice(0)` does both. Otherwise return `[]`.',
  ],
  test(solution) {
    if (isIdle(solution)) return { message: 'Your function sends nothing yet.', untouched: true };
    for (const { events, most } of plans()) {
      const failure = planFailure(solution, events, most);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
};

/** Whether a solution does nothing at all, whatever happens. */
function isIdle(solution: Queue): boolean {
  return TEACHING.every((events) => {
    const queue: PageChange[] = [];
    const isNothing = (given: unknown) => given === undefined || (Array.isArray(given) && given.length === 0);
    return events.every(
      (event) =>
        isNothing(solution(queue, event === 'fence' ? event : changeOf(event), 4)) && queue.length === 0,
    );
  });
}

function planFailure(solution: Queue, events: readonly PlannedEvent[], most: number): Failure | undefined {
  const queue: PageChange[] = [];
  const calls: PageChange[][] = [];
  const said = planText(events, most);
  for (const [n, event] of events.entries()) {
    const given: unknown = inCase(`${said} At event ${n + 1}.`, () =>
      solution(queue, event === 'fence' ? event : changeOf(event), most),
    );
    if (!Array.isArray(given) || !given.every(isChange))
      return { message: `Give a list of the changes to send now, [] for none; you gave ${told(given)}.` };
    calls.push(given.map((change) => ({ ...change })));
    if (calls.flat().length > events.slice(0, n + 1).filter((one) => one !== 'fence').length)
      return { message: `${said} At event ${n + 1} you send a change that you have sent before.` };
  }
  const tooMany = calls.findIndex((call) => call.length > most);
  if (tooMany >= 0)
    return {
      message: `${said} At event ${tooMany + 1} you make a call with ${calls[tooMany].length} changes: the hypervisor takes ${most} at most, and refuses all of them.`,
    };
  const [native, made] = [seen(events), seen(events, calls)];
  const at = native.findIndex((value, n) => value !== made[n]);
  if (at >= 0) return seenFailure(said, events, native, made, at);
  const count = calls.filter((call) => call.length > 0).length;
  const least = fewest(events, most);
  if (count > least)
    return {
      message: `${said} The guest sees what it should, but with ${count} calls, and ${least} would do. Each is an exit.`,
    };
  return undefined;
}

const isChange = (value: unknown): value is PageChange =>
  typeof value === 'object' &&
  value !== null &&
  ['where', 'pte', 'page'].every((name) => Number.isInteger((value as Record<string, unknown>)[name]));

function planText(events: readonly PlannedEvent[], most: number): string {
  const text = events.map(
    (event, n) =>
      `${n + 1}. ${event === 'fence' ? 'fence' : `page ${hex(VA + PAGE * event.page)} shall show frame ${event.frame}`}`,
  );
  return `At most ${most} changes per call; events: ${text.join('; ')}.`;
}

/** The fewest calls that bring each fence all changes before it. */
function fewest(events: readonly PlannedEvent[], most: number): number {
  let [calls, waiting] = [0, 0];
  for (const event of events) {
    if (event !== 'fence') waiting++;
    else {
      calls += Math.ceil(waiting / most);
      waiting = 0;
    }
  }
  return calls;
}

/**
 * What a kernel reads from all of its pages after each fence: on the bare machine, which stores entries
 * and fences; with `calls`, under the hypervisor, making these calls.
 */
function seen(events: readonly PlannedEvent[], calls?: readonly PageChange[][]): number[] {
  const isPorted = calls !== undefined;
  const lists: string[] = [];
  const body = events.map((event, n) => {
    const parts: string[] = [];
    if (isPorted) {
      if (calls[n].length > 0) {
        lists.push(
          `list${n}: .word ${calls[n].flatMap(({ where, pte, page }) => [where | 0, pte | 0, page | 0]).join(', ')}`,
        );
        parts.push(
          `        la a0, list${n}\n        li a1, ${calls[n].length}\n        hypercall CALL_UPDATE`,
        );
      }
    } else if (event !== 'fence') {
      const { where, pte } = changeOf(event);
      parts.push(`        li t0, ${where | 0}\n        li t1, ${pte | 0}\n        sw t1, 0(t0)`);
    } else parts.push('        sfence.vma');
    if (event === 'fence') parts.push('        call look');
    return parts.join('\n');
  });
  const satp = csrMask('satp', 'MODE') | (ROOT >>> 12) | 0;
  const begin = isPorted
    ? `        li a7, EXTENSION\n        ecall\n        li a0, ${ROOT | 0}\n        hypercall CALL_PIN\n        li a0, ${satp}\n        hypercall CALL_SWITCH_SPACE`
    : `        li a0, ${satp}\n        csrw satp, a0\n        sfence.vma`;
  const program = assemble(`${abiSource()}
_start: la   s0, log
${begin}
        call touch
${body.join('\n')}
end:    j    end
look:   ${touches((page) => `lw t1, ${0}(t0)\n        sw t1, ${4 * page}(s0)`)}
        addi s0, s0, ${4 * PAGES}
        ret
touch:  ${touches(() => 'lw t1, 0(t0)')}
        ret
${lists.join('\n')}
${TABLES}`);
  for (const segment of program.segments) if (segment.address === ROOT) fillTables(segment.bytes);
  const board = isPorted ? runPorted(program) : runNative(program);
  const log = program.symbols.get('log')!;
  const fences = events.filter((event) => event === 'fence').length;
  return Array.from({ length: fences * PAGES }, (_, n) => board.read(4, log + 4 * n));
}

/** Something done with each page: its address is in t0. */
const touches = (act: (page: number) => string) =>
  Array.from({ length: PAGES }, (_, page) => `li t0, ${VA + PAGE * page}\n        ${act(page)}`).join(
    '\n        ',
  );

/** The tables as they are at first: the kernel where it is, each page at frame 0. */
function fillTables(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint32(0x804, (0x8040_0000 >>> 2) | PTE_KERNEL, true);
  view.setUint32(0x400, (TABLE >>> 2) | 1, true);
  for (let page = 0; page < PAGES; page++) view.setUint32(PAGE + 4 * page, (FRAME >>> 2) | PTE_KERNEL, true);
}

const ENOUGH = 20_000;

function runPorted(program: Program) {
  const hypervisor = new Paravirtual(createMachine({ ram: RAM }));
  hypervisor.boot(program);
  hypervisor.run({ instructions: ENOUGH });
  return hypervisor.vm.guest.ram;
}

function runNative(program: Program) {
  const machine = createMachine({ ram: RAM });
  new Firmware(machine).boot(program);
  machine.run({ instructions: ENOUGH });
  return machine.ram;
}

function seenFailure(
  said: string,
  events: readonly PlannedEvent[],
  native: readonly number[],
  made: readonly number[],
  at: number,
): Failure {
  const fences = events.flatMap((event, n) => (event === 'fence' ? [n + 1] : []));
  const fence = fences[Math.floor(at / PAGES)];
  const frame = (value: number) => (value >= 0xf0 ? `frame ${value - 0xf0}` : 'nothing');
  const page = hex(VA + PAGE * (at % PAGES));
  return {
    message: `${said} After the fence at event ${fence} the guest reads page ${page} and finds ${frame(made[at])}; on the bare machine it finds ${frame(native[at])}.`,
  };
}

defineExercises(batch);
