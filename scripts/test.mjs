// `npm test`: everything that the tests need is set up, then the linter and all tests run.
import './node-version.mjs';

import('./run-tests.mjs').then((command) => command.runTests(process.argv.slice(2)));
