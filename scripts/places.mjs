// Where things are. Everything that the two commands make lies inside the project's folder:
// node_modules, kernel-lib/dist, .venv, and .jupyter for what JupyterLab would else keep in the home folder.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const project = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
export const notebooks = join(project, 'notebooks');
export const nodeModules = join(project, 'node_modules');
export const library = join(project, 'kernel-lib');
export const built = join(library, 'dist');
/** The Jupyter kernel: its sources, and under dist what runs. */
export const kernel = join(project, 'kernel');
export const requirements = [
  join(project, 'scripts/requirements.txt'),
  join(project, 'scripts/constraints.txt'),
];

export const venv = join(project, '.venv');
export const venvPython =
  process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');

export const jupyter = join(project, '.jupyter');
/** Kernel specs, and the signatures of trusted notebooks: a folder for JUPYTER_PATH and JUPYTER_DATA_DIR. */
export const jupyterData = join(jupyter, 'share');
export const logs = join(jupyter, 'logs');
/** One folder per running JupyterLab, named after the process that started it. */
export const runs = join(jupyter, 'runs');
