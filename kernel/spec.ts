/**
 * The kernel's specification, as Jupyter reads it from `kernel.json`.
 *
 *     import { kernelSpec } from 'vmlab-kernel';
 *     writeFileSync('…/kernels/vmlab/kernel.json', JSON.stringify(kernelSpec()));
 */
import * as path from 'node:path';

/** The name under which notebooks ask for the kernel. */
export const KERNEL_NAME = 'vmlab';

/** What `kernel.json` holds. */
export interface KernelSpec {
  argv: string[];
  display_name: string;
  language: string;
  interrupt_mode: 'message' | 'signal';
  env: Record<string, string>;
  metadata: Record<string, unknown>;
}

/**
 * Node's options for the kernel. Node's own check of its asynchronous stack would end the process after an interrupt
 * in a timer, with nothing wrong but that stack; and its experimental warnings would land in learners' cells.
 */
const NODE_OPTIONS = ['--no-force-async-hooks-checks', '--disable-warning=ExperimentalWarning'];

/**
 * The specification, with absolute paths of this installation.
 * @param options `node`: the program that runs it; `interruptMode`: how Jupyter interrupts it, both work
 */
export function kernelSpec(
  options: { node?: string; interruptMode?: 'message' | 'signal' } = {},
): KernelSpec {
  const { node = process.execPath, interruptMode = 'message' } = options;
  return {
    argv: [node, ...NODE_OPTIONS, path.join(__dirname, 'main.js'), '{connection_file}'],
    display_name: 'TypeScript (vmlab)',
    language: 'typescript',
    interrupt_mode: interruptMode,
    env: {},
    metadata: { debugger: false },
  };
}
