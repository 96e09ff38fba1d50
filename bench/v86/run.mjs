// Runs an image on v86 until it has printed a line, which is printed here, too.
// Arguments: v86's library, its WebAssembly, the image.
import { readFileSync } from 'node:fs';

const [, , library, wasm, image] = process.argv;
const { V86 } = await import(library);
const emulator = new V86({
  wasm_path: wasm,
  multiboot: { buffer: new Uint8Array(readFileSync(image)).buffer },
  memory_size: 32 * 2 ** 20,
  disable_speaker: true,
  log_level: 0,
  autostart: true,
});
let line = '';
emulator.add_listener('serial0-output-byte', (byte) => {
  if (byte !== 10) line += String.fromCharCode(byte);
  else {
    console.log(line);
    process.exit();
  }
});
