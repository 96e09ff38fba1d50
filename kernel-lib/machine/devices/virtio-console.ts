/** A console of bytes, without further ports. VIRTIO 1.2, Console Device. */
import type { StateStream } from '../state';
import type { VirtioFunction } from './virtio-mmio';
import type { Chain } from './virtqueue';

const RECEIVE = 0;
const NOTHING = new Uint8Array();

export class VirtioConsole implements VirtioFunction {
  readonly name = 'console';
  readonly deviceId = 3;
  readonly queues = 2;
  readonly features = 0;
  readonly configuration = new Uint8Array(12);
  /** Called when there is something to read: the transport serves its queues. */
  onInput: () => void = () => {};
  private sent: number[] = [];
  private received: Uint8Array = NOTHING;

  /** What the guest has written, as text. */
  get output(): string {
    return Buffer.from(this.sent).toString('utf8');
  }

  /** Types text at the guest. */
  input(text: string): void {
    this.received = Buffer.concat([this.received, Buffer.from(text, 'utf8')]);
    this.onInput();
  }

  isReady(queue: number): boolean {
    return queue !== RECEIVE || this.received.length > 0;
  }

  serve(queue: number, { readable, capacity }: Chain): Uint8Array {
    if (queue === RECEIVE) {
      const answer = this.received.slice(0, capacity);
      this.received = this.received.slice(answer.length);
      return answer;
    }
    for (const byte of readable) this.sent.push(byte);
    return NOTHING;
  }

  exchange(stream: StateStream): void {
    this.sent = [...stream.bytes(Uint8Array.from(this.sent))];
    this.received = stream.bytes(this.received);
  }
}
