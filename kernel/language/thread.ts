/**
 * The language thread: answers what the front and the main thread ask of the compiler, one question after the other.
 *
 * It starts by compiling an empty cell, so that the libraries' types are read by the time the first real one comes.
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import type { LanguageCalls, LanguageReply, LanguageRequest } from '../messages';
import { Cells } from './cells';
import { complete, inspect, isComplete } from './completion';
import { localFiles } from './local-files';

const { ports, folder } = workerData as { ports: MessagePort[]; folder: string };
const cells = new Cells(folder);

function answer(request: LanguageRequest): LanguageCalls[LanguageRequest['call']]['answer'] {
  switch (request.call) {
    case 'compile':
      return cells.compile(request.ask.cell, request.ask.name, request.ask.code);
    case 'settle':
      cells.settle(request.ask.cell, request.ask.declared);
      return null;
    case 'complete':
      return complete(cells, request.ask.code, request.ask.position);
    case 'inspect':
      return inspect(cells, request.ask.code, request.ask.position, request.ask.isDetailed);
    case 'isComplete':
      return isComplete(request.ask.code);
    case 'local':
      return localFiles(cells.files, request.ask.from, request.ask.specifier);
  }
}

for (const port of ports) {
  port.on('message', (request: LanguageRequest) => {
    let reply: LanguageReply;
    try {
      reply = { id: request.id, answer: answer(request) };
    } catch (error) {
      reply = {
        id: request.id,
        failure: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
    }
    port.postMessage(reply);
  });
}
cells.compile(0, 'start', 'console.log(0)');
