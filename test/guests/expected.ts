// What each guest prints and how it ends, wherever it runs.

export interface Expected {
  console: string;
  /** What the guest stops the machine with; 0 if left out. */
  code?: number;
}

export const EXPECTED: Readonly<Record<string, Expected>> = {
  hello: { console: 'Hello from supervisor mode.\n' },
  syscalls: {
    console:
      'kernel: booted\nuser: hello\nkernel: privileged instruction refused\n168 primes below 1000\n' +
      'user: the alarm rang\nuser: the alarm rang\nuser: the alarm rang\nkernel: the process has exited\n',
  },
  'nano-os': {
    console:
      'nano-os: paging is on, no disk\nprocess 1: .... done\nprocess 2: .... done\n' +
      'kernel: results cfc70e0c cc4c12c0\nkernel: self-check passed\n',
  },
  // Causes as in the manual: 1, 5, 7 access faults, 2 illegal instruction, 12, 13, 15 page faults.
  hostile: {
    console: `hostile: causes of traps
load from nowhere: 5
store to nowhere: 7
byte from below RAM: 5
jump to nowhere: 1
jump below RAM: 1
load from a wild frame: 5
store to a wild frame: 7
jump to a wild frame: 1
megapage, not aligned: 13
page for writing only: 13
store to a read-only page: 15
page of users, from S mode: 13
code of users, in S mode: 12
nothing there: 13
table inside itself: 13
table as its own subtable: none
wild frames that answered: 0
read mstatus: 2
read mhartid: 2
read mepc: 2
read pmpaddr0: 2
read 0x8ff: 2
write mtvec: 2
write mideleg: 2
write pmpcfg0: 2
write mip: 2
write cycle: 2
mret: 2
word of ones: 2
word of zeros: 2
user reads sstatus: 2
user reads satp: 2
user reads stvec: 2
user reads mstatus: 2
user writes sscratch: 2
user writes sepc: 2
user writes satp: 2
user writes sie: 2
user sret: 2
user sfence.vma: 2
user reads the kernel: 13
user writes the kernel: 15
user jumps into the kernel: 12
timer's compare register: none
finisher, unknown command: none
words that others left behind: 0
flood of traps: over
flood of firmware calls, not refused: 0
storm of interrupts: over
spinning with interrupts off, interrupted: 0
${'x'.repeat(500)}
hostile: done
`,
  },
  selfmod: {
    console:
      'new code: 00000012\na loop: 000004fb\nacross pages: 00000001\nnext to data: 000004fb\n' +
      'just ahead: 000004fb\nmoved: 00000037\nredirected: 00000096\n',
  },
  selfsum: { console: 'selfsum: my text is OK\nselfsum: return addresses are mine\n' },
  rtos: {
    console: `rtos: periodic task: ${hex(mix(20 * 200))}\nrtos: background task: ${hex(mix(10_000))}\n`,
  },
};

/** What the tasks of `rtos` compute: Marsaglia's xorshift, so many rounds on 1. */
function mix(rounds: number): number {
  let x = 1;
  for (let round = 0; round < rounds; round++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x >>> 0;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
