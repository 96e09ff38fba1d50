// Puts the guests' sources beside the built library, which reads them from there.
import { cpSync, readdirSync } from 'node:fs';

const from = new URL('../kernel-lib/guests/', import.meta.url);
const to = new URL('../kernel-lib/dist/guests/', import.meta.url);
for (const name of readdirSync(from).filter((file) => file.endsWith('.s')))
  cpSync(new URL(name, from), new URL(name, to));
