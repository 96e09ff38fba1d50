// Lesson 08 walked through as a new learner does; `npm run lessons:walk` does it for every lesson, with pictures.
import { expect, test } from 'vitest';
import { findChromium, NO_CHROMIUM, withPage } from '../lab/browser';
import { withFolder } from '../lab/notebook';
import { withLab } from '../lab/start';
import { readMessage } from './walk/kernel-times';
import { walkLesson } from './walk/walk';
import { isExercise, solved, throwing, withSlips } from './walk/wrong';

const CELL = {
  cell_type: 'code' as const,
  id: 'sum',
  metadata: {},
  source: [
    'function sum(a: number, b: number) {\n',
    '  // BEGIN SOLUTION\n',
    '  return a + b;\n',
    '  // END SOLUTION\n',
    '}',
  ],
};

test('lesson 08 can be walked through with mistakes, a restart and a reload', {
  timeout: 1_200_000,
}, async (context) => {
  if (!findChromium()) context.skip(NO_CHROMIUM);
  await withFolder((folder) =>
    withLab({ folder }, (lab) =>
      withPage(async (page) => {
        // Times are left to the command: the tests run beside one another.
        const walk = await walkLesson(page, lab, '08-load-time-patching', { folder, patience: 1000 });
        expect(walk.problems).toEqual([]);
        expect(walk.exercises).toBe(4);
        expect(walk.told.length).toBeGreaterThan(1);
        expect(walk.questions).toBeGreaterThan(8);
        expect(Math.max(...walk.seconds.values())).toBeGreaterThan(0);
      }),
    ),
  );
});

test('an exercise is made wrong and right', () => {
  expect(isExercise(CELL)).toBe(true);
  expect(solved(CELL)).toContain('{\n  return a + b;\n}');
  expect(throwing(CELL)).toMatch(/\{\n {2}throw new Error\(.*\);\n\}/);
  expect(withSlips(CELL)).toEqual(['function sum(a: number, b: number) {\n  return a - b;\n}']);
});

test('a message of Jupyter is read, and anything else is none', () => {
  const parts = ['iopub', '{"msg_type":"status"}', '{"msg_id":"7"}', '{}', '{"execution_state":"idle"}'];
  const head = Buffer.alloc(8 * (parts.length + 2));
  head.writeBigUInt64LE(BigInt(parts.length + 1));
  for (let part = 0, offset = head.length; part <= parts.length; offset += parts[part++]?.length ?? 0)
    head.writeBigUInt64LE(BigInt(offset), 8 * (part + 1));
  const message = readMessage(Buffer.concat([head, Buffer.from(parts.join(''))]));
  expect(message?.parent.msg_id).toBe('7');
  expect(message?.content.execution_state).toBe('idle');
  expect(readMessage(Buffer.from('not a message'))).toBeUndefined();
  expect(readMessage('{}')).toBeUndefined();
});
