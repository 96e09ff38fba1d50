/**
 * The part of the WebAssembly JavaScript API that is used here. TypeScript declares it among
 * what browsers have, which Node isn't.
 */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** A function that a module exports; opaque, but for those that take and give single numbers. */
export type WasmFunction = (...parameters: number[]) => number;

export interface WasmTable {
  set(index: number, value: WasmFunction | null): void;
}

interface Limits {
  initial: number;
  maximum: number;
}

interface Api {
  Memory: new (limits: Limits) => WasmMemory;
  Table: new (limits: Limits & { element: 'anyfunc' }) => WasmTable;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: { host: Record<string, unknown> },
  ) => { readonly exports: Record<string, WasmFunction> };
}

export const WASM = (globalThis as unknown as { WebAssembly: Api }).WebAssembly;
