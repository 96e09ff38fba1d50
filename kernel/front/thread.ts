/**
 * The front thread: Jupyter's protocol. It owns the sockets and answers what it can by itself; cells go to the queue
 * (executions.ts), questions about code to the language thread, comms and input to the main thread.
 * Jupyter, Messaging in Jupyter.
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import { version as TYPESCRIPT } from 'typescript/package.json';
import { asker } from '../ask';
import type { CommMessage, ToFront, ToMain } from '../messages';
import { Flow } from '../runtime/output';
import { Executions } from './executions';
import { History } from './history';
import { Interrupter } from './interrupt';
import { Outputs } from './outputs';
import { type Channel, type Connection, report, Sockets } from './sockets';
import { type Header, type Json, PROTOCOL, type Request } from './wire';

interface ThreadData {
  connection: Connection;
  buffer: SharedArrayBuffer;
  main: MessagePort;
  language: MessagePort;
  signals: MessagePort;
}

type Question = Extract<ToFront, { kind: 'input' }>;

const { connection, buffer, main, language, signals } = workerData as ThreadData;
const flow = new Flow(buffer);
const sockets = new Sockets(connection);
const outputs = new Outputs(sockets);
const history = new History();
const ask = asker(language);
const toMain = (message: ToMain): void => main.postMessage(message);
const executions = new Executions({ sockets, outputs, history, ask, toMain });
const interrupter = new Interrupter(toMain);
const lateDone = new Map<number, () => void>();
/** Questions of cells to the reader; the first one is asked. */
const questions: Question[] = [];
let comms: Record<string, string> = {};

main.on('message', (message: ToFront) => {
  flow.took();
  try {
    fromMain(message);
  } catch (error) {
    report(error);
  }
});
signals.on('message', () => void interrupt());

function fromMain(message: ToFront): void {
  switch (message.kind) {
    case 'stream':
    case 'display':
    case 'clear':
      outputs.put(message, executions.count);
      break;
    case 'result':
    case 'done':
      executions.receive(message);
      break;
    case 'input':
      askForInput(message);
      break;
    case 'interrupted':
      interrupter.receive(message);
      break;
    case 'comm':
      publishComm(message.cell, message.message);
      break;
    case 'comm-done':
      lateDone.get(message.cell)?.();
      break;
    case 'targets':
      comms = message.comms;
      break;
  }
}

function publishComm(cell: number, { type, id, target, data, metadata, buffers }: CommMessage): void {
  outputs.flush();
  const content = { comm_id: id, data, ...(type === 'comm_open' ? { target_name: target } : {}) };
  void sockets.publish(type, outputs.parentOf(cell), content, { metadata, buffers });
}

/** Asks the client, one question at a time. */
function askForInput(question: Question): void {
  const { request } = question;
  const asking = executions.current;
  if (asking?.content.allow_stdin === true) {
    if (questions.push(question) === 1) askNext(asking);
  } else {
    const reason = asking ? 'This client cannot answer input().' : 'No cell is running that could ask.';
    toMain({ kind: 'input-refused', request, reason });
  }
}

function askNext(asking: Request): void {
  const question = questions[0];
  if (!question) return;
  outputs.flush();
  const { prompt, password } = question;
  void sockets.reply('stdin', asking, 'input_request', { prompt, password });
}

async function interrupt(): Promise<void> {
  questions.length = 0;
  await executions.interrupt(interrupter);
}

/** Answers one kind of request: the content of the reply. */
type Answerer = (request: Request, channel: Channel) => Json | Promise<Json>;

const KERNEL_INFO: Json = {
  protocol_version: PROTOCOL,
  implementation: 'vmlab',
  implementation_version: '0.1.0',
  banner: `TypeScript ${TYPESCRIPT} (vmlab) on Node ${process.version}`,
  language_info: {
    name: 'typescript',
    version: TYPESCRIPT,
    mimetype: 'text/typescript',
    file_extension: '.ts',
    codemirror_mode: { name: 'javascript', typescript: true },
    pygments_lexer: 'typescript',
    nbconvert_exporter: 'script',
  },
  help_links: [{ text: 'TypeScript', url: 'https://www.typescriptlang.org/docs/' }],
  debugger: false,
  supported_features: [],
};

const ANSWERERS: Record<string, Answerer> = {
  kernel_info: () => KERNEL_INFO,
  complete: async ({ content }) => {
    const code = String(content.code ?? '');
    const position = unitsOf(code, content.cursor_pos);
    const { matches, types, start, end } = await ask('complete', { code, position });
    const [cursor_start, cursor_end] = [start, end].map((offset) => pointsOf(code, offset));
    const kinds = matches.map((text, i) => ({ text, type: types[i], start: cursor_start, end: cursor_end }));
    return { matches, cursor_start, cursor_end, metadata: { _jupyter_types_experimental: kinds } };
  },
  inspect: async ({ content }) => {
    const code = String(content.code ?? '');
    const position = unitsOf(code, content.cursor_pos);
    const { found, data } = await ask('inspect', { code, position, isDetailed: content.detail_level === 1 });
    return { found, data, metadata: {} };
  },
  is_complete: async ({ content }) => ({
    ...(await ask('isComplete', { code: String(content.code ?? '') })),
  }),
  history: ({ content }) => ({ history: history.answer(content) }),
  comm_info: ({ content }) => {
    const wanted = content.target_name;
    const open = Object.entries(comms).filter(([, target]) => wanted === undefined || target === wanted);
    return { comms: Object.fromEntries(open.map(([id, target_name]) => [id, { target_name }])) };
  },
  connect: () => {
    const { shell_port, iopub_port, stdin_port, hb_port, control_port } = connection;
    return { shell_port, iopub_port, stdin_port, hb_port, control_port };
  },
  interrupt: async () => {
    await interrupt();
    return {};
  },
  shutdown: ({ content }) => ({ restart: content.restart === true }),
};

/** Jupyter counts positions in Unicode code points, JavaScript in UTF-16 units. */
function unitsOf(code: string, points: unknown): number {
  if (typeof points !== 'number') return code.length;
  return [...code].slice(0, points).join('').length;
}

function pointsOf(code: string, units: number): number {
  return [...code.slice(0, units)].length;
}

function receive(channel: Channel, request: Request): void {
  const type = request.header.msg_type;
  if (channel === 'stdin') {
    if (type === 'input_reply') receiveInput(request);
  } else if (type === 'execute_request') {
    executions.add(request);
  } else if (type.startsWith('comm_') && type !== 'comm_info_request') {
    void receiveComm(request, type as CommMessage['type']);
  } else {
    void answer(channel, request).catch(report);
  }
}

function receiveInput(reply: Request): void {
  const question = questions.shift();
  if (!question) return;
  toMain({ kind: 'input', request: question.request, value: String(reply.content.value ?? '') });
  if (executions.current) askNext(executions.current);
}

async function answer(channel: Channel, request: Request): Promise<void> {
  const { header } = request;
  const type = header.msg_type.replace(/_request$/, '');
  void sockets.publish('status', header, { execution_state: 'busy' });
  const answerer = Object.hasOwn(ANSWERERS, type) ? ANSWERERS[type] : undefined;
  if (answerer) {
    let content: Json;
    try {
      content = { status: 'ok', ...(await answerer(request, channel)) };
    } catch (error) {
      const evalue = error instanceof Error ? error.message : String(error);
      content = { status: 'error', ename: 'KernelError', evalue, traceback: [evalue] };
    }
    const replied = sockets.reply(channel, request, `${type}_reply`, content);
    if (type === 'shutdown') await Promise.all([replied, sockets.publish('shutdown_reply', header, content)]);
  }
  await idle(header);
  if (type === 'shutdown') end();
}

/** Says that a request is dealt with, and that a cell still runs, if one does. */
function idle(header: Header): Promise<void> {
  const told = sockets.publish('status', header, { execution_state: 'idle' });
  const running = executions.current;
  return running ? sockets.publish('status', running.header, { execution_state: 'busy' }) : told;
}

async function receiveComm(request: Request, type: CommMessage['type']): Promise<void> {
  const { header, content, metadata, buffers } = request;
  void sockets.publish('status', header, { execution_state: 'busy' });
  const target = typeof content.target_name === 'string' ? { target: content.target_name } : {};
  const message: CommMessage = {
    type,
    id: String(content.comm_id),
    data: content.data,
    metadata,
    buffers,
    ...target,
  };
  const cell = executions.lateCell(request);
  const done = new Promise<void>((resolve) => lateDone.set(cell, resolve));
  toMain({ kind: 'comm', cell, message });
  await done;
  lateDone.delete(cell);
  outputs.flush();
  await idle(header);
}

/** Ends the process, whatever the main thread is doing. */
function end(): void {
  setTimeout(() => process.kill(process.pid, 'SIGTERM'), 50);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 500);
}

/** Ends the process when the one that started it is gone. Jupyter sets JPY_PARENT_PID where it wants that. */
function followParent(): void {
  const parent = process.ppid;
  if (process.env.JPY_PARENT_PID !== String(parent)) return;
  setInterval(() => process.ppid === parent || end(), 1000);
}

async function start(): Promise<void> {
  await sockets.open(receive);
  await sockets.publish('status', undefined, { execution_state: 'starting' });
  followParent();
}

void start().catch((error: unknown) => {
  report(error);
  process.kill(process.pid, 'SIGTERM');
});
