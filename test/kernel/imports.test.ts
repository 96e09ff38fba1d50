// What cells import: packages of every kind, local files, and both of them changing while the kernel runs.
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { library, nodeModules } from '../../scripts/places.mjs';
import { linkLibrary, processorSeconds, TestKernel } from './client';

/** Path -> content, below a notebook's folder. */
const FILES: Record<string, string> = {
  'nb/node_modules/only-exports/package.json':
    '{ "name": "only-exports", "exports": { "./sub": { "types": "./sub.d.ts", "default": "./sub.js" } } }',
  'nb/node_modules/only-exports/sub.d.ts': 'export declare const where: string;',
  'nb/node_modules/only-exports/sub.js': "exports.where = 'sub';",
  'nb/node_modules/only-esm/package.json':
    '{ "name": "only-esm", "type": "module", "exports": { "import": { "types": "./i.d.ts", "default": "./i.js" } } }',
  'nb/node_modules/only-esm/i.d.ts':
    'export declare const five: number; declare const all: { a: 1 }; export default all;',
  'nb/node_modules/only-esm/i.js': 'export const five = await Promise.resolve(5); export default { a: 1 };',
  'nb/node_modules/compiled/package.json': '{ "name": "compiled", "main": "i.js", "types": "i.d.ts" }',
  'nb/node_modules/compiled/i.d.ts':
    'export declare const a: number; declare const d: string; export default d;',
  'nb/node_modules/compiled/i.js':
    "Object.defineProperty(exports, '__esModule', { value: true }); Object.assign(exports, { a: 1, default: 'd' });",
  'nb/node_modules/untyped/package.json': '{ "name": "untyped", "main": "i.js" }',
  'nb/node_modules/untyped/i.js': 'module.exports = { any: 1 };',
  'nb/file.ts': "import { deep } from './deep';\nexport function file(): string { return 'file, ' + deep; }",
  'nb/deep.ts': "export const deep: string = 'deep';",
  'nb/folder/index.ts': "export const folder = 'folder';",
  'nb/data.json': '{ "n": [1, 2] }',
  'nb/script.js': 'export const script = 6;',
  'nb/uses.ts':
    "import all, { five } from 'only-esm'; import d from 'compiled'; export const uses = [all, five, d];",
  'nb/types.ts':
    'export interface Shape { sides: number }\nexport type { Other } from "./other";\nthrow new Error("ran");',
  'nb/other.ts': 'export interface Other { o: 1 }',
  'up.ts': "export const up = 'up';",
  'nb/odd.ts':
    "import { even } from './even';\nimport * as all from './even';\nexport const name = 'odd';\nexport const odd = (n: number): boolean => n > 0 && even(n - 1);\nexport const names = () => name + all.named();",
  'nb/even.ts':
    "import { name, odd } from './odd';\nexport const even = (n: number): boolean => n === 0 || odd(n - 1);\nexport const named = () => name;",
  'nb/module.mjs': "export const mjs = 'mjs';\nexport default 'its default';",
  'nb/typed.mts': "export const mts: string = 'mts';",
  'nb/typed.cts': "const cts: { a: string } = { a: 'cts' };\nexport = cts;",
  'nb/old.cjs':
    "const { basename } = require('node:path');\nmodule.exports = (x) => {\n  if (!x) throw new Error('no x');\n  return basename(x);\n};",
  'nb/older.js': 'module.exports = { older: 7 };',
  'nb/meta.ts':
    'export const meta = [import.meta.filename === __filename, import.meta.url.endsWith("/meta.ts")];',
  'nb/top.ts': "export const before = 1;\nthrow new TypeError('at the top');",
  'nb/broken.json': '{ broken',
  'nb/has-json.ts':
    "import data, { n } from './data.json';\nexport const both = [data.n.length, n.length, Object.keys(data)];",
};

interface Asked<Content> {
  content: Content;
}

let kernel: TestKernel;
const place = (path: string) => join(kernel.folder, path);
const put = (path: string, content: string) => writeFileSync(place(path), content);

beforeAll(async () => {
  kernel = await TestKernel.start((folder) => {
    for (const [path, content] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    return join(folder, 'nb');
  });
});
afterAll(() => kernel?.stop());

describe('packages', () => {
  it('with `exports` alone, of ES modules alone, compiled to CommonJS, and without types', async () => {
    await kernel.run("import { where } from 'only-exports/sub';\nimport all, { five } from 'only-esm';");
    await kernel.run(
      "import d, { a } from 'compiled';\nimport * as compiled from 'compiled';\nimport untyped from 'untyped';",
    );
    expect(await kernel.value('[where, all, five, d, a, compiled.a, untyped.any]')).toBe(
      "[ 'sub', { a: 1 }, 5, 'd', 1, 1, 1 ]",
    );
    expect(await kernel.value("(await import('only-esm')).five")).toBe('5');
  });

  it('that are not there are errors, with line and column', async () => {
    const lines = await kernel.error("\nimport x from 'not-there';");
    expect(lines[0]).toMatch(/line 2, column 15$/);
    expect(lines.at(-1)).toMatch(/Cannot find module 'not-there'.*TS2307/);
  });

  it('may be rebuilt while the kernel runs', async () => {
    const types = 'nb/node_modules/compiled/i.d.ts';
    put(types, 'export declare const a: string;');
    expect(await kernel.value("import { a as a1 } from 'compiled'; const text: string = a1; 1")).toBe('1');
    rmSync(place(types));
    expect(await kernel.value("import { a as a2 } from 'compiled'; a2")).toBe('1');
    put(types, 'export declare const a: number; {{{');
    expect((await kernel.run("import { a as a3 } from 'compiled';")).reply.status).toBe('ok');
    put(types, FILES[types]!);
    expect(await kernel.value("import d4, { a as a4 } from 'compiled'; a4 + d4.length")).toBe('2');
  });
});

describe('local files', () => {
  it('are found as `./file`, `./file.ts`, `./folder`, `../file`, JSON and JavaScript', async () => {
    await kernel.run(
      "import { file } from './file';\nimport { deep } from './deep.ts';\nimport { folder } from './folder';",
    );
    await kernel.run(
      "import { up } from '../up';\nimport data from './data.json';\nimport { script } from './script.js';",
    );
    expect(await kernel.value('[file(), deep, folder, up, data.n, script]')).toBe(
      "[ 'file, deep', 'deep', 'folder', 'up', [ 1, 2 ], 6 ]",
    );
  });

  it('may import one another', async () => {
    const cell = "import { odd, names } from './odd';\nimport { even } from './even';\n";
    expect(await kernel.value(`${cell}[odd(3), even(3), names()]`)).toBe("[ true, false, 'oddodd' ]");
    put('nb/odd.ts', FILES['nb/odd.ts']!.replace("'odd'", "'new'"));
    expect(await kernel.value(`${cell}[even(2), names()]`)).toBe("[ true, 'newnew' ]");
  });

  it('may be modules, CommonJS or either in TypeScript, whatever they end in', async () => {
    await kernel.run("import its, { mjs } from './module.mjs';\nimport { mts } from './typed.mjs';");
    await kernel.run(
      "import cts from './typed.cjs';\nimport old from './old.cjs';\nimport older from './older.js';",
    );
    expect(await kernel.value("[its, mjs, mts, cts.a, old('a/b'), older.older]")).toBe(
      "[ 'its default', 'mjs', 'mts', 'cts', 'b', 7 ]",
    );
    expect(await kernel.value("import odd2 = require('./odd');\nodd2.odd(1)")).toBe('true');
    expect(await kernel.value("import { both } from './has-json'; both")).toBe("[ 2, 2, [ 'n' ] ]");
    expect(await kernel.value("import { meta } from './meta'; meta")).toBe('[ true, true ]');
  });

  it('that fail are named, with line and column', async () => {
    const top = await kernel.error("import { before } from './top';");
    expect(top[0]).toBe('top.ts, line 2, column 7');
    expect(top.at(-1)).toBe('    at top.ts:2:7');
    expect((await kernel.error("import old from './old.cjs';\nold('');"))[0]).toBe(
      'old.cjs, line 3, column 17',
    );
    expect((await kernel.error("import broken from './broken.json';")).join()).toMatch(
      /SyntaxError: broken\.json is no JSON: /,
    );
  });

  it('may import packages', async () => {
    expect(await kernel.value("import { uses } from './uses'; uses")).toBe("[ { a: 1 }, 5, 'd' ]");
  });

  it('are not run for their types', async () => {
    expect(
      await kernel.value("import type { Shape } from './types';\nconst s: Shape = { sides: 3 }; s.sides"),
    ).toBe('3');
    expect(await kernel.value("import { type Other } from './types';\nconst o: Other = { o: 1 }; o.o")).toBe(
      '1',
    );
    expect(
      await kernel.value("import { Shape as S } from './types';\nconst t: S = { sides: 4 }; t.sides"),
    ).toBe('4');
  });

  it('are run again when they, or what they import, have changed', async () => {
    put('nb/deep.ts', "export const deep: string = 'changed';");
    expect(await kernel.value("import { file } from './file'; file()")).toBe("'file, changed'");
    put('nb/file.ts', "export function file(): number { throw new Error('in the file'); }");
    const lines = await kernel.error("import { file } from './file';\nfile().toFixed();");
    expect(lines[0]).toBe('file.ts, line 1, column 40');
    expect(lines.at(-1)).toMatch(/at cell \d+:2:1$/);
  });

  it('are checked as strictly as cells, for the cells that import them', async () => {
    put('nb/deep.ts', 'export const deep: string = 5;');
    const lines = await kernel.error("import { deep as d5 } from './deep';");
    expect(lines[0]).toBe('deep.ts, line 1, column 14');
    expect(await kernel.value('1 + 1')).toBe('2');
  });

  it('may be missing and then be there', async () => {
    expect((await kernel.error("import { made } from './made';"))[0]).toMatch(/line 1, column 22$/);
    put('nb/made.ts', 'export const made = 1;');
    expect(await kernel.value("import { made } from './made'; made")).toBe('1');
    rmSync(place('nb/made.ts'));
    expect(await kernel.value('made')).toBe('1');
  });
});

it('kernel-lib and Plot are there, with completion and documentation', async () => {
  const lessons = await TestKernel.start(linkLibrary);
  try {
    await lessons.run("import * as lib from 'kernel-lib';\nimport * as Plot from '@observablehq/plot';");
    await lessons.run(
      "import { parseHTML } from 'linkedom';\nconst { document } = parseHTML('<html></html>');",
    );
    const chart = await lessons.run("Plot.plot({ document, title: 'A title', marks: [Plot.barY([1, 2])] })");
    expect(chart.messages.at(-1)?.content.data).toMatchObject({
      'text/plain': expect.stringContaining('A title'),
      'text/html': expect.stringMatching(/^<figure[\s\S]*<svg[\s\S]*<\/figure>$/),
    });
    let used = 0;
    for (let i = 0; i < 5; i++) {
      await lessons.run(`const unrelated${i} = ${i};`);
      const before = processorSeconds(lessons.pid);
      const complete = { request: 'complete', code: 'lib.assem', cursor_pos: 9 };
      const completed = await lessons.do<Asked<{ matches: string[] }>>('ask', complete);
      expect(completed.content.matches).toContain('assemble');
      const inspect = { request: 'inspect', code: 'lib.hex(1)', cursor_pos: 6, detail_level: 0 };
      const inspected = await lessons.do<Asked<{ data: Record<string, string> }>>('ask', inspect);
      expect(inspected.content.data['text/plain']).toMatch(/hex\(value: number[\s\S]*\n\nThe number as/);
      used += processorSeconds(lessons.pid) - before;
    }
    // The processor's time: the wall clock's is not the kernel's alone (`npm run bench:kernel` measures that).
    expect(used / 10).toBeLessThan(0.3);
  } finally {
    await lessons.stop();
  }
});

it('a lesson that was copied to another folder finds kernel-lib, Plot and its quiz', async () => {
  const elsewhere = await TestKernel.start();
  try {
    await elsewhere.run(
      "import { hex, quiz } from 'kernel-lib';\nimport { plot } from '@observablehq/plot';",
    );
    expect(await elsewhere.value('[hex(255), typeof plot]')).toBe("[ '0x000000ff', 'function' ]");
    const shown = await elsewhere.run("quiz('03-trap-and-emulate');");
    expect(shown.messages[1]?.content.data?.['text/html']).toContain('vmlab');
    expect((await elsewhere.error("import nothing from 'not-there';")).at(-1)).toMatch(/TS2307/);
    writeFileSync(
      join(elsewhere.folder, 'own.ts'),
      "import { hex } from 'kernel-lib'; export const own = hex(1);",
    );
    expect(await elsewhere.value("import { own } from './own'; own")).toBe("'0x00000001'");
  } finally {
    await elsewhere.stop();
  }
});

it('kernel-lib may be rebuilt, and be gone for a while, under the kernel', async () => {
  let dist = '';
  const kept = await TestKernel.start((folder) => {
    const packages = join(folder, 'node_modules');
    mkdirSync(join(packages, 'kernel-lib'), { recursive: true });
    for (const name of readdirSync(nodeModules)) {
      if (name !== 'kernel-lib') symlinkSync(join(nodeModules, name), join(packages, name));
    }
    for (const name of ['dist', 'package.json'])
      cpSync(join(library, name), join(packages, 'kernel-lib', name), { recursive: true });
    dist = join(packages, 'kernel-lib', 'dist');
    return undefined;
  });
  try {
    expect(await kept.value("import { hex } from 'kernel-lib'; hex(1)")).toBe("'0x00000001'");
    renameSync(dist, `${dist}-old`);
    expect(await kept.value('1 + 1')).toBe('2');
    expect(await kept.value("import { hex as loaded } from 'kernel-lib'; loaded(2)")).toBe("'0x00000002'");
    cpSync(`${dist}-old`, dist, { recursive: true });
    appendFileSync(join(dist, 'index.d.ts'), '\nexport declare const added: number;\n');
    expect(
      await kept.value("import { hex as again, added } from 'kernel-lib'; [again(3), typeof added]"),
    ).toBe("[ '0x00000003', 'undefined' ]");
    for (let i = 0; i < 3; i++) {
      rmSync(dist, { recursive: true });
      const running = kept.run(`const during${i} = hex(${i});`);
      cpSync(`${dist}-old`, dist, { recursive: true });
      await running;
      expect(await kept.value('hex(2)')).toBe("'0x00000002'");
    }
  } finally {
    await kept.stop();
  }
});
