// `npm start`: everything that is missing is set up, then JupyterLab opens on the lessons.
// Reading order: node-version, launch (the command), report, setup, python, jupyter-choice, server.
import './node-version.mjs';

import('./launch.mjs').then((command) => command.launch(process.argv.slice(2)));
