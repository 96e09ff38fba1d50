/**
 * What cells and libraries can ask of the kernel: `display`, `clearOutput` and `input` as global functions, and the
 * same with comms under `globalThis[Symbol.for('vmlab.kernel')]`, where a library finds it without an import.
 * kernel/README.md documents it.
 */
import type { CommMessage, MimeBundle, ToMain } from '../messages';
import { currentCell } from './attribution';
import type { Post } from './output';
import { bundleNow } from './show';
import { sink } from './tslab';

/** Where libraries find the kernel. */
export const KERNEL = Symbol.for('vmlab.kernel');

export interface DisplayOptions {
  metadata?: MimeBundle;
  /** A name by which the output can be updated. */
  displayId?: string;
  /** Replace the outputs of that name instead of adding one. */
  update?: boolean;
}

/** A comm: a named wire to the other side's widget. */
export interface Comm {
  id: string;
  target: string;
  send(data: unknown, buffers?: Uint8Array[]): void;
  close(data?: unknown): void;
  /** Called for each message from the other side. */
  onMessage?: (data: unknown, buffers: Uint8Array[]) => void;
  onClose?: (data: unknown) => void;
}

/** What `globalThis[Symbol.for('vmlab.kernel')]` holds. */
export interface KernelFace {
  version: 1;
  /** Shows a MIME bundle below the current cell. */
  display(data: MimeBundle, options?: DisplayOptions): void;
  clearOutput(wait?: boolean): void;
  input(prompt?: string, options?: { password?: boolean }): Promise<string>;
  comms: {
    /** Calls `onOpen` when the other side opens a comm of this target. */
    register(target: string, onOpen: (comm: Comm, data: unknown) => void): void;
    open(target: string, data?: unknown): Comm;
  };
}

export class Face implements KernelFace {
  readonly version = 1;
  private readonly targets = new Map<string, (comm: Comm, data: unknown) => void>();
  private readonly open = new Map<string, Comm>();
  private readonly asked = new Map<
    number,
    { resolve: (value: string) => void; reject: (error: Error) => void }
  >();
  private last = 0;

  constructor(private readonly post: Post) {
    sink.show = (data) => this.display(data);
  }

  display(data: MimeBundle, { metadata = {}, displayId, update = false }: DisplayOptions = {}): void {
    const id = displayId === undefined ? {} : { displayId };
    this.post({ kind: 'display', cell: currentCell(), data, metadata, update, ...id });
  }

  clearOutput(wait = false): void {
    this.post({ kind: 'clear', cell: currentCell(), wait });
  }

  input(prompt = '', { password = false }: { password?: boolean } = {}): Promise<string> {
    const request = ++this.last;
    return new Promise((resolve, reject) => {
      this.asked.set(request, { resolve, reject });
      this.post({ kind: 'input', cell: currentCell(), request, prompt, password });
    });
  }

  readonly comms: KernelFace['comms'] = {
    register: (target, onOpen) => {
      this.targets.set(target, onOpen);
    },
    open: (target, data = {}) => {
      const comm = this.comm(`vmlab-${process.pid}-${++this.last}`, target);
      this.send('comm_open', comm, data);
      return comm;
    },
  };

  /** An answer to `input`, or a comm message, from the other side. */
  receive(message: Extract<ToMain, { kind: 'input' | 'input-refused' | 'comm' }>): void {
    if (message.kind === 'comm') {
      this.receiveComm(message.message);
      return;
    }
    const asked = this.asked.get(message.request);
    this.asked.delete(message.request);
    if (message.kind === 'input') asked?.resolve(message.value);
    else asked?.reject(new Error(message.reason));
  }

  private receiveComm({ type, id, target = '', data, buffers }: CommMessage): void {
    const comm = this.open.get(id);
    if (type === 'comm_open') {
      const onOpen = this.targets.get(target);
      const opened = this.comm(id, target);
      if (onOpen) onOpen(opened, data);
      else opened.close();
    } else if (type === 'comm_msg') {
      comm?.onMessage?.(data, buffers);
    } else if (comm) {
      this.open.delete(id);
      this.tellTargets();
      comm.onClose?.(data);
    }
  }

  private comm(id: string, target: string): Comm {
    const comm: Comm = {
      id,
      target,
      send: (data, buffers = []) => this.send('comm_msg', comm, data, buffers),
      close: (data = {}) => {
        this.open.delete(id);
        this.send('comm_close', comm, data);
        this.tellTargets();
      },
    };
    this.open.set(id, comm);
    this.tellTargets();
    return comm;
  }

  private send(
    type: CommMessage['type'],
    { id, target }: Comm,
    data: unknown,
    buffers: Uint8Array[] = [],
  ): void {
    const message: CommMessage = {
      type,
      id,
      data,
      metadata: {},
      buffers,
      ...(type === 'comm_open' ? { target } : {}),
    };
    this.post({ kind: 'comm', cell: currentCell(), message });
  }

  /** The front answers for the open comms, even while a cell keeps this thread busy. */
  private tellTargets(): void {
    const comms = Object.fromEntries([...this.open.values()].map(({ id, target }) => [id, target]));
    this.post({ kind: 'targets', comms });
  }
}

/** What `display` returns. As the result of a cell it is not shown: the value is. */
export class DisplayHandle {
  readonly #face: Face;
  readonly #displayId = `vmlab-${process.pid}-${Math.random().toString(36).slice(2)}`;

  constructor(face: Face, value: unknown) {
    this.#face = face;
    face.display(bundleNow(value), { displayId: this.#displayId });
  }

  update(other: unknown): void {
    this.#face.display(bundleNow(other), { displayId: this.#displayId, update: true });
  }
}

/** Puts the face where cells and libraries find it. */
export function installFace(face: Face): void {
  const globals = {
    display: (value: unknown) => new DisplayHandle(face, value),
    clearOutput: (wait?: boolean) => face.clearOutput(wait),
    input: (prompt?: string, options?: { password?: boolean }) => face.input(prompt, options),
  };
  for (const [name, value] of Object.entries(globals)) define(name, value);
  define(KERNEL, face);
}

function define(name: string | symbol, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false });
}
