// The floors: imports run downward only, or to an earlier file of the same folder; `code` and
// `machine` never meet. Type imports count.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../kernel-lib');
const FLOORS = ['', 'isa', 'code', 'machine', 'engine', 'hypervisor', 'guests', 'lab'];

function sources(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'dist' || entry.name === 'node_modules') return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

const floorOf = (file: string) => {
  const path = relative(ROOT, file);
  return path.includes('/') ? path.split('/')[0] : '';
};

function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/from '(\.[^']+)'|import '(\.[^']+)'/g)].map(
    (match) => `${resolve(dirname(file), match[1] ?? match[2])}.ts`,
  );
}

const files = sources().filter((file) => file !== join(ROOT, 'index.ts'));

it('finds the sources', () => {
  expect(files.length).toBeGreaterThan(30);
  expect([...new Set(files.map(floorOf))].filter((floor) => !FLOORS.includes(floor))).toEqual([]);
});

it('imports run downward, and code and machine never meet', () => {
  const upward = files.flatMap((file) =>
    imports(file)
      .filter((target) => {
        const [from, to] = [floorOf(file), floorOf(target)];
        const meet = (from === 'code' && to === 'machine') || (from === 'machine' && to === 'code');
        return meet || FLOORS.indexOf(to) > FLOORS.indexOf(from);
      })
      .map((target) => `${relative(ROOT, file)} imports ${relative(ROOT, target)}`),
  );
  expect(upward).toEqual([]);
});

it('no files import each other in a circle', () => {
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (file: string, path: string[]) => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      circles.push([...path.slice(path.indexOf(file)), file].map((f) => relative(ROOT, f)).join(' -> '));
      return;
    }
    state.set(file, 'open');
    for (const target of imports(file)) visit(target, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});
