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
};
