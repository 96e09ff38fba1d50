/** What check() says about a solution where there is no notebook. */
import { check } from 'kernel-lib';
import { vi } from 'vitest';

/** The verdict as text. */
export function verdict(id: string, solution: unknown): string {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    check(id, solution);
    return log.mock.calls.map((call) => call.join(' ')).join('\n');
  } finally {
    log.mockRestore();
  }
}
