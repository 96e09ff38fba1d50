// How long each cell keeps the kernel busy: read from the messages between JupyterLab and the kernel
// (Jupyter's WebSocket protocol v1), which carry the kernel's own clock.
import type { Page } from 'playwright-core';

/** The parts of a message that matter here. */
interface Message {
  header: { msg_id?: string; msg_type?: string; date?: string };
  parent: { msg_id?: string };
  metadata: { cellId?: string };
  content: { execution_state?: string };
}

/**
 * A message as Jupyter sends it in binary (protocol v1): how many offsets there are, the offsets (64 bits each,
 * little-endian), then channel, header, parent header, metadata, content. Undefined for anything else.
 */
export function readMessage(payload: string | Buffer): Message | undefined {
  if (typeof payload === 'string' || payload.length < 8) return undefined;
  const count = Number(payload.readBigUInt64LE(0));
  if (count < 6 || payload.length < 8 * (count + 1)) return undefined;
  const offset = (index: number) => Number(payload.readBigUInt64LE(8 * (index + 1)));
  const part = (index: number) => payload.subarray(offset(index), offset(index + 1)).toString();
  try {
    const [header, parent, metadata, content] = [1, 2, 3, 4].map((index) => JSON.parse(part(index)));
    return { header, parent, metadata, content };
  } catch {
    return undefined;
  }
}

/**
 * Listens from now on.
 * @returns by cell id, the longest time from the kernel's "busy" to its "idle", in seconds; it fills as cells run
 */
export function cellSeconds(page: Page): Map<string, number> {
  const longest = new Map<string, number>();
  const cells = new Map<string, string>();
  const begun = new Map<string, number>();
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      const message = readMessage(payload);
      if (message?.header.msg_type === 'execute_request' && message.metadata.cellId !== undefined)
        cells.set(message.header.msg_id ?? '', message.metadata.cellId);
    });
    socket.on('framereceived', ({ payload }) => {
      const message = readMessage(payload);
      const request = message?.parent.msg_id ?? '';
      const cell = cells.get(request);
      if (message?.header.msg_type !== 'status' || cell === undefined) return;
      const time = Date.parse(message.header.date ?? '');
      if (message.content.execution_state === 'busy') begun.set(request, time);
      else if (message.content.execution_state === 'idle')
        longest.set(cell, Math.max(longest.get(cell) ?? 0, (time - (begun.get(request) ?? time)) / 1000));
    });
  });
  return longest;
}
