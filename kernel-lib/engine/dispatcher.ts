/**
 * The small part of translated code that is always there: it goes from translation to
 * translation, as long as the next one is in the table of the present context.
 */
import { AT_SITE, REGION_SIGNATURE, REGION_TYPE } from './region-code';
import { JUMP_ENTRIES } from './spaces';
import { PC, SITE, SLOT_TABLE, SPACE } from './storage';
import { Code, Label, moduleBytes } from './wasm';

/** The entry of the table that leads nowhere. */
export const MISS_SLOT = 0;

/** How deep calls may nest in translated code. */
const DEPTH = 200;

const ENTER_TYPE = 1;

/**
 * A module with two functions: `enter` (slot, fuel, pc) -> fuel that is left, with SITE or (if that is
 * 0) PC set; and `miss`, which stands in the table for translations that are gone.
 */
export function dispatcherBytes(memoryPages: number, tableEntries: number): Uint8Array {
  return moduleBytes({
    types: [REGION_SIGNATURE, { parameters: 3, results: 1 }],
    memoryPages,
    tableEntries,
    functions: [
      { name: 'enter', type: ENTER_TYPE, code: enterCode() },
      { name: 'miss', type: REGION_TYPE, code: missCode() },
    ],
  });
}

function enterCode(): Code {
  const code = new Code(3);
  const [slot, fuel, pc] = [0, 1, 2];
  const entry = code.local();
  const next = new Label('next');
  const out = new Label('out');
  const unknown = new Label('unknown');
  code.block(out);
  code.block(unknown);
  code.loop(next);
  code.get(fuel);
  code.constant(DEPTH);
  code.get(pc);
  code.get(slot);
  code.callIndirect(REGION_TYPE);
  code.set(pc);
  code.set(fuel);
  code.get(pc);
  code.constant(AT_SITE);
  code.op('i32.eq');
  code.branchIf(out);
  code.get(pc);
  code.constant(2);
  code.op('i32.shl');
  code.constant(8 * (JUMP_ENTRIES - 1));
  code.op('i32.and');
  code.constant(0);
  code.memory('i32.load', SPACE);
  code.op('i32.add');
  code.op('local.tee', entry);
  code.memory('i32.load', SLOT_TABLE);
  code.get(pc);
  code.op('i32.ne');
  code.branchIf(unknown);
  code.get(entry);
  code.memory('i32.load', SLOT_TABLE + 4);
  code.op('local.tee', slot);
  code.branchIf(next); // a slot is never 0
  code.end();
  code.end();
  code.constant(0);
  code.constant(0);
  code.memory('i32.store', SITE);
  code.constant(0);
  code.get(pc);
  code.memory('i32.store', PC);
  code.end();
  code.get(fuel);
  return code;
}

function missCode(): Code {
  const code = new Code(REGION_SIGNATURE.parameters);
  code.get(0);
  code.get(2);
  return code;
}
