/**
 * Jupyter's messages on the wire: frames, signatures, headers. Jupyter, Messaging in Jupyter, The wire protocol.
 *
 * What comes from outside is checked here, once: a message that is malformed or wrongly signed is `undefined`.
 */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

/** The version of the messaging protocol that the kernel speaks. */
export const PROTOCOL = '5.4';

const DELIMITER = Buffer.from('<IDS|MSG>');

export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  date: string;
  version: string;
}

export type Json = Record<string, unknown>;

/** A message from a client. */
export interface Request {
  /** Who sent it: the frames by which a Router answers. */
  identities: Buffer[];
  header: Header;
  metadata: Json;
  content: Json;
  buffers: Buffer[];
  /** When it came, in ms. */
  arrived: number;
}

/** Signs and checks messages with the connection's key, and makes headers. */
export class Wire {
  private readonly session = randomUUID();

  /** @param key the connection file's key; if empty, nothing is signed */
  constructor(private readonly key: string) {}

  /** The frames of a message to a client. */
  frames(type: string, parent: Header | undefined, content: unknown, options: Outgoing = {}): Buffer[] {
    const { identities = [], metadata = {}, buffers = [] } = options;
    const header: Header = {
      msg_id: randomUUID(),
      msg_type: type,
      session: this.session,
      username: 'kernel',
      date: new Date().toISOString(),
      version: PROTOCOL,
    };
    const body = [header, parent ?? {}, metadata, content].map((part) => Buffer.from(JSON.stringify(part)));
    return [
      ...identities,
      DELIMITER,
      this.sign(body),
      ...body,
      ...buffers.map((bytes) => Buffer.from(bytes)),
    ];
  }

  /** The message that came in these frames, or why it is none. */
  parse(frames: Buffer[]): Request | string {
    const delimiter = frames.findIndex((frame) => frame.equals(DELIMITER));
    if (delimiter < 0) return 'no delimiter';
    const [signature, ...rest] = frames.slice(delimiter + 1);
    const body = rest.slice(0, 4);
    if (!signature || body.length < 4) return 'frames are missing';
    const expected = this.sign(body);
    if (
      expected.length > 0 &&
      !(expected.length === signature.length && timingSafeEqual(expected, signature))
    ) {
      return 'the signature is wrong';
    }
    const parsed = body.map(parseObject);
    const [header, , metadata, content] = parsed;
    if (!header || !metadata || !content || !isHeader(header)) return 'not a Jupyter message';
    return {
      identities: frames.slice(0, delimiter),
      header,
      metadata,
      content,
      buffers: rest.slice(4),
      arrived: Date.now(),
    };
  }

  private sign(body: Buffer[]): Buffer {
    if (!this.key) return Buffer.alloc(0);
    const hmac = createHmac('sha256', this.key);
    for (const frame of body) hmac.update(frame);
    return Buffer.from(hmac.digest('hex'));
  }
}

interface Outgoing {
  identities?: Buffer[];
  metadata?: Json;
  buffers?: Uint8Array[];
}

function parseObject(frame: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(frame.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(value: Json): value is Json & Header {
  return typeof value.msg_id === 'string' && typeof value.msg_type === 'string';
}
