// Puts the guests' sources beside the built library, which reads them from there.
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const from = fileURLToPath(new URL('../kernel-lib/guests', import.meta.url));
const to = fileURLToPath(new URL('../kernel-lib/dist/guests', import.meta.url));
cpSync(from, to, { recursive: true, filter: (file) => !file.endsWith('.ts') });
