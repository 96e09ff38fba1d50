// The language of cells: strict, current TypeScript over one scope that all cells share.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printed, TestKernel, tracebackOf } from './client';

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await TestKernel.start();
});
afterAll(() => kernel?.stop());

/** Runs cells one after the other; the text of the last one's value. */
async function values(...cells: string[]): Promise<string | undefined> {
  let value: string | undefined;
  for (const cell of cells) value = await kernel.value(cell);
  return value;
}

describe('types', () => {
  it('are strict, and checked before anything runs', async () => {
    const ran = await kernel.run("console.log('ran');\n  let z: string = null;");
    const lines = tracebackOf(ran);
    expect(lines[0]).toMatch(/^cell \d+, line 2, column 7$/);
    expect(lines[1]).toBe('> 2 |   let z: string = null;');
    expect(lines[2]).toBe('    |       ^');
    expect(lines[3]).toMatch(/^Type 'null' is not assignable to type 'string'\. \(TS2322\)$/);
    expect(printed(ran)).toBe('');
  });

  it('are those of TypeScript 5.9', async () => {
    expect(
      await kernel.value('function pick<T>(xs: T[], x: NoInfer<T>) { return [xs, x]; }\npick([1], 2)'),
    ).toBe('[ [ 1 ], 2 ]');
  });

  it('of earlier cells hold in later ones', async () => {
    await values(
      'interface Point { x: number }\ntype Maybe<T> = T | undefined;',
      'const p: Point = { x: 1 };',
    );
    expect((await kernel.error("const bad: Maybe<Point> = { x: 'one' };")).at(-1)).toMatch(/TS2322/);
    expect((await kernel.error('p.y')).at(-1)).toMatch(/Property 'y' does not exist on type 'Point'/);
    expect((await kernel.error('p = { x: 2 }')).at(-1)).toMatch(
      /Cannot assign to 'p' because it is not declared with `let`/,
    );
  });

  it('are known to later cells however a cell came by them: imported, in a namespace, ambient', async () => {
    await values(
      "import { Dirent, Stats, type Dir as Folder } from 'node:fs';\nimport { Abortable } from 'node:events';",
    );
    expect(await kernel.value('const some: [Dirent?, Stats?, Folder?, Abortable?] = []; some')).toBe('[]');
    await values(
      'namespace Types { export interface Pair { a: number } }\ndeclare const ambient: Types.Pair;',
    );
    await values('import Pair = Types.Pair;');
    expect(await kernel.value('const pair: Pair = { a: 1 }; type Same = typeof ambient; pair.a')).toBe('1');
  });

  it('may change when a name is declared again', async () => {
    expect(await values('const r = 1;', "const r = 'one';", 'r.toUpperCase()')).toBe("'ONE'");
    expect(await values('let r: number[] = [];', 'r.push(4); r')).toBe('[ 4 ]');
  });
});

describe('one scope', () => {
  it("shows a closure what a later cell assigns to an earlier cell's variable", async () => {
    await values('let n = 0; function step() { return ++n; }', 'n = 100;');
    expect(await kernel.value('step()')).toBe('101');
    expect(await kernel.value('n')).toBe('101');
  });

  it("shows functions and classes declared anew to earlier cells' functions", async () => {
    const first = "function g() { return 'old'; }\nclass C { m() { return 'old'; } }";
    await values(first, 'function useG() { return g(); }\nconst useC = () => new C().m();');
    await values("function g() { return 'new'; }\nclass C { m() { return 'new'; } }");
    expect(await kernel.value('[useG(), useC()]')).toBe("[ 'new', 'new' ]");
  });

  it('takes shorthand properties and destructuring assignments', async () => {
    await values('const q = 5; let a = 1, b = 2, rest: number[] = [];');
    expect(await kernel.value('({ q })')).toBe('{ q: 5 }');
    await values('const f = () => ({ a: 10, more: { b: 20 } });', '({ a, more: { b } } = f());');
    await values('[a, ...rest] = [a + 1, 8, 9];');
    expect(await kernel.value('[a, b, rest]')).toBe('[ 11, 20, [ 8, 9 ] ]');
    expect(await kernel.value('({ a = 7 } = {} as { a?: number }); a')).toBe('7');
    expect(await kernel.value('for (a of [3, 4]) {} a++; a')).toBe('5');
  });

  it('lets the variables of one declaration see one another', async () => {
    expect(await kernel.value('const v1 = 4, v2 = v1 * 2, v3 = () => v2; [v2, v3()]')).toBe('[ 8, 8 ]');
    expect(await kernel.value('let { w1, w2 = w1, w3 = { w1 } } = { w1: 3 } as any; [w1, w2, w3]')).toBe(
      '[ 3, 3, { w1: 3 } ]',
    );
    expect(
      await kernel.value('let [l1, l2 = () => l1] = [1] as [number, (() => number)?]; l1 = 5; l2()'),
    ).toBe('5');
  });

  it('is seen by getters and setters, of classes and of object literals', async () => {
    await values('let inner = 1;');
    await values('class Gauge { get level() { return inner; } set level(to: number) { inner = to; } }');
    await values('const gauge = { get level() { return inner; }, set level(to: number) { inner = to; } };');
    expect(await kernel.value('new Gauge().level = 2; gauge.level += 3; [inner, new Gauge().level]')).toBe(
      '[ 5, 5 ]',
    );
  });

  it('has no names that are not declared yet', async () => {
    const lines = await kernel.error('function soon() { return later; }\nsoon();\nconst later = 1;');
    expect(lines[0]).toMatch(/line 1, column 26$/);
    expect(lines).toContain("ReferenceError: Cannot access 'later' before its declaration has run.");
    expect((await kernel.error('soon()')).join()).toMatch(/ReferenceError: Cannot access 'later'/);
    expect(await kernel.value('const later = 2; soon()')).toBe('2');
  });

  it('lets a cell use the old value of a name that it shadows', async () => {
    await values('const up = (x: number) => x + 1; let m = 1;');
    expect(await kernel.value('const m = up(m); m')).toBe('2');
    expect(await kernel.value('const m = [1, 2].map((x) => x + m); m')).toBe('[ 3, 4 ]');
    expect(await kernel.value('const m = { m }; m')).toBe('{ m: [ 3, 4 ] }');
    const lines = await kernel.error('const m = m.nothing;');
    expect(lines[0]).toMatch(/line 1, column 13$/);
    expect(lines.join()).not.toContain('$previous');
  });

  it('keeps what a failing cell had declared before it failed, and no more', async () => {
    await kernel.error(
      "const before = 1;\nlet between = before + 1;\nthrow new Error('here');\nconst after = 3;",
    );
    expect(await kernel.value('between')).toBe('2');
    expect((await kernel.error('after')).at(-1)).toMatch(/Cannot find name 'after'/);
  });

  it('keeps nothing of a cell that does not compile', async () => {
    await kernel.error('const nowhere = 1; const wrong: string = 2;');
    expect((await kernel.error('nowhere')).at(-1)).toMatch(/TS2304/);
  });

  it('calls functions without a `this`', async () => {
    await values('function self(this: unknown) { return this === undefined; }');
    expect(await kernel.value('[self(), (self)(), self?.()]')).toBe('[ true, true, true ]');
  });

  it('shares classes, enums, namespaces and imports', async () => {
    await values(
      'enum Color { Red, Green = 5 }\nnamespace Space { export const k = 3; }\nabstract class Shape<T> { abstract area(): T; }',
    );
    await values(
      'class Square extends Shape<number> { static unit = new Square(); area() { return Space.k; } }',
    );
    expect(await kernel.value('[Color.Green, Color[0], Space.k, Square.unit.area()]')).toBe(
      "[ 5, 'Red', 3, 3 ]",
    );
    await values("import { sep as separator } from 'node:path';");
    expect(await kernel.value('separator')).toBe("'/'");
  });

  it('leaves names inside functions and blocks alone', async () => {
    await values('const s = 1;');
    expect(
      await kernel.value('((s: number) => { { const s = 3; if (s) return [s]; } return { s }; })(2)'),
    ).toBe('[ 3 ]');
    expect(await kernel.value('const o = { s: 2, t: { s: 4 } }; [o.s, o.t.s, s]')).toBe('[ 2, 4, 1 ]');
  });

  it('gives functions and classes their names', async () => {
    expect(
      await kernel.value('const arrow = () => 1; const Klass = class {}; [arrow.name, Klass.name]'),
    ).toBe("[ 'arrow', 'Klass' ]");
  });
});

describe('what a cell may hold', () => {
  it('is `export`, which means nothing', async () => {
    expect(await kernel.value('export const e1 = 1, e2 = e1 + 1;\nexport { e1 as other };\ne2')).toBe('2');
    expect(await kernel.value('export default async function named() { return 3; }\nawait named()')).toBe(
      '3',
    );
    for (const nameless of ['function () {}', 'class {}', '5', '{ a: 1 }']) {
      expect((await kernel.run(`export default ${nameless}`)).reply.status).toBe('ok');
    }
  });

  it('is types alone, a comment at the end, labels, a string, nothing', async () => {
    expect((await kernel.run('interface Alone { a: 1 }')).messages.length).toBe(1);
    expect(await kernel.value('1 + 1 // the sum\n/* that was it */')).toBe('2');
    const labels =
      'let turns = 0;\nouter: for (;;) for (;;) { if (++turns > 2) break outer; continue outer; }\nturns';
    expect(await kernel.value(labels)).toBe('3');
    expect(await kernel.value("'use strict'")).toBe("'use strict'");
    expect(await kernel.value('// nothing')).toBe(undefined);
  });

  it('is not `return`, JSX or a magic of other kernels: these are errors', async () => {
    expect((await kernel.error('return 5')).at(-1)).toMatch(/TS1108/);
    expect((await kernel.error('const jsx = <b>x</b>;'))[0]).toMatch(/line 1, column/);
    expect((await kernel.error('%matplotlib inline'))[0]).toMatch(/line 1, column 1$/);
    const html = await kernel.error('%%html\n<b>bold</b>');
    expect(html).toHaveLength(4);
    expect(html[3]).toBe(
      "`%%html` is a command of another kernel; here cells are TypeScript. HTML is shown by display({ toHtml: () => '…' }).",
    );
    expect((await kernel.error('let a = 1;\n!ls -la here'))[3]).toMatch(/^`!ls` is a command .*execSync/);
  });

  it('may be very wide: what is shown of it is what matters', async () => {
    const wide = (name: string) => `const ${name} = [${'1, '.repeat(200)}];`;
    const [place, shown, carets] = await kernel.error(`${wide('w')} w.nothing; ${wide('v')}`);
    expect(place).toMatch(/line 1, column 617$/);
    expect(shown!.length).toBeLessThan(220);
    expect(shown!.slice(carets!.indexOf('^'))).toMatch(/^nothing; const v = /);
    const thrown = await kernel.error(`${wide('w')} throw new Error('far');`);
    expect(thrown[1]!.slice(thrown[2]!.indexOf('^'))).toBe("new Error('far');");
  });

  it('may hold any script: the caret stands below what it means', async () => {
    const lines = await kernel.error("const ö = 'e\u0301', 数 = '🎉'; 数.nothing;");
    expect(lines[2]).toBe(`    | ${' '.repeat(15)}\u3000${' '.repeat(9)}\u3000 ^^^^^^^`);
  });

  it('is told once where it breaks off', async () => {
    const lines = await kernel.error('const open = {');
    expect(lines.slice(1)).toEqual([
      '> 1 | const open = {',
      '    |               ^',
      "'}' expected. (TS1005)",
    ]);
    expect((await kernel.error('\tlet wide: number = "";'))[2]).toBe('    | \t    ^^^^');
  });

  it('knows `require`, `__dirname` and `import.meta`', async () => {
    expect(await kernel.value("const { sep: separated } = require('node:path'); separated")).toBe("'/'");
    expect(await kernel.value("import asked = require('node:path'); asked.sep")).toBe("'/'");
    expect(await kernel.value('[__dirname === process.cwd(), import.meta.dirname === __dirname]')).toBe(
      '[ true, true ]',
    );
    expect((await kernel.error("require('not-there')")).join('\n')).toMatch(/Cannot find module 'not-there'/);
  });
});

describe('current TypeScript', () => {
  it('awaits at the top level', async () => {
    expect(await kernel.value('const seven = await Promise.resolve(7); seven')).toBe('7');
    expect(await kernel.value('Promise.resolve(1)')).toBe('Promise { 1 }');
  });

  it('disposes of what `using` declares', async () => {
    const ran = await kernel.run(
      "using thing = { v: 1, [Symbol.dispose]() { console.log('disposed'); } };\nconsole.log('used', thing.v);\nthing.v",
    );
    expect(printed(ran)).toBe('used 1\ndisposed\n');
    expect(ran.messages.at(-1)?.content.data?.['text/plain']).toBe('1');
  });

  it('loops over asynchronous values', async () => {
    await values('async function* upTo(n: number) { for (let i = 1; i <= n; i++) yield i; }');
    expect(printed(await kernel.run('for await (const i of upTo(3)) console.log(i);'))).toBe('1\n2\n3\n');
  });

  it('decorates', async () => {
    await values(
      'function twice<This, Args extends unknown[]>(f: (this: This, ...args: Args) => number, _: ClassMethodDecoratorContext) {\n  return function (this: This, ...args: Args) { return 2 * f.call(this, ...args); };\n}',
    );
    expect(await kernel.value('class Counter { @twice one() { return 1; } }\nnew Counter().one()')).toBe('2');
  });

  it('merges overloads, and interfaces within a cell', async () => {
    await values(
      'function same(x: string): string;\nfunction same(x: number): number;\nfunction same(x: unknown) { return x; }\ninterface Both { a: number }\ninterface Both { b: number }',
    );
    expect(await kernel.value('const both: Both = { a: 1, b: same(2) }; both')).toBe('{ a: 1, b: 2 }');
  });
});

describe('errors', () => {
  it("begin with the learner's own line, and fold the libraries'", async () => {
    const [first, ...lines] = await kernel.error(
      "function compare(): number {\n  throw new RangeError('inside');\n}\n\n[2, 1].sort(compare);",
    );
    expect(first).toMatch(/^cell \d+, line 2, column 9$/);
    expect(lines).toContain("> 2 |   throw new RangeError('inside');");
    expect(lines).toContain('    |         ^');
    expect(lines).toContain('RangeError: inside');
    expect(lines).toContain('    … 1 frame of libraries');
    expect(lines.join('\n')).not.toContain('node:');
    expect(lines.join('\n')).not.toContain('dist');
  });

  it('name the cell whose function failed, and the one that called it', async () => {
    const { reply } = await kernel.run("function fails() { throw new TypeError('no'); }");
    const lines = await kernel.error('\n  fails();');
    expect(lines[0]).toBe(`cell ${reply.execution_count}, line 1, column 26`);
    expect(lines.at(-1)).toBe(`    at cell ${reply.execution_count + 1}:2:3`);
  });

  it('are told where a library throws, by the line that called it', async () => {
    expect((await kernel.error("const text = '{';\nJSON.parse(text);"))[0]).toMatch(/line 2, column \d+$/);
  });

  it('of an unhandled rejection and of a timer end the cell that waits', async () => {
    const timer =
      "setTimeout(() => { throw new Error('late'); }, 5);\nawait new Promise((go) => setTimeout(go, 5000));";
    expect(await kernel.error(timer)).toContain('Error: late');
    expect(
      await kernel.error("void Promise.reject(new Error('lost')); await new Promise(() => {});"),
    ).toContain('Error: lost');
  });

  it('can be anything that is thrown, and say where', async () => {
    const ran = await kernel.run('const fail = () => { throw { code: 3 }; };\nfail();');
    expect(ran.reply).toMatchObject({ status: 'error', ename: 'Thrown', evalue: '{ code: 3 }' });
    expect(tracebackOf(ran)[0]).toMatch(/line 1, column 28$/);
    for (const value of ['null', 'undefined', "'text'", '4n']) {
      expect((await kernel.error(`\n throw ${value};`))[0]).toMatch(/line 2, column 8$/);
    }
  });

  it('that know of no place are told with the statement that was under way', async () => {
    expect((await kernel.error('await null;\nif (true) {\n  await Promise.reject(5);\n}'))[0]).toMatch(
      /line 3, column 3$/,
    );
    expect((await kernel.error('\nawait Promise.any([Promise.reject(1)]);'))[0]).toMatch(/line 2, column 1$/);
  });

  it('tell their cause', async () => {
    const lines = await kernel.error("throw new Error('outer', { cause: new RangeError('inner') });");
    expect(lines).toContain('Caused by RangeError: inner');
    expect((await kernel.error('process.exit(2)'))[0]).toMatch(/line 1, column 9$/);
  });

  it('tell the frames of a cause as they tell their own', async () => {
    const lines = await kernel.error("await fetch('http://127.0.0.1:1/');");
    const cause = lines.slice(lines.findIndex((line) => line.startsWith('Caused by Error: ')));
    expect(cause.length).toBeGreaterThan(0);
    expect(cause.join('\n')).not.toContain('node:');
  });
});

describe('completion and inspection', () => {
  it('know members, documentation and names of earlier cells', async () => {
    await values(
      '/** How tall it is, in metres. */\nfunction heightOf(x: { metres: number }) { return x.metres; }',
    );
    const complete = await kernel.do<{ content: { matches: string[] } }>('ask', {
      request: 'complete',
      code: 'heigh',
      cursor_pos: 5,
    });
    expect(complete.content.matches).toEqual(['heightOf']);
    const members = await kernel.do<{ content: { matches: string[]; cursor_start: number } }>('ask', {
      request: 'complete',
      code: "const 𝒙 = 'é'; 𝒙.toUp",
      cursor_pos: 21,
    });
    expect(members.content).toMatchObject({ matches: ['toUpperCase'], cursor_start: 17 });
    const inspected = await kernel.do<{ content: { found: boolean; data: Record<string, string> } }>('ask', {
      request: 'inspect',
      code: 'heightOf({ metres: 1 })',
      cursor_pos: 3,
      detail_level: 0,
    });
    expect(inspected.content.data['text/plain']).toContain('How tall it is, in metres.');
    expect(inspected.content.data['text/plain']).toContain('heightOf(x: {');
  });

  const matches = async (code: string): Promise<unknown> => {
    const asked = { request: 'complete', code, cursor_pos: code.length };
    const { content } = await kernel.do<{ content: { matches: string[]; cursor_start: number } }>(
      'ask',
      asked,
    );
    return [content.matches, content.cursor_start];
  };

  it('complete in strings and paths of imports, and nothing in comments', async () => {
    await values("const keys = { 'a-b': 1 };\ntype Mode = 'on' | 'off';\nlet mode = 'on' as Mode;");
    expect(await matches("keys['a")).toEqual([['a-b'], 6]);
    expect(await matches("mode === 'of")).toEqual([['off'], 10]);
    expect(await matches("import { sep } from 'node:pat")).toEqual([
      ['node:path', 'node:path/posix', 'node:path/win32'],
      21,
    ]);
    expect(await matches('// key')).toEqual([[], 3]);
  });

  it('show a name as the reader declared it, in detail with its text', async () => {
    await values('function thrice(x: number) {\n  return 3 * x;\n}');
    const inspected = async (detail_level: number): Promise<string | undefined> => {
      const asked = { request: 'inspect', code: 'thrice(1)', cursor_pos: 3, detail_level };
      const { content } = await kernel.do<{ content: { data: Record<string, string> } }>('ask', asked);
      return content.data['text/plain'];
    };
    expect(await inspected(0)).toBe('thrice(x: number): number');
    expect(await inspected(1)).toBe(
      'thrice(x: number): number\n\nfunction thrice(x: number) {\n  return 3 * x;\n}',
    );
  });

  it('show members of earlier cells with their text, types by their name, and nothing of what is not there', async () => {
    await values(
      '/** A box. */\ninterface Box {\n  /** What is in it. */\n  content: string;\n}\nconst box: Box = { content: "" };',
    );
    const inspected = async (code: string): Promise<string | undefined> => {
      const asked = { request: 'inspect', code, cursor_pos: code.length, detail_level: 0 };
      const { content } = await kernel.do<{ content: { data: Record<string, string> } }>('ask', asked);
      return content.data['text/plain'];
    };
    expect(await inspected('box.content')).toBe('(property) Box.content: string\n\nWhat is in it.');
    expect(await inspected('Box')).toBe('interface Box\n\nA box.');
    for (const code of ['unknownName', 'if', '']) expect(await inspected(code)).toBe(undefined);
  });

  it('say whether a cell is complete', async () => {
    const status = async (code: string): Promise<unknown> =>
      (await kernel.do<{ content: { status: string } }>('ask', { request: 'is_complete', code })).content
        .status;
    for (const code of ['if (1) {', 'f(', '`a ${', 'const a =', 'x.', '/* a', 'async () => {\n'])
      expect(await status(code), code).toBe('incomplete');
    for (const code of ['}', 'a b', "'open", 'const 1']) expect(await status(code), code).toBe('invalid');
    const indent = async (code: string): Promise<unknown> =>
      (await kernel.do<{ content: { indent: string } }>('ask', { request: 'is_complete', code })).content
        .indent;
    expect([await indent('if (1) {\n  if (2) {'), await indent('if (1) {\n  if (2) {\n')]).toEqual([
      '    ',
      '    ',
    ]);
    for (const code of ['', '1 // one', 'f()\n', 'class A {}'])
      expect(await status(code), code).toBe('complete');
  });
});
