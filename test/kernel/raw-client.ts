// A Jupyter client over bare sockets: messages framed and signed here by hand, from the protocol's description alone, and
// connected as VS Code does it (dealers of one identity, a subscriber to everything). No Jupyter, no Python.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Dealer, Request, Subscriber } from 'zeromq';
import { freePort } from '../lab/start';

export interface Received {
  channel: string;
  type: string;
  parent: string;
  content: Record<string, unknown>;
}

type Channel = 'shell' | 'control' | 'stdin';

export interface RawConnection {
  file: string;
  key: string;
  ports: Record<Channel | 'iopub' | 'hb', number>;
}

/** A connection file in `folder`, for free ports. */
export async function writeConnection(folder: string): Promise<RawConnection> {
  const ports = { shell: 0, control: 0, stdin: 0, iopub: 0, hb: 0 };
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  const key = 'a key of no particular form';
  const file = join(folder, `connection-${ports.shell}.json`);
  const named = Object.fromEntries(Object.entries(ports).map(([name, port]) => [`${name}_port`, port]));
  const rest = {
    ip: '127.0.0.1',
    transport: 'tcp',
    key,
    signature_scheme: 'hmac-sha256',
    kernel_name: 'vmlab',
  };
  writeFileSync(file, JSON.stringify({ ...named, ...rest }));
  return { file, key, ports };
}

/** Starts a kernel as its specification says. */
export function startBySpec(
  argv: readonly string[],
  connection: RawConnection,
  folder: string,
): ChildProcess {
  const [program, ...args] = argv.map((word) => word.replace('{connection_file}', connection.file));
  return spawn(program!, args, { cwd: folder, stdio: 'ignore' });
}

export class RawClient {
  readonly received: Received[] = [];
  private readonly sockets: Record<Channel, Dealer>;
  private readonly iopub = new Subscriber({ linger: 0 });
  private sent = 0;

  constructor(
    private readonly connection: RawConnection,
    private readonly session = 'session of a raw client',
  ) {
    const dealer = () => new Dealer({ linger: 0, routingId: session });
    this.sockets = { shell: dealer(), control: dealer(), stdin: dealer() };
    const { ports } = connection;
    for (const [channel, socket] of Object.entries(this.sockets)) {
      socket.connect(`tcp://127.0.0.1:${ports[channel as Channel]}`);
      void this.listen(channel, socket);
    }
    this.iopub.connect(`tcp://127.0.0.1:${ports.iopub}`);
    this.iopub.subscribe('');
    void this.listen('iopub', this.iopub);
  }

  /** Sends a request; returns its id, which is no UUID. */
  async send(channel: Channel, type: string, content: object, header: object = {}): Promise<string> {
    const id = `${this.session}#${++this.sent}`;
    const full = {
      msg_id: id,
      msg_type: type,
      session: this.session,
      username: '',
      version: '5.2',
      ...header,
    };
    const body = [full, {}, {}, content].map((part) => JSON.stringify(part));
    await this.sockets[channel].send(['<IDS|MSG>', sign(this.connection.key, body), ...body]);
    return id;
  }

  /** Waits for a message that answers `parent`. */
  async until(parent: string, type: string, matching: object = {}): Promise<Received> {
    for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((go) => setTimeout(go, 5))) {
      const found = this.received.find(
        (each) =>
          each.parent === parent &&
          each.type === type &&
          Object.entries(matching).every(([name, value]) => each.content[name] === value),
      );
      if (found) return found;
    }
    const seen = this.received.filter((each) => each.parent === parent).map((each) => each.type);
    throw new Error(`no ${type} for ${parent}, only ${seen.join(', ')}`);
  }

  /** Executes a cell; all that it caused, in order. */
  async execute(code: string, content: object = {}): Promise<Received[]> {
    const id = await this.send('shell', 'execute_request', { code, ...content });
    await Promise.all([
      this.until(id, 'execute_reply'),
      this.until(id, 'status', { execution_state: 'idle' }),
    ]);
    return this.received.filter(({ parent }) => parent === id);
  }

  /** Whether the heart answers with what it was sent. */
  async beats(): Promise<boolean> {
    const heart = new Request({ linger: 0, receiveTimeout: 60_000 });
    heart.connect(`tcp://127.0.0.1:${this.connection.ports.hb}`);
    await heart.send('ping');
    const [answer] = await heart.receive();
    heart.close();
    return answer?.toString() === 'ping';
  }

  close(): void {
    for (const socket of [...Object.values(this.sockets), this.iopub]) socket.close();
  }

  private async listen(channel: string, socket: AsyncIterable<Buffer[]>): Promise<void> {
    for await (const frames of socket) {
      const start = frames.findIndex((frame) => frame.toString() === '<IDS|MSG>') + 1;
      const [signature, ...body] = frames.slice(start, start + 5).map(String);
      if (signature !== sign(this.connection.key, body)) throw new Error('a wrongly signed message');
      const [header, parent, , content] = body.map((part) => JSON.parse(part) as Record<string, unknown>);
      this.received.push({
        channel,
        type: String(header!.msg_type),
        parent: String(parent!.msg_id),
        content: content!,
      });
    }
  }
}

function sign(key: string, body: readonly string[]): string {
  const hmac = createHmac('sha256', key);
  for (const part of body) hmac.update(part);
  return hmac.digest('hex');
}
