// Owns reading a ZIP archive whose maker nobody knows: its list and its contents must agree, nothing may overlap, and what
// is locked, linked or larger than it says refuses the whole.
import { crc32, inflateRawSync } from 'node:zlib';
import type { SkillFile } from '../content.ts';
import { collect, entryName, refused } from './entries.ts';

const END = 0x06054b50;
const LISTED = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;

/** Its files are locked with a password: nobody has seen what is in it. */
export function isLocked(data: Buffer): boolean {
  try {
    return list(data).some(({ flags }) => (flags & 1) !== 0);
  } catch {
    return false;
  }
}

type Listed = {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly mode: number;
  readonly at: number;
};

export function readZip(data: Buffer): readonly SkillFile[] {
  const sink = collect();
  const ranges: (readonly [from: number, to: number])[] = [];
  for (const one of list(data)) {
    const { name, flags, method, packed, size, mode, at } = one;
    if ((flags & 0x41) !== 0) throw refused(name, 'it is locked with a password');
    const type = mode & 0o170000;
    if (type === 0o120000) throw refused(name, 'it is a link');
    if (![0, 0o100000, 0o040000].includes(type)) throw refused(name, 'it is no file');
    if (at + 30 > data.length || data.readUInt32LE(at) !== LOCAL) throw refused(name, 'the archive is damaged');
    const nameEnd = at + 30 + data.readUInt16LE(at + 26);
    if (data.toString('utf8', at + 30, nameEnd) !== name) throw refused(name, 'it has two names');
    const from = nameEnd + data.readUInt16LE(at + 28);
    if (from + packed > data.length) throw refused(name, 'the archive ends in the middle of it');
    ranges.push([at, from + packed]);
    const path = entryName(name);
    if (path === null) {
      if (size > 0) throw refused(name, 'a folder with a content');
      continue;
    }
    sink.expect(path, size);
    sink.take({
      path,
      data: unpack(data.subarray(from, from + packed), one, method),
      isExecutable: (mode & 0o111) !== 0,
    });
  }
  ranges.sort(([a], [b]) => a - b);
  for (const [index, [from]] of ranges.entries())
    if (from < (ranges[index - 1]?.[1] ?? 0)) throw refused('the archive', 'files in it overlap');
  return sink.done();
}

function unpack(packed: Buffer, { name, crc, size }: Listed, method: number): Buffer {
  let data: Buffer;
  if (method === 0) data = Buffer.from(packed);
  else if (method !== 8) throw refused(name, 'it is packed in a way that is not known here');
  else {
    try {
      data = size === 0 ? Buffer.alloc(0) : inflateRawSync(packed, { maxOutputLength: size });
    } catch {
      throw refused(name, 'it is damaged, or larger than it says');
    }
  }
  if (data.length !== size || crc32(data) !== crc) throw refused(name, 'it is damaged, or larger than it says');
  return data;
}

function list(data: Buffer): Listed[] {
  const end = endOf(data);
  const [count, bytes, start] = [data.readUInt16LE(end + 10), data.readUInt32LE(end + 12), data.readUInt32LE(end + 16)];
  if (data.readUInt16LE(end + 8) !== count || start + bytes !== end)
    throw refused('the archive', 'its list is damaged');
  const found: Listed[] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || data.readUInt32LE(at) !== LISTED) throw refused('the archive', 'its list is damaged');
    const nameBytes = data.readUInt16LE(at + 28);
    const more = data.readUInt16LE(at + 30) + data.readUInt16LE(at + 32);
    const madeBy = data.readUInt8(at + 5);
    found.push({
      name: data.toString('utf8', at + 46, at + 46 + nameBytes),
      flags: data.readUInt16LE(at + 8),
      method: data.readUInt16LE(at + 10),
      crc: data.readUInt32LE(at + 16),
      packed: data.readUInt32LE(at + 20),
      size: data.readUInt32LE(at + 24),
      mode: madeBy === 3 || madeBy === 19 ? data.readUInt32LE(at + 38) >>> 16 : 0,
      at: data.readUInt32LE(at + 42),
    });
    at += 46 + nameBytes + more;
  }
  if (at !== end) throw refused('the archive', 'its list is damaged');
  return found;
}

function endOf(data: Buffer): number {
  for (let at = data.length - END_BYTES; at >= Math.max(0, data.length - END_BYTES - MAX_COMMENT_BYTES); at--)
    if (data.readUInt32LE(at) === END && at + END_BYTES + data.readUInt16LE(at + 20) === data.length) return at;
  throw refused('the archive', 'it is damaged, or no ZIP archive');
}
