// Notebooks through the real kernel.
import { beforeAll, expect, test } from 'vitest';
import { type Execution, executeCells } from './notebook.js';

let execution: Execution;

beforeAll(async () => {
  execution = await executeCells([
    'const words: string[] = ["trap", "emulate"];\nwords.length',
    'console.log(words.join(" and "));',
    'throw new Error("on purpose");',
    'import * as lib from "kernel-lib";\nconsole.log(Object.keys(lib).length > 0);',
  ]);
}, 120_000);

test('a later cell sees the names of an earlier one', () => {
  expect(execution.cells.map((cell) => cell.text)[1]).toBe('trap and emulate\n');
});

test('a failing cell is told from the others, and the next one runs', () => {
  expect(execution.cells.map((cell) => cell.status)).toEqual(['ok', 'ok', 'error', 'ok']);
  const error = execution.cells[2]!.outputs.find((output) => output.output_type === 'error');
  expect(error?.evalue).toContain('on purpose');
});

test('the built library is imported by its name', () => {
  expect(execution.cells[3]!.text).toBe('true\n');
});

test('every cell comes with its time', () => {
  expect(execution.cells.every((cell) => cell.seconds > 0)).toBe(true);
  expect(execution.startSeconds).toBeGreaterThan(0);
});
