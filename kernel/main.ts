/**
 * The kernel's process: `node main.js <connection file>`.
 *
 * Starts the threads and joins them, then runs cells (runtime/) as the front thread (front/) hands them over.
 * Everything is in one process: when it is killed, nothing stays behind.
 */
import { readFileSync, writeSync } from 'node:fs';
import * as path from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { asker } from './ask';
import type { ToMain } from './messages';
import { cellOf, keepTrack, leaveCells, runLate } from './runtime/attribution';
import { showChildren } from './runtime/children';
import { Face, installFace } from './runtime/face';
import { Imports } from './runtime/imports';
import { captureOutput, Flow, poster } from './runtime/output';
import { Runner } from './runtime/runner';
import { closeStdin } from './runtime/stdin';
import { translateStacks } from './runtime/trace';

function start(connectionFile: string): void {
  const connection = JSON.parse(readFileSync(connectionFile, 'utf8')) as unknown;
  const folder = process.cwd();
  const toFront = new MessageChannel();
  const frontAsks = new MessageChannel();
  const mainAsks = new MessageChannel();
  const signals = new MessageChannel();
  const buffer = Flow.buffer();
  const thread = (file: string, workerData: object, transferList: MessageChannel['port1'][]): Worker =>
    new Worker(path.join(__dirname, file), { workerData, transferList, stdout: false, stderr: false });

  const ports = [frontAsks.port2, mainAsks.port2];
  const language = thread('language/thread.js', { ports, folder }, ports);
  const frontPorts = { main: toFront.port2, language: frontAsks.port1, signals: signals.port2 };
  const front = thread('front/thread.js', { connection, buffer, ...frontPorts }, Object.values(frontPorts));
  const watch = thread('front/watch.js', { port: signals.port1 }, [signals.port1]);
  for (const worker of [language, front, watch]) {
    worker.on('error', (error) => writeSync(2, `${error.stack ?? error.message}\n`));
  }
  front.on('exit', () => process.reallyExit(1));
  process.on('SIGINT', () => undefined);

  const port = toFront.port1;
  const post = poster(port, new Flow(buffer));
  const face = new Face(post);
  const imports = new Imports(folder, asker(mainAsks.port1));
  const runner = new Runner(folder, imports, post);
  process.on('uncaughtException', (error) => runner.uncaught(error));
  process.on('unhandledRejection', (error, promise) => runner.uncaught(error, cellOf(promise)));
  process.exit = () => {
    throw new Error('process.exit would end the kernel: restart it from the notebook instead.');
  };
  port.on('message', (message: ToMain) => handle(message, { runner, face, imports, post }));
  closeStdin();
  captureOutput(post);
  showChildren();
  installFace(face);
  translateStacks();
  keepTrack({
    onError: (error, cell) => runner.uncaught(error, cell),
    onEnd: (cell) => runner.ended(cell),
  });
}

interface Parts {
  runner: Runner;
  face: Face;
  imports: Imports;
  post: ReturnType<typeof poster>;
}

function handle(message: ToMain, { runner, face, imports, post }: Parts): void {
  leaveCells();
  switch (message.kind) {
    case 'run':
      runner.run(message);
      break;
    case 'preload':
      imports.preload(message.specifiers);
      break;
    case 'interrupt':
      post({ kind: 'interrupted', sequence: message.sequence, running: runner.interrupt(message.sequence) });
      break;
    case 'comm':
      runLate(message.cell, () => face.receive(message));
      post({ kind: 'comm-done', cell: message.cell });
      break;
    default:
      face.receive(message);
  }
}

declare global {
  namespace NodeJS {
    interface Process {
      /** Ends the process at once; in Node, not in its types. */
      reallyExit(code: number): never;
    }
  }
}

start(process.argv[2] ?? '');
