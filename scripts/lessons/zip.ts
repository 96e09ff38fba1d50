/** A zip file of a few texts, stored as they are: what learning platforms want a package to be. */
import { crc32 } from 'node:zlib';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
const UTF8_NAMES = 0x0800;
/** 1 January 1980, the first day that the format knows: the same texts give the same file. */
const DATE = 0x21;

/** The archive. Names are paths with `/`. */
export function zip(files: ReadonlyMap<string, string>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of files) {
    const [path, data] = [Buffer.from(name), Buffer.from(text)];
    const facts = [VERSION, UTF8_NAMES, 0, 0, DATE].map((value) => word(2, value));
    facts.push(
      word(4, crc32(data)),
      word(4, data.length),
      word(4, data.length),
      word(2, path.length),
      word(2, 0),
    );
    const local = Buffer.concat([word(4, LOCAL), ...facts, path, data]);
    directory.push(
      Buffer.concat([
        word(4, CENTRAL),
        word(2, VERSION),
        ...facts,
        word(2, 0),
        word(2, 0),
        word(2, 0),
        word(4, 0),
        word(4, offset),
        path,
      ]),
    );
    parts.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  const counts = [0, 0, files.size, files.size].map((value) => word(2, value));
  const end = [word(4, END), ...counts, word(4, index.length), word(4, offset), word(2, 0)];
  return Buffer.concat([...parts, index, ...end]);
}

/** A number in little-endian order. */
function word(bytes: 2 | 4, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value >>> 0, 0, bytes);
  return buffer;
}
