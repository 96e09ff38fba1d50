/**
 * What the threads of the kernel say to each other.
 *
 * Three threads do the work. The *main* thread runs cells and nothing else, so that whatever a cell does to it
 * (an endless loop, a flood of promises) reaches no further. The *front* thread owns the sockets and speaks
 * Jupyter's protocol. The *language* thread owns the TypeScript compiler. A fourth, the *watch*, waits for SIGINT.
 * All messages are plain data; a cell is named by its serial number, which grows with every run.
 */

/** A Jupyter MIME bundle: MIME type -> content. */
export type MimeBundle = Record<string, unknown>;

/** How a cell ended. An error carries what Jupyter shows: name, message, traceback lines. */
export type Outcome =
  | { status: 'ok' }
  | { status: 'error'; ename: string; evalue: string; traceback: string[] };

/** A replacement in a cell's text: `[start, end)` of the original became `text`. Sorted, not overlapping. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** A cell (or a local file) as JavaScript, with what it takes to find the learner's line again. */
export interface Compiled {
  /** Name in stack frames: `cell 3`, or a path. */
  name: string;
  source: string;
  edits: Edit[];
  js: string;
  /** Source map, version 3, of `js` to the edited source. */
  map: string;
}

/** A problem that the compiler found. Lines and columns count from 1; `line` 0 has no place. */
export interface Problem {
  code: number;
  message: string;
  file: string;
  line: number;
  column: number;
  length: number;
  /** The text of that line. */
  text: string;
}

/** One local file as the loader needs it: where each of its specifiers leads. */
export interface LocalModule extends Compiled {
  path: string;
  /** Changes whenever the file does. */
  version: string;
  /** `module` is written with `import` and `export`; a `script` has none, and may await. */
  kind: 'module' | 'script' | 'json' | 'commonjs';
  /** Specifier -> path of another local file. What is missing is a package. */
  links: Record<string, string>;
  /** Specifiers of packages and of Node's own modules. */
  packages: string[];
}

/** front -> main */
export type ToMain =
  | { kind: 'run'; cell: number; compiled: Compiled; types: string[] }
  | { kind: 'preload'; specifiers: string[] }
  | { kind: 'interrupt'; sequence: number }
  | { kind: 'input'; request: number; value: string }
  | { kind: 'input-refused'; request: number; reason: string }
  | { kind: 'comm'; cell: number; message: CommMessage };

/** main -> front */
export type ToFront =
  | { kind: 'stream'; cell: number; name: 'stdout' | 'stderr'; text: string }
  | {
      kind: 'display';
      cell: number;
      data: MimeBundle;
      metadata: MimeBundle;
      displayId?: string;
      update: boolean;
    }
  | { kind: 'clear'; cell: number; wait: boolean }
  | { kind: 'result'; cell: number; data: MimeBundle; metadata: MimeBundle }
  | { kind: 'done'; cell: number; outcome: Outcome; declared: string[] }
  | { kind: 'input'; cell: number; request: number; prompt: string; password: boolean }
  | { kind: 'interrupted'; sequence: number; running: number | undefined }
  | { kind: 'comm'; cell: number; message: CommMessage }
  | { kind: 'comm-done'; cell: number }
  | { kind: 'targets'; comms: Record<string, string> };

/** A comm message, in either direction. `target` is set when a comm opens. */
export interface CommMessage {
  type: 'comm_open' | 'comm_msg' | 'comm_close';
  id: string;
  target?: string;
  data: unknown;
  metadata: MimeBundle;
  buffers: Uint8Array[];
}

/** What the front asks of the language thread, by name: the arguments and the answer. */
export interface LanguageCalls {
  compile: { ask: { cell: number; name: string; code: string }; answer: CompileAnswer };
  settle: { ask: { cell: number; declared: string[] }; answer: null };
  complete: { ask: { code: string; position: number }; answer: CompletionAnswer };
  inspect: { ask: { code: string; position: number; isDetailed: boolean }; answer: InspectionAnswer };
  isComplete: {
    ask: { code: string };
    answer: { status: 'complete' | 'incomplete' | 'invalid'; indent: string };
  };
  /** Asked by the main thread: the local file that `specifier` leads to, and all that it imports. */
  local: { ask: { from: string; specifier: string }; answer: LocalAnswer };
}

/** A compiled cell with the names of its types, or what is wrong with it. */
export type CompileAnswer = { compiled: Compiled; types: string[] } | { problems: Problem[] };
/** Local files in the order in which they are to be run, the asked one last; or why there are none. */
export type LocalAnswer = { modules: LocalModule[] } | { problems: Problem[] };

export interface CompletionAnswer {
  matches: string[];
  types: string[];
  start: number;
  end: number;
}

export interface InspectionAnswer {
  found: boolean;
  data: MimeBundle;
}

export type LanguageCall = keyof LanguageCalls;
export type LanguageRequest = {
  [Call in LanguageCall]: { id: number; call: Call; ask: LanguageCalls[Call]['ask'] };
}[LanguageCall];
export type LanguageReply = { id: number; answer: unknown } | { id: number; failure: string };
