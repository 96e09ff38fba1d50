/**
 * The five sockets of a kernel. What is to be sent on a socket waits its turn in a queue of ours: ZeroMQ allows one
 * send at a time, and would drop what a slow subscriber hasn't taken.
 */
import { writeSync } from 'node:fs';
import { Reply, Router, XPublisher } from 'zeromq';
import { type Header, type Request, Wire } from './wire';

/** A connection file, as Jupyter writes it. */
export interface Connection {
  transport: string;
  ip: string;
  key: string;
  signature_scheme?: string;
  shell_port: number;
  control_port: number;
  stdin_port: number;
  iopub_port: number;
  hb_port: number;
}

export type Channel = 'shell' | 'control' | 'stdin';

/** Sends on one socket in order. */
class Sender {
  private tail: Promise<void> = Promise.resolve();

  constructor(private readonly socket: { send(frames: Buffer[]): Promise<void> }) {}

  /** @returns when it is handed to ZeroMQ. A socket that can't send loses the message, no more. */
  send(frames: Buffer[]): Promise<void> {
    this.tail = this.tail.then(() => this.socket.send(frames)).catch(report);
    return this.tail;
  }
}

export class Sockets {
  private readonly wire: Wire;
  private readonly routers: Record<Channel, Router>;
  private readonly senders: Record<Channel, Sender>;
  private readonly iopub = new XPublisher({ sendHighWaterMark: 0, linger: 1000, verbosity: 'allSubs' });
  private readonly iopubSender = new Sender(this.iopub);
  private readonly heartbeat = new Reply({ linger: 0 });

  constructor(private readonly connection: Connection) {
    this.wire = new Wire(connection.key);
    const router = (): Router => new Router({ sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 1000 });
    this.routers = { shell: router(), control: router(), stdin: router() };
    const { shell, control, stdin } = this.routers;
    this.senders = { shell: new Sender(shell), control: new Sender(control), stdin: new Sender(stdin) };
  }

  /** Binds all sockets and hands on what comes. */
  async open(receive: (channel: Channel, request: Request) => void): Promise<void> {
    const { transport, ip, shell_port, control_port, stdin_port, iopub_port, hb_port } = this.connection;
    const address = (port: number): string => `${transport}://${ip}${transport === 'ipc' ? '-' : ':'}${port}`;
    const { shell, control, stdin } = this.routers;
    await Promise.all([
      shell.bind(address(shell_port)),
      control.bind(address(control_port)),
      stdin.bind(address(stdin_port)),
      this.iopub.bind(address(iopub_port)),
      this.heartbeat.bind(address(hb_port)),
    ]);
    for (const channel of ['shell', 'control', 'stdin'] as const) void this.listen(channel, receive);
    void this.welcome();
    void this.beat();
  }

  /** Answers a request on the channel that it came on. */
  reply(channel: Channel, request: Request, type: string, content: unknown, metadata = {}): Promise<void> {
    const { identities, header } = request;
    return this.senders[channel].send(this.wire.frames(type, header, content, { identities, metadata }));
  }

  /** Tells all clients. `topic` is what they may subscribe to. */
  publish(
    type: string,
    parent: Header | undefined,
    content: unknown,
    options: Published = {},
  ): Promise<void> {
    const identities = [Buffer.from(options.topic ?? `kernel.${type}`)];
    return this.iopubSender.send(this.wire.frames(type, parent, content, { identities, ...options }));
  }

  private async listen(
    channel: Channel,
    receive: (channel: Channel, request: Request) => void,
  ): Promise<void> {
    const socket = this.routers[channel];
    while (!socket.closed) {
      try {
        const request = this.wire.parse(await socket.receive());
        if (typeof request === 'string') report(`A message on ${channel} was ignored: ${request}.`);
        else receive(channel, request);
      } catch (error) {
        report(error);
      }
    }
  }

  /** Greets each new subscriber. JEP 65, XPUB and iopub_welcome. */
  private async welcome(): Promise<void> {
    while (!this.iopub.closed) {
      try {
        const [frame] = await this.iopub.receive();
        if (frame?.[0] !== 1) continue;
        const subscription = frame.subarray(1).toString('utf8');
        await this.publish('iopub_welcome', undefined, { subscription }, { topic: subscription });
      } catch (error) {
        report(error);
      }
    }
  }

  private async beat(): Promise<void> {
    while (!this.heartbeat.closed) {
      try {
        await this.heartbeat.send(await this.heartbeat.receive());
      } catch (error) {
        report(error);
      }
    }
  }
}

interface Published {
  topic?: string;
  metadata?: Record<string, unknown>;
  buffers?: Uint8Array[];
}

/** Into the server's log; never to the learner, and never an end to the kernel. */
export function report(problem: unknown): void {
  const text = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
  writeSync(2, `vmlab kernel: ${text}\n`);
}
