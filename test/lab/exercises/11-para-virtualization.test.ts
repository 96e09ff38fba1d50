// The exercises of lesson 11: other right solutions than the notebook's pass, plausible wrong ones are told
// what the guest or the hypervisor does wrong, and where.
import {
  abiSource,
  type CriticalSection,
  guestSource,
  MOST_CONSOLE_BYTES,
  Mode,
  type PageChange,
  type PageEvent,
  Shared,
  type Vm,
} from 'kernel-lib';
import { describe, expect, it } from 'vitest';
import { verdict } from './verdict';

const DONE = 0;
const REFUSED = -1;

describe('11-console', () => {
  const answer = (wrong?: string) => (vm: Vm, args: readonly number[]) => {
    const address = wrong === 'signed' ? args[0] : args[0] >>> 0;
    const count = args[1];
    if (count < 0 && wrong !== 'negative') return REFUSED;
    if (count > MOST_CONSOLE_BYTES && wrong !== 'most') return REFUSED;
    let text = '';
    for (let n = 0; n < count; n++) {
      const byte = vm.readGuest(1, address + n);
      if (byte === undefined) return wrong === 'done' ? DONE : REFUSED;
      if (wrong === 'early') vm.guest.uart.send(byte);
      text += String.fromCharCode(byte);
    }
    if (wrong !== 'early') for (const letter of text) vm.guest.uart.send(letter.charCodeAt(0));
    return wrong === 'count' ? count : DONE;
  };

  it('passes', () => {
    expect(verdict('11-console', answer())).toMatch(/^✓ Right/);
  });

  it.each([
    ['signed', /print "Hello" and answer 0; you print nothing and answer -1/],
    [
      'negative',
      /, -1\): less than nothing\. You should print nothing and answer -1; you print nothing and answer 0/,
    ],
    ['most', /4097\): more than may be asked for/],
    ['early', /begins in the guest’s RAM and ends beyond it\. You should print nothing/],
    ['done', /0x00001000, 4\): the guest has no RAM there\. You should print nothing and answer -1/],
    ['count', /is refused; your answer is 5/],
  ])('%s wrong is named', (wrong, message) => {
    const text = verdict('11-console', answer(wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it.each([
    ['a Promise', async () => DONE, /your answer is a Promise/],
    ['NaN', () => Number.NaN, /your answer is NaN/],
    [
      'a change of its arguments',
      (_: Vm, args: number[]) => args.pop(),
      /The guest calls CONSOLE\(0x80401000, 5\)[\s\S]*TypeError/,
    ],
  ])('%s gets a verdict', (_, solution, message) => {
    expect(verdict('11-console', solution)).toMatch(message);
  });
});

describe('11-switch', () => {
  const NAMES = ['satp', 'sscratch', 'sepc', 'stvec', 'sie'];
  const switchAll = (wrong?: string) => (vm: Vm, args: readonly number[]) => {
    const list = args[0] >>> 0;
    if (list % 4 !== 0 && wrong !== 'aligned') return REFUSED;
    const read = NAMES.map((_, n) => vm.readGuest(4, list + (wrong === 'bytes' ? n : 4 * n)));
    if (wrong === 'early')
      for (const [n, name] of NAMES.entries()) {
        const word = vm.readGuest(4, list + 4 * n);
        if (word === undefined) return REFUSED;
        vm.setCsr(name, word);
      }
    if (read.some((word) => word === undefined)) return REFUSED;
    NAMES.forEach((name, n) => {
      if (name !== wrong) vm.setCsr(name, read[n] as number);
    });
    return DONE;
  };

  it('passes', () => {
    expect(verdict('11-switch', switchAll())).toMatch(/^✓ Right/);
  });

  it.each([
    ['sepc', /five words[\s\S]*sepc +0x80400200 +0x00000000/],
    ['satp', /another address space[\s\S]*satp/],
    ['early', /begins in the guest’s RAM and ends beyond it[\s\S]*sscratch/],
    ['aligned', /a multiple of 4[\s\S]*sscratch/],
    ['bytes', /five words in the guest’s RAM/],
  ])('%s wrong is named', (wrong, message) => {
    const text = verdict('11-switch', switchAll(wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });
});

describe('11-synchronise', () => {
  const SIE = 1 << 1;
  const SPP_SPIE = (1 << 8) | (1 << 5);
  const synchronise = (wrong?: string) => (vm: Vm, word: (which: Shared) => number) => {
    vm.setCsr('sepc', word(Shared.Epc));
    vm.setCsr('scause', word(Shared.Cause));
    if (wrong !== 'stval') vm.setCsr('stval', word(Shared.Tval));
    vm.setCsr('stvec', word(Shared.Tvec));
    vm.setCsr('sscratch', word(Shared.Scratch));
    const mask = wrong === 'mask' ? -1 : SPP_SPIE;
    let status = (vm.csr('sstatus') & ~(wrong === 'keep' ? 0 : mask)) | (word(Shared.Status) & mask);
    const isKernel = vm.hart.mode === Mode.S || wrong === 'user';
    const isOn = wrong === 'one' ? word(Shared.Enabled) === 1 : word(Shared.Enabled) !== 0;
    if (isKernel) status = isOn ? status | SIE : status & ~SIE;
    vm.setCsr('sstatus', status);
  };

  it('passes', () => {
    expect(verdict('11-synchronise', synchronise())).toMatch(/^✓ Right/);
  });

  it.each([
    ['stval', /Tval = 0x40000010[\s\S]*stval +0x40000010 +0x00000000/],
    ['mask', /Status = 0xffffffff[\s\S]*sstatus/],
    ['keep', /sstatus was 0x00000120[\s\S]*sstatus/],
    ['user', /virtual U, has an exit[\s\S]*sstatus/],
    ['one', /Enabled = 0x80410000[\s\S]*sstatus/],
  ])('%s wrong is named', (wrong, message) => {
    const text = verdict('11-synchronise', synchronise(wrong));
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });
});

describe('11-status-word', () => {
  const off = 'sw zero, V_ENABLED(zero)';
  const on = `li t6, 1
    sw t6, V_ENABLED(zero)
    lw t6, V_PENDING(zero)
    beqz t6, 77f
    hypercall CALL_DELIVER
77:`;

  it('passes', () => {
    expect(verdict('11-status-word', () => ({ off, on }))).toMatch(/^✓ Right/);
  });

  it.each<[string, CriticalSection, RegExp]>([
    [
      'CSR instructions',
      { off: 'csrci sstatus, 2', on: 'csrsi sstatus, 2' },
      /privileged: \d+ exits[\s\S]*csrci sstatus, 2/,
    ],
    ['nothing turned off', { off: '', on }, /ticks came within a section/],
    [
      'no look at what waits',
      { off, on: 'sw sp, V_ENABLED(zero)' },
      /a tick was still waiting, with interrupts on/,
    ],
    [
      'a call each time',
      { off, on: 'li t6, 1\nsw t6, V_ENABLED(zero)\nhypercall CALL_DELIVER' },
      /had nothing to deliver/,
    ],
    ['never on again', { off, on: 'nop' }, /After 40 of 40 sections interrupts stay off/],
    ['a register used', { off, on: on.replaceAll('t6', 't0') }, /change t0[\s\S]*Use t6/],
    [
      'the look before the store',
      {
        off,
        on: `lw t6, V_PENDING(zero)\nbeqz t6, 77f\nhypercall CALL_DELIVER\n77: li t6, 1\nsw t6, V_ENABLED(zero)`,
      },
      /still waiting/,
    ],
    ['a typing mistake', { off: 'sww zero, V_ENABLED(zero)', on }, /does not assemble[\s\S]*sww/],
    ['a loop', { off, on: '1: j 1b' }, /come to their end/],
  ])('%s is named', (_, macros, message) => {
    const text = verdict('11-status-word', () => macros);
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it('wants two texts', () => {
    expect(verdict('11-status-word', () => 'sw')).toMatch(/you gave the text "sw"/);
    expect(verdict('11-status-word', () => ({ off: '', on: '' }))).toMatch(/^○/);
  });
});

describe('11-batch', () => {
  type Solution = (queue: PageChange[], event: PageEvent, most: number) => PageChange[];
  const right: Solution = (queue, event, most) => {
    if (event !== 'fence') queue.push(event);
    if (event !== 'fence' && queue.length < most) return [];
    const all = [...queue];
    queue.length = 0;
    return all;
  };

  it('passes', () => {
    expect(verdict('11-batch', right)).toMatch(/^✓ Right/);
  });

  it.each<[string, Solution, RegExp]>([
    ['one by one', (_, event) => (event === 'fence' ? [] : [event]), /with 2 calls, and 1 would do/],
    [
      'without a limit',
      (queue, event) => (event === 'fence' ? queue.splice(0) : queue.splice(queue.push(event))),
      /At event 7 you make a call with 6 changes/,
    ],
    [
      'not emptied',
      (queue, event, most) => (event !== 'fence' && queue.push(event) < most ? [] : [...queue].slice(-most)),
      /At event 4 you send a change that you have sent before/,
    ],
    [
      'newest first',
      (queue, event, most) => right(queue, event, most).reverse(),
      /finds frame 4; on the bare machine it finds frame 5/,
    ],
    [
      'at the limit only',
      (queue, event, most) => (event !== 'fence' && queue.push(event) === most ? queue.splice(0) : []),
      /After the fence at event 2 the guest reads page 0x40000000 and finds frame 0; on the bare machine it finds frame 1/,
    ],
    ['the first is forgotten', (queue, event, most) => right(queue, event, most).slice(1), /finds frame 0/],
  ])('%s is named', (_, solution, message) => {
    const text = verdict('11-batch', solution);
    expect(text).toMatch(/^✗ Not yet/);
    expect(text).toMatch(message);
  });

  it('wants a list of changes', () => {
    expect(verdict('11-batch', () => 7)).toMatch(/you gave 7/);
    expect(verdict('11-batch', () => [1])).toMatch(/you gave an array of 1/);
    expect(verdict('11-batch', () => [])).toMatch(/^○/);
  });
});

describe('11-port', () => {
  const begin = 'li a7, EXTENSION\n        ecall';
  const say = 'la a0, message\n        li a1, message_end - message\n        hypercall CALL_CONSOLE';
  const stop = 'li a0, 0\n        hypercall CALL_STOP';
  const ported = (parts: { begin?: string; say?: string; stop?: string } = {}) =>
    (abiSource() + guestSource('hello'))
      .replace(/csrw +stvec, t0.*\n/, 'sw t0, V_TVEC(zero)\n')
      .replace(/csrwi +sie, 0.*\n/, '\n')
      .replace(/la +sp, stack_top/, `${parts.begin ?? begin}\n        la sp, stack_top`)
      .replace(/la +a0, message\n +call +print/, parts.say ?? say)
      .replace(/li +t0, FINISHER .*\n.*\n.*\n/, `${parts.stop ?? stop}\n`)
      .replace(/(\.asciz .*)/, '$1\nmessage_end:');

  it('passes', () => {
    expect(
      verdict('11-port', () => ported().replace('message_end - message', 'message_end - message - 1')),
    ).toMatch(/^✓ Right/);
  });

  it.each([
    ['the original', guestSource('hello'), /^○/],
    ['the original with the names', abiSource() + guestSource('hello'), /^○/],
    [
      'a CSR forgotten',
      ported().replace('sw t0, V_TVEC(zero)', 'csrw stvec, t0'),
      /csrw stvec, t0` at 0x8040\w+, line \d+ of your text, still traps: illegal instruction/,
    ],
    ['the terminating zero', ported(), /prints "Hello from supervisor mode\.\\n\\u0000"/],
    [
      'the loop kept',
      ported({ say: 'la a0, message\n        call print' }),
      /lbu t2, 5\(t0\)[\s\S]*still traps: load access fault/,
    ],
    [
      'a wrong code',
      ported({ stop: 'li a0, 3\n        hypercall CALL_STOP' }).replace('message - 1', 'message'),
      /prints/,
    ],
    ['no beginning', ported({ begin: '' }), /still traps|print/],
    ['nonsense', 'what is this', /does not assemble/],
    ['nothing', '', /^○/],
  ])('%s is named', (_, source, message) => {
    const text = verdict('11-port', () => source);
    expect(text).not.toMatch(/^✓/);
    expect(text).toMatch(message);
  });

  it('a call for each byte is too many', () => {
    const bytewise = `li s0, 0
1:      la a0, message
        add a0, a0, s0
        li a1, 1
        hypercall CALL_CONSOLE
        addi s0, s0, 1
        li t0, message_end - message - 1
        bne s0, t0, 1b`;
    expect(verdict('11-port', () => ported({ say: bytewise }))).toMatch(
      /but by \d+ of them\. How many can be one/,
    );
  });
});

it.each(['11-console', '11-switch', '11-synchronise', '11-status-word', '11-batch', '11-port'])(
  '%s, not begun, is open',
  (id) => {
    expect(verdict(id, () => undefined)).toMatch(/^○ To be solved/);
  },
);
