// Owns the judgement of a write-ahead log that a killed gateway left. SQLite itself drops everything from the first bad
// byte on without a word; here it is only read, never mended.
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
/** far above what the automatic checkpoint lets it grow to */
const MAX_BYTES = 256 * 1024 * 1024;
/** Two commits cannot both be unfinished, since each is on disk before the next begins: one may be torn, never two. */
const TOO_MANY_TO_BE_TORN = 2;

/** Why committed work is missing from the log of this database, or null. Only for a database that nobody has open. */
export function walDamage(path: string): string | null {
  // They are made and removed together, the log first; nothing of ours leaves one alone.
  if (!existsSync(`${path}-wal`)) return existsSync(`${path}-shm`) ? 'its write-ahead log is gone' : null;
  const bytes = read(`${path}-wal`);
  if (bytes === null || bytes.length <= HEADER_BYTES || bytes.every((byte) => byte === 0)) return null;
  const header = readHeader(bytes);
  if (header === null) return 'the head of its write-ahead log is damaged';
  const lost = lostCommits(bytes, header);
  return lost < TOO_MANY_TO_BE_TORN ? null : `${lost} changes at the end of its write-ahead log are damaged`;
}

type Header = {
  readonly words: Uint32Array;
  readonly pageBytes: number;
  readonly salts: readonly [number, number];
  readonly sum: Sum;
};
type Sum = readonly [number, number];

function readHeader(bytes: Buffer): Header | null {
  const magic = bytes.readUInt32BE(0);
  const pageBytes = bytes.readUInt32BE(8);
  if ((magic & ~1) >>> 0 !== MAGIC || pageBytes < 512 || pageBytes > 65_536) return null;
  const words = wordsOf(bytes, (magic & 1) === 0);
  const sum = checksum(words, 0, HEADER_BYTES - 8, [0, 0]);
  if (sum[0] !== bytes.readUInt32BE(24) || sum[1] !== bytes.readUInt32BE(28)) return null;
  return { words, pageBytes, salts: [bytes.readUInt32BE(16), bytes.readUInt32BE(20)], sum };
}

/** Commits of this log that lie behind its first bad frame; frames with other salts are left from an earlier round. */
function lostCommits(bytes: Buffer, { words, pageBytes, salts, sum }: Header): number {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  let isSound = true;
  let lost = 0;
  for (let at = HEADER_BYTES; at + frameBytes <= bytes.length; at += frameBytes) {
    const isOfThisRound = bytes.readUInt32BE(at + 8) === salts[0] && bytes.readUInt32BE(at + 12) === salts[1];
    if (isSound && isOfThisRound) {
      sum = checksum(words, at, 8, sum);
      sum = checksum(words, at + FRAME_HEADER_BYTES, pageBytes, sum);
      isSound = sum[0] === bytes.readUInt32BE(at + 16) && sum[1] === bytes.readUInt32BE(at + 20);
    } else {
      isSound = false;
    }
    const isCommit = bytes.readUInt32BE(at + 4) !== 0;
    if (!isSound && isOfThisRound && isCommit) lost += 1;
  }
  return lost;
}

/** As the machine that wrote it had them; ours have the low byte first. */
const wordsOf = (bytes: Buffer, isLittle: boolean): Uint32Array => {
  const whole = bytes.subarray(0, bytes.length & ~3);
  const ordered = isLittle ? whole : Buffer.from(whole).swap32();
  return new Uint32Array(ordered.buffer, ordered.byteOffset, ordered.length / 4);
};

/** SQLite's own: Fibonacci-weighted sums over pairs of 32-bit words (its file format, section 4.2). */
function checksum(words: Uint32Array, from: number, length: number, [a, b]: Sum): Sum {
  for (let at = from / 4; at < (from + length) / 4; at += 2) {
    a = (a + b + (words[at] as number)) >>> 0;
    b = (a + b + (words[at + 1] as number)) >>> 0;
  }
  return [a, b];
}

/** null for what is too large or not a file: then SQLite's own opening says what is wrong. */
function read(file: string): Buffer | null {
  const fd = openSync(file, 'r');
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_BYTES) return null;
    // Slow means of its own: a part of the shared pool need not begin where a word does.
    const bytes = Buffer.allocUnsafeSlow(stat.size);
    let done = 0;
    for (let count = 1; count > 0 && done < bytes.length; done += count) {
      count = readSync(fd, bytes, done, bytes.length - done, done);
    }
    return bytes.subarray(0, done);
  } finally {
    closeSync(fd);
  }
}
