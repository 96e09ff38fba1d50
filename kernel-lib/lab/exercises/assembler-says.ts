/** What the assembler has to say about a learner's text, as a verdict. */
import { AssemblyError } from '../../code/assemble';
import type { Failure } from '../check';

/**
 * The failure for text that does not assemble: the assembler's lines, with their caret, as they stand.
 * @param message the verdict's sentence
 * @param error what the assembler threw; anything else is thrown again
 */
export function assemblerSays(message: string, error: unknown): Failure {
  if (!(error instanceof AssemblyError)) throw error;
  return {
    message,
    table: { caption: 'The assembler says', columns: [{ title: 'your text' }], rows: [[error.message]] },
  };
}
